import Common
import Glibc
import Ledger
import Testing

@testable import Batches
@testable import Insights

private let promptText = """
    ## System
    Be kind.
    ## User
    The week: {{profile}}
    ## Answer
    { "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"], "additionalProperties": false }
    ## Template
    { "text": "{{days}} days" }
    ## Supportive
    { "text": "Take care." }
    """

/// A home with one insight of Kalei, removed afterwards. By files it costs money somewhere, by template it is free.
func withDesk(_ provider: String = "files", _ work: (Desk) throws -> Void) throws {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-batches-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    try writeNew(Array(promptText.utf8), to: folder + "/prompt.md")
    func insight(_ name: String) throws -> Insight {
        let text =
            #"{ name: "\#(name)", prompt: "prompt.md", provider: "\#(provider)", model: "claude-haiku-4-5", starts: "2026-10-05" }"#
        return try Insight(
            try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), Insight.schema), folder: folder,
            providers: providers.map(\.name))
    }
    let now = try #require(Instant("2026-11-16T00:30:00Z"))
    let ledger = try Ledger.openForRun(home: folder + "/home", migrations: insightMigrations + batchMigrations, now: now)
    let week = Period(try #require(Week("2026-W46")))
    try work(
        Desk(ledger: ledger, insight: try insight("weekly-spectrum"), other: try insight("weekly"), week: week, folder: folder))
}

struct Desk {
    let ledger: Ledger
    let insight: Insight
    let other: Insight
    let week: Period
    let folder: String

    /// Prepares requests for these subjects and the days each was active.
    @discardableResult
    func prepare(_ days: KeyValuePairs<String, Int>, limit: BulkLimit = .anthropic, insight: Insight? = nil, week: Period? = nil)
        throws -> PreparedRequests
    {
        try prepareRequests(
            job: "kalei", insight: insight ?? self.insight, period: week ?? self.week,
            weeks: days.map { subject($0.key, $0.value) }, limit: limit, ledger)
    }

    func submit() throws { try submitBatches(job: "kalei", period: week, ledger) }
    func collect() throws { try collectBatches(job: "kalei", period: week, insights: [insight, other], ledger) }

    /// Every bulk file as `file: subject, subject`, by its requests' profiles.
    func files() throws -> [String] {
        try Common.files(below: ledger.home + "/requests").map { file in
            let days = try lines(file).map {
                ($0["params"]?["messages"]?.array?.first?["content"]?.string ?? "").filter(\.isNumber)
            }
            return "\(file.split(separator: "/").last ?? ""): \(days.joined(separator: " "))"
        }
    }

    func lines(_ file: String) throws -> [JSON] {
        try gunzipped(try readFile(ledger.home + "/requests/" + file, as: "bulk file"), path: file).split(separator: 0x0a).map {
            try parseJSON(Array($0), path: file)
        }
    }

    /// The custom ids of the first batch, by subject.
    func customIDs() throws -> [String: String] {
        let rows = try ledger.database.rows("SELECT subject, custom_id FROM asked ORDER BY subject")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.text(0), $0.text(1)) })
    }

    /// What became of everybody who was asked: `a: answered`.
    func outcomes() throws -> [String] {
        try ledger.answers(job: "kalei", insight: insight.name, period: week).map { answer in
            "\(answer.subject): \(answer.outcome ?? "waiting")\(answer.detail.map { " (\($0))" } ?? "")\(answer.content.map { " \($0.text)" } ?? "")"
        }
    }
}

/// An eligible subject who was active on so many days.
func subject(_ name: String, _ days: Int, _ standing: Standing = .eligible) -> SubjectWeek {
    SubjectWeek(user: "user-\(name)", subject: name, standing: standing, profile: .fields(["days": .int(days)]))
}

/// A line of a results file, as Anthropic writes it.
func resultLine(_ id: String, answer: String, stop: String = "end_turn") -> String {
    let message = JSON.fields([
        "id": .string("msg_1"), "type": .string("message"), "role": .string("assistant"),
        "model": .string("claude-haiku-4-5-20251001"),
        "content": .array([.fields(["type": .string("text"), "text": .string(answer)])]), "stop_reason": .string(stop),
        "usage": .fields([
            "input_tokens": .int(11), "cache_creation_input_tokens": .int(13), "cache_read_input_tokens": .int(12),
            "output_tokens": .int(14),
        ]),
    ])
    return resultLine(id, .fields(["type": .string("succeeded"), "message": message]))
}

func resultLine(_ id: String, _ result: JSON) -> String { JSON.fields(["custom_id": .string(id), "result": result]).text }
