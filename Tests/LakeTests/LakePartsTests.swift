import Common
import Ledger
import TestSupport
import Testing

@testable import Lake

@Suite struct LakePartsTests {
    private let days = (20_765...20_767).map { Day(number: $0) }  // 2026-11-08 to 10

    /// A lake with a row on each of three days.
    private func withThreeDays(_ work: (Lake) throws -> Void) throws {
        try withLake { lake in
            let staged = try days.map { try lake.stage($0, usageRows($0.description)) }
            try lake.commit(days: staged.reversed(), files: []) {}
            try work(lake)
        }
    }

    @Test("Parts lie in Hive folders, under names made of their digests, and say what they are")
    func layout() throws {
        try withThreeDays { lake in
            let parts = try lake.parts(job: "kalei", log: .usage)
            #expect(try lake.files(in: "lake") == parts.map { "kalei/usage/day=\($0.day)/part-\($0.digest.short).parquet" })
            let first = try #require(parts.first)
            let bytes = try readFile(joined(lake.home, first.path), as: "part")
            #expect(Digest.of(bytes) == first.digest && bytes.count == first.bytes && first.rows == 1)
            let metadata = try ParquetFile(path: joined(lake.home, first.path)).metadata
            #expect(metadata["vesper.log"] == "usage" && metadata["vesper.schema_version"] == "1")
        }
    }

    @Test("Parts come by day; both ends of a range are included")
    func ranges() throws {
        try withThreeDays { lake in
            func listed(_ first: Day?, _ last: Day?) throws -> [String] {
                try lake.parts(job: "kalei", log: .usage, from: first, to: last).map(\.day.description)
            }
            #expect(try listed(nil, nil) == ["2026-11-08", "2026-11-09", "2026-11-10"])
            #expect(try listed(days[1], nil) == ["2026-11-09", "2026-11-10"])
            #expect(try listed(nil, days[1]) == ["2026-11-08", "2026-11-09"])
            #expect(try listed(days[1], days[1]) == ["2026-11-09"])
            #expect(try listed(days[2] + 1, nil) == [])
            let ends = try lake.days(job: "kalei", log: .usage)
            #expect(ends.map { [$0.first, $0.last] } == [days[0], days[2]])
        }
    }

    @Test("Jobs and logs are apart")
    func apart() throws {
        try withThreeDays { lake in
            try lake.commit(days: [try lake.stage(days[0], usageRows("s"), log: .sessions)], files: []) {}
            #expect(try lake.parts(job: "neni", log: .usage).isEmpty)
            #expect(try lake.days(job: "kalei", log: .charges) == nil)
            #expect(try lake.ids(.sessions) == ["s"])
            #expect(try lake.ids() == ["2026-11-08", "2026-11-09", "2026-11-10"])
        }
    }

    @Test("A day without rows has neither folder nor part, and the others stay")
    func emptied() throws {
        try withThreeDays { lake in
            try lake.commit(days: [try lake.stage(days[1], usageRows())], files: []) {}
            #expect(try names(in: lake.home + "/lake/kalei/usage") == ["day=2026-11-08", "day=2026-11-10"])
            #expect(try lake.ids() == ["2026-11-08", "2026-11-10"])
        }
    }

    @Test("Equal rows have equal digests whatever the history, and one row more has another")
    func digests() throws {
        var digests: [Digest] = []
        for history in [[["a"], ["a", "b"]], [["a", "b"]], [["b"], [], ["a", "b"]], [["a", "b", "c"]]] {
            try withLake { lake in
                for ids in history {
                    let rows = Batch(parquet: [(ColumnSpec("id", .text), ids)])
                    try lake.commit(days: [try lake.stage(days[0], rows)], files: []) {}
                }
                digests.append(Lake.digest(of: try lake.parts(job: "kalei", log: .usage)))
            }
        }
        #expect(digests[0] == digests[1] && digests[1] == digests[2])
        #expect(digests[0] != digests[3])
        #expect(Lake.digest(of: []) == Digest.of(""))
    }

    @Test("A column that an older part lacks reads as null")
    func older() throws {
        try withThreeDays { lake in
            let wanted = [ColumnSpec("id", .text), ColumnSpec("x_complexity", .text), ColumnSpec("output_tokens", .int64)]
            try lake.scan(job: "kalei", log: .usage, from: days[0], to: days[0], columns: wanted) { _, batch in
                #expect(batch.columns.map(\.textuals) == [["2026-11-08"], [nil], [nil]])
            }
        }
    }

    @Test("A part that is gone, and a list that is damaged, are sentences")
    func refusals() throws {
        try withThreeDays { lake in
            let path = joined(lake.home, try #require(try lake.parts(job: "kalei", log: .usage).first).path)
            try removeTree(path)
            #expect(
                sentence { _ = try lake.ids() }
                    == "\(path): The Parquet part is missing. Run \"vesper verify\" to see which parts are whole.")
            try lake.ledger.database.execute("UPDATE parts SET digest = 'x' WHERE day = '2026-11-09'")
            #expect(
                sentence { _ = try lake.parts(job: "kalei", log: .usage) }
                    == "\(lake.home): The ledger's list of parts is damaged (2026-11-09). Restore it from a backup.")
        }
    }
}
