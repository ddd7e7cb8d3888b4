import Common
import Lake
import TestSupport
import Testing

@testable import Economics

@Suite struct CostCubeTests {
    private let prices = [Price(#"input: "1", output: ["4", "5"]"#)]

    private func rows(_ more: [Row] = []) -> [Row] {
        [
            call(["input_tokens": "5", "output_tokens": "7", "feature": "a", "user": "u1", "status": "ok"]),
            call(["cache_read_tokens": "3", "model": "x", "tenant": "t", "user": "u2", "attempt": "2", "status": "Timeout"]),
            call(["ts": "2026-11-10T00:30:00Z", "input_tokens": "1", "user": "u1", "status": "OK"]),
            call([
                "ts": "2026-11-08T23:30:00Z", "input_tokens": "9", "service_tier": "batch", "route": "r", "environment": "e",
                "user": "u3", "tenant": "t",
            ]),
            call(["ts": "2026-11-11T10:00:00Z", "quantity": "2.5", "unit": "second", "model": "w", "user": "u2", "tenant": "s"]),
        ] + more
    }

    private func subscription(_ plan: String) -> Row {
        [
            "kind": "subscription", "id": "s1", "updated_at": "2026-11-01T00:00:00Z", "parent": "u1", "plan": plan,
            "attributes": #"{"started_at":"2026-10-01"}"#,
        ]
    }

    private func model(_ prices: [Price]? = nil, knownAsOf: Day? = nil, sets: [[String]] = [["feature", "plan"]]) throws
        -> CostModel
    {
        try model(try priceBook(prices ?? self.prices), knownAsOf: knownAsOf, sets: sets)
    }

    private func model(_ book: PriceBook, knownAsOf: Day? = nil, sets: [[String]] = [["feature", "plan"]]) throws -> CostModel {
        let lookup = try Lookup(
            planOf: try ConfigObject(
                try parseJSON5(Array(#"{ from: "subscription", starts: "started_at" }"#.utf8), path: "job"), Lookup.planSchema))
        return CostModel(
            job: "kalei", zone: try Zone(named: "Europe/Berlin"), currency: "USD", book: book, lookups: [lookup], jobColumns: [],
            knownAsOf: knownAsOf, userSets: sets)
    }

    private func week() throws -> Period { try period("2026-11-08", "2026-11-11") }

    private let costsFolder = "/cache/kalei/costs/"

    private func cacheFiles(_ lake: Lake, _ folder: String = "costs") throws -> [String] {
        try names(in: lake.home + "/cache/kalei/" + folder)
    }

    /// A lake with rows and a subscription, whose days of the week are in the cache.
    private func withFilled(_ work: (Lake, CostCube) throws -> Void) throws {
        try withLake { lake in
            try lake.store(rows())
            try lake.store([subscription("prism")], log: .snapshots)
            let cube = CostCube(try model(), lake)
            try cube.fill(try week())
            try work(lake, cube)
        }
    }

    /// Takes the rows away, so that whatever still comes comes from the cache.
    private func removeRows(_ lake: Lake) throws { try removeTree(lake.home + "/lake/kalei/usage") }

    private func queries() throws -> [CostQuery] {
        let (filter, both): ([(String, String)], Set<CostDetail>) = ([("feature", "a")], [.users, .tenants, .outcomes])
        return try [
            CostQuery(period: week(), every: .day, by: CostCube.dimensions, with: [.outcomes, .tenants]),
            CostQuery(period: week(), every: .all, by: [], with: both),
            CostQuery(period: week(), every: .day, by: ["plan"], with: both),
            CostQuery(period: week(), every: .week, by: ["feature"], where: [("plan", "")], with: both),
            CostQuery(period: week(), every: .month, by: ["plan", "feature"], where: filter, with: both),
            CostQuery(period: period("2026-11-10", "2026-11-11"), every: .all, by: ["plan"], with: both),
            CostQuery(period: week(), every: .all, by: ["model"], where: [("tenant", "t"), ("model", "x")], with: [.tenants]),
            CostQuery(period: week(), every: .all, by: ["plan"], where: [("plan", "nobody's")], with: both),
        ]
    }

    private func expectTheSame(_ cube: CostCube, _ lake: Lake) throws {
        for query in try queries() {
            let direct = try tabulateCosts(query, cube.model, lake)
            #expect(try cube.table(query) == direct, "\(query.dimensions) \(query.grain)")
        }
    }

    @Test("What the cache holds is what the rows give, empty days included")
    func equal() throws {
        try withFilled { lake, cube in
            let direct = try rollUpCosts(
                CostQuery(period: try week(), every: .day, by: CostCube.dimensions, with: [.outcomes]), try model(), lake)
            #expect(direct.count == 5 && direct.map(\.keys).contains(["t", nil, nil, nil, "p", "x", nil, nil]))
            #expect(try cube.rows(of: try week()) == direct)
            #expect(try cacheFiles(lake).map { $0.prefix(11) } == ["2026-11-08-", "2026-11-09-", "2026-11-10-", "2026-11-11-"])
            #expect(try cacheFiles(lake, "users") == ["all", "feature+plan", "registry.parquet"])
            try expectTheSame(cube, lake)
        }
    }

    @Test("Every figure comes from the cache: it is the same when the rows cannot be read")
    func source() throws {
        try withFilled { lake, cube in
            let before = try queries().map { try tabulateCosts($0, cube.model, lake) }
            try removeRows(lake)
            #expect(try queries().map { try cube.table($0) } == before)
            #expect(before[1].rows[0].users == 3 && before[1].rows[0].tenants == 2)
            #expect(before[1].rows[0].measures.retries == 1 && before[1].rows[0].measures.errors == 1)
            #expect(before[1].rows[0].measures.withStatus == 3)
            #expect(before[1].rows[0].measures.quantities == ["second": 2_500_000_000_000])
        }
    }

    @Test("What the cache does not hold is said in words")
    func obstacles() throws {
        try withFilled { _, cube in
            let (week, all): (Period, Grain) = (try self.week(), .all)
            func obstacle(_ query: CostQuery) -> String? { cube.obstacle(to: query) }
            #expect(obstacle(CostQuery(period: week, every: .hour, by: [])) == "hours are")
            #expect(obstacle(CostQuery(period: week, every: all, by: ["region"])) == "region is")
            #expect(obstacle(CostQuery(period: week, every: all, by: [], where: [("user", "u1")])) == "user is")
            #expect(obstacle(CostQuery(period: week, every: all, by: [], with: [.latency])) == "percentiles are")
            #expect(obstacle(CostQuery(period: week, every: all, by: ["model"])) == nil)
            #expect(
                obstacle(CostQuery(period: week, every: all, by: ["model"], with: [.users]))
                    == "users by model, for which the report declares no table, are")
        }
    }

    /// What may happen to a file of the cache: its path below cache/kalei, and the folder it lies in.
    private static let harms: [(name: String, harm: @Sendable (_ file: String, _ other: String) throws -> Void)] = [
        ("is gone", { file, _ in try removeTree(file) }),
        ("is empty", { file, _ in try writeNew([], to: file) }),
        ("is cut off", { file, _ in try writeNew(Array(try readFile(file, as: "cache").dropLast(1)), to: file) }),
        (
            "is cut in half",
            { file, _ in
                let bytes = try readFile(file, as: "cache")
                try writeNew(Array(bytes.prefix(bytes.count / 2)), to: file)
            }
        ),
        (
            "has one bit turned",
            { file, _ in
                var bytes = try readFile(file, as: "cache")
                bytes[bytes.count / 8] ^= 1
                try writeNew(bytes, to: file)
            }
        ),
        ("holds another day", { file, other in try writeNew(try readFile(other, as: "cache"), to: file) }),
        (
            "is another day's under its own name",
            { file, other in
                try removeTree(file)
                let name = other.split(separator: "-").last.map(String.init) ?? ""
                try writeNew(try readFile(other, as: "cache"), to: "\(file.dropLast(name.count))\(name)")
            }
        ),
        ("is something else", { file, _ in try writeNew(Array("hello".utf8), to: file) }),
    ]

    @Test(
        "A file of the cache that is damaged or foreign is never believed, and the next run makes it anew",
        arguments: Array(harms.indices), ["costs", "users/feature+plan", "users/all"])
    func damaged(_ harm: Int, _ folder: String) throws {
        try withFilled { lake, cube in
            let files = try cacheFiles(lake, folder)
            let path = lake.home + "/cache/kalei/\(folder)/"
            try CostCubeTests.harms[harm].harm(path + files[1], path + files[2])
            try expectTheSame(cube, lake)
            try cube.fill(try week())
            #expect(try cacheFiles(lake, folder) == files)
            try removeRows(lake)
            #expect(try cube.rows(of: try week()).total.tokens[0] == 15)
            #expect(try cube.table(CostQuery(period: try week(), every: .all, by: ["plan"], with: [.users])).total?.users == 3)
        }
    }

    @Test("A filled day is not written again")
    func once() throws {
        try withFilled { lake, cube in
            let all = try files(below: lake.home + "/cache")
            let before = all.map { FileSignature(of: "\(lake.home)/cache/\($0)") }
            try cube.fill(try week())
            #expect(try files(below: lake.home + "/cache") == all)
            #expect(all.map { FileSignature(of: "\(lake.home)/cache/\($0)") } == before)
        }
    }

    @Test("A changed row gives new files to the local days that its lake day touches, and to no other; the old ones are swept")
    func changedRow() throws {
        try withFilled { lake, _ in
            let before = try cacheFiles(lake)
            try lake.store(rows([call(["ts": "2026-11-10T12:00:00Z", "input_tokens": "100"])]))
            let cube = CostCube(try model(), lake)
            try expectTheSame(cube, lake)
            try cube.fill(try week())
            let after = try cacheFiles(lake)
            // The 10th in Berlin lies on the lake days 9 and 10; the 11th begins on the 10th.
            #expect(zip(before, after).map { $0 == $1 } == [true, true, false, false])
            #expect(after.count == 4)
            #expect(try cube.rows(of: try week()).total.tokens[0] == 115)
        }
    }

    // MARK: - Prices

    private struct Change {
        let name: String
        let prices: [Price]
        /// Which of the four days it touches.
        let touches: [Bool]
    }

    private static let own = Price(#"input: "1", output: ["4", "5"]"#)
    private static let changes = [
        Change(name: "another rate", prices: [Price(#"input: "2", output: ["4", "5"]"#)], touches: [false, true, true, false]),
        // Berlin's 10th begins on the lake's 9th.
        Change(
            name: "another rate from a day on",
            prices: [
                Price(#"input: "1", output: ["4", "5"]"#, validTo: "2026-11-09"),
                Price(#"input: "2", output: ["4", "5"]"#, validFrom: "2026-11-10"),
            ], touches: [false, false, true, false]),
        Change(
            name: "another model's price", prices: [own, Price(#"input: "3""#, model: #""other""#)],
            touches: [false, false, false, false]),
        Change(
            name: "another provider's price", prices: [own, Price(#"input: "3""#, provider: "q")],
            touches: [false, false, false, false]),
        Change(
            name: "a price of a time that is over", prices: [own, Price(#"input: "9""#, model: #""x""#, validTo: "2026-10-31")],
            touches: [false, false, false, false]),
        Change(
            name: "the first price of a model", prices: [own, Price(#"cache_read: "3""#, model: #""x""#)],
            touches: [false, true, false, false]),
        Change(
            name: "the first price of a tier", prices: [own, Price(#"input: "3""#, more: #"tier: "batch","#)],
            touches: [false, true, false, false]),
        Change(
            name: "the same rate, learned anew", prices: [Price(#"input: "1", output: ["4", "5"]"#, knownFrom: "2026-02-01")],
            touches: [false, false, false, false]),
        Change(
            name: "a threshold", prices: [own, Price(#"input: "3""#, more: "above_input_tokens: 4,")],
            touches: [false, true, true, false]),
    ]

    @Test("A changed price makes anew the days that asked for it, and no other", arguments: changes.indices)
    func changedPrice(_ index: Int) throws {
        let change = CostCubeTests.changes[index]
        try withFilled { lake, cube in
            let (files, inputs) = (try cacheFiles(lake), try cube.inputs(of: try week()))
            let users = try cacheFiles(lake, "users/all").map { FileSignature(of: "\(lake.home)/cache/kalei/users/all/\($0)") }
            let changed = CostCube(try model(change.prices), lake)
            let untouched = change.touches == [false, false, false, false]
            #expect((try changed.inputs(of: try week()) == inputs) == untouched, "\(change.name)")
            try expectTheSame(changed, lake)
            try changed.fill(try week())
            let after = try cacheFiles(lake)
            // A day without such a row may be made anew with the same content: then its name stays.
            #expect(zip(files, after).map { $0 != $1 } == change.touches, "\(change.name)")
            try expectTheSame(changed, lake)
            // Who was there does not depend on prices.
            #expect(
                try cacheFiles(lake, "users/all").map { FileSignature(of: "\(lake.home)/cache/kalei/users/all/\($0)") } == users)
        }
    }

    @Test(
        "Prices known on a day are served from the cache where they are those that it was made with, and from the rows where not")
    func knownAsOf() throws {
        try withFilled { lake, _ in
            let (before, after) = (try #require(Day("2025-12-31")), try #require(Day("2026-01-01")))
            let early = CostCube(try model(knownAsOf: before), lake)
            #expect(try early.rows(of: try week()).total.cost.low == .zero)
            try expectTheSame(early, lake)
            try removeRows(lake)
            let late = CostCube(try model(knownAsOf: after), lake)
            #expect(try late.rows(of: try week()).total.cost.low == Money("0.000034"))
        }
    }

    @Test("Where a price has volume tiers, a day depends on the days before it in its month")
    func tiers() throws {
        let book = try priceBook(
            #"""
            { currency: "USD", prices: [{ provider: "p", model: "w", bands: [{ up_to: "60", rate: "1" }, { rate: "0.5" }],
              per: "second", valid_from: "2026-01-01", known_from: "2026-01-01", source: "a test" }] }
            """#)
        try withLake { lake in
            let late = call(["ts": "2026-11-11T10:00:00Z", "quantity": "50", "unit": "second", "model": "w"])
            try lake.store([late])
            let cube = CostCube(try model(book), lake)
            try cube.fill(try week())
            #expect(try cube.rows(of: try week()).total.cost.low == Money("50"))
            try lake.store([late, call(["ts": "2026-11-02T10:00:00Z", "quantity": "20", "unit": "second", "model": "w"])])
            #expect(try cube.rows(of: try week()).total.cost.low == Money("45"))
        }
    }

    // MARK: - Snapshots and users

    @Test("A changed plan gives other figures, for plans are found among snapshots")
    func changedPlan() throws {
        try withFilled { lake, cube in
            let before = try cube.inputs(of: try week())
            #expect(try cube.rows(of: try week()).compactMap { $0.keys[2] } == ["prism", "prism"])
            try lake.store([subscription("prism_plus")], log: .snapshots)
            let changed = CostCube(try model(), lake)
            #expect(try changed.inputs(of: try week()) != before)
            #expect(try changed.rows(of: try week()).compactMap { $0.keys[2] } == ["prism_plus", "prism_plus"])
            try changed.fill(try week())
            try expectTheSame(changed, lake)
        }
    }

    @Test("A new dump touches the days on which lookups find something else, and no other, whoever worked out what they find")
    func dumps() throws {
        try withFilled { lake, _ in
            func inputs() throws -> [Digest] {
                try week().days.map { try CostCube(model(), lake).inputs(of: Period(first: $0, last: $0)) }
            }
            let before = try inputs()
            try lake.store([subscription("prism").merging(["updated_at": "2026-11-09T00:00:00Z"]) { $1 }], log: .snapshots)
            #expect(try inputs() == before)
            // Another agreement begins on Tuesday at noon.
            let second = [
                "id": "s2", "updated_at": "2026-11-11T00:00:00Z", "attributes": #"{"started_at":"2026-11-10T12:00:00Z"}"#,
            ]
            try lake.store([subscription("prism_plus").merging(second) { $1 }], log: .snapshots)
            let after = try inputs()
            #expect(zip(before, after).map { $0 == $1 } == [true, true, false, false])
            // No: in the evening.
            let evening = second.merging(["attributes": #"{"started_at":"2026-11-10T18:00:00Z"}"#]) { $1 }
            try lake.store([subscription("prism_plus").merging(evening) { $1 }], log: .snapshots)
            let corrected = try inputs()
            #expect(corrected[2] != after[2] && corrected[2] != before[2])
            try CostCube(try model(), lake).fill(try week())
            let filled = try inputs()
            #expect(filled[..<2] == before[..<2])
            try expectTheSame(CostCube(try model(), lake), lake)
            // What was kept of the lookups says what the snapshots say, and a damaged one is not believed.
            let folder = lake.home + "/cache/kalei/lookups"
            let kept = folder + "/" + (try #require(try names(in: folder).first))
            #expect(try names(in: folder).count == 1)
            var bytes = try readFile(kept, as: "lookups")
            bytes[bytes.count - 1] = bytes[bytes.count - 1] == 0x30 ? 0x31 : 0x30
            try removeTree(kept)
            #expect(try inputs() == filled)
            try writeNew(bytes, to: kept)
            #expect(try inputs() == filled)
        }
    }

    @Test(
        "Some days from the cache and some from the rows give the same, also of users who are in both and in neither's registry")
    func mixed() throws {
        try withFilled { lake, cube in
            let late = [
                call(["ts": "2026-11-11T12:00:00Z", "input_tokens": "1", "user": "u1", "feature": "a"]),
                call(["ts": "2026-11-11T12:00:00Z", "input_tokens": "1", "user": "new", "feature": "a", "tenant": "z"]),
            ]
            try lake.store(rows(late))
            try expectTheSame(cube, lake)
            let all = try cube.table(CostQuery(period: try week(), every: .all, by: [], with: [.users, .tenants]))
            #expect(all.total?.users == 4 && all.total?.tenants == 3)
        }
    }

    @Test("Without its registry, or with another, what the cache says of users is not believed, and is made anew")
    func lostRegistry() throws {
        try withFilled { lake, cube in
            let path = lake.home + "/cache/kalei/users/registry.parquet"
            let own = try readFile(path, as: "registry")
            let query = CostQuery(period: try week(), every: .all, by: [], with: [.users])
            func isServed() throws -> Bool {
                try exchange(lake.home + "/lake/kalei/usage", with: lake.home + "/away")
                defer { try? exchange(lake.home + "/away", with: lake.home + "/lake/kalei/usage") }
                return (try? cube.table(query)) != nil
            }
            #expect(try isServed())
            // Another registry, of other users.
            try removeTree(path)
            var other = UserRegistry(home: lake.home, job: "kalei")
            try other.add(["somebody", "u1"])
            #expect(try !isServed())
            try expectTheSame(cube, lake)
            try removeTree(path)
            #expect(try !isServed())
            // One whose names were changed while its marks were not.
            var bytes = own
            let place = try #require(bytes.indices.first { Array(bytes[$0...].prefix(2)) == Array("u2".utf8) })
            bytes[place + 1] = UInt8(ascii: "9")
            try writeNew(bytes, to: path)
            #expect(UserRegistry(home: lake.home, job: "kalei").marks.isEmpty)
            try cube.fill(try week())
            #expect(try isServed())
            try expectTheSame(cube, lake)
        }
    }

    @Test("A registry only grows at its end, so that what was kept before still holds")
    func registry() throws {
        try withFilled { lake, cube in
            let first = UserRegistry(home: lake.home, job: "kalei").mark
            try lake.store(rows([call(["ts": "2026-11-12T12:00:00Z", "input_tokens": "1", "user": "a"])]))
            try cube.fill(try period("2026-11-12", "2026-11-12"))
            let marks = UserRegistry.marks(home: lake.home, job: "kalei")
            #expect(first.count == 3 && marks.map(\.count).sorted() == [3, 4] && marks.contains(first))
            try removeRows(lake)
            let query = CostQuery(period: try period("2026-11-09", "2026-11-10"), every: .all, by: [], with: [.users])
            #expect(try cube.table(query).total?.users == 3)
        }
    }

    @Test("A day that was added to, or whose users are lost, is a reason to run; one that is whole is none")
    func inputs() throws {
        try withFilled { lake, cube in
            let before = try cube.inputs(of: try week())
            #expect(try CostCube(try model(), lake).inputs(of: try week()) == before)
            try removeTree(lake.home + "/cache/kalei/users/registry.parquet")
            #expect(try cube.inputs(of: try week()) != before)
            try cube.fill(try week())
            #expect(try cube.inputs(of: try week()) == before)
            try removeTree(lake.home + "/cache")
            #expect(try cube.inputs(of: try week()) != before)
            try cube.fill(try week())
            #expect(try cube.inputs(of: try week()) == before)
        }
    }
}
