import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// What is proposed for exports that nobody has mapped yet.
@Suite struct ProposalTests {
    /// A proposal in short: `log name files | keys | map | not read`, or why there is none.
    private func proposals(_ files: [String: String]) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            for (name, text) in files { try bench.put(name, Array(text.utf8)) }
            for proposal in try proposeSources(for: files.keys.sorted(), in: bench.data) {
                guard let log = proposal.log else {
                    found.append("\(proposal.name): \(proposal.reason)")
                    continue
                }
                func list(_ keys: [ProposedKey]) -> String { keys.map { "\($0.name): \($0.value)" }.joined(separator: ", ") }
                found.append(
                    [
                        "\(log.rawValue) \(proposal.name) \(proposal.files.joined(separator: " "))", list(proposal.keys),
                        list(proposal.map),
                        proposal.unread.map { "\($0.path) (\($0.what))" }.joined(separator: ", "),
                    ].joined(separator: " | "))
            }
        }
        return found
    }

    @Test(
        "A field of a known name fills its column, in whatever way the name is written",
        arguments: [
            Case(
                "OpenAI",
                #"{"id":"a","created":1794204753,"model":"m","usage":{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}"#,
                #"usage calls calls.jsonl | input_includes_cache: true | ts: { from: "created", time: "epoch_s" }, input_tokens: "usage.prompt_tokens", cache_read_tokens: "usage.prompt_tokens_details.cached_tokens", output_tokens: "usage.completion_tokens", reasoning_tokens: "usage.completion_tokens_details.reasoning_tokens" | "#
            ),
            Case(
                "Anthropic",
                #"{"id":"a","ts":"2026-11-09T06:12:33Z","model":"m","usage":{"input_tokens":10,"cache_read_input_tokens":40,"cache_creation_input_tokens":5,"output_tokens":2}}"#,
                #"usage calls calls.jsonl |  | input_tokens: "usage.input_tokens", cache_read_tokens: "usage.cache_read_input_tokens", cache_write_5m_tokens: "usage.cache_creation_input_tokens", output_tokens: "usage.output_tokens" | "#
            ),
            Case(
                "Gemini",
                #"{"createTime":"2026-11-09T06:12:33Z","modelVersion":"m","usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":7}}"#,
                #"usage calls calls.jsonl | input_includes_cache: true, output_excludes_reasoning: true | ts: "createTime", input_tokens: "usageMetadata.promptTokenCount", cache_read_tokens: "usageMetadata.cachedContentTokenCount", output_tokens: "usageMetadata.candidatesTokenCount", reasoning_tokens: "usageMetadata.thoughtsTokenCount" | modelVersion (m)"#
            ),
            Case(
                "camel case",
                #"{"requestId":"a","createdAt":"2026-11-09T06:12:33Z","userId":"u","modelName":"m","promptTokens":10,"completionTokens":2,"costUsd":"0.01"}"#,
                #"usage calls calls.jsonl |  | ts: "createdAt", id: "requestId", user: "userId", model: "modelName", input_tokens: "promptTokens", output_tokens: "completionTokens", reported_cost: "costUsd", currency: { constant: "USD" } | "#
            ),
            Case(
                "tokens that are counted apart, whatever their name says",
                #"{"ts":"2026-11-09","prompt_tokens":1,"cached_tokens":4,"completion_tokens":2}"#,
                #"usage calls calls.jsonl |  | input_tokens: "prompt_tokens", cache_read_tokens: "cached_tokens", output_tokens: "completion_tokens" | "#
            ),
            Case(
                "a text that is JSON", #"{"ts":"2026-11-09","payload":"{\"prompt_tokens\":1,\"completion_tokens\":2}"}"#,
                #"usage calls calls.jsonl |  | input_tokens: "payload.prompt_tokens", output_tokens: "payload.completion_tokens" | "#
            ),
            Case(
                "a column's name for something else",
                #"{"ts":"2026-11-09","user":"Please read me the points once more","words":"many","note":5}"#,
                #"sessions calls calls.jsonl | kind: "call" | user: "none", words: "none" | user (texts), words (many), note (numbers)"#
            ),
        ])
    func names(_ row: Case<String, String>) throws { #expect(try proposals(["calls.jsonl": row.input]) == [row.expected]) }

    @Test(
        "The log follows from the fields, or from the name of a table",
        arguments: [
            Case(
                "a cost without tokens",
                ("costs", #"{"id":"1","timestamp":"2026-11-09T06:12:33Z","cost":"0.5","token_count":5}"#), "charges"),
            Case(
                "a payment",
                ("payments", #"{"event_id":"1","at":"2026-11-09T06:12:33Z","gross":"5","fee":"1","currency":"EUR"}"#), "payments"),
            Case("a bill", ("bills", #"{"vendor":"v","item":"x","amount":"5","period":{"start":"2026-11-01"}}"#), "invoices"),
            Case(
                "what was said",
                ("messages", #"{"id":"1","ts":"2026-11-09T06:12:33Z","role":"user","content":"Hello, how are you today?"}"#),
                "texts"),
            Case("a model without tokens", ("pictures", #"{"ts":"2026-11-09T06:12:33Z","model":"flux"}"#), "usage"),
            Case("numbers by day", ("load", #"{"day":"2026-11-09","connections":5}"#), "meters"),
            Case("a table of users", ("users", #"{"id":"u","created_at":"2026-11-09T06:12:33Z","plan":"free"}"#), "snapshots"),
            Case("a table by the last word", ("old_branches", #"{"id":"u","updated_at":"2026-11-09T06:12:33Z"}"#), "snapshots"),
            Case("anything at a time", ("taps", #"{"when":"2026-11-09T06:12:33Z","x":1}"#), "sessions"),
            Case("nothing at any time", ("things", #"{"id":"u","x":1}"#), "left out"),
        ] as [Case<(String, String), String>])
    func logs(_ row: Case<(String, String), String>) throws {
        let found = try proposals(["\(row.input.0).jsonl": row.input.1])
        #expect(
            found.count == 1
                && found[0].hasPrefix(row.expected == "left out" ? "things: no field of it is a time" : row.expected + " "))
    }

    @Test(
        "How a time is written is seen from its values",
        arguments: [
            Case("with its offset", #""2026-11-09T06:12:33+01:00""#, #" | kind: "tap" |  | "#),
            Case("a day", #""2026-11-09""#, #" | kind: "tap" |  | "#),
            Case("without an offset", #""2026-11-09 06:12:33""#, #" | zone: "UTC", kind: "tap" |  | "#),
            Case("seconds", "1794204753", #" | kind: "tap" | ts: { from: "ts", time: "epoch_s" } | "#),
            Case("seconds with a fraction", "1794204753.25", #" | kind: "tap" | ts: { from: "ts", time: "epoch_s" } | "#),
            Case("milliseconds", "1794204753120", #" | kind: "tap" | ts: { from: "ts", time: "epoch_ms" } | "#),
            Case("microseconds", "1794204753120045", #" | kind: "tap" | ts: { from: "ts", time: "epoch_us" } | "#),
            Case(
                "nanoseconds in a text", #""1794204753120045001""#, #" | kind: "tap" | ts: { from: "ts", time: "epoch_ns" } | "#),
        ])
    func times(_ row: Case<String, String>) throws {
        #expect(try proposals(["taps.jsonl": #"{"id":"a","ts":\#(row.input)}"#]) == ["sessions taps taps.jsonl" + row.expected])
    }

    @Test("A page of records is divided into them where they know more than it does; a record with a list in it is not")
    func pages() throws {
        let page =
            #"{"object":"page","data":[{"start_time":1794204753,"results":[{"model":"m","input_tokens":5,"output_tokens":6,"user_id":"u"}]}],"next":null}"#
        #expect(
            try proposals(["usage.json": page]) == [
                #"usage usage usage.json | each: "data[].results[]" | ts: { from: "data[].start_time", time: "epoch_s" }, user: "data[].results[].user_id" | object (page), next (empty)"#
            ])
        let call =
            #"{"ts":"2026-11-09","model":"m","prompt_tokens":5,"completion_tokens":6,"messages":[{"role":"user","content":"x"}]}"#
        #expect(
            try proposals(["calls.jsonl": call]) == [
                #"usage calls calls.jsonl |  | input_tokens: "prompt_tokens", output_tokens: "completion_tokens" | messages (lists)"#
            ])
    }

    @Test("Tables are read whatever divides their fields, and under any name")
    func tables() throws {
        #expect(
            try proposals([
                "a.csv":
                    "\u{feff}id;created_at;model;tokens_in;tokens_out\r\n1;2026-11-09 06:12:33;m;5;\\N\r\n2;2026-11-09 06:12:33;m;5;7\r\n"
            ]) == [
                #"usage a a.csv | delimiter: ";", nulls: ["\\N"], zone: "UTC" | ts: "created_at", input_tokens: "tokens_in", output_tokens: "tokens_out" | "#
            ])
        #expect(
            try proposals(["export.txt": "id,when,what\n1,2026-11-09,x\n"]) == [
                #"sessions export export.txt | format: "csv", kind: "export" | ts: "when" | what (x)"#
            ])
        #expect(
            try proposals(["export": "id\twhen\n1\t2026-11-09\n"]) == [
                #"sessions export export | format: "csv", delimiter: "\t", kind: "export" | ts: "when" | "#
            ])
    }

    @Test("Files whose names differ in days and numbers are one source; the same table elsewhere joins it")
    func groups() throws {
        let line = #"{"id":"a","ts":"2026-11-09"}"#
        let files = [
            "taps/taps-2026-11-09.jsonl", "taps/taps-2026-11-10.jsonl", "taps/taps-20261111T0600.jsonl",
            "late/taps-2026-11-05-late.jsonl",
            "taps/taps-2026-11-10-again.jsonl", "api_v2.jsonl", "2026/11/09/x.jsonl", "2026/11/10/x.jsonl",
        ]
        #expect(
            try proposals(Dictionary(uniqueKeysWithValues: files.map { ($0, line) })).map { $0.prefix { $0 != "|" } } == [
                "sessions x */*/*/x.jsonl ", "sessions api_v2 api_v2.jsonl ",
                "sessions taps taps/taps-*.jsonl late/taps-*-late.jsonl ",
            ])
    }

    @Test("A table that is dumped whole is dated by the name of its dump, and keeps what tells nobody who somebody is")
    func dumps() throws {
        let text = "id,email,full_name,plan,created_at,locale\nu1,a@example.com,Ada,free,2026-01-02,de\n"
        #expect(
            try proposals(["users-2026-11-09.csv": text]) == [
                #"snapshots users users-*.csv | kind: "user" | updated_at: { from_file_name: "users-YYYY-MM-DD" }, attributes: ["created_at", "locale"] | email (texts), full_name (texts)"#
            ])
    }

    @Test("What was encoded twice is seen, and files without a record are left out with a word")
    func others() throws {
        #expect(
            try proposals(["a.jsonl": #"{"id":"1","ts":"2026-11-09","label":"GÃ¼nlÃ¼k"}"#]) == [
                #"sessions a a.jsonl | kind: "a", repair_encoding: true |  | "#
            ])
        #expect(try proposals(["a.jsonl": "\n"]) == ["a: its files hold no record"])
        let wide = "{" + (0..<300).map { "\"k\($0)\":1" }.joined(separator: ",") + ",\"ts\":\"2026-11-09\"}"
        #expect(try proposals(["a.json": wide]) == ["a: it is one object of 301 fields and no list of records"])
    }

    @Test("Every name in the table is of a column that some log has, and says where it comes from")
    func table() {
        let columns = Set(Log.allCases.flatMap(\.columns).map(\.name))
        for alias in fieldAliases {
            #expect(columns.contains(alias.column), "\(alias.column)")
            #expect(!alias.source.isEmpty && !alias.names.isEmpty)
        }
    }
}
