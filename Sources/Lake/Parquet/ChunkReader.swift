/// Reads the pages of one column chunk that lies in memory, with `readableSlack` bytes of room behind it.
struct ChunkReader {
    private struct Page {
        let encoding: ParquetEncoding
        let rows: Range<Int>
        let levels: UnsafeRawBufferPointer
        let values: UnsafeRawBufferPointer
        var present: Int
    }

    private let rows: Int
    private var pages: [Page] = []
    private var dictionary: (bytes: UnsafeRawBufferPointer, count: Int)?
    /// One flag a row, or empty where no row is null.
    private var isNull: [Bool] = []

    init(_ bytes: UnsafeRawBufferPointer, rows: Int) throws {
        self.rows = rows
        var (position, row) = (0, 0)
        while position < bytes.count {
            var thrift = ThriftReader(UnsafeRawBufferPointer(rebasing: bytes[position...]))
            let header = try PageHeader.read(from: &thrift)
            position += thrift.position
            guard header.size <= bytes.count - position else { throw ParquetDamage("a page is cut off") }
            let body = UnsafeRawBufferPointer(rebasing: bytes[position..<position + header.size])
            position += header.size
            switch header.kind {
            case .dictionary:
                // "The dictionary page must be placed at the first position"; a value takes a byte at least.
                guard pages.isEmpty, dictionary == nil, header.encoding == .plain, header.valueCount <= body.count else {
                    throw ParquetDamage("a dictionary is not where or what it should be")
                }
                dictionary = (body, header.valueCount)
            case .data:
                guard header.valueCount <= min(rows - row, maximumPageRows) else {
                    throw ParquetDamage("a page claims too many rows")
                }
                pages.append(try ChunkReader.page(header, body, firstRow: row))
                row += header.valueCount
            }
        }
        guard row == rows else { throw ParquetDamage("the pages of a column hold fewer rows than its row group") }
        try readLevels()
    }

    private static func page(_ header: PageHeader, _ body: UnsafeRawBufferPointer, firstRow: Int) throws -> Page {
        // "Data page v1, definition levels: prepend length", 4 bytes little endian.
        guard body.count >= 4 else { throw ParquetDamage("a page is cut off") }
        let length = Int(UInt32(littleEndian: body.loadUnaligned(as: UInt32.self)))
        guard length <= body.count - 4 else { throw ParquetDamage("the levels of a page are cut off") }
        return Page(
            encoding: header.encoding, rows: firstRow..<firstRow + header.valueCount,
            levels: UnsafeRawBufferPointer(rebasing: body[4..<4 + length]),
            values: UnsafeRawBufferPointer(rebasing: body[(4 + length)...]), present: header.valueCount)
    }

    private mutating func readLevels() throws {
        for index in pages.indices {
            let page = pages[index]
            if try areAllPresent(page.levels, rows: page.rows.count) { continue }
            if isNull.isEmpty { isNull = [Bool](repeating: false, count: rows) }
            pages[index].present = try isNull.withUnsafeMutableBufferPointer {
                try decodeLevels(page.levels, rows: page.rows.count, into: $0.baseAddress! + page.rows.lowerBound)
            }
        }
    }

    var nullCount: Int { rows - pages.reduce(0) { $0 + $1.present } }

    func column(_ type: ColumnType) throws -> Column {
        switch type {
        case .int64, .timestamp: .integers(try integers(), nulls: Nulls(isNull: isNull))
        case .decimal: .decimals(try integers(), nulls: Nulls(isNull: isNull))
        case .bool: .bools(try bools(), nulls: Nulls(isNull: isNull))
        case .text: try texts()
        }
    }
}

// MARK: - Values

extension ChunkReader {
    private func integers<Value: StoredInteger>() throws -> [Value] {
        let entries = try dictionary.map { bytes, count in
            try [Value](unsafeUninitializedCapacity: count) { buffer, filled in
                guard let target = buffer.baseAddress else { return }
                try decodePlain(bytes, count: count, into: target)
                filled = count
            }
        }
        return try withCodes { codes in
            try values(filler: 0) { page, target in
                switch page.encoding {
                case .plain: try decodePlain(page.values, count: page.present, into: target)
                case .rleDictionary:
                    guard let entries else { throw ParquetDamage("a page needs a dictionary that is not there") }
                    try decodeCodes(page.values, count: page.present, entries: entries.count, into: codes)
                    entries.withUnsafeBufferPointer { entries in
                        for index in 0..<page.present { target[index] = entries[Int(codes[index])] }
                    }
                case .deltaBinaryPacked where Value.self == Int64.self:
                    let numbers = UnsafeMutableRawPointer(target).assumingMemoryBound(to: Int64.self)
                    guard try decodeDelta(page.values, count: page.present, into: numbers) == page.values.count else {
                        throw ParquetDamage("a page holds more deltas than it says")
                    }
                case .deltaBinaryPacked, .deltaLengthByteArray, .deltaByteArray, .rle:
                    throw ParquetDamage("a page of numbers is encoded as something else is")
                }
            }
        }
    }

    private func bools() throws -> [Bool] {
        try values(filler: UInt8(0)) { page, target in
            guard page.encoding == .plain else { throw ParquetDamage("a page of flags is not plain") }
            try decodePlain(flags: page.values, count: page.present, into: target)
        }.map { $0 == 1 }
    }

    /// The dictionary's codes as they are; the texts of other pages follow the dictionary, each with a code of its own.
    private func texts() throws -> Column {
        let dictionaryPage = self.dictionary.map { [($0.bytes, $0.count, ParquetEncoding.plain)] } ?? []
        let own = pages.filter { $0.encoding != .rleDictionary }.map { ($0.values, $0.present, $0.encoding) }
        let dictionary = try TextDictionary(pages: dictionaryPage + own)
        let entries = self.dictionary?.count ?? 0
        var next = Int32(entries)
        let codes: [Int32] = try values(filler: -1) { page, target in
            if page.encoding == .rleDictionary {
                return try decodeCodes(page.values, count: page.present, entries: entries, into: target)
            }
            for index in 0..<page.present { target[index] = next &+ Int32(truncatingIfNeeded: index) }
            next += Int32(page.present)
        }
        return .text(codes, dictionary)
    }

    /// Room for the codes of the largest page.
    private func withCodes<Result>(_ body: (UnsafeMutablePointer<Int32>) throws -> Result) rethrows -> Result {
        let codes = UnsafeMutablePointer<Int32>.allocate(capacity: pages.map(\.present).max() ?? 0)
        defer { codes.deallocate() }
        return try body(codes)
    }

    /// One value a row: decodes the present ones of every page to its beginning, then moves them to their rows.
    private func values<Value: FixedWidthInteger & BitwiseCopyable>(
        filler: Value, _ decode: (Page, UnsafeMutablePointer<Value>) throws -> Void
    ) rethrows -> [Value] {
        try [Value](unsafeUninitializedCapacity: rows) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            for page in pages {
                let target = base + page.rows.lowerBound
                try decode(page, target)
                guard page.present < page.rows.count else { continue }
                isNull.withUnsafeBytes { isNull in
                    let isNull = UnsafeRawBufferPointer(rebasing: isNull[page.rows])
                    // From the back, so that a value is never overwritten before it has moved. A null reads one in vain: arithmetic
                    // on the flag, which is a byte of 0 or 1, is several times faster than a branch that cannot be foretold.
                    var (row, source) = (isNull.count, page.present)
                    while row > 0 {
                        row &-= 1
                        source &-= 1 &- Int(isNull[row])
                        let absent = Value(truncatingIfNeeded: isNull[row])
                        target[row] = (target[source] & (absent &- 1)) | (filler & (0 &- absent))
                    }
                }
            }
            filled = rows
        }
    }
}
