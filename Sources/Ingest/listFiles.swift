import Common
import Lake
import Ledger

/// One file that a run reads for one source entry.
struct PendingFile: Equatable {
    let source: String
    let path: String
    let signature: FileSignature
    /// Records (of JSON lines: lines) at the beginning that an earlier run has read, where they are unchanged.
    let linesRead: Int64
}

/// What a run would read: the files that are new or have changed, and how many are unchanged.
public func pendingFiles(_ order: IngestOrder, _ ledger: Ledger?) throws -> (files: Int, bytes: Int64, unchanged: Int) {
    let (pending, unchanged) = try lookForFiles(order, ledger)
    return (Set(pending.map(\.path)).count, pending.reduce(0) { $0 + $1.signature.size }, unchanged)
}

private func lookForFiles(_ order: IngestOrder, _ ledger: Ledger?) throws -> (pending: [PendingFile], unchanged: Int) {
    var pending: [PendingFile] = []
    var unchanged: Set<String> = []
    var formats: [String: (format: RecordFormat?, source: Source)] = [:]
    for source in order.sources {
        for path in try order.files(of: source) {
            try agree(on: path, source, &formats)
            let full = order.location(of: path)
            guard let signature = FileSignature(of: full) else { continue }
            let sql = """
                SELECT size, modified_ns, inode, digest, lines, ends_with_newline, format FROM files
                WHERE job = ? AND source = ? AND path = ?
                """
            let row = try ledger?.database.rows(sql, [.text(order.job), .text(source.name), .text(path)]).first
            var linesRead: Int64 = 0
            if let row {
                let known = FileSignature(size: row.integer(0), modifiedNanoseconds: row.integer(1), inode: row.integer(2))
                if known == signature {
                    unchanged.insert(path)
                    continue
                }
                // A copied or grown file: what was read before is not read again if its bytes are the same.
                if try digestOfFile(full, size: known.size)?.hex == row.text(3) {
                    if known.size == signature.size {
                        unchanged.insert(path)
                        continue
                    }
                    let format = source.format(of: path) ?? .jsonl
                    if row.int(5) == 1, format.growsByRecords, source.each == nil, row.text(6) == format.name {
                        linesRead = row.integer(4)
                    }
                }
            }
            pending.append(PendingFile(source: source.name, path: path, signature: signature, linesRead: linesRead))
        }
    }
    return (pending, unchanged.subtracting(pending.map(\.path)).count)
}

/// A file is read once for all entries, so that they must agree on what its records are.
private func agree(on path: String, _ source: Source, _ formats: inout [String: (format: RecordFormat?, source: Source)]) throws {
    let format = source.format(of: path)
    guard let known = formats.updateValue((format, source), forKey: path), known.format != format else { return }
    func said(_ format: RecordFormat?) -> String { format.map { "as \($0.name)" } ?? "as what its content looks like" }
    let same = known.format?.name == format?.name
    throw Failure(
        "The sources \"\(known.source.name)\" and \"\(source.name)\" both read \(path), "
            + (same
                ? "with other nulls. Give both the same."
                : "one \(said(known.format)) and one \(said(format)). Give both the same format."),
        at: source.place,
        kind: .usage)
}

/// Refuses sources that do not agree on what a file is, before anything is begun.
public func checkFormats(_ order: IngestOrder) throws {
    var formats: [String: (format: RecordFormat?, source: Source)] = [:]
    for source in order.sources { for path in try order.files(of: source) { try agree(on: path, source, &formats) } }
}

/// The list of a run that was cut short, if all of it is still there as it was. Otherwise nothing is lost with it: a list is
/// stored as a whole or not at all, so what it named is new to the list that follows.
func begunList(_ order: IngestOrder, _ ledger: Ledger) throws -> [PendingFile] {
    let sql = "SELECT source, path, size, modified_ns, inode, lines_read FROM pending_files WHERE job = ? ORDER BY source, path"
    let begun = try ledger.database.rows(sql, [.text(order.job)]).map { row in
        PendingFile(
            source: row.text(0), path: row.text(1),
            signature: FileSignature(size: row.integer(2), modifiedNanoseconds: row.integer(3), inode: row.integer(4)),
            linesRead: row.integer(5))
    }
    let known = Set(order.sources.map(\.name))
    let usable = begun.allSatisfy { known.contains($0.source) && FileSignature(of: order.location(of: $0.path)) == $0.signature }
    return usable ? begun : []
}

/// The list of this run, which is written down before anything is read.
func newList(_ order: IngestOrder, _ ledger: Ledger) throws -> (pending: [PendingFile], unchanged: Int) {
    let (pending, unchanged) = try lookForFiles(order, ledger)
    try ledger.database.transaction {
        try ledger.database.execute("DELETE FROM pending_files WHERE job = ?", [.text(order.job)])
        for file in pending {
            try ledger.database.execute(
                "INSERT INTO pending_files VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(order.job), .text(file.source), .text(file.path), .integer(file.signature.size),
                    .integer(file.signature.modifiedNanoseconds), .integer(file.signature.inode), .integer(file.linesRead),
                ])
        }
    }
    return (pending, unchanged)
}

func remember(_ pending: [PendingFile], _ readings: [String: FileReading], _ job: String, _ ledger: Ledger) throws {
    for file in pending {
        guard let reading = readings[file.path] else { continue }
        try ledger.database.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(job), .text(file.source), .text(file.path), .integer(file.signature.size),
                .integer(file.signature.modifiedNanoseconds), .integer(file.signature.inode), .text(reading.digest.hex),
                .integer(reading.records), .integer(reading.endsWhole ? 1 : 0), .text(reading.format.name),
            ])
    }
    try ledger.database.execute("DELETE FROM pending_files WHERE job = ?", [.text(job)])
}
