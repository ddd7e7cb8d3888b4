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
    /// Whether an earlier run has read other bytes under this name, whose rows stay.
    var supersedes = false
    /// Of the bytes to read, where they were read before and are to give the same records again.
    var expected: Digest?

    var sourceFile: SourceFile { SourceFile(source: source, file: path) }

    /// The same file, of which nothing that was read before counts.
    var fromTheBeginning: PendingFile { PendingFile(source: source, path: path, signature: signature, linesRead: 0) }
}

extension PendingFile {
    /// A file that was read before: just the bytes that were read then, however it has grown since.
    init(again file: SourceFile, _ known: FileRead) {
        (source, path, signature, linesRead) = (file.source, file.file, known.signature, 0)
        expected = Digest(hex: known.digest)
    }
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
    let known = try ledger?.filesRead(job: order.job) ?? [:]
    let dropped = try ledger?.droppedFiles(job: order.job) ?? []
    for source in order.sources {
        for path in try order.files(of: source) {
            try agree(on: path, source, &formats)
            let full = order.location(of: path)
            let sourceFile = SourceFile(source: source.name, file: path)
            guard let signature = FileSignature(of: full), !dropped.contains(sourceFile) else { continue }
            var file = PendingFile(source: source.name, path: path, signature: signature, linesRead: 0)
            if let known = known[sourceFile] {
                // A copied or grown file: what was read before is not read again if its bytes are the same.
                let stands = try known.signature == signature || known.stands(at: full)
                if stands, known.signature.size == signature.size {
                    unchanged.insert(path)
                    continue
                }
                let format = source.format(of: path) ?? .jsonl
                file = PendingFile(
                    source: source.name, path: path, signature: signature,
                    linesRead: stands && known.endsWhole && format.growsByRecords && source.each == nil
                        && known.format == format.name ? known.lines : 0,
                    supersedes: !stands)
            }
            pending.append(file)
        }
    }
    return (pending, unchanged.subtracting(pending.map(\.path)).count)
}

/// A file is read once for all entries, so that they must agree on what its records are.
func agree(on path: String, _ source: Source, _ formats: inout [String: (format: RecordFormat?, source: Source)]) throws {
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
    var begun = try ledger.database.rows(sql, [.text(order.job)]).map { row in
        PendingFile(
            source: row.text(0), path: row.text(1),
            signature: FileSignature(size: row.integer(2), modifiedNanoseconds: row.integer(3), inode: row.integer(4)),
            linesRead: row.integer(5))
    }
    let sources = Set(order.sources.map(\.name))
    let usable = begun.allSatisfy {
        sources.contains($0.source) && FileSignature(of: order.location(of: $0.path)) == $0.signature
    }
    guard usable, !begun.isEmpty else { return [] }
    let known = try ledger.filesRead(job: order.job)
    for index in begun.indices where begun[index].linesRead == 0 {
        let place = order.location(of: begun[index].path)
        begun[index].supersedes = try known[begun[index].sourceFile].map { try !$0.stands(at: place) } ?? false
    }
    return begun
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

func remember(_ pending: [PendingFile], _ reading: Reading, _ order: IngestOrder, _ ledger: Ledger) throws {
    let known = try ledger.filesRead(job: order.job)
    let mappings = order.mappings
    for file in pending {
        guard let reading = reading.files[file.sourceFile] else { continue }
        let before = known[file.sourceFile]
        // Rows of an earlier run stay beside the new ones: while any of them is of another mapping, the file is.
        let mapping = before?.mapping ?? mappings[file.source] ?? ""
        try ledger.database.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(order.job), .text(file.source), .text(file.path), .integer(file.signature.size),
                .integer(file.signature.modifiedNanoseconds), .integer(file.signature.inode), .text(reading.digest.hex),
                .integer(reading.records), .integer(reading.endsWhole ? 1 : 0), .text(reading.format.name),
                .text(mapping), .integer(file.supersedes || before?.isSuperseded == true ? 1 : 0),
            ])
    }
    try ledger.database.execute("DELETE FROM pending_files WHERE job = ?", [.text(order.job)])
}
