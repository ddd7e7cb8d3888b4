import Common
import Economics
import Glibc
import Insights
import Lake
import Ledger
import Testing

/// A folder of its own for one piece of work, removed afterwards.
func withFolder<Result>(_ work: (String) throws -> Result) throws -> Result {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-insights-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    return try work(folder)
}

/// The lake of a home of its own, removed afterwards.
func withLake(_ work: (Lake) throws -> Void) throws {
    try withFolder { home in
        let now = try #require(Instant("2026-11-16T00:30:00Z"))
        try work(Lake(try Ledger.openForRun(home: home, migrations: Lake.migrations + insightMigrations, now: now)))
    }
}

/// A row by the names of its columns; what is not named is null.
typealias Row = [String: String]

extension Lake {
    /// Makes these rows all that a log holds of the days they fall on: as one part a day, or with a part for each row.
    func store(_ rows: [Row], log: Log, apart: Bool = false) throws {
        let specs = log.columns + Log.originColumns
        let days = try Dictionary(grouping: rows) { try #require(Instant($0[log.timeColumn] ?? "")).dayUTC }
        let staged = try days.sorted { $0.key < $1.key }.map { day, rows in
            let parts = try (apart ? rows.map { [$0] } : [rows]).map { rows in
                let columns = try specs.map { spec in try column(spec, rows.map { $0[spec.name] }) }
                let batch = Batch(specs: specs, columns: columns, count: rows.count)
                return try staging(job: "kalei").stagePart(log: log, day: day, rows: batch)
            }
            return try assemble(job: "kalei", log: log, day: day, keeping: [], adding: parts)
        }
        try commit(days: staged, files: []) {}
    }
}

private func column(_ spec: ColumnSpec, _ texts: [String?]) throws -> Column {
    let nulls = Nulls(isNull: texts.map { $0 == nil })
    switch spec.type {
    case .text:
        var interner = TextInterner()
        return .text(texts.map { text in text.map { interner.code(of: $0) } ?? -1 }, interner.dictionary)
    case .int64: return .integers(try texts.map { try $0.map { try #require(Int64($0)) } ?? 0 }, nulls: nulls)
    case .timestamp: return .integers(try texts.map { try $0.map { try #require(Instant($0)).microseconds } ?? 0 }, nulls: nulls)
    case .bool: return .bools(texts.map { $0 == "true" }, nulls: nulls)
    case .decimal: return .decimals(try texts.map { try $0.map { try #require(Money($0)).units } ?? 0 }, nulls: nulls)
    }
}

/// A small prompt, whole.
let promptText = """
    # A prompt

    ## System
    Be kind.

    ## User
    The week: {{profile}}

    ## Answer
    ```json
    { "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"], "additionalProperties": false }
    ```
    ## Template
    { "text": "{{active_days}} days" }
    ## Supportive
    { "text": "Take care." }

    """

/// An insight whose prompt is the one above; `more` stands in its section of the job.
func insight(_ more: String = "", prompt: String = promptText) throws -> Insight {
    try withFolder { folder in
        try writeNew(Array(prompt.utf8), to: folder + "/prompt.md")
        let text = #"{ name: "weekly-spectrum", prompt: "prompt.md", \#(more) }"#
        do {
            return try Insight(
                try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), Insight.schema), folder: folder,
                providers: ["template", "files"])
        } catch let failure as Failure {
            throw Failure("\(failure)".replacing(folder + "/", with: ""), kind: failure.kind)
        }
    }
}

/// What Kalei's profiles are made under: Berlin, the week of 9 November, plans from subscriptions, Prism+ entitled.
func profileOrder(_ insight: Insight, week: String = "2026-W46", key: String = "a test") throws -> ProfileOrder {
    func object(_ text: String, _ schema: ConfigSchema) throws -> ConfigObject {
        try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), schema)
    }
    let plans = try [("free", "{}"), ("prism", "{}"), ("prism_plus", #"{ entitles: ["weekly-spectrum"] }"#)].map {
        try Plan(name: $0.0, try object($0.1, Plan.schema))
    }
    let lookup = try Lookup(
        planOf: try object(
            #"{ from: "subscription", starts: "started_at", ends: "ends_at", otherwise: "free" }"#, Lookup.planSchema))
    return ProfileOrder(
        job: "kalei", insight: insight, period: Period(try #require(Week(week))), zone: try Zone(named: "Europe/Berlin"),
        plans: plans,
        lookups: [lookup], pseudonymKey: Array(key.utf8))
}

/// A member as a dump of a Monday has them.
func user(_ id: String, _ attributes: String = #"{"consent":true,"deleted_at":null}"#, dumped: String = "2026-11-16") -> Row {
    ["kind": "user", "id": id, "updated_at": "\(dumped)T00:00:00Z", "plan": "free", "attributes": attributes]
}

/// A member's subscription, by default to Prism+ since October.
func subscription(_ user: String, _ plan: String = "prism_plus", from: String = "2026-10-05", to: String? = nil) -> Row {
    let end = to.map { "\"\($0)\"" } ?? "null"
    return [
        "kind": "subscription", "id": "s-\(user)-\(plan)", "updated_at": "2026-11-16T00:00:00Z", "parent": user, "plan": plan,
        "attributes": #"{"started_at":"\#(from)","ends_at":\#(end)}"#,
    ]
}

/// Something a member did.
func session(_ user: String, _ time: String, _ kind: String = "turn", _ more: Row = [:]) -> Row {
    ["id": "\(user)-\(time)-\(kind)", "user": user, "ts": time, "kind": kind].merging(more) { $1 }
}
