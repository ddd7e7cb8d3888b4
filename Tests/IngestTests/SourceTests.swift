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
            Case(
                "no files", #"{ log: "usage" }"#,
                #"1:1: "files" (path, folder or pattern, or list of them) is missing in source. Add it."#),
            Case(
                "an unknown key", #"{ log: "usage", files: "a", maps: {} }"#,
                #"1:29: unknown key "maps" in source. Did you mean "map"? Its keys are log, files, format, delimiter, nulls, name, kind, map, where, each, zone, input_includes_cache, output_excludes_reasoning, repair_encoding, keep and id_scope."#
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
                #"1:40: "ts" in map must be a field, a list of fields, { from: … }, { constant: … } or { from_file_name: … }."#),
            Case(
                "an empty rule", #"{ log: "usage", files: "a", map: { user: {} } }"#,
                #"1:42: "user" in map must be a field, a list of fields, { from: … }, { constant: … } or { from_file_name: … }."#),
            Case(
                "a number as a rule", #"{ log: "usage", files: "a", map: { user: 5 } }"#,
                #"1:42: "user" in map must be a field, a list of fields, { from: … }, { constant: … } or { from_file_name: … }."#),
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
                "a condition that is none", #"{ log: "usage", files: "a", where: { a: { present: true, not: "b" } } }"#,
                "1:41: A condition is a value, a list of values, { present: true } or { not: … }; what is null or missing is { present: false }."
            ),
            Case(
                "an unknown format", #"{ log: "usage", files: "a", format: "cvs" }"#,
                #"1:37: "format" in source cannot be "cvs". Did you mean "csv"? Its values are jsonl, json, csv and tsv."#),
            Case(
                "a delimiter of two characters", #"{ log: "usage", files: "a", delimiter: ", " }"#,
                #"1:40: "delimiter" in source is one character such as ";", and neither a quote nor a line end."#),
            Case(
                "a delimiter for JSON", #"{ log: "usage", files: "a", format: "json", delimiter: ";" }"#,
                #"1:56: "delimiter" is for CSV files, and the format of these is JSON. Remove it."#),
            Case(
                "one path of several out of the data folder", #"{ log: "usage", files: ["a", "../b"] }"#,
                #"1:24: "files" in source must be a path below the data folder, without ".."."#),
            Case(
                "an unknown condition", #"{ log: "usage", files: "a", where: { a: { absent: true } } }"#,
                #"1:43: unknown key "absent" in where. Its keys are present and not."#),
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
}
