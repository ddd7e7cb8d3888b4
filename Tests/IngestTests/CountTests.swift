import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Promise 1: nothing is lost silently.
@Suite struct CountTests {
    private let lines = [
        call("ok", "10:00"), call("ok", "10:00"), call("ok", "11:00"), #"{"id":"early","ts":"2025-12-31T23:59:59Z"}"#, "{",
        #"{"id":"x"}"#,
        #"{"id":"none","ts":"2026-11-09T10:00:00Z","status":"test"}"#, "",
        #"{"id":"bad","ts":"2026-11-09T10:00:00Z","output_tokens":"7090%"}"#,
    ]
    private let source = #"{ log: "usage", name: "api", files: "*.jsonl", where: { id: ["ok", "early", "x", "bad"] } }"#

    @Test("Every record of a file ends in one of five ways, and the five add up to the records read")
    func fiveWays() throws {
        try withBench { bench in
            try bench.put("a.jsonl", lines)
            let report = try bench.ingest([source])
            #expect(
                try bench.counts() == [
                    "api a.jsonl: accepted 1 · duplicate 1 · out of range 1 · filtered 1 · quarantined 4 (1 bad_json, 1 bad_value, 1 id_reused, 1 missing_ts)"
                ])
            #expect(report.counts.records == 8)  // a blank line is no record
            #expect(
                try bench.refusals() == [
                    "a.jsonl:3 id_reused", "a.jsonl:5 bad_json", "a.jsonl:6 missing_ts", "a.jsonl:9 bad_value",
                ])
        }
    }

    @Test(
        "The five add up over runs, displaced rows and files that arrive late",
        arguments: [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]])
    func overRuns(_ order: [String]) throws {
        try withBench { bench in
            let files = [
                "a": lines, "b": [call("ok", "09:00"), call("x", "09:00")], "c": [call("x", "08:00"), call("y"), "{}"],
            ]
            var records = 0
            for name in order {
                try bench.put("\(name).jsonl", files[name] ?? [])
                records += try bench.ingest([source]).counts.records
            }
            let total = try countsByLog(bench.lake.ledger, job: "kalei").reduce(into: Counts()) { $0 += $1.counts }
            #expect(total.records == 13 && records == 13)
            #expect(total.accepted == (try bench.rows(["id"]).count))
            #expect(total.quarantinedTotal == (try bench.quarantine().count))
        }
    }

    @Test("A refused record is kept with its file, line, reason, sentence and bytes")
    func quarantine() throws {
        try withBench { bench in
            try bench.put("dumps/a b.jsonl", [#"{"id":"e1","ts":"#])
            try bench.ingest([#"{ log: "usage", name: "api usage", files: "dumps/*.jsonl" }"#])
            #expect(try files(below: bench.lake.home + "/quarantine") == ["kalei/api%20usage/dumps%2Fa%20b.jsonl.jsonl.gz"])
            #expect(
                try bench.quarantine() == [
                    .fields([
                        "source": .string("api usage"), "file": .string("dumps/a b.jsonl"), "record": .int(1),
                        "reason": .string("bad_json"),
                        "detail": .string("the record ends in the middle, at byte 16"), "bytes": .int(16),
                        "raw": .string(#"{"id":"e1","ts":"#),
                        "raw_hex": .null, "sha256": .null,
                    ])
                ])
        }
    }

    @Test(
        "Rows before accept_from and from a day after now are out of range; the edges are exact",
        arguments: [
            Case("the first moment", "2026-01-01T00:00:00Z", "accepted 1"),
            Case("a microsecond before", "2025-12-31T23:59:59.999999Z", "accepted 0 · out of range 1"),
            Case("tomorrow, a microsecond early", "2026-11-17T00:29:59.999999Z", "accepted 1"),
            Case("tomorrow", "2026-11-17T00:30:00Z", "accepted 0 · out of range 1"),
            Case("the first moment elsewhere", "2026-01-01T00:30:00+01:00", "accepted 0 · out of range 1"),
            Case("year one", "0001-01-01T00:00:00Z", "accepted 0 · out of range 1"),
        ])
    func range(_ row: Case<String, String>) throws {
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"e1","ts":"\#(row.input)"}"#])
            #expect(try bench.ingest([usageSource]).counts.summary == row.expected)
        }
    }

    @Test("Every valid row is stored, whatever days a report would ask for")
    func allDays() throws {
        try withBench { bench in
            try bench.put("a.jsonl", ["2026-01-01", "2026-06-30", "2026-11-16"].map { #"{"id":"\#($0)","ts":"\#($0)"}"# })
            let report = try bench.ingest([usageSource])
            #expect(report.changedDays == ["usage": 3])
            #expect(
                try bench.lake.parts(job: "kalei", log: .usage).map(\.day.description) == [
                    "2026-01-01", "2026-06-30", "2026-11-16",
                ])
        }
    }

    @Test("A day's page counts the files that gave rows to it, by source entry")
    func bySource() throws {
        try withBench { bench in
            let days = try ["2026-11-08", "2026-11-09"].map { try #require(Day($0)) }
            try bench.put("a.jsonl", [#"{"id":"1","ts":"2026-11-08"}"#, "{"])
            try bench.put("b.jsonl", [#"{"id":"2","ts":"2026-11-09"}"#, #"{"id":"2","ts":"2026-11-09"}"#])
            try bench.ingest([usageSource, #"{ log: "sessions", name: "s", files: "b.jsonl" }"#])
            func counts(_ first: Day, _ last: Day) throws -> [String] {
                try countsBySource(bench.lake.ledger, job: "kalei", from: first, to: last).map {
                    "\($0.source): \($0.counts.summary)"
                }
            }
            let first = try counts(days[0], days[0])
            #expect(first == ["api: accepted 1 · quarantined 1 (1 bad_json)"])
            #expect(try counts(days[1], days[1]) == ["api: accepted 1 · duplicate 1", "s: accepted 1 · duplicate 1"])
            #expect(
                try counts(days[0], days[1]) == [
                    "api: accepted 2 · duplicate 1 · quarantined 1 (1 bad_json)", "s: accepted 1 · duplicate 1",
                ])
        }
    }

    @Test("Counts read as a sentence: thousands apart, zeros left out, the most frequent reason first")
    func summaries() {
        var counts = Counts()
        #expect(counts.summary == "accepted 0")
        counts.accepted = 41_203
        counts.duplicate = 12
        counts.filtered = 3
        counts.quarantined = ["bad_json": 1, "id_reused": 1200, "bad_value": 1, "missing_ts": 0]
        #expect(
            counts.summary
                == "accepted 41,203 · duplicate 12 · filtered 3 · quarantined 1,202 (1,200 id_reused, 1 bad_json, 1 bad_value)")
        #expect(counts.records == 42_420)
    }
}
