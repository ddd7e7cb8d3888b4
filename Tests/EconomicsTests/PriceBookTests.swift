import Common
import TestSupport
import Testing

@testable import Economics

@Suite struct PriceBookTests {
    @Test("Every rate of an entry becomes a row, with what the entry says about it")
    func rows() throws {
        let book = try priceBook([
            Price(
                #"input: "0.30", cache_read: ["0.01", "0.03"], output: "1""#, model: #"["m", "m-alias"]"#,
                more: #"tier: "batch", above_input_tokens: 200000, per: "1K tokens","#, validFrom: "2026-02-01",
                validTo: "2026-10-31", knownFrom: "2026-01-15")
        ])
        #expect(
            book.rows.map { row in
                "\(row.provider) \(row.subject) \(row.tier) \(row.counted) \(row.low)-\(row.high)/\(row.per) >\(row.aboveInputTokens) "
                    + "\(row.validFrom)…\(row.validTo?.description ?? "") \(row.knownFrom) \(row.source)"
            } == [
                "p m batch input 0.3-0.3/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
                "p m-alias batch input 0.3-0.3/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
                "p m batch cache_read 0.01-0.03/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
                "p m-alias batch cache_read 0.01-0.03/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
                "p m batch output 1-1/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
                "p m-alias batch output 1-1/1K tokens >200000 2026-02-01…2026-10-31 2026-01-15 a test",
            ])
    }

    private static let refusals: [Case<Price, String>] = [
        Case(
            "an unknown meter", Price(#"inputs: "1""#),
            #"2:39: unknown meter "inputs". Did you mean "input"? Meters are input, cache_read, cache_write_5m, cache_write_1h, output and reasoning."#
        ),
        Case("a negative rate", Price(#"input: "-1""#), "2:46: A rate is not negative, and the low end of a range comes first."),
        Case(
            "a range the wrong way round", Price(#"input: ["2", "1"]"#),
            "2:46: A rate is not negative, and the low end of a range comes first."),
        Case("a range of three", Price(#"input: ["1", "2", "3"]"#), "2:46: A range has two ends: [low, high]."),
        Case(
            "a rate that is no number", Price(#"input: "cheap""#),
            #"2:46: the rate of input must be a decimal such as 9.99, not "cheap". Use a point and at most 38 digits."#),
        Case(
            "an unknown unit", Price(#"input: "1""#, more: #"per: "minut","#),
            #"2:58: unknown unit "minut". Did you mean "minute"? It is a unit, or a count and a unit, such as "15 seconds" or "1M tokens". Units are "#
                + "\(listed(PriceUnit.allCases.map(\.rawValue)))."),
        Case(
            "token rates per minute", Price(#"input: "1""#, more: #"per: "minute","#),
            #"2:58: Rates by meter are for tokens, not for minute. Write per: "1M tokens", or give one rate."#),
        Case(
            "both rates and a rate", Price(#"input: "1""#, more: #"rate: "1","#),
            "2:1: A price has rates for tokens, or one rate, or bands. Give exactly one of them."),
        Case(
            "a model and a metric", Price(#"input: "1""#, more: #"metric: "x","#),
            "2:1: A price is that of a model, a metric or a service. Give exactly one of them."),
        Case(
            "an end before the beginning", Price(#"input: "1""#, validTo: "2025-12-31"),
            "2:90: The price ends on 2025-12-31, before it begins on 2026-01-01."),
        Case(
            "a threshold below zero", Price(#"input: "1""#, more: "above_input_tokens: -1,"),
            #"2:73: "above_input_tokens" in price must be a whole number of at least 0, not -1."#),
        Case(
            "an unknown key", Price(#"input: "1""#, more: #"teir: "batch","#),
            #"2:53: unknown key "teir" in price. Did you mean "tier"? Its keys are \#(listed(PriceBook.entrySchema.keys.map(\.name)))."#
        ),
        Case(
            "no model at all", Price(#"input: "1""#, model: "[]"),
            #"2:25: "model" in price is an empty list. Name at least one, or leave the key out."#),
    ]

    @Test("A book that cannot be obeyed is refused with its place", arguments: refusals)
    func refused(_ row: Case<Price, String>) {
        #expect(sentence { _ = try priceBook([row.input]) } == "book:" + row.expected)
        #expect { _ = try priceBook([row.input]) } throws: { ($0 as? Failure)?.kind == .usage }
    }

    @Test("What a price cannot be without is named")
    func missing() {
        #expect(
            sentence {
                _ = try priceBook(
                    #"{ currency: "USD", prices: [{ provider: "p", model: "m", rates: { input: 1 }, valid_from: "2026-01-01", known_from: "2026-01-01" }] }"#
                )
            }
                == #"book:1:29: "source" (text) is missing in price. Add it."#)
        #expect(
            sentence { _ = try priceBook(#"{ prices: [] }"#) }
                == #"book:1:1: "currency" (currency code) is missing in price book. Add it."#)
        #expect(
            sentence { _ = try PriceBook(files: ["/none"]) }
                == "/none: could not open the price book. It does not exist.")
    }

    private static let pairs: [Case<[Price], String?>] = [
        Case(
            "the same time", [Price(#"input: "1""#), Price(#"input: "2""#)],
            "3:39: This price of input for m overlaps the one at book:2:39. End the earlier one with valid_to, or give the later one its own known_from."
        ),
        Case(
            "one day", [Price(#"input: "1""#, validTo: "2026-03-31"), Price(#"input: "2""#, validFrom: "2026-03-31")],
            "3:39: This price of input for m overlaps the one at book:2:39. End the earlier one with valid_to, or give the later one its own known_from."
        ),
        Case(
            "a shared alias", [Price(#"input: "1""#, model: #"["a", "m"]"#), Price(#"input: "2""#)],
            "3:39: This price of input for m overlaps the one at book:2:46. End the earlier one with valid_to, or give the later one its own known_from."
        ),
        Case(
            "one after the other",
            [Price(#"input: "1""#, validTo: "2026-03-31"), Price(#"input: "2""#, validFrom: "2026-04-01")], nil),
        Case("learned later", [Price(#"input: "1""#), Price(#"input: "2""#, knownFrom: "2026-05-01")], nil),
        Case("another meter", [Price(#"input: "1""#), Price(#"output: "2""#)], nil),
        Case("another model", [Price(#"input: "1""#), Price(#"input: "2""#, model: #""n""#)], nil),
        Case("another provider", [Price(#"input: "1""#), Price(#"input: "2""#, provider: "q")], nil),
        Case("another tier", [Price(#"input: "1""#), Price(#"input: "2""#, more: #"tier: "batch","#)], nil),
        Case("another threshold", [Price(#"input: "1""#), Price(#"input: "2""#, more: "above_input_tokens: 200000,")], nil),
    ]

    @Test("Two rates for one question are refused, unless time, tier, threshold or knowledge tells them apart", arguments: pairs)
    func overlaps(_ row: Case<[Price], String?>) {
        let found = sentence { _ = try priceBook(row.input) }?.replacing(#/\/[^ ]*\//#, with: "")
        #expect(found == row.expected.map { "book:" + $0 })
    }

    @Test("A book's digest changes with whatever can change a cost, and with nothing else")
    func digest() throws {
        let base = try priceBook([Price(#"input: "1""#)]).digest
        let moved = try priceBook(
            "// a note\n{ currency: \"USD\", prices: [ \(Price(#"input: "1.00""#).text.replacing("a test", with: "another place")) ] }"
        ).digest
        #expect(moved == base)
        for other in [
            Price(#"input: "2""#), Price(#"output: "1""#), Price(#"input: ["1", "2"]"#),
            Price(#"input: "1""#, model: #"["m", "n"]"#), Price(#"input: "1""#, provider: "q"),
            Price(#"input: "1""#, more: #"tier: "batch","#), Price(#"input: "1""#, more: "above_input_tokens: 0,"),
            Price(#"input: "1""#, more: #"per: "token","#),
            Price(#"input: "1""#, validFrom: "2026-01-02"), Price(#"input: "1""#, validTo: "2026-12-31"),
            Price(#"input: "1""#, knownFrom: "2026-01-02"),
        ] {
            #expect(try priceBook([other]).digest != base, "\(other.text)")
        }
    }
}
