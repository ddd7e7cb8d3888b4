import Common
import TestSupport
import Testing

@testable import Economics

/// Which rate a call gets. A million input tokens cost the rate itself.
@Suite struct PriceLookupTests {
    private static let million = ["input_tokens": "1000000"]

    private func input(_ values: Row, _ prices: [Price], knownAsOf: String? = nil) throws -> String {
        let day = try knownAsOf.map { try #require(Day($0)) }
        return try cost(of: [call(PriceLookupTests.million.merging(values) { $1 })], try priceBook(prices), knownAsOf: day)
    }

    private static let unpriced = "at least 0, 1 unpriced of 1000000 tokens"
    private static let haikus = [
        Price(#"input: "1""#, model: #"["claude-haiku-4-5", "claude-haiku-4.5"]"#),
        Price(#"input: "2""#, model: #""claude-haiku-4-5-fast""#), Price(#"input: "3""#, model: #""claude-*""#),
        Price(#"input: "4""#, model: #""claude-haiku-*""#), Price(#"input: "5""#, model: #""gpt-5*""#),
        Price(#"input: "6""#, model: #""gpt-5""#),
    ]

    @Test(
        "A model's own name is meant before a pattern, and the longest pattern before a shorter one",
        arguments: [
            Case("its name", "claude-haiku-4-5", "1"), Case("an alias", "claude-haiku-4.5", "1"),
            Case("with its day", "claude-haiku-4-5-20251001", "1"),
            Case("with its day, as another vendor writes it", "claude-haiku-4-5@20251001", "1"),
            Case("a longer name", "claude-haiku-4-5-fast", "2"),
            Case("the longest pattern", "claude-haiku-9", "4"),
            Case("a day of nine digits is none", "claude-haiku-4-5-202510011", "4"),
            Case("a day of letters is none", "claude-haiku-4-5-2025100x", "4"),
            Case("a shorter pattern", "claude-opus-5", "3"), Case("its name before a pattern of the same letters", "gpt-5", "6"),
            Case("its name with a day before that pattern", "gpt-5-20260101", "6"),
            Case("the pattern for the rest", "gpt-5-mini", "5"), Case("a name in capitals", "Claude-Haiku-4-5", unpriced),
            Case("the beginning of a name", "claude", unpriced), Case("an unknown name", "o9", unpriced),
        ])
    func models(_ row: Case<String, String>) throws {
        #expect(try input(["model": row.input], PriceLookupTests.haikus) == row.expected)
        #expect(try input(["model": row.input], PriceLookupTests.haikus.reversed()) == row.expected)
    }

    @Test("An unknown provider, tier or model, or none, is unpriced and never zero")
    func unknown() throws {
        let prices = [Price(#"input: "1""#), Price(#"input: "2""#, provider: "q", model: #""other""#)]
        for values in [["provider": "x"], ["service_tier": "priority"], ["model": "x"], ["provider": "q"]] {
            let found = try input(values, prices)
            #expect(found == PriceLookupTests.unpriced, "\(values)")
        }
        #expect(
            try cost(of: [["ts": "2026-11-09T10:00:00Z", "provider": "p", "input_tokens": "1000000"]], try priceBook(prices))
                == PriceLookupTests.unpriced)
        #expect(try cost(of: [call(PriceLookupTests.million)], try priceBook([Price]())) == PriceLookupTests.unpriced)
    }

    @Test("A call without a provider is priced where only one provider has its model")
    func noProvider() throws {
        let call = ["ts": "2026-11-09T10:00:00Z", "model": "m", "input_tokens": "1000000"]
        #expect(try cost(of: [call], try priceBook([Price(#"input: "1""#)])) == "1")
        #expect(
            try cost(of: [call], try priceBook([Price(#"input: "1""#), Price(#"input: "1""#, provider: "q")]))
                == PriceLookupTests.unpriced)
    }

    @Test("A service tier has rates of its own, and standard is meant where none is named")
    func tiers() throws {
        let prices = [Price(#"input: "1""#), Price(#"input: "0.5""#, more: #"tier: "batch","#)]
        #expect(try input([:], prices) == "1")
        #expect(try input(["service_tier": "standard"], prices) == "1")
        #expect(try input(["service_tier": "batch"], prices) == "0.5")
    }

    @Test("A rate counts from its first to its last day, by UTC")
    func validity() throws {
        let prices = [
            Price(#"input: "1""#, validFrom: "2026-03-01", validTo: "2026-03-31"),
            Price(#"input: "2""#, validFrom: "2026-04-01", validTo: "2026-04-30"),
        ]
        for (time, expected) in [
            ("2026-02-28T23:59:59.999999Z", PriceLookupTests.unpriced), ("2026-03-01T00:00:00Z", "1"),
            ("2026-03-31T23:59:59.999999Z", "1"), ("2026-04-01T00:00:00Z", "2"),
            ("2026-05-01T00:00:00Z", PriceLookupTests.unpriced),
        ] {
            let found = try input(["ts": time], prices)
            #expect(found == expected, "\(time)")
        }
    }

    @Test("What was learned later counts, unless the question is what was known on a day before")
    func known() throws {
        let prices = [Price(#"input: "1""#), Price(#"input: "2""#, validFrom: "2026-06-01", knownFrom: "2026-09-15")]
        #expect(try input([:], prices) == "2")
        #expect(try input([:], prices, knownAsOf: "2026-09-15") == "2")
        #expect(try input([:], prices, knownAsOf: "2026-09-14") == "1")
        #expect(try input([:], prices, knownAsOf: "2025-12-31") == PriceLookupTests.unpriced)
        #expect(try input(["ts": "2026-05-31T12:00:00Z"], prices) == "1")
    }

    private static let thresholds = [
        Price(#"input: "1", cache_read: "0.1", output: "10""#),
        Price(#"input: "2", cache_read: "0.2", output: "20""#, more: "above_input_tokens: 200000,"),
    ]

    @Test(
        "A context threshold compares the whole input, cache included, and then takes every meter or none",
        arguments: [
            Case("below", ["input_tokens": "100000", "output_tokens": "100000"], "1.1"),
            Case("equal does not exceed", ["input_tokens": "200000", "output_tokens": "100000"], "1.2"),
            Case("above", ["input_tokens": "200001", "output_tokens": "100000"], "2.400002"),
            Case(
                "above by what came from the cache",
                ["input_tokens": "1", "cache_read_tokens": "200000", "output_tokens": "100000"], "2.040002"),
            Case("equal with the cache", ["input_tokens": "100000", "cache_read_tokens": "100000"], "0.11"),
            Case("output does not count", ["input_tokens": "1", "output_tokens": "900000"], "9.000001"),
            Case(
                "above, where the higher row lacks a meter", ["input_tokens": "200001", "cache_write_5m_tokens": "5"],
                "at least 0.400002, 1 unpriced of 5 tokens"),
        ])
    func threshold(_ row: Case<Row, String>) throws {
        #expect(try cost(of: [call(row.input)], try priceBook(PriceLookupTests.thresholds)) == row.expected)
    }

    @Test("A threshold that the vendor drew later, or no longer draws, does not touch the calls of other days")
    func datedThreshold() throws {
        let long = ["input_tokens": "1000000"]
        let later = Price(#"input: "2""#, more: "above_input_tokens: 200000,", validFrom: "2026-12-01")
        let ended = Price(#"input: "2""#, more: "above_input_tokens: 200000,", validTo: "2026-06-30")
        #expect(try input(long, [Price(#"input: "1""#), later]) == "1")
        #expect(try input(long, [Price(#"input: "1""#), ended]) == "1")
        #expect(try input(long.merging(["ts": "2026-12-01T00:00:00Z"]) { $1 }, [Price(#"input: "1""#), later]) == "2")
    }

    @Test("Two thresholds: the highest that is exceeded counts")
    func twoThresholds() throws {
        let prices = [
            Price(#"input: "1""#), Price(#"input: "2""#, more: "above_input_tokens: 100000,"),
            Price(#"input: "3""#, more: "above_input_tokens: 500000,"),
        ]
        #expect(try input(["input_tokens": "100000"], prices) == "0.1")
        #expect(try input(["input_tokens": "500000"], prices) == "1")
        #expect(try input(["input_tokens": "1000000"], prices) == "3")
    }
}
