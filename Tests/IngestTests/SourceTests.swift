import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

@Suite struct SourceTests {
    @Test(
        "A source that cannot be obeyed is refused before any work, with its place and what to do",
        arguments: [
            Case(
                "an unknown log", #"{ log: "usages", files: "a" }"#,
                #"1:8: "log" in source cannot be "usages". Did you mean "usage"? Its values are usage, sessions, texts, meters, charges, payments, invoices and snapshots."#
            ),
            Case("no files", #"{ log: "usage" }"#, #"1:1: "files" (path or pattern) is missing in source. Add it."#),
            Case(
                "an unknown key", #"{ log: "usage", files: "a", maps: {} }"#,
                #"1:29: unknown key "maps" in source. Did you mean "map"? Its keys are log, files, name, kind, map, where, keep and id_scope."#
            ),
            Case(
                "a path out of the data folder", #"{ log: "usage", files: "../a" }"#,
                #"1:24: "files" in source must be a path below the data folder, without ".."."#),
            Case(
                "an absolute path", #"{ log: "usage", files: "/a" }"#,
                #"1:24: "files" in source must be a path below the data folder, without ".."."#),
            Case(
                "an empty path", #"{ log: "usage", files: "" }"#,
                #"1:24: "files" in source must be a path below the data folder, without ".."."#),
            Case(
                "a column that the log lacks", #"{ log: "texts", files: "a", map: { modle: "m" } }"#,
                #"1:36: unknown column "modle" of log texts. Its columns are id, part, ts, tenant, user, session, role and text."#
            ),
            Case(
                "a misspelt column", #"{ log: "texts", files: "a", map: { sesion: "m" } }"#,
                #"1:36: unknown column "sesion" of log texts. Did you mean "session"? Its columns are id, part, ts, tenant, user, session, role and text."#
            ),
            Case(
                "a kind where there is none", #"{ log: "texts", files: "a", kind: "x" }"#,
                "1:35: The log texts has no column kind. Remove this key."),
            Case(
                "no alternative at all", #"{ log: "usage", files: "a", map: { user: [] } }"#,
                #"1:42: "user" in map is an empty list. Name at least one field."#),
            Case(
                "a rule of two kinds",
                #"{ log: "usage", files: "a", map: { ts: { constant: "x", from_file_name: "YYYY-MM-DD" } } }"#,
                #"1:40: "ts" in map must be a field, a list of fields, { constant: … } or { from_file_name: … }."#),
            Case(
                "an empty rule", #"{ log: "usage", files: "a", map: { user: {} } }"#,
                #"1:42: "user" in map must be a field, a list of fields, { constant: … } or { from_file_name: … }."#),
            Case(
                "a number as a rule", #"{ log: "usage", files: "a", map: { user: 5 } }"#,
                "1:42: map must be an object in { }, not a number."),
            Case(
                "a file name for a text", #"{ log: "usage", files: "a", map: { user: { from_file_name: "u-YYYY-MM-DD" } } }"#,
                #"1:42: from_file_name fills a time column, from a pattern that holds YYYY-MM-DD, such as "users-YYYY-MM-DD"."#),
            Case(
                "a file name without a day", #"{ log: "usage", files: "a", map: { ts: { from_file_name: "u" } } }"#,
                #"1:40: from_file_name fills a time column, from a pattern that holds YYYY-MM-DD, such as "users-YYYY-MM-DD"."#),
            Case(
                "an unknown keep", #"{ log: "usage", files: "a", keep: "newest" }"#,
                #"1:35: "keep" in source cannot be "newest". Its values are first and last."#),
            Case(
                "a condition that is none", #"{ log: "usage", files: "a", where: { a: { present: false } } }"#,
                "1:41: A condition is a value, a list of values or { present: true }."),
            Case(
                "an unknown condition", #"{ log: "usage", files: "a", where: { a: { absent: true } } }"#,
                #"1:43: unknown key "absent" in where. Its only key is present."#),
        ])
    func refused(_ row: Case<String, String>) {
        #expect(sentence { _ = try source(row.input) } == "job.json5:" + row.expected)
        #expect { _ = try source(row.input) } throws: { ($0 as? Failure)?.kind == .usage }
    }

    @Test(
        "An entry without a name is called after its folder or file, and its log",
        arguments: [
            Case("a folder", "api_usage/*.jsonl.gz", "api_usage usage"),
            Case("a file with a day", "users-*.jsonl.gz", "users usage"), Case("a file", "calls.jsonl", "calls usage"),
            Case("a star alone", "*.jsonl", " usage"),
        ])
    func names(_ row: Case<String, String>) throws {
        #expect(try source(#"{ log: "usage", files: "\#(row.input)" }"#).name == row.expected)
    }

    @Test("The id scope is the entry's own, unless it names one")
    func scopes() throws {
        #expect(try source(#"{ log: "usage", files: "a", name: "api" }"#).idScope == "api")
        #expect(try source(#"{ log: "usage", files: "a", name: "api", id_scope: "calls" }"#).idScope == "calls")
        #expect(
            try !source(#"{ log: "usage", files: "a" }"#).keepLast
                && source(#"{ log: "usage", files: "a", keep: "last" }"#).keepLast)
    }

    @Test(
        "A star stands for any part of a name",
        arguments: [
            Case("an end", ("users-2026.jsonl", "users-*"), true), Case("a beginning", ("a.jsonl", "*.jsonl"), true),
            Case("a middle", ("users-2026.jsonl", "users-*.jsonl"), true),
            Case("nothing", ("users-.jsonl", "users-*.jsonl"), true), Case("two stars", ("a-b-c", "a*b*c"), true),
            Case("overlapping ends", ("aba", "ab*ba"), false),
            Case("another end", ("a.jsonl.gz", "*.jsonl"), false), Case("another beginning", ("b.jsonl", "a*"), false),
            Case("no star", ("a", "a"), true), Case("no star, longer", ("ab", "a"), false),
            Case("a star alone", ("", "*"), true), Case("stars beside each other", ("abc", "a**c"), true),
            Case("out of order", ("acb", "a*b*c"), false),
        ])
    func stars(_ row: Case<(String, String), Bool>) { #expect(matches(row.input.0, row.input.1) == row.expected) }

    @Test("Files are found below the data folder, also through folders with stars, and sorted; folders are no files")
    func files() throws {
        try withBench { bench in
            for file in ["b/2.jsonl", "a/2.jsonl", "a/1.jsonl", "a/1.csv", "1.jsonl", "a/c/3.jsonl"] {
                try bench.put(file, ["{}"])
            }
            try makeFolder(bench.data + "/a/folder.jsonl")
            func found(_ files: String) throws -> [String] {
                try source(#"{ log: "usage", files: "\#(files)" }"#).matchingFiles(in: bench.data)
            }
            let all = try found("*/*.jsonl")
            #expect(all == ["a/1.jsonl", "a/2.jsonl", "b/2.jsonl"])
            #expect(try found("a/*.jsonl") == ["a/1.jsonl", "a/2.jsonl"])
            #expect(try found("*.jsonl") == ["1.jsonl"])
            #expect(try found("a/c/3.jsonl") == ["a/c/3.jsonl"])
            #expect(try found("none/*.jsonl") == [])
        }
    }
}
