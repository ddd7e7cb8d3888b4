extension TextInterner {
    /// Gives codes to many texts of a dictionary at once: `codes[code]` becomes what `code(of:)` says.
    ///
    /// Where hundreds of thousands of texts are known, a look-up waits for memory three times: for the slot, for where its text lies,
    /// and for the text. Here each wait is that of many texts together, because what one loop reads does not depend on the one before.
    public mutating func assign(_ wanted: [Int32], of other: TextDictionary, to codes: inout [Int32]) {
        while (dictionary.count + wanted.count) * 2 > slots.count { grow() }
        let width = 64
        var tags = [UInt64](repeating: 0, count: width)
        var entries = tags
        var (places, heads, tails) = ([Int](repeating: 0, count: width), tags, tags)
        for start in stride(from: 0, to: wanted.count, by: width) {
            let chunk = wanted[start..<min(start + width, wanted.count)]
            let mask = UInt64(slots.count - 1)
            for (index, code) in chunk.enumerated() {
                tags[index] = other.withUTF8(code) { fastHash($0) } & 0xffff_ffff_0000_0000
            }
            slots.withUnsafeBufferPointer { slots in
                for index in 0..<chunk.count { entries[index] = slots[Int(truncatingIfNeeded: (tags[index] >> 32) & mask)] }
            }
            dictionary.offsets.withUnsafeBufferPointer { offsets in
                for index in 0..<chunk.count {
                    let isLikely = entries[index] != 0 && entries[index] ^ tags[index] < 1 << 32
                    places[index] = isLikely ? Int(offsets[Int(entries[index] & 0xffff_ffff) - 1]) : -1
                }
            }
            dictionary.bytes.withUnsafeBytes { bytes in
                for (index, code) in chunk.enumerated() {
                    let count = other.utf8Count(code)
                    guard places[index] >= 0, count >= 8, places[index] + count <= bytes.count else { continue }
                    heads[index] = bytes.loadUnaligned(fromByteOffset: places[index], as: UInt64.self)
                    tails[index] = bytes.loadUnaligned(fromByteOffset: places[index] + count - 8, as: UInt64.self)
                }
            }
            for (index, code) in chunk.enumerated() {
                codes[Int(code)] = other.withUTF8(code) { text in
                    // What differs at either end is another text with the same hash: rare, and found out in the ordinary way.
                    if places[index] >= 0, text.count >= 8, heads[index] == text.head, tails[index] == text.tail {
                        let known = Int32(truncatingIfNeeded: entries[index] & 0xffff_ffff) &- 1
                        if dictionary.equals(known, text) { return known }
                    }
                    return self.code(of: text)
                }
            }
        }
    }
}

extension TextDictionary {
    func utf8Count(_ code: Int32) -> Int { Int(offsets[Int(code) + 1] &- offsets[Int(code)]) }
}

extension UnsafeBufferPointer<UInt8> {
    /// The first and last eight bytes of a text that has so many.
    fileprivate var head: UInt64 { UnsafeRawBufferPointer(self).loadUnaligned(fromByteOffset: 0, as: UInt64.self) }
    fileprivate var tail: UInt64 { UnsafeRawBufferPointer(self).loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) }
}
