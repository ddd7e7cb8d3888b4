/// What a row group's column holds, known without reading it.
public struct ColumnStatistics: Sendable, Equatable {
    public let nullCount: Int
    /// nil where every value is null, or where a text is too long to stand here.
    public let bounds: Bounds?

    public enum Bounds: Sendable, Equatable {
        /// int64, timestamp, and bool as 0 and 1.
        case integers(ClosedRange<Int64>)
        case decimals(ClosedRange<Int128>)
        /// UTF-8, in the order of unsigned bytes.
        case texts(least: [UInt8], greatest: [UInt8])
    }

    /// The least and greatest of an int64, timestamp or bool column.
    public var integers: ClosedRange<Int64>? { if case .integers(let range) = bounds { range } else { nil } }
    public var decimals: ClosedRange<Int128>? { if case .decimals(let range) = bounds { range } else { nil } }
}

extension ColumnStatistics {
    /// A longer text leaves the bounds out: a shortened one would not be exact, and private text has no place in a footer.
    static let longestText = 64

    /// The Statistics structure. "Values are encoded using PLAIN encoding, except that variable-length byte arrays do not include
    /// a length prefix."
    func write(_ type: ColumnType, to thrift: inout ThriftWriter) {
        thrift.i64(3, nullCount)
        guard let bounds else { return }
        let (least, greatest): ([UInt8], [UInt8]) =
            switch bounds {
            case .integers(let range) where type == .bool: ([UInt8(range.lowerBound)], [UInt8(range.upperBound)])
            case .integers(let range): (range.lowerBound.storedBytes, range.upperBound.storedBytes)
            case .decimals(let range): (range.lowerBound.storedBytes, range.upperBound.storedBytes)
            case .texts(let least, let greatest): (least, greatest)
            }
        thrift.binary(5, greatest)
        thrift.binary(6, least)
        thrift.bool(7, true)  // is_max_value_exact
        thrift.bool(8, true)  // is_min_value_exact
    }

    static func read(_ type: ColumnType, from thrift: inout ThriftReader) throws -> ColumnStatistics {
        var nullCount: Int?
        var (least, greatest): ([UInt8]?, [UInt8]?)
        try thrift.structure { thrift, field in
            switch field.id {
            case 3: nullCount = try thrift.size(field)
            case 5: greatest = try thrift.binary(field)
            case 6: least = try thrift.binary(field)
            default: try thrift.skip(field)
            }
        }
        guard let nullCount else { throw ParquetDamage("the statistics of a column lack its nulls") }
        guard let least, let greatest else { return ColumnStatistics(nullCount: nullCount, bounds: nil) }
        let bounds: Bounds? =
            switch type {
            case .bool where least.count == 1 && greatest.count == 1 && greatest[0] <= 1:
                range(Int64(least[0]), Int64(greatest[0])).map(Bounds.integers)
            case .int64, .timestamp: range(Int64(stored: least), Int64(stored: greatest)).map(Bounds.integers)
            case .decimal: range(Int128(stored: least), Int128(stored: greatest)).map(Bounds.decimals)
            case .text where !greatest.lexicographicallyPrecedes(least): .texts(least: least, greatest: greatest)
            case .text, .bool: nil
            }
        guard let bounds else { throw ParquetDamage("the statistics of a column are impossible") }
        return ColumnStatistics(nullCount: nullCount, bounds: bounds)
    }

    private static func range<Value: Comparable>(_ least: Value?, _ greatest: Value?) -> ClosedRange<Value>? {
        guard let least, let greatest, least <= greatest else { return nil }
        return least...greatest
    }
}

extension TextDictionary {
    /// The least and greatest of some texts; nil where there is none, or where one of the two is too long.
    func bounds(of codes: [Int32]) -> ColumnStatistics.Bounds? {
        guard let first = codes.first else { return nil }
        var (least, greatest) = (first, first)
        bytes.withUnsafeBytes { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                /// The first eight bytes as one number, which nearly always decides.
                @inline(__always) func head(_ code: Int32) -> UInt64 {
                    let (start, end) = (Int(offsets[Int(code)]), Int(offsets[Int(code) + 1]))
                    if start + 8 <= bytes.count {
                        let word = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                        return end - start >= 8 ? word : word & ~(UInt64.max >> UInt64(8 * (end - start)))
                    }
                    return bytes[start..<min(end, start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
                        << UInt64(8 * max(0, 8 - end + start))
                }
                var (leastHead, greatestHead) = (head(first), head(first))
                for code in codes {
                    let own = head(code)
                    if own < leastHead || own == leastHead && precedes(code, least) { (least, leastHead) = (code, own) }
                    if own > greatestHead || own == greatestHead && precedes(greatest, code) {
                        (greatest, greatestHead) = (code, own)
                    }
                }
            }
        }
        let (low, high) = ([UInt8](utf8(least)), [UInt8](utf8(greatest)))
        guard max(low.count, high.count) <= ColumnStatistics.longestText else { return nil }
        return .texts(least: low, greatest: high)
    }

    private func precedes(_ a: Int32, _ b: Int32) -> Bool { a != b && utf8(a).lexicographicallyPrecedes(utf8(b)) }
}
