import Common
import Glibc
import Ledger

/// The rows of every job, as day folders of Parquet parts under `lake/`, with the list of valid parts in the ledger.
///
///     lake/kalei/usage/day=2026-11-09/part-3fb0….parquet
///
/// A day folder changes in one step (promise 6): built in `staging/`, the swap committed in the ledger together with whatever
/// it follows from, then exchanged whole. What was committed but not exchanged is rolled forward by the next run.
public final class Lake {
    public let ledger: Ledger
    public var home: String { ledger.home }

    public init(_ ledger: Ledger) { self.ledger = ledger }

    public static let migrations = [
        Migration(
            "lake", "1 parts and swaps",
            """
            CREATE TABLE parts (
                job TEXT NOT NULL, log TEXT NOT NULL, day TEXT NOT NULL, file TEXT NOT NULL,
                rows INTEGER NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL,
                PRIMARY KEY (job, log, day, file)) STRICT, WITHOUT ROWID
            """,
            "CREATE TABLE swaps (staged TEXT PRIMARY KEY, place TEXT NOT NULL) STRICT, WITHOUT ROWID")
    ]

    /// The folder of one day, relative to the home.
    static func folder(job: String, log: Log, day: Day) -> String { "lake/\(job)/\(log.rawValue)/day=\(day)" }
}

/// One Parquet file of a day.
public struct Part: Hashable, Sendable {
    public let day: Day
    public let file: String
    public let rows: Int
    public let bytes: Int
    public let digest: Digest
    let folder: String

    /// Relative to the home.
    public var path: String { folder + "/" + file }

    /// Opens it for its rows to be written anew. Bytes that have changed must not get a new digest: nobody would ever notice.
    public func openToRewrite(home: String) throws -> ParquetFile {
        let file = try ParquetFile(path: joined(home, path))
        guard try digestOfFile(file.path) == digest else {
            throw Failure(
                "The Parquet part has changed since it was written, and rows of it are to be written anew. Restore it from a backup.",
                at: Place(path: file.path))
        }
        return file
    }
}

// MARK: - Reading

extension Lake {
    /// The valid parts of a log, by day and file; all days, or those from `first` to `last`.
    public func parts(job: String, log: Log, from first: Day? = nil, to last: Day? = nil) throws -> [Part] {
        let sql = """
            SELECT day, file, rows, bytes, digest FROM parts WHERE job = ? AND log = ? AND day >= ? AND day <= ? ORDER BY day, file
            """
        let values: [SQLValue] = [
            .text(job), .text(log.rawValue), .text(first?.description ?? ""), .text(last?.description ?? "9"),
        ]
        return try ledger.database.rows(sql, values).map { row in
            guard let day = Day(row.text(0)), let digest = Digest(hex: row.text(4)) else {
                throw Failure(
                    "The ledger's list of parts is damaged (\(row.text(0))). Restore it from a backup.", at: Place(path: home))
            }
            return Part(
                day: day, file: row.text(1), rows: row.int(2), bytes: row.int(3), digest: digest,
                folder: Lake.folder(job: job, log: log, day: day))
        }
    }

    /// What the rows of a log are, as one digest: equal parts, equal rows.
    public static func digest(of parts: [Part]) -> Digest { Digest.of(parts: parts.map { "\($0.day)/\($0.digest.hex)" }) }

    /// Runs `body` on one state of the lake: all lists it asks for are of one moment, also beside a run that swaps days. What it needs
    /// of their parts it must have opened or read when it ends.
    ///
    /// A part of that moment may be gone before it is opened; then the whole is begun anew, with what is there now.
    public func consistently<T>(_ body: () throws -> T) throws -> T {
        guard ledger.isReader, !ledger.database.isReading else { return try body() }
        for _ in 0..<400 {
            let before = try state()
            do {
                return try ledger.database.reading(body)
            } catch {
                // Where nothing has moved meanwhile, looking again would find the same.
                let after = try state()
                if before == after, !after.isSwapping { throw error }
                usleep(5000)
            }
        }
        throw Failure("The lake has not come to rest. Try again when the run beside this has ended.", at: Place(path: home))
    }

    private func state() throws -> (version: Int, isSwapping: Bool) {
        let version = try ledger.database.rows("PRAGMA data_version").first?.int(0) ?? 0
        return (version, try !ledger.database.rows("SELECT 1 FROM swaps LIMIT 1").isEmpty)
    }

    /// Opens every part of a list before the first row is read.
    public func open(_ list: () throws -> [Part]) throws -> [(part: Part, file: ParquetFile)] {
        try consistently { try list().map { ($0, try open($0)) } }
    }

    /// Opens one part, also while its day is being swapped.
    public func open(_ part: Part) throws -> ParquetFile {
        let path = joined(home, part.path)
        let staged = joined(home, Lake.staged(part.folder) + "/" + part.file)
        return try ParquetFile(path: exists(path) || !exists(staged) ? path : staged)
    }

    /// Hands over every row group of a snapshot with the wanted columns; of the others nothing is read.
    ///
    /// With `times` (microseconds) a row group is left out where its statistics say that no row falls on them. Others still hold rows
    /// of other times: whoever asks looks at the time of each.
    public func scan(
        job: String, log: Log, from first: Day? = nil, to last: Day? = nil, times: Range<Int64>? = nil, columns: [ColumnSpec],
        _ body: (Part, Batch) throws -> Void
    ) throws {
        for (part, file) in try open({ try parts(job: job, log: log, from: first, to: last) }) {
            for (index, group) in file.groups.enumerated() {
                if let times, !group.mayHold(log.timeColumn, in: times) { continue }
                try body(part, try file.read(group: index, columns: columns))
            }
        }
    }

    /// The first and last day that hold rows of a log.
    public func days(job: String, log: Log) throws -> (first: Day, last: Day)? {
        let row = try ledger.database.rows(
            "SELECT min(day), max(day) FROM parts WHERE job = ? AND log = ?", [.text(job), .text(log.rawValue)])
        guard let first = row.first.flatMap({ Day($0.text(0)) }), let last = row.first.flatMap({ Day($0.text(1)) }) else {
            return nil
        }
        return (first, last)
    }
}

// MARK: - Changing

extension Lake {
    static func staged(_ place: String) -> String { "staging/" + place }

    /// Where the parts of a run are written; may be used by several threads.
    public func staging(job: String) -> LakeStaging { LakeStaging(home: home, job: job) }

    /// Puts together what a day is to hold from now on: parts of the lake that stay, and parts from staging. No part at all means
    /// that the day goes. Nothing is visible before `commit`.
    public func assemble(job: String, log: Log, day: Day, keeping kept: [Part], adding fresh: [StagedPart]) throws -> StagedDay {
        let folder = Lake.folder(job: job, log: log, day: day)
        let path = joined(home, Lake.staged(folder))
        try removeTree(path)
        try makeFolder(path)
        for part in kept { try hardLink(joined(home, part.path), to: path + "/" + part.file) }
        for staged in fresh { try rename(staged.path, to: path + "/" + staged.part.file) }
        let parts = (kept + fresh.map(\.part)).sorted { $0.file < $1.file }
        return StagedDay(job: job, log: log, folder: folder, day: day, parts: parts, fresh: fresh.map(\.part.file))
    }

    /// Where a file waits in staging that is to stand at `place` after `commit`.
    public func stagingPath(of place: String) -> String { joined(home, Lake.staged(place)) }

    /// Writes a file into staging that is to stand at `place` (relative to the home) after `commit`.
    public func stage(_ bytes: [UInt8], at place: String) throws -> StagedFile {
        let path = stagingPath(of: place)
        if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
        try writeNew(bytes, to: path)
        return StagedFile(place: place)
    }

    /// Makes staged days and files the valid ones, in one transaction with `receipts`, then puts them in place.
    public func commit(days: [StagedDay], files: [StagedFile], _ receipts: () throws -> Void) throws {
        try makeLasting(days)
        try ledger.database.transaction {
            for staged in days {
                let key: [SQLValue] = [.text(staged.job), .text(staged.log.rawValue), .text(staged.day.description)]
                try ledger.database.execute("DELETE FROM parts WHERE job = ? AND log = ? AND day = ?", key)
                for part in staged.parts {
                    try ledger.database.execute(
                        "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                        key + [.text(part.file), .count(part.rows), .count(part.bytes), .text(part.digest.hex)])
                }
            }
            for swap in days.map({ (Lake.staged($0.folder), $0.folder) }) + files.map({ ($0.staged, $0.place) }) {
                try ledger.database.execute("INSERT OR REPLACE INTO swaps VALUES (?, ?)", [.text(swap.0), .text(swap.1)])
            }
            try receipts()
        }
        try rollForward()
    }

    /// Makes what staged days hold last through a power cut, before the ledger speaks of it. All at once, behind the last change of a
    /// folder, and several waiting at a time: a file system then writes its journal once and not for every part.
    private func makeLasting(_ days: [StagedDay]) throws {
        let folders = days.map { joined(home, Lake.staged($0.folder)) }
        let files = zip(days, folders).flatMap { day, folder in day.fresh.map { folder + "/" + $0 } }
        for paths in [files, folders] { try inParallel(paths.count, threads: 8) { try sync(paths[$0]) } }
    }

    /// Puts in place whatever a run has committed but not finished, and sweeps staging. Every run begins with it.
    public func rollForward() throws {
        for row in try ledger.database.rows("SELECT staged, place FROM swaps ORDER BY staged") {
            let (staged, place) = (joined(home, row.text(0)), joined(home, row.text(1)))
            if row.text(1).hasPrefix("lake/") {
                // Part names are digests, so the names tell whether the exchange has already happened.
                let expected = try validFiles(in: row.text(1))
                if try names(in: place) != expected { try exchange(staged, with: place) }
                try removeTree(staged)
                if expected.isEmpty { try removeTree(place) }
            } else if row.text(0).hasPrefix(StagedFile.gone) {
                try remove(row.text(1))
            } else if exists(staged) {
                if let slash = place.lastIndex(of: "/") { try makeFolder(String(place[..<slash])) }
                try rename(staged, to: place)
            }
        }
        try ledger.database.execute("DELETE FROM swaps")
        try removeTree(joined(home, "staging"))
    }

    /// Removes a file, and the folders that are empty without it; also where a run was killed between the two.
    private func remove(_ place: String) throws {
        try removeTree(joined(home, place))
        var folder = place[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            let path = joined(home, String(folder))
            guard try names(in: path).isEmpty else { return }
            try removeTree(path)
        }
    }

    private func validFiles(in folder: String) throws -> [String] {
        let parts = folder.split(separator: "/").map(String.init)  // lake, job, log, day=…
        guard parts.count == 4 else { return [] }
        let sql = "SELECT file FROM parts WHERE job = ? AND log = ? AND day = ? ORDER BY file"
        return try ledger.database.rows(sql, [.text(parts[1]), .text(parts[2]), .text(String(parts[3].dropFirst(4)))]).map {
            $0.text(0)
        }
    }
}

/// A day's new content, waiting in staging.
public struct StagedDay: Sendable {
    let job: String
    let log: Log
    let folder: String
    public let day: Day
    public let parts: [Part]
    /// The files of those parts that no earlier commit has made to last.
    let fresh: [String]
}

/// Writes parts that belong to nothing yet; what a run that was killed leaves there is swept by the next one.
public struct LakeStaging: Sendable {
    let home: String
    let job: String

    /// A folder for work in progress, below staging.
    public func temporaryFolder(_ name: String) -> String { joined(home, "staging/work/\(job)/\(name)") }

    /// Writes rows, in their final order, as a part of a day.
    public func stagePart(log: Log, day: Day, rows: Batch) throws -> StagedPart {
        let metadata = [
            (key: "vesper.log", value: log.rawValue), (key: "vesper.schema_version", value: String(Log.schemaVersion)),
        ]
        let bytes = try parquetBytes(rows, metadata: metadata)
        let digest = Digest.of(bytes)
        let file = "part-\(digest.short).parquet"
        let folder = temporaryFolder("\(log.rawValue)/\(day)")
        try makeFolder(folder)
        // What was staged twice is written anew. It need not last before `commit`, which waits for the disk.
        try removeTree(folder + "/" + file)
        try writeAhead(bytes, to: folder + "/" + file)
        let part = Part(
            day: day, file: file, rows: rows.count, bytes: bytes.count, digest: digest,
            folder: Lake.folder(job: job, log: log, day: day))
        return StagedPart(part: part, path: folder + "/" + file)
    }
}

/// A part that waits in staging.
public struct StagedPart: Hashable, Sendable {
    public let part: Part
    let path: String

    public func open() throws -> ParquetFile { try ParquetFile(path: path) }
}

/// A file's new content, waiting in staging; or that there is to be no such file any more.
public struct StagedFile: Sendable {
    public let place: String
    /// Where the content waits, as the ledger has it.
    let staged: String

    /// Before the place of a file that goes, where others have the place of what takes theirs.
    static let gone = "gone/"

    /// For a file that was written to `stagingPath(of:)` already.
    public init(place: String) { (self.place, staged) = (place, Lake.staged(place)) }

    /// For a file that is to go.
    public init(removing place: String) { (self.place, staged) = (place, StagedFile.gone + place) }
}
