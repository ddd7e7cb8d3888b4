import Common
import Glibc
import Testing
@testable import Lake

/// Writes parts for other people's engines: `Tests/Conformance/test_parquet.py` reads them back and compares with `expected.json`.
///
///     VESPER_PARQUET_OUT=/tmp/parts swift test --filter ParquetSamplesTests
///     VESPER_PARQUET_SAMPLES=/tmp/parts pytest Tests/Conformance/test_parquet.py
@Suite struct ParquetSamplesTests {
    private static var folder: String? { getenv("VESPER_PARQUET_OUT").map { String(cString: $0) } }

    private struct Sample {
        let name: String
        let batch: Batch
        var rowsPerGroup = 131_072
        var metadata: [(key: String, value: String)] = [(key: "vesper.log", value: "usage")]
    }

    @Test("parts for other engines are written", .enabled(if: folder != nil, "VESPER_PARQUET_OUT names no folder"))
    func write() throws {
        let folder = try #require(Self.folder)
        try makeFolder(folder)
        var parts: [JSON] = []
        for sample in Self.samples {
            let bytes = try parquetBytes(sample.batch, rowsPerGroup: sample.rowsPerGroup, metadata: sample.metadata)
            try writeNew(bytes, to: "\(folder)/\(sample.name).parquet")
            parts.append(Self.expectation(sample))
        }
        var out: [UInt8] = []
        JSON.fields(["parts": .array(parts)]).write(to: &out)
        try writeNew(out, to: folder + "/expected.json")
    }

    private static var samples: [Sample] {
        let types = ColumnType.allCases
        func table(_ rows: Int, _ distinct: Int, _ isNull: (Int) -> Bool) -> Batch {
            Batch(
                parquet: types.map { type in
                    let values = parquetValues(type, rows, distinct: distinct).enumerated().map { isNull($0) ? nil : $1 }
                    return (ColumnSpec("a_\(type.rawValue)", type), values)
                })
        }
        let extremes = ParquetRoundTripTests.extremes.enumerated().map { index, extreme in
            Sample(
                name: "extremes-\(index)", batch: Batch(parquet: [(ColumnSpec("c", extreme.type), extreme.values)]),
                rowsPerGroup: 3)
        }
        let widths = (0...15).map { width -> (ColumnSpec, [String?]) in
            (ColumnSpec("w\(width)", .int64), (0..<100_000).map { String($0 &* 7919 % 1_000_003 % (1 << width)) })
        }
        let usage = Log.usage.columns + Log.originColumns
        let columns = usage.enumerated().map { index, spec in
            (
                spec,
                parquetValues(spec.type, 3000, distinct: index * index + 1, seed: UInt64(index)).enumerated().map { row, value in
                    index % 3 == 2 && row % (index + 1) == 0 ? nil : value
                }
            )
        }
        let deltas = [1, 2, 32, 33, 128, 129, 130, 1000].map { count in
            Sample(name: "deltas-\(count)", batch: Batch(parquet: deltaColumns(count)), rowsPerGroup: 700)
        }
        let pages = (0..<300).map { $0 % 7 == 0 ? nil : String(repeating: "page \($0) ", count: 4000) }
        return [
            Sample(name: "empty", batch: table(0, 1) { _ in false }),
            Sample(name: "one-row", batch: table(1, 1) { _ in false }),
            Sample(name: "one-null", batch: table(1, 1) { _ in true }),
            Sample(name: "nulls-nowhere", batch: table(5000, 40) { _ in false }, rowsPerGroup: 1700),
            Sample(name: "nulls-everywhere", batch: table(5000, 40) { _ in true }, rowsPerGroup: 1700),
            Sample(name: "nulls-alternating", batch: table(5000, 40) { $0 % 2 == 0 }, rowsPerGroup: 1700),
            Sample(name: "nulls-in-stretches", batch: table(5000, 40) { $0 / 300 % 2 == 0 }),
            Sample(name: "plain", batch: table(5000, 1_000_000) { $0 % 11 == 0 }),
            Sample(name: "constant", batch: table(5000, 1) { $0 % 1000 == 999 }),
            Sample(name: "widths", batch: Batch(parquet: widths)),
            Sample(
                name: "usage", batch: Batch(parquet: columns), rowsPerGroup: 1000,
                metadata: [("vesper.log", "usage"), ("note", "Grüße")]),
            Sample(name: "several-pages", batch: Batch(parquet: [(ColumnSpec("t", .text), pages)]), metadata: []),
        ] + extremes + deltas
    }

    /// Columns that are smallest as deltas, and numbers whose differences wrap around.
    private static func deltaColumns(_ count: Int) -> [(ColumnSpec, [String?])] {
        let rows = 0..<count
        let ends = rows.map { $0 % 2 == 0 ? Int64.min + Int64($0) : Int64.max - Int64($0 * $0) }
        return [
            (ColumnSpec("record", .int64), rows.map { String($0 + 1) }),
            (ColumnSpec("falling", .int64), rows.map { String(-$0 * 1_000_003) }),
            (ColumnSpec("scattered", .int64), rows.map { String($0 * 7919 % 4099) }),
            (ColumnSpec("sparse", .int64), rows.map { $0 % 3 == 1 ? nil : String($0 * 5) }),
            // One row in many is far from its neighbours, so that the miniblocks of a block differ in width.
            (ColumnSpec("spikes", .int64), rows.map { String($0 % 100 == 50 ? Int64.max / 3 : Int64($0)) }),
            (ColumnSpec("ends", .int64), ends.map { String($0) }),
            (ColumnSpec("ts", .timestamp), rows.map { String(1_790_000_000_000_000 + $0 * 4_000_000 + $0 * 7919 % 3_999_983) }),
            (ColumnSpec("ids", .text), rows.map { "id-\($0)" + String(repeating: "é", count: $0 % 50) }),
            (ColumnSpec("some_ids", .text), rows.map { $0 % 5 == 2 ? nil : "id-\($0)" }),
        ]
    }

    // MARK: - What the others should find

    private static func expectation(_ sample: Sample) -> JSON {
        let batch = sample.batch
        let groups = stride(from: 0, to: batch.count, by: sample.rowsPerGroup).map {
            $0..<min($0 + sample.rowsPerGroup, batch.count)
        }
        let columns = zip(batch.specs, batch.columns).map { spec, column in
            let values = column.textuals
            return JSON.fields([
                "name": .string(spec.name), "type": .string(spec.type.rawValue), "values": .array(values.map(JSON.optional)),
                "statistics": .array(groups.map { statistics(column, spec.type, $0) }),
            ])
        }
        return .fields([
            "file": .string(sample.name + ".parquet"), "rows": .int(batch.count),
            "metadata": .object(sample.metadata.map { JSON.Member($0.key, .string($0.value)) }),
            "groups": .array(groups.map { .int($0.count) }), "columns": .array(columns),
        ])
    }

    /// Found by sorting, and so in another way than the writer's.
    private static func statistics(_ column: Column, _ type: ColumnType, _ rows: Range<Int>) -> JSON {
        let present = rows.filter { !column.isNull(at: $0) }.sorted { a, b in
            switch type {
            case .text: (column.text(at: a) ?? "").utf8.lexicographicallyPrecedes((column.text(at: b) ?? "").utf8)
            case .int64, .timestamp: (column.integer(at: a) ?? 0) < (column.integer(at: b) ?? 0)
            case .decimal: (column.decimal(at: a) ?? 0) < (column.decimal(at: b) ?? 0)
            case .bool: column.bool(at: a) == false && column.bool(at: b) == true
            }
        }
        var (least, greatest) = (present.first.flatMap { column.textual($0) }, present.last.flatMap { column.textual($0) })
        if type == .text, max(least?.utf8.count ?? 0, greatest?.utf8.count ?? 0) > 64 { (least, greatest) = (nil, nil) }
        return .fields(["nulls": .int(rows.count - present.count), "min": .optional(least), "max": .optional(greatest)])
    }
}
