import Common
import Ledger

/// How the records that were read ended; the five add up to the records (promise 1).
public struct Counts: Equatable, Sendable {
    public var accepted = 0
    public var duplicate = 0
    public var outOfRange = 0
    public var filtered = 0
    /// By reason.
    public var quarantined: [String: Int] = [:]
    /// Texts that had been encoded twice and were put right: no end of a record, but worth knowing.
    public var repaired = 0

    public init() {}

    public var quarantinedTotal: Int { quarantined.values.reduce(0, +) }
    public var records: Int { accepted + duplicate + outOfRange + filtered + quarantinedTotal }

    public static func += (a: inout Counts, b: Counts) {
        a.accepted += b.accepted
        a.duplicate += b.duplicate
        a.outOfRange += b.outOfRange
        a.filtered += b.filtered
        a.repaired += b.repaired
        a.quarantined.merge(b.quarantined, uniquingKeysWith: +)
    }

    static func -= (a: inout Counts, b: Counts) {
        a.accepted -= b.accepted
        a.duplicate -= b.duplicate
        a.outOfRange -= b.outOfRange
        a.filtered -= b.filtered
        a.repaired -= b.repaired
        a.quarantined.merge(b.quarantined.mapValues { -$0 }, uniquingKeysWith: +)
    }

    /// `accepted 41,203 · duplicate 12 · quarantined 3 (2 cache_exceeds_input, 1 bad_json)`; what is zero is left out, accepted never.
    public var summary: String {
        var parts = ["accepted \(grouped(accepted))"]
        for (name, count) in [("duplicate", duplicate), ("out of range", outOfRange), ("filtered", filtered)] where count != 0 {
            parts.append("\(name) \(grouped(count))")
        }
        if quarantinedTotal != 0 {
            let reasons = quarantined.filter { $0.value != 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            parts.append(
                "quarantined \(grouped(quarantinedTotal)) (\(reasons.map { "\(grouped($0.value)) \($0.key)" }.joined(separator: ", ")))"
            )
        }
        if repaired != 0 { parts.append("\(counted(repaired, "text")) repaired") }
        return parts.joined(separator: " · ")
    }
}

/// One file as one source entry reads it: what is read, counted and corrected as a whole.
public struct SourceFile: Hashable, Comparable, Sendable {
    public let source: String
    /// Below the data folder.
    public let file: String

    public init(source: String, file: String) { (self.source, self.file) = (source, file) }

    public static func < (a: SourceFile, b: SourceFile) -> Bool { (a.source, a.file) < (b.source, b.file) }
}

/// Names the counts of one source entry and one file.
struct CountKey: Hashable, Comparable {
    let source: String
    let log: String
    let file: String

    var sourceFile: SourceFile { SourceFile(source: source, file: file) }

    static func < (a: CountKey, b: CountKey) -> Bool { (a.source, a.file) < (b.source, b.file) }
}

public let ingestMigrations = [
    Migration(
        "ingest", "1 files, counts and the list of a run",
        """
        CREATE TABLE files (
            job TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL,
            size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
            digest TEXT NOT NULL, lines INTEGER NOT NULL, ends_with_newline INTEGER NOT NULL,
            PRIMARY KEY (job, source, path)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE pending_files (
            job TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL,
            size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL, lines_read INTEGER NOT NULL,
            PRIMARY KEY (job, source, path)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE counts (
            job TEXT NOT NULL, source TEXT NOT NULL, log TEXT NOT NULL, file TEXT NOT NULL,
            outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (job, source, file, outcome, reason)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE stored_days (
            job TEXT NOT NULL, source TEXT NOT NULL, log TEXT NOT NULL, file TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL,
            PRIMARY KEY (job, source, file, day)) STRICT, WITHOUT ROWID
        """),
    Migration(
        "ingest", "2 the format that a file was read as", "ALTER TABLE files ADD COLUMN format TEXT NOT NULL DEFAULT 'jsonl'"),
    // What a correction must know: under which mapping a file was read ('' is not known); whether rows of it may come from a content
    // that has been overwritten since; whose rows lost against whose ('' is any file of the log); and which files are not read any more.
    Migration(
        "ingest", "3 corrections",
        "ALTER TABLE files ADD COLUMN mapping TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE files ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE files SET superseded = 1 WHERE lines < (
            SELECT sum(count) FROM counts
            WHERE job = files.job AND source = files.source AND file = files.path AND outcome <> 'repaired')
        """,
        """
        CREATE TABLE displaced (
            job TEXT NOT NULL, log TEXT NOT NULL, source TEXT NOT NULL, file TEXT NOT NULL,
            by_source TEXT NOT NULL, by_file TEXT NOT NULL,
            PRIMARY KEY (job, log, source, file, by_source, by_file)) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO displaced SELECT DISTINCT job, log, source, file, '', '' FROM counts
        WHERE count > 0 AND (outcome = 'duplicate' OR reason = 'id_reused')
        """,
        """
        CREATE TABLE dropped_files (
            job TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (job, source, path)) STRICT, WITHOUT ROWID
        """),
]

/// The counts of a job, by log, over all that was ever read.
public func countsByLog(_ ledger: Ledger, job: String) throws -> [(log: String, counts: Counts)] {
    collected(
        try ledger.database.rows(
            "SELECT log, outcome, reason, sum(count) FROM counts WHERE job = ? GROUP BY 1, 2, 3", [.text(job)]))
}

/// The counts of the files that gave rows to these lake days, by source entry: what a page says about its data.
public func countsBySource(_ ledger: Ledger, job: String, from first: Day, to last: Day) throws -> [(
    source: String, counts: Counts
)] {
    let sql = """
        SELECT source, outcome, reason, sum(count) FROM counts
        WHERE job = ?1 AND (source, file) IN (
            SELECT source, file FROM stored_days WHERE job = ?1 AND day >= ?2 AND day <= ?3 AND rows > 0)
        GROUP BY 1, 2, 3
        """
    return collected(try ledger.database.rows(sql, [.text(job), .text(first.description), .text(last.description)]))
        .map { (source: $0.log, counts: $0.counts) }
}

private func collected(_ rows: [SQLRow]) -> [(log: String, counts: Counts)] {
    var found: [String: Counts] = [:]
    for row in rows { found[row.text(0), default: Counts()].add(row.int(3), outcome: row.text(1), reason: row.text(2)) }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
}

extension Counts {
    mutating func add(_ count: Int, outcome: String, reason: String) {
        switch outcome {
        case "accepted": accepted += count
        case "duplicate": duplicate += count
        case "out_of_range": outOfRange += count
        case "filtered": filtered += count
        case "repaired": repaired += count
        default: quarantined[reason, default: 0] += count
        }
    }

    fileprivate var rows: [(outcome: String, reason: String, count: Int)] {
        [
            ("accepted", "", accepted), ("duplicate", "", duplicate), ("out_of_range", "", outOfRange),
            ("filtered", "", filtered), ("repaired", "", repaired),
        ] + quarantined.map { ("quarantined", $0.key, $0.value) }
    }
}

extension Ledger {
    /// Adds to the rows that a file has on each lake day.
    func add(_ days: [CountKey: [Day: Int]], job: String) throws {
        for (key, rows) in days {
            for (day, count) in rows where count != 0 {
                try database.execute(
                    """
                    INSERT INTO stored_days VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET rows = rows + excluded.rows
                    """,
                    [.text(job), .text(key.source), .text(key.log), .text(key.file), .text(day.description), .count(count)])
            }
        }
    }

    /// Adds to the counts; a row that another one has displaced comes off its own file.
    func add(_ counts: [CountKey: Counts], job: String) throws {
        for (key, counts) in counts {
            for row in counts.rows where row.count != 0 {
                try database.execute(
                    """
                    INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET count = count + excluded.count
                    """,
                    [
                        .text(job), .text(key.source), .text(key.log), .text(key.file), .text(row.outcome), .text(row.reason),
                        .count(row.count),
                    ])
            }
        }
    }
}
