import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

@Suite struct MappingTests {
    private let time = #""ts":"2026-11-09T10:00:00Z""#

    /// The rows that some records become under a mapping.
    private func rows(
        _ map: String, _ lines: [String], _ columns: [String], log: Log = .usage, file: String = "a.jsonl",
        jobColumns: [ColumnSpec] = []
    ) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            try bench.put(file, lines)
            try bench.ingest([#"{ log: "\#(log.rawValue)", name: "s", files: "\#(file)", \#(map) }"#], columns: jobColumns)
            found = try bench.rows(columns, of: log, jobColumns: jobColumns)
            #expect(try bench.refusals() == [])
        }
        return found
    }

    @Test("A field that bears a column's name needs no mapping, and one that nobody wants is let go")
    func names() throws {
        let line = #"{"id":"e1",\#(time),"model":"m","output_tokens":5,"prompt_version":"x"}"#
        #expect(
            try rows(
                "", [line], ["id", "ts", "model", "output_tokens", "input_tokens", "source", "source_file", "source_record"]) == [
                    "e1|2026-11-09T10:00:00Z|m|5|null|s|a.jsonl|1"
                ])
    }

    @Test("Dotted paths lead into objects")
    func paths() throws {
        let line = #"{"id":"e1",\#(time),"usage":{"tokens":{"out":7}},"meta":{"model":"m"}}"#
        #expect(
            try rows(
                #"map: { output_tokens: "usage.tokens.out", model: "meta.model", user: "meta.user.id" }"#, [line],
                ["output_tokens", "model", "user"]) == ["7|m|null"])
    }

    @Test("Of alternatives the first counts that is there and not null")
    func alternatives() throws {
        let map = #"map: { user: ["user_id", "member.id", "account"] }"#
        let lines = [
            #"{"id":"1",\#(time),"user_id":"a","account":"c"}"#,
            #"{"id":"2",\#(time),"user_id":null,"member":{"id":"b"},"account":"c"}"#,
            #"{"id":"3",\#(time),"account":"c"}"#, #"{"id":"4",\#(time)}"#, #"{"id":"5",\#(time),"user_id":"","account":"c"}"#,
        ]
        #expect(try rows(map, lines, ["id", "user"]) == ["1|a", "2|b", "3|c", "4|null", "5|"])
    }

    @Test("Constants stand on every row, in every type")
    func constants() throws {
        let map =
            #"kind: "lens", map: { outcome: { constant: "shown" }, crisis: { constant: "false" }, words: { constant: "0" }, score: { constant: "0.5" } }"#
        #expect(
            try rows(
                map, [#"{"id":"e1",\#(time),"kind":"other"}"#], ["kind", "outcome", "crisis", "words", "score"], log: .sessions)
                == ["lens|shown|false|0|0.5"])
    }

    @Test("The day in a file's name dates its rows")
    func fileNames() throws {
        let map = #"kind: "user", map: { updated_at: { from_file_name: "users-YYYY-MM-DD" } }"#
        #expect(
            try rows(map, [#"{"id":"u1"}"#], ["id", "updated_at"], log: .snapshots, file: "dumps/users-2026-11-09.jsonl") == [
                "u1|2026-11-09T00:00:00Z"
            ])
        #expect(
            sentence { _ = try rows(map, [#"{"id":"u1"}"#], ["id"], log: .snapshots, file: "users-2026-11.jsonl") }
                == "users-2026-11.jsonl: The name does not fit \"users-YYYY-MM-DD\", from which updated_at is read. Rename the file, or change the source's files or map."
        )
    }

    @Test(
        "A day is found in a name where the pattern has it",
        arguments: [
            Case("what follows does not matter", ("x/users-2026-11-09.jsonl.gz", "users-YYYY-MM-DD"), "2026-11-09"),
            Case("text behind", ("2026-11-09-users.csv", "YYYY-MM-DD-users"), "2026-11-09"),
            Case("another prefix", ("members-2026-11-09.jsonl", "users-YYYY-MM-DD"), nil),
            Case("another text behind", ("2026-11-09.csv", "YYYY-MM-DD-users"), nil),
            Case("no such day", ("users-2026-02-30.jsonl", "users-YYYY-MM-DD"), nil),
            Case("only the name counts", ("users-2026-11-09/a.jsonl", "users-YYYY-MM-DD"), nil),
        ] as [Case<(String, String), String?>])
    func daysInNames(_ row: Case<(String, String), String?>) {
        #expect(dayInName(row.input.0, row.input.1)?.description == row.expected)
    }

    @Test("Attributes are one object with sorted keys; null stays, what is absent is left out")
    func attributes() throws {
        let map =
            #"kind: "user", map: { updated_at: "at", attributes: ["plan_name", "deleted_at", "address.city", "tags", "consent"] }"#
        let line =
            #"{"id":"u1","at":"2026-11-09","tags":["b","a"],"consent":true,"deleted_at":null,"address":{"city":"K\u00f6ln"}}"#
        #expect(
            try rows(map, [line], ["attributes"], log: .snapshots) == [
                #"{"address.city":"Köln","consent":true,"deleted_at":null,"tags":["b","a"]}"#
            ])
    }

    @Test("A job's own column is filled by its short name, or by a mapping")
    func jobColumns() throws {
        let columns = [ColumnSpec("x_complexity", .text), ColumnSpec("x_children", .int64)]
        let lines = [#"{"id":"e1",\#(time),"complexity":"high","kids":3}"#]
        #expect(
            try rows(#"map: { children: "kids" }"#, lines, ["x_complexity", "x_children"], jobColumns: columns) == ["high|3"])
    }

    @Test(
        "Conditions keep the records that meet all of them; the others are filtered, not lost",
        arguments: [
            Case("a text", #"{ status: "ok" }"#, ["1", "4"]),
            Case("one of several", #"{ status: ["ok", "retried"] }"#, ["1", "2", "4"]), Case("a number", "{ n: 5 }", ["1", "2"]),
            Case("a flag", "{ flag: true }", ["1"]), Case("present", "{ note: { present: true } }", ["1"]),
            Case("a path", #"{ "meta.kind": "a" }"#, ["2"]),
            Case("not present", "{ note: { present: false } }", ["2", "3", "4"]),
            Case("not a text", #"{ status: { not: "ok" } }"#, ["2", "3"]),
            Case("none of several", #"{ status: { not: ["ok", "retried"] } }"#, ["3"]),
            Case("not a number", "{ n: { not: 5 } }", ["3", "4"]),
            Case("not a flag", "{ flag: { not: true } }", ["2", "3", "4"]),
            Case("one of several numbers and flags", "{ n: [5.0, 50, true] }", ["3", "4"]),
            Case("the empty text", #"{ note: "" }"#, ["2"]),
            Case("not the empty text", #"{ note: { not: "" } }"#, ["1", "3", "4"]),
            Case("present below an object", "{ meta: { present: true } }", ["2"]),
            Case("a field that no record has", #"{ other: { not: "x" } }"#, ["1", "2", "3", "4"]),
            Case("two conditions", #"{ status: "ok", n: 5 }"#, ["1"]), Case("an escaped text", #"{ note: "é" }"#, ["1"]),
            Case("none", "{}", ["1", "2", "3", "4"]),
        ])
    func conditions(_ row: Case<String, [String]>) throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [
                    #"{"id":"1",\#(time),"status":"ok","n":5,"flag":true,"note":"\u00e9"}"#,
                    #"{"id":"2",\#(time),"status":"retried","n":5,"flag":false,"note":"","meta":{"kind":"a"}}"#,
                    #"{"id":"3",\#(time),"status":null,"n":"50","note":null}"#, #"{"id":"4",\#(time),"status":"ok","n":5.0}"#,
                ])
            let report = try bench.ingest([#"{ log: "usage", name: "s", files: "a.jsonl", where: \#(row.input) }"#])
            #expect(try bench.rows(["id"]) == row.expected)
            #expect(report.counts.filtered == 4 - row.expected.count && report.counts.records == 4)
        }
    }

    @Test("One file fills two logs, and a condition of one entry does not touch the other")
    func twoLogs() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [#"{"id":"1",\#(time),"entry":"hello","crisis":"f"}"#, #"{"id":"2",\#(time),"entry":null,"crisis":"t"}"#])
            try bench.ingest([
                #"{ log: "sessions", name: "s", files: "a.jsonl" }"#,
                #"{ log: "texts", name: "t", files: "a.jsonl", where: { entry: { present: true } }, map: { text: "entry", part: { constant: "entry" } } }"#,
            ])
            #expect(try bench.rows(["id", "crisis"], of: .sessions) == ["1|false", "2|true"])
            #expect(try bench.rows(["id", "part", "text"], of: .texts) == ["1|entry|hello"])
            #expect(try bench.counts() == ["s a.jsonl: accepted 2", "t a.jsonl: accepted 1 · filtered 1"])
        }
    }

    @Test("An element of a list is named by its number, from 0; a key of digits in an object is named alike")
    func elementsByNumber() throws {
        let lines = [
            #"{"id":"1",\#(time),"choices":[{"usage":{"out":7}},{"usage":{"out":8}}],"models":["a","b"]}"#,
            #"{"id":"2",\#(time),"choices":{"1":{"usage":{"out":9}}},"models":["a"]}"#,
            #"{"id":"3",\#(time),"choices":[],"models":[null,[5]]}"#,
        ]
        let map = #"map: { output_tokens: "choices.1.usage.out", model: ["models.1.0", "models.1", "models.0"] }"#
        #expect(try rows(map, lines, ["id", "output_tokens", "model"]) == ["1|8|b", "2|9|a", "3|null|5"])
    }

    @Test("Attributes may be stored under other names, from any path; an object keeps its own, sorted")
    func renamedAttributes() throws {
        let map =
            #"kind: "user", map: { updated_at: "at", attributes: { since: "joined.day", "tariff name": "plan_name", all: "joined", none: "gone" } }"#
        let line = #"{"id":"u1","at":"2026-11-09","joined":{"month":"Nov","day":"9"},"plan_name":"a\"b"}"#
        #expect(
            try rows(map, [line], ["attributes"], log: .snapshots) == [
                #"{"all":{"day":"9","month":"Nov"},"since":"9","tariff name":"a\"b"}"#
            ])
    }

    @Test("A text that is JSON is read on below its field, at any depth, also where it is escaped")
    func textsThatAreJSON() throws {
        let lines = [
            #"{"id":"1",\#(time),"payload":"{\"model\":\"m\",\"inner\":\"{\\\"user\\\":\\\"u\\\"}\"}"}"#,
            #"{"id":"2",\#(time),"payload":"no JSON"}"#, #"{"id":"3",\#(time),"payload":{"model":"n"}}"#,
        ]
        #expect(
            try rows(#"map: { model: "payload.model", user: "payload.inner.user" }"#, lines, ["id", "model", "user"]) == [
                "1|m|u", "2|null|null", "3|n|null",
            ])
    }
}
