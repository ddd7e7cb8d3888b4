// "Plain (PLAIN = 0): values are encoded back to back."

/// A number in the form in which Parquet stores it; the conversion is its own inverse.
protocol StoredInteger: FixedWidthInteger, BitwiseCopyable {
    var stored: Self { get }
    static func bounds(_ range: ClosedRange<Self>) -> ColumnStatistics.Bounds
}

extension Int64: StoredInteger {
    /// "INT64: 8 bytes little endian."
    @inline(__always) var stored: Int64 { littleEndian }
    static func bounds(_ range: ClosedRange<Int64>) -> ColumnStatistics.Bounds { .integers(range) }
}

extension Int128: StoredInteger {
    /// "DECIMAL: two's complement using big-endian byte order (the most significant byte is the zeroth element)."
    @inline(__always) var stored: Int128 { bigEndian }
    static func bounds(_ range: ClosedRange<Int128>) -> ColumnStatistics.Bounds { .decimals(range) }
}

extension StoredInteger {
    static var storedSize: Int { MemoryLayout<Self>.size }
    var storedBytes: [UInt8] { withUnsafeBytes(of: stored, Array.init) }

    init?(stored bytes: [UInt8]) {
        guard bytes.count == Self.storedSize else { return nil }
        self = bytes.withUnsafeBytes { $0.loadUnaligned(as: Self.self).stored }
    }
}

extension ChunkEncoder {
    static func plain<Value: StoredInteger>(_ values: [Value]) -> ChunkEncoder {
        ChunkEncoder(
            encoding: .plain, size: values.count * Value.storedSize, page: { plainPage(values[$0]) },
            bounds: { values.storedBounds })
    }

    /// "BOOLEAN: bit-packed, LSB first."
    static func plain(_ values: [Bool]) -> ChunkEncoder {
        ChunkEncoder(
            encoding: .plain, size: (values.count + 7) / 8,
            page: { page in values[page].withUnsafeBytes { packBits($0, inverted: false) } },
            bounds: {
                values.isEmpty ? nil : .integers((values.contains(false) ? 0 : 1)...(values.contains(true) ? 1 : 0))
            })
    }
}

func plainPage<Value: StoredInteger>(_ values: ArraySlice<Value>) -> [UInt8] {
    let size = values.count * Value.storedSize
    return values.withUnsafeBufferPointer { values in
        [UInt8](unsafeUninitializedCapacity: size) { out, filled in
            let target = UnsafeMutableRawBufferPointer(out)
            for index in values.indices {
                target.storeBytes(of: values[index].stored, toByteOffset: index * Value.storedSize, as: Value.self)
            }
            filled = size
        }
    }
}

extension Array where Element: StoredInteger {
    /// The least and greatest value; nil where there is none.
    var storedBounds: ColumnStatistics.Bounds? {
        guard var least = first else { return nil }
        var greatest = least
        for value in self {
            least = Swift.min(least, value)
            greatest = Swift.max(greatest, value)
        }
        return Element.bounds(least...greatest)
    }
}

func decodePlain<Value: StoredInteger>(
    _ bytes: UnsafeRawBufferPointer, count: Int, into values: UnsafeMutablePointer<Value>
) throws {
    guard bytes.count == count * Value.storedSize else { throw ParquetDamage("a page holds more or fewer numbers than it says") }
    for index in 0..<count {
        values[index] = bytes.loadUnaligned(fromByteOffset: index * Value.storedSize, as: Value.self).stored
    }
}

/// Flags as bytes of 0 or 1.
func decodePlain(flags bytes: UnsafeRawBufferPointer, count: Int, into values: UnsafeMutablePointer<UInt8>) throws {
    guard bytes.count == (count + 7) / 8 else { throw ParquetDamage("a page holds more or fewer flags than it says") }
    unpackBits(bytes, count: count, inverted: false, into: values)
}

/// One bit for every byte, which is 0 or 1; the first stands lowest.
func packBits(_ flags: UnsafeRawBufferPointer, inverted: Bool) -> [UInt8] {
    let flip: UInt64 = inverted ? 0x0101_0101_0101_0101 : 0
    let size = (flags.count + 7) / 8
    return [UInt8](unsafeUninitializedCapacity: size) { out, filled in
        for index in 0..<flags.count / 8 {
            let word = flags.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) ^ flip
            // The multiplication brings bit 0 of byte i to bit 56 + i, and no two meet.
            out[index] = UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) >> 56)
        }
        if flags.count % 8 > 0 {
            var last: UInt8 = 0
            for index in flags.count / 8 * 8..<flags.count { last |= (flags[index] ^ UInt8(flip & 1)) << UInt8(index % 8) }
            out[size - 1] = last
        }
        filled = size
    }
}

/// The reverse of `packBits`; there must be a bit for every flag.
func unpackBits(_ bits: UnsafeRawBufferPointer, count: Int, inverted: Bool, into flags: UnsafeMutableRawPointer) {
    let flip: UInt64 = inverted ? 0x0101_0101_0101_0101 : 0
    for index in 0..<count / 8 {
        // Every byte gets all eight bits, keeps its own, and carries it up to bit 7.
        let own = (UInt64(bits[index]) &* 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
        let word = ((own &+ 0x7f7f_7f7f_7f7f_7f7f) >> 7) & 0x0101_0101_0101_0101
        flags.storeBytes(of: word ^ flip, toByteOffset: index * 8, as: UInt64.self)
    }
    for index in count / 8 * 8..<count {
        flags.storeBytes(of: (bits[index / 8] >> UInt8(index % 8) & 1) ^ UInt8(flip & 1), toByteOffset: index, as: UInt8.self)
    }
}
