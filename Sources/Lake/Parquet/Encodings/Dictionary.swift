import Glibc

// "Dictionary page: the entries in the dictionary using the plain encoding. Data page: the bit width used to encode the entry ids
// stored as 1 byte, followed by the values encoded using the RLE / bit-packing hybrid."
// Entries stand in the order in which the rows first use them, so that equal rows give equal bytes.

/// A dictionary of numbers stays in a processor's cache.
private let largestOfIntegers = 128 << 10
private let largestOfTexts = 4 << 20

/// Where hardly any of the first values repeats, the others are not looked at.
private func isHopeless(_ entries: Int, after values: Int) -> Bool { values == 2048 && entries > 2048 / 100 * 99 }

/// Whether so many entries, which is asked at powers of two, make codes so long that what else there is will hardly be larger.
private func isTooLarge(_ entries: Int, _ entrySize: Int, _ values: Int, than size: Int) -> Bool {
    guard entries >= 256, entries & (entries - 1) == 0 else { return false }
    return entries * entrySize + values * entries.trailingZeroBitCount / 8 > size
}

extension ChunkEncoder {
    private init(codes: [Int32], page: [UInt8], count: Int, bounds: ColumnStatistics.Bounds?) {
        // One entry would need no bits at all; one bit is what every engine is used to.
        let width = max(1, Int.bitWidth - (count - 1).leadingZeroBitCount)
        func encoded(_ values: ArraySlice<Int32>) -> [UInt8] {
            values.withUnsafeBufferPointer { encodeHybrid($0, width: width, after: [UInt8(width)]) }
        }
        // Long runs take next to nothing, so that only the page itself tells its size.
        let whole = encoded(codes[...])
        self.init(
            encoding: .rleDictionary, size: page.count + whole.count, dictionary: (page, count),
            page: { $0 == codes.indices ? whole : encoded(codes[$0]) }, bounds: { bounds })
    }

    /// nil where the dictionary alone would take more than this, or is too large.
    static func dictionary<Value: StoredInteger>(_ values: [Value], smallerThan size: Int) -> ChunkEncoder? {
        let limit = min(size, values.count / 2 * Value.storedSize, largestOfIntegers) / Value.storedSize
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
                                if entries.count == limit || isHopeless(entries.count, after: index)
                                    || isTooLarge(entries.count, Value.storedSize, values.count, than: size)
                                {
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

    /// nil where the dictionary alone would take more than this, or is too large.
    ///
    /// Texts are told apart by their bytes, because a batch may hold the same text under two codes.
    static func dictionary(_ own: [Int32], of dictionary: TextDictionary, smallerThan size: Int) -> ChunkEncoder? {
        let limit = min(size, largestOfTexts)
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
    guard areAll(UnsafeBufferPointer(start: codes, count: count), below: entries) else {
        throw ParquetDamage("a value points outside its dictionary")
    }
}

func areAll(_ codes: [Int32], below count: Int) -> Bool { codes.withUnsafeBufferPointer { areAll($0, below: count) } }

/// Whether all codes have one of so many entries.
private func areAll(_ codes: UnsafeBufferPointer<Int32>, below count: Int) -> Bool {
    // The sign bit tells of a negative code and of one beyond the last entry; no branch, so that it runs eight at a time.
    let last = Int32(truncatingIfNeeded: count - 1)
    var outside: Int32 = 0
    for code in codes { outside |= code | (last &- code) }
    return outside >= 0
}
