import Common
import Testing

@testable import Ingest

/// Where a read ends must not show: in records, in what is refused, or in how.
@Suite struct PieceTests {
    private static let jsonPieces = [
        "[", "]", "{", "}", ",", ":", "\"", "\\", "\n", " ", "1", "-", "tru", "null", "\"id\":\"é\"", "\\u00e9", "\\ud83d\\ude00",
        "\u{0}",
        "{\"id\":1},", "{\"id\":\"a\\\"b\"},\n", "\n  {\"id\":[{},[]]},\n", "\r\n", "\t",
    ]
    private static let csvPieces = [
        ",", ";", "\"", "\"\"", "\n", "\r\n", "\r", "a", "é", "text of some length", "1,2\n", "\"a\nb\",\"c\"\n", "x,\"", "\u{0}",
        " ", "\n\n",
    ]

    @Test(
        "The same bytes in pieces of any length give the same records, with limits that they come near to",
        arguments: ["jsonl", "json", "csv"], 0..<40)
    func pieces(_ format: String, _ seed: Int) throws {
        var random = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next(_ most: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % most
        }
        let pieces = format == "csv" ? PieceTests.csvPieces : PieceTests.jsonPieces
        var bytes = format == "csv" ? Array("id,n\n".utf8) : []
        for _ in 0..<next(120) { bytes += Array(pieces[next(pieces.count)].utf8) }
        if next(3) == 0 { bytes.append(0xff) }
        let longest = 8 + next(40)
        let kind = try #require(FormatName(rawValue: format)).format()
        /// Each piece is a gzip member of its own, and so comes by itself.
        func found(_ length: Int) throws -> [String] {
            let members = stride(from: 0, to: bytes.count, by: length).map { bytes[$0..<min($0 + length, bytes.count)] }
            let file = try members.flatMap { try gzipped(Array($0), level: 1) }
            return try records(file, kind, longest: longest, ["id", "n"], withDigests: true)
        }
        let whole = try found(1 << 20)
        for length in [1, 2, 3, 7, 16, 33] {
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            #expect(try found(length) == whole, "pieces of \(length), at most \(longest): \(text)")
        }
    }
}
