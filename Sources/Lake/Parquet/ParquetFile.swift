import Common

/// A part opened for reading: its footer is read, its columns are read when asked for.
///
///     let file = try ParquetFile(path: "lake/kalei/usage/day=2026-11-09/part-….parquet")
///     try file.read(group: 0, columns: [ColumnSpec("model", .text)])
///
/// A part that is torn or was written by others is refused with a `Failure` that names it; several threads may read at once.
public final class ParquetFile: Sendable {
    public let path: String
    public let specs: [ColumnSpec]
    public let metadata: [String: String]
    public let rowCount: Int
    public let groups: [RowGroup]
    // InputFile never changes once it is open, and reads here name their own position.
    private nonisolated(unsafe) let file: InputFile

    public init(path: String) throws {
        self.path = path
        guard exists(path) else { throw Failure("The Parquet part is missing. \(ParquetFile.advice)", at: Place(path: path)) }
        let file = try InputFile(path, as: "Parquet part")
        self.file = file
        let footer = try ParquetFile.refusing(path) { try ParquetFile.footer(of: file) }
        (specs, rowCount, groups) = (footer.specs, footer.rowCount, footer.groups)
        metadata = Dictionary(footer.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// Some columns of a row group; one that the part lacks is all null.
    public func read(group: Int, columns: [ColumnSpec]) throws -> Batch {
        let group = groups[group]
        let wanted = try columns.map { spec -> ColumnChunk? in
            let chunk = group.chunks.first { $0.spec.name == spec.name }
            guard chunk.map({ $0.spec.type == spec.type }) ?? true else {
                let found = chunk?.spec.type.rawValue ?? ""
                throw Failure("Column \"\(spec.name)\" is \(found) here, not \(spec.type.rawValue).", at: Place(path: path))
            }
            return chunk
        }
        let longest = wanted.compactMap { $0?.length }.max() ?? 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: longest + readableSlack, alignment: 64)
        defer { buffer.deallocate() }
        let read = try zip(columns, wanted).map { spec, chunk -> Column in
            guard let chunk, group.rowCount > 0 else { return .missing(spec.type, count: group.rowCount) }
            return try ParquetFile.refusing(path) {
                let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<chunk.length])
                try ParquetFile.fill(bytes, from: file, at: chunk.offset)
                UnsafeMutableRawBufferPointer(rebasing: buffer[chunk.length..<chunk.length + readableSlack])
                    .initializeMemory(as: UInt8.self, repeating: 0)
                let reader = try ChunkReader(UnsafeRawBufferPointer(bytes), rows: group.rowCount)
                guard reader.nullCount == chunk.statistics.nullCount else {
                    throw ParquetDamage("column \"\(spec.name)\" has other nulls than its statistics say")
                }
                return try reader.column(spec.type)
            }
        }
        return Batch(specs: columns, columns: read, count: group.rowCount)
    }

    private static let advice = "Run \"vesper verify\" to see which parts are whole."

    /// Says which file it is that is damaged, and what to do.
    private static func refusing<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let damage as ParquetDamage {
            throw Failure("The Parquet part cannot be read: \(damage.what). \(advice)", at: Place(path: path))
        }
    }

    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, from file: InputFile, at offset: Int) throws {
        let count = try file.read(at: Int64(offset), into: bytes)
        guard count == bytes.count else { throw ParquetDamage("it became shorter while it was read") }
    }

    private static func footer(of file: InputFile) throws -> Footer {
        let (size, ends) = (Int(file.size), Footer.magic.count)
        guard size >= ends + 4 + ends else { throw ParquetDamage("it is cut off after \(counted(size, "byte"))") }
        func bytes(at offset: Int, count: Int) throws -> [UInt8] {
            try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                try fill(UnsafeMutableRawBufferPointer(buffer), from: file, at: offset)
                filled = count
            }
        }
        // Nearly every footer is within the last 64 KiB, which come with one read.
        let tail = try bytes(at: max(0, size - 65_536), count: min(size, 65_536))
        guard tail.suffix(ends).elementsEqual(Footer.magic) else { throw ParquetDamage("it does not end with the mark PAR1") }
        guard try bytes(at: 0, count: ends) == Footer.magic else { throw ParquetDamage("it does not begin with the mark PAR1") }
        let length = tail.dropLast(ends).suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        let end = size - ends - 4 - length
        guard end >= ends else { throw ParquetDamage("its footer is longer than the file") }
        let metadata =
            length + ends + 4 <= tail.count
            ? Array(tail.dropLast(ends + 4).suffix(length)) : try bytes(at: end, count: length)
        return try metadata.withUnsafeBytes { try Footer(reading: $0, pagesEndAt: end) }
    }
}
