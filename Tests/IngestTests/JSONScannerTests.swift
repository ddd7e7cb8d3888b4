import Common
import TestSupport
import Testing

@testable import Ingest

/// What the scanner finds in a record: what is wrong with it, or the values at some paths. The only place that knows how it is called.
private func scan(_ record: [UInt8], _ paths: [String] = []) -> (problem: String?, values: [String]) {
    var tree = FieldTree()
    let places = paths.map { tree.slot(for: $0) }
    let compiled = CompiledTree(tree)
    var slots = [RawValue](repeating: RawValue(), count: compiled.slotCount)
    return record.withUnsafeBufferPointer { record in
        let problem = slots.withUnsafeMutableBufferPointer { JSONScanner.scan(record, for: compiled, into: $0.baseAddress!) }
        if let problem { return ("\(problem.what), at byte \(problem.byte)", []) }
        let values = places.map { place -> String in
            let value = slots[place]
            if value.kind == .absent { return "absent" }
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            return String(decoding: value.kind == .escapedString ? unescaped(raw) : Array(raw), as: UTF8.self)
        }
        return (nil, values)
    }
}

private func scan(_ record: String, _ paths: String...) -> (problem: String?, values: [String]) {
    scan(Array(record.utf8), paths)
}

/// Other people's cases for RFC 8259 (github.com/nst/JSONTestSuite), which stand beside the repository and are not part of it.
@Suite(.enabled(if: exists(suiteFolder), "the JSON test suite is not beside the repository"))
struct JSONScannerSuiteTests {
    @Test("What RFC 8259 demands is accepted", arguments: cases("y_"))
    func accepted(_ name: String) throws {
        let found = scan(try readFile(joined(suiteFolder, name), as: "case"))
        #expect(found.problem == nil)
    }

    @Test("What RFC 8259 forbids is refused", arguments: cases("n_"))
    func refused(_ name: String) throws {
        let found = scan(try readFile(joined(suiteFolder, name), as: "case"))
        #expect(found.problem != nil)
    }

    /// A number is kept as it stands, so none is too large here; text that Unicode does not have is refused.
    private static let open = [
        "i_number_double_huge_neg_exp.json": true, "i_number_huge_exp.json": true, "i_number_neg_int_huge_exp.json": true,
        "i_number_pos_double_huge_exp.json": true, "i_number_real_neg_overflow.json": true,
        "i_number_real_pos_overflow.json": true,
        "i_number_real_underflow.json": true, "i_number_too_big_neg_int.json": true, "i_number_too_big_pos_int.json": true,
        "i_number_very_big_negative_int.json": true, "i_object_key_lone_2nd_surrogate.json": false,
        "i_string_1st_surrogate_but_2nd_missing.json": false, "i_string_1st_valid_surrogate_2nd_invalid.json": false,
        "i_string_UTF-16LE_with_BOM.json": false, "i_string_UTF-8_invalid_sequence.json": false,
        "i_string_UTF8_surrogate_U+D800.json": false, "i_string_incomplete_surrogate_and_escape_valid.json": false,
        "i_string_incomplete_surrogate_pair.json": false, "i_string_incomplete_surrogates_escape_valid.json": false,
        "i_string_invalid_lonely_surrogate.json": false, "i_string_invalid_surrogate.json": false,
        "i_string_invalid_utf-8.json": false,
        "i_string_inverted_surrogates_U+1D11E.json": false, "i_string_iso_latin_1.json": false,
        "i_string_lone_second_surrogate.json": false,
        "i_string_lone_utf8_continuation_byte.json": false, "i_string_not_in_unicode_range.json": false,
        "i_string_overlong_sequence_2_bytes.json": false, "i_string_overlong_sequence_6_bytes.json": false,
        "i_string_overlong_sequence_6_bytes_null.json": false, "i_string_truncated-utf-8.json": false,
        "i_string_utf16BE_no_BOM.json": false, "i_string_utf16LE_no_BOM.json": false,
        // The mark is taken off the first line of a file before it is scanned.
        "i_structure_UTF-8_BOM_empty_object.json": false,
        "i_structure_500_nested_arrays.json": true,
    ]

    @Test("What RFC 8259 leaves open is decided by a table", arguments: cases("i_"))
    func open(_ name: String) throws {
        let found = scan(try readFile(joined(suiteFolder, name), as: "case"))
        #expect(JSONScannerSuiteTests.open[name] == (found.problem == nil))
    }

    @Test("The suite is whole")
    func whole() {
        #expect([cases("y_").count, cases("n_").count, cases("i_").count] == [95, 188, 35])
        #expect(JSONScannerSuiteTests.open.keys.sorted() == cases("i_").sorted())
    }
}

private let suiteFolder: String = {
    let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return joined(repository, "../shared/data/json-test-suite/test_parsing")
}()

private func cases(_ prefix: String) -> [String] { ((try? names(in: suiteFolder)) ?? []).filter { $0.hasPrefix(prefix) } }

@Suite struct JSONScannerTests {
    @Test(
        "Escapes are resolved",
        arguments: [
            Case("each short one", #""\" \\ \/ \b \f \n \r \t""#, "\" \\ / \u{8} \u{c} \n \r \t"),
            Case("of ASCII", #""\u0041\u007f""#, "A\u{7f}"),
            Case("NUL", #""a\u0000b""#, "a\0b"), Case("of two bytes", #""\u00e9\u00E9""#, "éé"),
            Case("of three bytes", #""\u20ac""#, "€"),
            Case("a surrogate pair", #""\ud83d\ude00""#, "😀"), Case("the last pair", #""\udbff\udfff""#, "\u{10ffff}"),
            Case("two pairs and text", #""a\ud83d\ude00b\ud83d\ude01""#, "a😀b😁"),
            Case("beside plain text of eight bytes", #""abcdefgh\nabcdefgh""#, "abcdefgh\nabcdefgh"),
            Case("just below the surrogates", #""\ud7ff\ue000""#, "\u{d7ff}\u{e000}"),
            Case("an escaped backslash before a u", #""\\u0041""#, "\\u0041"),
        ])
    func escapes(_ row: Case<String, String>) { #expect(scan(#"{"a":\#(row.input)}"#, "a").values == [row.expected]) }

    @Test(
        "What is damaged is refused, with the byte where it went wrong",
        arguments: [
            Case("half a pair", #"["\ud83d"]"#, "holds half of a surrogate pair, at byte 2"),
            Case("the other half first", #"["\ude00\ud83d"]"#, "holds half of a surrogate pair, at byte 2"),
            Case("half a pair before another escape", #"["\ud83d\n"]"#, "holds half of a surrogate pair, at byte 2"),
            Case("an escape cut short", #"["\u00"]"#, #"holds a broken \u escape, at byte 2"#),
            Case("an unknown escape", #"["\x41"]"#, "holds an unknown escape, at byte 2"),
            Case("a tab in a text", "[\"a\tb\"]", "holds a bare control character in a string, at byte 3"),
            Case("a text without end", #"{"id":"e1"#, "ends in the middle of a string, at byte 9"),
            Case("a record cut in the middle", #"{"id":"e1","output_tokens":"#, "ends in the middle, at byte 27"),
            Case("two records on a line", #"{"id":"e1"}{"id":"e2"}"#, "has something after its end, at byte 11"),
            Case("a key without quotes", "{id:1}", "lacks a key in quotes, at byte 1"),
            Case("no colon", #"{"id" 1}"#, "lacks a colon, at byte 6"),
            Case("no comma", #"{"a":1 "b":2}"#, "lacks a comma, at byte 7"),
            Case("a comma too many", #"{"a":1,}"#, "lacks a key in quotes, at byte 7"),
            Case("an unknown word", "[nil]", "holds an unknown word, at byte 1"),
            Case("NaN", "[NaN]", "holds neither a value nor a number, at byte 1"),
            Case("a leading zero", "[012]", "holds a number with a leading zero, at byte 2"),
            Case("a number that ends with a point", "[1.]", "holds a number that ends with a point, at byte 3"),
            Case("an empty exponent", "[1e]", "holds a number whose exponent is empty, at byte 3"),
            Case("nothing", " ", "ends in the middle, at byte 1"),
        ])
    func damaged(_ row: Case<String, String>) { #expect(scan(row.input).problem == row.expected) }

    /// Unicode 15, table 3-7: the well-formed byte sequences, at their edges.
    @Test(
        "Well-formed UTF-8 is accepted and nothing else",
        arguments: [
            Case("U+0080", [0xc2, 0x80], true), Case("U+07FF", [0xdf, 0xbf], true), Case("U+0800", [0xe0, 0xa0, 0x80], true),
            Case("U+D7FF", [0xed, 0x9f, 0xbf], true), Case("U+E000", [0xee, 0x80, 0x80], true),
            Case("U+FFFF", [0xef, 0xbf, 0xbf], true),
            Case("U+10000", [0xf0, 0x90, 0x80, 0x80], true), Case("U+10FFFF", [0xf4, 0x8f, 0xbf, 0xbf], true),
            Case("a continuation byte alone", [0x80], false), Case("an overlong slash", [0xc0, 0xaf], false),
            Case("an overlong DEL", [0xc1, 0xbf], false),
            Case("overlong in three", [0xe0, 0x9f, 0xbf], false), Case("overlong in four", [0xf0, 0x8f, 0xbf, 0xbf], false),
            Case("a surrogate", [0xed, 0xa0, 0x80], false), Case("beyond Unicode", [0xf4, 0x90, 0x80, 0x80], false),
            Case("a byte that never stands", [0xff], false), Case("cut before its end", [0xe2, 0x82], false),
            Case("Latin-1", [0xe9, 0x61], false),
        ] as [Case<[UInt8], Bool>])
    func utf8(_ row: Case<[UInt8], Bool>) {
        #expect((scan([0x22] + row.input + [0x22]).problem == nil) == row.expected)
        // Also where eight bytes are looked at together.
        let within = Array(#"{"text":"0123456"#.utf8) + row.input + Array(#"01234567"}"#.utf8)
        #expect((scan(within).problem == nil) == row.expected)
    }

    @Test(
        "Paths lead into objects, in any order of keys",
        arguments: [
            Case("a top level and a nested one", #"{"id":"e1","usage":{"in":5,"out":7}}"#, ["e1", "7"]),
            Case(
                "in another order, with unknown neighbours",
                #"{"x":{"usage":1},"usage":{"z":[{"out":0}],"out":7},"y":[],"id":"e1"}"#, ["e1", "7"]),
            Case("where the parent is missing", #"{"id":"e1"}"#, ["e1", "absent"]),
            Case("where the parent is no object", #"{"id":"e1","usage":[7]}"#, ["e1", "absent"]),
            Case("with an escaped key", #"{"\u0069d":"e1","us\u0061ge":{"out":7}}"#, ["e1", "7"]),
            Case("a key that holds a point is not a path", #"{"id":"e1","usage.out":7}"#, ["e1", "absent"]),
            Case("with spaces everywhere", "\t{ \"id\" : \"e1\" ,\r \"usage\" : { \"out\" : 7 } } ", ["e1", "7"]),
            Case("a record that is no object", "[1]", ["absent", "absent"]),
        ])
    func paths(_ row: Case<String, [String]>) { #expect(scan(row.input, "id", "usage.out").values == row.expected) }

    @Test(
        "Of a key that stands twice the last value counts, also below it",
        arguments: [
            Case("a value", #"{"a":1,"a":2}"#, ["2", "absent"]), Case("a null", #"{"a":1,"a":null}"#, ["null", "absent"]),
            Case("an object that has the wanted field", #"{"a":{"b":1},"a":{"b":2}}"#, [#"{"b":2}"#, "2"]),
            Case("an object that lacks it", #"{"a":{"b":1},"a":{"c":2}}"#, [#"{"c":2}"#, "absent"]),
            Case("a number after an object", #"{"a":{"b":1},"a":5}"#, ["5", "absent"]),
            Case("twice within", #"{"a":{"b":1,"b":2}}"#, [#"{"b":1,"b":2}"#, "2"]),
            Case("once with an escape", #"{"a":1,"\u0061":2}"#, ["2", "absent"]),
        ])
    func twice(_ row: Case<String, [String]>) { #expect(scan(row.input, "a", "a.b").values == row.expected) }

    @Test("Values are kept as they stand")
    func raw() {
        #expect(
            scan(
                #"{"a":-0.50e+3,"b":true,"c":null,"d":[1, {"x":2}],"e":"","f":12345678901234567890}"#, "a", "b", "c", "d", "e",
                "f"
            ).values
                == ["-0.50e+3", "true", "null", #"[1, {"x":2}]"#, "", "12345678901234567890"])
    }

    @Test("512 levels are read, more are refused")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        }
        #expect(scan(nested(512)).problem == nil)
        #expect(scan(nested(513)).problem == "is nested too deeply, at byte 2560")
        #expect(scan(String(repeating: "[", count: 100_000)).problem == "is nested too deeply, at byte 512")
    }
}
