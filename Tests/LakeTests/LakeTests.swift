import Common
import Glibc
import Ledger
import Testing

@testable import Lake

/// The lake of a home of its own, removed afterwards.
func withLake(_ work: (Lake) throws -> Void) throws {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-lake-XXXXXX".utf8CString)
    let home = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(home) }
    let now = try #require(Instant("2026-11-16T00:30:00Z"))
    try work(Lake(try Ledger.openForRun(home: home, migrations: Lake.migrations, now: now)))
}

/// Usage rows of one day that have nothing but an id and a time.
func usageRows(_ ids: String...) -> Batch {
    Batch(parquet: [(ColumnSpec("id", .text), ids), (ColumnSpec("ts", .timestamp), ids.indices.map { String($0) })])
}

extension Lake {
    /// The ids of all rows of a log, in the order in which they are stored.
    func ids(_ log: Log = .usage) throws -> [String] {
        var ids: [String] = []
        try scan(job: "kalei", log: log, columns: [ColumnSpec("id", .text)]) { _, batch in
            ids += (0..<batch.count).map { batch.columns[0].text(at: $0) ?? "null" }
        }
        return ids
    }

    /// A day that is to hold these rows only, as one part.
    /// Makes these rows all that a day is to hold after the commit; no rows, and it is to go.
    func stage(_ day: Day, _ rows: Batch, log: Log = .usage, keeping kept: [Part] = []) throws -> StagedDay {
        let fresh = rows.count == 0 ? [] : [try staging(job: "kalei").stagePart(log: log, day: day, rows: rows)]
        return try assemble(job: "kalei", log: log, day: day, keeping: kept, adding: fresh)
    }

    /// Every file of the home below a folder.
    func files(in folder: String) throws -> [String] {
        exists(joined(home, folder)) ? try Common.files(below: joined(home, folder)) : []
    }
}
