import Common
import Lake
import Testing

@testable import Ingest

/// Promise 2: nothing counts twice, and what stays does not depend on what arrived first.
@Suite struct DuplicateTests {
    /// Some files, what is stored of them, and what became of the records of each.
    struct Story: Sendable, CustomTestStringConvertible {
        let name: String
        var sources = [usageSource]
        let files: [String: [String]]
        var columns = ["id", "ts", "output_tokens", "source_file", "source_record"]
        var log = Log.usage
        let rows: [String]
        let counts: [String]
        var refused: [String] = []

        var testDescription: String { name }
    }

    private static let stories = [
        Story(
            name: "the same line twice in a file: the first stays", files: ["a.jsonl": [call("e1"), call("e1")]],
            columns: ["id", "source_record"],
            rows: ["e1|1"], counts: ["api a.jsonl: accepted 1 · duplicate 1"]),
        Story(
            name: "a copied file: the rows of the least name stay",
            files: ["a.jsonl": [call("e1"), call("e2")], "b.jsonl": [call("e1"), call("e2")]],
            columns: ["id", "source_file"], rows: ["e1|a.jsonl", "e2|a.jsonl"],
            counts: ["api a.jsonl: accepted 2", "api b.jsonl: duplicate 2"]),
        Story(
            name: "overlapping exports: what they share counts once",
            files: [
                "a.jsonl": [call("e1", "10:00"), call("e2", "11:00")], "b.jsonl": [call("e2", "11:00"), call("e3", "12:00")],
            ],
            columns: ["id", "source_file"], rows: ["e1|a.jsonl", "e2|a.jsonl", "e3|b.jsonl"],
            counts: ["api a.jsonl: accepted 2", "api b.jsonl: accepted 1 · duplicate 1"]),
        Story(
            name: "one id with other values: the earliest stays, the other is refused",
            files: ["a.jsonl": [call("e1", "11:00", output: 5)], "b.jsonl": [call("e1", "10:00", output: 9)]],
            rows: ["e1|2026-11-09T10:00:00Z|9|b.jsonl|1"],
            counts: ["api a.jsonl: quarantined 1 (1 id_reused)", "api b.jsonl: accepted 1"],
            refused: ["a.jsonl:1 id_reused"]),
        Story(
            name: "one id with other values at one time: the least file stays",
            files: ["a.jsonl": [call("e1", output: 9)], "b.jsonl": [call("e1", output: 5)]],
            rows: ["e1|2026-11-09T10:00:00Z|9|a.jsonl|1"],
            counts: ["api a.jsonl: accepted 1", "api b.jsonl: quarantined 1 (1 id_reused)"], refused: ["b.jsonl:1 id_reused"]),
        Story(
            name: "one id with other values at one time in one file: the first record stays",
            files: ["a.jsonl": [call("e1", output: 9), call("e1", output: 5)]], rows: ["e1|2026-11-09T10:00:00Z|9|a.jsonl|1"],
            counts: ["api a.jsonl: accepted 1 · quarantined 1 (1 id_reused)"], refused: ["a.jsonl:2 id_reused"]),
        Story(
            name: "one id on two days: the earlier day keeps it",
            files: [
                "a.jsonl": [#"{"id":"e1","ts":"2026-11-10T10:00:00Z"}"#],
                "b.jsonl": [#"{"id":"e1","ts":"2026-11-09T10:00:00Z"}"#],
            ],
            columns: ["id", "ts"], rows: ["e1|2026-11-09T10:00:00Z"],
            counts: ["api a.jsonl: quarantined 1 (1 id_reused)", "api b.jsonl: accepted 1"], refused: ["a.jsonl:1 id_reused"]),
        Story(
            name: "keep last: the most output tokens stay, the others are duplicates",
            sources: [#"{ log: "usage", name: "api", files: "*.jsonl", keep: "last" }"#],
            files: [
                "a.jsonl": [call("e1", "11:00", output: 5)], "b.jsonl": [call("e1", "10:00", output: 9)],
                "c.jsonl": [call("e1", "12:00", output: 7)],
            ],
            rows: ["e1|2026-11-09T10:00:00Z|9|b.jsonl|1"],
            counts: ["api a.jsonl: accepted 0 · duplicate 1", "api b.jsonl: accepted 1", "api c.jsonl: accepted 0 · duplicate 1"]),
        Story(
            name: "keep last, equal tokens: the latest stays",
            sources: [#"{ log: "usage", name: "api", files: "*.jsonl", keep: "last" }"#],
            files: ["a.jsonl": [call("e1", "11:00")], "b.jsonl": [call("e1", "10:00")]],
            rows: ["e1|2026-11-09T11:00:00Z|1|a.jsonl|1"],
            counts: ["api a.jsonl: accepted 1", "api b.jsonl: accepted 0 · duplicate 1"]),
        Story(
            name: "keep last, equal tokens and times: the greatest file and record stay",
            sources: [#"{ log: "usage", name: "api", files: "*.jsonl", keep: "last" }"#],
            files: ["a.jsonl": [call("e1")], "b.jsonl": [call("e1"), call("e1")]], rows: ["e1|2026-11-09T10:00:00Z|1|b.jsonl|2"],
            counts: ["api a.jsonl: accepted 0 · duplicate 1", "api b.jsonl: accepted 1 · duplicate 1"]),
        Story(
            name: "keep last of a log without tokens: the latest version of the row stays",
            sources: [#"{ log: "sessions", name: "s", files: "*.jsonl", keep: "last" }"#],
            files: [
                "a.jsonl": [#"{"id":"s1","ts":"2026-11-09T10:00:00Z","words":1}"#],
                "b.jsonl": [#"{"id":"s1","ts":"2026-11-09T10:00:00Z","words":2}"#],
            ],
            columns: ["id", "words"], log: .sessions, rows: ["s1|2"],
            counts: ["s a.jsonl: accepted 0 · duplicate 1", "s b.jsonl: accepted 1"]),
        Story(
            name: "two entries have scopes of their own: one id in both is two rows",
            sources: [#"{ log: "usage", name: "x", files: "a.jsonl" }"#, #"{ log: "usage", name: "y", files: "b.jsonl" }"#],
            files: ["a.jsonl": [call("e1")], "b.jsonl": [call("e1")]], columns: ["id", "source"], rows: ["e1|x", "e1|y"],
            counts: ["x a.jsonl: accepted 1", "y b.jsonl: accepted 1"]),
        Story(
            name: "two entries share a scope: one id in both is one row",
            sources: [
                #"{ log: "usage", name: "x", files: "a.jsonl", id_scope: "calls" }"#,
                #"{ log: "usage", name: "y", files: "b.jsonl", id_scope: "calls" }"#,
            ],
            files: ["a.jsonl": [call("e1")], "b.jsonl": [call("e1")]], columns: ["id", "source"], rows: ["e1|x"],
            counts: ["x a.jsonl: accepted 1", "y b.jsonl: duplicate 1"]),
        Story(
            name: "two entries share a scope and disagree: the earliest stays",
            sources: [
                #"{ log: "usage", name: "x", files: "a.jsonl", id_scope: "calls" }"#,
                #"{ log: "usage", name: "y", files: "b.jsonl", id_scope: "calls" }"#,
            ],
            files: ["a.jsonl": [call("e1", "11:00")], "b.jsonl": [call("e1", "10:00")]], columns: ["id", "source"],
            rows: ["e1|y"],
            counts: ["x a.jsonl: quarantined 1 (1 id_reused)", "y b.jsonl: accepted 1"], refused: ["a.jsonl:1 id_reused"]),
        Story(
            name: "one id in two logs is two rows",
            sources: [
                #"{ log: "usage", name: "x", files: "a.jsonl", id_scope: "all" }"#,
                #"{ log: "sessions", name: "y", files: "a.jsonl", id_scope: "all" }"#,
            ],
            files: ["a.jsonl": [call("e1")]], columns: ["id"], rows: ["e1"],
            counts: ["x a.jsonl: accepted 1", "y a.jsonl: accepted 1"]),
        Story(
            name: "two ids are never merged, however equal their rows",
            files: ["a.jsonl": [call("e1"), call("e2")], "b.jsonl": [call("E1"), call("e1 ")]],
            columns: ["id"], rows: ["e1", "e2", "E1", "e1 "], counts: ["api a.jsonl: accepted 2", "api b.jsonl: accepted 2"]),
        Story(
            name: "rows without an id: equal ones of a file are apart, those of an overlapping file are the same",
            files: [
                "a.jsonl": [call(nil), call(nil), call(nil, "11:00")],
                "b.jsonl": [call(nil), call(nil, "11:00"), call(nil, "12:00")],
            ],
            columns: ["ts", "source_file", "source_record"],
            rows: [
                "2026-11-09T10:00:00Z|a.jsonl|1", "2026-11-09T10:00:00Z|a.jsonl|2", "2026-11-09T11:00:00Z|a.jsonl|3",
                "2026-11-09T12:00:00Z|b.jsonl|3",
            ],
            counts: ["api a.jsonl: accepted 3", "api b.jsonl: accepted 1 · duplicate 2"]),
        Story(
            name: "rows without an id that differ in one value are two",
            files: ["a.jsonl": [call(nil, output: 1), call(nil, output: 2)]],
            columns: ["output_tokens"], rows: ["1", "2"], counts: ["api a.jsonl: accepted 2"]),
        Story(
            name: "a text is named by its id and part", sources: [#"{ log: "texts", name: "t", files: "*.jsonl" }"#],
            files: [
                "a.jsonl": [
                    #"{"id":"s1","part":"entry","ts":"2026-11-09","text":"a"}"#,
                    #"{"id":"s1","part":"reply","ts":"2026-11-09","text":"b"}"#,
                ],
                "b.jsonl": [#"{"id":"s1","part":"entry","ts":"2026-11-09","text":"a"}"#],
            ], columns: ["id", "part"], log: .texts, rows: ["s1|entry", "s1|reply"],
            counts: ["t a.jsonl: accepted 2", "t b.jsonl: duplicate 1"]),
        Story(
            name: "a snapshot is named by its kind, id and time: versions stay beside each other",
            sources: [#"{ log: "snapshots", name: "u", files: "*.jsonl" }"#],
            files: [
                "a.jsonl": [
                    #"{"kind":"user","id":"1","updated_at":"2026-11-08","plan":"free"}"#,
                    #"{"kind":"goal","id":"1","updated_at":"2026-11-08"}"#,
                ],
                "b.jsonl": [
                    #"{"kind":"user","id":"1","updated_at":"2026-11-09","plan":"prism"}"#,
                    #"{"kind":"user","id":"1","updated_at":"2026-11-08","plan":"free"}"#,
                ],
            ], columns: ["kind", "id", "updated_at", "plan"], log: .snapshots,
            rows: ["user|1|2026-11-08T00:00:00Z|free", "goal|1|2026-11-08T00:00:00Z|null", "user|1|2026-11-09T00:00:00Z|prism"],
            counts: ["u a.jsonl: accepted 2", "u b.jsonl: accepted 1 · duplicate 1"]),
    ]

    @Test("All at once, in order or the other way round: equal rows, counts and quarantine", arguments: stories)
    func whicheverCameFirst(_ story: Story) throws {
        let names = story.files.keys.sorted()
        for arrivals in [[names], names.map { [$0] }, names.reversed().map { [$0] }] {
            try withBench { bench in
                for arrival in arrivals {
                    for file in arrival { try bench.put(file, story.files[file] ?? []) }
                    try bench.ingest(story.sources)
                }
                let how = Comment(rawValue: "arriving as \(arrivals)")
                #expect(try bench.rows(story.columns, of: story.log) == story.rows, how)
                // A file all of whose rows were displaced later reads as accepted 0; one that never had any does not say so.
                #expect(try bench.counts().map(bare) == story.counts.map(bare), how)
                #expect(try bench.refusals() == story.refused, how)
            }
        }
    }

    private func bare(_ counts: String) -> String { counts.replacing("accepted 0 · ", with: "") }

    @Test(
        "Of three rows with one id, two equal and one earlier, both equal ones are refused however they arrived",
        arguments: [[2, 0, 1], [0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0]])
    func threeRows(_ order: [Int]) throws {
        let files = [call("e1", "11:00"), call("e1", "11:00"), call("e1", "10:00")]
        try withBench { bench in
            for index in order {
                try bench.put("\(index).jsonl", [files[index]])
                try bench.ingest([usageSource])
            }
            #expect(try bench.rows(["ts", "source_file"]) == ["2026-11-09T10:00:00Z|2.jsonl"])
            #expect(
                try bench.counts().map(bare) == [
                    "api 0.jsonl: quarantined 1 (1 id_reused)", "api 1.jsonl: quarantined 1 (1 id_reused)",
                    "api 2.jsonl: accepted 1",
                ])
            #expect(try bench.refusals() == ["0.jsonl:1 id_reused", "1.jsonl:1 id_reused"])
        }
    }

    @Test("A duplicate whose file has grown by the row that displaces both is refused like the row it was the duplicate of")
    func threeRowsGrown() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1", "11:00")])
            try bench.ingest([usageSource])
            try bench.put("b.jsonl", [call("e1", "11:00")])
            try bench.ingest([usageSource])
            try bench.put("b.jsonl", [call("e1", "11:00"), call("e1", "10:00")])
            #expect(try bench.ingest([usageSource]).counts.records == 1)
            #expect(
                try bench.counts().map(bare) == [
                    "api a.jsonl: quarantined 1 (1 id_reused)", "api b.jsonl: accepted 1 · quarantined 1 (1 id_reused)",
                ])
        }
    }

    @Test("The same files again change nothing: no row, no count, no file of the home")
    func again() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [call("e1"), call(nil), "{", call("e1", "09:00")])
            try bench.ingest([usageSource])
            let (rows, counts, files) = (try bench.rows(["id", "ts"]), try bench.counts(), try contents(bench))
            for _ in 0..<2 {
                let report = try bench.ingest([usageSource])
                #expect(report == IngestReport(counts: Counts(), filesRead: 0, filesUnchanged: 1))
                #expect(report.summary == "1 file, all unchanged")
            }
            // Copied anew: other times and inodes, the same bytes.
            let bytes = try readFile(bench.data + "/a.jsonl", as: "export")
            try removeTree(bench.data + "/a.jsonl")
            try bench.put("a.jsonl", bytes)
            #expect(try bench.ingest([usageSource]).filesRead == 0)
            #expect(try bench.rows(["id", "ts"]) == rows && bench.counts() == counts && contents(bench) == files)
        }
    }

    private func contents(_ bench: Bench) throws -> [String: Digest] {
        var found: [String: Digest] = [:]
        for file in try Common.files(below: bench.lake.home) where !file.hasPrefix("ledger.sqlite") {
            found[file] = Digest.of(try readFile(bench.lake.home + "/" + file, as: "file"))
        }
        return found
    }

    @Test("A displaced row leaves its day, and a day that has lost all its rows goes")
    func displaced() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"e1","ts":"2026-11-10T10:00:00Z"}"#])
            try bench.ingest([usageSource])
            try bench.put("b.jsonl", [#"{"id":"e1","ts":"2026-11-09T10:00:00Z"}"#])
            let report = try bench.ingest([usageSource])
            #expect(report.changedDays == ["usage": 2])
            #expect(try bench.lake.parts(job: "kalei", log: .usage).map(\.day.description) == ["2026-11-09"])
            #expect(try names(in: bench.lake.home + "/lake/kalei/usage") == ["day=2026-11-09"])
            #expect(try bench.quarantine().map { $0["raw"]?.string } == [#"{"id":"e1","ts":"2026-11-10T10:00:00Z"}"#])
        }
    }

    @Test("A displaced row whose export is gone is refused without its bytes")
    func displacedAndGone() throws {
        try withBench { bench in
            try bench.put("b.jsonl", [call("e1", "11:00")])
            try bench.ingest([usageSource])
            try removeTree(bench.data + "/b.jsonl")
            try bench.put("a.jsonl", [call("e1", "10:00")])
            try bench.ingest([usageSource])
            let refusal = try #require(try bench.quarantine().first)
            #expect(refusal["detail"]?.string == "another row with this id and other values stands before it; its file is gone")
            #expect(refusal["record"]?.int == 1 && refusal["bytes"]?.int == 0 && refusal["raw"]?.string == "")
        }
    }
}
