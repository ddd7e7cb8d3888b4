import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// A text with only the names of a test's own files, whose folder is another each time.
private func withoutFolders(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
        word.contains("/vesper-economics-") ? String(word.split(separator: "/").last ?? word) : String(word)
    }.joined(separator: " ")
}

@Suite struct MeteredCostTests {
    /// The price of metric M by provider p since the beginning of 2026, unless it says otherwise.
    private static func price(
        _ price: String, provider: String = "p", metric: String = "M", from: String = "2026-01-01", to: String? = nil
    )
        -> String
    {
        let end = to.map { #", valid_to: "\#($0)""# } ?? ""
        return
            #"{ provider: "\#(provider)", metric: "\#(metric)", \#(price), valid_from: "\#(from)"\#(end), known_from: "2026-01-01", source: "a test" }"#
    }

    private static let storage = #"unit: "byte", rate: "0.023", per: "GB-month""#

    private static func counter(_ value: String, _ day: String = "2026-10-01", _ more: Row = [:]) -> Row {
        reading("M", "a", value, day, ["gauge": "false"].merging(more) { $1 })
    }

    private static func gauge(_ value: String, _ day: String = "2026-10-01", _ more: Row = [:]) -> Row {
        reading("M", "a", value, day, more)
    }

    struct Metering: Sendable {
        let price: String
        let rows: [Row]
        var month = MonthLength.calendar
    }

    @Test(
        "Counters cost their quantity, and gauges the time that they hold",
        arguments: [
            Case(
                "egress per decimal gigabyte",
                Metering(price: #"unit: "byte", rate: "0.09", per: "GB""#, rows: [counter("5438888566")]),
                "0.48949997094 for 5.438888566 GB"),
            Case(
                "egress per binary gigabyte",
                Metering(price: #"unit: "byte", rate: "0.09", per: "GiB""#, rows: [counter("5438888566")]),
                "0.45588237321 for 5.065359702334 GiB"),
            Case(
                "a gigabyte-month of October",
                Metering(price: storage, rows: [gauge("31000000000")]), "0.023 for 1 GB-month"),
            Case(
                "a gibibyte-month",
                Metering(price: #"unit: "byte", rate: "0.023", per: "GiB-month""#, rows: [gauge("33285996544")]),
                "0.023 for 1 GiB-month"),
            Case(
                "a month counted as 30 days", Metering(price: storage, rows: [gauge("30000000000")], month: .thirtyDays),
                "0.023 for 1 GB-month"),
            Case(
                "half a day",
                Metering(
                    price: storage,
                    rows: [
                        gauge("62000000000", "2026-10-01", ["period_end": "2026-10-01T12:00:00Z"]),
                        gauge("0", "2026-10-01", ["period_start": "2026-10-01T12:00:00Z"]),
                    ]), "0.023 for 1 GB-month"),
            Case(
                "half a day, and then nothing, which is the last reading still",
                Metering(price: storage, rows: [gauge("31000000000", "2026-10-01", ["period_end": "2026-10-01T12:00:00Z"])]),
                "0.023 for 1 GB-month, reading of 2026-10-01 carried forward"),
            Case(
                "without an end it holds to the end of its day",
                Metering(price: storage, rows: [gauge("124000000000", "2026-10-01", ["period_start": "2026-10-01T18:00:00Z"])]),
                "0.023 for 1 GB-month"),
            Case(
                "a later reading takes over",
                Metering(
                    price: storage,
                    rows: [
                        gauge("31000000000"),
                        gauge(
                            "93000000000", "2026-10-01",
                            ["period_start": "2026-10-01T12:00:00Z", "period_end": "2026-10-02T00:00:00Z"]),
                    ]), "0.046 for 2 GB-month"),
            Case(
                "hosts", Metering(price: #"rate: "31", per: "host-month""#, rows: [gauge("2")]), "2 for 0.064516129032 host-month"
            ),
            Case(
                "minutes", Metering(price: #"unit: "minute", rate: "0.006", per: "minute""#, rows: [counter("90.5")]),
                "0.543 for 90.5 minute"),
            Case(
                "minutes at a price of hours",
                Metering(price: #"unit: "minute", rate: "0.36", per: "hour""#, rows: [counter("90")]),
                "0.54 for 1.5 hour"),
            Case(
                "started steps count whole",
                Metering(
                    price: #"unit: "second", rate: "0.024", per: "15 seconds", increment: "15 seconds""#,
                    rows: [counter("0.1"), counter("16")]),
                "0.072 for 45 second"),
            Case(
                "a thousand requests", Metering(price: #"rate: "0.005", per: "1K requests""#, rows: [counter("3")]),
                "0.000015 for 3 request"),
            Case(
                "half to even, row by row",
                Metering(price: #"rate: "0.000000000001", per: "image""#, rows: [counter("0.5"), counter("1.5")]),
                "0.000000000002 for 2 image"),
            Case(
                "a range", Metering(price: #"rate: ["0.01", "0.05"], per: "code""#, rows: [counter("7")]),
                "0.07 to 0.35 for 7 code"),
            Case(
                "mocked", Metering(price: #"rate: "0.001", per: "image", mocked: true"#, rows: [counter("10")]),
                "0 for 10 image, shadow 0.01, not charged yet"),
        ])
    func table(_ one: Case<Metering, String>) throws {
        let book = try book(of: [MeteredCostTests.price(one.input.price)])
        let rows = one.input.rows.enumerated().map { index, row in row.merging(["id": "\(index)"]) { $1 } }
        let lines = try others("2026-10-01", "2026-10-01", book, meters: rows, month: one.input.month)
        #expect(lines.map(\.inWords) == ["2026-10-01 M a: " + one.expected])
    }

    // MARK: - Gauges over time

    /// N-80: the missing snapshot.
    @Test("A missing day carries the last reading forward, flagged, and no further than seven days")
    func carried() throws {
        let book = try book(of: [MeteredCostTests.price(MeteredCostTests.storage)])
        let rows = [MeteredCostTests.gauge("31000000000", "2026-10-01"), MeteredCostTests.gauge("62000000000", "2026-10-03")]
        #expect(
            try others("2026-10-01", "2026-10-03", book, meters: rows).map(\.inWords) == [
                "2026-10-01 M a: 0.023 for 1 GB-month",
                "2026-10-02 M a: 0.023 for 1 GB-month, reading of 2026-10-01 carried forward",
                "2026-10-03 M a: 0.046 for 2 GB-month",
            ])
        let late = [MeteredCostTests.gauge("31000000000", "2026-10-01"), MeteredCostTests.gauge("62000000000", "2026-10-20")]
        #expect(
            try others("2026-10-01", "2026-10-20", book, meters: late).map { "\($0.day)".suffix(2) } == [
                "01", "02", "03", "04", "05", "06", "07", "08", "20",
            ])
    }

    @Test("A reading is carried to the newest day of the log, and not beyond")
    func horizon() throws {
        let book = try book(of: [MeteredCostTests.price(MeteredCostTests.storage)])
        let rows = [MeteredCostTests.gauge("31000000000", "2026-10-01"), reading("M", "b", "31000000000", "2026-10-02")]
        #expect(
            try others("2026-10-01", "2026-10-05", book, meters: rows).map(\.inWords) == [
                "2026-10-01 M a: 0.023 for 1 GB-month",
                "2026-10-02 M a: 0.023 for 1 GB-month, reading of 2026-10-01 carried forward",
                "2026-10-02 M b: 0.023 for 1 GB-month",
            ])
    }

    @Test("A reading of many days is one atom a month, cut by its running sum, whatever days are asked for")
    func longReading() throws {
        let book = try book(of: [MeteredCostTests.price(#"unit: "byte", rate: "0.000000001", per: "GB-month""#)])
        let rows = [MeteredCostTests.gauge("1000000", "2026-09-15", ["period_end": "2026-11-02T00:00:00Z"])]
        let whole = try others("2026-09-01", "2026-11-30", book, meters: rows)
        #expect(whole.count == 16 + 31 + 1)
        #expect(whole.filter { "\($0.day)".hasPrefix("2026-10") }.total.amount.low == Money("0.000000000001"))
        let middle = try period("2026-10-10", "2026-10-20")
        #expect(try others("2026-10-10", "2026-10-20", book, meters: rows) == whole.filter { middle.contains($0.day) })
    }

    @Test("Days are those of the job's zone: a reading of a UTC day falls on two, and the long day of October has 25 hours")
    func zones() throws {
        let book = try book(of: [MeteredCostTests.price(MeteredCostTests.storage)])
        let rows = ["2026-10-24", "2026-10-25", "2026-10-26"].map { MeteredCostTests.gauge("31000000000", $0) }
        let lines = try others("2026-10-24", "2026-10-27", book, meters: rows, zone: try Zone(named: "Europe/Berlin"))
        #expect(
            lines.map { "\($0.day): \($0.amount.low)" } == [
                "2026-10-24: 0.021083333333", "2026-10-25: 0.023", "2026-10-26: 0.023", "2026-10-27: 0.000958333333",
            ])
    }

    // MARK: - Tiers

    @Test("Volume tiers are a calendar month's, all subjects together in the order of time, and begin anew with the month")
    func tiers() throws {
        let book = try book(of: [
            MeteredCostTests.price(
                #"bands: [{ up_to: "10", rate: "0" }, { up_to: "20", rate: "1" }, { rate: "2" }], per: "user""#)
        ])
        let rows = [
            reading("M", "b", "8", "2026-10-01", ["gauge": "false"]), reading("M", "a", "6", "2026-10-02", ["gauge": "false"]),
            reading("M", "c", "10", "2026-10-02", ["gauge": "false"]), reading("M", "a", "11", "2026-11-01", ["gauge": "false"]),
        ]
        let whole = try others("2026-10-01", "2026-11-01", book, meters: rows)
        #expect(
            whole.map(\.inWords) == [
                "2026-10-01 M b: 0 for 8 user", "2026-10-02 M a: 4 for 6 user", "2026-10-02 M c: 14 for 10 user",
                "2026-11-01 M a: 1 for 11 user",
            ])
        #expect(try others("2026-10-02", "2026-10-02", book, meters: rows) == whole.filter { "\($0.day)" == "2026-10-02" })
    }

    // MARK: - Prices

    @Test("Each day takes the price that holds on it, and before the first price the cost is missing")
    func changes() throws {
        let book = try book(of: [
            MeteredCostTests.price(#"rate: "1", per: "image""#, from: "2026-10-02", to: "2026-10-02"),
            MeteredCostTests.price(#"rate: "2", per: "image""#, from: "2026-10-03"),
        ])
        let rows = (1...3).map { MeteredCostTests.counter("10", "2026-10-0\($0)") }
        #expect(
            try others("2026-10-01", "2026-10-03", book, meters: rows).map(\.inWords) == [
                "2026-10-01 M a: 0 for 10, missing: M has no price on this day", "2026-10-02 M a: 10 for 10 image",
                "2026-10-03 M a: 20 for 10 image",
            ])
    }

    @Test("A metric without a price is counted with its quantity, and one that is no cost is left out")
    func unpriced() throws {
        let book = try book(of: [])
        let rows = [
            MeteredCostTests.counter("10"), reading("G", "a", "5", "2026-10-01"), reading("CHILDREN", "a", "41", "2026-10-01"),
        ]
        #expect(
            try others("2026-10-01", "2026-10-01", book, meters: rows, unbilled: ["CHILDREN"]).map(\.inWords) == [
                "2026-10-01 G a: 0 for 5 days, missing: G has no price", "2026-10-01 M a: 0 for 10, missing: M has no price",
            ])
    }

    @Test("A gauge at a price by the piece, a counter at one by the month and a reading below zero are missing, and say why")
    func misfits() throws {
        let book = try book(of: [
            MeteredCostTests.price(#"rate: "1", per: "image""#),
            MeteredCostTests.price(#"rate: "1", per: "GB-month""#, metric: "C"),
        ])
        let rows = [
            reading("M", "a", "3", "2026-10-01"), reading("C", "a", "4", "2026-10-01", ["gauge": "false"]),
            reading("M", "b", "-1", "2026-10-01", ["gauge": "false"]),
        ]
        #expect(
            try others("2026-10-01", "2026-10-01", book, meters: rows).map { withoutFolders($0.inWords) } == [
                "2026-10-01 C a: 0 for 4, missing: C is a counter, and its price at book:3:37 is per GB-month",
                "2026-10-01 M a: 0 for 3 days, missing: M is a gauge, and its price at book:2:37 is per image",
                "2026-10-01 M b: 0 for -1, missing: a reading of M is below zero",
            ])
    }

    @Test("Two providers with a price for one metric are refused: only one can be charged")
    func twoProviders() throws {
        let book = try book(of: [
            MeteredCostTests.price(#"rate: "1", per: "image""#),
            MeteredCostTests.price(#"rate: "2", per: "image""#, provider: "q"),
        ])
        let refused = sentence { _ = try others("2026-10-01", "2026-10-01", book, meters: [MeteredCostTests.counter("1")]) }
        #expect(
            refused.map(withoutFolders)
                == "book:3:37: q has a price for the metric M on 2026-10-01, and so has p at book:2:37. Only one can be charged: end one of them with valid_to, or name the alternative as a service."
        )
    }

    @Test("Prices learned later than asked for are not used")
    func known() throws {
        let book = try book(of: [MeteredCostTests.price(#"rate: "1", per: "image""#)])
        let lines = try others(
            "2026-10-01", "2026-10-01", book, meters: [MeteredCostTests.counter("1")], knownAsOf: Day("2025-12-31"))
        #expect(lines.map(\.missing) == ["M has no price"])
    }

    @Test("A price in another currency takes the rate of the day, with one rounding; without one the amount stays unconverted")
    func currencies() throws {
        let book = try book(of: [MeteredCostTests.price(#"rate: "1", per: "image", currency: "EUR""#)])
        let rows = [MeteredCostTests.counter("3", "2026-10-01"), MeteredCostTests.counter("3", "2026-10-20")]
        let rates = try exchangeRates(#"{ base: "USD", quote: "EUR", rate: "9", day: "2026-10-01", source: "a" }"#)
        let lines = try others("2026-10-01", "2026-10-20", book, meters: rows, rates: rates)
        #expect(lines.first?.inWords == "2026-10-01 M a: 0.333333333333 for 3 image, at 1 USD = 9 EUR of 2026-10-01")
        #expect(
            lines.last?.inWords
                == "2026-10-20 M a: 0 for 3 image, 3 EUR, missing: There is no rate between EUR and USD for 2026-10-20, nor for the 7 days before; the nearest is 1 USD = 9 EUR of 2026-10-01. Add one for these days; amounts in EUR stay unconverted until then."
        )
    }

    @Test("A value that does not fit is refused with the price's place")
    func tooLarge() throws {
        let book = try book(of: [MeteredCostTests.price(#"unit: "TiB", rate: "0.1234567890123456789012345", per: "byte""#)])
        let refused = sentence {
            _ = try others("2026-10-01", "2026-10-01", book, meters: [MeteredCostTests.counter("99999999999999.999999999999")])
        }
        #expect(refused?.contains("A cost is too large for this price") == true)
    }
}
