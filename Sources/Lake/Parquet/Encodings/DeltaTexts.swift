// "Delta-length byte array (DELTA_LENGTH_BYTE_ARRAY = 6): we take all the byte array lengths and encode them using delta encoding. The
// byte array data follows all of the length data just concatenated back to back."

extension ChunkEncoder {
    static func deltaLengths(_ codes: [Int32], of dictionary: TextDictionary) -> ChunkEncoder {
        let lengths = dictionary.lengths(of: codes[...])
        let layout = DeltaLayout(lengths)
        let size = dictionary.byteCount(of: codes[...])
        return ChunkEncoder(
            encoding: .deltaLengthByteArray, size: layout.size + size,
            longestPage: longestPage(codes, of: dictionary, size: 4 * codes.count + size),
            page: { page in
                if page == codes.indices {
                    return dictionary.appendTexts(of: codes[...], size: size, to: layout.bytes(of: lengths))
                }
                let part = Array(lengths[page])
                let size = dictionary.byteCount(of: codes[page])
                return dictionary.appendTexts(of: codes[page], size: size, to: DeltaLayout(part).bytes(of: part))
            },
            bounds: { dictionary.bounds(of: codes) })
    }
}

extension TextDictionary {
    fileprivate func lengths(of codes: ArraySlice<Int32>) -> [Int64] {
        offsets.withUnsafeBufferPointer { offsets in
            codes.withUnsafeBufferPointer { codes in
                [Int64](unsafeUninitializedCapacity: codes.count) { lengths, filled in
                    for index in codes.indices {
                        let code = Int(codes[index])
                        lengths[index] = Int64(offsets[code &+ 1] &- offsets[code])
                    }
                    filled = codes.count
                }
            }
        }
    }

    /// The texts back to back; those that lie behind each other already are copied at once.
    fileprivate func appendTexts(of codes: ArraySlice<Int32>, size: Int, to lengths: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                codes.withUnsafeBufferPointer { codes in
                    [UInt8](unsafeUninitializedCapacity: lengths.count + size) { out, filled in
                        let target = UnsafeMutableRawBufferPointer(out)
                        target.copyBytes(from: lengths)
                        filled = lengths.count
                        var at = 0
                        while at < codes.count {
                            let first = Int(offsets[Int(codes[at])])
                            var end = Int(offsets[Int(codes[at]) + 1])
                            at += 1
                            while at < codes.count, Int(offsets[Int(codes[at])]) == end {
                                end = Int(offsets[Int(codes[at]) + 1])
                                at += 1
                            }
                            UnsafeMutableRawBufferPointer(rebasing: target[filled...])
                                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[first..<end]))
                            filled += end - first
                        }
                    }
                }
            }
        }
    }
}

/// The texts of one page, whose lengths are known and fit its bytes.
private struct TextPage {
    /// In plain pages the lengths stand between the texts, and are looked at when these are copied.
    var lengths: [Int64]?
    /// How much of the text before begins each one; empty where none does.
    var shared: [Int64] = []
    let bytes: UnsafeRawBufferPointer
    let count: Int
    /// What the texts take in memory.
    let size: Int

    init(_ bytes: UnsafeRawBufferPointer, count: Int, encoding: ParquetEncoding) throws {
        self.count = count
        var rest = bytes
        switch encoding {
        case .plain:
            // Every text has a length of four bytes.
            guard count <= bytes.count / 4 else { throw ParquetDamage("a page holds fewer texts than it says") }
            size = bytes.count - 4 * count
        case .deltaLengthByteArray:
            let lengths = try TextPage.deltas(&rest, count: count)
            guard try TextPage.sum(lengths) == rest.count else {
                throw ParquetDamage("a page holds more or fewer texts than it says")
            }
            self.lengths = lengths
            size = rest.count
        case .deltaByteArray:
            // "A sequence of delta-encoded prefix lengths, followed by the suffixes encoded as delta length byte arrays."
            shared = try TextPage.deltas(&rest, count: count)
            let lengths = try TextPage.deltas(&rest, count: count)
            guard try TextPage.sum(lengths) == rest.count else {
                throw ParquetDamage("a page holds more or fewer texts than it says")
            }
            var before: Int64 = 0
            for (own, length) in zip(shared, lengths) {
                guard own >= 0, own <= before else { throw ParquetDamage("a text begins with more than the one before has") }
                before = own + length
            }
            self.lengths = lengths
            size = rest.count + (try TextPage.sum(shared))
        case .deltaBinaryPacked, .rle, .rleDictionary: throw ParquetDamage("a page of texts is encoded as numbers are")
        }
        self.bytes = rest
    }

    private static func deltas(_ bytes: inout UnsafeRawBufferPointer, count: Int) throws -> [Int64] {
        try [Int64](unsafeUninitializedCapacity: max(1, count)) { values, filled in
            let length = try decodeDelta(bytes, count: count, into: values.baseAddress!)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[length...])
            filled = count
        }
    }

    /// No length is negative, and all together are no longer than a part can hold.
    private static func sum(_ lengths: [Int64]) throws -> Int {
        var sum: Int64 = 0
        for length in lengths {
            guard length >= 0, length <= Int64(Int32.max), sum <= Int64(Int32.max) else {
                throw ParquetDamage("a page of texts has an impossible length")
            }
            sum += length
        }
        return Int(sum)
    }

    /// Copies the texts to `target`, behind which lies room, and tells where each of them ends, counted from `start`.
    func copy(to target: UnsafeMutableRawPointer, from start: Int, ends: UnsafeMutablePointer<Int32>) throws {
        guard let lengths else { return try copyPlain(to: target, from: start, ends: ends) }
        var end = start
        if shared.isEmpty {
            if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
            for index in 0..<count {
                end &+= Int(lengths[index])
                ends[index] = Int32(truncatingIfNeeded: end)
            }
            return
        }
        var (source, out, before) = (0, 0, 0)
        for index in 0..<count {
            let (own, length) = (Int(shared[index]), Int(lengths[index]))
            (target + out).copyMemory(from: target + before, byteCount: own)
            copyText(bytes.baseAddress! + source, length, to: target + out + own)
            (before, source, out) = (out, source + length, out + own + length)
            ends[index] = Int32(truncatingIfNeeded: start + out)
        }
    }

    private func copyPlain(to target: UnsafeMutableRawPointer, from start: Int, ends: UnsafeMutablePointer<Int32>) throws {
        var (at, filled) = (0, 0)
        for index in 0..<count {
            guard bytes.count - at >= 4 else { throw ParquetDamage("a page of texts is cut off") }
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            at += 4
            guard length <= bytes.count - at, length <= size - filled else {
                throw ParquetDamage("a text is longer than its page")
            }
            copyText(bytes.baseAddress! + at, length, to: target + filled)
            at += length
            filled += length
            ends[index] = Int32(truncatingIfNeeded: start + filled)
        }
        guard at == bytes.count else { throw ParquetDamage("a page holds more texts than it says") }
    }
}

extension TextDictionary {
    /// Reads pages of texts one after another: a text's code is its position.
    init(pages: [(bytes: UnsafeRawBufferPointer, count: Int, encoding: ParquetEncoding)]) throws {
        let pages = try pages.map { try TextPage($0.bytes, count: $0.count, encoding: $0.encoding) }
        let count = pages.reduce(0) { $0 + $1.count }
        let size = pages.reduce(0) { $0 + $1.size }
        guard size <= Int(Int32.max) else { throw ParquetDamage("a column holds more text than a part can") }
        var offsets = [Int32](repeating: 0, count: count + 1)
        let bytes = try [UInt8](unsafeUninitializedCapacity: size + readableSlack) { bytes, filled in
            try offsets.withUnsafeMutableBufferPointer { offsets in
                var code = 1
                for page in pages {
                    try page.copy(to: bytes.baseAddress! + filled, from: filled, ends: offsets.baseAddress! + code)
                    filled += page.size
                    code += page.count
                }
            }
        }
        self.init(bytes: bytes, offsets: offsets)
    }
}
