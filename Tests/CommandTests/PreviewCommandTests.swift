import Common
import Testing

/// `vesper ingest JOB --preview`.
@Suite(.timeLimit(.minutes(5))) struct PreviewCommandTests {
    private func demo() throws -> DemoJob {
        let long = String(repeating: "x", count: 300)
        return try DemoJob(usage: [
            #"{"id":"c1","ts":"2026-11-10T12:00:00Z","user":"ada","model":"m","input_tokens":7,"prompt":"\#(long)"}"#,
            #"{"id":"c2","ts":"\u001b[2J","user":"ada"}"#, #"{"id":"c3","ts":"2036-11-10T12:00:00Z"}"#,
        ])
    }

    @Test func `shows each record beside its row, what is not filled and what is not read, and makes no home`() throws {
        let demo = try demo()
        let shown = try demo.vesper("ingest", ["demo", "usage.jsonl"], "--preview")
        #expect(shown.code == 0 && shown.talk.isEmpty)
        #expect(
            shown.output == """
                usage usage → usage: usage.jsonl
                  record 1: accepted
                    {"id":"c1","ts":"2026-11-10T12:00:00Z","user":"ada","model":"m","input_tokens":7,"prompt":"\(String(repeating: "x", count: 108))… (393 bytes)
                    id            c1                    ← id
                    ts            2026-11-10T12:00:00Z  ← ts
                    user          ada                   ← user
                    model         m                     ← model
                    input_tokens  7                     ← input_tokens
                  record 2: quarantined as bad_value, for ts is a text, which is no time
                    {"id":"c2","ts":"\\u001b[2J","user":"ada"}
                  record 3: out of range, before accept_from or more than a day ahead
                    {"id":"c3","ts":"2036-11-10T12:00:00Z"}
                    id  c3                    ← id
                    ts  2036-11-10T12:00:00Z  ← ts
                  not filled: tenant, session, plan, feature, provider, region, environment, cache_read_tokens, cache_write_5m_tokens,
                  cache_write_1h_tokens, output_tokens, reasoning_tokens, quantity, unit, service_tier, route, status, outcome,
                  attempt, latency_ms, first_token_ms, fingerprint, prefix, prefix_tokens, document, group, reported_cost, currency
                  not read: prompt

                """)
        #expect(!exists(demo.home))
    }

    @Test func `shows every source, so many records of each`() throws {
        let demo = try demo()
        for words in [["--preview", "1"], ["--preview=1"]] {
            let shown = try demo.vesper("ingest", ["demo"] + words)
            #expect(shown.code == 0)
            let heads = shown.output.split(separator: "\n").filter {
                !$0.hasPrefix("   ") && !$0.hasPrefix("  not") && !$0.hasPrefix("  cache") && !$0.hasPrefix("  latency")
                    && !$0.hasPrefix("  reason")
            }
            #expect(
                heads.filter { $0.hasPrefix("  record") } == [
                    "  record 1: accepted", "  record 1: accepted", "  record 1: accepted",
                ])
            #expect(
                heads.filter { !$0.hasPrefix("  ") } == [
                    "usage usage → usage: usage.jsonl", "notes sessions → sessions: notes.jsonl",
                    "users snapshots → snapshots: users.jsonl",
                ])
        }
        #expect(!exists(demo.home))
    }

    @Test func `prints the same as JSON`() throws {
        let demo = try demo()
        let shown = try demo.vesper("ingest", ["demo", "usage.jsonl"], "--preview=2", "--format=json")
        let object = try parseJSON(Array(shown.output.utf8), path: "stdout")
        #expect(object["schema"]?.string == "vesper.preview/1" && object["job"]?.string == "demo")
        let source = try #require(object["sources"]?.array?.first)
        #expect(source["file"]?.string == "usage.jsonl" && source["not_read"] == .array([.string("prompt")]))
        let records = try #require(source["records"]?.array)
        #expect(records.map { $0["outcome"]?.string } == ["accepted", "quarantined"])
        #expect(records[0]["row"]?["input_tokens"] == .fields(["value": .string("7"), "from": .string("input_tokens")]))
        #expect(records[0]["bytes"]?.int == 393 && records[0]["raw"]?.string?.utf8.count == 393)
        #expect(records[1]["reason"]?.string == "bad_value" && records[1]["row"]?.members?.isEmpty == true)
    }

    @Test(arguments: [
        (["--preview", "--format=csv"], "error: A preview is printed as table or json. Give one of them as --format.\n"),
        (["--preview=0"], "error: --preview takes a whole number from 1 to 1,000, such as 10, not \"0\".\n"),
        (["--preview=some"], "error: --preview takes a whole number from 1 to 1,000, such as 10, not \"some\".\n"),
        (
            ["--preview", "-"],
            "error: A preview looks at files, not at standard input. Write it to a file, or leave --preview out.\n"
        ),
        (
            ["--preview", "--source=usage usage"],
            "error: --source says for which source standard input is, which a preview does not look at. Leave it out.\n"
        ),
        (["--preview", "nothing.jsonl"], "nothing.jsonl: error: There is no such file, neither here nor below exports/demo.\n"),
    ])
    func `what cannot be shown is refused`(_ words: [String], _ talk: String) throws {
        let demo = try demo()
        let refused = try demo.vesper("ingest", ["demo"] + words)
        #expect(refused.code == 64 && refused.output.isEmpty)
        #expect(refused.talk == talk)
        #expect(!exists(demo.home))
    }

    @Test func `a file that cannot be read is told where it stands, and the exit code is 1`() throws {
        let demo = try demo()
        try writeNew(
            try gzipped(Array(repeating: 65, count: 1000)).prefix(20).map { $0 }, to: demo.path + "/exports/demo/notes.jsonl")
        let shown = try demo.vesper("ingest", ["demo"], "--preview=1")
        #expect(shown.code == 1 && shown.talk.isEmpty)
        #expect(
            shown.output.contains("\n  cannot be read: exports/demo/notes.jsonl: The gzip stream ends in the middle, at byte 20.")
        )
        #expect(shown.output.contains("users snapshots → snapshots: users.jsonl\n  record 1: accepted\n"))
    }
}
