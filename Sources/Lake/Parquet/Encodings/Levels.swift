// "Nullity is encoded in the definition levels (which is run-length encoded). NULL values are not encoded in the data."
// In a flat schema a level is one bit: 1 where there is a value.

/// The definition levels of a page of version 1: "length of the encoded-data in bytes stored as 4 bytes little endian", then runs.
func encodeLevels(_ isNull: UnsafeBufferPointer<Bool>, rows: Int, present: Int) -> [UInt8] {
    var runs: [UInt8] = []
    if present == rows || present == 0 {
        runs.appendRun(of: present == 0 ? 0 : 1, length: rows, width: 1)
    } else {
        let bits = packBits(UnsafeRawBufferPointer(isNull), inverted: true)
        let whole = rows / 8
        var (literal, at) = (0, 0)
        while at < whole {
            var end = at + 1
            if bits[at] == 0 || bits[at] == 0xff { while end < whole && bits[end] == bits[at] { end += 1 } }
            if end - at >= 16 {
                runs.appendPacked(bits[literal..<at])
                runs.appendRun(of: UInt64(bits[at] & 1), length: 8 * (end - at), width: 1)
                literal = end
            }
            at = end
        }
        runs.appendPacked(bits[literal...])
    }
    return withUnsafeBytes(of: UInt32(runs.count).littleEndian, Array.init) + runs
}

extension [UInt8] {
    /// Groups of eight levels that are packed already.
    fileprivate mutating func appendPacked(_ bits: ArraySlice<UInt8>) {
        if bits.isEmpty { return }
        appendVarint(UInt64(bits.count) << 1 | 1)
        append(contentsOf: bits)
    }
}

/// Whether the levels are one run of ones, as those of a page without nulls are.
func areAllPresent(_ levels: UnsafeRawBufferPointer, rows: Int) throws -> Bool {
    guard rows > 0 else { return levels.isEmpty }
    var runs = HybridRuns(levels, width: 1)
    guard case .repeated(1, length: rows) = try runs.next() else { return false }
    return runs.isAtEnd
}

/// Marks the nulls of a page and returns how many of its values are present.
func decodeLevels(_ levels: UnsafeRawBufferPointer, rows: Int, into isNull: UnsafeMutablePointer<Bool>) throws -> Int {
    var runs = HybridRuns(levels, width: 1)
    var (filled, present) = (0, 0)
    while filled < rows {
        switch try runs.next() {
        case .repeated(let level, let length):
            guard level <= 1, length <= rows - filled else { throw ParquetDamage("the levels of a page do not fit its rows") }
            (isNull + filled).update(repeating: level == 0, count: length)
            present += level == 0 ? 0 : length
            filled += length
        case .packed(let bits, let groups):
            guard groups <= (rows - filled + 7) / 8 else { throw ParquetDamage("the levels of a page do not fit its rows") }
            let count = min(groups * 8, rows - filled)
            unpackBits(bits, count: count, inverted: true, into: isNull + filled)
            present += count - countTrue(UnsafeRawBufferPointer(start: isNull + filled, count: count))
            filled += count
        }
    }
    guard runs.isAtEnd else { throw ParquetDamage("the levels of a page do not fit its rows") }
    return present
}

/// How many of these flags, which are bytes of 0 or 1, are 1.
func countTrue(_ flags: UnsafeRawBufferPointer) -> Int {
    var (count, at) = (0, 0)
    // Every byte of the sum counts the flags of its own place, of which it holds 255.
    while at + 8 <= flags.count {
        var sum: UInt64 = 0
        let end = min(at + 255 * 8, flags.count - 7)
        while at < end {
            sum &+= flags.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            at &+= 8
        }
        let pairs = (sum & 0x00ff_00ff_00ff_00ff) &+ (sum >> 8 & 0x00ff_00ff_00ff_00ff)
        count += Int((pairs &* 0x0001_0001_0001_0001) >> 48)
    }
    while at < flags.count {
        count += Int(flags[at])
        at += 1
    }
    return count
}
