import Common
import TestSupport
import Testing

@testable import Economics

/// What one call costs (promises 3 and 4).
@Suite struct CostTests {
    private static let all = #"input: "1", cache_read: "0.1", cache_write_5m: "1.25", cache_write_1h: "2", output: "5""#

    private static let calls: [Case<Row, String>] = [
        Case(
            "every meter",
            [
                "input_tokens": "1000", "cache_read_tokens": "1000", "cache_write_5m_tokens": "1000",
                "cache_write_1h_tokens": "1000", "output_tokens": "1000",
            ], "0.00935"),
        Case("one token", ["input_tokens": "1"], "0.000001"),
        Case("a row without tokens is priced, at nothing", ["input_tokens": "0", "output_tokens": "0"], "0"),
        Case(
            "a row of an unknown model without tokens too", ["model": "template", "provider": "template", "input_tokens": "0"],
            "0"),
        Case("tokens that were not exported are unknown", [:], "at least 0, 1 unpriced of 0 tokens"),
        Case(
            "what is known counts beside what is not", ["model": "x", "output_tokens": "7"], "at least 0, 1 unpriced of 7 tokens"),
        Case("reasoning is part of the output", ["output_tokens": "1000", "reasoning_tokens": "900"], "0.005"),
        Case("reasoning alone leaves the output unknown", ["reasoning_tokens": "900"], "at least 0, 1 unpriced of 0 tokens"),
    ]

    @Test("Each meter of a call is priced at its own rate, and what has no rate is told", arguments: calls)
    func meters(_ row: Case<Row, String>) throws {
        #expect(try cost(of: [call(row.input)], try priceBook([Price(CostTests.all)])) == row.expected)
    }

    @Test("Reasoning with a rate of its own leaves the output's")
    func reasoning() throws {
        let book = try priceBook([Price(#"output: "5", reasoning: "2""#)])
        #expect(try cost(of: [call(["output_tokens": "1000000", "reasoning_tokens": "900000"])], book) == "2.3")
        #expect(try cost(of: [call(["output_tokens": "1000000"])], book) == "5")
        // A log that counts them apart would have more reasoning than output: nothing is charged below zero.
        #expect(try cost(of: [call(["output_tokens": "100000", "reasoning_tokens": "900000"])], book) == "1.8")
    }

    @Test("A meter without a rate leaves the others priced, and counts its own tokens as unpriced")
    func partly() throws {
        let book = try priceBook([Price(#"input: "1""#)])
        let calls = [
            call(["input_tokens": "1000000", "output_tokens": "300"]), call(["input_tokens": "1000000", "output_tokens": "0"]),
        ]
        #expect(try cost(of: calls, book) == "at least 2, 1 unpriced of 300 tokens")
    }

    /// K-16: a price that is a range gives a range, never its middle.
    @Test("A price that is a range gives a range")
    func ranges() throws {
        let book = try priceBook([Price(#"input: ["0.05", "0.50"], output: "1""#)])
        #expect(try cost(of: [call(["input_tokens": "1000000", "output_tokens": "1000000"])], book) == "1.05 to 1.5")
        #expect(try cost(of: [call(["output_tokens": "1000000"])], book) == "1")
    }

    /// X-02: units convert exactly. X-03: from the smallest rate to the largest sums, and beyond them a sentence.
    @Test(
        "Rates by the million, the thousand and the token are exact",
        arguments: [
            Case("1M tokens", (#"per: "1M tokens","#, #"input: "0.3""#), "0.0000003"),
            Case("1K tokens", (#"per: "1K tokens","#, #"input: "0.0003""#), "0.0000003"),
            Case("a token", (#"per: "token","#, #"input: "0.0000003""#), "0.0000003"),
            Case("by the million, as a rule", ("", #"input: "0.3""#), "0.0000003"),
            Case("the smallest of all", ("", #"input: "0.01""#), "0.00000001"),
            Case("half of what can be kept, to even", ("", #"input: "0.0000005""#), "0"),
            Case("one and a half of it, to even", ("", #"input: "0.0000015""#), "0.000000000002"),
        ])
    func units(_ row: Case<(String, String), String>) throws {
        #expect(
            try cost(of: [call(["input_tokens": "1"])], try priceBook([Price(row.input.1, more: row.input.0)])) == row.expected)
    }

    @Test("Tens of millions are kept beside the smallest rate")
    func large() throws {
        let book = try priceBook([Price(#"input: "0.01", output: "90000""#)])
        #expect(try cost(of: [call(["input_tokens": "1", "output_tokens": "1000000000"])], book) == "90000000.00000001")
    }

    @Test("A cost, or a count, that is too large to hold ends with a sentence, not with a crash")
    func tooLarge() throws {
        let book = try priceBook([Price(#"input: "99999999999999999999""#, more: #"per: "token","#)])
        let found = sentence { _ = try cost(of: [call(["input_tokens": "9223372036854775807"])], book) } ?? ""
        #expect(found.contains(": A cost is too large for this price: 9223372036854775807 tokens at 99999999999999999999."))
        let most = "9223372036854775807"
        for calls in [
            [call(["input_tokens": most, "cache_read_tokens": most])], [call(["input_tokens": most, "output_tokens": most])],
            [call(["output_tokens": most]), call(["output_tokens": most])],
            [call(["input_tokens": most, "output_tokens": most]), call([:])],
            [call(["output_tokens": most]), call(["output_tokens": "1"]), call([:])],
        ] {
            let told = sentence { _ = try cost(of: calls, try priceBook([Price]())) } ?? "nothing"
            #expect(
                told == "A count of tokens is too large to add up. Look for a damaged row on 2026-11-09 in the usage log."
                    || told == "at least 0, 1 unpriced of 9223372036854775807 tokens", "\(calls)")
        }
    }

    /// X-01: the same model name in two books.
    @Test("A price is looked up in the job's own book, whatever another one says")
    func ownBook() throws {
        try withLake { lake in
            for job in ["kalei", "neni"] { try lake.store([call(["input_tokens": "1000000"])], job: job) }
            let books = [
                "kalei": try priceBook([Price(#"input: "0.25""#)]), "neni": try priceBook([Price(#"input: "0.80""#)]),
                "voyager": try priceBook([Price(#"output: "1""#)]),
            ]
            let query = CostQuery(period: try wholeYear(), every: .all, by: [])
            func total(_ job: String, _ book: String) throws -> String {
                try rollUpCosts(query, costModel(try #require(books[book]), job: job), lake).total.cost.inWords
            }
            let own = try total("kalei", "kalei")
            #expect(own == "0.25")
            #expect(try total("neni", "neni") == "0.8")
            #expect(try total("kalei", "voyager") == "at least 0, 1 unpriced of 1000000 tokens")
        }
    }

    @Test("The coverage is the share of requests whose cost is known; without requests there is none")
    func coverage() {
        var measures = Measures()
        #expect(measures.coverage == nil)
        measures.requests = 3
        #expect(measures.coverage == ExactDecimal("1"))
        measures.cost.unpricedRequests = 1
        #expect(measures.coverage == ExactDecimal("0.6667"))
    }
}
