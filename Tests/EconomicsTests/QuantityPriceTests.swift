import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// What is charged by the second, the character or the piece.
@Suite struct QuantityPriceTests {
    /// A book with one price of model m, per what it says.
    private func book(_ price: String) throws -> PriceBook {
        try priceBook(
            #"{ currency: "USD", prices: [{ provider: "p", model: "m", \#(price), "#
                + #"valid_from: "2026-01-01", known_from: "2026-01-01", source: "a test" }] }"#)
    }

    private static func use(_ quantity: String?, _ unit: String?) -> Row {
        call([:]).merging([("quantity", quantity), ("unit", unit)].compactMap { name, value in value.map { (name, $0) } }) { $1 }
    }

    struct Use: Sendable {
        let price: String
        let rows: [Row]
    }

    @Test(
        "A quantity costs its rate, converted exactly and charged in whole steps",
        arguments: [
            Case(
                "seconds at a price per minute", Use(price: #"rate: "0.02", per: "minute""#, rows: [use("30", "second")]), "0.01"),
            Case("milliseconds", Use(price: #"rate: "0.02", per: "minute""#, rows: [use("1", "millisecond")]), "0.000000333333"),
            Case(
                "half to even at the last digit",
                Use(price: #"rate: "0.000000000001", per: "second""#, rows: [use("0.5", "second"), use("1.5", "second")]),
                "0.000000000002"),
            Case(
                "a started step counts whole",
                Use(
                    price: #"rate: "0.024", per: "15 seconds", increment: "15 seconds""#,
                    rows: [use("0.1", "second"), use("15", "seconds"), use("15.001", "second")]), "0.096"),
            Case(
                "nothing used is no step", Use(price: #"rate: "1", per: "hour", increment: "hour""#, rows: [use("0", "hour")]),
                "0"),
            Case(
                "characters by the thousand",
                Use(price: #"rate: "0.015", per: "1K characters""#, rows: [use("1500", "character")]), "0.0225"),
            Case("a range", Use(price: #"rate: ["0.02", "0.04"], per: "image""#, rows: [use("3", "image")]), "0.06 to 0.12"),
            Case(
                "another kind of unit is unpriced, never zero",
                Use(price: #"rate: "1", per: "image""#, rows: [use("3", "second"), use("1", "image")]),
                "at least 1, 1 unpriced of 0 tokens"),
            Case(
                "an unknown unit, and none",
                Use(price: #"rate: "1", per: "image""#, rows: [use("3", "parsec"), use("3", nil)]),
                "at least 0, 2 unpriced of 0 tokens"),
            Case(
                "gibibytes at a price per gigabyte",
                Use(price: #"rate: "0.09", per: "GB""#, rows: [use("1", "GiB")]), "0.09663676416"),
        ])
    func quantities(_ row: Case<Use, String>) throws {
        #expect(try cost(of: row.input.rows, try book(row.input.price)) == row.expected)
    }

    @Test("Volume tiers are filled over a calendar month, by time, whoever used them")
    func tiers() throws {
        let prices = #"bands: [{ up_to: "10", rate: "0" }, { up_to: "20", rate: "2" }, { rate: "1" }], per: "image""#
        func use(_ ts: String, _ quantity: String, _ user: String) -> Row {
            QuantityPriceTests.use(quantity, "image").merging([
                "ts": ts, "user": user, "source_file": "f \(ts)", "source_record": "1",
            ]) { $1 }
        }
        try withLake { lake in
            try lake.store([
                use("2026-10-31T23:30:00Z", "100", "a"),  // November in Berlin
                use("2026-11-09T10:00:00Z", "4", "a"), use("2026-11-10T10:00:00Z", "9", "b"),
                use("2026-12-01T00:00:00Z", "12", "a"),
            ])
            func lines(_ zone: String, _ first: String) throws -> [String] {
                let model = costModel(try book(prices), zone: try Zone(named: zone))
                return try rollUpCosts(
                    CostQuery(period: try period(first, "2026-12-31"), every: .month, by: ["user"]), model, lake
                ).lines
            }
            // 100 in October: 10 free, 10 at 2, 80 at 1. Then 4 free; 6 free and 3 at 2; 10 free and 2 at 2.
            #expect(
                try lines("UTC", "2026-10-01") == [
                    "2026-10 a: 1, 100", "2026-11 a: 1, 0", "2026-11 b: 1, 6", "2026-12 a: 1, 4",
                ])
            #expect(
                try lines("Europe/Berlin", "2026-11-01") == ["2026-11 a: 2, 104", "2026-11 b: 1, 9", "2026-12 a: 1, 4"])
            // What was used before the days asked for still fills the tiers.
            #expect(try lines("UTC", "2026-11-10") == ["2026-11-10_2026-11-30 b: 1, 6", "2026-12 a: 1, 4"])
        }
    }

    @Test("A service that is not charged yet costs nothing, and what it would cost stands beside it")
    func mocked() throws {
        try withLake { lake in
            try lake.store([
                QuantityPriceTests.use("3", "image"), call(["input_tokens": "1000000", "model": "n"]),
            ])
            let prices = try priceBook(
                #"{ currency: "USD", prices: [{ provider: "p", model: "m", rate: ["1", "2"], per: "image", mocked: true, valid_from: "2026-01-01", known_from: "2026-01-01", source: "a test" },"#
                    + Price(#"input: "5""#, model: #""n""#, more: "mocked: true,").text + "] }")
            let found = try rollUpCosts(CostQuery(period: try wholeYear(), every: .all, by: []), costModel(prices), lake).total
            #expect(found.cost.inWords == "0")
            #expect("\(found.cost.shadowLow) \(found.cost.shadowHigh)" == "8 11")
            #expect(found.quantities == ["image": 3_000_000_000_000])
        }
    }

    @Test("A call with tokens and a quantity costs both, and is unpriced once")
    func both() throws {
        let use = QuantityPriceTests.use("2", "search").merging(["input_tokens": "1000000"]) { $1 }
        let rows =
            Price(#"input: "3""#).text
            + #", { provider: "p", model: "m", rate: "0.01", per: "search", valid_from: "2026-01-01", known_from: "2026-01-01", source: "a test" }"#
        #expect(try cost(of: [use], try priceBook(#"{ currency: "USD", prices: [\#(rows)] }"#)) == "3.02")
        #expect(try cost(of: [use], try priceBook([])) == "at least 0, 1 unpriced of 1000000 tokens")
        #expect(try cost(of: [use], try priceBook([Price(#"input: "3""#)])) == "at least 3, 1 unpriced of 0 tokens")
    }

    @Test("A unit is told also where no row says how much of it")
    func unitWithoutQuantity() throws {
        try withLake { lake in
            try lake.store([QuantityPriceTests.use(nil, "image")])
            let query = CostQuery(period: try wholeYear(), every: .all, by: ["unit"])
            #expect(try rollUpCosts(query, costModel(try priceBook([])), lake).map(\.keys) == [["image"]])
        }
    }

    @Test("A name under which a log knows a model finds that model's price, the longest name first")
    func aliases() throws {
        let book = try priceBook(
            #"{ currency: "USD", aliases: { "eu.m-*": "m", "eu.m-large*": "n" }, prices: ["#
                + [Price(#"input: "1""#), Price(#"input: "2""#, model: #""n""#)].map(\.text).joined(separator: ",") + "] }")
        for (name, expected) in [
            ("eu.m-v1:0", "1"), ("eu.m-large-v1", "2"), ("m", "1"), ("us.m-v1:0", "at least 0, 1 unpriced of 1000000 tokens"),
        ] {
            let found = try cost(of: [call(["model": name, "input_tokens": "1000000"])], book)
            #expect(found == expected, "\(name)")
        }
    }

    @Test(
        "Bands, aliases and units that contradict themselves are refused with their place",
        arguments: [
            Case(
                "a band without an end before the last", #"bands: [{ rate: "1" }, { rate: "2" }], per: "image""#,
                "book:1:66: This band has no end, so nothing can follow it. Give up_to, or put it last."),
            Case(
                "a last band with an end", #"bands: [{ up_to: "5", rate: "1" }, { up_to: "9", rate: "2" }], per: "image""#,
                "book:1:102: The last band has no end: leave up_to out, or add the band that follows."),
            Case(
                "bands out of order",
                #"bands: [{ up_to: "5", rate: "1" }, { up_to: "5", rate: "2" }, { rate: "3" }], per: "image""#,
                "book:1:102: The band ends at 5, but it begins at 5. Put the bands in order."),
            Case(
                "one rate for tokens", #"rate: "1""#,
                #"book:1:29: One rate is for a quantity, not for tokens. Say what it is per, such as "minute"."#),
            Case(
                "steps of another kind", #"rate: "1", per: "image", increment: "second""#,
                "book:1:94: Steps of second do not fit a price per image: they are of another kind."),
            Case(
                "a unit of values where rows say it", #"rate: "1", per: "image", unit: "image""#,
                "book:1:89: Only a metric needs to say what its values are counted in: rows of usage say it themselves."),
            Case("no rate at all", "rates: {}", "book:1:65: A price without any rate says nothing. Add one."),
            Case(
                "a currency that is none", #"rate: "1", per: "image", currency: "usd""#,
                #"book:1:93: A currency is three capital letters (ISO 4217), such as USD, not "usd"."#),
        ])
    func refused(_ row: Case<String, String>) {
        #expect(sentence { _ = try book(row.input) } == row.expected)
    }

    @Test("What was learned later about the same price replaces it whole, its end included")
    func replaced() throws {
        let prices = [
            Price(#"input: "1""#), Price(#"input: "1""#, validTo: "2026-06-30", knownFrom: "2026-07-01"),
            Price(#"input: "2""#, model: #""n""#, validTo: "2026-06-30"),
            Price(#"input: "3""#, model: #""n""#, knownFrom: "2026-07-01"),
        ]
        func found(_ model: String, _ known: String) throws -> String {
            let day = try #require(Day(known))
            return try cost(of: [call(["model": model, "input_tokens": "1000000"])], try priceBook(prices), knownAsOf: day)
        }
        #expect(try found("m", "2026-06-30") == "1")
        #expect(try found("m", "2026-07-01") == "at least 0, 1 unpriced of 1000000 tokens")
        #expect(try found("n", "2026-06-30") == "at least 0, 1 unpriced of 1000000 tokens")
        #expect(try found("n", "2026-07-01") == "3")
    }
}
