import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// How a file becomes records, whatever its bytes look like.
@Suite struct LineTests {
    private func ids(_ bytes: [UInt8], file: String = "a.jsonl") throws -> (rows: [String], refused: [String]) {
        var found: (rows: [String], refused: [String]) = ([], [])
        try withBench { bench in
            try bench.put(file, bytes)
            try bench.ingest([#"{ log: "usage", name: "api", files: "\#(file)" }"#])
            found = (try bench.rows(["id", "source_record"]), try bench.refusals())
        }
        return found
    }

    private static let (one, two) = (call("e1", "10:00"), call("e2", "11:00"))

    @Test(
        "Line ends, blank lines and a mark at the beginning are no part of a record, and records are counted by line",
        arguments: [
            Case("a line end each", "\(one)\n\(two)\n", ["e1|1", "e2|2"]),
            Case("none at the end", "\(one)\n\(two)", ["e1|1", "e2|2"]),
            Case("of two characters", "\(one)\r\n\(two)\r\n", ["e1|1", "e2|2"]),
            Case("blank lines between", "\n\(one)\n\n \t \r\n\(two)\n\n", ["e1|2", "e2|5"]),
            Case("a byte order mark", "\u{feff}\(one)\n\(two)\n", ["e1|1", "e2|2"]), Case("nothing at all", "", []),
            Case("only a line end", "\n", []),
            Case("only a mark", "\u{feff}", []), Case("spaces around a record", "  \(one)  \n", ["e1|1"]),
            Case("a line separator within a text", "{\"id\":\"a\u{2028}b\",\"ts\":\"2026-11-09\"}\n", ["a\u{2028}b|1"]),
        ])
    func lines(_ row: Case<String, [String]>) throws {
        let found = try ids(Array(row.input.utf8))
        #expect(found.rows == row.expected)
        #expect(found.refused == [])
        // Compressed it is the same, and a name does not decide.
        let compressed = try ids(try gzipped(Array(row.input.utf8)))
        #expect(compressed.rows == row.expected)
    }

    @Test("A mark anywhere but at the beginning, a carriage return alone and a bad byte are refused where they stand")
    func refused() throws {
        let found = try ids(
            Array("\(LineTests.one)\n\u{feff}\(LineTests.two)\n".utf8) + Array("{\"id\":\"".utf8) + [0xff]
                + Array("\"}\n\r\r\n".utf8))
        #expect(found.rows == ["e1|1"])
        #expect(found.refused == ["a.jsonl:2 bad_json", "a.jsonl:3 bad_json", "a.jsonl:4 bad_json"])
    }

    @Test("Several gzip members are one file, as appending makes them")
    func members() throws {
        let found = try ids(
            gzipped(Array("\(LineTests.one)\n{\"id\":".utf8)) + gzipped([])
                + gzipped(Array("\"e9\",\"ts\":\"2026-11-09\"}".utf8)), file: "a.jsonl.gz")
        #expect(found.rows == ["e9|2", "e1|1"])
    }

    @Test("A line that is longer than a buffer comes whole", arguments: [1 << 18, 1 << 20, (1 << 20) + 1, 3 << 20])
    func long(_ length: Int) throws {
        let text = String(repeating: "x", count: length)
        let found = try ids(
            Array(
                "\(LineTests.one)\n{\"id\":\"e2\",\"ts\":\"2026-11-09T11:00:00Z\",\"feature\":\"\(text)\"}\n\(call("e3", "12:00"))\n"
                    .utf8))
        #expect(found.rows == ["e1|1", "e2|2", "e3|3"])
    }

    @Test("A record of more than 16 MiB is refused with its first 64 KiB, its length and the digest of all of it")
    func tooLong() throws {
        try withBench { bench in
            let record =
                Array("{\"id\":\"long\",\"feature\":\"".utf8) + (0..<(16 << 20)).map { UInt8(0x61 + $0 % 23) } + Array("\"}".utf8)
            try bench.put("a.jsonl", Array("\(LineTests.one)\n".utf8) + record + Array("\n\(LineTests.two)\n".utf8))
            try bench.ingest([usageSource])
            #expect(try bench.rows(["id", "source_record"]) == ["e1|1", "e2|3"])
            let refusal = try #require(try bench.quarantine().first)
            #expect(refusal["reason"]?.string == "too_long" && refusal["record"]?.int == 2)
            #expect(refusal["detail"]?.string == "the record has 16,777,242 bytes; at most 16,777,216 are read")
            #expect(refusal["bytes"]?.int == record.count)
            #expect(refusal["raw"]?.string.map { Array($0.utf8) } == Array(record[0..<65_536]))
            #expect(refusal["sha256"]?.string == Digest.of(record).hex)
        }
    }

    @Test("A refused record of more than 64 KiB keeps its beginning, its length and its digest; a shorter one is kept whole")
    func kept() throws {
        try withBench { bench in
            let long = Array("[".utf8) + [UInt8](repeating: 0x20, count: 70_000)
            try bench.put("a.jsonl", long + Array("\n[1\n".utf8))
            try bench.ingest([usageSource])
            let refusals = try bench.quarantine()
            #expect(refusals.map { $0["bytes"]?.int } == [70_001, 2])
            #expect(refusals.map { $0["raw"]?.string?.utf8.count } == [65_536, 2])
            #expect(refusals.map { $0["sha256"]?.string } == [Digest.of(long).hex, nil])
        }
    }

    @Test("Bytes that are no text are kept as hexadecimal digits")
    func bytes() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [0x7b, 0xff, 0x00, 0x0a])
            try bench.ingest([usageSource])
            #expect(try bench.quarantine().map { $0["raw_hex"]?.string } == ["7bff00"])
            #expect(try bench.quarantine().map { $0["raw"] } == [.null])
        }
    }

    @Test(
        "A truncated gzip file ends the run with a sentence and changes nothing; when it is copied again, the next run reads it")
    func truncated() throws {
        try withBench { bench in
            let whole = try gzipped((0..<2000).flatMap { Array("\(call("e\($0)", output: $0))\n".utf8) })
            try bench.put("a.jsonl", [call("a1")])
            try bench.put("b.jsonl.gz", Array(whole[0..<1000]))
            let sources = [usageSource, #"{ log: "usage", name: "gz", files: "*.gz" }"#]
            let expected =
                "\(bench.data)/b.jsonl.gz: The gzip stream ends in the middle, at byte 1,000. The file is truncated: export or copy it again."
            for _ in 0..<2 { #expect(sentence { try bench.ingest(sources) } == expected) }
            #expect(try bench.rows(["id"]) == [] && bench.counts() == [])
            try bench.put("b.jsonl.gz", whole)
            let report = try bench.ingest(sources)
            #expect(report.counts.accepted == 2001 && report.filesRead == 2)
        }
    }

    @Test("A damaged gzip file ends the run with a sentence")
    func damaged() throws {
        try withBench { bench in
            var bytes = try gzipped(Array(repeating: "\(LineTests.one)\n", count: 50).flatMap { Array($0.utf8) })
            for index in 20..<30 { bytes[index] ^= 0xff }
            try bench.put("a.jsonl", bytes)
            let found = sentence { try bench.ingest([usageSource]) } ?? ""
            #expect(found.hasPrefix("\(bench.data)/a.jsonl: The gzip stream is damaged near byte "))
        }
    }
}
