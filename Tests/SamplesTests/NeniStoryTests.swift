import Common
import Testing

@testable import Samples

@Suite struct NeniStoryTests {
    private static let made = Result { try ExportedSample(SampleOrder(product: "neni")) }
    private let sample: ExportedSample

    init() throws { sample = try NeniStoryTests.made.get() }

    // MARK: - Reading

    /// The gateway's calls that an ingest accepts: each id once, with a time.
    private var calls: [JSON] { sample.newest("ai_gateway").filter { $0["ts"]?.moment != nil } }
    private var meters: [JSON] { sample.newest("UsageRecord").filter { $0["metric"]?.string != "SMS_SENT" } }
    private var costs: [JSON] { sample.newest("ProviderCost") }

    private func tenant(_ row: JSON) -> String { row.says("kindergartenId") }
    private func value(_ row: JSON) -> Int { row["value"]?.whole ?? 0 }
    private func from(_ row: JSON) -> String { row.says("periodStart") }
    private func metered(_ metric: String, _ tenant: String? = nil) -> [JSON] {
        meters.filter { $0["metric"]?.string == metric && (tenant == nil || self.tenant($0) == tenant) }
            .sorted { from($0) < from($1) }
    }
    private func story(_ name: String, _ key: String) -> JSON { sample.story(name)[key] ?? .null }
    private func tokens(_ call: JSON) -> Int { call.figure("promptTokens") + call.figure("completionTokens") }

    /// 0.15 and 0.60 dollars per million tokens; nil for a model without a price.
    private func cost(_ call: JSON) -> Money? {
        guard call["model"]?.string == "gpt-4o-mini" else { return nil }
        return price(["promptTokens", "completionTokens"].map(call.figure), at: ["0.15", "0.60"])
    }

    private func cost(_ calls: [JSON]) -> Money { calls.total(cost) }

    /// The kindergarten that had so many children at the first midnight counted.
    private func kindergarten(_ children: Int) throws -> String {
        let all = Set(metered("CHILDREN_ACTIVE").map(tenant))
        return try #require(all.first { value(metered("CHILDREN_ACTIVE", $0)[0]) == children })
    }

    // MARK: - The whole

    @Test("The truth of every log adds up, and the files hold what it counts")
    func addsUp() throws {
        try expectTruthAddsUp(sample.truth, logs: ["usage", "sessions", "meters", "charges", "payments", "snapshots"])
        #expect(sample.truth["usage"]?["reasons"] == .fields(["bad_json": .int(1), "missing_ts": .int(1)]))
        #expect(sample.truth["charges"]?["reasons"] == .fields(["bad_csv": .int(1)]))
        #expect(sample.truth["meters"]?["reasons"] == .fields(["bad_value": .int(1)]))
        #expect(calls.count == sample.truth["usage"]?["accepted"]?.int)
        #expect(sample.records(of: "ai_gateway").count + 1 == sample.truth["usage"]?["records"]?.int)
        #expect(calls.reduce(0) { $0 + $1.figure("promptTokens") } == sample.truth["usage"]?["sums"]?["input_tokens"]?.int)
        #expect(meters.count == sample.truth["meters"]?["accepted"]?.int)
        #expect(meters.reduce(0) { $0 + value($1) } == sample.truth["meters"]?["sums"]?["value"]?.int)
        #expect(costs.count == sample.truth["charges"]?["accepted"]?.int)
        #expect(sample.records(of: "ProviderCost").count + 1 == sample.truth["charges"]?["records"]?.int)
        let cents = costs.reduce(0) { $0 + $1.figure("costCents") }
        #expect(
            Money(cents: cents).description == sample.truth["charges"]?["sums"]?["amount_USD"]?.string)
        let kinds = sample.truth["sessions"]?["by_kind"]
        #expect(sample.newest("MediaFile").count == kinds?["upload"]?["accepted"]?.int)
        #expect(sample.newest("JobLog").count == kinds?["job"]?["accepted"]?.int)
        #expect(
            sample.newest("FaceRecognitionSuggestion").count { $0["status"]?.string != "PENDING" }
                == kinds?["face"]?["accepted"]?.int)
        #expect(
            Set(sample.records(of: "MediaFile").map(\.text)).count
                == sample.truth["snapshots"]?["by_kind"]?["media"]?["accepted"]?.int)
        let paid = Set(sample.records(of: "Invoice").filter { $0["paidAt"] != .null }.compactMap { $0["id"]?.string })
        #expect(paid.count == sample.truth["payments"]?["accepted"]?.int)
    }

    @Test("Rows look as Prisma prints them")
    func shapes() {
        #expect(meters.allSatisfy { $0["value"]?.string.flatMap { Int($0) } != nil })
        let ids = meters.compactMap { $0["id"]?.string } + costs.compactMap { $0["id"]?.string }
        #expect(ids.allSatisfy { $0.utf8.count == 25 && $0.hasPrefix("c") } && Set(ids).count == ids.count)
        #expect(calls.allSatisfy { $0["ts"]?.string?.utf8.count == 24 && $0["ts"]?.string?.hasSuffix("Z") == true })
        #expect(Set(meters.compactMap { $0["metric"]?.string }).count == 8)
        #expect(sample.last("Plan").contains { $0["isPublic"]?.string == "t" && $0["childMax"] == .null } == false)
        #expect(sample.last("Plan").count { $0["childMax"] == .null } == 1)
    }

    // MARK: - Kindergartens

    @Test("Seven kindergartens count their children, over all branches each once")
    func children() throws {
        let counted = Dictionary(grouping: metered("CHILDREN_ACTIVE"), by: tenant)
        #expect(counted.values.compactMap { $0.first.map(value) }.sorted() == [41, 57, 88, 163, 231, 340, 812])
        for (id, rows) in counted {
            let now = sample.last("Child").filter { tenant($0) == id && $0["status"]?.string == "ACTIVE" }
            #expect(rows.last.map(value) == Set(now.compactMap { $0["id"]?.string }).count, "\(id)")
            #expect(story("tenants", "by_tenant")[id]?["children_last"]?.int == rows.last.map(value))
        }
        let growing = try kindergarten(231)
        #expect(Set(sample.last("Child").filter { tenant($0) == growing }.map { $0["branchId"]?.string }).count == 2)
        let midnights = metered("CHILDREN_ACTIVE", growing)
        let first = try #require(midnights.first { value($0) > 249 })
        #expect(from(first) == "2026-11-02T00:00:00.000Z")
        #expect(story("band_change", "children_after").int == value(first))
        #expect(story("band_change", "band_before").string == "pro" && story("band_change", "band_after").string == "chain")
        let branches = sample.records(of: "Child").filter { tenant($0) == growing }
        let moved = Dictionary(grouping: branches) { $0["id"]?.string }.values.filter {
            Set($0.map { $0["branchId"]?.string }).count > 1
        }
        #expect(moved.count == 2)
    }

    @Test("The trial ends on the 4th of November and falls back to Starter")
    func trial() throws {
        let id = try kindergarten(41)
        func row(_ day: String) -> JSON {
            sample.file("Subscription/Subscription-\(day).jsonl.gz").first { tenant($0) == id } ?? .null
        }
        let plans = Dictionary(uniqueKeysWithValues: sample.last("Plan").map { ($0["id"]?.string, $0["code"]?.string) })
        #expect(row("2026-10-05") == .null)
        #expect(row("2026-11-02")["status"]?.string == "TRIAL" && plans[row("2026-11-02")["planId"]?.string] == "growth")
        #expect(row("2026-11-09")["status"]?.string == "ACTIVE" && plans[row("2026-11-09")["planId"]?.string] == "starter")
        #expect(row("2026-11-02")["trialEndsAt"]?.moment?.dayUTC == civil(2026, 11, 4))
        let videos = sample.newest("MediaFile").filter {
            $0["kind"]?.string == "video" && ($0.says("createdAt")) >= (row("2026-11-02")["trialEndsAt"]?.string ?? "")
        }
        #expect(videos.count == story("trial_ends", "videos_as_starter").int && !videos.isEmpty)
    }

    @Test("One pauses and keeps its storage, one leaves with its data, one pays late, one has no list price")
    func lives() throws {
        let paused = try kindergarten(57)
        #expect(sample.last("Subscription").first { tenant($0) == paused }?["status"]?.string == "PAUSED")
        #expect(metered("EGRESS_BYTES", paused).allSatisfy { from($0) < "2026-10-19" })
        #expect(metered("STORAGE_BYTES", paused).filter { from($0) >= "2026-10-19" && value($0) > 0 }.count == 27)
        let leaving = try kindergarten(88)
        let egress = metered("EGRESS_BYTES", leaving)
        let most = try #require(egress.max { value($0) < value($1) })
        #expect(from(most).hasPrefix("2026-11-12") && value(most) == story("egress_at_departure", "bytes").int)
        #expect(value(most) > 10 * (egress.filter { from($0) != from(most) }.map(value).max() ?? 0))
        #expect(sample.last("Subscription").first { tenant($0) == leaving }?["status"]?.string == "CANCELED")
        let late = sample.file("Subscription/Subscription-2026-11-09.jsonl.gz").filter { $0["status"]?.string == "PAST_DUE" }
        #expect(late.map(tenant) == [try kindergarten(340)])
        let custom = try kindergarten(812)
        let agreed = sample.last("Subscription").first { tenant($0) == custom }
        #expect(agreed?["currency"]?.string == "UZS" && agreed?["priceOverrideCents"]?.int != nil)
        let bills = sample.last("Invoice").filter { $0["subscriptionId"] == agreed?["id"] }
        #expect(bills.count == story("custom_in_uzs", "invoices").int)
        for bill in sample.last("Invoice") {
            let (net, vat) = (bill["netCents"]?.int ?? 0, bill["vatCents"]?.int ?? 0)
            #expect(net + vat == bill["totalCents"]?.int)
            #expect(abs(vat * 100 - net * 12) <= 56)
        }
    }

    @Test("Third and further parents are counted for each kindergarten")
    func parents() {
        let owner = Dictionary(uniqueKeysWithValues: sample.last("Child").map { ($0.says("id"), tenant($0)) })
        let links = Dictionary(grouping: sample.newest("ChildParentLink")) { $0.says("childId") }
        var further: [String: Int] = [:]
        for (child, rows) in links { further[owner[child] ?? "", default: 0] += max(0, rows.count - 2) }
        #expect(story("third_parents", "third_and_further").members?.allSatisfy { further[$0.key] == $0.value.int } == true)
        #expect(further.values.allSatisfy { $0 > 0 } && further.count == 7)
    }

    // MARK: - Usage

    @Test("Face and speech cost nothing yet, and every call is counted")
    func mocked() {
        let free = costs.filter { ["rekognition", "whisper"].contains($0["provider"]?.string) }
        #expect(!free.isEmpty && free.allSatisfy { $0["costCents"]?.whole == 0 })
        let suggestions = sample.newest("FaceRecognitionSuggestion")
        #expect(metered("AI_FACE_CALLS").reduce(0) { $0 + value($1) } == suggestions.count)
        #expect(free.count { $0["provider"]?.string == "rekognition" } == suggestions.count)
        #expect(story("mocked_services", "face_calls").int == suggestions.count)
        let minutes = metered("AI_STT_MINUTES").reduce(0) { $0 + value($1) }
        #expect(minutes == story("mocked_services", "speech_minutes").int)
        let shadow = story("mocked_services", "speech_shadow_cost").members ?? []
        let total = shadow.reduce(into: Money.zero) { $0 += $1.value.string.flatMap { Money($0) } ?? .zero }
        #expect(total.units == Int128(minutes) * 6_000_000_000)
        let jobs = Set(sample.newest("JobLog").compactMap { $0["id"]?.string })
        #expect(free.allSatisfy { $0["refType"]?.string != "JobLog" || jobs.contains($0.says("refId")) })
    }

    @Test("Six of a hundred files have no size, and stored bytes leave them out")
    func sizes() throws {
        let files = sample.newest("MediaFile")
        let unsized = files.count { $0["sizeBytes"] == .null }
        #expect(unsized == files.count * 6 / 100 && unsized == story("media_sizes", "without_size").int)
        #expect(Set(files.map(tenant)) == [try kindergarten(41)])
        let midnight = "2026-11-10T00:00:00.000Z"
        let there = files.filter {
            ($0.says("createdAt")) < midnight && $0["deletedAt"]?.string.map { $0 >= midnight } ?? true
        }
        let gauge = metered("STORAGE_BYTES", try kindergarten(41)).first { from($0) == midnight }
        #expect(gauge.map(value) == there.reduce(0) { $0 + $1.figure("sizeBytes") })
    }

    @Test("One kindergarten rejects 38 of a hundred suggestions, the others 9")
    func rejections() throws {
        let decided = sample.newest("FaceRecognitionSuggestion").filter { $0["status"]?.string != "PENDING" }
        let strict = try kindergarten(163)
        func share(_ rows: [JSON]) -> Int { rows.count { $0["status"]?.string == "REJECTED" } * 1000 / rows.count }
        #expect((375...385).contains(share(decided.filter { tenant($0) == strict })))
        #expect((85...95).contains(share(decided.filter { tenant($0) != strict })))
        for (id, rows) in Dictionary(grouping: decided, by: tenant) {
            #expect(story("rejections", "by_tenant")[id]?["rejected"]?.int == rows.count { $0["status"]?.string == "REJECTED" })
        }
    }

    @Test("One kindergarten chats for most, in up to six steps; the gateway and the meter differ by what is late or lost")
    func chat() throws {
        let heavy = try kindergarten(340)
        let own = calls.filter { tenant($0) == heavy }
        #expect(own.reduce(0) { $0 + tokens($1) } * 10 > 6 * calls.reduce(0) { $0 + tokens($1) })
        #expect(own.reduce(0) { $0 + tokens($1) } == story("heavy_chat", "tokens").int)
        #expect(calls.compactMap { $0["step"]?.int }.max() == 6)
        let metered = metered("LLM_TOKENS").reduce(0) { $0 + value($1) }
        let late = sample.records(of: "late").reduce(0) { $0 + tokens($1) }
        let lost = metered - late - calls.reduce(0) { $0 + tokens($1) }
        #expect(lost == story("tokens_compared", "lost").int && lost > 0)
        let hour = self.metered("LLM_TOKENS").filter { from($0) == "2026-11-04T06:00:00.000Z" }
        #expect(hour.reduce(0) { $0 + value($1) } == lost)
        #expect(!calls.contains { $0["ts"]?.string?.hasPrefix("2026-11-04T06") == true })
        #expect(cost(calls).description == story("costs", "total_cost").string)
        for (week, told) in Dictionary(uniqueKeysWithValues: (story("costs", "by_week").members ?? []).map { ($0.key, $0.value) })
        {
            let rows = calls.filter { ($0["ts"]?.moment?.dayUTC).map { Week(of: $0).description } == week }
            #expect(cost(rows).description == told.string)
        }
        #expect(calls.count { cost($0) == nil } == 6)
    }

    @Test("Codes cost what the provider said, one to five cents")
    func codes() {
        let codes = costs.filter { $0["provider"]?.string == "telegram" }
        #expect(codes.allSatisfy { (1...5).contains($0.figure("costCents")) })
        #expect(Set(codes.map { $0["costCents"]?.whole }).count == 5)
        #expect(codes.count == story("telegram_codes", "codes").int)
        #expect(codes.reduce(0) { $0 + $1.figure("costCents") } == story("telegram_codes", "cents").int)
        let known = codes.filter { $0["kindergartenId"] != .null }
        #expect(known.count == metered("OTP_SENT").reduce(0) { $0 + value($1) } && known.count < codes.count)
    }

    @Test("Whole cents hide small events")
    func wholeCents() {
        let mails = metered("EMAIL_SENT").reduce(0) { $0 + value($1) }
        let exact = Money(units: Int128(mails) * 400_000_000)
        let resend = costs.filter { $0["provider"]?.string == "resend" }
        let recorded = resend.reduce(0) { $0 + $1.figure("costCents") }
        let told = story("whole_cents", "by_provider")["resend"]
        #expect(told?["exact_USD"]?.string == exact.description && told?["recorded_cents"]?.int == recorded)
        #expect(Money(cents: recorded) < exact)
        #expect(resend.contains { $0["costCents"]?.whole == 0 })
    }

    // MARK: - Files

    @Test("One midnight lacks its gauges, and one metric is unknown")
    func gaps() {
        let gauges = meters.filter { ["CHILDREN_ACTIVE", "STORAGE_BYTES"].contains($0["metric"]?.string) }
        let days = Dictionary(grouping: gauges) { String(from($0).prefix(10)) }
        #expect(days["2026-10-28"] == nil && days["2026-10-27"]?.count == 14 && days.count == 48)
        #expect(sample.records(of: "UsageRecord").count { $0["metric"]?.string == "SMS_SENT" } == 1)
    }

    @Test("The general faults are there")
    func faults() {
        #expect(
            sample.texts["ai_gateway/ai_gateway-2026-10-14-copy.jsonl.gz"]
                == sample.texts["ai_gateway/ai_gateway-2026-10-14.jsonl.gz"])
        let parts = ["", "-again"].map { Set(sample.file("ai_gateway/ai_gateway-2026-10-22\($0).jsonl.gz").map(\.text)) }
        #expect(parts[0].intersection(parts[1]).count == story("overlapping_day", "duplicates").int)
        #expect(!parts[0].isSubset(of: parts[1]) && !parts[1].isSubset(of: parts[0]))
        let late = sample.records(of: "late")
        #expect(
            late.count == 30 && Set(late.compactMap { $0["id"]?.string }).isDisjoint(with: calls.compactMap { $0["id"]?.string }))
        #expect(calls.count { $0["model"]?.string == "gpt-4o-nano-preview" } == 6)
        #expect(sample.last("Plan").contains { $0["displayName"]?.string == "Growth <script>alert(1)</script>" })
        #expect(sample.last("Subscription").contains { $0["promoCode"]?.string == "=HYPERLINK(\"http://x\")" })
        #expect(sample.newest("JobLog").count { $0["queue"]?.string == "notifications\u{1b}[31m" } == 1)
        let fields = sample.texts["ProviderCost/ProviderCost-2026-10-26.csv.gz"]?.split(separator: 0x0a).map {
            $0.count { $0 == 0x2c }
        }
        #expect(fields?.count { $0 != 7 } == 1)
    }

    @Test("Consecutive dumps overlap by one day, and events come back unchanged")
    func overlaps() {
        for (table, time) in [("UsageRecord", "periodStart"), ("ProviderCost", "occurredAt"), ("JobLog", "startedAt")] {
            var seen: [String: JSON] = [:]
            for row in sample.records(of: table) {
                if let before = seen.updateValue(row, forKey: row.says("id")) {
                    #expect(before == row)
                    #expect(row[time]?.moment?.dayUTC.weekday == 7)
                }
            }
        }
    }
}
