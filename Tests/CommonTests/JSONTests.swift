import TestSupport
import Testing

@testable import Common

@Suite struct JSONTests {
    @Test(
        "A value is written on one line, so that it may stand in a page",
        arguments: [
            Case("null", JSON.null, "null"), Case("true", .bool(true), "true"), Case("false", .bool(false), "false"),
            Case("a number keeps its digits", .number("1.50e3"), "1.50e3"), Case("a whole number", .int(-5), "-5"),
            Case("nothing", .optional(nil), "null"), Case("an empty list", .array([]), "[]"),
            Case("an empty object", .object([]), "{}"),
            Case("quotes and backslashes", .string("a\"b\\c/"), #""a\"b\\c/""#),
            Case("line breaks and tabs", .string("a\r\n\tb"), #""a\r\n\tb""#),
            Case("control characters", .string("\u{0}\u{1f}\u{7f}"), #""\u0000\u001f\u007f""#),
            Case("the end of a script", .string("</script>"), #""\u003c/script>""#),
            Case("beyond ASCII", .string("é🙂"), "\"é🙂\""),
            Case(
                "nested, in the order written", .fields(["b": .array([.int(1), .fields(["z": .null])]), "a": .bool(true)]),
                #"{"b":[1,{"z":null}],"a":true}"#),
        ])
    func text(_ row: Case<JSON, String>) throws {
        #expect(row.input.text == row.expected)
        #expect(try parseJSON(bytes(row.expected), path: "a.json") == row.input)
    }

    @Test("Keys are sorted by their bytes at every depth, and lists are left as they are")
    func sorted() {
        let value = JSON.fields(["b": .array([.fields(["é": .null, "z": .null, "Z": .null]), .int(1)]), "B": .null, "a": .null])
        #expect(value.sorted.text == #"{"B":null,"a":null,"b":[{"Z":null,"z":null,"é":null},1]}"#)
    }

    @Test("For people it is written over several lines")
    func pretty() {
        let value = JSON.fields(["a": .array([.int(1), .int(2)]), "b": .object([]), "c": .array([])])
        #expect(value.prettyText == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}\n")
    }

    @Test("A key written twice is found with its last value")
    func subscripts() throws {
        let value = try parseJSON(bytes(#"{"a":1,"b":"x","a":2}"#), path: "a.json")
        #expect(value["a"]?.int == 2)
        #expect(value["b"]?.string == "x")
        #expect(value["c"] == nil)
        #expect(value.members?.count == 3)
        #expect(value["a"]?["b"] == nil)
    }
}
