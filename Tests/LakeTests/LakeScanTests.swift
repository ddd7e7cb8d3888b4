import Common
import Testing

@testable import Lake

@Suite struct LakeScanTests {
    private let day = Day(number: 20_000)
    private let columns = [ColumnSpec("id", .text), ColumnSpec("ts", .timestamp)]

    /// Rows of one day, each a millisecond behind the one before, in three row groups.
    private var rows: Batch {
        let count = 2 * 131_072 + 1000
        let start = day.startUTC.microseconds
        let codes = (0..<count).map { Int32($0 % 3) }
        return Batch(
            specs: columns + [ColumnSpec("words", .int64)],
            columns: [
                .text(codes, TextDictionary(["a", "b", "c"])),
                .integers((0..<count).map { start + Int64($0) * 1000 }, nulls: .none),
                .integers(codes.map { Int64($0) }, nulls: .none),
            ], count: count)
    }

    /// A lake of these rows, and what overwrites the bytes of some chunks where they lie.
    private func withRows(
        _ work: (Lake, _ damage: (_ group: Int, _ column: String) throws -> Void) throws -> Void
    ) throws {
        try withLake { lake in
            try lake.commit(days: [try lake.stage(day, rows)], files: []) {}
            let part = try #require(try lake.parts(job: "kalei", log: .usage).first)
            let path = joined(lake.home, part.path)
            let groups = try ParquetFile(path: path).groups
            try #require(groups.count == 3)
            try work(lake) { group, column in
                let chunk = try #require(groups[group].chunks.first { $0.spec.name == column })
                var bytes = try readFile(path, as: "part")
                for index in chunk.offset..<chunk.offset + chunk.length { bytes[index] = 0xff }
                try overwriteParquet(bytes, at: path)
            }
        }
    }

    private func counts(_ lake: Lake, _ times: Range<Int64>?) throws -> [Int] {
        var counts: [Int] = []
        try lake.scan(job: "kalei", log: .usage, times: times, columns: columns) { _, batch in counts.append(batch.count) }
        return counts
    }

    private func times(_ rows: Range<Int>) -> Range<Int64> {
        let start = day.startUTC.microseconds
        return start + Int64(rows.lowerBound) * 1000..<start + Int64(rows.upperBound) * 1000
    }

    @Test("row groups without a row of these times are left out, and no other is")
    func leftOut() throws {
        try withRows { lake, _ throws in
            let all = [131_072, 131_072, 1000]
            #expect(try counts(lake, nil) == all)
            #expect(try counts(lake, .min..<Int64.max) == all)
            #expect(try counts(lake, times(0..<1)) == [131_072])
            // The last of the first group and the first of the second.
            #expect(try counts(lake, times(131_071..<131_072)) == [131_072])
            #expect(try counts(lake, times(131_071..<131_073)) == [131_072, 131_072])
            #expect(try counts(lake, times(262_144..<262_145)) == [1000])
            #expect(try counts(lake, times(-1000..<0)).isEmpty)
            #expect(try counts(lake, times(263_144..<999_999)).isEmpty)
        }
    }

    @Test("a row group that is left out is not read: its bytes may be anything")
    func notRead() throws {
        try withRows { lake, damage in
            try damage(1, "id")
            try damage(1, "ts")
            #expect(throws: Failure.self) { try counts(lake, nil) }
            #expect(throws: Failure.self) { try counts(lake, times(0..<131_073)) }
            #expect(try counts(lake, times(0..<131_072)) == [131_072])
            #expect(try counts(lake, times(262_144..<263_000)) == [1000])
        }
    }

    @Test("a column that is not asked for is not read: its bytes may be anything")
    func projected() throws {
        try withRows { lake, damage in
            for group in 0..<3 { try damage(group, "words") }
            #expect(try counts(lake, nil) == [131_072, 131_072, 1000])
            #expect(throws: Failure.self) {
                try lake.scan(job: "kalei", log: .usage, columns: [ColumnSpec("words", .int64)]) { _, _ in }
            }
        }
    }

    @Test("a group whose times are not known is read")
    func unknown() throws {
        let none = Batch(parquet: [(ColumnSpec("id", .text), ["a"]), (ColumnSpec("ts", .timestamp), [nil])])
        try withLake { lake in
            try lake.commit(days: [try lake.stage(day, none)], files: []) {}
            #expect(try counts(lake, 0..<1) == [1])
        }
    }
}
