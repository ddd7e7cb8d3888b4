import Common
import Lake
import Ledger

/// What a run is to read, resolved from the job and the command line.
public struct IngestOrder: Sendable {
    public let job: String
    /// Where the sources' paths begin.
    public let data: String
    public let sources: [Source]
    public let jobColumns: [ColumnSpec]
    /// Rows before this day are out of range.
    public let acceptFrom: Day
    public let now: Instant

    public init(job: String, data: String, sources: [Source], jobColumns: [ColumnSpec], acceptFrom: Day, now: Instant) {
        (self.job, self.data, self.sources, self.jobColumns) = (job, data, sources, jobColumns)
        (self.acceptFrom, self.now) = (acceptFrom, now)
    }

    func specs(_ log: Log) -> [ColumnSpec] { log.columns + jobColumns }
    /// The first moment accepted, up to a day from now.
    var range: Range<Instant> { min(acceptFrom.startUTC, now)..<(now + 86_400) }
    /// What decides how records become rows; the list of a run that was begun under another one is made anew.
    public var definition: Digest { Digest.of(parts: [acceptFrom.description] + sources.map(\.definition)) }
}

/// What came of a run.
public struct IngestReport: Equatable, Sendable {
    public var counts = Counts()
    public var filesRead = 0
    public var filesUnchanged = 0
    /// Lake days whose content changed, by log.
    public var changedDays: [String: Int] = [:]

    public var summary: String {
        let unchanged = filesUnchanged > 0 ? ", \(grouped(filesUnchanged)) unchanged" : ""
        if filesRead == 0 { return "\(counted(filesUnchanged, "file")), all unchanged" }
        return "\(counts.summary) · \(counted(filesRead, "file")) read\(unchanged)"
    }
}

/// One file that a run reads for one source entry.
struct PendingFile: Equatable {
    let source: String
    let path: String
    let signature: FileSignature
    /// Lines at the beginning that an earlier run has read, where they are unchanged.
    let linesRead: Int64
}

/// What a run would read: the files that are new or have changed, and how many are unchanged.
public func pendingFiles(_ order: IngestOrder, _ ledger: Ledger?) throws -> (files: Int, bytes: Int64, unchanged: Int) {
    let (pending, unchanged) = try lookForFiles(order, ledger)
    return (Set(pending.map(\.path)).count, pending.reduce(0) { $0 + $1.signature.size }, unchanged)
}

/// Reads every new or changed file of a job into the lake.
///
/// The list of files and their sizes is fixed in the ledger first; a run that was cut short is finished with its own list. All
/// changes become visible in one commit: killed before it, nothing has happened; killed after it, the next run rolls forward.
public func ingest(_ order: IngestOrder, into lake: Lake, talk: Talk) throws -> IngestReport {
    // What was begun is finished first; what has come since then follows in the same run.
    let begun = try begunList(order, lake.ledger)
    var report = try store(begun, order, lake, talk)
    let (pending, unchanged) = try newList(order, lake.ledger)
    let rest = try store(pending, order, lake, talk)
    report.counts += rest.counts
    report.filesRead = Set((begun + pending).map(\.path)).count
    report.filesUnchanged = unchanged - Set(begun.map(\.path)).subtracting(pending.map(\.path)).count
    report.changedDays.merge(rest.changedDays, uniquingKeysWith: max)
    return report
}

private func store(_ pending: [PendingFile], _ order: IngestOrder, _ lake: Lake, _ talk: Talk) throws -> IngestReport {
    var report = IngestReport()
    guard !pending.isEmpty else { return report }

    var reading = try readFiles(pending, order, talk)
    let sources = Dictionary(order.sources.map { ($0.name, $0) }) { first, _ in first }
    var staged: [StagedDay] = []
    var losers: [Loser] = []
    for log in Log.allCases {
        guard let rows = reading.rows[log], rows.count > 0 else { continue }
        let changed = try merge(rows.batch(), log: log, order, lake, sources, &reading, &losers)
        if !changed.isEmpty { report.changedDays[log.rawValue] = changed.count }
        staged += changed
    }
    reading.refusals += try rereadLosers(losers, order)
    let files = try Dictionary(grouping: reading.refusals) { Refusal.place(job: order.job, source: $0.source, file: $0.file) }
        .sorted { $0.key < $1.key }
        .map { try lake.stage(try merged($0.value, with: joined(lake.home, $0.key)), at: $0.key) }
    for counts in reading.counts.values { report.counts += counts }
    try lake.commit(days: staged, files: files) {
        try lake.ledger.add(reading.counts, job: order.job)
        try lake.ledger.add(reading.storedDays, job: order.job)
        try remember(pending, reading.files, order.job, lake.ledger)
    }
    return report
}

// MARK: - Which files

private func lookForFiles(_ order: IngestOrder, _ ledger: Ledger?) throws -> (pending: [PendingFile], unchanged: Int) {
    var pending: [PendingFile] = []
    var unchanged: Set<String> = []
    for source in order.sources {
        for path in try source.matchingFiles(in: order.data) {
            let full = joined(order.data, path)
            guard let signature = FileSignature(of: full) else { continue }
            let sql = "SELECT size, modified_ns, inode, digest, lines, ends_with_newline FROM files WHERE job = ? AND source = ? AND path = ?"
            let row = try ledger?.database.rows(sql, [.text(order.job), .text(source.name), .text(path)]).first
            var linesRead: Int64 = 0
            if let row {
                let known = FileSignature(size: row.integer(0), modifiedNanoseconds: row.integer(1), inode: row.integer(2))
                if known == signature {
                    unchanged.insert(path)
                    continue
                }
                // A copied or grown file: what was read before is not read again if its bytes are the same.
                if try digestOfPrefix(full, size: known.size)?.hex == row.text(3) {
                    if known.size == signature.size {
                        unchanged.insert(path)
                        continue
                    }
                    if row.int(5) == 1 { linesRead = row.integer(4) }
                }
            }
            pending.append(PendingFile(source: source.name, path: path, signature: signature, linesRead: linesRead))
        }
    }
    return (pending, unchanged.subtracting(pending.map(\.path)).count)
}

/// The list of a run that was cut short, if all of it is still there as it was. Otherwise nothing is lost with it: a list is
/// stored as a whole or not at all, so what it named is new to the list that follows.
private func begunList(_ order: IngestOrder, _ ledger: Ledger) throws -> [PendingFile] {
    let sql = "SELECT source, path, size, modified_ns, inode, lines_read FROM pending_files WHERE job = ? ORDER BY source, path"
    let begun = try ledger.database.rows(sql, [.text(order.job)]).map { row in
        PendingFile(
            source: row.text(0), path: row.text(1),
            signature: FileSignature(size: row.integer(2), modifiedNanoseconds: row.integer(3), inode: row.integer(4)),
            linesRead: row.integer(5))
    }
    let known = Set(order.sources.map(\.name))
    let usable = begun.allSatisfy { known.contains($0.source) && FileSignature(of: joined(order.data, $0.path)) == $0.signature }
    return usable ? begun : []
}

/// The list of this run, which is written down before anything is read.
private func newList(_ order: IngestOrder, _ ledger: Ledger) throws -> (pending: [PendingFile], unchanged: Int) {
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

private func remember(_ pending: [PendingFile], _ readings: [String: FileReading], _ job: String, _ ledger: Ledger) throws {
    for file in pending {
        guard let reading = readings[file.path] else { continue }
        try ledger.database.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(job), .text(file.source), .text(file.path), .integer(file.signature.size),
                .integer(file.signature.modifiedNanoseconds), .integer(file.signature.inode), .text(reading.digest.hex),
                .integer(reading.lines), .integer(reading.endsWithNewline ? 1 : 0),
            ])
    }
    try ledger.database.execute("DELETE FROM pending_files WHERE job = ?", [.text(job)])
}

// MARK: - From rows to days

/// A new or stored row that lost to another one with its id and is refused: its bytes are read again for the quarantine.
private struct Loser {
    let source: String
    let file: String
    let record: Int64
}

/// Decides between rows with the same id, and writes the days that change into staging.
private func merge(
    _ new: Batch, log: Log, _ order: IngestOrder, _ lake: Lake, _ sources: [String: Source], _ reading: inout Reading,
    _ losers: inout [Loser]
) throws -> [StagedDay] {
    let stored = try lake.open { try lake.parts(job: order.job, log: log) }
    let resolution = try resolveDuplicates(new, log: log, sources: sources, stored: stored)
    guard case .text(let sourceCodes, let sourceNames)? = new["source"], case .text(let fileCodes, let fileNames)? = new["source_file"],
        case .integers(let records, _)? = new["source_record"], case .integers(let times, _)? = new[log.timeColumn]
    else { return [] }
    var added: [Day: [Int32]] = [:]
    for row in 0..<new.count {
        let key = CountKey(source: sourceNames[sourceCodes[row]], log: log.rawValue, file: fileNames[fileCodes[row]])
        switch resolution.fates[row] {
        case .accepted:
            let day = Instant(microseconds: times[row]).dayUTC
            reading.counts[key, default: Counts()].accepted += 1
            reading.storedDays[key, default: [:]][day, default: 0] += 1
            added[day, default: []].append(Int32(row))
        case .duplicate: reading.counts[key, default: Counts()].duplicate += 1
        case .reused:
            reading.counts[key, default: Counts()].quarantined["id_reused", default: 0] += 1
            losers.append(Loser(source: key.source, file: key.file, record: records[row]))
        }
    }
    for (source, file, record, day, fate) in resolution.displacedOrigins {
        let key = CountKey(source: source, log: log.rawValue, file: file)
        reading.counts[key, default: Counts()].accepted -= 1
        reading.storedDays[key, default: [:]][day, default: 0] -= 1
        if fate == .duplicate {
            reading.counts[key, default: Counts()].duplicate += 1
        } else {
            reading.counts[key, default: Counts()].quarantined["id_reused", default: 0] += 1
            losers.append(Loser(source: source, file: file, record: record))
        }
    }
    let days = Set(added.keys).union(resolution.displaced.keys.map(\.day)).sorted()
    return try days.map { day in
        var pieces: [Batch] = []
        for (part, file) in stored where part.day == day {
            let gone = resolution.displaced[part] ?? []
            let batch = try file.readAll(columns: new.specs)
            pieces.append(gone.isEmpty ? batch : batch.rows(at: (0..<Int32(batch.count)).filter { !gone.contains(Int($0)) }))
        }
        pieces.append(new.rows(at: added[day] ?? []))
        let rows = inStoredOrder(Batch.concatenated(pieces, specs: new.specs), log: log)
        return try lake.stage(job: order.job, log: log, day: day, rows: rows)
    }
}

/// Sorted by time, then by where a row came from, with dictionaries in order of first use: one set of rows, one sequence of bytes.
func inStoredOrder(_ batch: Batch, log: Log) -> Batch {
    guard case .integers(let times, _)? = batch[log.timeColumn], case .text(let files, let fileNames)? = batch["source_file"],
        case .text(let sources, let sourceNames)? = batch["source"], case .integers(let records, _)? = batch["source_record"]
    else { return batch }
    let (fileRanks, sourceRanks) = (fileNames.ranks, sourceNames.ranks)
    let order = (0..<Int32(batch.count)).sorted { first, second in
        let (a, b) = (Int(first), Int(second))
        if times[a] != times[b] { return times[a] < times[b] }
        if files[a] != files[b] { return fileRanks[Int(files[a])] < fileRanks[Int(files[b])] }
        if records[a] != records[b] { return records[a] < records[b] }
        return sourceRanks[Int(sources[a])] < sourceRanks[Int(sources[b])]
    }
    let sorted = batch.rows(at: order)
    return Batch(specs: sorted.specs, columns: sorted.columns.map { $0.compacted() }, count: sorted.count)
}

private func rereadLosers(_ losers: [Loser], _ order: IngestOrder) throws -> [Refusal] {
    var refusals: [Refusal] = []
    for (file, group) in Dictionary(grouping: losers, by: \.file).sorted(by: { $0.key < $1.key }) {
        let path = joined(order.data, file)
        let detail = "another row with this id and other values stands before it"
        let wanted = Dictionary(grouping: group, by: \.record)
        var found: Set<Int64> = []
        if let size = FileSignature(of: path)?.size {
            try readLines(of: path, size: size) { number, line, cut in
                for loser in wanted[number] ?? [] {
                    found.insert(number)
                    refusals.append(
                        Refusal(
                            source: loser.source, file: file, record: number, reason: "id_reused", detail: detail, line: line, cut: cut))
                }
            }
        }
        for loser in group where !found.contains(loser.record) {
            // The export is gone since it was first read: what is known of the record is where it stood.
            refusals.append(
                Refusal(
                    source: loser.source, file: file, record: loser.record, reason: "id_reused", detail: detail + "; its file is gone",
                    line: UnsafeBufferPointer(start: nil, count: 0), cut: nil))
        }
    }
    return refusals
}
