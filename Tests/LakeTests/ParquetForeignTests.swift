import Common
import Glibc
import Testing

@testable import Lake

/// Parts that pyarrow writes with each encoding are read by us, and hold what it was given.
@Suite struct ParquetForeignTests {
    private static let python = getenv("VESPER_PYTHON").map { String(cString: $0) } ?? "python3"
    private static let hasArrow = system("\(python) -c 'import pyarrow.parquet' 2>/dev/null") == 0

    private static func system(_ command: String) -> Int32 {
        guard let pipe = popen(command, "r") else { return -1 }
        return pclose(pipe)
    }

    /// Writes lines of texts and numbers, once whole and once with nulls, which are empty there.
    private static let program = """
        import sys
        import pyarrow as pa, pyarrow.parquet as pq
        folder, text, number = sys.argv[1:]
        lines = open(folder + "/values", encoding="utf-8", newline="\\n").read().split("\\n")[:-1]
        names = ["t", "n", "ts", "t0", "n0", "ts0"]
        columns = {name: [row[index] or None for row in map(lambda line: line.split("\\t"), lines)] for index, name in enumerate(names)}
        types = {"t": pa.string(), "n": pa.int64(), "ts": pa.timestamp("us", tz="UTC")}
        def column(name):
            values = columns[name]
            if name[0] == "t" and name[:2] != "ts":
                return pa.array(values, types["t"])
            return pa.array([value and int(value) for value in values], types[name.rstrip("0")])
        table = pa.table({name: column(name) for name in names})
        dictionary = text == "RLE_DICTIONARY"
        encoding = {name: text if name[:2] in ("t", "t0") else number for name in names}
        pq.write_table(table, folder + "/part.parquet", compression="NONE", use_dictionary=dictionary,
                       column_encoding=None if dictionary else encoding, row_group_size=2000, data_page_size=4096)
        """

    @Test(
        "pyarrow's parts are read", .enabled(if: hasArrow, "VESPER_PYTHON names no Python that has pyarrow"),
        arguments: ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY"], [1, 2, 128, 129, 5000])
    func arrow(text: String, count: Int) throws {
        var dice = ParquetDice(UInt64(count) + 3)
        let extremes: [Int64] = [.max, .min, 0, -1, .min, .max]
        let numbers = (0..<count).map { index in
            index % 500 < extremes.count ? extremes[index % 500] : Int64(bitPattern: dice.next() >> UInt64(index % 64))
        }
        let texts: [String?] = numbers.indices.map { "user/\($0 / 40)/é\($0)" }
        let whole: [String?] = numbers.map { String($0) }
        let columns = [
            texts, whole, whole, texts.enumerated().map { $0 % 3 == 0 ? nil : $1 },
            whole.enumerated().map { $0 % 4 == 1 ? nil : $1 },
            whole.map { _ in nil },
        ]
        try withParquetFile([]) { path in
            let folder = String(path.dropLast("/part.parquet".count))
            let lines = numbers.indices.map { row in columns.map { $0[row] ?? "" }.joined(separator: "\t") + "\n" }.joined()
            try writeNew(Array(lines.utf8), to: folder + "/values")
            try writeNew(Array(Self.program.utf8), to: folder + "/write.py")
            let encoding = text == "PLAIN" ? "PLAIN" : "DELTA_BINARY_PACKED"
            try #require(Self.system("\(Self.python) \(folder)/write.py \(folder) \(text) \(encoding)") == 0)
            let file = try ParquetFile(path: path)
            let used = Set(file.groups.flatMap { $0.chunks.flatMap { $0.pages.map { String($0.encoding.rawValue) } } })
            #expect(used.contains(try #require(Self.numbersOfEncodings[text])))
            let read = try readParquet(try readFile(path, as: "part"))
            #expect(read.specs.map(\.name) == ["t", "n", "ts", "t0", "n0", "ts0"])
            for (column, values) in zip(read.columns, columns) { #expect(column.textuals == values) }
        }
    }

    private static let numbersOfEncodings = [
        "PLAIN": "0", "DELTA_LENGTH_BYTE_ARRAY": "6", "DELTA_BYTE_ARRAY": "7", "RLE_DICTIONARY": "8",
    ]
}
