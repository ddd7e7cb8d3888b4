import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// How CSV and TSV files become records.
@Suite struct CSVTests {
    private static let plain = RecordFormat.csv(CSVForm())

    @Test(
        "Rows follow RFC 4180: line ends of one or two characters or none at the end, quotes, and quoted line ends",
        arguments: [
            Case("plain rows", "id,n\n1,x\n2,y\n", ["1: 1|x", "2: 2|y"]), Case("no line end", "id,n\n1,x", ["1: 1|x"]),
            Case("two characters", "id,n\r\n1,x\r\n2,y\r\n", ["1: 1|x", "2: 2|y"]),
            Case("half a line end at the end", "id,n\r\n1,x\r", ["1: 1|x"]),
            Case("a mark at the beginning", "\u{feff}id,n\n1,x\n", ["1: 1|x"]),
            Case("a mark and a quoted header", "\u{feff}\"id\",n\n1,x\n", ["1: 1|x"]),
            Case("blank lines", "\nid,n\n\n1,x\n\r\n\n2,y\n\n", ["1: 1|x", "2: 2|y"]),
            Case("columns in another order, and others", "a,n,b,id,c\n9,x,9,1,9\n", ["1: 1|x"]),
            Case("a column that is not there", "n,b\nx,9\n", ["1: absent|x"]),
            Case("quotes", "id,n\n\"1\",\"x, y\"\n", ["1: 1|x, y"]),
            Case("quotes in quotes", "id,n\n\"1\"\"\",\"\"\"x\"\"\"\n", ["1: 1\"|\"x\""]),
            Case("line ends in quotes", "id,n\n1,\"a\nb\r\nc\"\n2,y\n", ["1: 1|a\nb\r\nc", "2: 2|y"]),
            Case("a quoted end", "id,n\n1,\"x\"", ["1: 1|x"]),
            Case("null and the empty text", "id,n\n1,\n2,\"\"\n,\n", ["1: 1|null", "2: 2|", "3: null|null"]),
            Case("an empty end", "n,id\nx,", ["1: null|x"]),
            Case("names in quotes", "\"id\",\"a\nb\",\"n\"\n1,9,x\n", ["1: 1|x"]),
            Case("letters of more bytes", "id,n\né,日本語😀\n", ["1: é|日本語😀"]), Case("only a header", "id,n\n", []),
            Case("nothing", "", []),
            Case("only a mark", "\u{feff}", []), Case("blank lines alone", "\n\r\n", []),
        ])
    func rows(_ row: Case<String, [String]>) throws { #expect(try records(row.input, CSVTests.plain, "id", "n") == row.expected) }

    @Test(
        "A damaged row is refused alone, and the rows behind it are read",
        arguments: [
            Case("too few fields", "id,n\n1\n2,y\n", ["1: bad_csv: the record has 1 field; the header has 2: 1", "2: 2|y"]),
            Case("too many", "id,n\n1,x,\n2,y\n", ["1: bad_csv: the record has 3 fields; the header has 2: 1,x,", "2: 2|y"]),
            Case(
                "a quote in a field", "id,n\n1,x \"y\"\n2,y\n",
                ["1: bad_csv: the record has a quote in a field that does not begin with one, at byte 4: 1,x \"y\"", "2: 2|y"]),
            Case(
                "text behind a quote", "id,n\n1,\"x\" y\n2,y\n",
                ["1: bad_csv: the record goes on behind a quote that closes a field, at byte 5: 1,\"x\" y", "2: 2|y"]),
            Case(
                "an open quote that the next quote closes", "id,n\n1,\"x\n2,\"y\"\n3,z\n",
                ["1: bad_csv: the record goes on behind a quote that closes a field, at byte 8: 1,\"x", "2: 2|y", "3: 3|z"]),
            Case(
                "an open quote up to the end of the file", "id,n\n1,\"x\n2,y\n3,z\n",
                ["1: bad_csv: the record has a quote that is never closed, at byte 2: 1,\"x", "2: 2|y", "3: 3|z"]),
            Case(
                "an open quote on the last line", "id,n\n1,x\n2,\"",
                ["1: 1|x", "2: bad_csv: the record has a quote that is never closed, at byte 2: 2,\""]),
            Case(
                "an open quote behind a field of two lines", "id,n\n\"1\n1\",\"x\n2,y\n",
                ["1: bad_csv: the record has a quote that is never closed, at byte 6: \"1\n1\",\"x", "2: 2|y"]),
            Case(
                "a carriage return alone", "id,n\n1,x\ry\n2,y\n",
                ["1: bad_csv: the record has a carriage return outside of quotes, at byte 3: 1,x\ry", "2: 2|y"]),
            Case(
                "a NUL", "id,n\n1,\0\n2,y\n",
                ["1: bad_csv: the record holds a NUL byte, which no text does, at byte 2: 1,\0", "2: 2|y"]),
            Case("a line of spaces", "id,n\n  \n2,y\n", ["1: bad_csv: the record has 1 field; the header has 2:   ", "2: 2|y"]),
        ])
    func damaged(_ row: Case<String, [String]>) throws {
        #expect(try records(row.input, CSVTests.plain, "id", "n") == row.expected)
    }

    @Test("A row that is not UTF-8 is refused, wherever in it the byte stands", arguments: [0, 3, 7, 8, 9, 15, 16, 17, 40])
    func notText(_ place: Int) throws {
        var row = Array(String(repeating: "x", count: 50).utf8)
        row[place] = 0xe9
        let found = try records(Array("id,n\n1,".utf8) + row + Array("\n2,y\n".utf8), CSVTests.plain, ["id", "n"])
        #expect(found.count == 2 && found.last == "2: 2|y")
        #expect(found.first?.hasPrefix("1: bad_csv: the record is not UTF-8, at byte \(place + 2): ") == true)
    }

    @Test("Every length of field is divided in the right place")
    func lengths() throws {
        let texts = (0..<40).map { String(repeating: "abcdefghij", count: 4).prefix($0) }
        let rows = texts.flatMap { a in texts.map { (a, $0) } }
        let file = "id,n\n" + rows.map { "\($0),\($1)\n" }.joined()
        let expected = rows.enumerated().map { "\($0 + 1): \($1.0.isEmpty ? "null" : $1.0)|\($1.1.isEmpty ? "null" : $1.1)" }
        #expect(try records(file, CSVTests.plain, "id", "n") == expected)
    }

    @Test(
        "Fields may be divided by another character, and other texts may be null",
        arguments: [
            Case("semicolons", (CSVForm(delimiter: 0x3b), "id;n\n1;\"x;y\"\n2;x,y\n"), ["1: 1|x;y", "2: 2|x,y"]),
            Case("tabs", (CSVForm(delimiter: 0x09), "id\tn\n1\tx y\n"), ["1: 1|x y"]),
            Case(
                "nulls",
                (
                    CSVForm(nulls: [Array("\\N".utf8), Array("NULL".utf8)]),
                    "id,n\n1,\\N\n2,NULL\n3,\"NULL\"\n4,null\n5,\n6,\"\"\n"
                ),
                ["1: 1|null", "2: 2|null", "3: 3|NULL", "4: 4|null", "5: 5|null", "6: 6|"]),
            Case("empty texts", (CSVForm(emptyTextIsNull: true), "id,n\n1,\"\"\n2,\"x\"\n"), ["1: 1|null", "2: 2|x"]),
        ])
    func forms(_ row: Case<(CSVForm, String), [String]>) throws {
        #expect(try records(row.input.1, .csv(row.input.0), "id", "n") == row.expected)
    }

    @Test("A source says what its files are divided by, and what stands for null in them")
    func saidBySource() throws {
        try withBench { bench in
            try bench.put("a.csv", ["id;ts;feature;model;plan", "1;2026-11-09;\"\";-;\"-\""])
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.csv", delimiter: ";", nulls: ["", "-"] }"#])
            #expect(try bench.rows(["id", "feature", "model", "plan"]) == ["1|null|null|-"])
        }
    }

    @Test("A null is told from the text null")
    func nulls() throws {
        try withBench { bench in
            try bench.put("a.csv", ["id,ts,feature,model", "1,2026-11-09,null,", "2,2026-11-09,\"\",\"\""])
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.csv" }"#])
            #expect(try bench.rows(["id", "feature", "model"]) == ["1|null|null", "2||"])
            try bench.lake.scan(job: "kalei", log: .usage, columns: [.init("feature", .text), .init("model", .text)]) {
                _, batch in
                #expect(batch["feature"]?.text(at: 0) == "null" && batch["model"]?.text(at: 0) == nil)
            }
        }
    }

    @Test(
        "Text in a field that is JSON is read on; a header that names the whole path goes first",
        arguments: [
            Case("JSON in a field", "id,p\n1,\"{\"\"model\"\":\"\"m\"\",\"\"n\"\":2}\"\n", ["1: 1|m"]),
            Case("null", "id,p\n1,\n", ["1: 1|absent"]),
            Case("no JSON", "id,p\n1,none\n", ["1: 1|absent"]), Case("an empty object", "id,p\n1,{}\n", ["1: 1|absent"]),
            Case(
                "a text in brackets", "id,p\n1,{name}\n2,[draft] x\n3,{ name\n", ["1: 1|absent", "2: 2|absent", "3: 3|absent"]),
            Case("a header with a dot", "id,p.model\n1,m\n", ["1: 1|m"]),
            Case("both", "p,p.model,id\n\"{\"\"model\"\":\"\"other\"\"}\",m,1\n", ["1: 1|m"]),
            Case(
                "JSON that is cut off", "id,p\n1,\"{\"\"model\"\":\"\"m\"\n",
                [
                    "1: bad_json: the JSON in the text of p ends in the middle of a string, at byte 11 of it: 1,\"{\"\"model\"\":\"\"m\""
                ]),
            Case(
                "something behind it", "id,p\n1,{} x\n",
                ["1: bad_json: the JSON in the text of p has something after its end, at byte 3 of it: 1,{} x"]),
        ])
    func nested(_ row: Case<String, [String]>) throws {
        #expect(try records(row.input, CSVTests.plain, "id", "p.model") == row.expected)
    }

    @Test(
        "A header that cannot be meant ends the run with a sentence",
        arguments: [
            Case(
                "no column that is read", "a,b\n1,2\n",
                "The header has none of the columns that the job reads here. It has a and b; the job reads id and n. Map its columns in the job, or say which format the file has."
            ),
            Case(
                "a column twice", "id,n,id\n1,2,3\n",
                "The header has the column \"id\" twice, so that it is not clear which is meant. Rename one of them."),
            Case(
                "an open quote", "id,\"n\n1,2\n",
                "The header has a quote that is never closed, at byte 3. Export the file again, or say which format it has."),
            Case(
                "line ends of an old kind", "id,n\r1,2\r",
                "The header has a carriage return outside of quotes, at byte 4. Export the file again, or say which format it has."
            ),
            Case(
                "two-byte characters", "i\0d\0,\0n\0\n\0",
                "The header holds a NUL byte, which no text does, at byte 1. Export the file again, or say which format it has."),
        ])
    func headers(_ row: Case<String, String>) throws {
        let found = sentence { _ = try records(row.input, CSVTests.plain, "id", "n") } ?? ""
        #expect(found.hasSuffix(": " + row.expected) || found.hasSuffix(":1: " + row.expected), "\(found)")
    }

    @Test("A column that nobody wants may stand there twice")
    func twice() throws { #expect(try records("x,id,x\n1,2,3\n", CSVTests.plain, "id", "n") == ["1: 2|absent"]) }

    @Test("A row longer than the longest record is refused with its length; one of just that length is read")
    func tooLong() throws {
        let file = "id,n\n1,234567\n1,2345678\n2,\"345678\"\n3,y\r\n4,\"a\nb\nc\nd\"\n5,y"
        #expect(
            try records(file, CSVTests.plain, longest: 8, "id", "n") == [
                "1: 1|234567", "2: too_long: the record has 9 bytes; at most 8 are read: 9 bytes",
                "3: too_long: the record has 10 bytes; at most 8 are read: 10 bytes", "4: 3|y",
                "5: bad_csv: the record has a quote that is not closed within 8 bytes, and no more are read, at byte 2: 4,\"a",
                "6: bad_csv: the record has 1 field; the header has 2: b",
                "7: bad_csv: the record has 1 field; the header has 2: c",
                "8: bad_csv: the record has a quote in a field that does not begin with one, at byte 1: d\"", "9: 5|y",
            ])
    }

    @Test("A quote that is never closed takes its own line with it, however long the file", arguments: [4096, 3 << 20])
    func openQuote(_ longest: Int) throws {
        let rows = (0..<100_000).map { "\($0),x\n" }
        let found = try records(
            "id,n\n" + rows[..<10].joined() + "a,\"b\n" + rows[10...].joined(), CSVTests.plain, longest: longest, "id", "n")
        #expect(found.count == 100_001)
        #expect(found[10].hasPrefix("11: bad_csv: ") && found[10].hasSuffix(": a,\"b"))
        #expect(found[9] == "10: 9|x" && found[11] == "12: 10|x" && found.last == "100001: 99999|x")
    }

    @Test("One line without end is refused in bounded memory")
    func endless() throws {
        let found = try records(
            "id,n\n" + String(repeating: "x", count: 9 << 20) + "\n2,y\n", CSVTests.plain, longest: 1 << 20, "id", "n")
        #expect(found == ["1: too_long: the record has 9,437,184 bytes; at most 1,048,576 are read: 9437184 bytes", "2: 2|y"])
    }

    @Test("Rows that a read divides anywhere come whole")
    func divided() throws {
        let rows = (0..<60_000).map {
            ("\($0)", "\"text \"\"\($0)\"\"\nof two lines\r\n, \(String(repeating: "é", count: $0 % 37))\"")
        }
        let found = try records("id,n\r\n" + rows.map { "\($0),\($1)\r\n" }.joined(), CSVTests.plain, "id", "n")
        let expected = (0..<60_000).map {
            "\($0 + 1): \($0)|text \"\($0)\"\nof two lines\r\n, \(String(repeating: "é", count: $0 % 37))"
        }
        #expect(found == expected)
    }

    @Test("Of a grown CSV file only the new records are read, and the header with them")
    func grown() throws {
        try withBench { bench in
            let source = #"{ log: "usage", name: "api", files: "a.csv" }"#
            let lines = ["ts,output_tokens", "2026-11-09,\"1\"", "2026-11-09,1", "x", "2026-11-09,\"\n1\""]
            try bench.put("a.csv", lines)
            #expect(try bench.ingest([source]).counts.summary == "accepted 2 · quarantined 2 (1 bad_csv, 1 bad_value)")
            try bench.put("a.csv", lines + ["2026-11-09,1", "y"])
            #expect(try bench.ingest([source]).counts.summary == "accepted 1 · quarantined 1 (1 bad_csv)")
            #expect(try bench.rows(["source_record"]) == ["1", "2", "5"])
            // A changed header is another file.
            try bench.put("a.csv", ["ts,model,output_tokens", "2026-11-09,m,1"])
            #expect(try bench.ingest([source]).counts.summary == "accepted 1")
        }
    }

    @Test("A file that ended in an open quote is read again as a whole")
    func grownQuote() throws {
        try withBench { bench in
            let source = #"{ log: "usage", name: "api", files: "a.csv" }"#
            try bench.put("a.csv", ["id,ts,feature", "1,2026-11-09,a", "2,2026-11-09,\"b"])
            #expect(try bench.ingest([source]).counts.summary == "accepted 1 · quarantined 1 (1 bad_csv)")
            try bench.put("a.csv", ["id,ts,feature", "1,2026-11-09,a", "2,2026-11-09,\"b", "c\"", "3,2026-11-09,d"])
            #expect(try bench.ingest([source]).counts.summary == "accepted 2 · duplicate 1")
            #expect(try bench.rows(["id", "feature"]) == ["1|a", "2|b\nc", "3|d"])
        }
    }

    @Test("A reused id in a CSV file is quarantined with the bytes of its own record")
    func reused() throws {
        try withBench { bench in
            try bench.put("a.csv", ["id,ts,feature", "e1,2026-11-10,\"a\nb\"", "e1,2026-11-09,\"c\nd\"", "e2,2026-11-09,x"])
            try bench.ingest([#"{ log: "usage", name: "api", files: "a.csv" }"#])
            #expect(try bench.quarantine().map { $0["raw"]?.string } == ["e1,2026-11-10,\"a\nb\""])
            #expect(try bench.refusals() == ["a.csv:1 id_reused"])
        }
    }

    @Test(
        "A list as PostgreSQL prints it becomes a JSON list in attributes, and any other text stays one",
        arguments: [
            Case("a list", "{a,b}", #"["a","b"]"#), Case("none", "{}", "[]"), Case("one", "{a}", #"["a"]"#),
            Case("quotes", #"{"a, b","c\"d","e\\f",""}"#, #"["a, b","c\"d","e\\f",""]"#),
            Case("nulls", #"{NULL,null,"NULL"}"#, #"[null,null,"NULL"]"#),
            Case("lists in lists", "{{a,b},{c,d}}", #"[["a","b"],["c","d"]]"#), Case("spaces", "{a b, c}", #"["a b"," c"]"#),
            Case("JSON", #"{"a":1}"#, #""{\"a\":1}""#), Case("an open list", "{a,b", #""{a,b""#),
            Case("something behind it", "{a}b", #""{a}b""#),
            Case("nothing between commas", "{a,,b}", #""{a,,b}""#), Case("an open quote", #"{"a}"#, #""{\"a}""#),
            Case("text", "a", #""a""#),
            Case("too deep", "{{{{{{{a}}}}}}}", #""{{{{{{{a}}}}}}}""#),
        ])
    func lists(_ row: Case<String, String>) throws {
        try withBench { bench in
            try bench.put("a.csv", ["id,updated_at,tags,none", "1,2026-11-09,\(csvQuoted(row.input)),"])
            try bench.ingest([
                #"{ log: "snapshots", kind: "user", name: "s", files: "a.csv", map: { attributes: ["tags", "none", "absent"] } }"#
            ])
            #expect(try bench.rows(["attributes"], of: .snapshots) == [#"{"none":null,"tags":\#(row.expected)}"#])
        }
    }

    @Test("Lists are read so in CSV only: in JSON they are lists already")
    func noLists() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"1","updated_at":"2026-11-09","tags":"{a,b}"}"#])
            try bench.ingest([#"{ log: "snapshots", kind: "user", name: "s", files: "a.jsonl", map: { attributes: ["tags"] } }"#])
            #expect(try bench.rows(["attributes"], of: .snapshots) == [#"{"tags":"{a,b}"}"#])
        }
    }
}
