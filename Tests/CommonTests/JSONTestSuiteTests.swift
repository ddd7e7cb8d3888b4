import TestSupport
import Testing

@testable import Common

/// Other people's cases for RFC 8259 (github.com/nst/JSONTestSuite), which stand beside the repository and are not part of it.
@Suite(.enabled(if: exists(suiteFolder), "the JSON test suite is not beside the repository"))
struct JSONTestSuiteTests {
    @Test("What RFC 8259 demands is read", arguments: cases("y_"))
    func accepted(_ name: String) throws {
        #expect(throws: Never.self) { _ = try parse(name) }
    }

    @Test("What RFC 8259 forbids is refused with a place", arguments: cases("n_"))
    func refused(_ name: String) {
        #expect { _ = try parse(name) } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.kind == .failed && failure.place?.line != nil && failure.place?.column != nil
        }
    }

    /// Numbers keep their text, so none is too large; text that Unicode does not have, and deep nesting, are refused.
    @Test("What RFC 8259 leaves open is decided by a table", arguments: cases("i_"))
    func open(_ name: String) {
        let isRead = name.hasPrefix("i_number_") || name == "i_structure_UTF-8_BOM_empty_object.json"
        #expect((sentence { _ = try parse(name) } == nil) == isRead)
    }

    @Test("The suite is whole")
    func whole() { #expect([cases("y_").count, cases("n_").count, cases("i_").count] == [95, 188, 35]) }

    @Test("What both allow, JSON5 reads to the same value", arguments: cases("y_").filter { !$0.contains("duplicated_key") })
    func alsoJSON5(_ name: String) throws {
        let bytes = try readFile(joined(suiteFolder, name), as: "case")
        #expect(try parseJSON5(bytes, path: name).json == parse(name))
    }

    private func parse(_ name: String) throws -> JSON {
        try parseJSON(try readFile(joined(suiteFolder, name), as: "case"), path: name)
    }
}

private let suiteFolder: String = {
    let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return joined(repository, "../shared/data/json-test-suite/test_parsing")
}()

private func cases(_ prefix: String) -> [String] { ((try? names(in: suiteFolder)) ?? []).filter { $0.hasPrefix(prefix) } }

@Suite struct StrictJSONTests {
    @Test("Only the four spaces of RFC 8259 stand between values", arguments: [0x0b, 0x0c, 0x85, 0xa0] as [UInt8])
    func space(_ byte: UInt8) throws {
        #expect(throws: Failure.self) { _ = try parseJSON([0x5b, 0x31, byte, 0x5d], path: "a.json") }
        #expect(try parseJSON([0x5b, 0x20, 0x31, 0x09, 0x0a, 0x0d, 0x5d], path: "a.json") == .array([.number("1")]))
    }

    private func refusal(_ text: String) -> String? { sentence { _ = try parseJSON(bytes(text), path: "a.json") } }

    @Test(
        "What only JSON5 allows is refused in JSON, without repeating the file's words",
        arguments: [
            Case(
                "a comment", "{} // a",
                "1:4: expected the end of the file after its value, but found \"/\". Remove it, or put it inside the value."),
            Case(
                "a trailing comma", "[1,\n]",
                "1:3: a comma stands before the closing ], which JSON does not allow. Remove the comma."),
            Case(
                "single quotes", "['a']",
                "1:2: expected a value, but found \"'\". A value is text in quotes, a number, true, false, null, a list or an object."
            ),
            Case(
                "a key without quotes", "{secret: 1}",
                "1:2: expected a key in double quotes, but found \"s\". JSON has no other keys."),
            Case(
                "a word", "[secret]",
                "1:2: expected a value, but found a word. JSON knows true, false and null, and text in quotes."),
            Case(
                "a leading point", "[.5]",
                "1:2: expected a value, but found \".\". A value is text in quotes, a number, true, false, null, a list or an object."
            ),
            Case("a trailing point", "[5.]", "1:4: expected a digit after the point, but found \"]\". Write 5. as 5."),
            Case(
                "hexadecimal", "[0x1]",
                "1:3: expected the end of the number, but found \"x\". Write text in quotes, and numbers as 1234.5."),
            Case(
                "an escape of JSON5", #"["\v"]"#,
                "1:3: expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u after the backslash. Write a backslash itself as \\\\."
            ),
            Case(
                "a tab in text", "[\"a\tb\"]",
                "1:4: expected text, but found the character U+0009. JSON writes control characters as escapes, such as \\t."),
            Case(
                "a line break in text", "[\"a\nb\"]",
                "1:2: this text is never closed. Expected a double quote before the end of the line; write a line break as \\n."),
            Case(
                "NaN", "[NaN]",
                "1:2: expected a number, but Infinity and NaN are none that can be counted with. Leave the key out, or write the number."
            ),
        ])
    func refuses(_ row: Case<String, String>) { #expect(refusal(row.input) == "a.json:" + row.expected) }

    @Test("Members are kept as read, twice where they are written twice")
    func keeps() throws {
        let value = try parseJSON(bytes(#" {"b":1,"a":[1.50,-0,1E+2],"b":"\ud83d\ude42\u0000"} "#), path: "a.json")
        #expect(
            value
                == .fields([
                    "b": .number("1"), "a": .array([.number("1.50"), .number("-0"), .number("1e2")]), "b": .string("🙂\0"),
                ]))
    }
}
