import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// As what a file is read, and what becomes of bytes that are no export at all.
@Suite struct FormatTests {
    private static let rows = "id,ts\ne1,2026-11-09\n"
    private static let tabs = "id\tts\ne1\t2026-11-09\n"
    private static let list = "[{\"id\":\"e1\",\"ts\":\"2026-11-09\"}]"
    private static let lines = "{\"id\":\"e1\",\"ts\":\"2026-11-09\"}\n"

    @Test(
        "A file's name says what its format is, or else its first character, or the source",
        arguments: [
            Case("a.jsonl", lines, ""), Case("a.ndjson", lines, ""), Case("a.JSONL.GZ", lines, ""), Case("a.json", list, ""),
            Case("a.json.gz", lines, ""),
            Case("a.csv", rows, ""), Case("a.CSV.gz", rows, ""), Case("a.tsv", tabs, ""), Case("a.tab", tabs, ""),
            Case("a.log", lines, ""), Case("a", list, ""),
            Case("a.txt", "\n\t" + list, ""), Case("csv/a", lines, ""), Case("a.txt", rows, #", format: "csv""#),
            Case("a.csv", tabs, #", format: "tsv""#), Case("a.csv", lines, #", format: "jsonl""#),
            Case("a.jsonl", list, #", format: "json""#),
            Case("a.csv", "id;ts\ne1;2026-11-09\n", #", delimiter: ";""#),
            Case("a.tsv", "id|ts\ne1|2026-11-09\n", #", delimiter: "|""#),
        ])
    func names(_ row: Case<String, String>) throws {
        try withBench { bench in
            for bytes in [Array(row.input.utf8), try gzipped(Array(row.input.utf8))] {
                try bench.put(row.name, bytes)
                try bench.ingest([#"{ log: "usage", name: "api", files: "\#(row.name)"\#(row.expected) }"#])
                #expect(try bench.rows(["id", "source_record"]) == ["e1|1"])
                #expect(try bench.refusals() == [])
            }
        }
    }

    @Test("Two sources that read one file must read it alike")
    func agree() throws {
        try withBench { bench in
            try bench.put("a.log", [call("e1")])
            func refusal(_ first: String, _ second: String) -> Failure? {
                let sources = [first, second].enumerated().map {
                    #"{ log: "usage", name: "\#($0.offset)", files: "a.log"\#($0.element) }"#
                }
                do { try bench.ingest(sources) } catch { return error as? Failure }
                return nil
            }
            let found = refusal("", #", format: "json""#)
            #expect(found?.kind == .usage && found?.place?.path == "job.json5")
            #expect(
                found?.message
                    == #"The sources "0" and "1" both read a.log, one as what its content looks like and one as json. Give both the same format."#
            )
            #expect(
                refusal(#", format: "csv", nulls: ["x"]"#, #", format: "csv""#)?.message
                    == #"The sources "0" and "1" both read a.log, with other nulls. Give both the same."#)
            #expect(
                refusal(#", format: "csv", delimiter: ";""#, #", format: "csv""#)?.message.contains(
                    "one as csv with ; and one as csv") == true)
            #expect(refusal(#", format: "jsonl""#, #", format: "jsonl""#) == nil)
        }
    }

    @Test("A file whose format has changed since it was read is read again as a whole")
    func changed() throws {
        try withBench { bench in
            try bench.put("a.log", [call("e1"), call("e2")])
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.log" }"#])
            try bench.put("a.log", [call("e1"), call("e2"), call("e3")])
            #expect(
                try bench.ingest([#"{ log: "usage", name: "api", files: "a.log", format: "json" }"#]).counts.summary
                    == "accepted 1 · duplicate 2")
        }
    }

    @Test("Lines that were read are no records of a file that is read as rows now")
    func changedToRows() throws {
        try withBench { bench in
            func source(_ format: String) -> String { #"{ log: "usage", name: "api", files: "a.log", format: "\#(format)" }"# }
            try bench.put("a.log", ["id,ts", "e1,2026-11-09"])
            #expect(try bench.ingest([source("jsonl")]).counts.summary == "accepted 0 · quarantined 2 (2 bad_json)")
            try bench.put("a.log", ["id,ts", "e1,2026-11-09", "e2,2026-11-09"])
            #expect(try bench.ingest([source("csv")]).counts.summary == "accepted 2")
        }
    }

    @Test("The same rows as JSON lines, a list and CSV count once where the sources share a scope")
    func sameRows() throws {
        try withBench { bench in
            let fields = [
                ("e1", "2026-11-09T10:00:00Z", "5", "say \"hi\", you"), ("e2", "2026-11-09T11:00:00Z", "", "two\nlines"),
            ]
            let objects = fields.map {
                JSON.object([
                    .init("id", .string($0.0)), .init("ts", .string($0.1)),
                    .init("output_tokens", $0.2.isEmpty ? .null : .number($0.2)), .init("feature", .string($0.3)),
                ]).text
            }
            try bench.put("a.jsonl", objects)
            try bench.put("b.json", Array("[\n\(objects.joined(separator: ",\n"))\n]\n".utf8))
            try bench.put("c.csv", ["id,ts,output_tokens,feature"] + fields.map { "\($0.0),\($0.1),\($0.2),\(csvQuoted($0.3))" })
            try bench.put(
                "d.tsv",
                ["id\tts\toutput_tokens\tfeature"]
                    + fields.map { "\($0.0)\t\($0.1)\t\($0.2)\t\"\($0.3.replacing("\"", with: "\"\""))\"" })
            try bench.ingest(
                ["a", "b", "c", "d"].map { #"{ log: "usage", name: "\#($0)", files: "\#($0).*", id_scope: "calls" }"# })
            #expect(
                try bench.counts() == [
                    "a a.jsonl: accepted 2", "b b.json: accepted 0 · duplicate 2", "c c.csv: accepted 0 · duplicate 2",
                    "d d.tsv: accepted 0 · duplicate 2",
                ])
            #expect(try bench.rows(["id", "output_tokens", "feature"]) == ["e1|5|say \"hi\", you", "e2|null|two\nlines"])
        }
    }

    // MARK: - Bytes that are no export

    @Test(
        "A file that is empty, or not what its name says, is read as what it is",
        arguments: [
            Case("an empty gzip name", [], []), Case("plain text under a gzip name", Array(lines.utf8), ["accepted 1"]),
            Case("one byte of gzip", [0x1f], ["accepted 0 · quarantined 1 (1 bad_json)"]),
            Case("NUL bytes", [0, 0, 0, 0x0a, 0], ["accepted 0 · quarantined 2 (2 bad_json)"]),
            Case("binary junk", (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ ($0 >> 5)) | 1 }, nil),
        ] as [Case<[UInt8], [String]?>])
    func junk(_ row: Case<[UInt8], [String]?>) throws {
        try withBench { bench in
            try bench.put("a.jsonl.gz", row.input)
            let report = try bench.ingest([#"{ log: "usage", name: "api", files: "*.gz" }"#])
            if let expected = row.expected { #expect(report.counts.summary == expected.first ?? "accepted 0") }
            #expect(report.counts.accepted + report.counts.quarantinedTotal == report.counts.records)
            #expect(report.filesRead == 1)
        }
    }

    @Test("Binary junk is refused record by record in every format, and never ends the run", arguments: ["jsonl", "json", "csv"])
    func junkFormats(_ format: String) throws {
        var state: UInt64 = 9
        for length in [1, 7, 100, 5000, 300_000] {
            let bytes = (0..<length).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            try withBench { bench in
                try bench.put("a.\(format)", (format == "csv" ? Array("id,ts\n".utf8) : []) + bytes)
                let counts = try bench.ingest([#"{ log: "usage", name: "api", files: "a.*" }"#]).counts
                #expect(counts.accepted == 0 && counts.quarantinedTotal == counts.records && counts.records > 0)
                #expect(try bench.quarantine().count == counts.records)
            }
        }
    }

    @Test(
        "Other compressions are named, whatever the file is called",
        arguments: [
            Case(
                "zstd", [0x28, 0xb5, 0x2f, 0xfd, 0x24],
                "This is a zstd file, which is not read. Decompress it; plain files and gzip are read."),
            Case(
                "zip", [0x50, 0x4b, 0x03, 0x04, 0x14],
                "This is a zip file, which is not read. Unpack it; plain files and gzip are read."),
            Case(
                "parquet", [0x50, 0x41, 0x52, 0x31, 0x15, 0x04],
                "This is a Parquet file, which is not read. Export it as JSON lines or CSV."),
        ] as [Case<[UInt8], String>])
    func compressions(_ row: Case<[UInt8], String>) throws {
        try withBench { bench in
            try bench.put("a.jsonl.gz", row.input)
            #expect(
                sentence { try bench.ingest([#"{ log: "usage", name: "api", files: "*.gz" }"#]) }
                    == "\(bench.data)/a.jsonl.gz: \(row.expected)")
        }
    }

    @Test(
        "A gzip file that is cut off is named with the byte, in every format and wherever it is cut",
        arguments: ["jsonl", "json", "csv"])
    func truncated(_ format: String) throws {
        let bytes = try gzipped(Array((format == "csv" ? FormatTests.rows : FormatTests.list).utf8))
        for length in [2, 5, 10, 11, bytes.count - 9, bytes.count - 8, bytes.count - 1] {
            try withBench { bench in
                try bench.put("a.\(format).gz", Array(bytes[0..<length]))
                let found = sentence { try bench.ingest([#"{ log: "usage", name: "api", files: "*.gz" }"#]) }
                #expect(
                    found
                        == "\(bench.data)/a.\(format).gz: The gzip stream ends in the middle, at byte \(length). The file is truncated: export or copy it again."
                )
            }
        }
    }

    @Test(
        "A gzip of very many spaces is one record that is too long, and no record of whole JSON",
        arguments: ["jsonl", "json", "csv", "log"])
    func spaces(_ format: String) throws {
        // 320 MiB in 320 kB: many members, each of spaces alone.
        let member = try gzipped([UInt8](repeating: 0x20, count: 16 << 20), level: 9)
        let bytes = (0..<20).flatMap { _ in member }
        try withBench { bench in
            try bench.put("a.\(format).gz", (format == "csv" ? try gzipped(Array("id,ts\n".utf8)) : []) + bytes)
            let report = try bench.ingest([#"{ log: "usage", name: "api", files: "*.gz" }"#])
            #expect(report.counts.summary == (format == "json" ? "accepted 0" : "accepted 0 · quarantined 1 (1 too_long)"))
        }
    }

    @Test("Spaces before a record do not hide it, however many they are")
    func hidden() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [UInt8](repeating: 0x20, count: 17 << 20) + Array(FormatTests.lines.utf8))
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 0 · quarantined 1 (1 too_long)")
        }
    }

    @Test(
        "The longest record is the job's to say",
        arguments: [Case("just", 40, "accepted 1"), Case("too little", 28, "accepted 0 · quarantined 1 (1 too_long)")])
    func longest(_ row: Case<Int, String>) throws {
        try withBench { bench in
            try bench.put("a.jsonl", Array(FormatTests.lines.utf8))
            let order = IngestOrder(
                job: "kalei", data: bench.data, sources: [try source(usageSource)], jobColumns: [],
                acceptFrom: try #require(Day("2026-01-01")), now: try #require(Instant("2026-11-16T00:30:00Z")),
                longestRecord: row.input)
            #expect(try Ingest.ingest(order, into: bench.lake, talk: .silent).counts.summary == row.expected)
        }
    }

    // MARK: - What is named or piped

    @Test("Of the sources' files only those are read that are named; the others are read by the next run")
    func chosen() throws {
        try withBench { bench in
            for name in ["a", "b"] { try bench.put("\(name).jsonl", [call(name)]) }
            #expect(try bench.ingest([usageSource], choice: .only(["b.jsonl"])).counts.accepted == 1)
            #expect(try bench.rows(["id"]) == ["b"])
            #expect(try bench.ingest([usageSource]).counts.accepted == 1)
        }
    }

    @Test("What is piped in is named by its digest, read as the source's files are, and adds nothing when it comes again")
    func piped() throws {
        try withBench { bench in
            let sources = [#"{ log: "usage", name: "api", files: "*.csv.gz" }"#, usageSource.replacing("api", with: "lines")]
            let bytes = Array(FormatTests.rows.utf8)
            try bench.put("pipe", try gzipped(bytes))
            func ingest() throws -> String {
                let entries = try sources.map { try source($0) }
                let chosen = try sourceOfPipe("api", of: entries)
                let folder = bench.lake.staging(job: "kalei").temporaryFolder("pipe")
                try bench.lake.rollForward()
                let file = try takePiped(from: bench.data + "/pipe", for: chosen, folder: folder)
                return try bench.ingest(sources, choice: .piped(file)).summary
            }
            #expect(try ingest() == "accepted 1 · 1 file")
            let name = "stdin-\(Digest.of(try gzipped(bytes)).short).csv"
            #expect(try bench.rows(["id", "source_file", "source"]) == ["e1|\(name)|api"])
            #expect(try ingest() == "1 file, all unchanged")
            #expect(try bench.rows(["id"]) == ["e1"])
        }
    }

    @Test("A pipe is for one source, which is named where there are several")
    func pipeSource() throws {
        let sources = try ["calls", "chats"].map { try source(#"{ log: "usage", name: "\#($0)", files: "*.jsonl" }"#) }
        #expect(try sourceOfPipe(nil, of: [sources[1]]).name == "chats")
        #expect(try sourceOfPipe("calls", of: sources).name == "calls")
        #expect(
            sentence { _ = try sourceOfPipe(nil, of: sources) }
                == "The job has several sources, and what is piped is for one. Give --source with one of calls and chats.")
        #expect(
            sentence { _ = try sourceOfPipe("call", of: sources) }
                == "There is no source \"call\" in the job. Did you mean \"calls\"? Give --source with one of calls and chats.")
    }
}
