import Common
import Ledger
import Testing

@testable import Lake

@Suite struct DedupeIndexTests {
    private let scopes = Digest.of("api=api")

    private func opened(_ lake: Lake, scopes: Digest? = nil) throws -> DedupeIndex? {
        try DedupeIndex(
            home: lake.home, job: "kalei", log: .usage, parts: try lake.parts(job: "kalei", log: .usage),
            scopes: scopes ?? self.scopes)
    }

    /// Stores a day of rows together with the index of their keys.
    private func add(_ keys: [UInt64], day: Int32, _ lake: Lake) throws {
        let index = try #require(try opened(lake))
        let addition = try index.addition(of: counts(keys), lake)
        if let writer = addition.writer { try write(keys, day: day, writer) }
        let staged = try lake.stage(Day(number: day), usageRows("\(day)"))
        let parts = (try lake.parts(job: "kalei", log: .usage).filter { $0.day.number != day } + staged.parts).sorted {
            ($0.day, $0.file) < ($1.day, $1.file)
        }
        try lake.commit(days: [staged], files: try index.finish(addition, parts: parts, lake)) {}
        try DedupeIndex.sweep(home: lake.home, job: "kalei", log: .usage)
    }

    private func counts(_ keys: [UInt64]) -> [Int] {
        (0..<DedupeIndex.divisions).map { division in keys.count { DedupeIndex.division(of: $0) == division } }
    }

    /// From the last division to the first, because any order must do.
    private func write(_ keys: [UInt64], day: Int32, _ writer: RunWriter) throws {
        for division in (0..<DedupeIndex.divisions).reversed() {
            let own = keys.filter { DedupeIndex.division(of: $0) == division }.sorted()
            try writer.write(division: division, hashes: own, days: own.map { _ in day })
        }
    }

    private func days(_ keys: [UInt64], _ lake: Lake) throws -> [[Int32]] {
        let index = try #require(try opened(lake))
        return days(keys, index)
    }

    private func days(_ keys: [UInt64], _ index: DedupeIndex) -> [[Int32]] {
        keys.map { key in
            var reader = IndexReader(index.runs, division: DedupeIndex.division(of: key))
            return reader.days(of: key).sorted()
        }
    }

    private func runs(_ lake: Lake) throws -> [String] {
        try names(in: lake.home + "/index/kalei/usage").filter { $0 != "current" }
    }

    @Test("A key is found on every day that may hold it, whatever run it is in")
    func finds() throws {
        try withLake { lake in
            try add((0..<1000).map { $0 * 10 } + [5, UInt64.max], day: 100, lake)
            try add([5, 7, 20], day: 101, lake)
            try add([20], day: 102, lake)
            let found = try days([0, 1, 5, 7, 20, 9990, 9991, .max], lake)
            #expect(found == [[100], [], [100, 101], [101], [100, 101, 102], [100], [], [100]])
        }
    }

    @Test("Keys that come in ascending order are found by one reader, and merged runs keep all of them in order")
    func merged() throws {
        try withLake { lake in
            let first = (0..<200_000).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
            let second = (150_000..<300_000).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
            try add(first, day: 100, lake)
            try add(second, day: 101, lake)
            #expect(try runs(lake).count == 1)
            let index = try #require(try opened(lake))
            let run = try #require(index.runs.first)
            #expect(run.count == 350_000)
            #expect((1..<run.count).allSatisfy { run.hash($0 - 1) <= run.hash($0) })
            var readers = (0..<DedupeIndex.divisions).map { IndexReader([run], division: $0) }
            let found = Set(first + second).sorted().map { readers[DedupeIndex.division(of: $0)].days(of: $0).count }
            #expect(found.reduce(0, +) == 350_000)
            #expect(found.count { $0 == 2 } == 50_000)
        }
    }

    @Test("Runs at least double in size towards the oldest, so that there are few, and what does not count is swept")
    func few() throws {
        try withLake { lake in
            for day in 0..<32 { try add([UInt64(day)], day: Int32(day), lake) }
            let count = try runs(lake).count
            #expect(count <= 6)
            #expect(try days((0..<33).map { UInt64($0) }, lake) == (0..<32).map { [Int32($0)] } + [[]])
        }
    }

    @Test("An index that was made from other rows or scopes is not believed, nor one that is damaged or gone")
    func believed() throws {
        try withLake { lake in
            #expect(try days([1], lake) == [[]])  // an empty lake needs none
            try add([1], day: 100, lake)
            let path = lake.home + "/index/kalei/usage/"
            let run = path + (try #require(try runs(lake).first))
            #expect(try opened(lake) != nil)
            #expect(try opened(lake, scopes: Digest.of("other")) == nil)
            let bytes = try readFile(run, as: "index")
            for damaged in [Array(bytes.dropLast()), [0] + bytes.dropFirst(), bytes + [0], []] {
                try writeNew(damaged, to: run)
                #expect(try opened(lake) == nil)
            }
            try writeNew(bytes, to: run)
            #expect(try opened(lake) != nil)
            try lake.commit(days: [try lake.stage(Day(number: 100), usageRows("x", "y"))], files: []) {}
            #expect(try opened(lake) == nil)
            try removeTree(lake.home + "/index")
            #expect(try opened(lake) == nil)
        }
    }

    @Test("A rebuilt index counts once new keys are committed with it")
    func rebuilt() throws {
        try withLake { lake in
            try lake.commit(days: [try lake.stage(Day(number: 100), usageRows("a"))], files: []) {}
            #expect(try opened(lake) == nil)
            let index = try DedupeIndex.rebuilt(
                counts: counts([1, 2, 3]), home: lake.home, job: "kalei", log: .usage, scopes: scopes
            ) { try write([1, 2, 3], day: 100, $0) }
            #expect(days([2], index) == [[100]])
            let addition = try index.addition(of: counts([2]), lake)
            let writer = try #require(addition.writer)
            try write([2], day: 101, writer)
            let staged = try lake.stage(Day(number: 101), usageRows("b"))
            let parts = try lake.parts(job: "kalei", log: .usage) + staged.parts
            try lake.commit(days: [staged], files: try index.finish(addition, parts: parts, lake)) {}
            #expect(try days([1, 2, 3, 4], lake) == [[100], [100, 101], [100], []])
            #expect(try runs(lake).count == 1)
        }
    }
}
