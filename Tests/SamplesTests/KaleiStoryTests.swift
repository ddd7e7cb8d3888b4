import Common
import Testing

@testable import Samples

@Suite struct KaleiStoryTests {
    private let sample: KaleiSample

    init() throws { sample = try KaleiSample.made.get() }

    @Test("The truth of every log adds up")
    func addsUp() throws {
        try expectTruthAddsUp(sample.truth, logs: ["usage", "sessions", "texts", "snapshots", "meters", "invoices"])
        #expect(
            sample.truth["usage"]?["reasons"]
                == .fields(["bad_json": .int(1), "bad_value": .int(1), "id_reused": .int(1), "missing_ts": .int(1)]))
    }

    @Test("The files hold the rows and tokens that the truth counts")
    func holds() {
        let calls = sample.calls
        let usage = sample.truth["usage"]
        #expect(calls.count == usage?["accepted"]?.int)
        #expect(sample.records(of: "api_usage").count + 1 == usage?["records"]?.int)
        let columns = [
            "input_tokens": "input_tokens", "cache_read_input_tokens": "cache_read_tokens",
            "cache_creation_input_tokens": "cache_write_5m_tokens", "output_tokens": "output_tokens", "latency_ms": "latency_ms",
        ]
        for (field, column) in columns {
            #expect(calls.reduce(0) { $0 + ($1[field]?.int ?? 0) } == usage?["sums"]?[column]?.int, "\(column)")
        }
        for (table, kind, time) in [
            ("mirror_sessions", "mirror", "started_at"), ("mirror_fragments", "fragment", "created_at"),
            ("turns", "turn", "created_at"),
        ] {
            let truth = sample.truth["sessions"]?["by_kind"]?[kind]
            #expect(sample.events(table, by: time).count == truth?["accepted"]?.int, "\(kind)")
            #expect(sample.records(of: table).count == truth?["records"]?.int, "\(kind)")
        }
    }

    @Test("Costs add up by day, week and feature")
    func costs() {
        let costs = sample.story("costs")
        let calls = sample.calls
        #expect(sample.cost(calls).description == costs["total_cost"]?.string)
        expectCosts(
            costs, of: calls, sample.cost,
            by: [
                "by_day_utc": { $0.moment("ts").dayUTC.description }, "by_week_local": { sample.week($0).description },
                "by_feature": { $0.says("feature") },
            ])
        #expect(calls.count { sample.cost($0) == nil } == 6)
        #expect(costs["unpriced_requests"]?.int == 6)
    }

    @Test("October reaches eighty percent of the cap, and Lens turns to templates until the month ends")
    func cap() throws {
        let october = sample.calls.filter { sample.day($0).month == "2026-10" }
        let threshold = try #require(Money("12.00"))
        var spent = Money.zero
        var crossed: Instant?
        for call in october {
            let isTemplate = call["route"]?.string == "template"
            if call["feature"]?.string == "lens_affirmation" {
                #expect(isTemplate == (crossed != nil))
            } else {
                #expect(!isTemplate)
            }
            spent += sample.cost(call) ?? .zero
            if crossed == nil, spent >= threshold { crossed = call.moment("ts") }
        }
        let at = try #require(crossed)
        #expect(at.description == sample.story("cap")["crossed_at"]?.string)
        #expect(Period(first: civil(2026, 10, 28), last: civil(2026, 10, 30)).contains(sample.berlin.day(of: at)))
        #expect(spent.description == sample.story("cap")["month_total"]?.string)
        #expect(spent < Money(units: 15_000_000_000_000))
        #expect(!sample.calls.contains { sample.day($0).month == "2026-11" && $0["route"]?.string == "template" })
        let templates = Set(sample.records(of: "affirmations").filter { $0["source"]?.string == "template" }.map(\.text)).count
        #expect(templates == sample.story("cap")["affirmations_from_template"]?.int)
        #expect(templates == october.count { $0["route"]?.string == "template" })
    }

    @Test("Members count as planned")
    func members() {
        let end = sample.berlin.start(of: civil(2026, 11, 16))
        let plans = sample.lastUsers.filter { $0["deleted_at"] == .null }.map { sample.plan(of: $0["id"]?.string, at: end) }
        #expect(plans.count { $0 == "prism" } == 11)
        #expect(plans.count { $0 == "prism_plus" } == 12)
        #expect((195...205).contains(plans.count))
        let perDay = Dictionary(grouping: sample.calls) { sample.day($0) }
            .mapValues { calls in Set(calls.map { $0["user_id"]?.string }).count }
        #expect((45...55).contains(perDay.values.reduce(0, +) / perDay.count))
        #expect(perDay.count == 49)
        #expect(!sample.records(of: "spectrum_analyses").contains { $0.says("created_at") < "2026-10-05" })
    }

    @Test("The funnel of W46 loses one member for each reason")
    func funnel() throws {
        let week = Week(of: civil(2026, 11, 9))
        let end = sample.berlin.start(of: civil(2026, 11, 16))
        let owner = Dictionary(uniqueKeysWithValues: sample.lastGoals.map { ($0["id"]?.string, $0["user_id"]?.string) })
        var rows: [String?: Int] = [:]
        for (table, time) in [("mirror_sessions", "started_at"), ("mirror_fragments", "created_at"), ("turns", "created_at")] {
            for row in sample.events(table, by: time) where sample.week(row, time) == week {
                rows[row["user_id"]?.string, default: 0] += 1
            }
        }
        for text in Set(sample.records(of: "affirmations").map(\.text)) {
            guard let row = parsedLines(Array(text.utf8)).first, let day = Day(row.says("shown_on")) else { continue }
            if Week(of: day) == week { rows[owner[row["goal_id"]?.string] ?? nil, default: 0] += 1 }
        }
        let crisis = Set(
            sample.events("mirror_sessions", by: "started_at")
                .filter { sample.week($0, "started_at") == week && $0["crisis_flag"]?.bool == true }.map { $0["user_id"]?.string }
        )
        let entitled = sample.lastUsers.filter { sample.plan(of: $0["id"]?.string, at: end) == "prism_plus" }
        let consenting = entitled.filter { $0["consent_insights"]?.bool == true }
        let active = consenting.filter { rows[$0["id"]?.string, default: 0] >= 3 }
        let sent = active.filter { !crisis.contains($0["id"]?.string) }
        #expect([entitled.count, consenting.count, active.count, sent.count] == [12, 11, 10, 9])
        #expect(sent.compactMap { $0["id"]?.string }.sorted() == sample.story("w46_funnel")["sent_members"]?.strings)
    }

    @Test("Exactly three Free members are over quota")
    func quotas() {
        func free(_ rows: [JSON], _ time: String) -> [JSON] {
            rows.filter { sample.plan(of: $0["user_id"]?.string, at: $0.moment(time)) == "free" }
        }
        let turns = Dictionary(grouping: free(sample.events("turns", by: "created_at"), "created_at")) {
            "\($0.says("user_id")) \(sample.day($0, "created_at"))"
        }
        let mirrors = Dictionary(grouping: free(sample.events("mirror_sessions", by: "started_at"), "started_at")) {
            "\($0.says("user_id")) \(sample.week($0, "started_at"))"
        }
        #expect(turns.values.map(\.count).filter { $0 > 3 }.sorted() == [5, 7])
        #expect(mirrors.values.map(\.count).filter { $0 > 2 } == [4])
        #expect(sample.story("free_over_quota")["members"]?.int == 3)
    }

    @Test("One member runs away on the 27th of October")
    func runaway() throws {
        let turns = Dictionary(grouping: sample.events("turns", by: "created_at")) {
            "\($0.says("user_id")) \(sample.day($0, "created_at"))"
        }
        let most = turns.filter { $0.value.count >= 50 }
        let story = sample.story("runaway_member")
        #expect(most.map(\.key) == ["\(story["member"]?.string ?? "") 2026-10-27"])
        let own = sample.calls.filter { $0["user_id"] == story["member"] && sample.day($0) == civil(2026, 10, 27) }
        #expect(sample.cost(own).description == story["cost"]?.string)
    }

    @Test("The rare calls are there, and no others")
    func rareCalls() {
        let calls = sample.calls
        let leaks = calls.filter {
            $0["feature"]?.string == "spectrum_weekly"
                && sample.plan(of: $0["user_id"]?.string, at: $0.moment("ts")) != "prism_plus"
        }
        #expect(leaks.count == 2)
        #expect(leaks.allSatisfy { sample.plan(of: $0["user_id"]?.string, at: $0.moment("ts")) == "prism" })
        #expect(calls.count { $0["model"]?.string?.contains("sonnet") == true } == 4)
        let fallback = calls.filter { $0["route"]?.string == "fallback" }
        #expect(fallback.map { [$0["feature"], $0["provider"]] } == [[.string("mirror_reframe"), .string("groq")]])
        #expect(calls.count { $0["model"]?.string == "claude-haiku-4-6-preview" } == 6)
        let hour = Instant("2026-11-04T14:00:00Z").map { $0..<($0 + 3600) }
        #expect(!calls.contains { hour?.contains($0.moment("ts")) == true })
        #expect(sample.events("turns", by: "created_at").contains { hour?.contains($0.moment("created_at")) == true })
        #expect(
            sample.events("mirror_sessions", by: "started_at").contains {
                hour?.contains($0.moment("started_at")) == true
            })
        #expect(sample.records(of: "late").count == 40)
        let known = Set(calls.map { $0["id"]?.string })
        #expect(!sample.records(of: "late").contains { known.contains($0["id"]?.string) })
    }

    @Test("Consecutive dumps overlap by one day, and the rows come back unchanged")
    func overlaps() {
        for (table, time) in [("mirror_sessions", "started_at"), ("mirror_fragments", "created_at"), ("turns", "created_at")] {
            var seen: [String: JSON] = [:]
            for row in sample.records(of: table) {
                let id = row.says("id")
                if let before = seen[id] {
                    #expect(before == row)
                    #expect(row.moment(time).dayUTC.weekday == 7)
                }
                seen[id] = row
            }
        }
        #expect(
            sample.file("api_usage/api_usage-2026-10-14-copy.jsonl.gz").count
                == sample.file("api_usage/api_usage-2026-10-14.jsonl.gz").count)
    }

    @Test("Hostile strings and personal data are there")
    func strings() {
        #expect(sample.records(of: "mirror_fragments").contains { $0["pattern"]?.string == "<script>alert(1)</script>" })
        #expect(sample.lastGoals.contains { $0["goal_text"]?.string == "=HYPERLINK(\"http://x\")" })
        #expect(sample.records(of: "turns").contains { $0["input_text"]?.string?.contains("\u{1b}[31m") == true })
        let texts =
            sample.events("mirror_sessions", by: "started_at").flatMap {
                [$0["entry_text"]?.string, $0["reflection_text"]?.string]
            }
            .compactMap(\.self) + sample.events("turns", by: "created_at").compactMap { $0["input_text"]?.string }
        expectPersonalData(
            sample.story("personal_data_in_texts"), in: texts, phone: "+49 30 ", card: "4111 1111 1111 1111")
        #expect(texts.filter { !$0.isEmpty }.allSatisfy { (10...60).contains(words(in: $0)) })
    }

    @Test("Weeks are alike")
    func weeks() {
        var weeks: [Week: Int] = [:]
        for path in sample.exported.sizes.keys where !path.hasPrefix("late/") {
            let parts = path.split(separator: "-", maxSplits: 1)
            guard parts.count == 2, let day = Day(parts[1].prefix(10)) else { continue }
            weeks[Week(of: path.hasPrefix("api_usage") ? day : day - 1), default: 0] += sample.file(path).count
        }
        #expect(weeks.count == 7)
        #expect(weeks.values.allSatisfy { (1000...3000).contains($0) }, "\(weeks)")
    }
}
