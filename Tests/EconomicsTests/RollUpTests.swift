import Common
import Lake
import TestSupport
import Testing

@testable import Economics

@Suite struct RollUpTests {
    private let book = #"input: "1""#

    /// Thousands of calls with awkward numbers, the same in every run.
    private var manyCalls: [Row] {
        var state: UInt64 = 7
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        return (0..<3000).map { index in
            call([
                "ts": "2026-11-\(padded(Int(1 + next(14)), 2))T\(padded(Int(next(24)), 2)):\(padded(Int(next(60)), 2)):00Z",
                "model": ["m", "n", "x"][Int(next(3))],
                "feature": "f\(next(5))", "user": "u\(next(40))", "plan": ["free", "prism"][Int(next(2))],
                "input_tokens": String(next(100_000)), "output_tokens": String(next(3_000)),
            ])
        }
    }

    @Test("Any grouping of the same rows gives the same total, to the last digit")
    func totals() throws {
        try withLake { lake in
            try lake.store(manyCalls)
            let model = costModel(
                try priceBook([
                    Price(#"input: "0.333333333333", output: ["0.0000000007", "0.77777777777777"]"#),
                    Price(#"input: "1.000000000001""#, model: #""n""#),
                ]), zone: try Zone(named: "Europe/Berlin"))
            let period = try period("2026-11-01", "2026-11-14")
            func total(_ grain: Grain, _ dimensions: [String]) throws -> Measures {
                try rollUpCosts(CostQuery(period: period, every: grain, by: dimensions), model, lake).total
            }
            let whole = try total(.all, [])
            #expect(whole.requests > 2900 && whole.cost.low < whole.cost.high && !whole.cost.isComplete)
            for (grain, dimensions) in [
                (Grain.day, []), (.week, []), (.month, []), (.all, ["feature"]), (.all, ["model", "provider"]), (.day, ["user"]),
                (.week, ["plan", "feature", "model"]),
                (.day, ["feature", "user", "plan", "model", "source_file"]),
            ] {
                let found = try total(grain, dimensions)
                #expect(found == whole, "every \(grain) by \(dimensions)")
            }
            let fine = try rollUpCosts(CostQuery(period: period, every: .day, by: ["plan", "feature", "model"]), model, lake)
            #expect(
                try fine.summed(by: [1], over: period)
                    == rollUpCosts(CostQuery(period: period, every: .all, by: ["feature"]), model, lake))
        }
    }

    /// X-06: days and weeks are half-open stretches of the job's zone, also when the clock is set back.
    @Test("The day on which summer time ends has 25 hours, and every call falls on one local day")
    func summerTime() throws {
        try withLake { lake in
            // One call each hour from 24 October 00:30 UTC on, for three days.
            let hours = (0..<72).map { hour in
                call(["ts": "2026-10-\(padded(24 + hour / 24, 2))T\(padded(hour % 24, 2)):30:00Z", "input_tokens": "1000000"])
            }
            try lake.store(hours)
            let book = try priceBook([Price(book)])
            let days = try period("2026-10-23", "2026-10-27")
            func requests(_ zone: String, _ grain: Grain, _ period: Period) throws -> [String] {
                try rollUpCosts(
                    CostQuery(period: period, every: grain, by: []), costModel(book, zone: try Zone(named: zone)), lake
                ).lines
            }
            let berlin = try requests("Europe/Berlin", .day, days)
            #expect(berlin == ["2026-10-24: 22, 22", "2026-10-25: 25, 25", "2026-10-26: 24, 24", "2026-10-27: 1, 1"])
            #expect(try requests("UTC", .day, days) == ["2026-10-24: 24, 24", "2026-10-25: 24, 24", "2026-10-26: 24, 24"])
            #expect(
                try requests("Europe/Berlin", .week, days) == ["2026-10-23_2026-10-25: 47, 47", "2026-10-26_2026-10-27: 25, 25"])
            #expect(try requests("Europe/Berlin", .all, try period("2026-10-25", "2026-10-25")) == ["2026-10-25: 25, 25"])
        }
    }

    @Test("The first and the last moment of a local day belong to it")
    func edges() throws {
        try withLake { lake in
            let times = [
                "2026-11-08T22:59:59.999999Z", "2026-11-08T23:00:00Z", "2026-11-09T22:59:59.999999Z", "2026-11-09T23:00:00Z",
            ]
            try lake.store(times.map { call(["ts": $0, "input_tokens": "1000000"]) })
            let query = CostQuery(period: try period("2026-11-09", "2026-11-09"), every: .day, by: [])
            #expect(
                try rollUpCosts(query, costModel(try priceBook([Price(book)]), zone: try Zone(named: "Europe/Berlin")), lake)
                    .lines == ["2026-11-09: 2, 2"])
        }
    }

    /// X-12: the week over the end of October gives each of its days to its month.
    @Test("A week over a month's end counts once in the week and once in each month's part")
    func months() throws {
        try withLake { lake in
            let days = ["10-26", "10-31", "11-01", "11-02", "11-30"]
            try lake.store(days.map { call(["ts": "2026-\($0)T12:00:00Z", "input_tokens": "1000000"]) })
            let model = costModel(try priceBook([Price(book)]))
            func lines(_ grain: Grain, _ first: String, _ last: String) throws -> [String] {
                try rollUpCosts(CostQuery(period: try period(first, last), every: grain, by: []), model, lake).lines
            }
            let weeks = try lines(.week, "2026-10-26", "2026-11-08")
            #expect(weeks == ["2026-W44: 3, 3", "2026-W45: 1, 1"])
            #expect(
                try lines(.month, "2026-10-26", "2026-11-08") == ["2026-10-26_2026-10-31: 2, 2", "2026-11-01_2026-11-08: 2, 2"])
            #expect(try lines(.month, "2026-10-01", "2026-11-30") == ["2026-10: 2, 2", "2026-11: 3, 3"])
        }
    }

    @Test("Rows come by time, then by their keys' bytes, with what is missing first")
    func order() throws {
        try withLake { lake in
            let features = ["b", "B", "ä", "", "a"]
            try lake.store(
                features.map { call(["feature": $0, "input_tokens": "1000000"]) } + [
                    call(["input_tokens": "1000000"]),
                    call(["ts": "2026-11-08T10:00:00Z", "feature": "z", "input_tokens": "1000000"]),
                ])
            let query = CostQuery(period: try period("2026-11-08", "2026-11-09"), every: .day, by: ["feature"])
            let rows = try rollUpCosts(query, costModel(try priceBook([Price(book)])), lake)
            #expect(
                rows.map { "\($0.period) \($0.keys[0] ?? "null")" } == [
                    "2026-11-08 z", "2026-11-09 null", "2026-11-09 ", "2026-11-09 B", "2026-11-09 a", "2026-11-09 b",
                    "2026-11-09 ä",
                ])
        }
    }

    @Test(
        "Filters keep the rows that meet all of them; an empty value means the rows that do not say",
        arguments: [
            Case("one value that stands twice among few rows", ["feature=a"], 2), Case("another", ["feature=b"], 1),
            Case("a value that nobody has", ["feature=c"], 0), Case("what does not say", ["feature="], 1),
            Case("two filters", ["feature=a", "user=u1"], 1), Case("the job's own column", ["complexity=high"], 1),
            Case("the plan", ["plan=free"], 1), Case("none", [], 4),
        ])
    func filters(_ row: Case<[String], Int>) throws {
        try withLake { lake in
            let columns = [ColumnSpec("x_complexity", .text)]
            try lake.store(
                [
                    call(["feature": "a", "user": "u1", "input_tokens": "1"]),
                    call(["feature": "b", "user": "u2", "x_complexity": "high", "input_tokens": "1"]),
                    call(["feature": "a", "user": "u3", "plan": "free", "input_tokens": "1"]),
                    call(["user": "u1", "input_tokens": "1"]),
                ], columns: columns)
            let filters = row.input.map { $0.split(separator: "=", omittingEmptySubsequences: false) }.map {
                (dimension: String($0[0]), value: String($0[1]))
            }
            let query = CostQuery(period: try wholeYear(), every: .all, by: [], where: filters)
            #expect(
                try rollUpCosts(query, costModel(try priceBook([Price(book)]), columns: columns), lake).total.requests
                    == row.expected)
        }
    }

    @Test("Distinct users are counted over each stretch, not added; who has no name is not counted")
    func users() throws {
        try withLake { lake in
            let rows = [
                ("2026-11-09", "u1"), ("2026-11-09", "u2"), ("2026-11-09", "u1"), ("2026-11-10", "u1"), ("2026-11-10", nil),
            ]
            try lake.store(
                rows.map { day, user in
                    var row = call(["ts": "\(day)T10:00:00Z", "input_tokens": "1"])
                    row["user"] = user
                    return row
                })
            let model = costModel(try priceBook([Price(book)]))
            func users(_ grain: Grain, counting: Bool = true) throws -> [Int?] {
                try rollUpCosts(
                    CostQuery(
                        period: try period("2026-11-09", "2026-11-10"), every: grain, by: [], with: counting ? [.users] : []),
                    model,
                    lake
                ).map(\.users)
            }
            let days = try users(.day)
            #expect(days == [2, 1])
            #expect(try users(.all) == [2])
            #expect(try users(.all, counting: false) == [nil])
        }
    }

    @Test("A job's texts, counts and flags are dimensions under their short names; ids and decimals are none")
    func dimensions() throws {
        let model = costModel(
            try priceBook([Price]()),
            columns: [ColumnSpec("x_complexity", .text), ColumnSpec("x_children", .int64), ColumnSpec("x_fee", .decimal)])
        #expect(
            model.dimensions == [
                "tenant", "user", "plan", "feature", "provider", "model", "region", "environment", "service_tier", "route",
                "status", "outcome", "prefix", "document", "group", "source",
                "source_file", "session", "fingerprint", "unit", "currency", "complexity", "children",
            ])
    }

    @Test("Stretches of time are cut at the ends of the period asked for")
    func grains() throws {
        func buckets(_ grain: Grain, _ first: String, _ last: String) throws -> [String] {
            grain.buckets(of: try period(first, last)).map(\.description)
        }
        let weeks = try buckets(.week, "2026-12-30", "2027-01-05")
        #expect(weeks == ["2026-12-30_2027-01-03", "2027-01-04_2027-01-05"])
        #expect(try buckets(.month, "2026-12-30", "2027-02-01") == ["2026-12-30_2026-12-31", "2027-01", "2027-02-01"])
        #expect(try buckets(.day, "2026-02-28", "2026-03-01") == ["2026-02-28", "2026-03-01"])
        #expect(try buckets(.all, "2026-01-01", "2026-12-31") == ["2026-01-01_2026-12-31"])
    }
}
