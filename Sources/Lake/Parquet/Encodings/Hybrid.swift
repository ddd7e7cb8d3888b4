// "Run Length Encoding / Bit-Packing Hybrid (RLE = 3): a combination of bit-packing and run length encoding."

/// Shorter runs than this are bit-packed with their neighbours.
private let shortestRun = 32

/// Codes as runs, behind the bytes given first.
func encodeHybrid(_ codes: UnsafeBufferPointer<Int32>, width: Int, after prefix: [UInt8] = []) -> [UInt8] {
    var out = prefix
    out.reserveCapacity(prefix.count + codes.count * width / 8 + 64)
    var (literal, at) = (0, 0)
    while let run = nextRun(in: codes, from: at) {
        // "We always bit-pack a multiple of 8 values at a time": what is missing is taken from this run.
        let start = run.lowerBound + (8 - (run.lowerBound - literal) % 8) % 8
        if run.upperBound - start >= shortestRun {
            out.appendPacked(UnsafeBufferPointer(rebasing: codes[literal..<start]), width: width)
            let value = UInt64(UInt32(bitPattern: codes[start]))
            out.appendRun(of: value, length: run.upperBound - start, width: width)
            literal = run.upperBound
        }
        at = run.upperBound
    }
    out.appendPacked(UnsafeBufferPointer(rebasing: codes[literal...]), width: width)
    return out
}

/// The first run from here on that is long enough. Most codes are never looked at: a run that begins here and is long enough has its
/// value also where it would end, and one that does not begin here begins behind the last code that differs from that.
private func nextRun(in codes: UnsafeBufferPointer<Int32>, from start: Int) -> Range<Int>? {
    var at = start
    while at + shortestRun <= codes.count {
        let value = codes[at + shortestRun - 1]
        var first = at + shortestRun - 1
        while first > at && codes[first - 1] == value { first -= 1 }
        if first == at {
            var end = at + shortestRun
            while end < codes.count && codes[end] == value { end += 1 }
            return at..<end
        }
        at = first
    }
    return nil
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
        let packed = [UInt8](unsafeUninitializedCapacity: groups * width + packingSlack) { out, filled in
            guard let target = UnsafeMutableRawPointer(out.baseAddress) else { return }
            // "We always bit-pack a multiple of 8 values at a time": the padding of the last group is zeros.
            target.initializeMemory(as: UInt8.self, repeating: 0, count: groups * width)
            pack(count: codes.count, width: width, to: target) { UInt64(UInt32(bitPattern: codes[$0])) }
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
            let present = min(groups * 8, count - filled)
            unpack(bits, count: present, width: width, into: codes + filled)
            filled += present
        }
    }
    guard runs.isAtEnd else { throw ParquetDamage("a page holds more values than it says") }
}
