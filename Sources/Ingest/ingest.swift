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
    /// A record of more bytes than this is refused.
    public let longestRecord: Int
    /// Which of the sources' files are read.
    public let choice: FileChoice
    /// How many files are read at a time.
    public let threads: Int

    public static let defaultLongestRecord = 16 << 20

    public init(
        job: String, data: String, sources: [Source], jobColumns: [ColumnSpec], acceptFrom: Day, now: Instant,
        longestRecord: Int = IngestOrder.defaultLongestRecord, choice: FileChoice = .all, threads: Int = 1
    ) {
        (self.job, self.data, self.sources, self.jobColumns) = (job, data, sources, jobColumns)
        (self.acceptFrom, self.now, self.threads) = (acceptFrom, now, threads)
        (self.longestRecord, self.choice) = (longestRecord, choice)
    }

    func specs(_ log: Log) -> [ColumnSpec] { log.columns + jobColumns }
    /// The first moment accepted, up to a day from now.
    var range: Range<Instant> { min(acceptFrom.startUTC, now)..<(now + 86_400) }
    /// What decides how records become rows; the list of a run that was begun under another one is made anew.
    public var definition: Digest {
        Digest.of(parts: [acceptFrom.description, String(longestRecord)] + sources.map(\.definition))
    }

    /// Where the bytes of a file stand.
    func location(of path: String) -> String {
        if case .piped(let piped) = choice, piped.name == path { return piped.location }
        return joined(data, path)
    }
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
        if filesRead == 0, filesUnchanged == 0 { return "no file to read" }
        if filesRead == 0 { return "\(counted(filesUnchanged, "file")), all unchanged" }
        return "\(counts.summary) · \(counted(filesRead + filesUnchanged, "file"))\(unchanged)"
    }
}

/// Reads every new or changed file of a job into the lake.
///
/// The list of files and their sizes is fixed in the ledger first; a run that was cut short is finished with its own list. All
/// changes become visible in one commit: killed before it, nothing has happened; killed after it, the next run rolls forward.
public func ingest(_ order: IngestOrder, into lake: Lake, talk: Talk) throws -> IngestReport {
    if case .all = order.choice { for source in order.sources { try source.warnOfFiles(in: order.data, talk) } }
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

    let output = LaneOutput(lake.staging(job: order.job), sources: order.sources)
    var reading = try readFiles(pending, order, to: output, talk)
    report.filesRead = Set(pending.map(\.path)).count
    let (parts, keys) = output.taken()
    var changes = Changes(reading.counts)
    for log in Log.allCases {
        guard let fresh = parts[log], let keys = keys[log] else { continue }
        let changed = try merge(fresh, keys, log: log, order, lake, &changes)
        if !changed.isEmpty { report.changedDays[log.rawValue] = changed.count }
    }
    let losers = try rereadLosers(changes.reused, order)
    changes.files += try stageRefusals(reading.refusals, losers, order, lake)
    reading.refusals = []
    for counts in changes.counts.values { report.counts += counts }
    try lake.commit(days: changes.days, files: changes.files) {
        try lake.ledger.add(changes.counts, job: order.job)
        try lake.ledger.add(changes.storedDays, job: order.job)
        try remember(pending, reading.files, order.job, lake.ledger)
    }
    for log in Log.allCases { try DedupeIndex.sweep(home: lake.home, job: order.job, log: log) }
    return report
}

/// Everything that a run is about to change, gathered for one commit.
struct Changes {
    var counts: [CountKey: Counts]
    /// Rows that come to a lake day, or leave it.
    var storedDays: [CountKey: [Day: Int]] = [:]
    var days: [StagedDay] = []
    var files: [StagedFile] = []
    /// Rows whose id stands before other values elsewhere: their records are read again for the quarantine.
    var reused: [RowFacts] = []

    init(_ counts: [CountKey: Counts]) { self.counts = counts }

    mutating func store(_ rows: Int, _ key: CountKey, on day: Day) { storedDays[key, default: [:]][day, default: 0] += rows }

    /// A row that was counted as accepted, now or in an earlier run, is none after all.
    mutating func lose(_ loser: Loser, log: Log, on day: Day) {
        let key = CountKey(source: loser.facts.source, log: log.rawValue, file: loser.facts.file)
        counts[key, default: Counts()].accepted -= 1
        store(-1, key, on: day)
        switch loser.fate {
        case .duplicate: counts[key, default: Counts()].duplicate += 1
        case .reused:
            counts[key, default: Counts()].quarantined["id_reused", default: 0] += 1
            reused.append(loser.facts)
        }
    }
}
