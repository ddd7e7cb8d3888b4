import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Elements of lists as records.
@Suite struct ElementTests {
    private static let page = """
        {"object":"page","data":[
          {"start":1794182400,"results":[{"model":"a","n":1},{"model":"b","n":2}],"end":1794186000},
          {"start":1794186000,"results":[],"end":1794189600},
          {"start":1794189600,"end":1794193200,"results":[{"model":"c","n":3}]}],
         "account":{"name":"acme"}}
        """
    private static let each =
        #"each: "data[].results[]", map: { ts: { from: "data[].start", time: "epoch_s" }, model: "data[].results[].model", output_tokens: "data[].results[].n", tenant: "account.name", route: "object", latency_ms: "data[].end" }"#

    /// The rows of one file of the usage log, and what was refused: `record reason: raw`.
    private func read(
        _ bytes: String, _ keys: String, _ columns: [String], file: String = "a.json"
    ) throws -> (rows: [String], refused: [String], summary: String) {
        var found: (rows: [String], refused: [String], summary: String) = ([], [], "")
        try withBench { bench in
            try bench.put(file, Array(bytes.utf8))
            found.summary = try bench.ingest([#"{ log: "usage", name: "s", files: "\#(file)", \#(keys) }"#]).counts.summary
            found.rows = try bench.rows(columns)
            found.refused = try bench.quarantine().map {
                "\($0["record"]?.int ?? 0) \($0["reason"]?.string ?? ""): \($0["detail"]?.string ?? ""): \($0["raw"]?.string ?? "")"
            }
        }
        return found
    }

    @Test("Every element of lists in lists is a record, with fields of the elements and records around it, wherever those stand")
    func nested() throws {
        let found = try read(
            ElementTests.page, ElementTests.each,
            ["source_record", "ts", "model", "output_tokens", "tenant", "route", "latency_ms"])
        #expect(
            found.rows == [
                "1|2026-11-09T00:00:00Z|a|1|acme|page|1794186000", "2|2026-11-09T00:00:00Z|b|2|acme|page|1794186000",
                "3|2026-11-09T02:00:00Z|c|3|acme|page|1794193200",
            ])
        #expect(found.refused == [] && found.summary == "accepted 3")
    }

    @Test("Records go on being counted over the records of the file that hold them")
    func numbers() throws {
        let line = #"{"at":"2026-11-09","calls":[{"id":"%1"},{"id":"%2"}]}"#
        let lines = [
            line.replacing("%1", with: "a").replacing("%2", with: "b"), "", #"{"at":"2026-11-09"}"#, "{broken",
            line.replacing("%1", with: "c").replacing("%2", with: "d"),
        ]
        let found = try read(
            lines.joined(separator: "\n") + "\n", #"each: "calls[]", map: { ts: "at" }"#, ["source_record", "id"], file: "a.jsonl"
        )
        #expect(found.rows == ["1|a", "2|b", "4|c", "5|d"])
        #expect(found.refused == ["3 bad_json: the record lacks a key in quotes, at byte 1: {broken"])
        #expect(found.summary == "accepted 4 · quarantined 1 (1 bad_json)")
    }

    @Test(
        "What is no list, and what is no object in one, is refused with its own bytes; what is not there is no record",
        arguments: [
            Case(
                "no list", #"{"at":"2026-11-09","calls":{"id":"a"}}"#,
                [#"1 bad_value: calls is an object, which is no list: {"at":"2026-11-09","calls":{"id":"a"}}"#]),
            Case(
                "a text", #"{"at":"2026-11-09","calls":"[]"}"#,
                [#"1 bad_value: calls is a text, which is no list: {"at":"2026-11-09","calls":"[]"}"#]),
            Case("null", #"{"at":"2026-11-09","calls":null}"#, []), Case("missing", #"{"at":"2026-11-09"}"#, []),
            Case("empty", #"{"at":"2026-11-09","calls":[ ]}"#, []), Case("no object at all", "5", []),
            Case(
                "elements that are no objects", #"{"calls":[5, null,"a",[{"at":"2026-11-09"}] ]}"#,
                [
                    "1 missing_ts: there is no ts: 5", "2 missing_ts: there is no ts: null",
                    #"3 missing_ts: there is no ts: "a""#,
                    #"4 missing_ts: there is no ts: [{"at":"2026-11-09"}]"#,
                ]),
            Case(
                "an element that is refused", #"{"at":"x","calls":[{"id":"a"} , {"id":"b"}]}"#,
                [
                    #"1 bad_value: ts is a text, which is no time: {"id":"a"}"#,
                    #"2 bad_value: ts is a text, which is no time: {"id":"b"}"#,
                ]),
        ])
    func refused(_ row: Case<String, [String]>) throws {
        let found = try read(row.input + "\n", #"each: "calls[]", map: { ts: ["at", "calls[].at"] }"#, ["id"], file: "a.jsonl")
        #expect(found.refused == row.expected && found.rows == [])
    }

    @Test("A list within an element that is none is refused with the element, and the others are read")
    func innerLists() throws {
        let line =
            #"{"data":[{"d":"2026-11-09","r":[{"id":"a"}]},{"d":"2026-11-10","r":{"id":"b"}},{"d":"2026-11-11","r":null},{"d":"2026-11-12"},7,{"d":"2026-11-13","r":[{"id":"c"}]}]}"#
        let found = try read(
            line, #"each: "data[].r[]", map: { ts: "data[].d" }"#, ["source_record", "id", "ts"])
        #expect(found.rows == ["1|a|2026-11-09T00:00:00Z", "3|c|2026-11-13T00:00:00Z"])
        #expect(found.refused == [#"2 bad_value: r is an object, which is no list: {"d":"2026-11-10","r":{"id":"b"}}"#])
    }

    @Test("Values of an element, or of a list, do not stay for the next one")
    func nothingStays() throws {
        let lines = [
            #"{"at":"2026-11-09","route":"x","calls":[{"id":"a","model":"m"},{"id":"b"}]}"#,
            #"{"at":"2026-11-10","calls":[{"id":"c"}]}"#,
        ]
        let found = try read(
            lines.joined(separator: "\n"), #"each: "calls[]", map: { ts: "at", route: "route" }"#, ["id", "model", "route"],
            file: "a.jsonl")
        #expect(found.rows == ["a|m|x", "b|null|x", "c|null|null"])
    }

    @Test("An element that is a plain value is itself the field")
    func plainElements() throws {
        let found = try read(
            #"{"at":"2026-11-09","ids":["x","\u0079",3]}"#, #"each: "ids[]", map: { ts: "at", id: "ids[]" }"#,
            ["source_record", "id"])
        #expect(found.rows == ["1|x", "2|y", "3|3"])
    }

    @Test("Conditions may look at the element and at what is around it")
    func conditions() throws {
        let found = try read(
            ElementTests.page, ElementTests.each + #", where: { "data[].results[].n": { not: 2 }, "account.name": "acme" }"#,
            ["model"])
        #expect(found.rows == ["a", "c"] && found.summary == "accepted 2 · filtered 1")
    }

    @Test("A field that bears a column's name is that of the element, not of what is around it")
    func names() throws {
        let found = try read(
            #"{"ts":"2026-11-09","model":"outer","calls":[{"id":"a"}]}"#, #"each: "calls[]", map: { ts: "ts" }"#, ["id", "model"])
        #expect(found.rows == ["a|null"])
    }

    @Test("One file may give its records to one entry and their elements to another")
    func bothKinds() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [
                    #"{"id":"s1","ts":"2026-11-09","calls":[{"id":"c1"},{"id":"c2"}]}"#,
                    #"{"id":"s2","ts":"2026-11-09","calls":[]}"#,
                ])
            try bench.ingest([
                #"{ log: "sessions", name: "s", files: "a.jsonl" }"#,
                #"{ log: "usage", name: "c", files: "a.jsonl", each: "calls[]", map: { ts: "ts", session: "id" } }"#,
            ])
            #expect(try bench.rows(["id", "source_record"], of: .sessions) == ["s1|1", "s2|2"])
            #expect(try bench.rows(["id", "session", "source_record"]) == ["c1|s1|1", "c2|s1|2"])
        }
    }

    @Test("An element whose id stands before other values elsewhere is read again for the quarantine")
    func reused() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [
                    #"{"at":"2026-11-10","calls":[{"id":"x"},{"id":"e", "n":2}]}"#,
                    #"{"at":"2026-11-09","calls":[{"id":"e","n":1}]}"#,
                ])
            try bench.ingest([
                #"{ log: "usage", name: "s", files: "a.jsonl", each: "calls[]", map: { ts: "at", output_tokens: "calls[].n" } }"#
            ])
            #expect(try bench.rows(["id", "output_tokens", "source_record"]) == ["e|1|3", "x|null|1"])
            #expect(try bench.refusals() == ["a.jsonl:2 id_reused"])
            #expect(try bench.quarantine().map { $0["raw"]?.string } == [#"{"id":"e", "n":2}"#])
        }
    }

    @Test("Of a grown file every element counts once")
    func grown() throws {
        try withBench { bench in
            let source = #"{ log: "usage", name: "s", files: "a.jsonl", each: "calls[]", map: { ts: "at" } }"#
            let lines = [
                #"{"at":"2026-11-09","calls":[{"id":"a"},{"n":1},{"n":1}]}"#, #"{"at":"2026-11-09","calls":[{"id":"b"}]}"#,
            ]
            try bench.put("a.jsonl", [lines[0]])
            #expect(try bench.ingest([source]).counts.summary == "accepted 3")
            try bench.put("a.jsonl", lines)
            #expect(try bench.ingest([source]).counts.summary == "accepted 1 · duplicate 3")
            #expect(try bench.rows(["source_record"]) == ["1", "2", "3", "4"])
        }
    }

    @Test("A list in a text that is JSON is read where the path goes on below the text")
    func inText() throws {
        let found = try read(
            "id,at,payload\n1,2026-11-09,\"{\"\"calls\"\":[{\"\"id\"\":\"\"a\"\"},{\"\"id\"\":\"\"b\"\"}]}\"\n",
            #"each: "payload.calls[]", map: { ts: "at", session: "id" }"#, ["id", "session", "source_record"], file: "a.csv")
        #expect(found.rows == ["a|1|1", "b|1|2"])
    }

    @Test(
        "A path stands in so many of the lists",
        arguments: [
            Case("around them", "account.name", "0 account.name"), Case("the first list as a whole", "data", "0 data"),
            Case("in the first", "data[].start", "1 start"), Case("an element of the first", "data[]", "1 "),
            Case("in the second", "data[].results[].model", "2 model"),
            Case("an element of the second", "data[].results[]", "2 "),
            Case("a list of another name", "data[].result[].model", "1 result[].model"),
            Case("a name that goes on", "database.x", "0 database.x"),
            Case("further in", "data[].results[].a.b", "2 a.b"),
        ])
    func places(_ row: Case<String, String>) throws {
        let place = try #require(ElementPath("data[].results[]")).place(of: row.input)
        #expect("\(place.level) \(place.rest)" == row.expected)
    }
}
