import Common
import Insights
import Ledger

/// One bulk file of requests and how far it has come.
public struct BulkBatch: Equatable, Sendable {
    public let id: String
    public let job: String
    public let period: String
    public let insight: String
    public let provider: String
    /// The bulk file, relative to the home.
    public let file: String
    public let requests: Int
    public let state: State
    public let providerID: String?
    /// The raw results, relative to the home, once they have been received.
    public let answers: String?

    public enum State: String, CaseIterable, Sendable {
        /// Its file is written; nobody has been asked.
        case prepared
        /// About to be sent: whether it arrived is not known until the provider has said so.
        case intended
        /// The provider has it.
        case submitted
        /// Its results are stored and pinned.
        case collected
    }

    /// Where raw results go, relative to the home.
    var answersPlace: String { "answers/\(job)/\(period)/\(insight)-\(id).jsonl" }
}

public let batchMigrations = [
    Migration(
        "batches", "1 batches and what was asked",
        """
        CREATE TABLE batches (
            id TEXT PRIMARY KEY, job TEXT NOT NULL, period TEXT NOT NULL, insight TEXT NOT NULL, provider TEXT NOT NULL,
            file TEXT NOT NULL, digest TEXT NOT NULL, requests INTEGER NOT NULL, state TEXT NOT NULL,
            provider_id TEXT, answers TEXT) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE asked (
            job TEXT NOT NULL, insight TEXT NOT NULL, subject TEXT NOT NULL, period TEXT NOT NULL,
            batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE, custom_id TEXT NOT NULL, profile TEXT NOT NULL,
            outcome TEXT, detail TEXT, file_offset INTEGER, length INTEGER, digest TEXT,
            input_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER, output_tokens INTEGER,
            PRIMARY KEY (job, insight, subject, period)) STRICT, WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX asked_once ON asked (batch, custom_id)")
]

extension Ledger {
    /// The batches of a job (all periods, or one), by period, insight and file.
    public func batches(job: String? = nil, period: String? = nil, state: BulkBatch.State? = nil) throws -> [BulkBatch] {
        let sql = """
            SELECT id, job, period, insight, provider, file, requests, state, provider_id, answers FROM batches
            WHERE (?1 IS NULL OR job = ?1) AND (?2 IS NULL OR period = ?2) AND (?3 IS NULL OR state = ?3)
            ORDER BY job, period, insight, file
            """
        return try database.rows(sql, [.optional(job), .optional(period), .optional(state?.rawValue)]).map { row in
            guard let state = BulkBatch.State(rawValue: row.text(7)) else {
                throw Failure(
                    "The ledger holds the unknown batch state \"\(row.text(7))\". Restore it from a backup.",
                    at: Place(path: home))
            }
            return BulkBatch(
                id: row.text(0), job: row.text(1), period: row.text(2), insight: row.text(3), provider: row.text(4),
                file: row.text(5),
                requests: row.int(6), state: state, providerID: row.optionalText(8), answers: row.optionalText(9))
        }
    }
}
