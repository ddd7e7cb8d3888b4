import Glibc

extension TextInterner {
    /// Gives codes to many texts of a dictionary at once: `codes[code]` becomes what `code(of:)` says.
    ///
    /// Where hundreds of thousands of texts are known, a look-up waits for memory three times: for the slot, for where its text lies,
    /// and for the text. Here each wait is that of many texts together, because what one loop reads does not depend on the one before.
    public mutating func assign(_ wanted: [Int32], of other: TextDictionary, to codes: inout [Int32]) {
        while (dictionary.count + wanted.count) * 2 > slots.count { grow() }
        let width = 64
        withUnsafeTemporaryAllocation(of: Lookup.self, capacity: width) { lookups in
            other.bytes.withUnsafeBufferPointer { bytes in
                other.offsets.withUnsafeBufferPointer { offsets in
                    codes.withUnsafeMutableBufferPointer { codes in
                        wanted.withUnsafeBufferPointer { wanted in
                            for start in stride(from: 0, to: wanted.count, by: width) {
                                let chunk = UnsafeBufferPointer(rebasing: wanted[start..<min(start + width, wanted.count)])
                                for (index, code) in chunk.enumerated() {
                                    let text = bytes[Int(offsets[Int(code)])..<Int(offsets[Int(code) + 1])]
                                    lookups.initializeElement(at: index, to: Lookup(UnsafeBufferPointer(rebasing: text)))
                                }
                                find(UnsafeMutableBufferPointer(rebasing: lookups[..<chunk.count]))
                                for (index, code) in chunk.enumerated() {
                                    // What was not found is new, is short, or shares its hash with another one: all of that is rare.
                                    let known = lookups[index].known
                                    codes[Int(code)] = known >= 0 ? known : self.code(of: lookups[index].text)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private struct Lookup {
        let text: UnsafeBufferPointer<UInt8>
        let tag: UInt64
        var entry: UInt64 = 0
        var place = 0
        /// The code, once the text is known to be that one's; otherwise -1.
        var known: Int32 = -1

        init(_ text: UnsafeBufferPointer<UInt8>) {
            self.text = text
            tag = fastHash(text) & 0xffff_ffff_0000_0000
        }
    }

    /// Looks into the first slot of each.
    private func find(_ lookups: UnsafeMutableBufferPointer<Lookup>) {
        let mask = UInt64(slots.count - 1)
        slots.withUnsafeBufferPointer { slots in
            for index in lookups.indices {
                let entry = slots[Int(truncatingIfNeeded: (lookups[index].tag >> 32) & mask)]
                lookups[index].entry = entry ^ lookups[index].tag < 1 << 32 ? entry & 0xffff_ffff : 0
            }
        }
        dictionary.offsets.withUnsafeBufferPointer { offsets in
            for index in lookups.indices where lookups[index].entry != 0 {
                let code = Int(lookups[index].entry) - 1
                let place = Int(offsets[code])
                lookups[index].place = Int(offsets[code + 1]) - place == lookups[index].text.count ? place : -1
            }
        }
        dictionary.bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for index in lookups.indices where lookups[index].entry != 0 && lookups[index].place >= 0 {
                let text = lookups[index].text
                guard let own = text.baseAddress, text.count >= 8 else { continue }
                let known = base + lookups[index].place
                // Both ends first: they bring the text's lines of memory, and nearly always decide.
                let last = text.count - 8
                let differs =
                    (known.loadUnaligned(as: UInt64.self) ^ UnsafeRawPointer(own).loadUnaligned(as: UInt64.self))
                    | (known.loadUnaligned(fromByteOffset: last, as: UInt64.self)
                        ^ UnsafeRawPointer(own).loadUnaligned(fromByteOffset: last, as: UInt64.self))
                if differs == 0 { lookups[index].known = Int32(lookups[index].entry) &- 1 }
            }
            for index in lookups.indices where lookups[index].known >= 0 {
                let text = lookups[index].text
                guard let own = text.baseAddress, memcmp(base + lookups[index].place, own, text.count) != 0 else { continue }
                lookups[index].known = -1
            }
        }
    }
}
