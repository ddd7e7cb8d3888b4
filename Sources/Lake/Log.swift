/// What a column holds; how it is stored stands with the Parquet code.
public enum ColumnType: String, CaseIterable, Sendable {
    /// UTF-8 text.
    case text
    /// Counts, durations and token numbers.
    case int64
    case bool
    /// Microseconds since 1970 in UTC.
    case timestamp
    /// decimal(38,12): money, scores, quantities.
    case decimal
}

/// A named and typed column. Every column may hold nulls.
public struct ColumnSpec: Hashable, Sendable {
    public let name: String
    public let type: ColumnType

    public init(_ name: String, _ type: ColumnType) { (self.name, self.type) = (name, type) }
}

/// The closed list of logs that the lake knows, each with its typed columns.
///
/// Columns are only ever added, at the end of a log's own list; a part carries the version it was written with.
public enum Log: String, CaseIterable, Sendable, Comparable {
    /// One metered call.
    case usage
    /// One thing somebody did.
    case sessions
    /// Private text of a session row, kept apart so that expiry and erasure are cheap.
    case texts
    /// A gauge or counter over a period.
    case meters
    /// Cost as a provider reported it.
    case charges
    /// One transaction.
    case payments
    /// A vendor's bill line.
    case invoices
    /// A version of a mutable thing: a user, a subscription, a conversation.
    case snapshots

    /// Written into every part, raised when a log gets a column.
    public static let schemaVersion = 1

    /// Its own columns, in the order in which they are stored.
    public var columns: [ColumnSpec] {
        switch self {
        case .usage:
            [ColumnSpec("id", .text), ColumnSpec("ts", .timestamp)]
                + textual("tenant", "user", "session", "plan", "feature", "provider", "model", "region", "environment")
                + integers(
                    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
                    "reasoning_tokens")
                + [ColumnSpec("quantity", .decimal)] + textual("unit", "service_tier", "route", "status", "outcome")
                + integers("attempt", "latency_ms", "first_token_ms") + textual("fingerprint", "prefix")
                + integers("prefix_tokens") + textual("document", "group")
                + [ColumnSpec("reported_cost", .decimal), ColumnSpec("currency", .text)]
        case .sessions:
            [ColumnSpec("id", .text), ColumnSpec("ts", .timestamp)]
                + textual("tenant", "user", "session", "plan", "kind", "label")
                + [ColumnSpec("score", .decimal)] + textual("style", "outcome")
                + [ColumnSpec("crisis", .bool), ColumnSpec("public", .bool), ColumnSpec("words", .int64)]
        case .texts:
            textual("id", "part") + [ColumnSpec("ts", .timestamp)] + textual("tenant", "user", "session", "role", "text")
        case .meters:
            textual("id", "subject_kind", "subject", "metric")
                + [
                    ColumnSpec("value", .decimal), ColumnSpec("period_start", .timestamp), ColumnSpec("period_end", .timestamp),
                    ColumnSpec("gauge", .bool),
                ]
        case .charges:
            [ColumnSpec("id", .text), ColumnSpec("ts", .timestamp)] + textual("tenant", "user", "provider", "model", "feature")
                + [
                    ColumnSpec("amount", .decimal), ColumnSpec("currency", .text), ColumnSpec("tokens", .int64),
                    ColumnSpec("ref", .text),
                ]
        case .payments:
            [ColumnSpec("id", .text), ColumnSpec("ts", .timestamp)] + textual("user", "tenant", "plan")
                + ["gross", "fee", "tax"].map { ColumnSpec($0, .decimal) } + textual("currency", "status", "region")
                + [ColumnSpec("sandbox", .bool)]
        case .invoices:
            textual("id", "vendor", "service", "category", "part", "environment")
                + [
                    ColumnSpec("amount", .decimal), ColumnSpec("currency", .text), ColumnSpec("period_start", .timestamp),
                    ColumnSpec("period_end", .timestamp),
                ]
        case .snapshots:
            textual("kind", "id") + [ColumnSpec("updated_at", .timestamp)]
                + textual("parent", "tenant", "plan", "status", "attributes")
        }
    }

    /// Where a row came from: stands on every row of every log, after its own columns and the job's.
    public static let originColumns = [
        ColumnSpec("source", .text), ColumnSpec("source_file", .text), ColumnSpec("source_record", .int64),
    ]

    /// The column whose UTC day is the row's lake day.
    public var timeColumn: String {
        switch self {
        case .snapshots: "updated_at"
        case .meters, .invoices: "period_start"
        default: "ts"
        }
    }

    /// The columns that together name a row within its id scope.
    public var identity: [String] {
        switch self {
        case .texts: ["id", "part"]
        case .snapshots: ["kind", "id", "updated_at"]
        default: ["id"]
        }
    }

    /// Columns a row cannot be without, apart from its time and id.
    public var required: [String] {
        switch self {
        case .meters: ["metric", "value"]
        case .charges, .invoices: ["amount", "currency"]
        case .payments: ["gross", "currency"]
        case .snapshots: ["kind", "id"]
        case .texts: ["id", "part", "text"]
        case .usage, .sessions: []
        }
    }

    public static func < (a: Log, b: Log) -> Bool { a.rawValue < b.rawValue }
}

private func textual(_ names: String...) -> [ColumnSpec] { names.map { ColumnSpec($0, .text) } }
private func integers(_ names: String...) -> [ColumnSpec] { names.map { ColumnSpec($0, .int64) } }
