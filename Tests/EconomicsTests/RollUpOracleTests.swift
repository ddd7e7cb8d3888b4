import Common
import Lake
import Testing

@testable import Economics

/// The same figures, worked out row by row in the plainest way.
@Suite struct RollUpOracleTests {
    private static let prices = [
        Price(#"input: "1", cache_read: "0.1", output: "5""#), Price(#"cache_write_5m: "1.25""#),
        Price(#"input: "2", cache_read: "0.2", output: "10""#, more: "above_input_tokens: 50000,"),
        Price(#"input: "0.123456789012345", output: ["0.5", "0.7"]"#, model: #""odd""#),
        Price(#"input: "3", output: "6", reasoning: "9""#, model: #""thinking""#),
        Price(#"input: "0.5", cache_read: "0.05", output: "2.5""#, more: #"tier: "batch","#),
        Price(#"input: "4", output: "4""#, model: #""new""#, validFrom: "2026-11-10"),
    ]

    private struct Dice {
        var state: UInt64

        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
    }

    /// Rows of three days; with `nulls`, every count is missing now and then, and sometimes all of them.
    private func rows(seed: UInt64, nulls: Bool) -> [Row] {
        var dice = Dice(state: seed)
        return (0..<1500).map { _ in
            var row = call([
                "ts": "2026-11-\(padded(9 + dice.below(3), 2))T\(padded(dice.below(24), 2)):\(padded(dice.below(60), 2)):00Z",
                "model": ["m", "m", "odd", "thinking", "new", "unknown"][dice.below(6)], "feature": "f\(dice.below(4))",
            ])
            if dice.below(4) == 0 { row["service_tier"] = "batch" }
            let isSilent = nulls && dice.below(20) == 0
            for (column, limit) in [
                ("input_tokens", 60_000), ("cache_read_tokens", 30_000), ("cache_write_5m_tokens", 500),
                ("cache_write_1h_tokens", 2),
                ("output_tokens", 4_000), ("reasoning_tokens", 4_000),
            ] where !isSilent && !(nulls && dice.below(5) == 0) {
                row[column] = String(dice.below(limit))
            }
            return row
        }
    }

    /// What one row costs, by the rules as they are written.
    private func worked(_ row: Row, _ book: PriceBook) throws -> Cost {
        func count(_ meter: Meter) throws -> Int64? { try row[meter.column].map { try #require(Int64($0)) } }
        let day = try #require(Day(String(row["ts", default: ""].prefix(10))))
        let known = book.rows.filter {
            $0.subject == .model(row["model"] ?? "") && $0.tier == row["service_tier"] ?? "standard" && $0.validFrom <= day
        }
        let input = try [Meter.input, .cacheRead, .cacheWrite5m, .cacheWrite1h].reduce(0) { try $0 + (count($1) ?? 0) }
        let threshold: Int64 = input > 50_000 && known.contains { $0.aboveInputTokens == 50_000 } ? 50_000 : -1
        func rate(_ meter: Meter) -> PriceRow? {
            known.first { $0.counted == .tokens(meter) && $0.aboveInputTokens == threshold }
        }
        var counts: [Meter: Int64] = [:]
        for meter in Meter.allCases where meter != .reasoning { counts[meter] = try count(meter) }
        if let thinking = try count(.reasoning), rate(.reasoning) != nil {
            counts[.output] = max(0, (counts[.output] ?? 0) - thinking)
            counts[.reasoning] = thinking
        }
        var cost = Cost()
        for (meter, tokens) in counts where tokens > 0 {
            if let rate = rate(meter) {
                cost.low += try #require(Money.product(of: Int128(tokens), at: rate.low, per: 1_000_000))
                cost.high += try #require(Money.product(of: Int128(tokens), at: rate.high, per: 1_000_000))
            } else {
                cost.unpricedTokens += tokens
            }
        }
        cost.unpricedRequests = cost.unpricedTokens > 0 || counts.isEmpty ? 1 : 0
        return cost
    }

    @Test("Every day and feature costs what its rows cost one by one", arguments: [(1, false), (2, true), (3, true), (4, false)])
    func rowByRow(_ seed: UInt64, _ nulls: Bool) throws {
        let rows = rows(seed: seed, nulls: nulls)
        let book = try priceBook(RollUpOracleTests.prices)
        var expected: [String: Cost] = [:]
        for row in rows {
            expected["\(row["ts", default: ""].prefix(10)) \(row["feature"] ?? "")", default: Cost()] += try worked(row, book)
        }
        try withLake { lake in
            try lake.store(rows)
            let query = CostQuery(period: try period("2026-11-09", "2026-11-11"), every: .day, by: ["feature"])
            let found = try rollUpCosts(query, costModel(book), lake)
            #expect(found.count == 12)
            for row in found {
                let key = "\(row.period) \(row.keys[0] ?? "")"
                #expect(row.measures.cost == expected[key], "\(key)")
            }
            // The same under a zone whose days are cut elsewhere: the whole stays.
            let berlin = costModel(book, zone: try Zone(named: "Europe/Berlin"))
            let whole = try rollUpCosts(CostQuery(period: try wholeYear(), every: .week, by: ["model"]), berlin, lake)
            #expect(whole.total.cost == expected.values.reduce(into: Cost()) { $0 += $1 })
            #expect(whole.total.requests == rows.count)
        }
    }
}
