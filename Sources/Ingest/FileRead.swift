import Common
import Lake
import Ledger

/// What the ledger knows of a file that was read for a source entry.
struct FileRead {
    let signature: FileSignature
    /// Of the bytes that were read.
    let digest: String
    let lines: Int64
    let endsWhole: Bool
    let format: String
    /// The digest of the mapping under which its rows came about; empty where an older vesper has read it.
    let mapping: String
    /// Whether rows of it may come from bytes that have been overwritten since.
    let isSuperseded: Bool

    /// Whether the bytes that were read still stand at the beginning of a file.
    func stands(at path: String) throws -> Bool {
        guard let now = FileSignature(of: path), now.size >= signature.size else { return false }
        return try now == signature || digestOfFile(path, size: signature.size)?.hex == digest
    }
}

extension Ledger {
    func filesRead(job: String) throws -> [SourceFile: FileRead] {
        let sql = """
            SELECT source, path, size, modified_ns, inode, digest, lines, ends_with_newline, format, mapping, superseded FROM files
            WHERE job = ?
            """
        let found = try database.rows(sql, [.text(job)]).map { row in
            (
                SourceFile(source: row.text(0), file: row.text(1)),
                FileRead(
                    signature: FileSignature(size: row.integer(2), modifiedNanoseconds: row.integer(3), inode: row.integer(4)),
                    digest: row.text(5), lines: row.integer(6), endsWhole: row.int(7) == 1, format: row.text(8),
                    mapping: row.text(9), isSuperseded: row.int(10) == 1)
            )
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Files that somebody has taken out: no run reads them.
    func droppedFiles(job: String) throws -> Set<SourceFile> {
        Set(
            try database.rows("SELECT source, path FROM dropped_files WHERE job = ?", [.text(job)]).map {
                SourceFile(source: $0.text(0), file: $0.text(1))
            })
    }

    /// How the records of each file ended, over all runs.
    func countsByFile(job: String) throws -> [SourceFile: Counts] {
        let rows = try database.rows("SELECT source, file, outcome, reason, count FROM counts WHERE job = ?", [.text(job)])
        return rows.reduce(into: [:]) { found, row in
            found[SourceFile(source: row.text(0), file: row.text(1)), default: Counts()]
                .add(row.int(4), outcome: row.text(2), reason: row.text(3))
        }
    }

    /// Which files have rows on which days of which logs.
    func storedDays(job: String) throws -> [(log: Log, day: Day, file: SourceFile)] {
        try database.rows("SELECT log, day, source, file FROM stored_days WHERE job = ? AND rows > 0 ORDER BY day", [.text(job)])
            .compactMap { row in
                guard let log = Log(rawValue: row.text(0)), let day = Day(row.text(1)) else { return nil }
                return (log, day, SourceFile(source: row.text(2), file: row.text(3)))
            }
    }
}

extension IngestOrder {
    /// The digest of each entry's mapping, as it is kept with the files.
    var mappings: [String: String] {
        Dictionary(sources.map { ($0.name, Digest.of(parts: [$0.mapping]).hex) }) { first, _ in first }
    }

    /// Why a file cannot be read again just as it was read, or nil where it can.
    func obstacle(to file: SourceFile, _ known: FileRead?) throws -> Obstacle? {
        guard sources.contains(where: { $0.name == file.source }) else { return .noSource }
        let path = location(of: file.file)
        guard let known, exists(path) else { return .gone }
        if known.isSuperseded { return .superseded }
        return try known.stands(at: path) ? nil : .changed
    }
}

/// Why a file cannot be read again just as it was read; as a message has it behind the file's name.
enum Obstacle: String {
    case gone = "is gone"
    case changed = "has changed since"
    case superseded = "was read with other bytes before, of which rows are stored"
    case noSource = "is of a source that the job no longer has"
}
