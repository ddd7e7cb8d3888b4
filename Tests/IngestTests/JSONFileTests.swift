import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// How a file of whole JSON becomes records.
@Suite struct JSONFileTests {
    @Test(
        "The elements of lists and the values outside of one are records, however the file is laid out",
        arguments: [
            Case("a list", #"[{"id":1},{"id":2}]"#, ["1: 1", "2: 2"]),
            Case("an element a line", "[\n{\"id\":1},\n{\"id\":2}\n]\n", ["1: 1", "2: 2"]),
            Case("commas in front", "[ {\"id\":1}\n, {\"id\":2}\n]", ["1: 1", "2: 2"]),
            Case("laid out in lines", "[\n  {\n    \"id\": 1\n  },\n  {\n    \"id\": 2\n  }\n]\n", ["1: 1", "2: 2"]),
            Case("line ends of two characters", "[\r\n{\"id\":1},\r\n{\"id\":2}\r\n]\r\n", ["1: 1", "2: 2"]),
            Case("no list", #"{"id":1}"#, ["1: 1"]),
            Case("values one after another", #"{"id":1}{"id":2} {"id":3}"#, ["1: 1", "2: 2", "3: 3"]),
            Case("values in lines of their own", "{\n\"id\":1\n}\n{\n\"id\":2\n}\n", ["1: 1", "2: 2"]),
            Case("lists one after another", #"[{"id":1}][][{"id":2}]{"id":3}"#, ["1: 1", "2: 2", "3: 3"]),
            Case("a mark at the beginning", "\u{feff}[{\"id\":1}]", ["1: 1"]), Case("an empty list", "[ ]", []),
            Case("nothing", "", []),
            Case("spaces alone", " \n\t ", []), Case("lists in a list", #"[[1],[{"id":2}]]"#, ["1: absent", "2: absent"]),
            Case("plain values", #"[1,"a, b]",null , true]"#, ["1: absent", "2: absent", "3: absent", "4: absent"]),
            Case("brackets in texts", #"[{"t":"]}\"","id":1},{"id":"}{"}]"#, ["1: 1", "2: }{"]),
        ])
    func laidOut(_ row: Case<String, [String]>) throws { #expect(try records(row.input, .json, "id") == row.expected) }

    @Test(
        "Where a list breaks the grammar, a refused record says so, and nothing else is lost",
        arguments: [
            Case(
                "no comma", #"[{"id":1} {"id":2},{"id":3}]"#,
                ["1: 1", #"2: bad_json: a comma is missing before the record: {"id":2}"#, "3: 3"]),
            Case(
                "a comma at the end", #"[{"id":1},]"#,
                ["1: 1", "2: bad_json: the record is missing between a comma and the end of the list: "]),
            Case("a comma at the beginning", #"[,{"id":1}]"#, ["1: bad_json: the record is missing before a comma: ", "2: 1"]),
            Case(
                "two commas", #"[{"id":1},,{"id":3}]"#, ["1: 1", "2: bad_json: the record is missing before a comma: ", "3: 3"]),
            Case(
                "a list that is not closed", "[{\"id\":1},{\"id\":2}\n",
                [
                    "1: 1", "2: 2",
                    "3: bad_json: the record is missing: the list is not closed before the file ends, so that more of it may be missing: ",
                ]),
            Case(
                "a bracket too many", "[{\"id\":1}]]\n{\"id\":3}",
                ["1: 1", "2: bad_json: the record holds neither a value nor a number, at byte 0: ]", "3: 3"]),
            Case(
                "a file cut in a record", #"[{"id":1},{"id""#,
                ["1: 1", #"2: bad_json: the record ends in the middle, at byte 5: {"id""#]),
            Case(
                "a file cut in a text", #"[{"id":1},{"id":"ab"#,
                ["1: 1", #"2: bad_json: the record ends in the middle of a string, at byte 9: {"id":"ab"#]),
            Case("a value cut short", "{\"id\":1}\n{", ["1: 1", "2: bad_json: the record ends in the middle, at byte 1: {"]),
            Case(
                "no JSON at all", "<html>\n<p>Not found</p>\n</html>\n",
                [
                    "1: bad_json: the record holds neither a value nor a number, at byte 0: <html>",
                    "2: bad_json: the record holds neither a value nor a number, at byte 0: <p>Not found</p>",
                    "3: bad_json: the record holds neither a value nor a number, at byte 0: </html>",
                ]),
        ])
    func grammar(_ row: Case<String, [String]>) throws { #expect(try records(row.input, .json, "id") == row.expected) }

    @Test(
        "Damage within a record ends with its brackets, or where the next line begins as its own did",
        arguments: [
            Case(
                "a wrong word", #"[{"id":nil},{"id":2}]"#,
                [#"1: bad_json: the record holds an unknown word, at byte 6: {"id":nil}"#, "2: 2"]),
            Case(
                "a quote in a text", #"[{"id":"a "b" c"},{"id":2}]"#,
                [#"1: bad_json: the record lacks a comma, at byte 10: {"id":"a "b" c"}"#, "2: 2"]),
            Case(
                "an open text", "[\n{\"id\":\"a},\n{\"id\":2},\n{\"id\":3}\n]",
                [
                    "1: bad_json: the record holds a bare control character in a string, at byte 10: {\"id\":\"a}", "2: 2",
                    "3: 3",
                ]),
            Case(
                "a line end in a text", "[\n {\"t\":\"a\nb\",\"id\":1},\n {\"id\":2}\n]",
                [
                    "1: bad_json: the record holds a bare control character in a string, at byte 7: {\"t\":\"a\nb\",\"id\":1}",
                    "2: 2",
                ]),
            Case(
                "an object that is not closed", "[\n{\"id\":1,\"a\":{},\n{\"id\":2},\n{\"id\":3}]",
                [
                    "1: bad_json: the record lacks a key in quotes, at byte 16: {\"id\":1,\"a\":{}", "2: 2", "3: 3",
                ]),
            Case(
                "a list that is not closed", "[\n{\"id\":1,\"a\":[2,\n{\"id\":2},\n{\"id\":3}]",
                [
                    "1: bad_json: the record ends in the middle, at byte 35: {\"id\":1,\"a\":[2", "2: 2", "3: 3",
                ]),
            Case(
                "one of several lines", "[\n  {\n    \"id\": 1\n    \"a\": {\n    }\n\n  {\n    \"id\": 2\n  }\n]",
                [
                    "1: bad_json: the record lacks a comma, at byte 18: {\n    \"id\": 1\n    \"a\": {\n    }", "2: 2",
                ]),
            Case(
                "objects within it on lines of their own",
                "[\n  {\n    \"id\": x,\n    \"a\": [\n      {\n        \"id\": 9\n      }\n    ]\n  },\n  {\n    \"id\": 2\n  }\n]",
                [
                    "1: bad_json: the record holds neither a value nor a number, at byte 12: {\n    \"id\": x,\n    \"a\": [\n      {\n        \"id\": 9\n      }\n    ]\n  }",
                    "2: 2",
                ]),
            Case(
                "values outside of a list", "{\"id\":1\n{\"id\":2}\n",
                ["1: bad_json: the record lacks a comma, at byte 8: {\"id\":1", "2: 2"]),
            Case(
                "no place to go on", #"[{"id":1},{"id":[2},{"id":3}]"#,
                [
                    "1: 1",
                    #"2: bad_json: the record lacks a comma, at byte 8; where the next one begins is not clear, so the rest of the file is refused with it: {"id":[2},{"id":3}]"#,
                ]),
            Case(
                "a text that is not UTF-8", "[\"\u{0}\",{\"id\":2}]",
                ["1: bad_json: the record holds a bare control character in a string, at byte 1: \"\u{0}\"", "2: 2"]),
            Case(
                "a text alone that is not closed", "[\"a,\n{\"id\":2}]",
                ["1: bad_json: the record holds a bare control character in a string, at byte 3: \"a", "2: 2"]),
        ])
    func damage(_ row: Case<String, [String]>) throws { #expect(try records(row.input, .json, "id") == row.expected) }

    @Test("Records that a read divides anywhere come whole")
    func divided() throws {
        let texts = (0..<40_000).map { #"{"t":"\#(String(repeating: "é\\u00e9\\ud83d\\ude00", count: $0 % 23))","id":"\#($0)"}"# }
        let expected = (0..<40_000).map { "\($0 + 1): \($0)" }
        #expect(try records("[" + texts.joined(separator: ",") + "]", .json, "id") == expected)
        #expect(try records(texts.joined(separator: "\n\n"), .json, "id") == expected)
    }

    @Test(
        "A record longer than the longest is refused with its length; one of just that length is read",
        arguments: ["", "\n", " \n  "])
    func tooLong(_ space: String) throws {
        let (fits, long) = (#"{"id":1,"t":"234"}"#, #"{"id":1,"t":"2345"}"#)
        #expect(
            try records("[\(space)\(fits)\(space),\(space)\(long)\(space),\(space)\(fits)]", .json, longest: 18, "id") == [
                "1: 1", "2: too_long: the record has 19 bytes; at most 18 are read: 19 bytes", "3: 1",
            ])
    }

    @Test("A record longer than the memory for it is passed over in pieces, and the next one is read")
    func passedOver() throws {
        let long = #"{"t":[\#(String(repeating: #""x]}\"",{"y":[1]},"#, count: 300_000))0]}"#
        let found = try records(#"[{"id":1},\#(long),{"id":3}]"#, .json, longest: 1 << 16, "id")
        #expect(
            found == [
                "1: 1",
                "2: too_long: the record has \(grouped(long.utf8.count)) bytes; at most 65,536 are read: \(long.utf8.count) bytes",
                "3: 3",
            ])
        let open = try records("{\"id\":1}\n\"" + String(repeating: "x", count: 5 << 20), .json, longest: 1 << 16, "id")
        #expect(open == ["1: 1", "2: too_long: the record has 5,242,881 bytes; at most 65,536 are read: 5242881 bytes"])
    }

    @Test("A JSON file that has changed is read again as a whole; what was known counts once")
    func grown() throws {
        try withBench { bench in
            let source = #"{ log: "usage", name: "api", files: "a.json" }"#
            try bench.put("a.json", Array("[\(call("e1")),\n\(call(nil))]\n".utf8))
            #expect(try bench.ingest([source]).counts.summary == "accepted 2")
            try bench.put("a.json", Array("[\(call("e1")),\n\(call(nil)),\n\(call(nil)),\(call("e2"))]\n".utf8))
            #expect(try bench.ingest([source]).counts.summary == "accepted 2 · duplicate 2")
            try bench.put("a.json", Array("[\(call("e1")),\n\(call(nil)),\n\(call(nil)),\(call("e2"))]\n[\(call("e3"))]\n".utf8))
            #expect(try bench.ingest([source]).counts.summary == "accepted 1 · duplicate 4")
            #expect(try bench.rows(["source_record"]) == ["1", "2", "3", "4", "5"])
            #expect(try bench.ingest([source]).filesUnchanged == 1)
        }
    }

    @Test("A reused id in a list is quarantined with the bytes of its own element")
    func reused() throws {
        try withBench { bench in
            try bench.put("a.json", Array("[\n\(call("e1", "11:00")),\n\(call("e1", "10:00"))\n]\n".utf8))
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.json" }"#])
            #expect(try bench.quarantine().map { $0["raw"]?.string } == [call("e1", "11:00")])
        }
    }

    @Test("A text that is JSON is read on where a path leads into it; escapes within escapes are resolved")
    func nested() throws {
        let lines = [
            #"{"id":1,"p":"{\"model\":\"m\\u00e9\\\"\",\"n\":{\"x\":2}}"}"#, #"{"id":2,"p":"none"}"#,
            #"{"id":3,"p":{"model":"o"}}"#,
            #"{"id":4,"p":" {\"model\":{\"a\":[1]}}"}"#, #"{"id":5,"p":"{\"model\":"}"#,
            #"{"id":6,"p":"{\"n\":\"{\\\"x\\\":7}\"}"}"#,
            #"{"id":7,"p":"\n{\n  \"model\": \"m\"\n}\n"}"#, #"{"id":8,"p":"{\n name"}"#,
        ]
        #expect(
            try records(lines.joined(separator: "\n"), .jsonl, "id", "p.model", "p.n.x") == [
                "1: 1|mé\"|2", "2: 2|absent|absent", "3: 3|o|absent", #"4: 4|{"a":[1]}|absent"#,
                #"5: bad_json: the JSON in the text of p ends in the middle, at byte 9 of it: \#(lines[4])"#, "6: 6|absent|7",
                "7: 7|m|absent", "8: 8|absent|absent",
            ])
    }

    @Test("A text that is read on stays a text where it is wanted itself")
    func nestedAndWhole() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"1","ts":"2026-11-09","p":"{\"b\":\"x\",\"a\": 2}"}"#])
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.jsonl", map: { feature: "p", model: "p.b" } }"#])
            #expect(try bench.rows(["feature", "model"]) == [#"{"b":"x","a": 2}|x"#])
        }
    }
}
