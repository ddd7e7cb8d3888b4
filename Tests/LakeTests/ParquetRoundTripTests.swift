import Common
import Testing
@testable import Lake

@Suite struct ParquetRoundTripTests {
    struct Nullness: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let isNull: @Sendable (Int) -> Bool

        static let all = [
            Nullness(testDescription: "nulls nowhere") { _ in false },
            Nullness(testDescription: "nulls everywhere") { _ in true },
            Nullness(testDescription: "every second row null") { $0 % 2 == 0 },
            Nullness(testDescription: "one null at the end") { $0 == 999 },
            Nullness(testDescription: "one value at the end") { $0 != 999 },
            Nullness(testDescription: "long stretches of nulls") { $0 / 200 % 2 == 1 },
        ]
    }

    @Test("every type comes back as it was", arguments: ColumnType.allCases, Nullness.all)
    func everyTypeComesBack(type: ColumnType, nullness: Nullness) throws {
        for (count, distinct) in [(1, 1), (7, 2), (8, 8), (9, 3), (1000, 1), (1000, 30), (1000, 1000)] {
            let values = parquetValues(type, count, distinct: distinct).enumerated().map { nullness.isNull($0) ? nil : $1 }
            let batch = Batch(parquet: [(ColumnSpec("c", type), values)])
            let read = try readParquet(try parquetBytes(batch, rowsPerGroup: 400))
            #expect(read.columns[0].textuals == values, "\(count) rows, \(distinct) values")
        }
    }

    struct Extreme: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let type: ColumnType
        let values: [String?]
    }

    static let extremes = [
        Extreme(
            testDescription: "the least and greatest integers", type: .int64,
            values: ["-9223372036854775808", "9223372036854775807", "0", "-1", nil]),
        Extreme(testDescription: "times before 1970", type: .timestamp, values: ["-62135596800000000", "253402300799999999"]),
        Extreme(
            testDescription: "decimals of 38 digits", type: .decimal,
            values: [
                "99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999", "0.000000000000",
                "-0.000000000001", nil, "0.000000000001",
            ]),
        Extreme(testDescription: "texts that are empty or hold a zero byte", type: .text, values: ["", nil, "a\u{0}b", ""]),
        Extreme(
            testDescription: "texts in many scripts", type: .text,
            values: ["Grüße", "日本語", "👩‍👩‍👧", "e\u{301}", "\u{e9}", "\u{10ffff}"]),
        Extreme(
            testDescription: "texts of every length up to 200", type: .text,
            values: (0...200).map { String(repeating: "x", count: $0) + "\($0)" }),
        Extreme(
            testDescription: "long texts", type: .text,
            values: (0..<5).map { String(repeating: "a long text, \($0); ", count: 20_000) }),
    ]

    @Test("extreme values come back", arguments: extremes)
    func extremesComeBack(extreme: Extreme) throws {
        let batch = Batch(parquet: [(ColumnSpec("c", extreme.type), extreme.values)])
        #expect(try readParquet(try parquetBytes(batch)).columns[0].textuals == extreme.values)
    }

    @Test("a batch without rows is a part without row groups")
    func emptyBatch() throws {
        let specs = Log.usage.columns
        let batch = Batch(specs: specs, columns: specs.map { .missing($0.type, count: 0) }, count: 0)
        try withParquetFile(try parquetBytes(batch)) { path in
            let file = try ParquetFile(path: path)
            #expect(file.specs == specs && file.rowCount == 0 && file.groups.isEmpty)
        }
    }

    @Test("a million rows in eight row groups come back")
    func millionRows() throws {
        var dice = ParquetDice(3)
        let count = 1_000_000
        let integers = (0..<count).map { _ in Int64(bitPattern: dice.next()) }
        let codes = (0..<count).map { _ in Int32(dice.below(501)) - 1 }
        let texts = TextDictionary((0..<500).map { "model-\($0)" })
        let isNull = integers.map { $0 % 3 == 0 }
        let specs = [ColumnSpec("i", .int64), ColumnSpec("t", .text), ColumnSpec("b", .bool)]
        let batch = Batch(
            specs: specs,
            columns: [
                .integers(integers, nulls: .none), .text(codes, texts),
                .bools(integers.map { $0 > 0 }, nulls: Nulls(isNull: isNull)),
            ], count: count)
        try withParquetFile(try parquetBytes(batch)) { path in
            let file = try ParquetFile(path: path)
            #expect(file.rowCount == count && file.groups.count == 8)
            var row = 0
            for group in file.groups.indices {
                let read = try file.read(group: group, columns: specs)
                guard case .integers(let numbers, _) = read.columns[0], case .text(let own, let dictionary) = read.columns[1],
                    case .bools(let flags, let nulls) = read.columns[2]
                else { Issue.record("columns changed their type"); return }
                let rows = row..<row + read.count
                #expect(numbers == Array(integers[rows]))
                #expect(nulls.isNull == Array(isNull[rows]))
                #expect(zip(flags, rows).allSatisfy { isNull[$1] ? !$0 : $0 == (integers[$1] > 0) })
                let names = (0..<Int32(dictionary.count)).map { dictionary[$0] }
                #expect(zip(own, rows).allSatisfy { codes[$1] < 0 ? $0 == -1 : names[Int($0)] == "model-\(codes[$1])" })
                row += read.count
            }
        }
    }

    @Test("one batch of more than a million rows is one row group of several pages")
    func severalPages() throws {
        let count = maximumPageRows + 100_000
        let isNull = (0..<count).map { $0 % 5 == 0 }
        let specs = [ColumnSpec("b", .bool), ColumnSpec("t", .text), ColumnSpec("n", .int64), ColumnSpec("r", .int64)]
        let codes = (0..<count).map { Int32($0 / 1000 % 7) - 1 }
        let texts = TextDictionary(["a", "b", "c", "d", "e", "f"])
        let rising = (0..<count).map { Int64($0) * 3 }
        let sparse = rising.indices.map { isNull[$0] ? 0 : rising[$0] }
        let columns: [Column] = [
            .bools(isNull.map { !$0 }, nulls: Nulls(isNull: isNull)), .text(codes, texts), .integers(rising, nulls: .none),
            .integers(sparse, nulls: Nulls(isNull: isNull)),
        ]
        var writer = ParquetWriter(specs: specs)
        try writer.append(Batch(specs: specs, columns: columns, count: count))
        try withParquetFile(writer.finish()) { path in
            let file = try ParquetFile(path: path)
            #expect(file.groups.count == 1 && file.groups[0].chunks.allSatisfy { $0.pages.last?.count == 2 })
            let read = try file.read(group: 0, columns: specs)
            guard case .bools(let flags, let nulls) = read.columns[0], case .text(let own, _) = read.columns[1],
                case .integers(let numbers, _) = read.columns[2], case .integers(let others, let gaps) = read.columns[3]
            else { Issue.record("columns changed their type"); return }
            #expect(nulls.isNull == isNull && flags == isNull.map { !$0 })
            #expect(own == codes)
            #expect(file.groups[0].chunks.suffix(2).allSatisfy { $0.pages.last?.encoding == .deltaBinaryPacked })
            #expect(numbers == rising && others == sparse && gaps.isNull == isNull)
        }
    }

    @Test("texts of more than 8 MiB are split into pages")
    func longPages() throws {
        let values = (0..<40).map { $0 % 7 == 0 ? nil : String(repeating: "\($0) ", count: 150_000) }
        let batch = Batch(parquet: [(ColumnSpec("t", .text), values)])
        try withParquetFile(try parquetBytes(batch)) { path in
            let file = try ParquetFile(path: path)
            #expect(file.groups[0].chunks[0].pages.last.map { $0.encoding == .deltaLengthByteArray && $0.count > 1 } == true)
            #expect(try file.read(group: 0, columns: file.specs).columns[0].textuals == values)
        }
    }
}

@Suite struct ParquetFileTests {
    static let columns: [(ColumnSpec, [String?])] = [
        (ColumnSpec("id", .text), (0..<100).map { "id-\($0)" }),
        (ColumnSpec("plan", .text), (0..<100).map { ["free", "prism", nil][$0 % 3] }),
        (ColumnSpec("ts", .timestamp), (0..<100).map { String(1_000_000 + $0) }),
        (ColumnSpec("words", .int64), (0..<100).map { $0 % 10 == 0 ? nil : String($0 - 50) }),
        (ColumnSpec("crisis", .bool), (0..<100).map { $0 < 60 ? "false" : "true" }),
        (ColumnSpec("amount", .decimal), (0..<100).map { Money(units: Int128($0 - 30) * 1_000_000_000).text(places: 12) }),
    ]

    @Test("only the columns asked for are read, in the order asked for, and one that is not there is null")
    func projection() throws {
        let bytes = try parquetBytes(Batch(parquet: Self.columns))
        let wanted = [ColumnSpec("words", .int64), ColumnSpec("x_mood", .text), ColumnSpec("id", .text)]
        let read = try readParquet(bytes, columns: wanted)
        #expect(read.specs == wanted)
        #expect(read["words"]?.textuals == Self.columns[3].1)
        #expect(read["x_mood"]?.textuals == [String?](repeating: nil, count: 100))
        #expect(read["id"]?.textuals == Self.columns[0].1)
    }

    @Test("a column of another type is refused by name")
    func otherType() throws {
        let bytes = try parquetBytes(Batch(parquet: Self.columns))
        #expect(throws: Failure.self) { try readParquet(bytes, columns: [ColumnSpec("words", .text)]) }
    }

    @Test("statistics tell nulls, least and greatest of every row group")
    func statistics() throws {
        try withParquetFile(try parquetBytes(Batch(parquet: Self.columns), rowsPerGroup: 50)) { path in
            let groups = try ParquetFile(path: path).groups
            #expect(groups.map(\.rowCount) == [50, 50])
            #expect(groups[0].stats(for: "words") == ColumnStatistics(nullCount: 5, bounds: .integers(-49...(-1))))
            #expect(groups[1].stats(for: "ts")?.integers == 1_000_050...1_000_099)
            #expect(groups[0].stats(for: "crisis")?.integers == 0...0)
            #expect(groups[1].stats(for: "crisis")?.integers == 0...1)
            #expect(groups[1].stats(for: "amount")?.decimals == 20_000_000_000...69_000_000_000)
            #expect(groups[0].stats(for: "id")?.bounds == .texts(least: Array("id-0".utf8), greatest: Array("id-9".utf8)))
            #expect(groups[0].stats(for: "plan")?.nullCount == 16)
            #expect(groups[0].stats(for: "nothing") == nil)
        }
    }

    struct TextBounds: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let values: [String?]
        let bounds: ColumnStatistics.Bounds?
    }

    static let textBounds = [
        TextBounds(
            testDescription: "unsigned byte order", values: ["z", "é", "a"],
            bounds: .texts(least: [0x61], greatest: [0xc3, 0xa9])),
        TextBounds(
            testDescription: "equal first eight bytes", values: ["12345678b", "12345678a", "12345678"],
            bounds: .texts(least: Array("12345678".utf8), greatest: Array("12345678b".utf8))),
        TextBounds(
            testDescription: "a zero byte after an equal start", values: ["a\u{0}", "a"],
            bounds: .texts(least: [0x61], greatest: [0x61, 0])),
        TextBounds(testDescription: "the empty text is least", values: ["b", ""], bounds: .texts(least: [], greatest: [0x62])),
        TextBounds(
            testDescription: "a long greatest text leaves both out", values: ["a", String(repeating: "z", count: 65)], bounds: nil
        ),
        TextBounds(testDescription: "only nulls", values: [nil, nil], bounds: nil),
    ]

    @Test("text statistics are exact or absent", arguments: textBounds)
    func textStatistics(example: TextBounds) throws {
        // Once plain, once with a dictionary.
        for repeats in [1, 50] {
            let values = (0..<repeats).flatMap { _ in example.values }
            try withParquetFile(try parquetBytes(Batch(parquet: [(ColumnSpec("t", .text), values)]))) { path in
                let file = try ParquetFile(path: path)
                #expect(file.groups[0].stats(for: "t")?.bounds == example.bounds)
            }
        }
    }

    @Test("metadata comes back")
    func metadata() throws {
        let batch = Batch(parquet: Self.columns)
        let bytes = try parquetBytes(batch, metadata: [("vesper.log", "usage"), ("vesper.note", "Grüße")])
        try withParquetFile(bytes) { path in
            let file = try ParquetFile(path: path)
            #expect(file.metadata == ["vesper.log": "usage", "vesper.note": "Grüße"])
        }
    }

    @Test("the same rows give the same bytes, whatever codes their texts had")
    func sameBytes() throws {
        let texts = ["free", "prism", "prism_plus"]
        let codes = (0..<1000).map { Int32($0 * $0 % 3) }
        let spec = [ColumnSpec("plan", .text)]
        let plain = Batch(specs: spec, columns: [.text(codes, TextDictionary(texts))], count: 1000)
        let turned = Batch(
            specs: spec, columns: [.text(codes.map { 3 - $0 }, TextDictionary(["unused"] + texts.reversed()))], count: 1000)
        let twice = Batch(
            specs: spec, columns: [.text(codes.indices.map { codes[$0] + Int32($0 % 2 * 3) }, TextDictionary(texts + texts))],
            count: 1000)
        let identity = Batch(
            specs: spec, columns: [.text((0..<1000).map { Int32($0) }, TextDictionary(codes.map { texts[Int($0)] }))], count: 1000
        )
        let ids = texts.indices.flatMap { part in (0..<500).map { "\(texts[part])-\($0)" } }
        let forward = Batch(
            specs: spec, columns: [.text(ids.indices.map { Int32($0) }, TextDictionary(ids))], count: ids.count)
        let backward = Batch(
            specs: spec,
            columns: [.text(ids.indices.map { Int32(ids.count - 1 - $0) }, TextDictionary(ids.reversed() + ["unused"]))],
            count: ids.count)
        #expect(try parquetBytes(forward) == parquetBytes(backward))
        #expect(try parquetBytes(try readParquet(try parquetBytes(forward))) == parquetBytes(forward))
        let expected = try parquetBytes(plain)
        for other in [plain, turned, twice, identity] { #expect(try parquetBytes(other) == expected) }
        #expect(try parquetBytes(try readParquet(expected)) == expected)
    }

    @Test("every column is stored in the way that takes the least room")
    func choosesEncoding() throws {
        func numbers(_ number: (Int) -> Int) -> [String?] { (0..<5000).map { String(number($0)) } }
        let examples: [(type: ColumnType, values: [String?], encoding: ParquetEncoding)] = [
            (.text, parquetValues(.text, 5000, distinct: 20), .rleDictionary),
            (.text, (0..<5000).map { "id-\($0)" }, .deltaLengthByteArray),
            (.text, ["an only text"], .plain),
            (.text, [String?](repeating: "same", count: 5000), .rleDictionary),
            (.int64, parquetValues(.int64, 5000, distinct: 20), .rleDictionary),
            (.int64, parquetValues(.int64, 5000, distinct: 50_000), .plain),
            (.int64, numbers { $0 }, .deltaBinaryPacked),
            (.int64, numbers { $0 * 7919 % 4000 }, .deltaBinaryPacked),
            (.int64, numbers { _ in 1_000_000 }, .rleDictionary),
            (.int64, numbers { $0 % 100 == 7 ? 1_000_000 : 0 }, .rleDictionary),
            (.timestamp, numbers { $0 * 4_000_000 + $0 * 7919 % 3_999_983 }, .deltaBinaryPacked),
            (.decimal, parquetValues(.decimal, 5000, distinct: 20), .rleDictionary),
            (.decimal, parquetValues(.decimal, 5000, distinct: 50_000), .plain),
        ]
        for (index, example) in examples.enumerated() {
            let batch = Batch(parquet: [(ColumnSpec("c", example.type), example.values)])
            try withParquetFile(try parquetBytes(batch)) { path in
                let chunk = try ParquetFile(path: path).groups[0].chunks[0]
                #expect(chunk.pages.last?.encoding == example.encoding, "example \(index)")
            }
        }
    }

    @Test("what is drained and what is left are together the same file")
    func draining() throws {
        let batch = Batch(parquet: Self.columns)
        var whole = ParquetWriter(specs: batch.specs)
        var drained = ParquetWriter(specs: batch.specs)
        var bytes: [UInt8] = []
        for _ in 0..<3 {
            try whole.append(batch)
            try drained.append(batch)
            bytes += drained.drain()
        }
        bytes += drained.finish()
        #expect(bytes == whole.finish())
    }

    @Test("rows with other columns are refused, and the part is as before")
    func otherColumns() throws {
        let batch = Batch(parquet: Self.columns)
        var writer = ParquetWriter(specs: batch.specs)
        try writer.append(batch)
        #expect(throws: Failure.self) { try writer.append(Batch(parquet: [(ColumnSpec("id", .text), ["1"])])) }
        #expect(writer.finish() == (try parquetBytes(batch)))
    }

    @Test("more text in one row group than could be read back is refused")
    func tooMuchText() {
        let texts = TextDictionary((0..<8).map { String(repeating: "\($0)", count: 1 << 20) })
        let spec = [ColumnSpec("t", .text)]
        let batch = Batch(specs: spec, columns: [.text((0..<2000).map { $0 % 8 }, texts)], count: 2000)
        var writer = ParquetWriter(specs: spec)
        #expect(throws: Failure.self) { try writer.append(batch) }
    }

    @Test("a number of more than 38 digits is refused, and the part is as before")
    func tooLargeDecimal() throws {
        let spec = [ColumnSpec("amount", .decimal)]
        let limit = (0..<38).reduce(Int128(1)) { power, _ in power * 10 }
        var writer = ParquetWriter(specs: spec)
        for value in [limit, -limit, Int128.max, Int128.min] {
            let batch = Batch(specs: spec, columns: [.decimals([value], nulls: .none)], count: 1)
            #expect(throws: Failure.self) { try writer.append(batch) }
        }
        let empty = ParquetWriter(specs: spec)
        #expect(writer.finish() == empty.finish())
    }
}
