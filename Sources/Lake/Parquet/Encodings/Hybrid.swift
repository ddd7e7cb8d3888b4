// "Run Length Encoding / Bit-Packing Hybrid (RLE = 3): a combination of bit-packing and run length encoding."

/// Shorter runs than this are bit-packed with their neighbours.
private let shortestRun = 32

/// Codes as runs, behind the bytes given first.
func encodeHybrid(_ codes: UnsafeBufferPointer<Int32>, width: Int, after prefix: [UInt8] = []) -> [UInt8] {
    var out = prefix
    out.reserveCapacity(prefix.count + codes.count * width / 8 + 64)
    var (literal, at) = (0, 0)
    while at < codes.count {
        let value = codes[at]
        var end = at + 1
        while end < codes.count && codes[end] == value { end += 1 }
        // "We always bit-pack a multiple of 8 values at a time": what is missing is taken from this run.
        let start = at + (8 - (at - literal) % 8) % 8
        if end - start >= shortestRun {
            out.appendPacked(UnsafeBufferPointer(rebasing: codes[literal..<start]), width: width)
            out.appendRun(of: UInt64(UInt32(bitPattern: value)), length: end - start, width: width)
            literal = end
        }
        at = end
    }
    out.appendPacked(UnsafeBufferPointer(rebasing: codes[literal...]), width: width)
    return out
}

extension [UInt8] {
    /// "rle-header := varint-encode(rle-run-len << 1), repeated-value := fixed-width of round-up-to-next-byte(bit-width)".
    mutating func appendRun(of value: UInt64, length: Int, width: Int) {
        appendVarint(UInt64(length) << 1)
        for shift in stride(from: UInt64(0), to: UInt64(width), by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// "bit-packed-header := varint-encode(bit-pack-scaled-run-len << 1 | 1)", then the values "packed from the least significant
    /// bit of each byte to the most significant bit".
    fileprivate mutating func appendPacked(_ codes: UnsafeBufferPointer<Int32>, width: Int) {
        if codes.isEmpty { return }
        let groups = (codes.count + 7) / 8
        appendVarint(UInt64(groups) << 1 | 1)
        let packed = [UInt8](unsafeUninitializedCapacity: groups * width + 8) { out, filled in
            let target = UnsafeMutableRawBufferPointer(out)
            var (word, bits, at): (UInt64, Int, Int) = (0, 0, 0)
            for code in codes {
                let value = UInt64(UInt32(bitPattern: code))
                word |= value &<< UInt64(bits)
                bits += width
                if bits >= 64 {
                    target.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
                    at += 8
                    bits -= 64
                    word = value &>> UInt64(width - bits)
                    if bits == 0 { word = 0 }
                }
            }
            // The padding of the last group is zeros.
            while at < groups * width {
                target.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
                word = 0
                at += 8
            }
            filled = groups * width
        }
        append(contentsOf: packed)
    }
}

/// Reads the runs of a hybrid one after another.
struct HybridRuns {
    enum Run {
        case repeated(UInt64, length: Int)
        /// Whole groups of eight.
        case packed(UnsafeRawBufferPointer, groups: Int)
    }

    private let bytes: UnsafeRawBufferPointer
    private let width: Int
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer, width: Int) { (self.bytes, self.width) = (bytes, width) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func next() throws -> Run {
        // "bit-packed-run-len and rle-run-len must be in the range [1, 2^31 - 1]", so a header has five bytes at most.
        var (header, shift) = (0, 0)
        while true {
            guard position < bytes.count, shift < 35 else { throw ParquetDamage("a run of values has no length") }
            let byte = Int(bytes[position])
            position += 1
            header |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        let length = header >> 1
        guard length > 0 else { throw ParquetDamage("a run of values is empty") }
        if header & 1 == 1 {
            guard length * width <= bytes.count - position else { throw ParquetDamage("a run of values is cut off") }
            defer { position += length * width }
            return .packed(UnsafeRawBufferPointer(rebasing: bytes[position..<position + length * width]), groups: length)
        }
        let size = (width + 7) / 8
        guard size <= bytes.count - position else { throw ParquetDamage("a run of values is cut off") }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += size
        return .repeated(value, length: length)
    }
}

/// Reads exactly this many codes, and refuses bytes that hold fewer or more; `readableSlack` bytes follow them in memory.
func decodeHybrid(
    _ bytes: UnsafeRawBufferPointer, width: Int, count: Int, into codes: UnsafeMutablePointer<Int32>
) throws {
    var runs = HybridRuns(bytes, width: width)
    var filled = 0
    while filled < count {
        switch try runs.next() {
        case .repeated(let value, let length):
            guard length <= count - filled else { throw ParquetDamage("a page holds more values than it says") }
            (codes + filled).update(repeating: Int32(truncatingIfNeeded: value), count: length)
            filled += length
        case .packed(let bits, let groups):
            // The last group of a page is filled up with zeros.
            guard groups <= (count - filled + 7) / 8 else { throw ParquetDamage("a page holds more values than it says") }
            let whole = min(groups, (count - filled) / 8)
            unpack(bits, groups: whole, width: width, into: codes + filled)
            filled += whole * 8
            if whole < groups {
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 8) { last in
                    unpack(
                        UnsafeRawBufferPointer(rebasing: bits[(whole * width)...]), groups: 1, width: width,
                        into: last.baseAddress!)
                    for index in 0..<count - filled { codes[filled + index] = last[index] }
                }
                filled = count
            }
        }
    }
    guard runs.isAtEnd else { throw ParquetDamage("a page holds more values than it says") }
}

/// Unpacks groups of eight codes; a width known when compiling makes every shift and mask a constant.
private func unpack(_ bits: UnsafeRawBufferPointer, groups: Int, width: Int, into codes: UnsafeMutablePointer<Int32>) {
    guard let source = bits.baseAddress, width > 0 else { return codes.update(repeating: 0, count: groups * 8) }
    switch width {
    case 1: unpackGroups(source, groups, 1, codes)
    case 2: unpackGroups(source, groups, 2, codes)
    case 3: unpackGroups(source, groups, 3, codes)
    case 4: unpackGroups(source, groups, 4, codes)
    case 5: unpackGroups(source, groups, 5, codes)
    case 6: unpackGroups(source, groups, 6, codes)
    case 7: unpackGroups(source, groups, 7, codes)
    case 8: unpackGroups(source, groups, 8, codes)
    case 9: unpackGroups(source, groups, 9, codes)
    case 10: unpackGroups(source, groups, 10, codes)
    case 11: unpackGroups(source, groups, 11, codes)
    case 12: unpackGroups(source, groups, 12, codes)
    case 13: unpackGroups(source, groups, 13, codes)
    case 14: unpackGroups(source, groups, 14, codes)
    case 15: unpackGroups(source, groups, 15, codes)
    case 16: unpackGroups(source, groups, 16, codes)
    default: unpackGroups(source, groups, width, codes)
    }
}

@inline(__always)
private func unpackGroups(_ source: UnsafeRawPointer, _ groups: Int, _ width: Int, _ codes: UnsafeMutablePointer<Int32>) {
    let mask = (UInt64(1) << UInt64(width)) - 1
    for group in 0..<groups {
        let bits = source + group * width
        let target = codes + group * 8
        // A code begins at most 7 bits into a byte and is 32 bits long at most, so that one load holds all of it.
        @inline(__always) func code(_ index: Int) -> Int32 {
            let word = UInt64(littleEndian: bits.loadUnaligned(fromByteOffset: index * width / 8, as: UInt64.self))
            return Int32(truncatingIfNeeded: (word &>> UInt64(index * width % 8)) & mask)
        }
        target[0] = code(0)
        target[1] = code(1)
        target[2] = code(2)
        target[3] = code(3)
        target[4] = code(4)
        target[5] = code(5)
        target[6] = code(6)
        target[7] = code(7)
    }
}
