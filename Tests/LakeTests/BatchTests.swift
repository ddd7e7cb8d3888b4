import Common
import Testing

@testable import Lake

@Suite struct BatchTests {
    private let specs = [
        ColumnSpec("text", .text), ColumnSpec("count", .int64), ColumnSpec("flag", .bool), ColumnSpec("ts", .timestamp),
        ColumnSpec("amount", .decimal),
    ]
    private var batch: Batch {
        Batch(parquet: [
            (specs[0], ["b", nil, "a", "b"]), (specs[1], ["1", "-2", nil, "4"]), (specs[2], ["true", nil, "false", "true"]),
            (specs[3], ["10", "20", "30", nil]), (specs[4], [nil, "0.5", "-1", "2"]),
        ])
    }

    private func table(_ batch: Batch) -> [[String?]] { batch.columns.map(\.textuals) }

    @Test("Values are read by name and row, with nil for a null and for another type")
    func reads() {
        #expect(batch["text"]?.text(at: 0) == "b" && batch["text"]?.text(at: 1) == nil)
        #expect(batch["count"]?.integer(at: 1) == -2 && batch["count"]?.integer(at: 2) == nil)
        #expect(batch["flag"]?.bool(at: 2) == false && batch["flag"]?.bool(at: 1) == nil)
        #expect(batch["amount"]?.decimal(at: 1) == 500_000_000_000 && batch["amount"]?.decimal(at: 0) == nil)
        #expect(batch["count"]?.text(at: 0) == nil && batch["text"]?.integer(at: 0) == nil)
        #expect(batch["text"]?.isNull(at: 1) == true && batch["ts"]?.isNull(at: 3) == true && batch["ts"]?.isNull(at: 0) == false)
        #expect(batch["none"] == nil)
    }

    @Test("Rows are taken at positions, in their order, also twice or not at all")
    func rows() {
        #expect(
            table(batch.rows(at: [3, 1, 3])) == [
                ["b", nil, "b"], ["4", "-2", "4"], ["true", nil, "true"], [nil, "20", nil],
                ["2.000000000000", "0.500000000000", "2.000000000000"],
            ])
        #expect(batch.rows(at: []).count == 0)
    }

    @Test("Batches stand under each other; a column that one lacks is null there, and one that nobody asked for is left out")
    func concatenated() {
        let other = Batch(parquet: [(specs[1], ["7"]), (specs[0], ["a"]), (ColumnSpec("extra", .text), ["x"])])
        let joined = Batch.concatenated([batch, other, Batch(parquet: [(specs[0], [])])], specs: specs)
        #expect(joined.count == 5)
        #expect(
            table(joined) == [
                ["b", nil, "a", "b", "a"], ["1", "-2", nil, "4", "7"], ["true", nil, "false", "true", nil],
                ["10", "20", "30", nil, nil],
                [nil, "0.500000000000", "-1.000000000000", "2.000000000000", nil],
            ])
    }

    @Test("Nothing under nothing is an empty table with its columns")
    func empty() {
        let none = Batch.concatenated([], specs: specs)
        #expect(none.count == 0 && none.specs == specs)
        #expect(table(none) == [[], [], [], [], []])
    }

    @Test("One text under two codes becomes one code, and dictionaries hold what is used, in order of first use")
    func compacted() {
        let column = Column.text([3, -1, 0, 2, 0], TextDictionary(["a", "unused", "a", "b"]))
        guard case .text(let codes, let dictionary) = column.compacted() else {
            Issue.record("a text column became another one")
            return
        }
        #expect(codes == [0, -1, 1, 1, 1])
        #expect(dictionary == TextDictionary(["b", "a"]))
        #expect(Column.integers([1], nulls: .none).compacted().textuals == ["1"])
    }

    @Test("A missing column is all null, in every type", arguments: ColumnType.allCases)
    func missing(_ type: ColumnType) {
        let column = Column.missing(type, count: 3)
        #expect(column.count == 3)
        #expect(column.textuals == [nil, nil, nil])
        #expect((0..<3).allSatisfy { column.isNull(at: $0) })
    }

    @Test("Nulls cost nothing where no row is null")
    func nulls() {
        #expect(Nulls(isNull: [false, false]) == .none)
        #expect(Nulls(isNull: [false, true]).rows(at: [0, 0]) == .none)
        #expect(Nulls(isNull: [false, true]).rows(at: [1, 0]).isNull == [true, false])
    }
}

@Suite struct TextDictionaryTests {
    @Test("Ranks follow the bytes, not the letters")
    func ranks() {
        #expect(TextDictionary(["b", "a", "ä", "B", "", "aa"]).ranks == [4, 2, 5, 1, 0, 3])
    }

    @Test("Every code of a text is found: a column from plain pages has one for each row")
    func matches() {
        let dictionary = TextDictionary(["user", "goal", "user", ""])
        #expect(dictionary.matches("user") == [true, false, true, false])
        #expect(dictionary.matches("") == [false, false, false, true])
        #expect(dictionary.matches("use") == [false, false, false, false])
        #expect(TextDictionary().matches("user") == [])
    }
}

@Suite struct TextInternerTests {
    @Test("Equal texts get equal codes and others get others, numbered by first use, through every growth of the table")
    func codes() {
        var interner = TextInterner()
        // Far more texts than there are slots at the beginning: many meet in one.
        let texts = (0..<20_000).map { "text-\($0 % 10_000)" }
        let codes = texts.map { interner.code(of: $0) }
        #expect(codes == (0..<20_000).map { Int32($0 % 10_000) })
        #expect(interner.dictionary.count == 10_000)
        #expect(interner.dictionary[9_999] == "text-9999")
    }

    @Test("Texts that differ in a byte, in length or in form only are apart")
    func lookalikes() {
        let texts = [
            "", "\0", "\0\0", "a", "a\0", "abcdefgh", "abcdefgi", "abcdefgh ", "abcdefghabcdefgh", "\u{e9}", "e\u{301}", "E",
            "é ", "ab", "ba",
        ]
        var interner = TextInterner()
        #expect(texts.map { interner.code(of: $0) } == (0..<Int32(texts.count)).map { $0 })
        #expect(texts.map { interner.code(of: $0) } == (0..<Int32(texts.count)).map { $0 })
        #expect((0..<Int32(texts.count)).map { Array(interner.dictionary[$0].utf8) } == texts.map { Array($0.utf8) })
    }
}
