import TestSupport
import Testing

@testable import Lake

@Suite struct LogTests {
    /// Frozen: a column is only ever added, at the end of its log's own list, and `Log.schemaVersion` with it.
    private static let columns = [
        Case(
            "usage", Log.usage,
            """
            id text, ts timestamp, tenant text, user text, session text, plan text, feature text, provider text, model text, region text, \
            environment text, input_tokens int64, cache_read_tokens int64, cache_write_5m_tokens int64, cache_write_1h_tokens int64, \
            output_tokens int64, reasoning_tokens int64, quantity decimal, unit text, service_tier text, route text, status text, \
            outcome text, attempt int64, latency_ms int64, first_token_ms int64, fingerprint text, prefix text, prefix_tokens int64, \
            document text, group text, reported_cost decimal, currency text
            """),
        Case(
            "sessions", .sessions,
            """
            id text, ts timestamp, tenant text, user text, session text, plan text, kind text, label text, score decimal, style text, \
            outcome text, crisis bool, public bool, words int64
            """),
        Case("texts", .texts, "id text, part text, ts timestamp, tenant text, user text, session text, role text, text text"),
        Case(
            "meters", .meters,
            "id text, subject_kind text, subject text, metric text, value decimal, period_start timestamp, period_end timestamp, gauge bool"
        ),
        Case(
            "charges", .charges,
            """
            id text, ts timestamp, tenant text, user text, provider text, model text, feature text, amount decimal, currency text, \
            tokens int64, ref text
            """),
        Case(
            "payments", .payments,
            """
            id text, ts timestamp, user text, tenant text, plan text, gross decimal, fee decimal, tax decimal, currency text, status text, \
            region text, sandbox bool
            """),
        Case(
            "invoices", .invoices,
            """
            id text, vendor text, service text, category text, part text, environment text, amount decimal, currency text, \
            period_start timestamp, period_end timestamp
            """),
        Case(
            "snapshots", .snapshots,
            "kind text, id text, updated_at timestamp, parent text, tenant text, plan text, status text, attributes text"),
    ]

    @Test("The columns of every log are frozen", arguments: columns)
    func frozen(_ row: Case<Log, String>) {
        #expect(row.input.columns.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ") == row.expected)
    }

    @Test("The table above holds every log, and the version is that of its columns")
    func whole() {
        #expect(LogTests.columns.map(\.input) == Log.allCases)
        #expect(Log.schemaVersion == 1)
        #expect(
            Log.originColumns.map { "\($0.name) \($0.type.rawValue)" } == [
                "source text", "source_file text", "source_record int64",
            ])
    }

    @Test("What names a row, what dates it and what it cannot be without, by log")
    func rules() {
        #expect(
            Log.allCases.map { "\($0.rawValue): \($0.identity) \($0.timeColumn) \($0.required)" } == [
                #"usage: ["id"] ts []"#, #"sessions: ["id"] ts []"#, #"texts: ["id", "part"] ts ["id", "part", "text"]"#,
                #"meters: ["id"] period_start ["metric", "value"]"#, #"charges: ["id"] ts ["amount", "currency"]"#,
                #"payments: ["id"] ts ["gross", "currency"]"#, #"invoices: ["id"] period_start ["amount", "currency"]"#,
                #"snapshots: ["kind", "id", "updated_at"] updated_at ["kind", "id"]"#,
            ])
    }
}
