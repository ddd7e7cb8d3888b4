import Common
import Ledger
import TestSupport
import Testing

@testable import Economics

/// What applying a book does to prices that are known already.
@Suite struct PriceRevisionTests {
    private static let now = Instant("2026-11-17T12:00:00Z")
    private static let today = Day("2026-11-17")

    struct Learning: Sendable {
        let known: [Price]
        let said: [Price]
    }

    private static let learnings: [Case<Learning, [String]>] = [
        Case("the same again", Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "1""#)]), []),
        Case(
            "the same in another unit, learned another day",
            Learning(
                known: [Price(#"input: "1.00""#)],
                said: [Price(#"input: "0.001""#, more: #"per: "1K tokens","#, knownFrom: "2026-05-05")]),
            []),
        Case("another rate", Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "2""#)]), ["m input 2 2026-01-01…"]),
        Case(
            "a rate from a later day on",
            Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "2""#, validFrom: "2026-11-04")]),
            ["m input 2 2026-11-04…"]),
        Case(
            "the same rate said of fewer days",
            Learning(
                known: [Price(#"input: "1""#)], said: [Price(#"input: "1""#, validFrom: "2026-11-04", validTo: "2026-11-05")]), []
        ),
        Case(
            "a meter that had no price", Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "1", output: "5""#)]),
            ["m output 5 2026-01-01…"]),
        Case(
            "a correction between two others, which still counts after it",
            Learning(
                known: [Price(#"input: "1""#, validTo: "2026-09-30"), Price(#"input: "3""#, validFrom: "2026-10-01")],
                said: [Price(#"input: "2""#, validTo: "2026-09-30"), Price(#"input: "3""#, validFrom: "2026-10-01")]),
            ["m input 2 2026-01-01…2026-09-30", "m input 3 2026-10-01…"]),
        Case(
            "a book with a history of its own knowledge",
            Learning(
                known: [Price(#"input: "1""#)],
                said: [Price(#"input: "1""#), Price(#"input: "2""#, validFrom: "2026-06-01", knownFrom: "2026-06-01")]),
            ["m input 1 2026-01-01…2026-05-31", "m input 2 2026-06-01…"]),
        Case(
            "a dated name that a shorter one answers for already",
            Learning(
                known: [Price(#"input: "1", output: "5""#)], said: [Price(#"input: "1", output: "6""#, model: #""m-20260101""#)]),
            ["m-20260101 output 6 2026-01-01…"]),
        Case(
            "another provider's model of the same name",
            Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "1""#, provider: "q")]), ["m input 1 2026-01-01…"]),
        Case(
            "a threshold",
            Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "1""#, more: "above_input_tokens: 10,")]),
            ["m input 1 2026-01-01…"]),
        Case(
            "a price that is no longer mocked",
            Learning(
                known: [Price(#"input: "1""#, more: "mocked: true,")], said: [Price(#"input: "1""#)]), ["m input 1 2026-01-01…"]),
    ]

    @Test("What changes no cost is not new", arguments: learnings)
    func learns(_ row: Case<Learning, [String]>) throws {
        let (known, said) = (try priceBook(row.input.known), try priceBook(row.input.said))
        let learned = try known.learning(said, on: try #require(Self.today))
        #expect(
            learned.rows.map { "\($0.subject) \($0.counted) \($0.low) \($0.validFrom)…\($0.validTo?.description ?? "")" }
                == row.expected)
        #expect(learned.rows.allSatisfy { $0.knownFrom == Self.today && $0.revision == 1 })
        #expect(learned.unchanged + Set(learned.rows.map(\.counted)).count >= 1)
        // What was learned is in effect, so it is not learned again.
        #expect(try learned.book.learning(said, on: try #require(Self.today)).rows.isEmpty)
    }

    @Test("A price without an end also stands in for a later one that was known before, and that is said")
    func displaced() throws {
        let known = try priceBook([Price(#"input: "1""#, validTo: "2026-09-30"), Price(#"input: "3""#, validFrom: "2026-10-01")])
        let learned = try known.learning(try priceBook([Price(#"input: "2""#)]), on: try #require(Self.today))
        #expect(
            learned.displaced.map { "\($0.row.low) for \($0.later.low) of \($0.later.validFrom)" } == ["2 for 3 of 2026-10-01"])
        let call = call(["ts": "2026-10-05T00:00:00Z", "input_tokens": "1000000"])
        #expect(try cost(of: [call], known) == "3")
        #expect(try cost(of: [call], learned.book) == "2")
    }

    // MARK: - In the ledger

    /// A ledger of its own, with these migrations.
    private func withLedger<Result>(_ work: (Ledger) throws -> Result) throws -> Result {
        try withFolder { home in
            try work(try Ledger.openForRun(home: home, migrations: economicsMigrations, now: try #require(Self.now)))
        }
    }

    private static let everything = """
        { currency: "EUR", prices: [
          { provider: "p", model: "m", tier: "batch", above_input_tokens: 200000, rates: { cache_read: ["0.10", "0.25"] }, per: "1K tokens",
            approximate: true, labels: { b: "2", a: "1" }, valid_from: "2026-02-01", valid_to: "2026-12-31", known_from: "2026-02-01", source: "a <test>" },
          { provider: "p", metric: "CALLS", unit: "second", rate: "0.024", per: "15 seconds", increment: "15 seconds", mocked: true,
            valid_from: "2026-02-01", known_from: "2026-02-01", source: "s" },
          { provider: "p", service: "sign-in", bands: [{ up_to: "1000", rate: "0" }, { rate: "0.02" }], per: "user", valid_from: "2026-02-01",
            known_from: "2026-02-01", source: "s" } ] }
        """

    @Test("A revision comes back from the ledger as it was recorded, and its form is frozen")
    func stored() throws {
        try withLedger { ledger in
            let said = try priceBook(Self.everything)
            let learned = try PriceBook([]).learning(said, on: try #require(Self.today))
            let made = try ledger.record(
                learned.rows, job: "j", on: try #require(Self.today), note: "why", now: try #require(Self.now))
            let found = try #require(try ledger.priceRevisions(job: "j").first)
            #expect(found.number == 1 && found.note == "why" && found.knownFrom == Self.today)
            #expect(found.rows.map(\.definition) == made.rows.map(\.definition))
            #expect(found.rows.map(\.source) == ["a <test>", "s", "s"])
            #expect(found.rows.map(\.place) == said.rows.map(\.place))
            let first = try #require(found.rows.first)
            #expect(first.labels.map(\.name) == ["b", "a"] && first.isApproximate)
            #expect(try ledger.priceRevisions(job: "another").isEmpty)
            let text = try ledger.database.rows("SELECT rows FROM price_revisions").first?.text(0) ?? ""
            let folder = text.firstRange(of: "\"path\":\"").map { text[$0.upperBound...].prefix { $0 != "\"" } } ?? ""
            #expect(
                text.replacing(folder, with: "book")
                    == #"[{"above_input_tokens":200000,"approximate":true,"bands":[{"from":"0","high":"0.25","low":"0.1"}],"column":84,"currency":"EUR","labels":[["b","2"],["a","1"]],"line":2,"meter":"cache_read","model":"m","path":"book","per":{"count":"1000","unit":"token"},"provider":"p","source":"a \u003ctest>","tier":"batch","valid_from":"2026-02-01","valid_to":"2026-12-31"},"#
                    + #"{"bands":[{"from":"0","high":"0.024","low":"0.024"}],"column":59,"currency":"EUR","increment":{"count":"15","unit":"second"},"line":4,"metric":"CALLS","mocked":true,"path":"book","per":{"count":"15","unit":"second"},"provider":"p","source":"s","tier":"standard","unit":"second","valid_from":"2026-02-01"},"#
                    + #"{"bands":[{"from":"0","high":"0","low":"0"},{"from":"1000","high":"0.02","low":"0.02"}],"column":47,"currency":"EUR","line":6,"path":"book","per":{"count":"1","unit":"user"},"provider":"p","service":"sign-in","source":"s","tier":"standard","valid_from":"2026-02-01"}]"#
            )
        }
    }

    @Test("Figures of before a revision are still there, and each revision counts from its day on")
    func knownAsOf() throws {
        try withLedger { ledger in
            let file = try priceBook([Price(#"input: "1""#)])
            for (text, rate) in [("2026-11-10", "2"), ("2026-11-10", "3"), ("2026-11-17", "4")] {
                let day = try #require(Day(text))
                let book = try file.revised(job: "j", ledger)
                let learned = try book.learning(try priceBook([Price(#"input: "\#(rate)""#)]), on: day)
                _ = try ledger.record(learned.rows, job: "j", on: day, note: "", now: try #require(Self.now))
            }
            let book = try file.revised(job: "j", ledger)
            let calls = [call(["input_tokens": "1000000"])]
            #expect(try cost(of: calls, book) == "4")
            for (text, rate) in [("2026-11-09", "1"), ("2026-11-10", "3"), ("2026-11-16", "3"), ("2026-11-17", "4")] {
                let day = try #require(Day(text))
                #expect(try cost(of: calls, book, knownAsOf: day) == rate, "\(day)")
            }
            #expect(try file.revised(job: "another", ledger).digest == file.digest)
        }
    }

    @Test("A clock that went back, and a damaged revision, are refused with a sentence")
    func refused() throws {
        try withLedger { ledger in
            let rows = try priceBook([Price(#"input: "1""#)]).rows
            let (today, now) = (try #require(Self.today), try #require(Self.now))
            _ = try ledger.record(rows, job: "j", on: today, note: "", now: now)
            #expect(
                sentence { _ = try ledger.record(rows, job: "j", on: today - 1, note: "", now: now) }
                    == "Revision 1 of the prices of j is known from 2026-11-17, and the clock says 2026-11-16. Set the clock, or --now, to that day or later."
            )
            #expect(try ledger.priceRevisions(job: "j").count == 1)
            try ledger.database.execute("UPDATE price_revisions SET rows = replace(rows, 'input', 'output')")
            #expect(
                sentence { _ = try ledger.priceRevisions(job: "j") }?.hasSuffix(
                    "ledger.sqlite: The price revision 1 of j is damaged: its rows are not those of its digest. Restore the ledger from a backup."
                ) == true)
        }
    }

    // MARK: - Rates in another unit

    private static let rates: [Case<Learning, [String]>] = [
        Case(
            "what vendors do",
            Learning(
                known: [Price(#"input: "3", cache_read: "0.025", cache_write_5m: "3.75", output: "15""#)],
                said: [Price(#"input: "1", output: "60""#)]), []),
        Case("zero has no size", Learning(known: [Price(#"input: "3""#)], said: [Price(#"input: "0", output: "5""#)]), []),
        Case(
            "a thousand times what it was", Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "1000""#)]),
            ["The input rate of m, 1000 per 1M tokens, is 1,000 times the one that it follows, 1 per 1M tokens"]),
        Case(
            "per token written per million", Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "0.000001""#)]),
            ["The input rate of m, 0.000001 per 1M tokens, is 1,000,000 times less than the one that it follows, 1 per 1M tokens"]
        ),
        Case(
            "per 1K written per token",
            Learning(known: [Price(#"input: "1""#)], said: [Price(#"input: "0.001""#, more: #"per: "token","#)]),
            ["The input rate of m, 0.001 per token, is 1,000 times the one that it follows, 1 per 1M tokens"]),
        Case(
            "one meter of a new model", Learning(known: [], said: [Price(#"input: "1", cache_read: "100", output: "5""#)]),
            ["The cache_read rate of m, 100 per 1M tokens, is 100 times that of input, 1 per 1M tokens"]),
        Case(
            "the input of a new model, which is one finding",
            Learning(known: [], said: [Price(#"input: "1000", cache_read: "0.1", output: "5""#)]),
            ["The input rate of m, 1000 per 1M tokens, is 10,000 times that of cache_read, 0.1 per 1M tokens"]),
        Case(
            "a whole model in another unit, beside others of its provider",
            Learning(
                known: [Price(#"input: "1", output: "5""#), Price(#"input: "0.1""#, model: #""k""#)],
                said: [Price(#"input: "0.000003", output: "0.000015""#, model: #""n""#)]),
            [
                "The input rate of n, 0.000003 per 1M tokens, is 33,333 times less than that of k, the nearest one of p, 0.1 per 1M tokens",
                "The output rate of n, 0.000015 per 1M tokens, is 333,333 times less than that of m, the nearest one of p, 5 per 1M tokens",
            ]),
    ]

    @Test("A rate that is far off its neighbours is noticed, and what vendors do is not", arguments: rates)
    func unusual(_ row: Case<Learning, [String]>) throws {
        let (known, said) = (try priceBook(row.input.known), try priceBook(row.input.said))
        let found = unusualPrices(try known.learning(said, on: try #require(Self.today)).rows, in: known)
        #expect(found.map { String($0.sentence.prefix { $0 != "@" }.split(separator: " at ")[0]) } == row.expected)
    }

    @Test("A quantity is held against what it cost before, by the unit")
    func quantities() throws {
        func book(_ per: String) throws -> PriceBook {
            try priceBook(
                #"{ currency: "USD", prices: [{ provider: "p", model: "m", rate: "0.024", per: "\#(per)", valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" }] }"#
            )
        }
        let rows = try book("minute").learning(try book("millisecond"), on: try #require(Self.today)).rows
        #expect(unusualPrices(rows, in: try book("minute")).map(\.times) == [60_000])
        #expect(unusualPrices(try book("second").rows, in: try book("minute")).isEmpty)
    }
}
