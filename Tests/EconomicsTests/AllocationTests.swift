import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// A gauge's reading of a whole UTC day, of kind tenant, unless it says otherwise.
func reading(_ metric: String, _ tenant: String?, _ value: String, _ day: String, _ more: Row = [:]) -> Row {
    var row: Row = [
        "metric": metric, "subject_kind": "tenant", "value": value, "period_start": day + "T00:00:00Z", "gauge": "true",
    ]
    if let tenant { row["subject"] = tenant }
    if let start = Day(day) { row["period_end"] = "\(start + 1)T00:00:00Z" }
    return row.merging(more) { $1 }
}

/// Everything beside usage over some days, as lines in words.
func others(
    _ first: String, _ last: String, _ book: PriceBook, fixed: [FixedCost] = [], meters: [Row] = [], usage: [Row] = [],
    rates: ExchangeRates = .none, month: MonthLength = .calendar, unbilled: Set<String> = [], zone: Zone = .utc,
    knownAsOf: Day? = nil
) throws -> [CostLine] {
    var lines: [CostLine] = []
    try withLake { lake in
        if !meters.isEmpty { try lake.store(meters, log: .meters) }
        if !usage.isEmpty { try lake.store(usage) }
        let expenses = Expenses(fixed: fixed, rates: rates, rateColumns: nil, month: month, unbilledMetrics: unbilled)
        lines = try otherCosts(
            of: period(first, last), expenses, costModel(book, zone: zone, knownAsOf: knownAsOf, exchange: rates), lake)
    }
    return lines
}

@Suite struct AllocationTests {
    /// What 1 a day of a thing costs each, under a rule.
    private func shares(
        _ rule: String, meters: [Row] = [], usage: [Row] = [], amount: String = #"amount: "1""#, days: (String, String)
    ) throws
        -> [String]
    {
        let book = try priceBook([Price(#"input: "1""#)])
        let cost = try fixedCost(#"\#(amount), per: "day", share: { \#(rule) }"#, book)
        return try others(days.0, days.1, book, fixed: [cost], meters: meters, usage: usage, unbilled: ["CHILDREN", "OTHER"]).map(
            \.inWords)
    }

    private let calls: [Row] = [
        call(["tenant": "a", "input_tokens": "1000000"]), call(["tenant": "b", "input_tokens": "500000"]),
        call(["tenant": "b", "input_tokens": "500000"]), call(["input_tokens": "9000000"]),
        call(["tenant": "c", "input_tokens": "1", "ts": "2026-11-10T10:00:00Z"]),
    ]

    @Test(
        "A day's amount is shared by its rule, exactly",
        arguments: [
            Case("equal parts for whoever has requests", #"over: "tenant", by: "equal""#, ["a: 0.5", "b: 0.5"]),
            Case("requests", #"over: "tenant", by: "requests""#, ["a: 0.333333333333", "b: 0.666666666667"]),
            Case("the cost of requests", #"over: "tenant", by: "cost""#, ["a: 0.5", "b: 0.5"]),
            Case("another dimension", #"over: "model", by: "requests""#, ["m: 1"]),
        ])
    func rules(_ one: Case<String, [String]>) throws {
        let lines = try shares(one.input, usage: calls, days: ("2026-11-09", "2026-11-09"))
        let rule = one.input.split(separator: "\"").last.map { String($0) } ?? ""
        #expect(lines == one.expected.map { "2026-11-09 n \($0), shared by \(rule)" })
    }

    /// N-38: what all use together is shared by children.
    @Test("A metric shares by its readings, and a whole month's by all of them")
    func metric() throws {
        let meters = [
            reading("CHILDREN", "a", "1", "2026-11-09"), reading("CHILDREN", "b", "3", "2026-11-09"),
            reading("CHILDREN", "a", "2", "2026-11-10"), reading("CHILDREN", "b", "2", "2026-11-10"),
            reading("CHILDREN", "x", "5", "2026-11-10", ["subject_kind": "branch"]), reading("OTHER", "c", "9", "2026-11-09"),
        ]
        let days = ("2026-11-09", "2026-11-10")
        #expect(
            try shares(#"over: "tenant", by: "metric", metric: "CHILDREN""#, meters: meters, days: days) == [
                "2026-11-09 n a: 0.25, shared by CHILDREN", "2026-11-09 n b: 0.75, shared by CHILDREN",
                "2026-11-10 n a: 0.5, shared by CHILDREN", "2026-11-10 n b: 0.5, shared by CHILDREN",
            ])
        #expect(
            try shares(#"over: "tenant", by: "metric", metric: "CHILDREN", every: "month""#, meters: meters, days: days) == [
                "2026-11-09 n a: 0.375, shared by CHILDREN", "2026-11-09 n b: 0.625, shared by CHILDREN",
                "2026-11-10 n a: 0.375, shared by CHILDREN", "2026-11-10 n b: 0.625, shared by CHILDREN",
            ])
        #expect(
            try shares(#"over: "tenant", by: "equal", metric: "CHILDREN""#, meters: meters, days: ("2026-11-09", "2026-11-09"))
                == [
                    "2026-11-09 n a: 0.5, shared by CHILDREN", "2026-11-09 n b: 0.5, shared by CHILDREN",
                ])
    }

    /// N-40, N-42: so much for each child, so much for each kindergarten.
    @Test("What is paid for each is multiplied, not shared")
    func each() throws {
        let meters = [
            reading("CHILDREN", "a", "40", "2026-11-09"), reading("CHILDREN", "b", "0", "2026-11-09"),
            reading("CHILDREN", "c", "2.5", "2026-11-09"),
        ]
        let days = ("2026-11-09", "2026-11-09")
        #expect(
            try shares(
                #"over: "tenant", by: "unit", metric: "CHILDREN""#, meters: meters, amount: #"amount: ["0.05", "0.1"]"#,
                days: days) == [
                    "2026-11-09 n a: 2 to 4, for each CHILDREN", "2026-11-09 n c: 0.125 to 0.25, for each CHILDREN",
                ])
        #expect(
            try shares(
                #"over: "tenant", by: "each", metric: "CHILDREN""#, meters: meters, amount: #"amount: ["15", "30"]"#, days: days)
                == [
                    "2026-11-09 n a: 15 to 30, for each CHILDREN", "2026-11-09 n c: 15 to 30, for each CHILDREN",
                ])
        #expect(try shares(#"over: "tenant", by: "each""#, days: days).isEmpty)
    }

    @Test("With nobody to share it with the amount stays on a line of its own that says so")
    func nobody() throws {
        #expect(
            try shares(#"over: "tenant", by: "metric", metric: "CHILDREN""#, days: ("2026-11-09", "2026-11-09")) == [
                "2026-11-09 n: 1, nobody to share it with (shared by CHILDREN): it stays with all"
            ])
    }

    /// N-80: a missing day is that of the day before, and flagged.
    @Test("A missing reading is carried forward for the share, and flagged")
    func carried() throws {
        let meters = [
            reading("CHILDREN", "a", "1", "2026-11-09"), reading("CHILDREN", "b", "3", "2026-11-09"),
            reading("CHILDREN", "a", "1", "2026-11-10"), reading("CHILDREN", "b", "3", "2026-11-11"),
        ]
        #expect(
            try shares(#"over: "tenant", by: "metric", metric: "CHILDREN""#, meters: meters, days: ("2026-11-10", "2026-11-10"))
                == [
                    "2026-11-10 n a: 0.25, shared by CHILDREN, with readings carried forward",
                    "2026-11-10 n b: 0.75, shared by CHILDREN, with readings carried forward",
                ])
    }

    @Test("Shares add up to the amount, whatever the measures", arguments: 1...30)
    func property(_ seed: Int) throws {
        var state = UInt64(seed)
        func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let tenants = (0...below(30)).map { "t\($0)" }
        let meters = tenants.map { reading("CHILDREN", $0, "\(1 + below(1 << 30)).\(1 + below(999))", "2026-11-09") }
        let (low, more) = (Int128(below(1 << 30)) * Int128(below(1 << 20)), Int128(below(5)))
        let amount = #"amount: ["\#(Money(units: low))", "\#(Money(units: low + more))"], per: "day""#
        let book = try book(of: [])
        let cost = try fixedCost(amount + #", share: { over: "tenant", by: "metric", metric: "CHILDREN" }"#, book)
        let lines = try others("2026-11-09", "2026-11-09", book, fixed: [cost], meters: meters, unbilled: ["CHILDREN"])
        #expect(
            lines.count == tenants.count
                && lines.total.amount == MoneyRange(low: Money(units: low), high: Money(units: low + more)))
        #expect(lines.map(\.tenant) == tenants.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test("Shares of the largest amounts and measures do not overflow")
    func large() {
        let (amount, whole) = (Int128.max, Int128.max - 1)
        #expect(floorShare(amount, whole, of: whole) == amount)
        #expect(floorShare(amount, whole / 2, of: whole) == amount / 2)
        #expect(floorShare(7, 0, of: 3) == 0)
    }

    @Test("A dimension that usage lacks is refused with its place")
    func unknownDimension() throws {
        let book = try book(of: [])
        let cost = try fixedCost(#"amount: "1", per: "day", share: { over: "tenants", by: "equal" }"#, book)
        #expect(
            sentence { try cost.share?.check(["plan", "tenant"]) }
                == "job:1:61: There is no dimension \"tenants\" to share over. Did you mean \"tenant\"? Dimensions are plan and tenant."
        )
    }
}
