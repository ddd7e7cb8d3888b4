import Common
import Lake
import Ledger

/// That a row of one file has lost against a row of another, or of the same, which has its id.
struct Displacement: Hashable {
    let log: Log
    let loser: SourceFile
    let winner: SourceFile
}

/// Whose rows lost against whose, over all runs: what must be read again when the winner's rows go, for a row that has lost is not kept.
struct Displacements {
    private var losers: [SourceFile: Set<SourceFile>] = [:]
    /// Files with rows that lost against nobody knows whose, by log: an older vesper has read them.
    private var ofUnknown: [String: Set<SourceFile>] = [:]
    private var logs: [SourceFile: String] = [:]

    init(_ ledger: Ledger, job: String) throws {
        for row in try ledger.database.rows(
            "SELECT log, source, file, by_source, by_file FROM displaced WHERE job = ?", [.text(job)])
        {
            let loser = SourceFile(source: row.text(1), file: row.text(2))
            if row.text(4).isEmpty {
                ofUnknown[row.text(0), default: []].insert(loser)
            } else {
                losers[SourceFile(source: row.text(3), file: row.text(4)), default: []].insert(loser)
            }
        }
        for row in try ledger.database.rows("SELECT DISTINCT source, file, log FROM counts WHERE job = ?", [.text(job)]) {
            logs[SourceFile(source: row.text(0), file: row.text(1))] = row.text(2)
        }
    }

    func losers(to file: SourceFile) -> Set<SourceFile> {
        (losers[file] ?? []).union(logs[file].flatMap { ofUnknown[$0] } ?? [])
    }

    func losers(to files: Set<SourceFile>) -> Set<SourceFile> { files.reduce(into: []) { $0.formUnion(losers(to: $1)) } }

    /// These files, and all whose rows lost against theirs, or against those of such files, and so on: when they are read again, every
    /// row that may come back does.
    func closure(of files: Set<SourceFile>) -> Set<SourceFile> {
        var (found, new) = (files, files)
        while !new.isEmpty {
            new = losers(to: new).subtracting(found)
            found.formUnion(new)
        }
        return found
    }
}

extension Ledger {
    func add(_ displaced: Set<Displacement>, job: String) throws {
        for one in displaced {
            try database.execute(
                "INSERT OR IGNORE INTO displaced VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .text(job), .text(one.log.rawValue), .text(one.loser.source), .text(one.loser.file), .text(one.winner.source),
                    .text(one.winner.file),
                ])
        }
    }

    /// Forgets that files were read. What lost against them is forgotten with the losers, which are read again too.
    func forget(_ files: Set<SourceFile>, job: String) throws {
        for file in files {
            for (table, column) in [
                ("counts", "file"), ("stored_days", "file"), ("files", "path"), ("displaced", "file"),
            ] {
                try database.execute(
                    "DELETE FROM \(table) WHERE job = ? AND source = ? AND \(column) = ?",
                    [.text(job), .text(file.source), .text(file.file)])
            }
        }
    }

    func drop(_ files: Set<SourceFile>, job: String) throws {
        for file in files {
            try database.execute(
                "INSERT OR IGNORE INTO dropped_files VALUES (?, ?, ?)", [.text(job), .text(file.source), .text(file.file)])
        }
    }
}
