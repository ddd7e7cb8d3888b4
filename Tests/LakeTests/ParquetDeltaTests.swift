import Testing
@testable import Lake

/// Bytes that lie as those of a chunk do, with room behind them that may be read.
func withSlack<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    let padded = bytes + [UInt8](repeating: 0xff, count: readableSlack)
    return try padded.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<bytes.count])) }
}

/// The encoding as its specification words it, bit by bit, with blocks of any size and whatever may stand where nothing is read.
func deltasByTheBook(_ values: [Int64], block: Int = 128, miniblocks: Int = 4, unread: UInt8 = 0) -> [UInt8] {
    var out: [UInt8] = []
    for number in [block, miniblocks, values.count] { out.appendVarint(UInt64(number)) }
    out.appendZigzag(values.first ?? 0)
    let deltas = zip(values.dropFirst(), values).map { $0 &- $1 }
    for start in stride(from: 0, to: deltas.count, by: block) {
        let own = deltas[start..<min(start + block, deltas.count)]
        let least = own.min() ?? 0
        let size = block / miniblocks
        let parts = stride(from: own.startIndex, to: own.endIndex, by: size).map { own[$0..<min($0 + size, own.endIndex)] }
        let widths = parts.map { part in part.map { 64 - UInt64(bitPattern: $0 &- least).leadingZeroBitCount }.max() ?? 0 }
        out.appendZigzag(least)
        out += (0..<miniblocks).map { $0 < widths.count ? UInt8(widths[$0]) : unread }
        for (part, width) in zip(parts, widths) {
            var bits: [UInt8] = []
            for delta in part {
                let value = UInt64(bitPattern: delta &- least)
                for bit in 0..<width { bits.append(UInt8(value >> UInt64(bit) & 1)) }
            }
            while bits.count < size * width { bits.append(unread & 1) }
            for at in stride(from: 0, to: bits.count, by: 8) {
                var byte: UInt8 = 0
                for bit in 0..<8 { byte |= bits[at + bit] << UInt8(bit) }
                out.append(byte)
            }
        }
    }
    return out
}

@Suite struct ParquetDeltaTests {
    private func decode(_ bytes: [UInt8], count: Int) throws -> [Int64] {
        try withSlack(bytes) { bytes in
            // One more, to see that nothing is written behind the last.
            var values = [Int64](repeating: 77, count: count + 1)
            let length = try values.withUnsafeMutableBufferPointer { try decodeDelta(bytes, count: count, into: $0.baseAddress!) }
            #expect(length == bytes.count && values[count] == 77)
            return Array(values.dropLast())
        }
    }

    private func encode(_ values: [Int64]) -> [UInt8] {
        let layout = DeltaLayout(values)
        let bytes = layout.bytes(of: values)
        #expect(layout.size == bytes.count)
        return bytes
    }

    @Test("the examples of the specification, in blocks of 128")
    func specification() {
        #expect(encode([1, 2, 3, 4, 5]) == [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0])
        let packed: [UInt8] = [0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0]
        #expect(encode([7, 5, 3, 1, 2, 3, 4, 5]) == [0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0] + packed)
    }

    @Test("deltas of every bit width are written as the specification words it, and come back", arguments: 0...64)
    func widths(width: Int) throws {
        var dice = ParquetDice(UInt64(width) + 1)
        let mask = width == 64 ? UInt64.max : (UInt64(1) << UInt64(width)) - 1
        for count in [0, 1, 2, 32, 33, 34, 127, 128, 129, 130, 257, 1000] {
            var value: Int64 = -5
            let values = (0..<count).map { index -> Int64 in
                // Some blocks are narrower than others.
                let own = index % 300 < 200 ? mask : mask >> 3
                value = value &+ Int64(bitPattern: dice.next() & own) &- Int64(index % 3)
                return value
            }
            let bytes = encode(values)
            #expect(bytes == deltasByTheBook(values), "\(count) values")
            #expect(try decode(bytes, count: count) == values, "\(count) values")
        }
    }

    @Test("differences that overflow wrap around")
    func extremes() throws {
        let extremes: [Int64] = [.min, .max, 0, -1, .max, .min, .min, 1, .max]
        for values in [extremes, Array(repeating: extremes, count: 50).flatMap { $0 }, [.min], [.max], [.min, .max]] {
            let bytes = encode(values)
            #expect(bytes == deltasByTheBook(values))
            #expect(try decode(bytes, count: values.count) == values)
        }
    }

    @Test(
        "blocks of other writers are read, whatever stands where nothing is to be read",
        arguments: [(128, 1), (128, 2), (128, 4), (256, 4), (256, 1), (384, 4), (2048, 8)], [0, 0xff] as [UInt8])
    func otherBlocks(blocks: (Int, Int), unread: UInt8) throws {
        var dice = ParquetDice(5)
        for count in [0, 1, 2, 33, 129, 500, 5000] {
            let values = (0..<count).map { _ in Int64(bitPattern: dice.next() >> UInt64(dice.below(64))) }
            let bytes = deltasByTheBook(values, block: blocks.0, miniblocks: blocks.1, unread: unread)
            #expect(try decode(bytes, count: count) == values, "\(count) values")
        }
    }

    @Test("of no value there may be no byte")
    func nothing() throws { #expect(try decode([], count: 0).isEmpty) }

    struct Broken: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        var count = 3
    }

    static let broken = [
        Broken(testDescription: "nothing", bytes: []),
        Broken(testDescription: "blocks of no value", bytes: [0, 4, 3, 2, 2, 0, 0, 0, 0]),
        Broken(testDescription: "blocks of 100 values", bytes: [100, 1, 3, 2, 2, 0]),
        Broken(testDescription: "blocks of 2^63 values", bytes: [UInt8](repeating: 0x80, count: 9) + [1, 1, 3, 2, 2, 0]),
        Broken(testDescription: "no miniblock", bytes: [0x80, 0x01, 0, 3, 2, 2]),
        Broken(testDescription: "three miniblocks in 128 values", bytes: [0x80, 0x01, 3, 3, 2, 2, 0, 0, 0]),
        Broken(testDescription: "miniblocks of 16 values", bytes: [0x80, 0x01, 8, 3, 2, 2] + [UInt8](repeating: 0, count: 8)),
        Broken(testDescription: "more values than asked for", bytes: [0x80, 0x01, 4, 4, 2, 2, 0, 0, 0, 0]),
        Broken(testDescription: "fewer values than asked for", bytes: [0x80, 0x01, 4, 2, 2, 2, 0, 0, 0, 0]),
        Broken(testDescription: "no first value", bytes: [0x80, 0x01, 4, 3]),
        Broken(testDescription: "no block", bytes: [0x80, 0x01, 4, 3, 2]),
        Broken(testDescription: "widths that are cut off", bytes: [0x80, 0x01, 4, 3, 2, 2, 0, 0]),
        Broken(
            testDescription: "a width of 65 bits",
            bytes: [0x80, 0x01, 4, 3, 2, 2, 65, 0, 0, 0] + [UInt8](repeating: 0, count: 260)),
        Broken(testDescription: "a miniblock that is cut off", bytes: [0x80, 0x01, 4, 3, 2, 2, 1, 0, 0, 0, 0xff, 0xff, 0xff]),
        Broken(testDescription: "a number that never ends", bytes: [UInt8](repeating: 0xff, count: 20)),
    ]

    @Test("changed bits are read as other numbers or refused, and never crash", arguments: [(128, 4), (256, 2)])
    func changedBits(blocks: (Int, Int)) throws {
        var dice = ParquetDice(8)
        let values = (0..<300).map { Int64($0 * 40) + Int64(bitPattern: dice.next() >> UInt64(40 + dice.below(24))) }
        let whole = deltasByTheBook(values, block: blocks.0, miniblocks: blocks.1)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0...dice.below(3) { bytes[dice.below(bytes.count)] ^= 1 << UInt8(dice.below(8)) }
            if dice.below(4) == 0 { bytes.removeLast(1 + dice.below(bytes.count - 1)) }
            try withSlack(bytes) { bytes in
                try withUnsafeTemporaryAllocation(of: Int64.self, capacity: values.count) { target in
                    do { _ = try decodeDelta(bytes, count: values.count, into: target.baseAddress!) } catch is ParquetDamage {
                        refused += 1
                    }
                }
            }
        }
        #expect(refused > 1000 && refused < 20_000)
    }

    @Test("damaged deltas are refused", arguments: broken)
    func damaged(example: Broken) {
        #expect(throws: ParquetDamage.self) { try decode(example.bytes, count: example.count) }
    }
}

@Suite struct ParquetDeltaTextTests {
    private func decode(_ bytes: [UInt8], _ encoding: ParquetEncoding, count: Int) throws -> [String] {
        try withSlack(bytes) { bytes in
            let texts = try TextDictionary(pages: [(bytes, count, encoding)])
            return (0..<Int32(texts.count)).map { texts[$0] }
        }
    }

    /// The suffix of every text behind what it shares with the one before.
    static func sharing(_ texts: [String]) -> [UInt8] {
        var (shared, suffixes, before): ([Int64], [[UInt8]], [UInt8]) = ([], [], [])
        for text in texts.map({ Array($0.utf8) }) {
            let common = zip(before, text).prefix { $0 == $1 }.count
            shared.append(Int64(common))
            suffixes.append(Array(text[common...]))
            before = text
        }
        return deltasByTheBook(shared) + deltasByTheBook(suffixes.map { Int64($0.count) }) + suffixes.flatMap { $0 }
    }

    @Test("the examples of the specification")
    func specification() throws {
        let words = ["Hello", "World", "Foobar", "ABCDEF"]
        let lengths = deltasByTheBook([5, 5, 6, 6]) + Array("HelloWorldFoobarABCDEF".utf8)
        #expect(ChunkEncoder.deltaLengths([0, 1, 2, 3], of: TextDictionary(words)).page(0..<4) == lengths)
        #expect(try decode(lengths, .deltaLengthByteArray, count: 4) == words)
        let shared = deltasByTheBook([0, 2, 0, 3]) + deltasByTheBook([4, 2, 6, 5]) + Array("axislebabbleyhood".utf8)
        #expect(try decode(shared, .deltaByteArray, count: 4) == ["axis", "axle", "babble", "babyhood"])
    }

    @Test("texts of every length come back from both encodings")
    func roundTrips() throws {
        let texts = (0..<700).map { "user/\($0 / 50)/" + String(repeating: "é", count: $0 % 90) } + ["", "", "user/"]
        for count in [0, 1, 2, 128, 129, texts.count] {
            let own = Array(texts[..<count])
            let codes = own.indices.map { Int32($0) }
            let encoder = ChunkEncoder.deltaLengths(codes, of: TextDictionary(own))
            let bytes = encoder.page(codes.indices)
            #expect(bytes.count == encoder.size)
            #expect(try decode(bytes, .deltaLengthByteArray, count: count) == own)
            #expect(try decode(Self.sharing(own), .deltaByteArray, count: count) == own)
        }
    }

    @Test("the same texts give the same bytes, wherever they lie")
    func sameBytes() {
        let texts = (0..<300).map { "id-\($0)" }
        let forward = ChunkEncoder.deltaLengths((0..<300).map { Int32($0) }, of: TextDictionary(texts))
        let backward = ChunkEncoder.deltaLengths((0..<300).map { Int32(299 - $0) }, of: TextDictionary(texts.reversed()))
        #expect(forward.page(0..<300) == backward.page(0..<300))
        #expect(forward.page(10..<200) == backward.page(10..<200))
    }

    @Test("a column whose pages are of every encoding is read in their order")
    func mixedPages() throws {
        let (plain, lengths, shared) = (["p", "q"], ["long", ""], ["abc", "abd"])
        let plainBytes = TextDictionary(plain).plainPage([0, 1])
        let lengthBytes = ChunkEncoder.deltaLengths([0, 1], of: TextDictionary(lengths)).page(0..<2)
        try withSlack(plainBytes) { first in
            try withSlack(lengthBytes) { second in
                try withSlack(Self.sharing(shared)) { third in
                    let texts = try TextDictionary(pages: [
                        (first, 2, .plain), (second, 2, .deltaLengthByteArray), (third, 2, .deltaByteArray),
                    ])
                    #expect((0..<6).map { texts[$0] } == plain + lengths + shared)
                }
            }
        }
    }

    struct Broken: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let encoding: ParquetEncoding
    }

    static let broken: [Broken] = {
        func lengths(_ numbers: [Int64], _ text: String) -> [UInt8] { deltasByTheBook(numbers) + Array(text.utf8) }
        return [
            Broken(testDescription: "no lengths", bytes: [], encoding: .deltaLengthByteArray),
            Broken(testDescription: "texts that are cut off", bytes: lengths([3, 3], "abcde"), encoding: .deltaLengthByteArray),
            Broken(testDescription: "bytes left over", bytes: lengths([3, 3], "abcdefg"), encoding: .deltaLengthByteArray),
            Broken(testDescription: "a negative length", bytes: lengths([7, -1], "abcdef"), encoding: .deltaLengthByteArray),
            Broken(
                testDescription: "lengths whose sum wraps around", bytes: lengths([.max, .max], ""),
                encoding: .deltaLengthByteArray),
            Broken(
                testDescription: "more lengths than texts", bytes: lengths([1, 1, 1], "abc"), encoding: .deltaLengthByteArray),
            Broken(
                testDescription: "a first text that shares", bytes: deltasByTheBook([1, 0]) + lengths([1, 1], "ab"),
                encoding: .deltaByteArray),
            Broken(
                testDescription: "more shared than there is", bytes: deltasByTheBook([0, 4]) + lengths([3, 1], "abcd"),
                encoding: .deltaByteArray),
            Broken(
                testDescription: "a negative share", bytes: deltasByTheBook([0, -1]) + lengths([3, 1], "abcd"),
                encoding: .deltaByteArray),
            Broken(testDescription: "no suffixes", bytes: deltasByTheBook([0, 0]), encoding: .deltaByteArray),
            Broken(testDescription: "the deltas of numbers", bytes: deltasByTheBook([1, 2]), encoding: .deltaBinaryPacked),
        ]
    }()

    @Test("damaged texts are refused", arguments: broken)
    func damaged(example: Broken) {
        #expect(throws: ParquetDamage.self) { try decode(example.bytes, example.encoding, count: 2) }
    }

    @Test("shared beginnings that add up to more than memory are refused before they are copied")
    func bomb() {
        let count = 100_000
        let shared = deltasByTheBook([0] + [Int64](repeating: 1 << 16, count: count - 1))
        let suffixes = deltasByTheBook([1 << 16] + [Int64](repeating: 0, count: count - 1))
        let bytes = shared + suffixes + [UInt8](repeating: 0x61, count: 1 << 16)
        #expect(throws: ParquetDamage.self) { try decode(bytes, .deltaByteArray, count: count) }
    }

    @Test(
        "changed bits of a page are read as other texts or refused, and never crash",
        arguments: [.plain, .deltaLengthByteArray, .deltaByteArray] as [ParquetEncoding])
    func changedBits(encoding: ParquetEncoding) throws {
        let texts = (0..<200).map { "user/\($0 / 9)/\($0)" }
        let codes = texts.indices.map { Int32($0) }
        let dictionary = TextDictionary(texts)
        let whole: [UInt8] =
            switch encoding {
            case .plain: dictionary.plainPage(codes[...])
            case .deltaLengthByteArray: ChunkEncoder.deltaLengths(codes, of: dictionary).page(codes.indices)
            default: Self.sharing(texts)
            }
        var dice = ParquetDice(UInt64(encoding.rawValue) + 1)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0...dice.below(3) { bytes[dice.below(min(bytes.count, 600))] ^= 1 << UInt8(dice.below(8)) }
            do { _ = try decode(bytes, encoding, count: texts.count) } catch is ParquetDamage { refused += 1 }
        }
        #expect(refused > 1000 && refused < 20_000)
    }
}
