import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Tokens that an export counts in another way than the lake.
@Suite struct TokenTests {
    private static let columns = [
        "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
        "reasoning_tokens",
    ]

    /// The six counts of one record, or why it is refused.
    private func counts(_ fields: String, _ keys: String) throws -> String {
        var found = ""
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"1","ts":"2026-11-09",\#(fields)}"#])
            try bench.ingest([#"{ log: "usage", name: "s", files: "a.jsonl", \#(keys) }"#])
            found =
                try bench.rows(TokenTests.columns).first
                ?? (try bench.quarantine().first.map { "\($0["reason"]?.string ?? ""): \($0["detail"]?.string ?? "")" } ?? "lost")
        }
        return found
    }

    @Test(
        "Input tokens that hold cached ones are counted without them",
        arguments: [
            Case("a part read from the cache", #""input_tokens":1000,"cache_read_tokens":400"#, "600|400|null|null|null|null"),
            Case("all of them", #""input_tokens":400,"cache_read_tokens":400"#, "0|400|null|null|null|null"),
            Case("none", #""input_tokens":400,"cache_read_tokens":0"#, "400|0|null|null|null|null"),
            Case(
                "read and written",
                #""input_tokens":1000,"cache_read_tokens":100,"cache_write_5m_tokens":200,"cache_write_1h_tokens":300"#,
                "400|100|200|300|null|null"),
            Case("not known whether", #""input_tokens":1000"#, "1000|null|null|null|null|null"),
            Case("no input", #""cache_read_tokens":100"#, "null|100|null|null|null|null"),
            Case(
                "more than there are", #""input_tokens":812,"cache_read_tokens":900"#,
                "cache_exceeds_input: cached tokens (900) exceed input_tokens (812). The source says input_includes_cache; drop that if cached tokens are counted apart"
            ),
            Case(
                "more than there are, together", #""input_tokens":812,"cache_read_tokens":500,"cache_write_5m_tokens":313"#,
                "cache_exceeds_input: cached tokens (813) exceed input_tokens (812). The source says input_includes_cache; drop that if cached tokens are counted apart"
            ),
            Case(
                "more than 64 bits hold",
                #""input_tokens":5,"cache_read_tokens":9223372036854775807,"cache_write_5m_tokens":9223372036854775807,"cache_write_1h_tokens":2"#,
                "cache_exceeds_input: cached tokens (18,446,744,073,709,551,616) exceed input_tokens (5). The source says input_includes_cache; drop that if cached tokens are counted apart"
            ),
        ])
    func cache(_ row: Case<String, String>) throws {
        #expect(try counts(row.input, "input_includes_cache: true") == row.expected)
    }

    @Test(
        "Output tokens that lack those of reasoning are counted with them",
        arguments: [
            Case("both", #""output_tokens":100,"reasoning_tokens":40"#, "null|null|null|null|140|40"),
            Case("no reasoning", #""output_tokens":100"#, "null|null|null|null|100|null"),
            Case("reasoning of zero", #""output_tokens":100,"reasoning_tokens":0"#, "null|null|null|null|100|0"),
            Case("nothing but reasoning", #""reasoning_tokens":40"#, "null|null|null|null|40|40"),
            Case(
                "more than 64 bits hold", #""output_tokens":9223372036854775807,"reasoning_tokens":1"#,
                "bad_value: output and reasoning tokens are too many"),
        ])
    func reasoning(_ row: Case<String, String>) throws {
        #expect(try counts(row.input, "output_excludes_reasoning: true") == row.expected)
    }

    @Test("Both at once, and neither by default")
    func both() throws {
        let fields = #""input_tokens":1000,"cache_read_tokens":400,"output_tokens":100,"reasoning_tokens":40"#
        #expect(try counts(fields, "input_includes_cache: true, output_excludes_reasoning: true") == "600|400|null|null|140|40")
        #expect(try counts(fields, "") == "1000|400|null|null|100|40")
        #expect(try counts(fields, "input_includes_cache: false") == "1000|400|null|null|100|40")
    }

    @Test("A refused record takes nothing from the rows around it")
    func neighbours() throws {
        try withBench { bench in
            let base = #""ts":"2026-11-09T10:00:00Z""#
            try bench.put(
                "a.jsonl",
                [
                    #"{"id":"1",\#(base),"input_tokens":10,"cache_read_tokens":4}"#,
                    #"{"id":"2",\#(base),"input_tokens":1,"cache_read_tokens":4}"#,
                    #"{"id":"3",\#(base),"input_tokens":20,"cache_read_tokens":5}"#,
                ])
            try bench.ingest([#"{ log: "usage", name: "s", files: "a.jsonl", input_includes_cache: true }"#])
            #expect(try bench.rows(["id", "input_tokens", "cache_read_tokens"]) == ["1|6|4", "3|15|5"])
            #expect(try bench.refusals() == ["a.jsonl:2 cache_exceeds_input"])
        }
    }
}
