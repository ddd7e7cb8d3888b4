import Common
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// What stands where exports are looked for and is none.
@Suite struct OddFileTests {
    /// What is said while a run reads, without the folder.
    private func said(_ pattern: String, _ prepare: (Bench) throws -> Void) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            try makeFolder(bench.data)
            try prepare(bench)
            let heard = Mutex<[String]>([])
            let order = IngestOrder(
                job: "kalei", data: bench.data, sources: [try source(#"{ log: "usage", name: "s", files: "\#(pattern)" }"#)],
                jobColumns: [], acceptFrom: try #require(Day("2026-01-01")), now: try #require(Instant("2026-11-16T00:30:00Z")))
            let talk = Talk(diagnostic: { diagnostic in heard.withLock { $0.append("\(diagnostic)") } })
            _ = try ingest(order, into: bench.lake, talk: talk)
            found = heard.withLock { $0 }.map { $0.replacing(bench.data, with: "data") }
        }
        return found
    }

    @Test("Nothing to read is a warning that says where was looked for what")
    func nothing() throws {
        let expected =
            #"job.json5:1:1: warning: No file below data fits "a*.jsonl", so s reads nothing. Put the exports there, correct "files", or give another --data."#
        #expect(try said("a*.jsonl") { _ in } == [expected])
        #expect(try said("a*.jsonl") { try makeFolder($0.data + "/a.jsonl") } == [expected])
        #expect(try said("a*.jsonl") { try $0.put("a.jsonl", [call("e1")]) } == [])
    }

    @Test("A pipe, a link to nothing and a name that is no text are told one by one, and what is beside them is read")
    func odd() throws {
        let found = try said("*.jsonl") { bench in
            try bench.put("z.jsonl", [call("e1")])
            #expect(mkfifo(bench.data + "/pipe.jsonl", 0o644) == 0)
            #expect(symlink("gone", bench.data + "/link.jsonl") == 0)
            let name = Array(bench.data.utf8CString.dropLast()) + [0x2f, CChar(bitPattern: 0xff)] + Array(".jsonl".utf8CString)
            #expect(close(open(name, O_CREAT | O_WRONLY, 0o644)) == 0)
        }
        #expect(
            found == [
                "data/link.jsonl: warning: This link leads to nothing, so there is nothing to read. Mend it, or remove it.",
                "data/pipe.jsonl: warning: This is no file but a pipe, socket or device, and is not read. Write what it gives to a file.",
                "data/\u{FFFD}.jsonl: warning: This name is not written in UTF-8, so the file is not read. Rename it.",
            ])
    }

    @Test(
        "Content that no text begins with ends the run with what it is",
        arguments: [
            Case(
                "UTF-16, little end first", [0xff, 0xfe, 0x7b, 0x00],
                "This is text in UTF-16, which is not read. Export it as UTF-8."),
            Case(
                "UTF-16, big end first", [0xfe, 0xff, 0x00, 0x7b],
                "This is text in UTF-16, which is not read. Export it as UTF-8."),
            Case(
                "zstd", [0x28, 0xb5, 0x2f, 0xfd],
                "This is a zstd file, which is not read. Decompress it; plain files and gzip are read."),
        ] as [Case<[UInt8], String>])
    func content(_ row: Case<[UInt8], String>) throws {
        for bytes in [row.input, try gzipped(row.input)] {
            try withBench { bench in
                try bench.put("a.jsonl", bytes)
                #expect(sentence { try bench.ingest([usageSource]) } == "\(bench.data)/a.jsonl: \(row.expected)")
            }
        }
    }

    @Test("Gzip in gzip, and something behind the gzip data, say so")
    func gzip() throws {
        let whole = try gzipped(Array("\(call("e1"))\n".utf8))
        for (bytes, expected) in [
            (try gzipped(whole), "The gzip file holds another one, which is not read. Decompress it once, or export it again."),
            (
                whole + [0x6a],
                "Something that is not gzip follows the gzip data, from byte \(whole.count) on. Cut it off there, or export the file again."
            ),
        ] {
            try withBench { bench in
                try bench.put("a.jsonl", bytes)
                #expect(sentence { try bench.ingest([usageSource]) } == "\(bench.data)/a.jsonl: \(expected)")
            }
        }
    }

    @Test(
        "A header that fits no column is quoted only where its names look like names",
        arguments: [
            Case("names", "a,b.c\n", "It has a and b.c; the job reads"),
            Case("data", "1,ada@example.com\n", "It has 2 columns; the job reads"),
            Case("another delimiter", "a;b\n", #"say delimiter: ";" in the source."#),
            Case("tabs", "a\tb\n", #"say delimiter: "\t" in the source."#),
        ])
    func headers(_ row: Case<String, String>) throws {
        try withBench { bench in
            try bench.put("a.csv", Array(row.input.utf8))
            let found = sentence { try bench.ingest([#"{ log: "usage", name: "s", files: "a.csv" }"#]) } ?? ""
            #expect(found.contains(row.expected), "\(found)")
        }
    }
}
