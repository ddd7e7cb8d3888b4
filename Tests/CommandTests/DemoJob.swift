import Common
import Testing

/// One week of a job with three users, small enough to be read at a glance, in a folder of its own.
///
///     let demo = try DemoJob(provider: "files")
///     try demo.vesper("run").code   // 4: somebody has to carry the bulk file to a provider
final class DemoJob: Sendable {
    /// When every call happens: the week 2026-W46 is over, and it is the only one since the job's `starts`.
    static let now = "--now=2026-11-17T12:00:00Z"

    let folder: TemporaryFolder
    var path: String { folder.path }
    var home: String { path + "/home" }

    /// `usage` are the lines of its usage log.
    init(name: String = "demo", provider: String = "template", usage: [String] = DemoJob.calls) throws {
        folder = try TemporaryFolder()
        try add(name: name, provider: provider, usage: usage)
    }

    /// Puts another job beside those there are.
    func add(name: String, provider: String = "template", usage: [String] = DemoJob.calls) throws {
        try folder.write(DemoJob.job(name, provider), to: "Jobs/\(name).json5")
        try folder.write(DemoJob.prices, to: "Jobs/Prices/demo.json5")
        try folder.write(DemoJob.prompt, to: "Jobs/Prompts/demo.md")
        try folder.write(usage.joined(separator: "\n") + "\n", to: "exports/\(name)/usage.jsonl")
        try folder.write(DemoJob.notes.joined(separator: "\n") + "\n", to: "exports/\(name)/notes.jsonl")
        try folder.write(DemoJob.users.joined(separator: "\n") + "\n", to: "exports/\(name)/users.jsonl")
    }

    /// A command with the demo's home, exports and clock; `names` are the jobs.
    func vesper(_ command: String, _ names: [String] = ["demo"], _ options: String...) throws -> Call {
        let words = command.split(separator: " ").map(String.init)
        return try call(builtProgram, words + names + ["--home=\(home)", "--data=exports", DemoJob.now] + options, in: path)
    }

    static let calls = [
        usageLine(1, user: "ada", model: "claude-haiku-4-5", input: 1000, output: 100),
        usageLine(2, user: "ada", model: "claude-haiku-4-5", input: 2000, output: 200),
        usageLine(3, user: "bob", model: "claude-haiku-4-5", input: 10, output: 1),
        usageLine(4, user: "bob", model: "a-model-without-a-price", input: 7, output: 3),
    ]

    static func usageLine(_ number: Int, user: String, model: String, input: Int, output: Int) -> String {
        JSON.fields([
            "id": .string("call-\(number)"), "ts": .string("2026-11-1\(number % 5)T12:00:00Z"), "user": .string(user),
            "feature": .string("chat"), "provider": .string("anthropic"), "model": .string(model), "input_tokens": .int(input),
            "output_tokens": .int(output),
        ]).text
    }

    /// ada and cyd write notes; cyd is on a plan that entitles to nothing.
    private static let notes = ["ada", "ada", "cyd"].enumerated().map { number, user in
        #"{"id":"note-\#(number)","ts":"2026-11-12T09:0\#(number):00Z","user":"\#(user)","label":"work"}"#
    }

    private static let users = [
        #"{"id":"ada","updated_at":"2026-11-09T00:00:00Z","plan":"paid"}"#,
        #"{"id":"bob","updated_at":"2026-11-09T00:00:00Z","plan":"paid"}"#,
        #"{"id":"cyd","updated_at":"2026-11-09T00:00:00Z","plan":"free"}"#,
    ]

    private static func job(_ name: String, _ provider: String) -> String {
        """
        {
          job: "\(name)", timezone: "Europe/Berlin", currency: "USD", starts: "2026-11-09", quarantine_at_most: "1%",
          sources: [
            { log: "usage", files: "usage.jsonl" },
            { log: "sessions", files: "notes.jsonl", kind: "note" },
            { log: "snapshots", files: "users.jsonl", kind: "user" },
          ],
          prices: ["Prices/demo.json5"],
          plans: { free: {}, paid: { price: "5", currency: "USD", entitles: ["weekly-note"] } },
          insights: [
            { name: "weekly-note", prompt: "Prompts/demo.md", provider: "\(provider)", model: "claude-haiku-4-5", starts: "2026-11-09" },
          ],
          report: [{ section: "table", by: ["model"] }, { section: "funnel" }, { section: "provenance" }],
        }
        """
    }

    private static let prices = """
        { currency: "USD", prices: [{ provider: "anthropic", model: "claude-haiku-4-5", valid_from: "2026-01-01", known_from: "2026-01-01",
          rates: { input: "1.00", output: "5.00" }, source: "made up for tests" }] }
        """

    private static let prompt = """
        ## System
        You write one line.
        ## User
        {{profile}}
        ## Answer
        {"type":"object","properties":{"line":{"type":"string"}},"required":["line"],"additionalProperties":false}
        ## Template
        {"line":"Days: {{active_days}}."}
        ## Supportive
        {"line":"Take care."}
        """
}

/// What is printed must not act on a terminal: no control character but the line feed.
func actsOnTerminal(_ text: String) -> Bool {
    text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.value == 0x7f || $0.value == 0x9b }
}

/// The records of a CSV text by RFC 4180, each as its fields.
func recordsOfCSV(_ text: String) -> [[String]] {
    var records: [[String]] = []
    var record: [String] = []
    var field = ""
    var quoted = false
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"":
            if !quoted, previous == "\"" { field.unicodeScalars.append("\"") }
            quoted.toggle()
            previous = previous == "\"" ? nil : "\""
            continue
        case "," where !quoted:
            record.append(field)
            field = ""
        case "\n" where !quoted:
            records.append(record + [field])
            (record, field) = ([], "")
        default: field.unicodeScalars.append(scalar)
        }
        previous = scalar
    }
    return records
}
