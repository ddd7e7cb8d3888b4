import Common
import Glibc

/// What was done, kept in `ledger.sqlite` of a home: the one store that cannot be rebuilt.
public final class Ledger {
    public let home: String
    public let database: Database
    private let lock: Int32?
    /// Stands on every receipt written through this ledger; 0 for a reader.
    public let run: Int64

    deinit { if let lock { close(lock) } }

    /// Whether it was opened for reading beside whatever run there may be.
    public var isReader: Bool { lock == nil }

    private init(home: String, database: Database, lock: Int32?, run: Int64) {
        (self.home, self.database, self.lock, self.run) = (home, database, lock, run)
    }

    /// Opens a home for one run: takes its lock, makes what is missing, brings the tables up to date.
    ///
    /// Throws with kind `.locked` where another run holds the lock.
    public static func openForRun(home: String, migrations: [Migration], now: Instant) throws -> Ledger {
        try makeFolder(home)
        let lock = try takeLock(home)
        do {
            let path = home + "/ledger.sqlite"
            if !exists(path) { try refuseLost(home) }
            let database = try Database(path: path, readOnly: false)
            if try database.isBlank() { try refuseLost(home) }
            try database.migrate(own + migrations)
            try database.execute("INSERT INTO runs (started_at) VALUES (?)", [.text(now.description)])
            let run = try database.rows("SELECT max(id) FROM runs").first?.integer(0) ?? 0
            return Ledger(home: home, database: database, lock: lock, run: run)
        } catch {
            close(lock)
            throw error
        }
    }

    /// Opens a home for reading only; never waits for a run. nil where there is no ledger yet.
    public static func openForReading(home: String, migrations: [Migration]) throws -> Ledger? {
        let path = home + "/ledger.sqlite"
        // Blank it is while the first run makes its tables.
        if exists(path), case let database = try Database(path: path, readOnly: true), try !database.isBlank() {
            try database.checkMigrated(own + migrations)
            return Ledger(home: home, database: database, lock: nil, run: 0)
        }
        try refuseLost(home)
        return nil
    }

    /// A home that has stores but no ledger has lost it. To begin anew would ask for answers again that were paid for.
    private static func refuseLost(_ home: String) throws {
        guard let store = ["answers", "lake"].first(where: { kind(of: home + "/" + $0) == .folder }) else { return }
        throw Failure(
            "The ledger is lost or empty, and \(store)/ beside it is not. Restore it from a backup, or give another --home to begin anew.",
            at: Place(path: home + "/ledger.sqlite"))
    }

    private static func takeLock(_ home: String) throws -> Int32 {
        let path = home + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(
                "The home cannot be written to: \(String(cString: strerror(errno))). Check its owner and mode.",
                at: Place(path: path))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(
                "Another run holds this home. Wait for it to end, or use another --home.", at: Place(path: path), kind: .locked)
        }
        return descriptor
    }

    private static let own = [
        Migration(
            "ledger", "1 runs and receipts",
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL) STRICT",
            """
            CREATE TABLE receipts (
                job TEXT NOT NULL, period TEXT NOT NULL, stage TEXT NOT NULL,
                inputs TEXT NOT NULL, outputs TEXT NOT NULL, summary TEXT NOT NULL,
                run INTEGER NOT NULL REFERENCES runs (id), at TEXT NOT NULL,
                PRIMARY KEY (job, period, stage)) STRICT
            """)
    ]
}

/// Says that a stage has done its work for a period, from which inputs, and what came of it.
public struct Receipt: Equatable, Sendable {
    /// The digest of everything the stage's outputs depend on.
    public let inputs: Digest
    /// The digest of what it made: the next stage's inputs build on it.
    public let outputs: Digest
    /// One line for people.
    public let summary: String

    public init(inputs: Digest, outputs: Digest, summary: String) {
        (self.inputs, self.outputs, self.summary) = (inputs, outputs, summary)
    }
}

extension Ledger {
    public func receipt(job: String, period: String, stage: String) throws -> Receipt? {
        let sql = "SELECT inputs, outputs, summary FROM receipts WHERE job = ? AND period = ? AND stage = ?"
        return try database.rows(sql, [.text(job), .text(period), .text(stage)]).first.flatMap { row in
            guard let inputs = Digest(hex: row.text(0)), let outputs = Digest(hex: row.text(1)) else { return nil }
            return Receipt(inputs: inputs, outputs: outputs, summary: row.text(2))
        }
    }

    /// Call it inside the transaction that records the work itself: both are kept, or neither.
    public func record(_ receipt: Receipt, job: String, period: String, stage: String, now: Instant) throws {
        try database.execute(
            "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(job), .text(period), .text(stage), .text(receipt.inputs.hex), .text(receipt.outputs.hex),
                .text(receipt.summary),
                .integer(run), .text(now.description),
            ])
    }

    /// Every receipt of a job: (period, stage, receipt, when), by period and stage.
    public func receipts(job: String) throws -> [(period: String, stage: String, summary: String, at: String)] {
        try database.rows("SELECT period, stage, summary, at FROM receipts WHERE job = ? ORDER BY period, stage", [.text(job)])
            .map { ($0.text(0), $0.text(1), $0.text(2), $0.text(3)) }
    }
}
