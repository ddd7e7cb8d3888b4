import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Mistakes in what a source says of its mapping: each is found when the job is read, before any file is.
@Suite struct MistakeTests {
    private static let columns = [ColumnSpec("x_tier", .text), ColumnSpec("x_children", .int64)]

    /// The sentence for a source of the usage log with these keys, which begin behind the log.
    private static func sentence(_ keys: String, _ log: String) -> String? {
        TestSupport.sentence { _ = try source(#"{ log: "\#(log)", files: "a",\#(keys) }"#, columns: columns) }
    }

    @Test(
        "A mistake in map has its place and says what to do",
        arguments: [
            Case(
                "no field", #"user: """#,
                #"42: "user" in map names a field without a name. Name the field, or leave the column out."#),
            Case(
                "one of several without a name", #"user: ["a", ""]"#,
                #"42: "user" in map names a field without a name. Name the field, or leave the column out."#),
            Case(
                "nothing to read from", #"user: { from: [] }"#,
                #"50: "from" in map is an empty list. Name at least one, or leave the key out."#),
            Case(
                "nothing named to read from", #"user: { from: "" }"#,
                #"50: "user" in map names a field without a name. Name the field, or leave the column out."#),
            Case(
                "a number to read from", #"user: { from: 5 }"#,
                #"50: "from" in map must be a text or a list of texts, not a number."#),
            Case(
                "an unknown key", #"user: { form: "a" }"#,
                #"44: unknown key "form" in map. Did you mean "from"? Its keys are constant, from_file_name, from, values, otherwise, one_of, scale, time and zone."#
            ),
            Case(
                "null", "user: null",
                #"42: "user" in map must be a field, a list of fields, { from: … }, { constant: … } or { from_file_name: … }."#),
            Case(
                "two rules for one column", #"tier: "a", x_tier: "b""#,
                "47: Two entries of map fill the column x_tier. Remove one of them."),
            Case(
                "otherwise without values", #"user: { from: "a", otherwise: "b" }"#,
                #"66: "otherwise" is for what "values" does not name. Add "values"."#),
            Case(
                "values of other kinds", #"user: { from: "a", values: { b: 5 } }"#,
                #"68: "b" in values must be text, not a number. Write it in quotes."#),
            Case(
                "values that are a list", #"user: { from: "a", values: ["b"] }"#,
                #"63: "values" in map must be an object in { }, not a list."#),
            Case(
                "nothing is one of", #"user: { from: "a", one_of: [] }"#,
                #"63: "one_of" is an empty list, so that every record would be refused. Name the values there are."#),
            Case(
                "a translation that is not one of", #"user: { from: "a", values: { b: "c" }, one_of: ["d", "e"] }"#,
                #"68: "b" becomes "c", which is none of d and e. Add it to "one_of"."#),
            Case(
                "an otherwise that is not one of", #"user: { from: "a", values: { b: "d" }, otherwise: "c", one_of: ["d"] }"#,
                #"86: "c" is none of d. Add it to "one_of"."#),
            Case(
                "a translation into no number", #"output_tokens: { from: "a", values: { many: "lots" } }"#,
                #"80: "lots" is no whole number, which output_tokens takes."#),
            Case(
                "a translation into a negative count", #"output_tokens: { from: "a", values: { none: "-1" } }"#,
                #"80: "-1" is no whole number, which output_tokens takes."#),
            Case(
                "an otherwise that is no number", #"output_tokens: { from: "a", values: { few: "1" }, otherwise: "?" }"#,
                #"97: "?" is no whole number, which output_tokens takes."#),
            Case(
                "one of them that is no number", #"output_tokens: { from: "a", one_of: ["1", "two"] }"#,
                #"72: "two" is no whole number, which output_tokens takes."#),
            Case(
                "a translation that the scale makes a fraction",
                #"output_tokens: { from: "a", values: { b: "1" }, scale: "0.5" }"#,
                #"77: "1" is no whole number, which output_tokens takes."#),
            Case("a scaled text", #"user: { from: "a", scale: "0.01" }"#, #"62: "scale" is for numbers, and user is text."#),
            Case("a scaled time", #"ts: { from: "a", scale: 1000 }"#, #"60: "scale" is for numbers, and ts is a time."#),
            Case(
                "a scale of nothing", #"reported_cost: { from: "a", scale: 0 }"#,
                #"71: A scale of 0 makes every value 0. Write the factor, such as "0.01"."#),
            Case(
                "a scale with a comma", #"reported_cost: { from: "a", scale: "0,01" }"#,
                #"71: "scale" in map must be a decimal such as 9.99, not "0,01". Use a point and at most 38 digits."#),
            Case(
                "a time for a text", #"user: { from: "a", time: "epoch_s" }"#,
                #"61: "time" and "zone" are for times, and user is text."#),
            Case(
                "a zone for a number", #"output_tokens: { from: "a", zone: "UTC" }"#,
                #"70: "time" and "zone" are for times, and output_tokens is a whole number."#),
            Case(
                "an unknown time", #"ts: { from: "a", time: "epoch_sec" }"#,
                #"59: unknown time "epoch_sec". Did you mean "epoch_s"? It is one of epoch_s, epoch_ms, epoch_us and epoch_ns, or { since: …, unit: … }."#
            ),
            Case(
                "a number as a time", #"ts: { from: "a", time: 1000 }"#,
                #"59: "time" is one of epoch_s, epoch_ms, epoch_us and epoch_ns, or { since: …, unit: … }."#),
            Case(
                "a time without a unit", #"ts: { from: "a", time: { since: "2026-01-01T00:00:00Z" } }"#,
                #"59: "unit" (one of s, ms, us and ns) is missing in time. Add it."#),
            Case(
                "an unknown unit", #"ts: { from: "a", time: { since: "2026-01-01T00:00:00Z", unit: "mss" } }"#,
                #"98: unknown unit "mss". Did you mean "ms"? It is one of s, ms, us and ns."#),
            Case(
                "a since without an offset", #"ts: { from: "a", time: { since: "2026-01-01", unit: "s" } }"#,
                #"68: "2026-01-01" is no time. Write it like "2026-01-01T00:00:00Z"."#),
            Case(
                "a zone beside a number", #"ts: { from: "a", time: "epoch_s", zone: "UTC" }"#,
                #"76: "zone" is for times that are written without an offset, and a number counts from a moment that has none. Remove it."#
            ),
            Case(
                "an unknown zone", #"ts: { from: "a", zone: "Europe/Istambul" }"#,
                #"59: There is no time zone "Europe/Istambul" in /usr/share/zoneinfo. Did you mean "Europe/Istanbul"? Use a name such as Europe/Berlin or UTC, or install tzdata."#
            ),
            Case("a constant that is no time", #"ts: { constant: "soon" }"#, #"52: "soon" is no time, which ts takes."#),
            Case(
                "a constant time without an offset", #"ts: { constant: "2026-11-09 00:00:00" }"#,
                #"52: "2026-11-09 00:00:00" is no time, which ts takes."#),
            Case(
                "a constant that is no number", #"children: { constant: "two" }"#,
                #"58: "two" is no whole number, which x_children takes."#),
            Case(
                "a constant that is no decimal", #"quantity: { constant: "1,5" }"#,
                #"58: "1,5" is no decimal with at most 26 digits before the point and 12 behind it, which quantity takes."#),
            Case(
                "a constant number", "attempt: { constant: 1 }",
                #"57: "constant" in map must be text, not a number. Write it in quotes."#),
            Case(
                "a constant that is changed", #"user: { constant: "a", values: { a: "b" } }"#,
                #"42: Only a value that is read with "from" can be changed on its way. Write it as it is to be."#),
            Case(
                "a list that nothing goes through", #"user: "data[].user""#,
                #"42: "data[].user" goes through a list, and the source has no "each". Add it, or name one element: "data.0.user"."#
            ),
        ])
    func map(_ row: Case<String, String>) {
        #expect(MistakeTests.sentence(" map: { \(row.input) }", "usage") == "job.json5:1:" + row.expected)
    }

    @Test(
        "So has a mistake in any other key",
        arguments: [
            Case(
                "a flag that is no flag", (#" map: { crisis: { constant: "no" } }"#, "sessions"),
                #"59: "no" is no true or false, which crisis takes."#),
            Case(
                "a kind twice", (#" kind: "a", map: { kind: "b" }"#, "sessions"),
                #"50: The column kind is filled by "kind" and by "map". Remove one of them."#),
            Case(
                "attributes of nothing", (" map: { attributes: [] }", "snapshots"),
                #"52: "attributes" in map is an empty list. Name at least one field."#),
            Case(
                "attributes of an empty object", (" map: { attributes: {} }", "snapshots"),
                #"52: "attributes" in map is an empty object. Name at least one field."#),
            Case(
                "an attribute twice", (#" map: { attributes: ["a", "b", "a"] }"#, "snapshots"),
                #"52: "attributes" in map names the field "a" twice. Remove one of them."#),
            Case(
                "an attribute that is a number", (" map: { attributes: { a: 5 } }", "snapshots"),
                #"57: "a" in attributes must be text, not a number. Write it in quotes."#),
            Case(
                "an attribute without a field", (#" map: { attributes: { a: "" } }"#, "snapshots"),
                #"57: "attributes" in map names a field without a name. Name the field, or leave the column out."#),
            Case(
                "an empty list of values", (" where: { a: [] }", "usage"),
                #"41: "a" in where is an empty list. Name at least one value, or leave the condition out."#),
            Case(
                "null as a value", (" where: { a: null }", "usage"),
                "41: A condition is a value, a list of values, { present: true } or { not: … }; what is null or missing is { present: false }."
            ),
            Case(
                "a list in a list", (" where: { a: [[1]] }", "usage"),
                "42: A condition is a value, a list of values, { present: true } or { not: … }; what is null or missing is { present: false }."
            ),
            Case(
                "present in words", (#" where: { a: { present: "yes" } }"#, "usage"),
                #"52: "present" in where must be true or false, not text."#),
            Case(
                "nothing denied", (" where: { a: { not: [] } }", "usage"),
                #"48: "a" in where is an empty list. Name at least one value, or leave the condition out."#),
            Case(
                "a condition through a list", (#" where: { "a[].b": 1 }"#, "usage"),
                #"38: "a[].b" goes through a list, and the source has no "each". Add it, or name one element: "a.0.b"."#),
            Case(
                "each without a list", (#" each: "data""#, "usage"),
                #"35: "each" names the list whose elements are the records, with [] behind every list: "data[].results[]"."#),
            Case(
                "each of nothing", (#" each: "[]""#, "usage"),
                #"35: "each" names the list whose elements are the records, with [] behind every list: "data[].results[]"."#),
            Case(
                "each beyond the list", (#" each: "data[].results""#, "usage"),
                #"35: "each" names the list whose elements are the records, with [] behind every list: "data[].results[]"."#),
            Case(
                "lists of lists", (#" each: "data[][]""#, "usage"),
                #"35: "each" names the list whose elements are the records, with [] behind every list: "data[].results[]"."#),
            Case(
                "another list than each", (#" each: "data[]", map: { user: "other[].user" }"#, "usage"),
                #"58: "other[].user" goes through another list than "each", which is "data[]"."#),
            Case(
                "a list further in than each", (#" each: "data[]", where: { "data[].more[].x": 1 }"#, "usage"),
                #"54: "data[].more[].x" goes through another list than "each", which is "data[]"."#),
            Case(
                "an attribute through another list", (#" each: "data[]", map: { attributes: ["b[].c"] }"#, "snapshots"),
                #"68: "b[].c" goes through another list than "each", which is "data[]"."#),
            Case(
                "an unknown zone", (#" zone: "Asia/Taschkent""#, "usage"),
                #"35: There is no time zone "Asia/Taschkent" in /usr/share/zoneinfo. Did you mean "Asia/Tashkent"? Use a name such as Europe/Berlin or UTC, or install tzdata."#
            ),
            Case(
                "tokens of a log that has none", (" input_includes_cache: true", "sessions"),
                #"54: "input_includes_cache" is about tokens, which the log sessions does not have. Remove it."#),
            Case(
                "reasoning of a log that has none", (" output_excludes_reasoning: true", "texts"),
                #"56: "output_excludes_reasoning" is about tokens, which the log texts does not have. Remove it."#),
            Case(
                "a flag in quotes", (#" input_includes_cache: "true""#, "usage"),
                #"51: "input_includes_cache" in source must be true or false, not text. Remove the quotes."#),
            Case(
                "encoding as a text", (#" repair_encoding: "latin1""#, "usage"),
                #"46: "repair_encoding" in source must be true or false, not text."#),
        ] as [Case<(String, String), String>])
    func others(_ row: Case<(String, String), String>) {
        #expect(MistakeTests.sentence(row.input.0, row.input.1) == "job.json5:1:" + row.expected)
    }

    @Test("A file whose name lacks the day that is read from it ends the run before anything is read, and nothing is stored")
    func fileNames() throws {
        try withBench { bench in
            try bench.put("users-2026-11-09.jsonl", [#"{"id":"u1"}"#])
            try bench.put("users-new.jsonl", [#"{"id":"u2"}"#])
            let source =
                #"{ log: "snapshots", kind: "user", files: "users-*.jsonl", map: { updated_at: { from_file_name: "users-YYYY-MM-DD" } } }"#
            #expect(
                TestSupport.sentence { try bench.ingest([source]) }
                    == "users-new.jsonl: The name does not fit \"users-YYYY-MM-DD\", from which updated_at is read. Rename the file, or change the source's files or map."
            )
            #expect(try bench.rows(["id"], of: .snapshots) == [] && bench.counts() == [])
        }
    }
}
