/// Decodes one deflate stream (RFC 1951) piece by piece, on raw buffers.
///
/// Several times as fast as a byte-wise decoder: codes are looked up eleven bits at a time, up to three literals follow one refill of
/// the bit buffer, and matches are copied sixteen bytes at a time.
struct Inflater: ~Copyable {
    enum Status {
        /// The input is used up but for a few bytes; call again with more.
        case needsInput
        /// The output is full but for `outputSlack`; call again with room.
        case needsRoom
        case ended
        case damaged
    }

    /// Bytes behind the end of the input that may be read (their values do not matter).
    static let inputSlack = 16
    /// Room that must be left at the end of the output: the longest match and one copy too far.
    static let outputSlack = 258 + 32

    private var bits: UInt64 = 0
    private var count = 0
    private var step = Step.header
    private var isLastBlock = false
    private let literals: UnsafeMutablePointer<UInt32>
    private let distances: UnsafeMutablePointer<UInt32>

    private enum Step {
        case header
        case stored(Int)
        case codes
        case ended
    }

    init() {
        literals = .allocate(capacity: Huffman.literalTable)
        distances = .allocate(capacity: Huffman.distanceTable)
    }

    deinit {
        literals.deallocate()
        distances.deallocate()
    }

    /// Makes it ready for the next stream.
    mutating func reset() { (bits, count, step, isLastBlock) = (0, 0, .header, false) }

    /// Gives whole bytes that were read ahead back to the input.
    mutating func giveBack(_ input: inout UnsafePointer<UInt8>) {
        input -= count >> 3
        count &= 7
        bits &= (1 << UInt64(count)) - 1
    }

    /// Decodes from `input` until it or the room is used up, and moves both ends on.
    ///
    /// - Parameters:
    ///   - inputEnd: where the input ends. Where it is the last of the stream, zero bytes stand behind it.
    ///   - outputStart: how far back a match may reach.
    mutating func run(
        _ input: inout UnsafePointer<UInt8>, _ inputEnd: UnsafePointer<UInt8>, isLast: Bool,
        _ output: inout UnsafeMutablePointer<UInt8>, _ outputStart: UnsafeMutablePointer<UInt8>,
        _ outputEnd: UnsafeMutablePointer<UInt8>
    ) -> Status {
        while true {
            switch step {
            case .ended: return .ended
            case .stored(let left):
                let room = outputEnd - output
                let length = min(left, inputEnd - input, room)
                if length > 0 {
                    output.update(from: input, count: length)
                    input += length
                    output += length
                }
                if length < left {
                    step = .stored(left - length)
                    return length == room ? .needsRoom : isLast ? .damaged : .needsInput
                }
                step = isLastBlock ? .ended : .header
            case .header:
                if isLastBlock {
                    step = .ended
                    continue
                }
                // A block's header with its code lengths has at most 3 + 14 + 19 × 3 + 320 × 14 bits, under 600 bytes.
                giveBack(&input)
                if inputEnd - input < 600, !isLast { return .needsInput }
                guard readHeader(&input, inputEnd) else { return .damaged }
            case .codes:
                let status = decode(&input, isLast ? inputEnd : inputEnd - 8, &output, outputStart, outputEnd)
                if status != .ended { return status == .needsInput && isLast ? .damaged : status }
                step = .header
            }
        }
    }

    // MARK: - Blocks

    private mutating func readHeader(_ input: inout UnsafePointer<UInt8>, _ inputEnd: UnsafePointer<UInt8>) -> Bool {
        func take(_ width: Int) -> Int {
            while count < width {
                bits |= UInt64(input.pointee) << UInt64(count)
                input += 1
                count += 8
            }
            let value = Int(bits & ((1 << UInt64(width)) - 1))
            bits >>= UInt64(width)
            count -= width
            return value
        }
        isLastBlock = take(1) == 1
        switch take(2) {
        case 0:
            // Stored: the rest of the byte is skipped; length and its complement follow.
            _ = take(count & 7)
            let (length, complement) = (take(16), take(16))
            guard length == ~complement & 0xffff, input <= inputEnd else { return false }
            giveBack(&input)
            step = .stored(length)
            return true
        case 1:
            var lengths = [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
            lengths += [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8)
            guard Huffman.build(lengths, .literals, literals),
                Huffman.build([UInt8](repeating: 5, count: 32), .distances, distances)
            else { return false }
        case 2:
            let (literalCount, distanceCount, codeCount) = (take(5) + 257, take(5) + 1, take(4) + 4)
            guard literalCount <= 286, distanceCount <= 30 else { return false }
            var codeLengths = [UInt8](repeating: 0, count: 19)
            for index in 0..<codeCount { codeLengths[Huffman.codeOrder[index]] = UInt8(take(3)) }
            // The table for code lengths fits where the one for literals goes afterwards.
            guard Huffman.build(codeLengths, .codes, literals) else { return false }
            var lengths: [UInt8] = []
            while lengths.count < literalCount + distanceCount {
                guard input <= inputEnd else { return false }
                while count < 7 {
                    bits |= UInt64(input.pointee) << UInt64(count)
                    input += 1
                    count += 8
                }
                let entry = literals[Int(bits & 127)]
                guard entry != 0 else { return false }
                _ = take(Int(entry & 0xff))
                let symbol = Int(entry >> 16)
                switch symbol {
                case 0..<16: lengths.append(UInt8(symbol))
                case 16:
                    guard let last = lengths.last else { return false }
                    lengths.append(contentsOf: repeatElement(last, count: 3 + take(2)))
                case 17: lengths.append(contentsOf: repeatElement(0, count: 3 + take(3)))
                default: lengths.append(contentsOf: repeatElement(0, count: 11 + take(7)))
                }
            }
            // A code without an end of block could never end.
            guard lengths.count == literalCount + distanceCount, lengths[256] > 0,
                Huffman.build(Array(lengths[..<literalCount]), .literals, literals),
                Huffman.build(Array(lengths[literalCount...]), .distances, distances)
            else { return false }
        default: return false
        }
        guard input - count / 8 <= inputEnd else { return false }
        step = .codes
        return true
    }

    /// Literals and matches up to the end of the block: everything in local values, nothing allocated.
    private mutating func decode(
        _ inputPlace: inout UnsafePointer<UInt8>, _ inputLimit: UnsafePointer<UInt8>,
        _ outputPlace: inout UnsafeMutablePointer<UInt8>,
        _ outputStart: UnsafeMutablePointer<UInt8>, _ outputEnd: UnsafeMutablePointer<UInt8>
    ) -> Status {
        var (input, output, bits, count) = (inputPlace, outputPlace, self.bits, self.count)
        let (literals, distances) = (literals, distances)
        let outputLimit = outputEnd - Inflater.outputSlack
        defer { (inputPlace, outputPlace, self.bits, self.count) = (input, output, bits, count) }
        let literalMask: UInt64 = (1 << UInt64(Huffman.literalBits)) - 1
        let distanceMask: UInt64 = (1 << UInt64(Huffman.distanceBits)) - 1

        while true {
            if input > inputLimit { return .needsInput }
            if output > outputLimit { return .needsRoom }
            // At least 56 bits are there afterwards; the bytes above them are read again next time.
            bits |=
                UInt64(littleEndian: UnsafeRawPointer(input).loadUnaligned(as: UInt64.self))
                << UInt64(truncatingIfNeeded: count & 63)
            input += (63 &- count) >> 3
            count |= 56
            var entry = literals[Int(truncatingIfNeeded: bits & literalMask)]
            if entry & Huffman.isLiteral != 0 {
                bits >>= UInt64(truncatingIfNeeded: entry & 0x3f)
                count &-= Int(truncatingIfNeeded: entry & 0x3f)
                output.pointee = UInt8(truncatingIfNeeded: entry >> 16)
                output += 1
                entry = literals[Int(truncatingIfNeeded: bits & literalMask)]
                if entry & Huffman.isLiteral != 0 {
                    bits >>= UInt64(truncatingIfNeeded: entry & 0x3f)
                    count &-= Int(truncatingIfNeeded: entry & 0x3f)
                    output.pointee = UInt8(truncatingIfNeeded: entry >> 16)
                    output += 1
                    entry = literals[Int(truncatingIfNeeded: bits & literalMask)]
                    if entry & Huffman.isLiteral != 0 {
                        bits >>= UInt64(truncatingIfNeeded: entry & 0x3f)
                        count &-= Int(truncatingIfNeeded: entry & 0x3f)
                        output.pointee = UInt8(truncatingIfNeeded: entry >> 16)
                        output += 1
                        continue
                    }
                }
            }
            if entry & Huffman.isLink != 0 {
                bits >>= UInt64(Huffman.literalBits)
                count &-= Huffman.literalBits
                let width = UInt64(truncatingIfNeeded: entry & 0x3f)
                entry = literals[Int(truncatingIfNeeded: entry >> 16) &+ Int(truncatingIfNeeded: bits & ((1 << width) &- 1))]
                if entry & Huffman.isLiteral != 0 {
                    bits >>= UInt64(truncatingIfNeeded: entry & 0x3f)
                    count &-= Int(truncatingIfNeeded: entry & 0x3f)
                    output.pointee = UInt8(truncatingIfNeeded: entry >> 16)
                    output += 1
                    continue
                }
            }
            if entry == 0 { return .damaged }
            let before = bits
            let codeBits = UInt64(truncatingIfNeeded: entry & 0x3f)
            if entry & Huffman.isEnd != 0 {
                bits >>= codeBits
                count &-= Int(truncatingIfNeeded: codeBits)
                return .ended
            }
            // A length: its code and extra bits go together.
            let extra = UInt64(truncatingIfNeeded: (entry >> 8) & 0x1f)
            let length =
                Int(truncatingIfNeeded: entry >> 16) &+ Int(truncatingIfNeeded: (before >> codeBits) & ((1 << extra) &- 1))
            bits >>= codeBits &+ extra
            count &-= Int(truncatingIfNeeded: codeBits &+ extra)
            // Up to 48 bits may be gone: two literals, a length, and the distance to come needs 28.
            if count < 28 {
                bits |=
                    UInt64(littleEndian: UnsafeRawPointer(input).loadUnaligned(as: UInt64.self))
                    << UInt64(truncatingIfNeeded: count & 63)
                input += (63 &- count) >> 3
                count |= 56
            }
            var far = distances[Int(truncatingIfNeeded: bits & distanceMask)]
            if far & Huffman.isLink != 0 {
                bits >>= UInt64(Huffman.distanceBits)
                count &-= Huffman.distanceBits
                let width = UInt64(truncatingIfNeeded: far & 0x3f)
                far = distances[Int(truncatingIfNeeded: far >> 16) &+ Int(truncatingIfNeeded: bits & ((1 << width) &- 1))]
            }
            if far == 0 { return .damaged }
            let farBits = UInt64(truncatingIfNeeded: far & 0x3f)
            let farExtra = UInt64(truncatingIfNeeded: (far >> 8) & 0x1f)
            let distance =
                Int(truncatingIfNeeded: far >> 16) &+ Int(truncatingIfNeeded: (bits >> farBits) & ((1 << farExtra) &- 1))
            bits >>= farBits &+ farExtra
            count &-= Int(truncatingIfNeeded: farBits &+ farExtra)
            if distance > output - outputStart { return .damaged }
            copyMatch(to: output, distance: distance, length: length)
            output += length
        }
    }
}

/// Copies a match; it may write up to 31 bytes too far, where later output goes.
@inline(__always)
private func copyMatch(to output: UnsafeMutablePointer<UInt8>, distance: Int, length: Int) {
    var to = UnsafeMutableRawPointer(output)
    let end = to + length
    if distance >= 16 {
        var from = UnsafeRawPointer(to) - distance
        repeat {
            to.storeBytes(of: from.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
            to += 16
            from += 16
        } while to < end
    } else if distance == 1 {
        let value = SIMD16<UInt8>(repeating: (output - 1).pointee)
        repeat {
            to.storeBytes(of: value, as: SIMD16<UInt8>.self)
            to += 16
        } while to < end
    } else if distance >= 8 {
        var from = UnsafeRawPointer(to) - distance
        repeat {
            to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
            to += 8
            from += 8
        } while to < end
    } else {
        for index in 0..<length { output[index] = output[index - distance] }
    }
}

/// Decoding tables for canonical codes (RFC 1951 §3.2.2).
///
/// An entry holds the bits to take (bits 0–5), the number of extra bits (8–12), flags (13–15), and the literal, length or distance
/// (16 up); or a link to a second table for codes longer than the first lookup. 0 is no code.
private enum Huffman {
    static let literalBits = 11
    static let distanceBits = 9
    static let literalTable = 2048 + 288 * 16
    static let distanceTable = 512 + 32 * 64

    static let isLiteral: UInt32 = 1 << 15
    static let isLink: UInt32 = 1 << 14
    static let isEnd: UInt32 = 1 << 13

    enum Kind { case codes, literals, distances }

    /// The order in which the lengths of the code for code lengths stand (RFC 1951 §3.2.7).
    static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    // RFC 1951 §3.2.5: base and extra bits of lengths 257… and distances 0….
    static let lengthBase: [UInt32] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
    ]
    static let lengthExtra: [UInt32] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
    static let distanceBase: [UInt32] = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
        12289,
        16385, 24577,
    ]
    static let distanceExtra: [UInt32] = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]

    /// False where the lengths are no complete code. One single code of one bit is allowed, as is no distance code at all.
    static func build(_ lengths: [UInt8], _ kind: Kind, _ table: UnsafeMutablePointer<UInt32>) -> Bool {
        let first = kind == .codes ? 7 : kind == .literals ? literalBits : distanceBits
        let links = kind == .codes ? 0 : 15 - first
        var counts = [Int](repeating: 0, count: 16)
        for length in lengths { counts[Int(length)] += 1 }
        counts[0] = 0
        var code = 0
        var next = [Int](repeating: 0, count: 17)
        var left = 1
        for length in 1...15 {
            left = left << 1 - counts[length]
            guard left >= 0 else { return false }
            code = (code + counts[length - 1]) << 1
            next[length] = code
        }
        let used = counts.reduce(0, +)
        guard left == 0 || (kind == .distances && used <= 1) else { return false }
        table.update(repeating: 0, count: 1 << first)
        var free = 1 << first
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            let reversed = reverse(next[length], length)
            next[length] += 1
            let entry = self.entry(symbol, kind)
            if length <= first {
                guard entry != 0 else { continue }
                for index in stride(from: reversed, to: 1 << first, by: 1 << length) { table[index] = entry | UInt32(length) }
            } else {
                let prefix = reversed & (1 << first - 1)
                if table[prefix] == 0 {
                    table[prefix] = isLink | UInt32(free) << 16 | UInt32(links)
                    (table + free).update(repeating: 0, count: 1 << links)
                    free += 1 << links
                }
                guard entry != 0 else { continue }
                let start = Int(table[prefix] >> 16)
                for index in stride(from: reversed >> first, to: 1 << links, by: 1 << (length - first)) {
                    table[start + index] = entry | UInt32(length - first)
                }
            }
        }
        return true
    }

    private static func entry(_ symbol: Int, _ kind: Kind) -> UInt32 {
        switch kind {
        // Symbol 0 would be no entry otherwise; the flag is read by nobody.
        case .codes: return UInt32(symbol) << 16 | isEnd
        case .distances: return symbol < 30 ? distanceBase[symbol] << 16 | distanceExtra[symbol] << 8 : 0
        case .literals:
            if symbol < 256 { return isLiteral | UInt32(symbol) << 16 }
            if symbol == 256 { return isEnd }
            return symbol - 257 < lengthBase.count ? lengthBase[symbol - 257] << 16 | lengthExtra[symbol - 257] << 8 : 0
        }
    }

    private static func reverse(_ code: Int, _ length: Int) -> Int {
        var (code, reversed) = (code, 0)
        for _ in 0..<length {
            reversed = reversed << 1 | code & 1
            code >>= 1
        }
        return reversed
    }
}
