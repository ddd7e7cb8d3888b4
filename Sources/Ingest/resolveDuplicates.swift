import Common
import Lake

/// A row that must not stay: one that lost to another row with its id.
struct Loser {
    enum Fate { case duplicate, reused }
    let place: RowPlace
    let facts: RowFacts
    let fate: Fate
    /// Whose row stays instead.
    let winner: SourceFile
}

/// Where a row stands: in a part that this run has written, or in one of the lake.
enum RowPlace: Hashable, Sendable {
    case fresh(part: Int, row: Int)
    case stored(Part, row: Int)
}

/// What decides between rows with the same id.
struct RowFacts {
    let source: String
    let file: String
    let record: Int64
    let time: Int64
    let tokens: Int64
    /// Scope and id, exactly.
    let identity: [String]
    /// Of all values but those that say where the row came from.
    let content: Digest

    var sourceFile: SourceFile { SourceFile(source: source, file: file) }
}

/// Finds rows with the same id in the same scope, among the new rows and against the stored ones, and decides which stays.
///
/// Same id and same values: the least (time, source file, record) stays, the others are duplicates. Same id, other values: the least
/// stays and the others are refused as reused; or, where the source says `keep: last`, the greatest (output tokens, time, source
/// file, record) stays and the others are duplicates. Two different ids are never merged.
///
/// - Parameters:
///   - gone: stored rows that are taken away and stand before nobody.
///   - addition: gets every key, for the index.
func resolveDuplicates(
    _ keys: KeyStore, _ parts: [FreshPart], without gone: [Part: Set<Int>], log: Log, _ order: IngestOrder, _ lake: Lake,
    index: DedupeIndex, addition: IndexAddition
) throws -> [Loser] {
    let scopes = Dictionary(order.sources.map { ($0.name, $0.idScope) }) { first, _ in first }
    let days = parts.map(\.staged.part.day.number)
    let found = SharedHits()
    let runs = index.runs
    try keys.eachDivision(threads: order.threads) { division, entries in
        var reader = IndexReader(runs, division: division)
        var hits: [KeyHit] = []
        var at = 0
        while at < entries.count {
            var end = at + 1
            while end < entries.count, entries[end].key == entries[at].key { end += 1 }
            let stored = reader.days(of: entries[at].key)
            if end - at > 1 || !stored.isEmpty {
                hits.append(
                    KeyHit(
                        key: entries[at].key, fresh: entries[at..<end].map { .fresh(part: Int($0.part), row: Int($0.row)) },
                        days: stored))
            }
            at = end
        }
        reader.finish()
        found.set(division, hits)
        try addition.writer?.write(
            division: division, hashes: entries.map(\.key), days: entries.map { days[Int($0.part)] })
    }
    let hits = found.taken()
    var groups = hits.map(\.fresh)
    guard !groups.isEmpty else { return [] }
    try findStored(hits, without: gone, log: log, order, lake, scopes, &groups)
    let facts = try gatherFacts(groups.filter { $0.count > 1 }.joined(), parts, log: log, order, lake, scopes)
    let keepsLast = Set(order.sources.filter(\.keepLast).map(\.name))
    var losers: [Loser] = []
    for group in groups where group.count > 1 {
        let rows = group.compactMap { place in facts[place].map { (place: place, facts: $0) } }
        // A key is a hash: rows whose ids are not really equal are told apart here.
        for same in Dictionary(grouping: rows, by: \.facts.identity).values where same.count > 1 {
            losers += decide(same, keepsLast)
        }
    }
    return losers
}

/// Rows of this run whose key stands more than once, here or in the lake.
private struct KeyHit: Sendable {
    let key: UInt64
    let fresh: [RowPlace]
    /// Of the lake, on which the key may stand.
    let days: Set<Int32>
}

private final class SharedHits: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var divisions = [[KeyHit]](repeating: [], count: DedupeIndex.divisions)

    func set(_ division: Int, _ hits: [KeyHit]) { lock.held { divisions[division] = hits } }
    func taken() -> [KeyHit] { lock.held { Array(divisions.joined()) } }
}

private func decide(_ rows: [(place: RowPlace, facts: RowFacts)], _ keepsLast: Set<String>) -> [Loser] {
    let keepLast = rows.contains { keepsLast.contains($0.facts.source) }
    let ordered = rows.sorted { a, b in
        let (first, second) = (a.facts.order(byTokens: keepLast), b.facts.order(byTokens: keepLast))
        if first != second { return keepLast ? second < first : first < second }
        // The very same record, read again: what is stored stays.
        if case .stored = a.place { if case .fresh = b.place { return true } }
        return false
    }
    guard let winner = ordered.first else { return [] }
    return ordered.dropFirst().map { row in
        Loser(
            place: row.place, facts: row.facts,
            fate: keepLast || row.facts.content == winner.facts.content ? .duplicate : .reused,
            winner: winner.facts.sourceFile)
    }
}

extension RowFacts {
    fileprivate func order(byTokens: Bool) -> RowOrder {
        RowOrder(tokens: byTokens ? tokens : 0, time: time, file: file, record: record)
    }
}

private struct RowOrder: Comparable {
    let tokens: Int64
    let time: Int64
    let file: String
    let record: Int64

    static func < (a: RowOrder, b: RowOrder) -> Bool {
        if a.tokens != b.tokens { return a.tokens < b.tokens }
        if a.time != b.time { return a.time < b.time }
        if a.file != b.file { return a.file.utf8.lexicographicallyPrecedes(b.file.utf8) }
        return a.record < b.record
    }
}

// MARK: - Looking at rows

/// Adds to each group the stored rows that have its key: the index names the day, the day's parts hold the id.
private func findStored(
    _ hits: [KeyHit], without gone: [Part: Set<Int>], log: Log, _ order: IngestOrder, _ lake: Lake, _ scopes: [String: String],
    _ groups: inout [[RowPlace]]
) throws {
    var wanted: [Int32: [UInt64: Int]] = [:]
    for (group, hit) in hits.enumerated() { for day in hit.days { wanted[day, default: [:]][hit.key] = group } }
    let columns = log.columns.filter { log.identity.contains($0.name) } + [ColumnSpec("source", .text)]
    for (number, keys) in wanted.sorted(by: { $0.key < $1.key }) {
        let day = Day(number: number)
        for part in try lake.parts(job: order.job, log: log, from: day, to: day) {
            let batch = try lake.open(part).readAll(columns: columns)
            let rowKeys = RowKeys(batch, identity: log.identity, scopes: scopes)
            let gone = gone[part] ?? []
            for row in 0..<batch.count where !gone.contains(row) {
                if let group = keys[rowKeys[row]] { groups[group].append(.stored(part, row: row)) }
            }
        }
    }
}

/// Reads each part once, however many of its rows are asked for.
private func gatherFacts(
    _ places: some Sequence<RowPlace>, _ parts: [FreshPart], log: Log, _ order: IngestOrder, _ lake: Lake,
    _ scopes: [String: String]
) throws -> [RowPlace: RowFacts] {
    var fresh: [Int: [Int]] = [:]
    var stored: [Part: [Int]] = [:]
    for place in places {
        switch place {
        case .fresh(let part, let row): fresh[part, default: []].append(row)
        case .stored(let part, let row): stored[part, default: []].append(row)
        }
    }
    let specs = order.specs(log) + Log.originColumns
    let jobs: [(rows: [Int], place: @Sendable (Int) -> RowPlace, file: @Sendable () throws -> ParquetFile)] =
        fresh.sorted { $0.key < $1.key }.map { index, rows in
            let part = parts[index].staged
            return (rows, { .fresh(part: index, row: $0) }, { try part.open() })
        }
        + stored.sorted { $0.key.path < $1.key.path }.map { part, rows in
            let path = joined(lake.home, part.path)
            return (rows, { .stored(part, row: $0) }, { try ParquetFile(path: path) })
        }
    let shared = SharedFacts()
    try inParallel(jobs.count, threads: order.threads) { index in
        let job = jobs[index]
        let reader = FactReader(try job.file().readAll(columns: specs), log: log, scopes: scopes)
        shared.add(Set(job.rows).map { (job.place($0), reader.facts(row: $0)) })
    }
    return shared.taken()
}

private final class SharedFacts: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var facts: [RowPlace: RowFacts] = [:]

    func add(_ found: [(RowPlace, RowFacts)]) { lock.held { for (place, row) in found { facts[place] = row } } }
    func taken() -> [RowPlace: RowFacts] { lock.held { facts } }
}

private struct FactReader {
    let batch: Batch
    let log: Log
    let scopes: [String: String]
    private let own: Int

    init(_ batch: Batch, log: Log, scopes: [String: String]) {
        (self.batch, self.log, self.scopes) = (batch, log, scopes)
        own = batch.specs.count - Log.originColumns.count
    }

    func facts(row: Int) -> RowFacts {
        let source = batch["source"]?.text(at: row) ?? ""
        return RowFacts(
            source: source, file: batch["source_file"]?.text(at: row) ?? "",
            record: batch["source_record"]?.integer(at: row) ?? 0,
            time: batch[log.timeColumn]?.integer(at: row) ?? 0, tokens: batch["output_tokens"]?.integer(at: row) ?? 0,
            identity: [scopes[source] ?? source]
                + log.identity.map { batch[$0]?.text(at: row) ?? batch[$0]?.integer(at: row).map(String.init) ?? "" },
            content: content(row))
    }

    private func content(_ row: Int) -> Digest {
        var hash = SHA256()
        func take(_ bytes: UnsafeRawBufferPointer) {
            withUnsafeBytes(of: Int64(bytes.count)) { hash.update($0) }
            hash.update(bytes)
        }
        for column in batch.columns[..<own] {
            switch column {
            case .text(let codes, let dictionary):
                if codes[row] < 0 {
                    withUnsafeBytes(of: Int64(-1)) { hash.update($0) }
                } else {
                    dictionary.utf8(codes[row]).withUnsafeBytes(take)
                }
            case .integers(let values, let nulls):
                if nulls.contains(row) {
                    withUnsafeBytes(of: Int64(-1)) { hash.update($0) }
                } else {
                    withUnsafeBytes(of: values[row], take)
                }
            case .decimals(let values, let nulls):
                if nulls.contains(row) {
                    withUnsafeBytes(of: Int64(-1)) { hash.update($0) }
                } else {
                    withUnsafeBytes(of: values[row], take)
                }
            case .bools(let values, let nulls):
                if nulls.contains(row) {
                    withUnsafeBytes(of: Int64(-1)) { hash.update($0) }
                } else {
                    withUnsafeBytes(of: values[row], take)
                }
            }
        }
        return hash.finish()
    }
}
