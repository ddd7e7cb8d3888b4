import Common

/// Writes one part; rows are handed over batch by batch, and each batch becomes one row group.
///
///     var writer = ParquetWriter(specs: batch.specs, metadata: [(key: "vesper.log", value: "usage")])
///     try writer.append(batch)
///     try writeNew(writer.finish(), to: path)
///
/// Equal rows in equal groups give equal bytes, whatever codes their texts had.
public struct ParquetWriter {
    private let specs: [ColumnSpec]
    private let metadata: [(key: String, value: String)]
    private var out = Footer.magic
    private var drained = 0
    private var groups: [RowGroup] = []

    public init(specs: [ColumnSpec], metadata: [(key: String, value: String)] = []) {
        (self.specs, self.metadata) = (specs, metadata)
    }

    public mutating func append(_ batch: Batch) throws { try append(batch, rows: 0..<batch.count) }

    mutating func append(_ batch: Batch, rows: Range<Int>) throws {
        guard batch.specs == specs else { throw Failure("Rows with other columns were handed to a part that is being written.") }
        guard rows.count <= RowGroup.maximumRows else {
            throw Failure("A row group holds at most \(grouped(RowGroup.maximumRows)) rows; hand these over in several batches.")
        }
        if rows.isEmpty { return }
        let start = out.count
        do {
            let chunks = try zip(specs, batch.columns).map { try write($1, rows, as: $0) }
            groups.append(RowGroup(rowCount: rows.count, chunks: chunks))
        } catch {
            out.removeLast(out.count - start)
            throw error
        }
    }

    /// Takes what is finished so far, so that a long part need not stay in memory: the file is all of these and then `finish()`.
    public mutating func drain() -> [UInt8] {
        defer { (out, drained) = ([], drained + out.count) }
        return out
    }

    public consuming func finish() -> [UInt8] {
        let rows = groups.reduce(0) { $0 + $1.rowCount }
        out += Footer(specs: specs, rowCount: rows, groups: groups, metadata: metadata).bytes()
        return out
    }
}

/// A whole part in memory, with its rows split into row groups.
public func parquetBytes(
    _ batch: Batch, rowsPerGroup: Int = 131_072, metadata: [(key: String, value: String)] = []
) throws -> [UInt8] {
    var writer = ParquetWriter(specs: batch.specs, metadata: metadata)
    for start in stride(from: 0, to: batch.count, by: rowsPerGroup) {
        try writer.append(batch, rows: start..<min(start + rowsPerGroup, batch.count))
    }
    return writer.finish()
}

// MARK: - Column chunks

/// A page holds at most so many rows, so that a damaged page cannot claim more.
let maximumPageRows = 1 << 20

extension ParquetWriter {
    private mutating func write(_ column: Column, _ rows: Range<Int>, as spec: ColumnSpec) throws -> ColumnChunk {
        switch column {
        case .integers(let values, let nulls):
            let nulls = ChunkNulls(nulls, rows)
            let present = nulls.present(values, rows)
            return try write(encoder(of: present), nulls, as: spec)
        case .decimals(let values, let nulls):
            let nulls = ChunkNulls(nulls, rows)
            let present = nulls.present(values, rows)
            return try write(encoder(of: present), nulls, as: spec)
        case .bools(let values, let nulls):
            let nulls = ChunkNulls(nulls, rows)
            let present = nulls.present(values, rows)
            return try write(encoder(of: present), nulls, as: spec)
        case .text(let codes, let dictionary):
            let nulls = ChunkNulls(codes: codes, rows)
            let present = nulls.present(codes, rows)
            precondition(areAll(present, below: dictionary.count), "a code of column \(spec.name) is not in its dictionary")
            return try write(encoder(of: present, dictionary), nulls, as: spec)
        }
    }

    /// Sizes of pages have 31 bits, and so have the offsets of the texts that are read back.
    private static let largestChunk = 2_000_000_000

    /// DECIMAL(38,12) has 38 digits; 128 bits can hold more.
    private static let decimalLimit = (0..<38).reduce(UInt128(1)) { power, _ in power * 10 }

    /// "A column chunk: the dictionary page must be placed at the first position", then the data pages.
    private mutating func write(_ encoder: ChunkEncoder, _ nulls: ChunkNulls, as spec: ColumnSpec) throws -> ColumnChunk {
        guard encoder.size <= ParquetWriter.largestChunk else {
            throw Failure("Column \"\(spec.name)\" holds more than 2 GB in one row group; hand its rows over in smaller batches.")
        }
        let statistics = ColumnStatistics(nullCount: nulls.nullCount, bounds: encoder.bounds())
        let isTooLarge = statistics.decimals.map {
            max($0.lowerBound.magnitude, $0.upperBound.magnitude) >= ParquetWriter.decimalLimit
        }
        guard isTooLarge != true else {
            throw Failure(
                "Column \"\(spec.name)\" holds a number with more than 26 digits before the point, which no part can store.")
        }
        let offset = drained + out.count
        var tallies: [PageTally] = []
        if let (page, count) = encoder.dictionary {
            out += PageHeader(kind: .dictionary, size: page.count, valueCount: count, encoding: .plain).bytes()
            out += page
            tallies.append(PageTally(kind: .dictionary, encoding: .plain, count: 1))
        }
        let dataOffset = drained + out.count
        var (row, value, pages) = (0, 0, 0)
        while row < nulls.count {
            let (rows, present) = nulls.page(from: row, values: encoder.longestPage(value))
            let levels = nulls.levels(rows, present: present)
            let body = encoder.page(value..<value + present)
            // "In order: repetition levels data (none in a flat schema), definition levels data, encoded values."
            let size = levels.count + body.count
            out += PageHeader(kind: .data, size: size, valueCount: rows.count, encoding: encoder.encoding).bytes()
            out += levels
            out += body
            (row, value, pages) = (rows.upperBound, value + present, pages + 1)
        }
        tallies.append(PageTally(kind: .data, encoding: encoder.encoding, count: Int32(pages)))
        return ColumnChunk(
            spec: spec, offset: offset, length: drained + out.count - offset, dataOffset: dataOffset, pages: tallies,
            statistics: statistics)
    }
}

/// Which rows of a chunk are null.
struct ChunkNulls {
    let count: Int
    /// Empty where no row is null, or all are.
    private let isNull: [Bool]
    let nullCount: Int

    private init(count: Int, nullCount: Int, _ isNull: () -> [Bool]) {
        (self.count, self.nullCount) = (count, nullCount)
        self.isNull = nullCount == 0 || nullCount == count ? [] : isNull()
    }

    init(_ nulls: Nulls, _ rows: Range<Int>) {
        let isNull = nulls.isNull.isEmpty ? [] : nulls.isNull[rows]
        self.init(count: rows.count, nullCount: isNull.withUnsafeBytes { countTrue($0) }) { Array(isNull) }
    }

    init(codes: [Int32], _ rows: Range<Int>) {
        let own = codes[rows]
        let nullCount = own.withUnsafeBufferPointer { codes in
            // The sign of a code, without a branch, so that several are counted at a time.
            var negative: Int32 = 0
            for code in codes { negative &-= code >> 31 }
            return Int(negative)
        }
        self.init(count: rows.count, nullCount: nullCount) { own.map { $0 < 0 } }
    }

    /// The values of the rows that are not null.
    func present<Value: BitwiseCopyable>(_ values: [Value], _ rows: Range<Int>) -> [Value] {
        if nullCount == count { return [] }
        if isNull.isEmpty { return rows == values.indices ? values : Array(values[rows]) }
        return values[rows].withUnsafeBufferPointer { values in
            isNull.withUnsafeBufferPointer { isNull in
                // One more than there are, because a null is written too and then overwritten: that saves a branch.
                [Value](unsafeUninitializedCapacity: count - nullCount + 1) { out, filled in
                    for row in 0..<count {
                        out[filled] = values[row]
                        filled += isNull[row] ? 0 : 1
                    }
                }
            }
        }
    }

    /// The rows of the page that begins here and the number of its values, of which it may have only so many.
    func page(from start: Int, values limit: Int) -> (rows: Range<Int>, present: Int) {
        let end = min(count, start + maximumPageRows)
        if nullCount == count { return (start..<end, 0) }
        if nullCount == 0 { return (start..<min(end, limit > end - start ? end : start + limit), min(limit, end - start)) }
        if limit == .max {
            let nulls = isNull[start..<end].withUnsafeBytes { countTrue($0) }
            return (start..<end, end - start - nulls)
        }
        var (row, present) = (start, 0)
        while row < end && (present < limit || isNull[row]) {
            present += isNull[row] ? 0 : 1
            row += 1
        }
        return (start..<row, present)
    }

    func levels(_ rows: Range<Int>, present: Int) -> [UInt8] {
        isNull.withUnsafeBufferPointer { isNull in
            encodeLevels(
                UnsafeBufferPointer(rebasing: isNull.isEmpty ? isNull[...] : isNull[rows]), rows: rows.count, present: present)
        }
    }
}
