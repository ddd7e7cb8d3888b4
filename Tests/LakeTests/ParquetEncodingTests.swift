import Testing
@testable import Lake

@Suite struct ParquetEncodingTests {
    /// Codes from bytes that lie as those of a chunk do: with room behind them.
    private func decode(_ bytes: [UInt8], width: Int, count: Int) throws -> [Int32] {
        let padded = bytes + [UInt8](repeating: 0xff, count: readableSlack)
        return try padded.withUnsafeBytes { buffer in
            try [Int32](unsafeUninitializedCapacity: count + 1) { codes, filled in
                try decodeHybrid(
                    UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count]), width: width, count: count, into: codes.baseAddress!
                )
                filled = count
            }
        }
    }

    @Test("codes of every bit width come back", arguments: 0...32)
    func widths(width: Int) throws {
        var dice = ParquetDice(UInt64(width))
        let mask = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
        for count in [0, 1, 7, 8, 9, 31, 64, 65, 500] {
            let random = (0..<count).map { _ in Int32(bitPattern: UInt32(truncatingIfNeeded: dice.next()) & mask) }
            let runs = random.indices.map { random[$0 / 40] }
            let mixed = random.indices.map { $0 / 50 % 2 == 0 ? random[$0] : random[0] }
            for codes in [random, runs, mixed] {
                let bytes = codes.withUnsafeBufferPointer { encodeHybrid($0, width: width) }
                #expect(try decode(bytes, width: width, count: count) == codes)
            }
        }
    }

    @Test("the example of the specification: 0 to 7 with three bits")
    func specification() throws {
        let bytes: [UInt8] = [0b0000_0011, 0b1000_1000, 0b1100_0110, 0b1111_1010]
        #expect(try decode(bytes, width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect([0, 1, 2, 3, 4, 5, 6, 7].withUnsafeBufferPointer { encodeHybrid($0, width: 3) } == bytes)
    }

    @Test("integers are stored little endian, decimals big endian in two's complement")
    func byteOrder() {
        #expect(Int64(258).storedBytes == [2, 1, 0, 0, 0, 0, 0, 0])
        #expect(Int128(258).storedBytes == [UInt8](repeating: 0, count: 14) + [1, 2])
        #expect(Int128(-2).storedBytes == [UInt8](repeating: 0xff, count: 15) + [0xfe])
    }

    @Test("a long run takes a few bytes")
    func longRun() {
        let codes = [Int32](repeating: 300, count: 1_000_000)
        #expect(codes.withUnsafeBufferPointer { encodeHybrid($0, width: 9) } == [0x80, 0x89, 0x7a, 0x2c, 0x01])
    }

    struct Broken: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let width: Int
    }

    static let broken = [
        Broken(testDescription: "nothing", bytes: [], width: 3),
        Broken(testDescription: "a run of no values", bytes: [0x00, 0x01], width: 3),
        Broken(testDescription: "a run without its value", bytes: [0x10], width: 3),
        Broken(testDescription: "a run that is too long", bytes: [0x12, 0x01], width: 3),
        Broken(testDescription: "a run that is too short", bytes: [0x0e, 0x01], width: 3),
        Broken(testDescription: "packed values that are cut off", bytes: [0x03, 0x88, 0xc6], width: 3),
        Broken(testDescription: "more packed values than asked for", bytes: [0x05, 0, 0, 0, 0, 0, 0], width: 3),
        Broken(testDescription: "a length that never ends", bytes: [UInt8](repeating: 0xff, count: 20), width: 3),
        Broken(testDescription: "a length beyond 2^31", bytes: [0xff, 0xff, 0xff, 0xff, 0x7f], width: 0),
        Broken(testDescription: "bytes left over", bytes: [0x10, 0x01, 0x00], width: 3),
    ]

    @Test("damaged runs are refused", arguments: broken)
    func damagedRuns(example: Broken) {
        #expect(throws: ParquetDamage.self) { try decode(example.bytes, width: example.width, count: 8) }
    }

    @Test("a code beyond the dictionary is refused", arguments: [(4, 3), (1, 0), (-1, 31), (Int32.min, 8)] as [(Int32, Int)])
    func outside(code: Int32, entries: Int) throws {
        let bytes = [UInt8(32)] + [code].withUnsafeBufferPointer { encodeHybrid($0, width: 32) }
        let padded = bytes + [UInt8](repeating: 0, count: readableSlack)
        padded.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: 8) { codes in
                let page = UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count])
                #expect(throws: ParquetDamage.self) {
                    try decodeCodes(page, count: 1, entries: entries, into: codes.baseAddress!)
                }
            }
        }
    }

    @Test("levels mark the nulls of any number of rows")
    func levels() throws {
        var dice = ParquetDice(9)
        for count in [1, 7, 8, 9, 127, 128, 129, 300, 1000] {
            for pattern in 0..<4 {
                let isNull = (0..<count).map { [dice.below(2) == 0, true, false, $0 / 150 % 2 == 0][pattern] }
                let present = isNull.count { !$0 }
                let levels = isNull.withUnsafeBufferPointer { encodeLevels($0, rows: count, present: present) }
                var read = [Bool](repeating: false, count: count)
                let found = try levels.withUnsafeBytes { bytes in
                    let runs = UnsafeRawBufferPointer(rebasing: bytes[4...])
                    #expect(try areAllPresent(runs, rows: count) == (present == count))
                    return try read.withUnsafeMutableBufferPointer { try decodeLevels(runs, rows: count, into: $0.baseAddress!) }
                }
                #expect(found == present && read == isNull)
            }
        }
    }

    @Test("Thrift structures come back, with far field numbers, long lists and unknown fields")
    func thrift() throws {
        var writer = ThriftWriter()
        writer.element { outer in
            outer.i32(1, -5)
            outer.structure(2) { $0.i64(200, 7) }
            outer.list(3, of: .i32, Array(0..<20)) { $0.element(Int32($1) - 10) }
            outer.list(4, of: .binary, ["a", "bc"]) { $0.element($1.utf8) }
            outer.bool(5, true)
            outer.i64(900, 1 << 40)
            outer.binary(901, "end".utf8)
        }
        try writer.bytes.withUnsafeBytes { bytes in
            var reader = ThriftReader(bytes)
            var (first, inner, list, large, text): (Int32?, Int?, [Int32], Int?, String?) = (nil, nil, [], nil, nil)
            try reader.structure { reader, field in
                switch field.id {
                case 1: first = try reader.i32(field)
                case 2: try reader.structure { inner = $1.id == 200 ? try $0.size($1) : nil }
                case 3: try reader.list(field, of: .i32) { list.append(try $0.element()) }
                case 900: large = try reader.size(field)
                case 901: text = try reader.text(field)
                default: try reader.skip(field)
                }
            }
            #expect(first == -5 && inner == 7 && list == Array(-10..<10) && large == 1 << 40 && text == "end")
            #expect(reader.position == bytes.count)
        }
    }
}
