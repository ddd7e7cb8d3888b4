import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// Reads the text of a rate file's entries; its path reads as `rates`.
func exchangeRates(_ entries: String, more: String = "") throws -> ExchangeRates {
    try withFolder { folder in
        try writeNew(Array("{ rates: [\n\(entries)\n], \(more) }".utf8), to: folder + "/rates")
        do {
            return try ExchangeRates(files: [folder + "/rates"])
        } catch let failure as Failure {
            throw Failure("\(failure)".replacing(folder + "/", with: ""), kind: failure.kind)
        }
    }
}

func day(_ text: String) throws -> Day { try #require(Day(text)) }

private func rate(_ base: String, _ quote: String, _ rate: String, _ days: String) -> String {
    #"{ base: "\#(base)", quote: "\#(quote)", rate: \#(rate), \#(days), source: "a test" }"#
}

@Suite struct ExchangeRateTests {
    private static let entries = [
        rate("EUR", "USD", #""1.0866""#, #"day: "2026-09-28""#), rate("EUR", "USD", #""1.09""#, #"day: "2026-10-01""#),
        rate("USD", "TRY", "33", #"valid_from: "2026-10-01", valid_to: "2026-10-31""#),
        rate("CHF", "USD", #"{ base: "3", quote: "4" }"#, #"valid_from: "2026-02-01""#),
    ].joined(separator: ",\n")

    struct Exchange: Sendable {
        let amount: String
        let origin: String
        let target: String
        let day: String

        init(_ amount: String, _ origin: String, _ target: String, _ day: String) {
            (self.amount, self.origin, self.target, self.day) = (amount, origin, target, day)
        }
    }

    @Test(
        "An amount takes the rate of its day, rounded once, and the figure names it",
        arguments: [
            Case("its own day", Exchange("10", "EUR", "USD", "2026-09-28"), "10.866 at 1 EUR = 1.0866 USD of 2026-09-28"),
            Case(
                "the other way round, rounded half to even", Exchange("1", "USD", "EUR", "2026-09-28"),
                "0.92030185901 at 1 EUR = 1.0866 USD of 2026-09-28"),
            Case(
                "two days later, carried", Exchange("10", "EUR", "USD", "2026-09-30"),
                "10.866 at 1 EUR = 1.0866 USD of 2026-09-28, carried"),
            Case(
                "the newer one wins", Exchange("10", "EUR", "USD", "2026-10-02"),
                "10.9 at 1 EUR = 1.09 USD of 2026-10-01, carried"),
            Case(
                "seven days later", Exchange("10", "EUR", "USD", "2026-10-08"), "10.9 at 1 EUR = 1.09 USD of 2026-10-01, carried"),
            Case("eight days later there is none", Exchange("10", "EUR", "USD", "2026-10-09"), "none"),
            Case("before the first there is none", Exchange("10", "EUR", "USD", "2026-09-27"), "none"),
            Case(
                "each day of a stretch is its own", Exchange("1", "USD", "TRY", "2026-10-31"),
                "33 at 1 USD = 33 TRY from 2026-10-01 to 2026-10-31"),
            Case(
                "behind a stretch it is carried from its last day", Exchange("33", "TRY", "USD", "2026-11-07"),
                "1 at 1 USD = 33 TRY from 2026-10-01 to 2026-10-31, carried"),
            Case("a stretch without an end", Exchange("3", "CHF", "USD", "2030-01-01"), "4 at 3 CHF = 4 USD from 2026-02-01 on"),
            Case(
                "two amounts worth the same are a ratio, not a rounded decimal", Exchange("1", "CHF", "USD", "2026-02-01"),
                "1.333333333333 at 3 CHF = 4 USD from 2026-02-01 on"),
            Case("no way through a third currency", Exchange("1", "EUR", "TRY", "2026-10-01"), "none"),
            Case("a currency nobody states", Exchange("1", "JPY", "USD", "2026-10-01"), "none"),
        ])
    func conversion(_ one: Case<Exchange, String>) throws {
        let rates = try exchangeRates(ExchangeRateTests.entries)
        let amount = try #require(Money(one.input.amount))
        let found = try rates.converted(amount, from: one.input.origin, to: one.input.target, on: day(one.input.day))
        #expect(found.map { "\($0.0) \($0.1)" } ?? "none" == one.expected)
    }

    @Test("A declared chain goes through its currencies, both ways, with one rounding")
    func chain() throws {
        let rates = try exchangeRates(ExchangeRateTests.entries, more: #"chains: [["EUR", "USD", "TRY"]]"#)
        let there = try #require(
            try rates.converted(Money(units: 1_000_000_000_000), from: "EUR", to: "TRY", on: day("2026-10-01")))
        #expect(
            "\(there.0) \(there.1)" == "35.97 at 1 EUR = 1.09 USD of 2026-10-01 and 1 USD = 33 TRY from 2026-10-01 to 2026-10-31")
        let back = try #require(try rates.converted(there.0, from: "TRY", to: "EUR", on: day("2026-10-01")))
        #expect("\(back.0)" == "1")
        #expect(try rates.conversion(from: "CHF", to: "TRY", on: day("2026-10-01")) == nil)
    }

    @Test("Of a rate and its inverse the one of the day itself counts before an older one")
    func inverse() throws {
        let rates = try exchangeRates(
            [rate("EUR", "USD", "2", #"day: "2026-10-01""#), rate("USD", "EUR", #""0.25""#, #"day: "2026-10-02""#)].joined(
                separator: ","))
        func dollars(_ text: String) throws -> String? {
            try rates.converted(Money(units: 1_000_000_000_000), from: "EUR", to: "USD", on: day(text)).map { "\($0.0)" }
        }
        #expect(try dollars("2026-10-01") == "2")
        #expect(try dollars("2026-10-02") == "4")
    }

    @Test("Conversion there and back is exact for every ratio")
    func thereAndBack() throws {
        for quote in [1, 3, 7, 1089, 331_563] {
            for base in [1, 9, 845, 10_000] {
                let ratio = #"{ base: "\#(base)", quote: "\#(quote)" }"#
                let rates = try exchangeRates(rate("EUR", "USD", ratio, #"day: "2026-10-01""#))
                let (one, other) = (
                    try #require(try rates.conversion(from: "EUR", to: "USD", on: day("2026-10-01"))),
                    try #require(try rates.conversion(from: "USD", to: "EUR", on: day("2026-10-01")))
                )
                #expect(try one.ratio * other.ratio == .one)
            }
        }
    }

    @Test(
        "A rate that cannot be obeyed is refused with its place",
        arguments: [
            Case(
                "two statements for one day",
                rate("EUR", "USD", "1", #"day: "2026-10-01""#) + ",\n" + rate("EUR", "USD", "2", #"day: "2026-10-01""#),
                "rates:3:1: 1 EUR = 2 USD of 2026-10-01 contradicts 1 EUR = 1 USD of 2026-10-01 at rates:2:1. Keep one of the two, or end the earlier one before the later begins."
            ),
            Case(
                "a day within a stretch",
                rate("EUR", "USD", "1", #"valid_from: "2026-09-01""#) + ",\n" + rate("EUR", "USD", "2", #"day: "2026-10-01""#),
                "rates:3:1: 1 EUR = 2 USD of 2026-10-01 contradicts 1 EUR = 1 USD from 2026-09-01 on at rates:2:1. Keep one of the two, or end the earlier one before the later begins."
            ),
            Case("zero", rate("EUR", "USD", "0", #"day: "2026-10-01""#), "rates:2:36: A rate is greater than zero."),
            Case("negative", rate("EUR", "USD", #""-1.1""#, #"day: "2026-10-01""#), "rates:2:36: A rate is greater than zero."),
            Case(
                "reversed days", rate("EUR", "USD", "1", #"valid_from: "2026-10-02", valid_to: "2026-10-01""#),
                "rates:2:75: The rate ends on 2026-10-01, before it begins on 2026-10-02."),
            Case(
                "a word for a currency", rate("Euro", "USD", "1", #"day: "2026-10-01""#),
                "rates:2:9: A currency is three capital letters (ISO 4217), such as USD, not \"Euro\"."),
            Case(
                "one currency twice", rate("USD", "USD", "1", #"day: "2026-10-01""#),
                "rates:2:23: A rate is between two currencies, and both are USD."),
            Case(
                "no day", rate("EUR", "USD", "1", #"valid_to: "2026-10-01""#),
                "rates:2:1: A rate has a day, or valid_from and perhaps valid_to. Give one of the two."),
        ])
    func refusals(_ one: Case<String, String>) {
        #expect(sentence { _ = try exchangeRates(one.input) } == one.expected)
    }

    @Test(
        "A chain of two, or with one currency twice, is no chain", arguments: [#"[["EUR", "USD"]]"#, #"[["EUR", "USD", "EUR"]]"#])
    func badChain(_ chains: String) {
        #expect(
            sentence { _ = try exchangeRates("", more: "chains: \(chains)") }
                == "rates:3:13: A chain has at least three currencies, each once, such as [\"EUR\", \"USD\", \"TRY\"].")
    }

    @Test("The same statement twice is no contradiction")
    func twice() throws {
        let one = rate("EUR", "USD", #""1.10""#, #"day: "2026-10-01""#)
        #expect(try exchangeRates(one + "," + one.replacing("1.10", with: "1.1")).rates.count == 2)
    }

    @Test(
        "A gap gets a sentence that names the nearest rate, and a slip of the hand the currency that was meant",
        arguments: [
            Case(
                "EUR",
                Exchange("1", "EUR", "USD", "2026-10-20"),
                "There is no rate between EUR and USD for 2026-10-20, nor for the 7 days before; the nearest is 1 EUR = 1.09 USD of 2026-10-01. Add one for these days; amounts in EUR stay unconverted until then."
            ),
            Case(
                "EUT", Exchange("1", "EUT", "USD", "2026-10-20"),
                "There is no rate between EUT and USD for 2026-10-20, nor for any other day. Did you mean \"EUR\"? Add one to the exchange rates; amounts in EUT stay unconverted until then."
            ),
        ])
    func gaps(_ one: Case<Exchange, String>) throws {
        let rates = try exchangeRates(ExchangeRateTests.entries)
        #expect(rates.gap(from: one.input.origin, to: one.input.target, on: try day(one.input.day)) == one.expected)
    }

    @Test(
        "A rate a thousand times off its neighbours is warned of, and a new level that stays is not",
        arguments: [
            Case("a lost point", ["1.08", "1100", "1.09"], ["1100"]),
            Case("at the beginning", ["0.001", "1.08", "1.09"], ["0.001"]),
            Case("at the end", ["1.08", "1.09", "0.001"], ["0.001"]), Case("of two the later", ["1.08", "1080"], ["1080"]),
            Case("a new currency", ["1350000", "1340000", "1.34", "1.35"], [String]()),
            Case("just below", ["1.08", "1079", "1.09"], [String]()),
        ])
    func slips(_ one: Case<[String], [String]>) throws {
        let entries = one.input.enumerated().map { rate("EUR", "USD", "\"\($0.element)\"", "day: \"2026-10-0\($0.offset + 1)\"") }
        let warnings = try exchangeRates(entries.joined(separator: ",\n")).warnings
        #expect(
            warnings.map { String($0.message.split(separator: " ")[3]) } == one.expected)
        #expect(warnings.allSatisfy { $0.message.contains("is a thousand times or more off") && $0.place?.line != nil })
    }

    // MARK: - From the lake

    private let columns = [ColumnSpec("x_base", .text), ColumnSpec("x_quote", .text)]

    private func columns(_ text: String) throws -> RateColumns {
        let node = try parseJSON5(Array(text.utf8), path: "job")
        return try RateColumns(try ConfigObject(node, RateColumns.schema), jobColumns: columns)
    }

    private func row(_ id: String, _ value: String, _ text: String, base: String = "EUR", quote: String = "USD") -> Row {
        [
            "id": id, "metric": "fx_rate", "value": value, "period_start": text + "T00:00:00Z", "x_base": base, "x_quote": quote,
            "source_file": "fx.csv", "source_record": id,
        ]
    }

    /// A-203, A-218: the dated rates of a product's own export.
    @Test("Rates that the lake holds stand beside those of files, each with its record")
    func fromLake() throws {
        try withLake { lake in
            try lake.store(
                [
                    row("1", "1.0866", "2026-09-28"), row("2", "33.1632", "2026-09-28", base: "USD", quote: "TRY"),
                    ["metric": "other", "value": "7", "period_start": "2026-09-28T00:00:00Z"],
                ], log: .meters, columns: columns)
            let expenses = Expenses(
                fixed: [], rates: try exchangeRates(rate("CHF", "USD", "2", #"day: "2026-09-28""#)),
                rateColumns: try columns(#"{ metric: "fx_rate", base: "base", quote: "quote" }"#), month: .calendar,
                unbilledMetrics: [])
            let rates = try expenses.exchangeRates(costModel(priceBook([])), lake)
            #expect(
                rates.rates.map { "\($0) \($0.place.path == "fx.csv" ? "\($0.place)" : "file")" }.sorted() == [
                    "1 CHF = 2 USD of 2026-09-28 file", "1 EUR = 1.0866 USD of 2026-09-28 fx.csv:1",
                    "1 USD = 33.1632 TRY of 2026-09-28 fx.csv:2",
                ])
        }
    }

    @Test("Two rows for one day that disagree are refused with both records, and a rate that is none with its own")
    func disagreeing() throws {
        func refused(_ rows: [Row]) throws -> String? {
            var found: String?
            try withLake { lake in
                try lake.store(rows, log: .meters, columns: columns)
                let own = try columns(#"{ metric: "fx_rate", base: "base", quote: "quote" }"#)
                let expenses = Expenses(fixed: [], rates: .none, rateColumns: own, month: .calendar, unbilledMetrics: [])
                found = sentence { _ = try expenses.exchangeRates(costModel(priceBook([])), lake) }
            }
            return found
        }
        #expect(
            try refused([row("3", "1.08", "2026-09-28"), row("9", "1.09", "2026-09-28")])
                == "fx.csv:9: 1 EUR = 1.09 USD of 2026-09-28 contradicts 1 EUR = 1.08 USD of 2026-09-28 at fx.csv:3. Keep one of the two, or end the earlier one before the later begins."
        )
        #expect(
            try refused([row("4", "0", "2026-09-28")])
                == "fx.csv:4: This is no rate between two currencies: 0 for EUR and USD. Correct the export, or drop the row with \"where\"."
        )
    }

    @Test("A column that the meters log lacks is refused")
    func unknownColumn() {
        #expect(
            sentence { _ = try columns(#"{ metric: "fx_rate", base: "bas", quote: "quote" }"#) }?.hasPrefix(
                "job:1:28: unknown column \"bas\" in exchange_rates_from. Did you mean \"base\"?") == true)
    }
}
