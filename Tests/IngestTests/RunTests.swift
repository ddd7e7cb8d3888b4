import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// One run after another, while exports grow, change and vanish.
@Suite struct RunTests {
    @Test("Of a grown file only the new lines are read")
    func grown() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), "{"])
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", [call("e1"), "{", call("e2"), "["])
            let report = try bench.ingest([usageSource])
            #expect(report.counts.summary == "accepted 1 · quarantined 1 (1 bad_json)")
            #expect(report.summary == "accepted 1 · quarantined 1 (1 bad_json) · 1 file")
            #expect(try bench.counts() == ["api a.jsonl: accepted 2 · quarantined 2 (2 bad_json)"])
            #expect(try bench.refusals() == ["a.jsonl:2 bad_json", "a.jsonl:4 bad_json"])
            #expect(try bench.rows(["id", "source_record"]) == ["e1|1", "e2|3"])
        }
    }

    @Test("A gzip file grows by members")
    func grownGzip() throws {
        try withBench { bench in
            let (first, second) = (try gzipped(Array("\(call("e1"))\n".utf8)), try gzipped(Array("\(call("e2"))\n".utf8)))
            try bench.put("a.jsonl", first)
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", first + second)
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 1")
            #expect(try bench.rows(["id", "source_record"]) == ["e1|1", "e2|2"])
        }
    }

    @Test("A file that ended within a line is read again from its beginning; its rows count once")
    func grownLine() throws {
        try withBench { bench in
            let whole = "\(call("e1"))\n\(call("e2"))\n\(call("e3"))\n"
            try bench.put("a.jsonl", Array(whole.utf8.prefix(80)))
            try bench.ingest([usageSource])
            #expect(try bench.counts() == ["api a.jsonl: accepted 1 · quarantined 1 (1 bad_json)"])
            try bench.put("a.jsonl", Array(whole.utf8))
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 2 · duplicate 1")
            #expect(try bench.rows(["id", "source_record"]) == ["e1|1", "e2|2", "e3|3"])
        }
    }

    @Test("Rows without an id in a grown file are counted on: an equal one that was appended is another row")
    func grownWithoutIDs() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call(nil), call(nil)])
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", [call(nil), call(nil), call(nil)])
            try bench.ingest([usageSource])
            #expect(try bench.rows(["source_record"]) == ["1", "2", "3"])
            #expect(try bench.counts() == ["api a.jsonl: accepted 3"])
        }
    }

    @Test("A file that was exported anew under its name is read as a whole; what it no longer has stays stored")
    func rewritten() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), call("e2")])
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", [call("e2"), call("e3")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 1 · duplicate 1")
            #expect(try bench.rows(["id"]).sorted() == ["e1", "e2", "e3"])
        }
    }

    @Test("A shorter file is read, and a file that is gone takes nothing with it")
    func shorter() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), call("e2")])
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", [call("e1")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 0 · duplicate 1")
            try removeTree(bench.data + "/a.jsonl")
            #expect(try bench.ingest([usageSource]) == IngestReport())
            #expect(try bench.rows(["id"]) == ["e1", "e2"])
        }
    }

    @Test("A source that is added later reads the files that another one has read")
    func addedSource() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1")])
            try bench.ingest([usageSource])
            let added = #"{ log: "sessions", name: "s", files: "*.jsonl" }"#
            #expect(try bench.ingest([usageSource, added]).counts.summary == "accepted 1")
            #expect(try bench.rows(["id"], of: .sessions) == ["e1"])
        }
    }

    @Test("A run that was cut short is finished with its own list; what came since follows in the same run")
    func fixedList() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), call("e2")])
            let signature = try #require(FileSignature(of: bench.data + "/a.jsonl"))
            // The list of a run that was killed; it had found the first line read already.
            try bench.lake.ledger.database.execute(
                "INSERT INTO pending_files VALUES ('kalei', 'api', 'a.jsonl', ?, ?, ?, 1)",
                [.integer(signature.size), .integer(signature.modifiedNanoseconds), .integer(signature.inode)])
            try bench.put("b.jsonl", [call("e3")])
            let report = try bench.ingest([usageSource])
            #expect(report.counts.accepted == 2 && report.filesRead == 2 && report.filesUnchanged == 0)
            #expect(try bench.rows(["id", "source_file"]) == ["e2|a.jsonl", "e3|b.jsonl"])
            #expect(try bench.ingest([usageSource]).summary == "2 files, all unchanged")
        }
    }

    @Test(
        "A list that can no longer be read is made anew",
        arguments: [
            Case("a file that has changed", "'api', 'a.jsonl', 10", 0), Case("a file that is gone", "'api', 'gone.jsonl', 10", 0),
            Case("a source that is gone", "'old', 'a.jsonl', 10", 0),
        ])
    func stalePending(_ row: Case<String, Int>) throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1")])
            try bench.lake.ledger.database.execute("INSERT INTO pending_files VALUES ('kalei', \(row.input), 1, 1, 0)")
            #expect(try bench.ingest([usageSource]).counts.accepted == 1)
            #expect(try bench.ingest([usageSource]).filesRead == 0)
        }
    }

    @Test("What a run would read is told without reading it")
    func pending() throws {
        try withBench { bench in
            let lines = [call("e1")]
            try bench.put("a.jsonl", lines)
            func order() throws -> IngestOrder {
                IngestOrder(
                    job: "kalei", data: bench.data, sources: [try source(usageSource)], jobColumns: [],
                    acceptFrom: try #require(Day("2026-01-01")),
                    now: try #require(Instant("2026-11-16T00:30:00Z")))
            }
            func told() throws -> [Int] {
                let pending = try pendingFiles(try order(), bench.lake.ledger)
                return [pending.files, Int(pending.bytes), pending.unchanged]
            }
            let size = lines[0].utf8.count + 1
            let before = try told()
            #expect(before == [1, size, 0])
            #expect(try bench.rows(["id"]) == [])
            try bench.ingest([usageSource])
            #expect(try told() == [0, 0, 1])
            try bench.put("b.jsonl", lines)
            #expect(try told() == [1, size, 1])
        }
    }

    @Test("The same files give the same bytes, whatever the order of the entries and the number of threads")
    func sameBytes() throws {
        var digests: [[String]] = []
        let sources = [usageSource, #"{ log: "sessions", name: "s", files: "*.jsonl" }"#]
        for order in [sources, sources.reversed()] {
            try withBench { bench in
                try bench.put("b.jsonl", (0..<50).map { call("b\($0)", "1\($0 % 10):00", output: $0) } + ["{"])
                try bench.put("a.jsonl", (0..<50).map { call("a\($0)", "1\($0 % 10):00", output: $0) })
                try bench.ingest(order)
                let files = try files(below: bench.lake.home).filter { $0.hasPrefix("lake/") || $0.hasPrefix("quarantine/") }
                digests.append(try files.map { "\($0) \(Digest.of(try readFile(bench.lake.home + "/" + $0, as: "file")))" })
            }
        }
        #expect(digests[0] == digests[1])
        #expect(digests[0].count == 6)
    }

    @Test("Rows of a day lie in the order of their times, then files and records")
    func order() throws {
        try withBench { bench in
            try bench.put("b.jsonl", [call("1", "11:00"), call("2", "10:00")])
            try bench.ingest([usageSource])
            try bench.put("a.jsonl", [call("3", "11:00"), call("4", "11:00"), call("5", "09:00")])
            try bench.ingest([usageSource])
            #expect(try bench.rows(["id"]) == ["5", "2", "3", "4", "1"])
        }
    }

    @Test(
        "The index of ids may be deleted, damaged or of another time: rows are found all the same",
        arguments: ["deleted", "damaged", "older"])
    func index(_ how: String) throws {
        try withBench { bench in
            let index = bench.lake.home + "/index/kalei/usage"
            try bench.put("a.jsonl", [call("e1", "11:00"), call("e2")])
            try bench.ingest([usageSource])
            let older = try names(in: index).map { ($0, try readFile(index + "/" + $0, as: "index")) }
            #expect(older.map(\.0) == ["current", "run-000001"])
            try bench.put("b.jsonl", [call("e3"), call("e4", "11:00")])
            try bench.ingest([usageSource])
            switch how {
            case "deleted": try removeTree(bench.lake.home + "/index")
            case "damaged": for name in try names(in: index) { try writeNew([1, 2, 3], to: index + "/" + name) }
            default:
                try removeTree(index)
                try makeFolder(index)
                for (name, bytes) in older { try writeNew(bytes, to: index + "/" + name) }
            }
            try bench.put("c.jsonl", [call("e1", "10:00"), call("e3"), call("e5")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 1 · duplicate 1 · quarantined 1 (1 id_reused)")
            #expect(try bench.rows(["id", "ts"]).map { $0.prefix(2) }.sorted() == ["e1", "e2", "e3", "e4", "e5"])
            try bench.put("d.jsonl", [call("e5"), call("e2")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 0 · duplicate 2")
        }
    }

    @Test("Where a job's id scopes change, rows are compared under the new ones")
    func changedScopes() throws {
        try withBench { bench in
            func sources(_ scope: String) -> [String] {
                ["a", "b"].map { #"{ log: "usage", name: "\#($0)", files: "\#($0)*.jsonl"\#(scope) }"# }
            }
            try bench.put("a1.jsonl", [call("e1")])
            try bench.put("b1.jsonl", [call("e1")])
            #expect(try bench.ingest(sources("")).counts.accepted == 2)
            try bench.put("b2.jsonl", [call("e1")])
            #expect(try bench.ingest(sources(#", id_scope: "calls""#)).counts.summary == "accepted -1 · duplicate 2")
            #expect(try bench.rows(["id", "source_file"]) == ["e1|a1.jsonl"])
        }
    }

    @Test("A day that gathers many parts is written anew as one, with every row")
    func manyParts() throws {
        try withBench { bench in
            for file in 10..<24 {
                try bench.put("\(file).jsonl", [call("e\(file)", "\(file):00")])
                try bench.ingest([usageSource])
            }
            #expect(try bench.lake.parts(job: "kalei", log: .usage).map(\.rows).sorted() == [1, 13])
            #expect(try bench.rows(["id"]) == (10..<24).map { "e\($0)" })
            try bench.put("a.jsonl", [call("e11", "09:00"), call("e23", "23:00")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 0 · duplicate 1 · quarantined 1 (1 id_reused)")
            #expect(try bench.rows(["id", "source_file"]).prefix(2) == ["e11|a.jsonl", "e10|10.jsonl"])
        }
    }
}
