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
    var report = try store(Assignment(pending: begun), order, lake, talk)
    let (pending, unchanged) = try newList(order, lake.ledger)
    let rest = try store(Assignment(pending: pending), order, lake, talk)
    report.counts += rest.counts
    report.filesRead = Set((begun + pending).map(\.path)).count
    report.filesUnchanged = unchanged - Set(begun.map(\.path)).subtracting(pending.map(\.path)).count
    report.changedDays.merge(rest.changedDays, uniquingKeysWith: max)
    // Also where nothing was read: a run that was killed after its commit has left this to the next one.
    for log in Log.allCases { try DedupeIndex.sweep(home: lake.home, job: order.job, log: log) }
    return report
}

/// What one commit brings about.
struct Assignment {
    var pending: [PendingFile] = []
    /// Files whose rows, counts and refusals are taken away first; those that are pending too are thereby read anew.
    var voided: Set<SourceFile> = []
    /// Refused records that are tried again from the bytes which the quarantine has of them.
    var retried: [Refusal] = []
    /// Files that no later run is to read.
    var dropped: Set<SourceFile> = []

    var isEmpty: Bool { pending.isEmpty && voided.isEmpty && retried.isEmpty }
}

/// Does what it says in one commit.
func store(_ assignment: Assignment, _ order: IngestOrder, _ lake: Lake, _ talk: Talk) throws -> IngestReport {
    var report = IngestReport()
    var work = assignment
    guard !work.isEmpty else { return report }
    var (changes, reading) = try prepare(work, order, lake, talk)
    // A row that was refused or counted beside one which has now lost itself is decided again beside the one that stays.
    while case let more = try overtaken(changes.overtaken, work, order, lake.ledger), !more.isEmpty {
        work.readAgain(more)
        for folder in Log.allCases.flatMap({ [$0.rawValue, "\($0.rawValue)-rebuilt"] }) {
            try removeTree(lake.staging(job: order.job).temporaryFolder(folder))
        }
        (changes, reading) = try prepare(work, order, lake, talk)
    }
    let losers = try rereadLosers(changes.reused, work.retried, order)
    changes.files += try stageRefusals(reading.refusals, losers, work, order, lake)
    reading.refusals = []
    for counts in changes.counts.values { report.counts += counts }
    let before = work.voided.isEmpty ? [:] : try lake.ledger.countsByFile(job: order.job)
    for file in work.voided { report.counts -= before[file] ?? Counts() }
    try lake.commit(days: changes.days, files: changes.files) {
        try lake.ledger.forget(work.voided, job: order.job)
        try lake.ledger.add(changes.counts, job: order.job)
        try lake.ledger.add(changes.storedDays, job: order.job)
        try lake.ledger.add(changes.displaced, job: order.job)
        try lake.ledger.drop(work.dropped, job: order.job)
        try remember(work.pending, reading, order, lake.ledger)
    }
    report.filesRead = Set(assignment.pending.map(\.path)).count
    report.changedDays = changes.changedDays
    return report
}

/// Reads what there is to read, and puts in staging what comes of it.
private func prepare(_ work: Assignment, _ order: IngestOrder, _ lake: Lake, _ talk: Talk) throws -> (Changes, Reading) {
    let output = LaneOutput(lake.staging(job: order.job), sources: order.sources)
    var reading = try readFiles(work.pending, order, to: output, talk)
    for file in work.pending where file.expected.map({ $0 != reading.files[file.sourceFile]?.digest }) ?? false {
        throw Failure("The file has changed while it was read again. Nothing was stored; try again.", at: Place(path: file.path))
    }
    try retry(work.retried, order, to: output, &reading)
    let (parts, keys) = output.taken()
    var changes = Changes(reading.counts)
    let voided = work.voided.isEmpty ? [] : try lake.ledger.storedDays(job: order.job).filter { work.voided.contains($0.file) }
    for log in Log.allCases {
        let going = Dictionary(grouping: voided.filter { $0.log == log }, by: \.day).mapValues { Set($0.map(\.file)) }
        guard parts[log] != nil || !going.isEmpty else { continue }
        let keys = keys[log] ?? KeyStore(folder: lake.staging(job: order.job).temporaryFolder(log.rawValue))
        let changed = try merge(parts[log] ?? [], keys, voiding: going, log: log, order, lake, &changes)
        if !changed.isEmpty { changes.changedDays[log.rawValue] = changed.count }
    }
    return (changes, reading)
}

/// Files with rows that have lost against one of these files, whose own row has now lost itself to a row with other values: where it
/// was the same as theirs, it says of them "duplicate", and they are as different from the row that stays as it is. They are read
/// again, if that gives the same rows.
private func overtaken(
    _ files: Set<SourceFile>, _ work: Assignment, _ order: IngestOrder, _ ledger: Ledger
) throws -> [PendingFile] {
    guard !files.isEmpty else { return [] }
    let (known, mappings) = (try ledger.filesRead(job: order.job), order.mappings)
    return try Displacements(ledger, job: order.job).losers(to: files).subtracting(work.voided).sorted().compactMap { file in
        if let pending = work.pending.first(where: { $0.sourceFile == file }) {
            return pending.linesRead == 0 ? nil : pending.fromTheBeginning
        }
        guard let read = known[file], read.mapping == mappings[file.source], try order.obstacle(to: file, read) == nil else {
            return nil
        }
        return PendingFile(again: file, read)
    }
}

extension Assignment {
    mutating func readAgain(_ files: [PendingFile]) {
        let again = Set(files.map(\.sourceFile))
        pending = pending.filter { !again.contains($0.sourceFile) } + files
        voided.formUnion(again)
    }
}

/// Everything that a run is about to change, gathered for one commit.
struct Changes {
    var counts: [CountKey: Counts]
    /// Rows that come to a lake day, or leave it.
    var storedDays: [CountKey: [Day: Int]] = [:]
    var days: [StagedDay] = []
    var files: [StagedFile] = []
    /// Lake days whose content changes, by log.
    var changedDays: [String: Int] = [:]
    /// Rows whose id stands before other values elsewhere: their records are read again for the quarantine.
    var reused: [RowFacts] = []
    /// Whose rows have lost against whose.
    var displaced: Set<Displacement> = []
    /// Files of stored rows that have lost to rows with other values.
    var overtaken: Set<SourceFile> = []

    init(_ counts: [CountKey: Counts]) { self.counts = counts }

    mutating func store(_ rows: Int, _ key: CountKey, on day: Day) { storedDays[key, default: [:]][day, default: 0] += rows }

    /// A row that was counted as accepted, now or in an earlier run, is none after all.
    mutating func lose(_ loser: Loser, log: Log, on day: Day) {
        let key = CountKey(source: loser.facts.source, log: log.rawValue, file: loser.facts.file)
        counts[key, default: Counts()].accepted -= 1
        store(-1, key, on: day)
        displaced.insert(Displacement(log: log, loser: loser.facts.sourceFile, winner: loser.winner))
        switch loser.fate {
        case .duplicate: counts[key, default: Counts()].duplicate += 1
        case .reused:
            counts[key, default: Counts()].quarantined["id_reused", default: 0] += 1
            reused.append(loser.facts)
            if case .stored = loser.place { overtaken.insert(loser.facts.sourceFile) }
        }
    }
}
