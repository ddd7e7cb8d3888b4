import Common
import Glibc
import Testing
@testable import Lake

// What the Parquet tests have in common: small random tables, and folders that vanish.

/// Numbers that look random and are the same in every run.
struct ParquetDice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func below(_ limit: Int) -> Int { Int(next() >> 33) % limit }
}

/// Writes bytes to a file of its own, which is gone afterwards.
@discardableResult
func withParquetFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/vesper-parquet-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    try writeNew(bytes, to: folder + "/part.parquet")
    return try body(folder + "/part.parquet")
}

/// All rows of a part, as they come back.
func readParquet(_ bytes: [UInt8], columns: [ColumnSpec]? = nil) throws -> Batch {
    try withParquetFile(bytes) { path in
        let file = try ParquetFile(path: path)
        let columns = columns ?? file.specs
        return Batch.concatenated(try file.groups.indices.map { try file.read(group: $0, columns: columns) }, specs: columns)
    }
}

extension Column {
    /// A value as text: microseconds for a time, all twelve places for a decimal.
    func textual(_ row: Int) -> String? {
        switch self {
        case .text: text(at: row)
        case .integers: integer(at: row).map { String($0) }
        case .bools: bool(at: row).map { String($0) }
        case .decimals: decimal(at: row).map { Money(units: $0).text(places: 12) }
        }
    }

    /// Values of a type from their texts, where nil is a null.
    static func values(_ type: ColumnType, _ texts: [String?]) -> Column {
        let nulls = Nulls(isNull: texts.map { $0 == nil })
        switch type {
        case .text:
            var interner = TextInterner()
            return .text(texts.map { text in text.map { interner.code(of: $0) } ?? -1 }, interner.dictionary)
        case .int64, .timestamp: return .integers(texts.map { $0.flatMap { Int64($0) } ?? 0 }, nulls: nulls)
        case .bool: return .bools(texts.map { $0 == "true" }, nulls: nulls)
        case .decimal: return .decimals(texts.map { $0.flatMap { Money($0)?.units } ?? 0 }, nulls: nulls)
        }
    }

    var textuals: [String?] { (0..<count).map { textual($0) } }
}

extension Batch {
    init(parquet columns: [(ColumnSpec, [String?])]) {
        self.init(
            specs: columns.map(\.0), columns: columns.map { Column.values($0.type, $1) }, count: columns.first?.1.count ?? 0)
    }
}

/// Values of a type, as text; never null.
func parquetValues(_ type: ColumnType, _ count: Int, distinct: Int, seed: UInt64 = 1) -> [String?] {
    var dice = ParquetDice(seed)
    let values = (0..<max(1, distinct)).map { index -> String in
        switch type {
        case .text: "text \(index) " + String(repeating: "é", count: index % 5)
        case .int64: String(Int64(bitPattern: dice.next()))
        case .timestamp: String(1_790_000_000_000_000 + Int64(dice.below(1 << 40)))
        case .bool: String(index % 2 == 0)
        case .decimal: Money(units: Int128(Int64(bitPattern: dice.next())) * 7).text(places: 12)
        }
    }
    return (0..<count).map { _ in values[dice.below(values.count)] }
}

/// Overwrites a file without waiting for the disk, so that thousands of variants are quick.
func overwriteParquet(_ bytes: [UInt8], at path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}
