import Common
import Testing

@testable import Samples

@Suite struct VoyagerStoryTests {
    private let sample: VoyagerSample

    init() throws { sample = try VoyagerSample.made.get() }

    @Test("The truth of every log adds up")
    func addsUp() throws {
        try expectTruthAddsUp(
            sample.truth, logs: ["usage", "sessions", "texts", "snapshots", "meters", "payments", "invoices"])
        let refused: [String: KeyValuePairs<String, JSON>] = [
            "usage": ["bad_csv": .int(1), "bad_value": .int(1), "missing_ts": .int(1)],
            "sessions": ["bad_csv": .int(1), "missing_ts": .int(1)], "texts": ["bad_csv": .int(1), "missing_ts": .int(1)],
            "snapshots": [:], "payments": [:],
        ]
        for (log, reasons) in refused { #expect(sample.truth[log]?["reasons"] == .fields(reasons), "\(log)") }
    }

    @Test("The files hold the rows and tokens that the truth counts")
    func holds() {
        let (usage, texts) = (sample.truth["usage"], sample.truth["texts"])
        #expect(sample.calls.count == usage?["accepted"]?.int)
        for (field, column) in [
            ("inputTokens", "input_tokens"), ("cacheReadTokens", "cache_read_tokens"), ("outputTokens", "output_tokens"),
        ] {
            #expect(sample.calls.reduce(0) { $0 + $1.figure(field) } == usage?["sums"]?[column]?.int, "\(column)")
        }
        // The ragged row is a record, but the test's reader leaves it out.
        #expect(sample.records(of: "message").count + 1 == usage?["records"]?.int)
        #expect(sample.messages.count == sample.truth["sessions"]?["by_kind"]?["message"]?["accepted"]?.int)
        #expect(
            sample.messages.count { $0["deletedAt"] == .null && !$0.says("content").isEmpty } == texts?["accepted"]?.int)
        let moved = sample.payments.count { ["invoice.paid", "charge.refunded"].contains($0.says("type")) }
        #expect(moved == sample.truth["payments"]?["accepted"]?.int)
        #expect(sample.truth["payments"]?["duplicate"]?.int == 1)
        #expect(Set(sample.records(of: "meters").map(\.text)).count == sample.truth["meters"]?["accepted"]?.int)
    }

    @Test("Versions of the small tables are counted by what makes them differ")
    func versions() {
        let kinds = sample.truth["snapshots"]?["by_kind"]
        func rows(_ table: String) -> [JSON] { sample.records(of: table) }
        #expect(kinds?["user"]?["accepted"]?.int == rows("user").count)
        #expect(kinds?["conversation"]?["accepted"]?.int == rows("conversation").count)
        #expect(Set(rows("conversation").map { $0.says("id") }).count == 900)
        #expect(kinds?["community"]?["accepted"]?.int == Set(rows("community").map(\.text)).count)
        #expect(kinds?["membership"]?["accepted"]?.int == Set(rows("membership").map(\.text)).count)
        let homes = Dictionary(grouping: rows("conversation")) { $0.says("id") }
            .mapValues { Set($0.map { "\($0.says("communityId")) \($0.says("userId"))" }).count }
        #expect(homes.values.allSatisfy { $0 == 1 })
        let users = Dictionary(grouping: rows("membership")) { "\($0.says("userId")) \($0.says("joinedAt"))" }
        #expect(users.values.allSatisfy { Set($0.map(\.text)).count == 1 })
    }

    @Test("Costs add up by month, model, plan and community")
    func costs() {
        let costs = sample.story("costs")
        #expect(sample.cost(sample.calls).description == costs["total_cost"]?.string)
        expectCosts(
            costs, of: sample.calls, sample.cost,
            by: [
                "by_month": { String($0.says("createdAt").prefix(7)) }, "by_model": { $0.says("model") },
                "by_plan": { sample.plan(of: $0.says("userId"), at: $0.says("createdAt")) ?? "?" },
                "by_community": { sample.community(of: $0) },
            ])
        #expect(costs["by_community"]?.members?.count == 5)
        #expect(costs["by_plan"]?.members?.map(\.key) == ["free", "max", "pro"])
        #expect(sample.calls.count { sample.cost($0) == nil } == 6)
        #expect(sample.calls.count { $0.says("model") == "claude-sonnet-5-preview" } == 6)
    }

    @Test("From W44 on Sonnet answers twice as large a share, and November costs 54 percent more")
    func sonnet() throws {
        func share(_ weeks: ClosedRange<String>) -> Double {
            let calls = sample.calls.filter { call in
                Day(call.says("createdAt").prefix(10)).map { weeks.contains(Week(of: $0).description) } ?? false
            }
            return Double(calls.count { $0.says("model").contains("sonnet-4") }) / Double(calls.count)
        }
        #expect((1.8...2.2).contains(share("2026-W44"..."2026-W44") / share("2026-W40"..."2026-W43")))
        #expect((1.8...2.2).contains(share("2026-W44"..."2026-W46") / share("2026-W40"..."2026-W43")))
        let october = sample.cost(sample.calls.filter { $0.says("createdAt").hasPrefix("2026-10") })
        let november = sample.cost(sample.calls.filter { $0.says("createdAt").hasPrefix("2026-11") })
        // Fifteen of thirty days.
        let growth = try #require((november + november - october).ratio(to: october, places: 4))
        #expect(growth.description == sample.story("sonnet_share")["growth"]?.string)
        #expect((5350..<5450).contains(growth.mantissa))
    }

    @Test("One free user costs more than a Pro pays, and no other does")
    func heavyUser() throws {
        let october = sample.calls.filter { $0.says("createdAt").hasPrefix("2026-10") }
        let price = try #require(Money("18.99"))
        let users = Dictionary(grouping: october) { $0.says("userId") }.mapValues { sample.cost($0) }.filter { $0.value > price }
        let story = sample.story("heavy_free_user")
        #expect(users.mapValues(\.description) == [story.says("user"): story.says("cost")])
        for day in VoyagerSample.dumps { #expect(sample.plan(of: story.says("user"), at: day) == "free") }
    }

    @Test("Who pays, what partners get and what is left, by community and month")
    func economics() throws {
        for month in ["2026-10", "2026-11"] {
            var sums: [String: (gross: Money, kept: Money, fee: Money)] = [:]
            for event in sample.payments where ["invoice.paid", "charge.refunded"].contains(event.says("type")) {
                let at = Instant(microseconds: Int64(event.figure("created")) * 1_000_000).description
                guard at.hasPrefix(month), event["livemode"]?.bool == true else { continue }
                let community = sample.membership(of: event["customer"]?.string, at: at)
                let share = community.isEmpty ? "1" : try #require(keptShare(of: community, at: at))
                let cents = Int128(event.figure("amount"))
                let kept = try #require(ExactDecimal(share).flatMap { Money.product(of: cents, at: $0, per: 100) })
                var sum = sums[community] ?? (.zero, .zero, .zero)
                sum.gross += Money(units: cents * 10_000_000_000)
                sum.kept += kept
                sum.fee += Money(units: Int128(event.figure("fee")) * 10_000_000_000)
                sums[community] = sum
            }
            let told = try #require(sample.story("communities")["by_month"]?[month]?.members)
            #expect(told.count == 5)
            for member in told {
                let sum = sums[member.key] ?? (.zero, .zero, .zero)
                let spent = sample.cost(
                    sample.calls.filter { $0.says("createdAt").hasPrefix(month) && sample.community(of: $0) == member.key })
                #expect(member.value.says("gross") == sum.gross.description, "\(month) \(member.key)")
                #expect(member.value.says("partner_share") == (sum.gross - sum.kept).description, "\(month) \(member.key)")
                #expect(member.value.says("margin") == (sum.kept - sum.fee - spent).description, "\(month) \(member.key)")
            }
        }
        let shares = sample.records(of: "community").filter { $0.says("revenueShare") == "0.60" }
        #expect(Set(shares.map { $0.says("id") }) == [sample.story("share_change").says("community")])
        #expect(shares.allSatisfy { $0.says("validFrom") == "2026-11-01T00:00:00.000Z" })
        #expect(Money(sample.story("share_change").says("gross_after")).map { $0 > .zero } == true)
    }

    /// As the newest row for the community says that was valid at a moment.
    private func keptShare(of community: String, at moment: String) -> String? {
        sample.records(of: "community").filter { $0.says("id") == community && $0.says("validFrom") <= moment }
            .max { $0.says("validFrom") < $1.says("validFrom") }?.says("revenueShare")
    }

    @Test("Weeks are alike")
    func weeks() {
        for day in VoyagerSample.dumps.dropFirst() {
            let rows = ["message", "conversation", "user", "membership", "meters", "archive_access", "stripe_events"]
                .reduce(0) { $0 + sample.dump($1, day).count }
            #expect((1000...3000).contains(rows), "\(day): \(rows)")
        }
    }
}
