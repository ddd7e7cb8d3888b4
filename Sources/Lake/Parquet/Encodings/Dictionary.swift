import Glibc

// "Dictionary page: the entries in the dictionary using the plain encoding. Data page: the bit width used to encode the entry ids
// stored as 1 byte, followed by the values encoded using the RLE / bit-packing hybrid."
// Entries stand in the order in which the rows first use them, so that equal rows give equal bytes.

/// A dictionary of numbers stays in a processor's cache.
private let largestOfIntegers = 128 << 10
private let largestOfTexts = 4 << 20

/// Where hardly any of the first values repeats, the others are not looked at.
private func isHopeless(_ entries: Int, after values: Int) -> Bool { values == 8192 && entries > 8192 / 100 * 99 }

extension ChunkEncoder {
    private init(codes: [Int32], page: [UInt8], count: Int, bounds: ColumnStatistics.Bounds?) {
        // One entry would need no bits at all; one bit is what every engine is used to.
        let width = max(1, Int.bitWidth - (count - 1).leadingZeroBitCount)
        self.init(
            encoding: .rleDictionary, size: page.count + (codes.count * width + 7) / 8, dictionary: (page, count),
            page: { values in
                codes[values].withUnsafeBufferPointer { encodeHybrid($0, width: width, after: [UInt8(width)]) }
            },
            bounds: { bounds })
    }

    /// nil where the dictionary would take more than half of what the values take, or is too large.
    static func dictionary<Value: StoredInteger>(_ values: [Value]) -> ChunkEncoder? {
        let limit = min(values.count / 2, largestOfIntegers / Value.storedSize)
        guard limit > 0 else { return nil }
        var entries: [Value] = []
        // Twice as many slots as entries, so that an empty one is always near.
        let bits = Int.bitWidth - (2 * limit).leadingZeroBitCount
        var slots = [Int32](repeating: -1, count: 1 << bits)
        var fits = true
        let codes = values.withUnsafeBufferPointer { values in
            slots.withUnsafeMutableBufferPointer { slots in
                [Int32](unsafeUninitializedCapacity: values.count) { codes, filled in
                    var (last, lastCode) = (values[0], Int32(-1))
                    for index in values.indices {
                        let value = values[index]
                        if value != last || lastCode < 0 {
                            var slot = Int(truncatingIfNeeded: hash(value) >> UInt64(64 - bits))
                            while slots[slot] >= 0 && entries[Int(slots[slot])] != value { slot = (slot + 1) & (slots.count - 1) }
                            if slots[slot] < 0 {
                                if entries.count == limit || isHopeless(entries.count, after: index) {
                                    fits = false
                                    return
                                }
                                slots[slot] = Int32(entries.count)
                                entries.append(value)
                            }
                            (last, lastCode) = (value, slots[slot])
                        }
                        codes[index] = lastCode
                    }
                    filled = values.count
                }
            }
        }
        guard fits else { return nil }
        return ChunkEncoder(codes: codes, page: plainPage(entries[...]), count: entries.count, bounds: entries.storedBounds)
    }

    /// nil where the dictionary would take more than half of what the texts take, or is too large.
    ///
    /// Texts are told apart by their bytes, because a batch may hold the same text under two codes.
    static func dictionary(_ own: [Int32], of dictionary: TextDictionary) -> ChunkEncoder? {
        let limit = min(dictionary.storedSize(of: own[...]) / 2, largestOfTexts)
        guard limit > 0 else { return nil }
        var interner = TextInterner()
        // Zeroed by the system and only where it is touched: the batch's dictionary may be far larger than this chunk.
        guard let known = calloc(max(1, dictionary.count), MemoryLayout<Int32>.stride)?.assumingMemoryBound(to: Int32.self) else {
            return nil
        }
        defer { free(known) }
        var fits = true
        let codes = own.withUnsafeBufferPointer { own in
            [Int32](unsafeUninitializedCapacity: own.count) { codes, filled in
                for index in own.indices {
                    let code = Int(own[index])
                    if known[code] == 0 {
                        known[code] = 1 + dictionary.withUTF8(own[index]) { interner.code(of: $0) }
                        let entries = interner.dictionary
                        if entries.bytes.count + 4 * entries.count > limit || isHopeless(entries.count, after: index) {
                            fits = false
                            return
                        }
                    }
                    codes[index] = known[code] - 1
                }
                filled = own.count
            }
        }
        guard fits else { return nil }
        let entries = interner.dictionary
        let all = Array(0..<Int32(entries.count))
        return ChunkEncoder(codes: codes, page: entries.plainPage(all[...]), count: all.count, bounds: entries.bounds(of: all))
    }
}

@inline(__always) private func hash(_ value: some StoredInteger) -> UInt64 {
    let low = UInt64(truncatingIfNeeded: value)
    let high = UInt64(truncatingIfNeeded: value >> 63)
    return (low ^ (high &* 0xff51_afd7_ed55_8ccd)) &* 0x9e37_79b9_7f4a_7c15
}

/// Reads the codes of a page; every one of them is an entry of the dictionary.
func decodeCodes(
    _ bytes: UnsafeRawBufferPointer, count: Int, entries: Int, into codes: UnsafeMutablePointer<Int32>
) throws {
    guard let width = bytes.first, width <= 32 else { throw ParquetDamage("a page of codes has no bit width") }
    let runs = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    try decodeHybrid(runs, width: Int(width), count: count, into: codes)
    // The sign bit tells of a negative code and of one beyond the last entry; no branch, so that it runs eight at a time.
    let last = Int32(truncatingIfNeeded: entries - 1)
    var outside: Int32 = 0
    for index in 0..<count { outside |= codes[index] | (last &- codes[index]) }
    guard outside >= 0 else { throw ParquetDamage("a value points outside its dictionary") }
}
