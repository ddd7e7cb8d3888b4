import Common

// https://github.com/apache/parquet-format#file-format and the structures of its parquet.thrift.

/// Rows of a part that are stored, and can be read, together.
public struct RowGroup: Sendable {
    public let rowCount: Int
    let chunks: [ColumnChunk]

    /// More rows than this are refused on both ways, so that no damaged count can claim the machine's memory.
    static let maximumRows = 1 << 24

    /// What is known of a column without reading it; nil for a column that the part lacks.
    public func stats(for column: String) -> ColumnStatistics? { chunks.first { $0.spec.name == column }?.statistics }

    /// Whether a row may have a value of this range in an int64 or timestamp column; false only where that is known without reading it.
    public func mayHold(_ column: String, in range: Range<Int64>) -> Bool {
        guard let known = stats(for: column)?.integers else { return true }
        return known.overlaps(range)
    }
}

/// Where one column of one row group lies in the file.
struct ColumnChunk: Sendable {
    let spec: ColumnSpec
    /// The dictionary page if there is one, otherwise the first data page.
    let offset: Int
    let length: Int
    let dataOffset: Int
    let pages: [PageTally]
    let statistics: ColumnStatistics
}

/// How many pages of a kind and encoding a chunk has.
struct PageTally: Sendable {
    let kind: PageKind
    let encoding: ParquetEncoding
    let count: Int32
}

/// The file's metadata.
struct Footer {
    var specs: [ColumnSpec] = []
    var rowCount = 0
    var groups: [RowGroup] = []
    var metadata: [(key: String, value: String)] = []

    /// "4-byte magic number": both ends of a file.
    static let magic: [UInt8] = Array("PAR1".utf8)

    /// "File Metadata, 4-byte length in bytes of file metadata (little endian), 4-byte magic number".
    func bytes() -> [UInt8] {
        var thrift = ThriftWriter()
        thrift.element { file in
            file.i32(1, 1)  // "For maximum compatibility with readers, writers should always populate 1 for version."
            file.list(2, of: .structure, [nil] + specs.map(Optional.some)) { list, spec in
                list.element { element in
                    if let spec { return spec.write(to: &element) }
                    element.binary(4, "vesper".utf8)  // "The first element is the root."
                    element.i32(5, Int32(specs.count))
                }
            }
            file.i64(3, rowCount)
            file.list(4, of: .structure, groups) { list, group in list.element { group.write(to: &$0) } }
            if !metadata.isEmpty {
                file.list(5, of: .structure, metadata) { list, pair in
                    list.element {
                        $0.binary(1, pair.key.utf8)
                        $0.binary(2, pair.value.utf8)
                    }
                }
            }
            file.binary(6, "vesper version 1".utf8)  // "<Application> version <App Version>"
            // "If min_value and max_value are written, column_orders must be written as well": TYPE_ORDER for each.
            file.list(7, of: .structure, specs) { list, _ in list.element { $0.structure(1) { _ in } } }
        }
        let length = UInt32(thrift.bytes.count).littleEndian
        return thrift.bytes + withUnsafeBytes(of: length, Array.init) + Footer.magic
    }

    /// Reads the metadata of a file whose pages end at `end`.
    init(reading bytes: UnsafeRawBufferPointer, pagesEndAt end: Int) throws {
        var thrift = ThriftReader(bytes)
        var (specs, groups): ([ColumnSpec], [RowGroup]) = ([], [])
        var rowCount: Int?
        var metadata: [(key: String, value: String)] = []
        try thrift.structure { thrift, field in
            switch field.id {
            case 2:
                var elements: [ColumnSpec?] = []
                try thrift.list(field, of: .structure) { elements.append(try ColumnSpec.read(from: &$0)) }
                specs = elements.dropFirst().compactMap { $0 }
                guard elements.first == .some(nil), specs.count == elements.count - 1 else {
                    throw ParquetDamage("its schema is nested, which no log's is")
                }
                guard Set(specs.map(\.name)).count == specs.count else { throw ParquetDamage("two columns have the same name") }
            case 3: rowCount = try thrift.size(field)
            case 4:
                // The format writes the schema before the groups, whose statistics cannot be read without it.
                try thrift.list(field, of: .structure) {
                    groups.append(try RowGroup(reading: &$0, specs: specs, pagesEndAt: end))
                }
            case 5:
                try thrift.list(field, of: .structure) { metadata.append(try Footer.pair(from: &$0)) }
            default: try thrift.skip(field)
            }
        }
        guard thrift.position == bytes.count else { throw ParquetDamage("its metadata is shorter than it says") }
        guard !specs.isEmpty else { throw ParquetDamage("it has no columns") }
        guard rowCount == groups.reduce(0, { $0 + $1.rowCount }) else {
            throw ParquetDamage("its row groups do not add up to its number of rows")
        }
        self.init(specs: specs, rowCount: rowCount ?? 0, groups: groups, metadata: metadata)
    }

    init(specs: [ColumnSpec], rowCount: Int, groups: [RowGroup], metadata: [(key: String, value: String)]) {
        (self.specs, self.rowCount, self.groups, self.metadata) = (specs, rowCount, groups, metadata)
    }

    private static func pair(from thrift: inout ThriftReader) throws -> (key: String, value: String) {
        var (key, value) = ("", "")
        try thrift.structure { thrift, field in
            switch field.id {
            case 1: key = try thrift.text(field)
            case 2: value = try thrift.text(field)
            default: try thrift.skip(field)
            }
        }
        return (key, value)
    }
}

extension RowGroup {
    func write(to thrift: inout ThriftWriter) {
        let size = chunks.reduce(0) { $0 + $1.length }
        thrift.list(1, of: .structure, chunks) { list, chunk in
            list.element { column in
                // "Writers should set this field to 0 if no ColumnMetaData has been written outside the footer."
                column.i64(2, 0)
                column.structure(3) { chunk.write(rowCount: rowCount, to: &$0) }
            }
        }
        thrift.i64(2, size)
        thrift.i64(3, rowCount)
        if let first = chunks.first { thrift.i64(5, first.offset) }
        thrift.i64(6, size)
    }

    init(reading thrift: inout ThriftReader, specs: [ColumnSpec], pagesEndAt end: Int) throws {
        var chunks: [ColumnChunk] = []
        var rowCount: Int?
        var valueCounts: [Int] = []
        try thrift.structure { thrift, field in
            switch field.id {
            case 1:
                try thrift.list(field, of: .structure) { thrift in
                    // "This list must have the same order as the SchemaElement list in FileMetaData."
                    guard chunks.count < specs.count else { throw ParquetDamage("a row group has too many columns") }
                    let spec = specs[chunks.count]
                    try thrift.structure { thrift, field in
                        guard field.id == 3, field.kind == .structure else { return try thrift.skip(field) }
                        let (chunk, values) = try ColumnChunk.read(spec, from: &thrift, pagesEndAt: end)
                        chunks.append(chunk)
                        valueCounts.append(values)
                    }
                }
            case 3: rowCount = try thrift.size(field)
            default: try thrift.skip(field)
            }
        }
        guard let rowCount, rowCount <= RowGroup.maximumRows else { throw ParquetDamage("a row group claims too many rows") }
        guard chunks.count == specs.count else { throw ParquetDamage("a row group lacks a column") }
        guard valueCounts.allSatisfy({ $0 == rowCount }), chunks.allSatisfy({ $0.statistics.nullCount <= rowCount }) else {
            throw ParquetDamage("the columns of a row group differ in length")
        }
        self.init(rowCount: rowCount, chunks: chunks)
    }
}

extension ColumnChunk {
    /// The ColumnMetaData structure.
    func write(rowCount: Int, to thrift: inout ThriftWriter) {
        thrift.i32(1, spec.type.physical.rawValue)
        let encodings = Set(pages.map(\.encoding) + [.rle]).map(\.rawValue).sorted()  // RLE is that of the definition levels
        thrift.list(2, of: .i32, encodings) { $0.element($1) }
        thrift.list(3, of: .binary, [spec.name]) { $0.element($1.utf8) }
        thrift.i32(4, 0)  // UNCOMPRESSED
        thrift.i64(5, rowCount)
        thrift.i64(6, length)
        thrift.i64(7, length)
        thrift.i64(9, dataOffset)
        if dataOffset > offset { thrift.i64(11, offset) }
        thrift.structure(12) { statistics.write(spec.type, to: &$0) }
        thrift.list(13, of: .structure, pages) { list, page in list.element { page.write(to: &$0) } }
    }

    static func read(
        _ spec: ColumnSpec, from thrift: inout ThriftReader, pagesEndAt end: Int
    ) throws -> (ColumnChunk, values: Int) {
        var (physical, codec): (Int32?, Int32?)
        var path: [[UInt8]] = []
        var (values, length, dataOffset, dictionaryOffset): (Int?, Int?, Int?, Int?)
        var statistics: ColumnStatistics?
        var pages: [PageTally] = []
        try thrift.structure { thrift, field in
            switch field.id {
            case 1: physical = try thrift.i32(field)
            case 3: try thrift.list(field, of: .binary) { path.append(try $0.binary()) }
            case 4: codec = try thrift.i32(field)
            case 5: values = try thrift.size(field)
            case 7: length = try thrift.size(field)
            case 9: dataOffset = try thrift.size(field)
            case 11: dictionaryOffset = try thrift.size(field)
            case 12 where field.kind == .structure: statistics = try ColumnStatistics.read(spec.type, from: &thrift)
            case 13: try thrift.list(field, of: .structure) { pages.append(try PageTally.read(from: &$0)) }
            default: try thrift.skip(field)
            }
        }
        guard path == [Array(spec.name.utf8)], physical == spec.type.physical.rawValue else {
            throw ParquetDamage("a row group holds another column where \"\(spec.name)\" belongs")
        }
        guard codec == 0 else { throw ParquetDamage("column \"\(spec.name)\" is compressed, which Vesper's parts are not") }
        guard let values, let length, let dataOffset else { throw ParquetDamage("column \"\(spec.name)\" has no place in it") }
        guard let statistics else { throw ParquetDamage("column \"\(spec.name)\" has no statistics") }
        let offset = dictionaryOffset ?? dataOffset
        guard offset >= Footer.magic.count, offset <= dataOffset, offset <= end, length <= end - offset,
            dataOffset - offset <= length
        else { throw ParquetDamage("column \"\(spec.name)\" lies beyond the end of its pages") }
        let chunk = ColumnChunk(
            spec: spec, offset: offset, length: length, dataOffset: dataOffset, pages: pages, statistics: statistics)
        return (chunk, values)
    }
}

extension PageTally {
    /// The PageEncodingStats structure.
    func write(to thrift: inout ThriftWriter) {
        thrift.i32(1, kind.rawValue)
        thrift.i32(2, encoding.rawValue)
        thrift.i32(3, count)
    }

    static func read(from thrift: inout ThriftReader) throws -> PageTally {
        var (kind, encoding, count): (Int32?, Int32?, Int32?)
        try thrift.structure { thrift, field in
            switch field.id {
            case 1: kind = try thrift.i32(field)
            case 2: encoding = try thrift.i32(field)
            case 3: count = try thrift.i32(field)
            default: try thrift.skip(field)
            }
        }
        return PageTally(kind: try PageKind(number: kind), encoding: try ParquetEncoding(number: encoding), count: count ?? 0)
    }
}
