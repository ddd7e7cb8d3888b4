import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// A charge of 9 November 2026 by provider p for model m, unless it says otherwise; "-" takes a value away.
private func charge(_ amount: String, _ values: Row = [:]) -> Row {
    ["ts": "2026-11-09T10:05:00Z", "source": "log", "provider": "p", "model": "m", "currency": "USD", "amount": amount]
        .merging(values) { $1 }.filter { $0.value != "-" }
}

/// A line of November's bill for usage of p, unless it says otherwise.
private func line(_ amount: String, _ values: Row = [:]) -> Row {
    [
        "source": "bills", "vendor": "P", "part": "usage", "currency": "USD", "amount": amount,
        "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z",
    ].merging(values) { $1 }.filter { $0.value != "-" }
}

extension SpendRow {
    /// `p: 0.5 against 0.3 = unpriced 0.2`.
    fileprivate var line: String {
        let key = keys.map {
            switch $0 {
            case .value(let text): text
            case .unsaid: "none"
            case .all: "all"
            }
        }.joined(separator: "/")
        let reported = reported.map { "\($0)\(currency == "USD" ? "" : " " + currency)" } ?? "?"
        let parts = Variance.Part.allCases.compactMap { part in
            variance.flatMap { $0[part] == .zero ? nil : "\(part.rawValue) \($0[part])" }
        }
        let why = reason ?? (parts.isEmpty ? "equal" : parts.joined(separator: " + "))
        return "\(source ?? "-") \(period) \(key): \(reported) against \(computed?.inWords ?? "?"): \(why)"
    }
}

@Suite struct SpendViewTests {
    /// Compares what is stored on 9 and 10 November under a price of one dollar a million.
    private func compare(
        _ calls: [Row], charges: [Row] = [], bills: [Row] = [], prices: [Price] = [Price(#"input: "1""#)],
        every grain: Grain = .all,
        by dimensions: [String] = ["provider"], where filters: [(dimension: String, value: String)] = [], lookup: Lookup? = nil,
        rates: [String: String] = [:], names: ProviderNames = ProviderNames(), snapshots: [Row] = [],
        meters: [Row] = [], fixed: [FixedCost] = [], book: PriceBook? = nil
    ) throws -> SpendComparison {
        var result: SpendComparison?
        try withLake { lake in
            if !calls.isEmpty { try lake.store(calls) }
            if !charges.isEmpty { try lake.store(charges, log: .charges) }
            if !bills.isEmpty { try lake.store(bills, log: .invoices) }
            if !snapshots.isEmpty { try lake.store(snapshots, log: .snapshots) }
            if !meters.isEmpty { try lake.store(meters, log: .meters) }
            let query = SpendQuery(
                period: try period("2026-11-09", "2026-11-10"), every: grain, by: dimensions, where: filters,
                charges: Set(charges.compactMap { $0["source"] }).sorted(), invoices: bills.isEmpty ? [] : ["bills"],
                names: names,
                expenses: Expenses(fixed: fixed, rates: .none, rateColumns: nil, month: .calendar, unbilledMetrics: []))
            let model = costModel(try book ?? priceBook(prices), plans: lookup)
            let place = Place(path: "rates")
            let exchange = try ExchangeRates(
                try rates.map { currency, worth in
                    ExchangeRate(
                        base: currency, quote: "USD", quoteAmount: try #require(ExactDecimal(worth)), first: query.period.first,
                        last: nil, source: "a test", place: place)
                })
            result = try compareSpend(
                query,
                CostModel(
                    job: model.job, zone: model.zone, currency: "USD", book: model.book, lookups: model.lookups, jobColumns: [],
                    exchange: exchange), lake)
        }
        return try #require(result)
    }

    private func lines(_ comparison: SpendComparison, _ log: Log = .charges) -> [String] {
        comparison.rows.filter { $0.log == log }.map(\.line)
    }

    private func million(_ values: Row = [:]) -> Row { call(["input_tokens": "1000000"].merging(values) { $1 }) }

    // MARK: - Parts

    @Test("Hours in which only one log has rows are parts of their own, in both directions")
    func hours() throws {
        let calls = [10, 11, 12].map { million(["ts": "2026-11-09T\($0):00:00Z"]) }
        let charges = [10, 12, 13].map { charge("1.000000", ["ts": "2026-11-09T\($0):59:59Z"]) } + [charge("0.000001")]
        let found = try compare(calls, charges: charges)
        #expect(
            lines(found) == [
                "log 2026-11-09_2026-11-10 p: 3.000001 against 3: without_usage 1 + without_charges -1 + rounding 0.000001"
            ])
        #expect(
            found.silences.map { "\($0.isUsage) \($0.starts)" } == [
                "true [2026-11-09T13:00:00Z]", "false [2026-11-09T11:00:00Z]",
            ])
    }

    @Test("A source that writes once a day is compared by the day")
    func days() throws {
        let calls = [8, 9].flatMap { day in
            [10, 11].map { million(["ts": "2026-11-\(padded(day + 1, 2))T\($0):00:00Z"]) }
        }
        let charges = ["09", "10"].map { charge("2", ["ts": "2026-11-\($0)T23:55:00Z"]) }
        #expect(try lines(compare(calls, charges: charges)) == ["log 2026-11-09_2026-11-10 p: 4 against 4: equal"])
        #expect(
            try lines(compare(calls, charges: Array(charges.prefix(1)))) == [
                "log 2026-11-09_2026-11-10 p: 2 against 4: without_charges -2"
            ])
    }

    @Test("What is charged where calls have no price is unpriced, whatever it is")
    func unpriced() throws {
        let found = try compare(
            [million(), million(["model": "x"])], charges: [charge("1"), charge("7.5", ["model": "x"])])
        #expect(
            lines(found) == [
                "log 2026-11-09_2026-11-10 p: 8.5 against at least 1, 1 unpriced of 1000000 tokens: unpriced 7.5"
            ])
    }

    @Test("A range explains what lies within it, few decimals what they may hide, and the rest is a gap of prices")
    func rest() throws {
        let prices = [Price(#"input: ["1", "1.25"]"#)]
        func one(_ amounts: [String]) throws -> String? {
            try lines(compare([million()], charges: amounts.map { charge($0) }, prices: prices)).first?.components(": ").last
        }
        #expect(try one(["1.20"]) == "price_range 0.2")
        #expect(try one(["1.26"]) == "price_range 0.25 + rounding 0.005 + price_gap 0.005")
        #expect(try one(["0.99"]) == "rounding -0.005 + price_gap -0.005")
        // Two rows of whole dollars may each be half a dollar away.
        #expect(try one(["1", "1"]) == "price_range 0.25 + rounding 0.75")
    }

    @Test("A dated name of a model is the model of the book; a model that only one log has is not explained")
    func models() throws {
        let calls = [million(["model": "m-20260101"]), million(["model": "other", "input_tokens": "0"])]
        #expect(
            try lines(compare(calls, charges: [charge("1")], by: ["model"])) == [
                "log 2026-11-09_2026-11-10 m: 1 against 1: equal"
            ])
        #expect(
            try lines(compare(calls, charges: [charge("1"), charge("2", ["model": "n"])], by: ["provider"])) == [
                "log 2026-11-09_2026-11-10 p: 3 against 1: not_explained 2"
            ])
    }

    @Test("Charges without a tenant are everybody's where every call has one, and not where calls have none")
    func tenants() throws {
        let charges = [charge("1", ["tenant": "t"]), charge("5")]
        #expect(
            try lines(compare([million(["tenant": "t"])], charges: charges)) == [
                "log 2026-11-09_2026-11-10 p: 6 against 1: without_tenant 5"
            ])
        #expect(
            try lines(compare([million(["tenant": "t"]), million()], charges: charges)) == [
                "log 2026-11-09_2026-11-10 p: 6 against 2: rounding 1 + price_gap 3"
            ])
        #expect(
            try lines(compare([million(["tenant": "t"])], charges: charges, by: ["tenant"])) == [
                "log 2026-11-09_2026-11-10 none: 5 against 0: without_tenant 5",
                "log 2026-11-09_2026-11-10 t: 1 against 1: equal",
            ])
    }

    @Test("Whatever the rows, the parts of a difference add up to it")
    func sums() throws {
        var state: UInt64 = 11
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        func place() -> Row {
            [
                "ts": "2026-11-\(["09", "10"][Int(next(2))])T\(padded(Int(next(24)), 2)):\(padded(Int(next(60)), 2)):00Z",
                "provider": ["p", "q", "r"][Int(next(3))], "model": ["m", "n", "x"][Int(next(3))],
                "tenant": ["t", "u"][Int(next(2))],
            ]
        }
        let calls = (0..<200).map { _ in call(place().merging(["input_tokens": "\(next(9_000_000))"]) { $1 }) }
        let charges = (0..<200).map { _ in
            charge("\(next(9)).\(next(1000))", place().merging(["source": ["a", "b"][Int(next(2))]]) { $1 })
        }
        let bills = (0..<20).map { index in
            line(
                "\(next(90)).\(next(10))", ["vendor": ["P", "q", "z"][Int(next(3))], "part": index % 3 == 0 ? "base" : "usage"])
        }
        let prices = [Price(#"input: ["0.7", "1.1"]"#), Price(#"input: "0.333333""#, provider: "q", model: #"["m", "n"]"#)]
        for (grain, dimensions) in [
            (Grain.all, ["provider"]), (.day, ["provider", "model"]), (.week, ["tenant"]), (.all, []), (.month, ["source"]),
        ] {
            let found = try compare(calls, charges: charges, bills: bills, prices: prices, every: grain, by: dimensions)
            let compared = found.rows.filter { $0.variance != nil }
            #expect(compared.count > 2)
            for row in compared {
                let difference = try #require(row.reported) - (try #require(row.computed).low)
                #expect(row.variance?.total == difference, "\(row.line)")
            }
            for source in ["a", "b"] {
                let own = found.rows.filter { $0.source == source }
                #expect(own.reduce(0) { $0 + $1.rows } == charges.filter { $0["source"] == source }.count)
                let amounts = charges.filter { $0["source"] == source }.map { Money($0["amount"] ?? "") ?? .zero }
                #expect(own.compactMap(\.reported).reduce(.zero, +) == amounts.reduce(.zero, +))
            }
        }
    }

    // MARK: - Views

    @Test("Two sources of charges are two views of one spend, and one that says no provider is compared as a whole")
    func sources() throws {
        let found = try compare(
            [million(), million(["provider": "q"])],
            charges: [charge("1"), charge("2.1", ["source": "short", "provider": "-", "model": "-"])],
            prices: [Price(#"input: "1""#), Price(#"input: "1""#, provider: "q")])
        #expect(
            lines(found) == [
                "short 2026-11-09_2026-11-10 all: 2.1 against 2: rounding 0.05 + price_gap 0.05",
                "log 2026-11-09_2026-11-10 p: 1 against 1: equal", "log 2026-11-09_2026-11-10 q: 0 against 1: without_charges -1",
            ])
    }

    @Test("What is not exported says so: a log, a source in a stretch of days, a bill that has not come")
    func notExported() throws {
        let calls = ["09", "10"].map { million(["ts": "2026-11-\($0)T10:00:00Z"]) }
        let found = try compare(calls, charges: [charge("1")], every: .day)
        #expect(
            lines(found) == [
                "log 2026-11-09 p: 1 against 1: equal", "log 2026-11-10 p: ? against 1: not exported",
            ])
        #expect(
            lines(found, .invoices) == ["- 2026-11-09 p: ? against 1: not exported", "- 2026-11-10 p: ? against 1: not exported"])
        #expect(
            try lines(compare(calls, bills: [line("1", ["vendor": "z"])]), .invoices) == [
                "bills 2026-11 p: ? against 2: no bill", "bills 2026-11 z: 1 against 0: without_usage 1",
            ])
    }

    @Test("A currency meets another only through a rate; without one the amount stands on its own row")
    func currencies() throws {
        let charges = [charge("1"), charge("0.5", ["currency": "EUR"])]
        #expect(
            try lines(compare([million()], charges: charges)) == [
                "log 2026-11-09_2026-11-10 p: 0.5 EUR against ?: no rate from EUR to USD",
                "log 2026-11-09_2026-11-10 p: 1 against 1: equal",
            ])
        let found = try compare([million()], charges: charges, rates: ["EUR": "2"])
        // Half of a tenth of a euro is a tenth of a dollar; half of a whole dollar is half of one.
        #expect(lines(found) == ["log 2026-11-09_2026-11-10 p: 2 against 1: rounding 0.6 + price_gap 0.4"])
        #expect(found.exchanged == ["EUR": 1])
    }

    // MARK: - Bills

    @Test("A bill is held against the calls of its own time, and its base part is none of usage")
    func bills() throws {
        let calls =
            ["11-01", "11-09", "11-30"].map { million(["ts": "2026-\($0)T00:00:00Z"]) } + [
                million(["ts": "2026-12-01T00:00:00Z"])
            ]
        #expect(
            try lines(compare(calls, bills: [line("3.01"), line("20.00", ["part": "base"])]), .invoices) == [
                "bills 2026-11 p: 23.01 against 3: fixed 20 + rounding 0.005 + price_gap 0.005"
            ])
        #expect(
            try lines(compare(calls, bills: [line("20", ["part": "base"])]), .invoices) == [
                "bills 2026-11 p: 20 against 3: fixed 20 + without_charges -3"
            ])
        let half = ["period_start": "2026-11-09T00:00:00Z", "period_end": "2026-11-16T00:00:00Z"]
        #expect(try lines(compare(calls, bills: [line("1", half)]), .invoices) == ["bills 2026-W46 p: 1 against 1: equal"])
        #expect(
            try lines(compare(calls, bills: [line("1", ["period_end": "-", "period_start": "2026-11-09T00:00:00Z"])]), .invoices)
                == [
                    "bills 2026-11-09 p: 1 against ?: the bill says no end of its time"
                ])
        #expect(
            try lines(
                compare(
                    calls, bills: [line("1", ["period_start": "2026-12-01T00:00:00Z", "period_end": "2027-01-01T00:00:00Z"])]),
                .invoices)
                == ["bills 2026-11-09_2026-11-10 p: ? against 1: not exported"])
    }

    @Test("A vendor is a provider of the same letters, or the one that the job names")
    func names() throws {
        func names(_ text: String) throws -> ProviderNames {
            let schema = ConfigSchema(name: "job", keys: [ConfigKey(name: "providers", kind: "object", about: "Names.")])
            return try ProviderNames(try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), schema), key: "providers")
        }
        let named = try names(#"{ providers: { p: ["Pea Inc."] } }"#)
        #expect(
            try lines(compare([million()], bills: [line("1", ["vendor": "Pea Inc."])], names: named), .invoices) == [
                "bills 2026-11 p: 1 against 1: equal"
            ])
        #expect(
            try lines(compare([million()], bills: [line("1", ["vendor": "Pea Inc."])]), .invoices) == [
                "bills 2026-11 Pea Inc.: 1 against 0: without_usage 1", "bills 2026-11 p: ? against 1: no bill",
            ])
        #expect(
            sentence { _ = try names("{ providers: { p: [\"Pea\"],\n q: [\"pea\"] } }") }
                == "job:2:2: \"pea\" stands for both p and q. Name it under one of them.")
        #expect(
            try lines(
                compare([million()], charges: [charge("1", ["provider": "PEA INC."])], where: [("provider", "p")], names: named))
                == ["log 2026-11-09_2026-11-10 p: 1 against 1: equal"])
    }

    // MARK: - What no call causes

    private func store(_ rate: String = #""1""#) throws -> PriceBook {
        try EconomicsTests.book(of: [
            #"{ provider: "p", metric: "FILES", unit: "image", rate: \#(rate), per: "image", valid_from: "2026-01-01", known_from: "2026-01-01", source: "t" }"#,
            service("seat", #"rate: ["30", "60"], per: "month""#),
        ])
    }

    @Test("What meters count is held against charges of its days, tenant by tenant")
    func metered() throws {
        let meters = [("t", "2", "2026-11-09"), ("u", "3", "2026-11-09"), ("t", "7", "2026-11-10")].map {
            reading("FILES", $0.0, $0.1, $0.2, ["gauge": "false"])
        }
        let charges = [charge("2.04", ["tenant": "t", "model": "-"]), charge("4", ["tenant": "u", "model": "-"])]
        #expect(
            try lines(compare([], charges: charges, meters: meters, book: store())) == [
                "log 2026-11-09_2026-11-10 p: 6.04 against 12: without_charges -7 + rounding 0.01 + price_gap 1.03"
            ])
        #expect(
            try lines(compare([], charges: charges, by: ["tenant"], meters: meters, book: store(#"["1", "1.5"]"#))) == [
                "log 2026-11-09_2026-11-10 t: 2.04 against 9 to 13.5: without_charges -7 + price_range 0.04",
                "log 2026-11-09_2026-11-10 u: 4 against 3 to 4.5: price_range 1",
            ])
        // A source that does not name the provider is not about it.
        #expect(
            try lines(
                compare([million(["provider": "q"])], charges: [charge("1", ["provider": "q"])], meters: meters, book: store()))
                == ["log 2026-11-09_2026-11-10 q: 1 against at least 0, 1 unpriced of 1000000 tokens: unpriced 1"])
        #expect(
            try lines(compare([], charges: [], meters: meters, book: store()), .invoices) == [
                "- 2026-11-09_2026-11-10 p: ? against 12: not exported"
            ])
    }

    @Test("What is paid by the month is held against base parts, charges without a tenant and bills of who charges nothing else")
    func fixed() throws {
        let seat = try fixedCost(#"provider: "p", service: "seat""#, store())
        // Two days of a month of thirty: 2 to 4.
        #expect(
            try lines(compare([], charges: [charge("2.5")], fixed: [seat], book: store())) == [
                "log 2026-11-09_2026-11-10 p: 2.5 against 2 to 4: price_range 0.5"
            ])
        #expect(
            try lines(compare([], charges: [charge("1")], fixed: [seat], book: store())) == [
                "log 2026-11-09_2026-11-10 p: 1 against 2 to 4: fixed -1"
            ])
        #expect(
            try lines(compare([], bills: [line("65")], fixed: [seat], book: store()), .invoices) == [
                "bills 2026-11 p: 65 against 30 to 60: fixed 5 + price_range 30"
            ])
        let calls = [million(["tenant": "t"])]
        let plan = try fixedCost(#"provider: "p", amount: "15", per: "month""#, store())
        #expect(
            try lines(compare(calls, charges: [charge("1", ["tenant": "t"]), charge("3")], fixed: [plan])) == [
                "log 2026-11-09_2026-11-10 p: 4 against 2: fixed 2"
            ])
        #expect(
            try lines(compare(calls, bills: [line("1.02"), line("14", ["part": "base"])], fixed: [plan]), .invoices) == [
                "bills 2026-11 p: 15.02 against 16: fixed -1 + rounding 0.005 + price_gap 0.015"
            ])
        #expect(
            try lines(compare(calls, bills: [line("1", ["vendor": "z"])], fixed: [plan]), .invoices) == [
                "bills 2026-11 p: ? against 16: no bill", "bills 2026-11 z: 1 against 0: without_usage 1",
            ])
    }

    // MARK: - By anything

    @Test("What charges do not carry is looked up as it is for calls")
    func lookedUp() throws {
        let lookup = try Lookup(
            planOf: try ConfigObject(try parseJSON5(Array(#"{ from: "subscription" }"#.utf8), path: "job"), Lookup.planSchema))
        let subscription = [
            "kind": "subscription", "id": "s", "updated_at": "2026-11-01T00:00:00Z", "parent": "u", "plan": "pro",
        ]
        let found = try compare(
            [million(["user": "u"]), million(["user": "v", "plan": "free"])],
            charges: [charge("1", ["user": "u"]), charge("3", ["user": "w"])], by: ["plan"], lookup: lookup,
            snapshots: [subscription])
        #expect(
            lines(found) == [
                "log 2026-11-09_2026-11-10 none: 3 against 0: not_explained 3",
                "log 2026-11-09_2026-11-10 free: 0 against 1: not_explained -1",
                "log 2026-11-09_2026-11-10 pro: 1 against 1: equal",
            ])
    }

    @Test("A filter leaves out calls and charges alike; where charges do not say it, they say so")
    func filters() throws {
        let calls = [million(["tenant": "t"]), million(["tenant": "u"])]
        let charges = [charge("1", ["tenant": "t"]), charge("9", ["tenant": "u"])]
        #expect(
            try lines(compare(calls, charges: charges, where: [("tenant", "t")])) == [
                "log 2026-11-09_2026-11-10 p: 1 against 1: equal"
            ])
        #expect(
            try lines(compare([million(["route": "r"])], charges: charges, where: [("route", "r")])) == [
                "log 2026-11-09_2026-11-10 p: ? against 1: no row with route=r"
            ])
    }

    @Test("A home without a row has nothing to compare")
    func empty() throws {
        #expect(try compare([]).rows.isEmpty)
        #expect(
            try lines(compare([], charges: [charge("1")])) == ["log 2026-11-09_2026-11-10 p: 1 against 0: without_usage 1"])
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
