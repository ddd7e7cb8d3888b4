import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// What was read by a wrong mapping, or should not have been read, is put right: the home ends as one that was right from the start.
@Suite struct CorrectionTests {
    /// Says that tokens stand in a field that holds none, as the one that was meant does.
    private let broken = #"{ log: "usage", name: "api", files: "*.jsonl", map: { output_tokens: ["tokens", "output_tokens"] } }"#

    private let files = [
        "a.jsonl": [line("e1", tokens: "12 of 40"), line("e2"), "{", line(nil), line(nil), line("e9", "23:00")],
        "b.jsonl": [line("e2"), line("e3", tokens: "none"), line("e1", tokens: "?"), line("e9", "22:00", output: 7)],
    ]

    private static func line(_ id: String?, _ time: String = "10:00", tokens: String? = nil, output: Int = 3) -> String {
        JSON.fields([
            "id": .optional(id), "ts": .string("2026-11-09T\(time):00Z"), "tokens": .optional(tokens),
            "output_tokens": .int(output),
        ]).text
    }

    /// All that a home shows: its lake and quarantine by their bytes, and what the ledger says of rows and records.
    private func shown(_ bench: Bench) throws -> [String] {
        let stores = try Common.files(below: bench.lake.home).filter { $0.hasPrefix("lake/") || $0.hasPrefix("quarantine/") }
        let tables = [
            ("counts", "source || ' ' || log || ' ' || file || ' ' || outcome || ' ' || reason || ' ' || count", "count <> 0"),
            ("stored_days", "source || ' ' || log || ' ' || file || ' ' || day || ' ' || rows", "rows <> 0"),
            ("files", "source || ' ' || path || ' ' || size || digest || lines || format || mapping || superseded", "1"),
            ("displaced", "log || ' ' || source || ' ' || file || ' by ' || by_source || ' ' || by_file", "1"),
        ]
        return try stores.map { "\($0) \(Digest.of(try readFile(bench.lake.home + "/" + $0, as: "file")).short)" }
            + tables.flatMap { table, text, condition in
                try bench.lake.ledger.database.rows("SELECT \(text) FROM \(table) WHERE \(condition)").map {
                    "\(table) \($0.text(0))"
                }.sorted()
            }
    }

    /// The home of somebody who has read these files with these sources at once. The files themselves are those of `other`, so that
    /// their signatures agree.
    private func rightFromTheStart(_ other: Bench, _ sources: [String]) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            try Bench(lake: bench.lake, data: other.data).ingest(sources)
            found = try shown(bench)
        }
        return found
    }

    private func withFiles(_ names: [String] = ["a.jsonl", "b.jsonl"], _ work: (Bench) throws -> Void) throws {
        try withBench { bench in
            for name in names { try bench.put(name, files[name] ?? []) }
            try work(bench)
        }
    }

    @Test("Refused records are read again once the mapping is right, from their files")
    func retry() throws {
        try withFiles { bench in
            try bench.ingest([broken])
            #expect(try bench.refusals().count == 5)
            let report = try bench.correct(.retryQuarantined, [usageSource])
            #expect(report.plan.steps.values.allSatisfy { $0 == .readAgain } && report.plan.steps.count == 2)
            #expect(try bench.refusals() == ["a.jsonl:3 bad_json", "a.jsonl:6 id_reused"])
            #expect(try shown(bench) == rightFromTheStart(bench, [usageSource]))
            #expect(report.after[SourceFile(source: "api", file: "b.jsonl")]?.summary == "accepted 2 · duplicate 2")
        }
    }

    @Test("Refused records whose files are gone are read again from the quarantine, if that has all of them")
    func retryGone() throws {
        try withFiles { bench in
            let long = String(repeating: "x", count: 70_000)
            let lines = [
                Self.line("e5", tokens: long), Self.line(nil, "11:00", tokens: "?"), Self.line("e2", "09:00", tokens: "?"),
            ]
            try bench.put("c.jsonl", lines)
            try bench.ingest([broken])
            for name in ["a.jsonl", "b.jsonl", "c.jsonl"] { try removeTree(bench.data + "/" + name) }
            let report = try bench.correct(.retryQuarantined, [usageSource])
            #expect(
                report.plan.steps.sorted { $0.key < $1.key }.map(\.value) == [.retried(3), .retried(2), .retried(2)])
            #expect(
                try bench.rows(["id", "source_file"]).filter { !$0.hasPrefix("row-") } == [
                    "e2|c.jsonl", "e1|a.jsonl", "e3|b.jsonl", "e9|b.jsonl",
                ])
            #expect(
                try bench.counts() == [
                    "api a.jsonl: accepted 3 · quarantined 3 (2 id_reused, 1 bad_json)",
                    "api b.jsonl: accepted 2 · duplicate 2",
                    "api c.jsonl: accepted 1 · quarantined 2 (1 bad_value, 1 missing_id)",
                ])
            #expect(
                try bench.refusals() == [
                    "a.jsonl:2 id_reused", "a.jsonl:3 bad_json", "a.jsonl:6 id_reused", "c.jsonl:1 bad_value",
                    "c.jsonl:2 missing_id",
                ])
            #expect(try bench.quarantine().last?["raw"]?.string == lines[1])
            // What stands before a record now, stands before it again: nothing moves, and its bytes are kept.
            let before = try shown(bench)
            try bench.correct(.retryQuarantined, [usageSource])
            #expect(try shown(bench) == before)
        }
    }

    @Test("A row of CSV is not read again from the quarantine: without its header nobody knows what it says")
    func retryGoneCSV() throws {
        try withBench { bench in
            let source = #"{ log: "usage", name: "api", files: "*.csv" }"#
            try bench.put("a.csv", ["id,ts,output_tokens", "e1,2026-11-09T10:00:00Z,many"])
            try bench.ingest([source])
            try removeTree(bench.data + "/a.csv")
            let before = try shown(bench)
            let report = try bench.correct(.retryQuarantined, [source])
            #expect(report.plan.steps.map(\.value) == [.left])
            #expect(try shown(bench) == before)
        }
    }

    @Test("Rows of another mapping are replaced, whatever they had displaced or lost against")
    func remap() throws {
        let wrong = #"{ log: "usage", name: "api", files: "*.jsonl", map: { output_tokens: { constant: "5" }, model: "id" } }"#
        try withFiles(["a.jsonl"]) { bench in
            try bench.ingest([wrong])
            try bench.put("b.jsonl", files["b.jsonl"] ?? [])
            try bench.ingest([wrong])
            #expect(try filesOfOtherMappings(try bench.order([usageSource]), bench.lake.ledger) == 2)
            try bench.correct(.remap, [usageSource])
            #expect(try shown(bench) == rightFromTheStart(bench, [usageSource]))
            #expect(try filesOfOtherMappings(try bench.order([usageSource]), bench.lake.ledger) == 0)
            #expect(try bench.correct(.remap, [usageSource]).plan.steps.isEmpty)
        }
    }

    @Test("Rows of a source whose mapping is right come back when those of another were before them that were not")
    func remapShared() throws {
        func sources(_ map: String) -> [String] {
            [
                #"{ log: "usage", name: "x", files: "a.jsonl", id_scope: "calls"\#(map) }"#,
                #"{ log: "usage", name: "y", files: "b.jsonl", id_scope: "calls" }"#,
            ]
        }
        let wrong = sources(#", map: { id: { constant: "e2" }, model: "id" }"#)
        try withFiles { bench in
            try bench.put("a.jsonl", [Self.line("e8", "09:00")])
            try bench.ingest(wrong)
            #expect(try bench.rows(["id", "source"]) == ["e2|x", "e3|y", "e1|y", "e9|y"])
            let report = try bench.correct(.remap, sources(""))
            #expect(report.plan.steps.count == 2)
            #expect(try bench.rows(["id", "source"]) == ["e8|x", "e2|y", "e3|y", "e1|y", "e9|y"])
            #expect(try shown(bench) == rightFromTheStart(bench, sources("")))
        }
    }

    @Test("A mapping into another log takes the rows out of the one and into the other")
    func remapLog() throws {
        try withFiles { bench in
            try bench.ingest([#"{ log: "sessions", name: "api", files: "*.jsonl" }"#])
            try bench.correct(.remap, [usageSource])
            #expect(try bench.rows(["id"], of: .sessions) == [])
            #expect(try shown(bench) == rightFromTheStart(bench, [usageSource]))
        }
    }

    @Test("Where the files are found is no part of a mapping")
    func otherPattern() throws {
        try withFiles { bench in
            try bench.ingest([usageSource])
            let wider = #"{ log: "usage", name: "api", files: ["*.jsonl", "more/*.jsonl"] }"#
            #expect(try filesOfOtherMappings(try bench.order([wider]), bench.lake.ledger) == 0)
        }
    }

    @Test("A file that is half of one mapping and half of another is of another")
    func mixedMapping() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1")])
            try bench.ingest([#"{ log: "usage", name: "api", files: "*.jsonl", map: { model: "id" } }"#])
            try bench.put("a.jsonl", [call("e1"), call("e2")])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 1")
            #expect(try filesOfOtherMappings(try bench.order([usageSource]), bench.lake.ledger) == 1)
            try bench.correct(.remap, [usageSource])
            #expect(try shown(bench) == rightFromTheStart(bench, [usageSource]))
        }
    }

    @Test(
        "A file that cannot be read again as it was stops a remap before anything is done, and a narrower one goes on",
        arguments: [
            Case("gone", [String](), "a.jsonl is gone"), Case("changed", ["{}"], "a.jsonl has changed since"),
            Case(
                "read with other bytes", [call("e8"), "read"],
                "a.jsonl was read with other bytes before, of which rows are stored"),
        ])
    func cannotRemap(_ row: Case<[String], String>) throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), call("e2")])
            try bench.put("z.jsonl", [call("e7")])
            try bench.ingest([broken])
            try removeTree(bench.data + "/a.jsonl")
            if !row.input.isEmpty { try bench.put("a.jsonl", row.input.filter { $0 != "read" }) }
            if row.input.contains("read") { try bench.ingest([broken]) }
            let before = try shown(bench)
            let failure = try #require(throws: Failure.self) { try bench.correct(.remap, [usageSource]) }
            #expect(failure.message.contains("1 file cannot be read again as read before: \(row.expected)."))
            #expect(try shown(bench) == before)
            let report = try bench.correct(.remap, [usageSource], choice: .only(["z.jsonl"]))
            #expect(report.plan.steps.keys.map(\.file) == ["z.jsonl"])
            #expect(try filesOfOtherMappings(try bench.order([usageSource]), bench.lake.ledger) == 1)
        }
    }

    @Test("A dropped file leaves nothing, and what had counted as a duplicate of its rows comes back", arguments: [false, true])
    func drop(_ together: Bool) throws {
        try withFiles(together ? ["a.jsonl", "b.jsonl"] : ["a.jsonl"]) { bench in
            try bench.ingest([usageSource])
            if !together {
                try bench.put("b.jsonl", files["b.jsonl"] ?? [])
                try bench.ingest([usageSource])
            }
            #expect(try bench.rows(["id", "source_file"]).contains("e2|a.jsonl"))
            let dropped = SourceFile(source: "api", file: "a.jsonl")
            let report = try bench.correct(.drop([dropped]), [usageSource])
            #expect(report.plan.steps == [dropped: .dropped, SourceFile(source: "api", file: "b.jsonl"): .readAgain])
            #expect(report.after[dropped] == Counts())
            let only = #"{ log: "usage", name: "api", files: "b.jsonl" }"#
            #expect(try shown(bench) == rightFromTheStart(bench, [only]))
            // It is there, and no run reads it, until somebody takes that back.
            #expect(try bench.ingest([usageSource]).filesRead == 0)
            #expect(try listFilesRead(try bench.order([usageSource]), bench.lake.ledger).map(\.state) == [.dropped, .read])
            try readmit([dropped], job: "kalei", bench.lake.ledger)
            #expect(try bench.ingest([usageSource]).filesRead == 1)
            #expect(try contents(shown(bench)) == contents(rightFromTheStart(bench, [usageSource])))
        }
    }

    /// Without what depends on the history: files of rows, and whose rows lost first.
    private func contents(_ shown: [String]) -> [String] { shown.filter { !$0.hasPrefix("lake/") && !$0.hasPrefix("displaced") } }

    @Test("A row that lost against one which lost to a third comes back only when nothing stands before it any more")
    func chain() throws {
        try withBench { bench in
            for (name, time) in [("c", "12:00"), ("b", "11:00"), ("a", "10:00")] {
                try bench.put("\(name).jsonl", [call("e1", time)])
                try bench.ingest([usageSource])
            }
            for (name, row) in [("b", "a"), ("a", "c")] {
                try bench.correct(.drop([SourceFile(source: "api", file: "\(name).jsonl")]), [usageSource])
                #expect(try bench.rows(["source_file"]) == ["\(row).jsonl"])
            }
            #expect(try bench.counts() == ["api c.jsonl: accepted 1"])
            #expect(try bench.refusals() == [])
        }
    }

    @Test("A file is not dropped while rows of another, which is gone, count as its own")
    func cannotDrop() throws {
        try withFiles { bench in
            try bench.ingest([usageSource])
            try removeTree(bench.data + "/b.jsonl")
            let (a, b) = (SourceFile(source: "api", file: "a.jsonl"), SourceFile(source: "api", file: "b.jsonl"))
            let before = try shown(bench)
            let failure = try #require(throws: Failure.self) { try bench.correct(.drop([a]), [usageSource]) }
            #expect(failure.message.contains("b.jsonl is gone."))
            #expect(try shown(bench) == before)
            try bench.correct(.drop([a, b]), [usageSource])
            #expect(try bench.rows(["id"]) == [] && bench.counts() == [] && bench.refusals() == [])
            #expect(try !exists(bench.lake.home + "/quarantine") && names(in: bench.lake.home + "/lake/kalei/usage") == [])
        }
    }

    @Test("What an older vesper has read and not said whose rows lost against whose is taken as everybody's")
    func olderHome() throws {
        try withFiles { bench in
            try bench.ingest([usageSource])
            let database = bench.lake.ledger.database
            try database.execute("UPDATE displaced SET by_source = '', by_file = ''")
            try database.execute("UPDATE files SET mapping = ''")
            #expect(try filesOfOtherMappings(try bench.order([broken]), bench.lake.ledger) == 0)
            let report = try bench.correct(.drop([SourceFile(source: "api", file: "b.jsonl")]), [usageSource])
            #expect(report.plan.steps.count == 2)
            #expect(try shown(bench) == rightFromTheStart(bench, [#"{ log: "usage", name: "api", files: "a.jsonl" }"#]))
        }
    }

    @Test("What a run that was cut short had begun with is looked for anew after a correction")
    func begun() throws {
        try withFiles(["a.jsonl"]) { bench in
            try bench.ingest([broken])
            try bench.put("a.jsonl", (files["a.jsonl"] ?? []) + [call("e7")])
            let signature = try #require(FileSignature(of: bench.data + "/a.jsonl"))
            try bench.lake.ledger.database.execute(
                "INSERT INTO pending_files VALUES ('kalei', 'api', 'a.jsonl', ?, ?, ?, 6)",
                [.integer(signature.size), .integer(signature.modifiedNanoseconds), .integer(signature.inode)])
            try bench.correct(.retryQuarantined, [usageSource])
            #expect(try bench.ingest([usageSource]).counts.summary == "accepted 1")
            #expect(try bench.counts() == ["api a.jsonl: accepted 6 · quarantined 1 (1 bad_json)"])
        }
    }

    @Test("Every file says what became of it, and in which state it is")
    func list() throws {
        try withFiles { bench in
            try bench.put("c.jsonl", [call("e5")])
            try bench.put("d.jsonl", [call("e6")])
            try bench.ingest([usageSource, #"{ log: "sessions", name: "old", files: "d.jsonl" }"#])
            try removeTree(bench.data + "/b.jsonl")
            try bench.put("c.jsonl", [call("e5"), call("e6")])
            func states(_ source: String) throws -> [String] {
                try listFilesRead(try bench.order([source]), bench.lake.ledger).map {
                    "\($0.file.source) \($0.file.file) \($0.counts.records) \($0.state.rawValue)"
                }
            }
            #expect(
                try states(usageSource) == [
                    "api a.jsonl 6 read", "api b.jsonl 4 gone", "api c.jsonl 1 changed", "api d.jsonl 1 read",
                    "old d.jsonl 1 no source",
                ])
            #expect(try states(broken).first == "api a.jsonl 6 other mapping")
            let entry = try #require(try listFilesRead(try bench.order([usageSource]), bench.lake.ledger).first)
            #expect(entry.days?.first == Day("2026-11-09") && entry.days?.last == Day("2026-11-09"))
            #expect(entry.size == (files["a.jsonl"] ?? []).reduce(0) { $0 + Int64($1.utf8.count) + 1 })
            let digest = try digestOfFile(bench.data + "/a.jsonl")
            #expect(entry.digest == digest.map { String($0.hex.prefix(12)) })
        }
    }
}
