import Common
import Lake

/// A day with more parts than this is written anew as one: many small files make slow readers.
private let mostPartsOfADay = 12

/// Decides between rows with the same id, and puts the days that change together in staging.
///
/// - Parameter voided: files whose stored rows go, by the days that hold some.
func merge(
    _ fresh: [FreshPart], _ keys: KeyStore, voiding voided: [Day: Set<SourceFile>], log: Log, _ order: IngestOrder, _ lake: Lake,
    _ changes: inout Changes
) throws -> [StagedDay] {
    let staging = lake.staging(job: order.job)
    let stored = try lake.parts(job: order.job, log: log)
    let scopes = Digest.of(parts: order.sources.map { "\($0.name)=\($0.idScope)" }.sorted())
    let index = try openedIndex(stored, log: log, scopes: scopes, order, lake)
    let addition = try index.addition(of: keys.counts, lake)
    var goneFromStored = try rows(of: voided, in: stored, lake)
    let losers = try resolveDuplicates(
        keys, fresh, without: goneFromStored, log: log, order, lake, index: index, addition: addition)

    for part in fresh {
        changes.store(
            part.staged.part.rows, CountKey(source: part.source, log: log.rawValue, file: part.file), on: part.staged.part.day)
    }
    var goneFromFresh: [Int: Set<Int>] = [:]
    for loser in losers {
        switch loser.place {
        case .fresh(let part, let row):
            goneFromFresh[part, default: []].insert(row)
            changes.lose(loser, log: log, on: fresh[part].staged.part.day)
        case .stored(let part, let row):
            goneFromStored[part, default: []].insert(row)
            changes.lose(loser, log: log, on: part.day)
        }
    }
    let specs = order.specs(log) + Log.originColumns
    let freshByDay = Dictionary(grouping: fresh.indices) { fresh[$0].staged.part.day }
    let days = Set(
        freshByDay.filter { day, parts in parts.contains { goneFromFresh[$0]?.count != fresh[$0].staged.part.rows } }.keys
    )
    .union(goneFromStored.keys.map(\.day)).sorted()
    let assembled = SharedDays(count: days.count)
    let home = lake.home
    let goneFresh = goneFromFresh, goneStored = goneFromStored
    try inParallel(days.count, threads: order.threads) { position in
        let day = days[position]
        var kept: [Part] = []
        var adding: [StagedPart] = []
        func keepRest(_ batch: Batch, without gone: Set<Int>) throws {
            let rows = batch.rows(at: (0..<Int32(batch.count)).filter { !gone.contains(Int($0)) })
            if rows.count > 0 { adding.append(try staging.stagePart(log: log, day: day, rows: rows.compacted())) }
        }
        for part in stored where part.day == day {
            if let gone = goneStored[part] {
                try keepRest(try part.openToRewrite(home: home).readAll(columns: specs), without: gone)
            } else {
                kept.append(part)
            }
        }
        for index in freshByDay[day] ?? [] {
            let staged = fresh[index].staged
            if let gone = goneFresh[index] {
                try keepRest(try staged.open().readAll(columns: specs), without: gone)
            } else {
                adding.append(staged)
            }
        }
        if kept.count + adding.count > mostPartsOfADay {
            let pieces = try kept.map { try $0.openToRewrite(home: home) } + adding.map { try $0.open() }
            let rows = Batch.concatenated(try pieces.map { try $0.readAll(columns: specs) }, specs: specs)
            (kept, adding) = ([], [try staging.stagePart(log: log, day: day, rows: inStoredOrder(rows, log: log))])
        }
        assembled.set(position, kept, adding)
    }
    let result = try days.indices.compactMap { position -> StagedDay? in
        let (kept, adding) = assembled.get(position)
        // What was read again may be what was there.
        let before = stored.filter { $0.day == days[position] }.map(\.file)
        if before.sorted() == (kept.map(\.file) + adding.map(\.part.file)).sorted() { return nil }
        return try lake.assemble(job: order.job, log: log, day: days[position], keeping: kept, adding: adding)
    }
    let changed = Set(result.map(\.day))
    let after = (stored.filter { !changed.contains($0.day) } + result.flatMap(\.parts)).sorted {
        ($0.day, $0.file) < ($1.day, $1.file)
    }
    changes.days += result
    changes.files += try index.finish(addition, parts: after, lake)
    return result
}

/// Where the rows of these files stand among the parts of a log.
private func rows(of voided: [Day: Set<SourceFile>], in stored: [Part], _ lake: Lake) throws -> [Part: Set<Int>] {
    var found: [Part: Set<Int>] = [:]
    let columns = Log.originColumns.filter { $0.type == .text }
    for part in stored {
        guard let voided = voided[part.day] else { continue }
        let batch = try lake.open(part).readAll(columns: columns)
        let gone = (0..<batch.count).filter { row in
            let (source, file) = (batch["source"]?.text(at: row) ?? "", batch["source_file"]?.text(at: row) ?? "")
            return voided.contains(SourceFile(source: source, file: file))
        }
        if !gone.isEmpty { found[part] = Set(gone) }
    }
    return found
}

private final class SharedDays: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var days: [(kept: [Part], adding: [StagedPart])]

    init(count: Int) { days = Array(repeating: ([], []), count: count) }

    func set(_ index: Int, _ kept: [Part], _ adding: [StagedPart]) { lock.held { days[index] = (kept, adding) } }
    func get(_ index: Int) -> (kept: [Part], adding: [StagedPart]) { lock.held { days[index] } }
}

/// The index of a log, made anew from its parts where it is missing or was made from others.
private func openedIndex(_ stored: [Part], log: Log, scopes: Digest, _ order: IngestOrder, _ lake: Lake) throws -> DedupeIndex {
    if let index = try DedupeIndex(
        home: lake.home, job: order.job, log: log, parts: stored, scopes: scopes, threads: order.threads)
    {
        return index
    }
    let names = Dictionary(order.sources.map { ($0.name, $0.idScope) }) { first, _ in first }
    let staging = lake.staging(job: order.job)
    let keys = KeyStore(folder: staging.temporaryFolder("\(log.rawValue)-rebuilt"))
    let columns = log.columns.filter { log.identity.contains($0.name) } + [ColumnSpec("source", .text)]
    for (number, part) in stored.enumerated() {
        let file = try lake.open(part)
        for group in file.groups.indices {
            try keys.append(
                RowKeys(try file.read(group: group, columns: columns), identity: log.identity, scopes: names), part: Int32(number)
            )
        }
    }
    let days = stored.map(\.day.number)
    return try DedupeIndex.rebuilt(counts: keys.counts, home: lake.home, job: order.job, log: log, scopes: scopes) { run in
        try keys.eachDivision(threads: order.threads) { division, entries in
            try run.write(division: division, hashes: entries.map(\.key), days: entries.map { days[Int($0.part)] })
        }
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
    return batch.rows(at: order).compacted()
}
