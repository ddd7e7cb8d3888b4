import Common
import Testing

@testable import Samples

/// Money, privacy and the faults in Aspendos's files.
@Suite struct AspendosExportTests {
    private let sample: AspendosSample

    init() throws { sample = try AspendosSample.made.get() }

    @Test("The truth of every log adds up")
    func addsUp() throws {
        let truth = sample.truth
        try expectTruthAddsUp(truth, logs: ["usage", "sessions", "texts", "snapshots", "meters", "charges", "payments"])
        #expect(truth["usage"]?["reasons"] == .fields(["bad_json": .int(1), "bad_value": .int(1)]))
        #expect(truth["snapshots"]?["reasons"] == .fields(["bad_csv": .int(1)]))
    }

    @Test("The files hold the rows and tokens that the truth counts")
    func holds() {
        let usage = sample.truth["usage"]
        #expect(usage?["by_kind"]?["requests"]?["accepted"]?.int == sample.requests.count)
        #expect(usage?["by_kind"]?["requests"]?["records"]?.int == sample.records(of: "requests").count + 1)
        let input = sample.requests.reduce(0) { $0 + $1.figure("prompt_tokens") - $1.figure("cached_tokens") }
        #expect(usage?["sums"]?["input_tokens"]?.int == input)
        #expect(usage?["sums"]?["output_tokens"]?.int == sample.requests.reduce(0) { $0 + $1.figure("completion_tokens") })
        for (log, kind, table, id) in [
            ("usage", "media_jobs", "media_jobs", "id"), ("usage", "voice_tts", "voice_calls", "id"),
            ("sessions", "transcripts", "transcripts", "timestamp"), ("charges", "cost_logs", "cost_logs", "id"),
            ("snapshots", "conversation", "conversations", "id"),
        ] {
            var rows = sample.distinct(table, by: id)
            if kind == "voice_tts" { rows = rows.filter { $0.says("stage") == "tts" } }
            #expect(sample.truth[log]?["by_kind"]?[kind]?["accepted"]?.int == rows.count, "\(kind)")
        }
        #expect(sample.truth["payments"]?["accepted"]?.int == sample.distinct("payments", by: "event_id").count)
        #expect(sample.truth["payments"]?["records"]?.int == sample.records(of: "payments").count)
    }

    @Test("Twenty pay for PRO, five for ULTRA, and six are called PRO and never paid")
    func accounts() {
        let tiers = Dictionary(sample.records(of: "users").map { ($0.says("id"), $0.says("tier")) }) { one, _ in one }
        #expect(tiers.count == 31)
        #expect(tiers.count { $0.value == "PRO" && sample.paying.contains($0.key) } == 20)
        #expect(tiers.count { $0.value == "ULTRA" && sample.paying.contains($0.key) } == 5)
        #expect(tiers.count { $0.value == "PRO" && !sample.paying.contains($0.key) } == 6)
        let free = sample.requests.filter { !sample.paying.contains($0.says("user_id")) }
        #expect(Set(free.map { $0.says("user_id") }).count == 6)
        #expect(sample.cost(free).description == sample.story("accounts")["cost_of_never_paid"]?.string)
    }

    @Test("The lira price changes on the first of November, and one webhook comes twice")
    func payments() {
        let events = sample.distinct("payments", by: "event_id")
        #expect(Set(events.map { $0.says("currency") }) == ["USD", "EUR", "TRY"])
        let lira = events.filter { $0.says("currency") == "TRY" }
        #expect(Set(lira.filter { $0.day("at") < "2026-11-01" }.map { $0.says("gross") }) == ["1499.00"])
        #expect(Set(lira.filter { $0.day("at") >= "2026-11-01" }.map { $0.says("gross") }) == ["1549.00"])
        #expect(lira.allSatisfy { $0.amount("tax") > .zero })
        for event in events where event.says("status") == "paid" {
            // Five hundredths, within the half cent of rounding.
            let twentieth = event.amount("gross").divided(by: 20) ?? .zero
            let off = event.amount("fee") - twentieth
            #expect(max(off, .zero - off) <= Money(millionths: 5000))
        }
        for currency in ["USD", "EUR", "TRY"] {
            let gross = events.filter { $0.says("currency") == currency }.reduce(into: Money.zero) { $0 += $1.amount("gross") }
            #expect(sample.truth["payments"]?["sums"]?["gross_\(currency)"]?.string == gross.description, "\(currency)")
        }
        for (path, count) in [("2026-10-12", 0), ("2026-10-19", 1), ("2026-11-16", 1)] {
            let ids = sample.file("payments/payments-\(path).csv.gz").map { $0.says("event_id") }
            #expect(ids.count - Set(ids).count == count, "\(path)")
        }
        #expect(events.count { $0.says("sandbox") == "t" } == 2)
        #expect(events.count { $0.says("status") == "failed" } == 1 && events.count { $0.says("status") == "refunded" } == 1)
        let rates = sample.distinct("fx_rates").filter { $0.says("day") >= "2026-09-28" }
        #expect(rates.count == 2 * 48 && !rates.contains { $0.says("day") == "2026-11-08" })
        #expect(events.contains { $0.day("at") == "2026-11-08" && $0.says("currency") == "EUR" })
    }

    @Test("A payment pays for a month of days, so that each tier's revenue is known day by day")
    func payingDays() throws {
        var days: [String: Set<String>] = [:]
        for event in sample.distinct("payments", by: "event_id")
        where event.says("status") == "paid" && event.says("sandbox") == "f" {
            var day = try #require(Day(event.day("at")))
            let parts = day.civil
            let end = Day(year: parts.year, month: parts.month + 1, day: parts.day)
            while day != end {
                days["\(Week(of: day)) \(event.says("tier"))", default: []].insert("\(day) \(event.says("user_id"))")
                day = day + 1
            }
        }
        for (week, tiers) in sample.story("profit")["by_week"]?.members.map({ $0.map { ($0.key, $0.value) } }) ?? [] {
            for tier in ["PRO", "ULTRA"] {
                #expect(tiers[tier]?["paying_user_days"]?.int == days["\(week) \(tier)"]?.count, "\(week) \(tier)")
            }
        }
        let last = sample.story("profit")["by_week"]?["2026-W46"]
        #expect(last?["PRO"]?["thirty_times_revenue"]?.int == 20 * 7 * 49)
        #expect(last?["ULTRA"]?["thirty_times_revenue"]?.int == 5 * 7 * 129)
    }

    @Test("Three tables book one spend, and two equal rows of the one without ids are two")
    func charges() {
        let costs = sample.distinct("cost_logs", by: "id")
        let total = costs.reduce(into: Money.zero) { $0 += $1.amount("cost_usd") }
        #expect(total.description == sample.story("charges")["cost_logs"]?.string)
        var byFile: [String: Int] = [:]
        for path in sample.paths where path.hasPrefix("usage_logs/") {
            for (text, rows) in Dictionary(grouping: sample.file(path), by: \.text) {
                byFile[text] = max(byFile[text] ?? 0, rows.count)
            }
        }
        #expect(byFile.values.reduce(0, +) == costs.count)
        #expect(byFile.values.filter { $0 > 1 } == [2])
        #expect(sample.truth["charges"]?["by_kind"]?["usage_logs"]?["accepted"]?.int == costs.count)
        #expect(sample.records(of: "usage_logs").first?["id"] == nil)
        let rollup = sample.distinct("daily_costs")
        #expect(rollup.reduce(0) { $0 + (Int($1.says("request_count")) ?? 0) } == costs.count)
        let rounded = rollup.reduce(into: Money.zero) { $0 += $1.amount("total_cost") }
        #expect(rounded.description == sample.story("charges")["daily_costs"]?.string && rounded != total)
    }

    @Test("One withdrawal and one erasure fall into W45")
    func privacy() throws {
        let withdrawn = sample.distinct("consents").filter { $0.says("given") == "f" }
        #expect(withdrawn.map { [$0.says("kind"), $0.day("at")] } == [["voice", "2026-11-05"]])
        let owner = Dictionary(sample.records(of: "conversations").map { ($0.says("id"), $0.says("user_id")) }) { one, _ in one }
        let own = sample.records(of: "transcripts").filter { owner[$0.says("session_id")] == withdrawn.first?.says("user_id") }
        #expect(!own.isEmpty && own.allSatisfy { $0.says("timestamp") < "2026-11-05 16:00:00" })
        func users(_ day: String) -> Set<String> { Set(sample.file("users/users-\(day).csv.gz").map { $0.says("id") }) }
        let gone = users("2026-11-02").subtracting(users("2026-11-09"))
        #expect(gone.sorted() == [sample.story("erasure")["user"]?.string])
        #expect(!sample.file("conversations/conversations-2026-11-09.csv.gz").contains { gone.contains($0.says("user_id")) })
        #expect(owner.values.count { gone.contains($0) } == sample.story("erasure")["conversations"]?.int)
        let erased = sample.records(of: "audit_logs").filter { gone.contains($0["what"]?.says("user_id") ?? "") }
        #expect(erased.map { $0["what"]?.says("action") }.suffix(2) == ["erasure_requested", "erasure_done"])
        #expect(erased.suffix(2).allSatisfy { Week(of: $0.moment("when").dayUTC).description == "2026-W45" })
        #expect(sample.records(of: "audit_logs").count { $0["why"] == .null } == 1)
    }

    @Test("Titles break readers, one is encoded twice, and words hold personal data")
    func strings() {
        let titles = sample.distinct("conversations", by: "id").map { $0.says("title") }
        for title in ["=HYPERLINK(\"http://x\",\"y\")", "Red \u{1b}[31malert", "Two lines\nand a \"quote\", too"] {
            #expect(titles.count { $0 == title } == 1, "\(title)")
        }
        #expect(titles.count { $0 == "GÃ¼neÅŸli ÅŸehirler iÃ§in bÃ¼tÃ§e ve yaÄŸmurlu gÃ¼nler" } == 1)
        #expect(sample.requests.count { $0.says("requested_model") == "<script>alert(1)</script>" } == 1)
        let turns = sample.distinct("transcripts", by: "timestamp")
        #expect(turns.count { $0.says("assistant").contains("Ä±") } == 1)
        expectPersonalData(
            sample.story("personal_data_in_texts"), in: turns.map { $0.says("user") }, phone: "+49 30 ",
            card: "4111 1111 1111 1111")
        #expect(
            turns.allSatisfy {
                (8...60).contains(words(in: $0.says("user"))) && (8...60).contains(words(in: $0.says("assistant")))
            })
    }

    @Test("The general faults are in the files")
    func faults() throws {
        #expect(
            sample.file("requests/requests-2026-10-15-copy.jsonl.gz").map(\.text)
                == sample.file("requests/requests-2026-10-15.jsonl.gz").map(\.text))
        let shared = Set(sample.file("requests/requests-2026-10-23.jsonl.gz").map(\.text))
            .intersection(sample.file("requests/requests-2026-10-23-again.jsonl.gz").map(\.text))
        #expect(shared.count == sample.story("overlapping_day")["duplicates"]?.int && shared.count > 10)
        #expect(sample.file("late/requests-2026-11-05-late.jsonl.gz").count == 20)
        let start = try #require(Instant("2026-11-11T14:00:00Z"))
        let hour = start..<(start + 3600)
        #expect(!sample.requests.contains { hour.contains($0.moment("ts")) })
        #expect(sample.distinct("cost_logs", by: "id").count { hour.contains($0.moment("timestamp")) } >= 6)
        #expect(sample.story("broken_lines")["lines"]?.array?.map { $0.says("reason") } == ["bad_csv", "bad_json", "bad_value"])
        let reasons = sample.records(of: "requests").filter { $0["prompt_tokens"]?.string == "many" }
        #expect(reasons.count == 1)
    }

    @Test("Another seed and fewer weeks tell the same stories with other figures")
    func otherOrder() throws {
        let order = SampleOrder(product: "aspendos", users: 62, weeks: 3, fromWeek: Week(of: civil(2026, 10, 26)), seed: 5)
        let other = try AspendosSample(order)
        #expect(other.story("accounts")["paying_ultra"]?.int == 10 && other.story("accounts")["pro_that_never_paid"]?.int == 12)
        #expect(other.story("over_budget")["user_days_above"]?.int == 1)
        #expect(other.story("unlogged_turns")["turns"]?.int == 40)
        #expect(other.story("opus_calls")["requests"]?.int == 1)
        #expect(other.truth["usage"] != sample.truth["usage"])
    }
}
