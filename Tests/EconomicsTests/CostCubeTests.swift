import Common
import Lake
import Testing

@testable import Economics

@Suite struct CostCubeTests {
    private let prices = [Price(#"input: "1", output: ["4", "5"]"#)]

    private func rows(_ more: [Row] = []) -> [Row] {
        [
            call(["input_tokens": "5", "output_tokens": "7", "feature": "a", "user": "u1"]),
            call(["cache_read_tokens": "3", "model": "x", "tenant": "t"]),
            call(["ts": "2026-11-10T00:30:00Z", "input_tokens": "1"]),
            call(["ts": "2026-11-08T23:30:00Z", "input_tokens": "9", "service_tier": "batch", "route": "r", "environment": "e"]),
        ] + more
    }

    private func subscription(_ plan: String) -> Row {
        [
            "kind": "subscription", "id": "s1", "updated_at": "2026-11-01T00:00:00Z", "parent": "u1", "plan": plan,
            "attributes": #"{"started_at":"2026-10-01"}"#,
        ]
    }

    private func model(_ prices: [Price]? = nil, knownAsOf: Day? = nil) throws -> CostModel {
        let lookup = try Lookup(
            planOf: try ConfigObject(
                try parseJSON5(Array(#"{ from: "subscription", starts: "started_at" }"#.utf8), path: "job"), Lookup.planSchema))
        return costModel(
            try priceBook(prices ?? self.prices), zone: try Zone(named: "Europe/Berlin"), plans: lookup, knownAsOf: knownAsOf)
    }

    private func week() throws -> Period { try period("2026-11-08", "2026-11-11") }

    private func cacheFiles(_ lake: Lake) throws -> [String] { try names(in: lake.home + "/cache/kalei/costs") }

    /// A lake with rows and a subscription, whose days of the week are in the cache.
    private func withFilled(_ work: (Lake, CostCube) throws -> Void) throws {
        try withLake { lake in
            try lake.store(rows())
            try lake.store([subscription("prism")], log: .snapshots)
            let cube = try CostCube(try model(), lake)
            try cube.fill(try week())
            try work(lake, cube)
        }
    }

    @Test("What the cache holds is what the rows give, empty days included")
    func equal() throws {
        try withFilled { lake, cube in
            let direct = try rollUpCosts(CostQuery(period: try week(), every: .day, by: CostCube.dimensions), try model(), lake)
            #expect(direct.count == 4 && direct.map(\.keys).contains(["t", nil, nil, nil, "p", "x", nil, nil]))
            #expect(try cube.rows(of: try week()) == direct)
            #expect(try cacheFiles(lake).map { $0.prefix(11) } == ["2026-11-08-", "2026-11-09-", "2026-11-10-", "2026-11-11-"])
        }
    }

    @Test("Figures come from the cache, and from the rows where a file of it is damaged or gone")
    func source() throws {
        try withFilled { lake, cube in
            let before = try cube.rows(of: try week())
            // Were they added up again, this would be gone.
            let ninth = try #require(try cacheFiles(lake).first { $0.hasPrefix("2026-11-09") })
            let tenth = try #require(try cacheFiles(lake).first { $0.hasPrefix("2026-11-10") })
            let folder = lake.home + "/cache/kalei/costs/"
            let bytes = try readFile(folder + tenth, as: "cache")
            try writeNew(bytes, to: folder + ninth)
            #expect(
                try cube.rows(of: try period("2026-11-09", "2026-11-09")).total.tokens
                    == before.filter { $0.period.first.description == "2026-11-10" }.total.tokens)
            try writeNew(Array(bytes.prefix(100)), to: folder + ninth)
            #expect(try cube.rows(of: try week()) == before)
            try removeTree(folder)
            #expect(try cube.rows(of: try week()) == before)
        }
    }

    @Test("A filled day is not written again")
    func once() throws {
        try withFilled { lake, cube in
            let before = try cacheFiles(lake).map { FileSignature(of: "\(lake.home)/cache/kalei/costs/\($0)") }
            try cube.fill(try week())
            #expect(try cacheFiles(lake).map { FileSignature(of: "\(lake.home)/cache/kalei/costs/\($0)") } == before)
        }
    }

    @Test("A changed row gives new files to the local days that its lake day touches, and to no other; the old ones are swept")
    func changedRow() throws {
        try withFilled { lake, _ in
            let before = try cacheFiles(lake)
            try lake.store(rows([call(["ts": "2026-11-10T12:00:00Z", "input_tokens": "100"])]))
            let cube = try CostCube(try model(), lake)
            try cube.fill(try week())
            let after = try cacheFiles(lake)
            // The 10th in Berlin lies on the lake days 9 and 10; the 11th begins on the 10th.
            #expect(zip(before, after).map { $0 == $1 } == [true, true, false, false])
            #expect(after.count == 4)
            #expect(try cube.rows(of: try week()).total.tokens[0] == 115)
        }
    }

    @Test("A changed price, and what is known of it, give new files to every day")
    func changedPrice() throws {
        try withFilled { lake, cube in
            let before = try cube.inputs(of: try week())
            let dearer = try CostCube(try model([Price(#"input: "2", output: ["4", "5"]"#)]), lake)
            #expect(try dearer.inputs(of: try week()) != before)
            #expect(try dearer.rows(of: try week()).total.cost.low == Money("0.00004"))
            let day = try #require(Day("2025-12-31"))
            let earlier = try CostCube(try model(knownAsOf: day), lake)
            #expect(try earlier.inputs(of: try week()) != before)
            #expect(try earlier.rows(of: try week()).total.cost.low == .zero)
            #expect(try CostCube(try model(), lake).inputs(of: try week()) == before)
        }
    }

    @Test("A changed plan gives other figures, and a changed user or goal does too, for plans are found among snapshots")
    func changedPlan() throws {
        try withFilled { lake, cube in
            let before = try cube.inputs(of: try week())
            #expect(try cube.rows(of: try week()).compactMap { $0.keys[2] } == ["prism"])
            try lake.store([subscription("prism_plus")], log: .snapshots)
            let changed = try CostCube(try model(), lake)
            #expect(try changed.inputs(of: try week()) != before)
            #expect(try changed.rows(of: try week()).compactMap { $0.keys[2] } == ["prism_plus"])
        }
    }
}
