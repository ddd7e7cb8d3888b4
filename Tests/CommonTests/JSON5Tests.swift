import TestSupport
import Testing

@testable import Common

private func read(_ text: String) throws -> String { try parseJSON5(bytes(text), path: "job.json5").json.text }
private func refusal(_ text: String) -> String? { sentence { _ = try parseJSON5(bytes(text), path: "job.json5") } }

@Suite struct JSON5Tests {
    @Test(
        "What JSON5 adds to JSON is read",
        arguments: [
            Case("comments of both kinds", "// a\n{ /* b\n */ a: 1, // c\r b: /**/ 2 } // d", #"{"a":1,"b":2}"#),
            Case("a comment that looks closed", "/* * / **/ 1", "1"),
            Case("trailing commas", "{ a: [1, 2,], b: {},}", #"{"a":[1,2],"b":{}}"#),
            Case("single quotes", #"['it\'s', 'a "word"', "it's"]"#, #"["it's","a \"word\"","it's"]"#),
            Case(
                "keys without quotes", "{ $a_1: 1, _: 2, käse: 3, null: 4, a\\u0062c: 5, 'with space': 6 }",
                #"{"$a_1":1,"_":2,"käse":3,"null":4,"abc":5,"with space":6}"#),
            Case(
                "a line continued", "['one \\\ntwo', 'one \\\r\ntwo', 'one \\\rtwo', 'one \\\u{2028}two']",
                #"["one two","one two","one two","one two"]"#),
            Case("escapes", #"'\b\f\n\r\t\v\0\x41\u00e9\/\\\a'"#, #""\u0008\u000c\n\r\t\u000b\u0000Aé/\\a""#),
            Case("a pair of surrogates", #"'\ud83d\ude42 \uD834\uDD1E'"#, "\"🙂 𝄞\""),
            Case("an escaped character beyond ASCII", "'\\é\\🙂'", "\"é🙂\""),
            Case("line separators inside text", "'a\u{2028}b\u{2029}c\td'", "\"a\u{2028}b\u{2029}c\\td\""),
            Case("every kind of space", "\u{FEFF}\u{b}\u{c}\u{a0}\u{FEFF}\u{2028}\u{2029}\u{3000}1\u{2003}", "1"),
            Case("true, false and null", "[true,false,null]", "[true,false,null]"),
        ])
    func reads(_ row: Case<String, String>) throws { #expect(try read(row.input) == row.expected) }

    @Test(
        "A number keeps its digits, in the form JSON has for it",
        arguments: [
            Case("as it is", "1.50", "1.50"), Case("a leading point", ".5", "0.5"), Case("a trailing point", "5.", "5"),
            Case("both with an exponent", "[5.e3, .5E-3, 1e+9]", "[5e3,0.5e-3,1e9]"), Case("a leading plus", "+1.5", "1.5"),
            Case("a leading minus", "-.5", "-0.5"), Case("hexadecimal", "[0x1F, -0XdecAF, +0x0]", "[31,-912559,0]"),
            Case("hexadecimal to 128 bits", "0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "340282366920938463463374607431768211455"),
            Case(
                "what no Double holds", "12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"),
            Case("zero", "[0, -0, 0.0, 0e5]", "[0,-0,0.0,0e5]"),
        ])
    func numbers(_ row: Case<String, String>) throws { #expect(try read(row.input) == row.expected) }

    @Test(
        "What is wrong is refused with its place, what was expected and what to do",
        arguments: [
            Case("an empty file", "", "1:1: nothing is written here. Expected a value, such as an object in { }."),
            Case("a comment alone", "// nothing\n", "2:1: nothing is written here. Expected a value, such as an object in { }."),
            Case(
                "text after the end", "{}\n {}",
                "2:2: expected the end of the file after its value, but found \"{\". Remove it, or put it inside the value."),
            Case(
                "a key written twice", "{ a: 1,\n  b: 2,\n  'a': 3 }",
                "3:3: the key \"a\" is written twice; the first one stands at job.json5:1:3. Remove one of them."),
            Case(
                "a key written twice with other code points of the same letters", "{ 'é': 1, 'e\u{301}': 2 }",
                "1:11: the key \"e\u{301}\" is written twice; the first one stands at job.json5:1:3. Remove one of them."),
            Case(
                "Infinity", "{ a: Infinity }",
                "1:6: expected a number, but Infinity and NaN are none that can be counted with. Leave the key out, or write the number."
            ),
            Case(
                "-Infinity", "-Infinity",
                "1:1: expected a number, but Infinity and NaN are none that can be counted with. Leave the key out, or write the number."
            ),
            Case(
                "NaN", "[NaN]",
                "1:2: expected a number, but Infinity and NaN are none that can be counted with. Leave the key out, or write the number."
            ),
            Case(
                "a missing comma", "{ a: 1\n  b: 2 }",
                "2:3: expected a comma or }, but found \"b\". Add the comma, or close the object."),
            Case("a missing colon", "{ a 1 }", "1:5: expected a colon after the key, but found \"1\". Write it as key: value."),
            Case("an equals sign", "{ a = 1 }", "1:5: expected a colon after the key, but found \"=\". Write it as key: value."),
            Case(
                "two commas", "[1,,2]",
                "1:4: expected a value, but found \",\". A value is text in quotes, a number, true, false, null, a list or an object."
            ),
            Case("the wrong bracket", "[1, 2}", "1:6: expected a comma or ], but found \"}\". Add the comma, or close the list."),
            Case(
                "a key that begins with a digit", "{ 5h: 1 }",
                "1:3: expected a key, but found \"5\". A key that does not begin with a letter, $ or _ is put in quotes."),
            Case(
                "a key with a hyphen", "{ weekly-spectrum: 1 }",
                "1:9: expected a colon after the key, but found \"-\". Write it as key: value."),
            Case("text without quotes", "{ plan: prism }", "1:9: expected a value, but found \"prism\". Write text in quotes."),
            Case(
                "a YAML comment", "# jobs",
                "1:1: expected a value, but found \"#\". A value is text in quotes, a number, true, false, null, a list or an object."
            ),
            Case("an object never closed", "{ a: {\n  b: 1,\n}\n", "1:1: this object is never closed. Add a } where it ends."),
            Case(
                "an object ended after a key", "{ a: 1, b",
                "1:10: expected a colon after the key, but found the end of the file. Write it as key: value."),
            Case("a list never closed", "\n [1, [2]", "2:2: this list is never closed. Add a ] where it ends."),
            Case("a list never closed, after a comma", "[1,", "1:1: this list is never closed. Add a ] where it ends."),
            Case("a comment never closed", "{ /* a\n b }", "1:3: this comment is never closed. Add a */ where it ends."),
            Case("a comment just opened", "1 /*/", "1:3: this comment is never closed. Add a */ where it ends."),
            Case(
                "a slash alone", "1 / 2", "1:3: expected a comment, but the slash stands alone. Comments are written // or /* */."
            ),
            Case(
                "text never closed", "{ a: 'one\n two' }",
                "1:6: this text is never closed. Expected ' before the end of the line; end a line with \\ to go on in the next."),
            Case(
                "text never closed, at the end", "\"one",
                "1:1: this text is never closed. Expected a double quote before the end of the line; end a line with \\ to go on in the next."
            ),
            Case("an escape cut short", "'a\\", "1:3: the text ends in the middle of an escape. Expected a character after \\."),
            Case(
                "half a surrogate pair", #"'a\ud83d'"#,
                "1:3: half of a surrogate pair stands alone here. Expected two \\u escapes together, \\uD800–\\uDBFF and \\uDC00–\\uDFFF."
            ),
            Case(
                "the second half alone", #"'\ude42'"#,
                "1:2: half of a surrogate pair stands alone here. Expected two \\u escapes together, \\uD800–\\uDBFF and \\uDC00–\\uDFFF."
            ),
            Case(
                "two first halves", #"'\ud83d\ud83d'"#,
                "1:2: half of a surrogate pair stands alone here. Expected two \\u escapes together, \\uD800–\\uDBFF and \\uDC00–\\uDFFF."
            ),
            Case("a short \\u", #"'\u12G4'"#, "1:2: expected 4 hexadecimal digits after \\u, such as \\u00e9."),
            Case("a short \\x", #"'\x4'"#, "1:2: expected 2 hexadecimal digits after \\x, such as \\xe9."),
            Case("an octal escape", #"'\01'"#, "1:2: expected no digit after \\0. Write the character as \\x or \\u."),
            Case("a digit escaped", #"'\7'"#, "1:2: expected an escape, but digits are none. Write the character as \\x or \\u."),
            Case(
                "an escape in a key that is no letter", #"{ a\u0020b: 1 }"#,
                "1:4: expected a letter, but this escape stands for something else. Put the key in quotes."),
            Case(
                "another escape in a key", #"{ a\x20b: 1 }"#,
                "1:4: expected \\u and four digits. A key holds no other escapes unless it is in quotes."),
            Case(
                "a leading zero", "{ day: 09 }",
                "1:8: expected a number without leading zeros. Remove them, or put it in quotes if it is text."),
            Case(
                "a day without quotes", "{ starts: 2026-09-28 }",
                "1:15: expected a comma or }, but found \"-\". Add the comma, or close the object."),
            Case(
                "a unit on a number", "[30d]",
                "1:4: expected the end of the number, but found \"d\". Write text in quotes, and numbers as 1234.5."),
            Case(
                "two points", "1.2.3",
                "1:4: expected the end of the number, but found \".\". Write text in quotes, and numbers as 1234.5."),
            Case("a point alone", ".", "1:2: expected a digit, but found the end of the file. Write a number as 1234.5."),
            Case("a sign alone", "[+]", "1:3: expected a digit, but found \"]\". Write a number as 1234.5."),
            Case("two signs", "--1", "1:2: expected a digit, but found \"-\". Write a number as 1234.5."),
            Case("no exponent", "1e", "1:3: expected a digit of the exponent, but found the end of the file. Write it as 1e6."),
            Case("no digits after 0x", "[0x]", "1:4: expected hexadecimal digits after 0x, but found \"]\". Write it as 0x1F."),
            Case(
                "129 bits", "0x100000000000000000000000000000000",
                "1:1: this hexadecimal number does not fit in 128 bits. Expected a smaller one, or write it as a decimal."),
            Case(
                "a control character", "\u{0}",
                "1:1: expected a value, but found the character U+0000. A value is text in quotes, a number, true, false, null, a list or an object."
            ),
        ])
    func refuses(_ row: Case<String, String>) { #expect(refusal(row.input) == "job.json5:" + row.expected) }

    @Test("Bytes that are not UTF-8 are refused by their place")
    func encoding() {
        let latin = bytes("{\n  a: 'caf") + [0xe9] + bytes("' }")
        #expect(
            throws: Failure(
                "expected UTF-8, but the bytes here are not. Save the file as UTF-8.", at: Place(path: "a", line: 2, column: 10),
                kind: .usage)
        ) {
            _ = try parseJSON5(latin, path: "a")
        }
        let wide: [UInt8] = [0xff, 0xfe, 0x7b, 0, 0x7d, 0]
        #expect(
            sentence { _ = try parseJSON5(wide, path: "a") }
                == "a:1:1: expected UTF-8, but the file begins as UTF-16 does. Save it as UTF-8.")
        for invalid: [UInt8] in [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x80], [0x80]] {
            #expect(throws: Failure.self) { _ = try parseJSON5([0x27] + invalid + [0x27], path: "a") }
        }
    }

    @Test(
        "200 levels of nesting are read, 201 are refused, and 200,000 do not overflow the stack",
        arguments: [("[", "]"), ("{a:", "}")])
    func nesting(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(try read(nested(200)).hasSuffix("1" + String(repeating: close, count: 200)))
        let expected =
            "job.json5:1:\(200 * open.count + 1): this is nested more than 200 levels deep. Expected a flatter file; check for a bracket too many."
        #expect(refusal(nested(201)) == expected)
        #expect(refusal(nested(200_000)) == expected)
    }

    @Test("Every key and value knows its line and its column in characters, over all kinds of line ends")
    func places() throws {
        let node = try parseJSON5(bytes("\u{FEFF}{ a: 1,\r\n  'é🙂': [true,\r 'x'],\n\t/* é\n */ b: {} }"), path: "p")
        guard case .object(let members) = node.value, case .array(let items) = members[1].value.value else {
            Issue.record("the object was not read")
            return
        }
        #expect("\(node.place)" == "p:1:1")
        #expect(members.map { "\($0.keyPlace)" } == ["p:1:3", "p:2:3", "p:5:5"])
        #expect(members.map { "\($0.value.place)" } == ["p:1:6", "p:2:9", "p:5:8"])
        #expect(items.map { "\($0.place)" } == ["p:2:10", "p:3:2"])
    }

    @Test("No prefix of a job file is taken for the whole")
    func prefixes() {
        let whole = bytes(
            "{ job: 'kalei', /* c */ starts: \"2026-09-28\", list: [1, -0x1F, .5e1, tr\\u0075e: 1], é: [true, null,], }")
        let job = bytes(#"{ job: 'kalei', /* c */ n: [1, -0x1F, .5e1, "\ud83d\ude42"], é: [true, null,], } // end"#)
        #expect(throws: Failure.self) { _ = try parseJSON5(whole, path: "a") }
        let end = job.count - bytes(" // end").count
        for cut in 0..<end { #expect(throws: Failure.self) { _ = try parseJSON5(Array(job[0..<cut]), path: "a") } }
        #expect(throws: Never.self) { _ = try parseJSON5(job, path: "a") }
    }
}
