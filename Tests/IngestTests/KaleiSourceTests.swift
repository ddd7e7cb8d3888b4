import Common
import Lake
import Testing

@testable import Ingest

/// The sources of Jobs/kalei.json5, each with one record of its export as the product prints it.
@Suite struct KaleiSourceTests {
    private static let jobPath: String = {
        let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return joined(repository, "Jobs/kalei.json5")
    }()

    private func sources() throws -> [Source] {
        let job = try parseJSON5(try readFile(KaleiSourceTests.jobPath, as: "job file"), path: KaleiSourceTests.jobPath)
        guard case .object(let members) = job.value, let node = members.first(where: { $0.key == "sources" })?.value,
            case .array(let entries) = node.value
        else { throw Failure("The job has no sources.") }
        return try entries.map { try Source(try ConfigObject($0, Source.schema), jobColumns: []) }
    }

    /// What the record of one file becomes: for each entry that reads it, the columns that hold something.
    private func stored(_ file: String, _ line: String) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            try bench.put(file, gzipped(Array("\(line)\n".utf8)))
            let order = IngestOrder(
                job: "kalei", data: bench.data, sources: try sources(), jobColumns: [],
                acceptFrom: try #require(Day("2025-01-01")),
                now: try #require(Instant("2026-11-16T00:30:00Z")))
            _ = try ingest(order, into: bench.lake, talk: .silent)
            #expect(try bench.refusals() == [])
            for log in Log.allCases {
                let columns = log.columns + [ColumnSpec("source", .text)]
                for row in try bench.rows(columns.map(\.name), of: log) {
                    let values = zip(columns, row.split(separator: "|", omittingEmptySubsequences: false)).filter {
                        $0.1 != "null"
                    }
                    found.append("\(log.rawValue): " + values.map { "\($0.0.name)=\($0.1)" }.joined(separator: " "))
                }
            }
        }
        return found
    }

    /// K-88: every class of tokens, the model, the feature, the member and the time of each logged call.
    @Test("A logged call has its tokens by class, its model, feature, member and time")
    func call() throws {
        let line = #"""
            {"id":"c1","ts":"2026-09-28 04:08:22.272360+00","user_id":"u1","session_id":"s1","feature":"mirror_reflection",\#
            "model":"claude-haiku-4-5-20251001","provider":"anthropic","input_tokens":900,"cache_read_input_tokens":800,\#
            "cache_creation_input_tokens":400,"output_tokens":1050,"service_tier":"standard","route":"primary",\#
            "prompt_version":"m-5","latency_ms":1496,"status":"ok"}
            """#
        let expected = """
            usage: id=c1 ts=2026-09-28T04:08:22.272360Z user=u1 session=s1 feature=mirror_reflection provider=anthropic \
            model=claude-haiku-4-5-20251001 input_tokens=900 cache_read_tokens=800 cache_write_5m_tokens=400 output_tokens=1050 \
            service_tier=standard route=primary status=ok latency_ms=1496 source=api_usage
            """
        let rows = try stored("api_usage/api_usage-2026-09-28.jsonl.gz", line)
        #expect(rows == [expected])
    }

    struct Table: Sendable, CustomTestStringConvertible {
        let name: String
        let day: String
        let line: String
        let rows: [String]

        var testDescription: String { name }
        var file: String { "\(name)/\(name)-\(day).jsonl.gz" }
    }

    private static let tables: [Table] = [
        Table(
            name: "mirror_sessions", day: "2026-10-05",
            line: #"""
                {"id":"s1","user_id":"u1","started_at":"2026-09-28 04:51:08.128862+00","ended_at":"2026-09-28 04:58:20+00","word_count":26,\#
                "entry_text":"I am late.","reflection_text":"One step.","crisis_flag":false,"locale":"en-GB"}
                """#,
            rows: [
                "sessions: id=s1 ts=2026-09-28T04:51:08.128862Z user=u1 session=s1 kind=mirror crisis=false words=26 source=mirror_sessions",
                "texts: id=s1 part=entry ts=2026-09-28T04:51:08.128862Z user=u1 session=s1 role=user text=I am late. source=mirror_entries",
                """
                texts: id=s1 part=reflection ts=2026-09-28T04:51:08.128862Z user=u1 session=s1 role=assistant text=One step. \
                source=mirror_reflections
                """,
            ]),
        Table(
            name: "mirror_fragments", day: "2026-10-05",
            line: #"""
                {"id":"f1","session_id":"s1","user_id":"u1","created_at":"2026-09-28 04:54:52.643217+00","pattern":"all_or_nothing",\#
                "quote":"I am late.","intensity":5,"tapped":true,"reframe_text":"…","reframe_style":"gentle","resonated":true}
                """#,
            rows: [
                """
                sessions: id=f1 ts=2026-09-28T04:54:52.643217Z user=u1 session=s1 kind=fragment label=all_or_nothing score=5 style=gentle \
                outcome=true source=mirror_fragments
                """
            ]),
        Table(
            name: "turns", day: "2026-10-05",
            line: #"""
                {"id":"t1","user_id":"u1","created_at":"2026-09-28 05:13:56.831111+00","fragment_id":null,"input_text":"So late.",\#
                "style":"gentle","perspectives":["a","b"],"chosen":0,"saved_to_gallery":true}
                """#,
            rows: [
                "sessions: id=t1 ts=2026-09-28T05:13:56.831111Z user=u1 kind=turn style=gentle outcome=0 source=turns",
                "texts: id=t1 part=input ts=2026-09-28T05:13:56.831111Z user=u1 role=user text=So late. source=turn_inputs",
            ]),
        Table(
            name: "users", day: "2026-10-05",
            line: #"""
                {"id":"u1","email":"mira@example.com","plan":"free","locale":"en-GB","time_zone":"Europe/London","consent_insights":true,\#
                "consent_changed_at":"2026-03-13","created_at":"2026-03-13","deleted_at":null}
                """#,
            rows: [
                #"""
                snapshots: kind=user id=u1 updated_at=2026-10-05T00:00:00Z plan=free \#
                attributes={"consent_changed_at":"2026-03-13","consent_insights":true,"created_at":"2026-03-13","deleted_at":null,\#
                "locale":"en-GB","time_zone":"Europe/London"} source=users
                """#
            ]),
        Table(
            name: "subscriptions", day: "2026-10-05",
            line: #"""
                {"id":"p1","user_id":"u1","plan":"prism","interval":"month","price":"4.99","currency":"USD","store":"web",\#
                "status":"active","started_at":"2026-05-13 06:31:40+00","ends_at":null}
                """#,
            rows: [
                #"""
                snapshots: kind=subscription id=p1 updated_at=2026-10-05T00:00:00Z parent=u1 plan=prism status=active \#
                attributes={"currency":"USD","ends_at":null,"interval":"month","price":"4.99","started_at":"2026-05-13 06:31:40+00",\#
                "store":"web"} source=subscriptions
                """#
            ]),
        Table(
            name: "lens_goals", day: "2026-10-05",
            line: #"{"id":"g1","user_id":"u1","created_at":"2026-03-13","area":"work","goal_text":"Sleep.","active":true}"#,
            rows: [
                #"""
                snapshots: kind=goal id=g1 updated_at=2026-10-05T00:00:00Z parent=u1 \#
                attributes={"active":true,"area":"work","created_at":"2026-03-13"} source=lens_goals
                """#
            ]),
    ]

    /// K-85: the product's tables, each row for the log that it belongs to; mail addresses are not read.
    @Test("A row of each of the product's tables becomes a row of its log", arguments: tables)
    func table(_ table: Table) throws {
        let rows = try stored(table.file, table.line)
        #expect(rows == table.rows)
    }

    @Test("Rows without ids of their own get one of 36 characters, the same in every home")
    func ownIDs() throws {
        let line = #"{"goal_id":"g1","shown_on":"2026-09-28","text":"Slowly.","source":"model"}"#
        let first = try stored("affirmations/affirmations-2026-10-05.jsonl.gz", line)
        #expect(
            first.count == 1
                && first[0].hasSuffix(" ts=2026-09-28T00:00:00Z session=g1 kind=lens outcome=model source=affirmations"))
        #expect(first[0].hasPrefix("sessions: id=row-") && first[0].split(separator: " ")[1].count == "id=".count + 36)
        #expect(try stored("affirmations/affirmations-2026-10-05.jsonl.gz", line) == first)
    }

    @Test("Gauges and bills are read into their logs")
    func metersAndInvoices() throws {
        let gauges = try stored(
            "meters/meters-2026-10-05.jsonl.gz", #"{"day":"2026-09-28","registered_users":187,"concurrent_connections_max":13}"#)
        #expect(
            gauges.map { $0.split(separator: " ").filter { !$0.hasPrefix("id=") }.joined(separator: " ") } == [
                "meters: metric=concurrent_connections_max value=13 period_start=2026-09-28T00:00:00Z gauge=true source=concurrent_connections",
                "meters: metric=registered_users value=187 period_start=2026-09-28T00:00:00Z gauge=true source=registered_users",
            ])
        let bill = try stored(
            "invoices/invoices-2026-10.jsonl.gz",
            #"{"vendor":"Netcup","item":"VPS","amount":"8.45","currency":"EUR","period":{"start":"2026-10-01","end":"2026-11-01"}}"#
        )
        #expect(bill.count == 1)
        #expect(
            bill[0].hasSuffix(
                "vendor=Netcup service=VPS amount=8.45 currency=EUR period_start=2026-10-01T00:00:00Z period_end=2026-11-01T00:00:00Z source=invoices"
            ))
    }
}
