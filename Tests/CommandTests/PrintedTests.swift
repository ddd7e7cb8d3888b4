import Common
import Testing
@testable import vesper

@Suite(.timeLimit(.minutes(5))) struct PrintedTests {
    static let commands: [(command: String, jobs: [String], schema: String)] = [
        ("run", ["demo"], "vesper.run/1"), ("plan", ["demo"], "vesper.plan/1"), ("status", ["demo"], "vesper.status/1"),
        ("ingest", ["demo"], "vesper.ingest/1"), ("costs --every=day --by=model --no-cache", ["demo"], "vesper.costs/1"),
        ("report --week=2026-W46", ["demo"], "vesper.report/1"), ("batch list", [], "vesper.batches/1"),
    ]

    @Test func `json and csv hold the same rows, whatever command prints them`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        for (command, jobs, schema) in Self.commands {
            let json = try demo.vesper(command, jobs, "--format=json")
            #expect(json.code == 0 && json.talk.isEmpty, "\(command)")
            #expect(json.output.hasSuffix("\n") && json.output.dropLast().allSatisfy { $0 != "\n" }, "\(command) prints one line")
            let object = try parseJSON(Array(json.output.utf8), path: command)
            #expect(object["schema"]?.string == schema)
            let rows = try #require(object["rows"]?.array)
            #expect(!rows.isEmpty, "\(command)")

            let csv = try demo.vesper(command, jobs, "--format=csv")
            let records = recordsOfCSV(csv.output)
            #expect(csv.code == 0 && csv.talk.isEmpty, "\(command)")
            #expect(records.count == rows.count + 1, "\(command) has a header and every row")
            for record in records { #expect(record.count == records[0].count, "\(command)") }
            #expect(rows.first?.members?.map(\.key) == records[0], "\(command) names its columns alike")
        }
    }

    @Test func `what the cache does not serve is printed all the same`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let call = try demo.vesper("costs --every=day --by=model", ["demo"], "--format=csv")
        #expect(call.code == 0 && call.talk.isEmpty)
        #expect(try demo.vesper("costs --every=day --by=model --no-cache", ["demo"], "--format=csv").output == call.output)
        let served = try demo.vesper("costs --every=day --by=model --measures=requests,cost", ["demo"], "--format=csv")
        #expect(served.talk.isEmpty && served.output.hasPrefix("day,model,requests,cost\n"))
    }

    @Test func `what has no price is no zero, in any format`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let csv = recordsOfCSV(try demo.vesper("costs --by=model", ["demo"], "--format=csv").output)
        let cost = try #require(csv[0].firstIndex(of: "cost"))
        // (1000 + 2000 + 10) × 1.00 / 1M + (100 + 200 + 1) × 5.00 / 1M
        #expect(csv.dropFirst().map { $0[0] + " " + $0[cost] } == ["a-model-without-a-price >=0", "claude-haiku-4-5 0.004515"])
        let json = try parseJSON(Array(try demo.vesper("costs --by=model", ["demo"], "--format=json").output.utf8), path: "costs")
        #expect(json["totals"]?["cost"] == .fields(["at_least": .string("0.004515")]))
        #expect(try demo.vesper("costs").output.contains("1 request has no known price for 10 tokens"))
    }

    @Test func `messages can be JSON lines`() throws {
        let demo = try DemoJob()
        let refused = try demo.vesper("costs --by=modle", ["demo"], "--log=json")
        let message = try parseJSON(Array(refused.talk.utf8), path: "message")
        #expect(message["severity"]?.string == "error")
        #expect(message["message"]?.string?.hasPrefix("There is no dimension \"modle\". Did you mean \"model\"?") == true)
    }

    static let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r=1+1"

    @Test func `what an export holds does not act on the terminal`() throws {
        let demo = try DemoJob(usage: [
            DemoJob.usageLine(1, user: Self.hostile, model: Self.hostile, input: 1, output: 1),
            "{\"id\":\"\(Self.hostile)\", no json",
            DemoJob.usageLine(2, user: "ada", model: "claude-haiku-4-5", input: 1, output: 1),
        ])
        let calls = try [
            demo.vesper("run"), demo.vesper("costs --by=model,user"), demo.vesper("costs --by=model", ["demo"], "--format=json"),
            demo.vesper("ingest"), demo.vesper("status"), demo.vesper("run", ["demo"], "--log=json", "--format=json"),
        ]
        for call in calls {
            #expect(call.code == 0)
            #expect(!actsOnTerminal(call.output) && !actsOnTerminal(call.talk), "\(call.output.debugDescription)")
        }
        #expect(calls[1].output.contains(#"\u{1b}]0;owned\u{7}"#), "it is shown spelled out")
        let json = try parseJSON(Array(calls[2].output.utf8), path: "costs")
        #expect(json["rows"]?.array?.contains { $0["model"]?.string == Self.hostile } == true, "a program gets it as it is")
        let csv = recordsOfCSV(try demo.vesper("costs --by=model", ["demo"], "--format=csv").output)
        #expect(csv.contains { $0[0] == Self.hostile }, "a spreadsheet gets it as it is, where it is no formula")
    }

    @Test func `what was typed does not act on the terminal`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let typed = [
            ("run", [Self.hostile]), (Self.hostile, []), ("run --\(Self.hostile)", ["demo"]),
            ("run --week=\(Self.hostile)", ["demo"]),
            ("costs --by=\(Self.hostile)", ["demo"]), ("costs --where=\(Self.hostile)=1", ["demo"]),
            ("batch show", [Self.hostile]),
            ("batch import", ["beef", Self.hostile]), ("batch import", [Self.hostile, "results.jsonl"]),
            ("completions", [Self.hostile]),
            ("status --data=\(Self.hostile)", ["demo"]), ("synth --product=\(Self.hostile)", ["sample"]),
        ]
        for (command, jobs) in typed {
            let words = command.split(separator: " ").map(String.init)
            let refused = try call(builtProgram, words + jobs + ["--home=\(demo.home)"], in: demo.path)
            #expect(refused.code == 64, "\(command.debugDescription)")
            #expect(!actsOnTerminal(refused.output) && !actsOnTerminal(refused.talk), "\(refused.talk.debugDescription)")
        }
    }

    @Test func `what a job file holds does not act on the terminal`() throws {
        let demo = try DemoJob()
        let job = try readText(demo.path + "/Jobs/demo.json5", as: "job")
        let spelled = #"\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e"#
        for (right, wrong) in [
            ("timezone: \"Europe/Berlin\"", "timezone: \"\(spelled)\""), ("currency: \"USD\",", "currency: \"\(spelled)\","),
            ("starts: \"2026-11-09\", q", "starts: \"\(spelled)\", q"), ("provider: \"template\"", "provider: \"\(spelled)\""),
            ("log: \"usage\"", "log: \"\(spelled)\""), ("free: {}", "\"\(spelled)\": { entitles: [\"\(spelled)\"] }"),
            ("by: [\"model\"]", "by: [\"\(spelled)\"]"), ("Prompts/demo.md", spelled),
            ("kind: \"note\"", "map: { \"\(spelled)\": \"x\" }"),
            ("Prices/demo.json5", spelled), ("name: \"weekly-note\"", "name: \"\(spelled)\""),
            ("section: \"funnel\"", "section: \"\(spelled)\""),
            ("timezone:", "\"\(spelled)\":"), ("job: \"demo\"", "job: \"\(spelled)\""),
        ] {
            #expect(job.contains(right))
            try demo.folder.write(job.replacing(right, with: wrong), to: "Jobs/demo.json5")
            let refused = try demo.vesper("run")
            #expect(refused.code == 64 || refused.code == 1, "\(right)")
            #expect(!refused.talk.isEmpty && !actsOnTerminal(refused.talk), "\(refused.talk.debugDescription)")
        }
    }
}
