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
        let run = try KeyRun(folder: lake.home + "/staging/work/index")
        for key in keys.sorted() { try run.append(key, day: day) }
        let staged = try lake.stage(Day(number: day), usageRows("\(day)"))
        let parts = (try lake.parts(job: "kalei", log: .usage).filter { $0.day.number != day } + staged.parts).sorted {
            ($0.day, $0.file) < ($1.day, $1.file)
        }
        try lake.commit(days: [staged], files: try index.adding(run, parts: parts, lake)) {}
        try DedupeIndex.sweep(home: lake.home, job: "kalei", log: .usage)
    }

    private func days(_ keys: [UInt64], _ lake: Lake) throws -> [[Int32]] {
        let index = try #require(try opened(lake))
        return try keys.map { try index.days(of: $0).sorted() }
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
            #expect(try #require(try opened(lake)).days(of: 1) == [])  // an empty lake needs none
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
            let old = try KeyRun(folder: lake.home + "/staging/work/old")
            for key in [1, 2, 3] as [UInt64] { try old.append(key, day: 100) }
            let index = try DedupeIndex.rebuilt(from: old, home: lake.home, job: "kalei", log: .usage, scopes: scopes)
            #expect(try index.days(of: 2) == [100])
            let fresh = try KeyRun(folder: lake.home + "/staging/work/fresh")
            try fresh.append(2, day: 101)
            let staged = try lake.stage(Day(number: 101), usageRows("b"))
            let parts = try lake.parts(job: "kalei", log: .usage) + staged.parts
            try lake.commit(days: [staged], files: try index.adding(fresh, parts: parts, lake)) {}
            #expect(try days([1, 2, 3, 4], lake) == [[100], [100, 101], [100], []])
            #expect(try runs(lake).count == 1)
        }
    }
}
