import Common
import Testing
@testable import Lake

@Suite struct ParquetDamageTests {
    /// A part with every type, every encoding that is written, nulls and two row groups, in a few kilobytes.
    static let whole: [UInt8] = {
        let columns = ColumnType.allCases.flatMap { type -> [(ColumnSpec, [String?])] in
            [3, 1000].map { distinct in
                let values = parquetValues(type, 60, distinct: distinct).enumerated().map {
                    $0 % 7 == 3 && distinct == 3 ? nil : $1
                }
                return (ColumnSpec("\(type.rawValue)_\(distinct)", type), values)
            }
        }
        let rising = (0..<60).map { row -> String? in
            let value = row * 5000 + row * row % 777
            return row % 9 == 4 ? nil : String(value)
        }
        let batch = Batch(parquet: columns + [(ColumnSpec("rising", .int64), rising)])
        return (try? parquetBytes(batch, rowsPerGroup: 40, metadata: [("vesper.log", "usage")])) ?? []
    }()

    @Test("the part that is damaged here has every encoding that is written")
    func everyEncoding() throws {
        try withParquetFile(Self.whole) { path in
            let chunks = try ParquetFile(path: path).groups.flatMap(\.chunks)
            let used = Set(chunks.flatMap { $0.pages.map(\.encoding) })
            #expect(used == [.plain, .rleDictionary, .deltaBinaryPacked, .deltaLengthByteArray])
        }
    }

    /// Reads everything there is, so that only a crash or an error that is no `Failure` can go wrong.
    private func readsOrRefuses(_ bytes: [UInt8], at path: String) throws -> Failure? {
        try overwriteParquet(bytes, at: path)
        do {
            let file = try ParquetFile(path: path)
            for group in file.groups.indices {
                let batch = try file.read(group: group, columns: file.specs)
                for column in batch.columns { for row in 0..<batch.count { _ = column.textual(row) } }
            }
            return nil
        } catch let failure as Failure {
            return failure
        }
    }

    @Test("a part cut off at any byte is refused by name")
    func cutOff() throws {
        #expect(Self.whole.count > 1000)
        try withParquetFile(Self.whole) { path in
            for length in 0..<Self.whole.count {
                let failure = try readsOrRefuses(Array(Self.whole[..<length]), at: path)
                #expect(failure?.place?.path == path, "cut off after \(length) bytes")
                guard failure != nil else { return }
            }
            #expect(try readsOrRefuses(Self.whole, at: path) == nil)
        }
    }

    @Test("a part that lacks bytes at its beginning or in its middle is refused")
    func torn() throws {
        try withParquetFile(Self.whole) { path in
            for start in stride(from: 0, to: Self.whole.count - 1, by: 7) {
                for length in [1, 4, 100] where start + length < Self.whole.count {
                    var bytes = Self.whole
                    bytes.removeSubrange(start..<start + length)
                    let failure = try readsOrRefuses(bytes, at: path)
                    #expect(failure != nil, "\(length) bytes missing at \(start)")
                }
            }
        }
    }

    @Test("changed bytes are read as other values or refused, and never crash", arguments: 1...8)
    func changedBytes(seed: Int) throws {
        var dice = ParquetDice(UInt64(seed))
        try withParquetFile(Self.whole) { path in
            for _ in 0..<1000 {
                var bytes = Self.whole
                for _ in 0...dice.below(4) { bytes[dice.below(bytes.count)] = UInt8(truncatingIfNeeded: dice.next()) }
                _ = try readsOrRefuses(bytes, at: path)
            }
        }
    }

    @Test("a changed bit anywhere in the pages is read as another value or refused, and never crashes")
    func changedPages() throws {
        let length = Self.whole.dropLast(4).suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        var dice = ParquetDice(4)
        var refused = 0
        try withParquetFile(Self.whole) { path in
            for index in 4..<Self.whole.count - 8 - length {
                var bytes = Self.whole
                bytes[index] ^= 1 << UInt8(dice.below(8))
                if try readsOrRefuses(bytes, at: path) != nil { refused += 1 }
            }
        }
        #expect(refused > 100)
    }

    @Test("every single changed bit of the footer is read or refused, and never crashes")
    func changedFooter() throws {
        let length = Self.whole.dropLast(4).suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        try withParquetFile(Self.whole) { path in
            for index in Self.whole.count - 8 - length..<Self.whole.count {
                for bit in 0..<8 {
                    var bytes = Self.whole
                    bytes[index] ^= 1 << UInt8(bit)
                    _ = try readsOrRefuses(bytes, at: path)
                }
            }
        }
    }

    @Test(
        "bytes that are no Parquet are refused",
        arguments: ["", "PAR1", "PAR1PAR1", "hello, this is not a part at all", "PAR1....PAR1"])
    func noParquet(text: String) throws {
        try withParquetFile(Array(text.utf8)) { path in
            #expect(throws: Failure.self) { try ParquetFile(path: path) }
        }
    }

    @Test("a part that is not there is refused by name")
    func missingFile() {
        #expect(throws: Failure.self) { try ParquetFile(path: "/tmp/vesper-parquet-nothing/part.parquet") }
    }

    @Test("the message says what is wrong, where, and what to do")
    func message() throws {
        try withParquetFile(Array(Self.whole.dropLast(10))) { path in
            let failure = #expect(throws: Failure.self) { try ParquetFile(path: path) }
            #expect(
                failure?.description == "\(path): The Parquet part cannot be read: it does not end with the mark PAR1."
                    + " Run \"vesper verify\" to see which parts are whole.")
        }
    }
}
