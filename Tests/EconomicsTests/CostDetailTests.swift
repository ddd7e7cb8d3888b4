import Common
import Lake
import TestSupport
import Testing

@testable import Economics

@Suite struct CostDetailTests {
    private let book = [Price(#"input: "1""#)]

    private func table(
        _ rows: [Row], every grain: Grain = .all, by dimensions: [String] = [], with details: Set<CostDetail> = [],
        zone: String = "UTC", _ days: (String, String) = ("2026-01-01", "2026-12-31"), columns: [ColumnSpec] = [],
        where filters: [(String, String)] = [], threads: Int = 1
    ) throws -> CostTable {
        var table = CostTable(rows: [], total: nil)
        try withLake { lake in
            try lake.store(rows, columns: columns)
            let query = CostQuery(period: try period(days.0, days.1), every: grain, by: dimensions, where: filters, with: details)
            let model = costModel(try priceBook(book), zone: try Zone(named: zone), columns: columns)
            table = try tabulateCosts(query, model, lake, threads: threads)
        }
        return table
    }

    @Test("Hours are those of the zone's clock: a day has 25 where it is set back, and the hour that comes twice has two offsets")
    func hourSetBack() throws {
        let rows = [
            "2026-10-24T22:00:00Z", "2026-10-25T00:10:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z",
            "2026-10-25T22:59:59Z",
        ]
        .map { call(["ts": $0, "input_tokens": "1"]) }
        let table = try table(rows, every: .hour, zone: "Europe/Berlin", ("2026-10-25", "2026-10-25"))
        #expect(
            table.rows.map { "\($0.label) \($0.measures.requests)" } == [
                "2026-10-25T00:00+02:00 1", "2026-10-25T02:00+02:00 2", "2026-10-25T02:00+01:00 1", "2026-10-25T23:00+01:00 1",
            ])
        #expect(table.total?.measures.requests == 5)
    }

    @Test(
        "So many hours has a day",
        arguments: [
            ("Europe/Berlin", "2026-10-25", 25, "2026-10-25T00:00+02:00", "2026-10-25T23:00+01:00"),
            ("Europe/Berlin", "2026-03-29", 23, "2026-03-29T00:00+01:00", "2026-03-29T23:00+02:00"),
            ("Europe/Berlin", "2026-11-09", 24, "2026-11-09T00:00+01:00", "2026-11-09T23:00+01:00"),
            ("Asia/Kolkata", "2026-11-09", 24, "2026-11-09T00:00+05:30", "2026-11-09T23:00+05:30"),
            // The clock goes back by half an hour, so that 01:30 to 02:00 comes twice.
            ("Australia/Lord_Howe", "2026-04-05", 25, "2026-04-05T00:00+11:00", "2026-04-05T23:00+10:30"),
            ("UTC", "2026-11-09", 24, "2026-11-09T00:00+00:00", "2026-11-09T23:00+00:00"),
        ])
    func hours(_ zone: String, _ day: String, _ count: Int, _ first: String, _ last: String) throws {
        let zone = try Zone(named: zone)
        let hours = zone.hours(of: try #require(Day(day)))
        #expect(hours.count == count)
        #expect(zone.hourLabel(hours[0]) == first && zone.hourLabel(hours[hours.count - 1]) == last)
    }

    @Test(
        "Percentiles are values that occurred, by the nearest rank; what has none is counted",
        arguments: [
            ([5], "5 5 5, 0"), ([1, 2], "1 2 2, 0"), ([], "nil nil nil, 0"), ([nil, 7], "7 7 7, 1"),
            ([nil, nil], "nil nil nil, 2"),
            (Array(1...100), "50 95 99, 0"), (Array((1...101).reversed()), "51 96 100, 0"),
            ([3, 1, 3, 3, nil, 900], "3 900 900, 1"),
        ] as [([Int?], String)])
    func percentiles(_ values: [Int?], _ expected: String) throws {
        var counts = ValueCounts()
        for value in values { counts.add(value.map { Int64($0) }) }
        func words(_ found: Percentiles) -> String {
            [found.p50, found.p95, found.p99].map { $0.map { String($0) } ?? "nil" }.joined(separator: " ") + ", \(found.unknown)"
        }
        #expect(words(counts.percentiles) == expected)
        var halves = (ValueCounts(), ValueCounts())
        for (index, value) in values.enumerated() {
            if index % 3 == 0 { halves.0.add(value.map { Int64($0) }) } else { halves.1.add(value.map { Int64($0) }) }
        }
        halves.0.add(halves.1)
        #expect(words(halves.0.percentiles) == expected)
    }

    @Test("Percentiles of many values are those of all of them sorted")
    func manyValues() throws {
        var state: UInt64 = 5
        let values = (0..<50_000).map { _ -> Int64 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % ((state >> 60) > 3 ? 300 : 1_000_000)
        }
        var counts = ValueCounts()
        for value in values { counts.add(value) }
        let sorted = values.sorted()
        #expect(counts.percentiles == Percentiles(p50: sorted[24_999], p95: sorted[47_499], p99: sorted[49_499], unknown: 0))
    }

    @Test("Each group has its own percentiles, and the last row those of all rows")
    func latency() throws {
        let rows =
            [("a", 10), ("a", 20), ("b", 1000)].map { call(["feature": $0.0, "latency_ms": String($0.1)]) }
            + [call(["feature": "b"])]
        let table = try table(rows, by: ["feature"], with: [.latency, .firstToken])
        #expect(table.rows.map(\.latency?.p50) == [10, 1000] && table.rows.map(\.latency?.unknown) == [0, 1])
        #expect(table.total?.latency == Percentiles(p50: 20, p95: 1000, p99: 1000, unknown: 1))
        #expect(table.total?.firstToken == Percentiles(p50: nil, p95: nil, p99: nil, unknown: 4))
    }

    @Test("A status that is none of a success is an error, whatever its case; a request without a status is neither")
    func errors() throws {
        let rows = ["ok", "OK", "Done", "success", "timeout", "rate_limited", ""].map { call(["status": $0]) } + [call([:])]
        let whole = try #require(try table(rows, with: [.outcomes]).total?.measures)
        #expect(whole.errors == 3 && whole.withStatus == 7 && whole.errorShare == ExactDecimal("0.4286"))
        #expect(try table([call([:])], with: [.outcomes]).total?.measures.errorShare == nil)
    }

    @Test("A retry is a request that was not the first attempt")
    func retries() throws {
        let rows = ["1", "2", "3", "0"].map { call(["attempt": $0]) } + [call([:])]
        #expect(try table(rows, with: [.outcomes]).total?.measures.retries == 2)
    }

    @Test("Tenants are counted once in each row, and once over all")
    func tenants() throws {
        let rows =
            [("a", "s"), ("a", "t"), ("b", "t"), ("b", "t")].map { call(["feature": $0.0, "tenant": $0.1]) } + [call([:])]
        let table = try table(rows, by: ["feature"], with: [.tenants])
        #expect(table.rows.map(\.tenants) == [0, 2, 1] && table.total?.tenants == 2)
    }

    @Test("The job's own flags and counts are dimensions by their text")
    func ownColumns() throws {
        let columns = [ColumnSpec("x_poll", .bool), ColumnSpec("x_step", .int64)]
        let rows = [("true", "2"), ("false", "10"), ("true", "2")].map { call(["x_poll": $0.0, "x_step": $0.1]) } + [call([:])]
        let found = try table(rows, by: ["poll", "step"], columns: columns)
        #expect(found.rows.map { $0.keys.map { $0 ?? "-" }.joined(separator: " ") } == ["- -", "false 10", "true 2"])
        #expect(try table(rows, columns: columns, where: [("poll", "true")]).total?.measures.requests == 2)
    }
}
