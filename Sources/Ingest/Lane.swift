import Common
import Lake

/// One source entry's way through one file: records go in, parts of lake days come out.
///
/// Rows are kept by day until there are enough of them, then written to staging as one part a day. Where a part ends depends on the
/// file alone, never on other files or on how fast it was read, so the same files always give the same parts.
final class Lane {
    /// Rows, and bytes of records, after which parts are written.
    static let mostRows = 1 << 17
    static let mostBytes = 96 << 20

    let source: Source
    let file: String
    private let mapping: Mapping
    private let linesRead: Int64
    private let range: Range<Instant>
    private let output: LaneOutput
    private var buckets: [Day: RowBucket] = [:]
    private var current: (day: Day, bucket: RowBucket)?
    /// Where rows out of range are tried before they are counted.
    private lazy var trial = RowBucket(mapping.types)
    private var rows = 0
    private var bytes = 0
    private(set) var counts = Counts()
    private(set) var refusals: RefusalFile
    /// How often each content has occurred, among rows without an id.
    private var occurrences: [Digest: Int] = [:]

    init(_ mapping: Mapping, file: String, linesRead: Int64, range: Range<Instant>, output: LaneOutput) {
        (self.mapping, self.file, self.linesRead, self.range, self.output) = (mapping, file, linesRead, range, output)
        source = mapping.source
        refusals = RefusalFile(source: mapping.source.name, file: file)
    }

    func take(_ record: Record, _ scan: ScanResult) throws {
        let (number, line, slots) = (record.number, record.bytes, record.values)
        let isKnown = number <= linesRead
        switch scan {
        case .refused(let reason, let detail, let cut):
            if !isKnown { try refuse(reason, detail, number, record.line, cut) }
        case .whole:
            if mapping.isFiltered(line, slots) {
                if !isKnown { counts.filtered += 1 }
                return
            }
            do {
                try row(number, line, slots, isKnown: isKnown)
            } catch let refused as Mapping.Refused {
                if !isKnown { try refuse(refused.reason, refused.detail, number, record.line) }
            }
        }
        if rows >= Lane.mostRows || bytes >= Lane.mostBytes { try flush() }
    }

    /// A record that an earlier run has stored is not stored again, but takes its ordinal among rows without an id, so that the rows
    /// after it have those of a file read at once.
    private func row(_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>, isKnown: Bool) throws
    {
        if isKnown, mapping.idColumn == nil { return }
        let time = try mapping.time(line, slots)
        let isInRange = range.contains(time)
        let bucket = isInRange && !isKnown ? bucket(for: time) : trial
        do {
            try mapping.write(line, slots, time: time, to: bucket.columns)
        } catch {
            bucket.drop()
            throw error
        }
        guard isInRange else {
            bucket.drop()
            if !isKnown { counts.outOfRange += 1 }
            return
        }
        if let column = mapping.idColumn, bucket.columns[column].lastIsNull { giveID(bucket, column) }
        if isKnown { return bucket.drop() }
        bucket.keep(record: number)
        rows += 1
        bytes += line.count
    }

    @inline(__always) private func bucket(for time: Instant) -> RowBucket {
        if let current, time.microseconds >= current.day.startUTC.microseconds,
            time.microseconds < (current.day + 1).startUTC.microseconds
        {
            return current.bucket
        }
        let day = time.dayUTC
        let bucket = buckets[day] ?? RowBucket(mapping.types)
        buckets[day] = bucket
        current = (day, bucket)
        return bucket
    }

    /// A row without an id gets one from its values and its ordinal among identical rows of the file, so that the same file, or
    /// another export of the same rows, gives the same ids.
    private func giveID(_ bucket: RowBucket, _ column: Int) {
        var hash = SHA256()
        for index in mapping.types.indices {
            bucket.columns[index].withLastBytes { bytes in
                withUnsafeBytes(of: Int64(bytes?.count ?? -1)) { hash.update($0) }
                if let bytes { hash.update(bytes) }
            }
        }
        let content = hash.finish()
        let ordinal = occurrences[content, default: 0]
        occurrences[content] = ordinal + 1
        let id = "row-" + Digest.of(parts: [content.hex, String(ordinal)]).hex.prefix(32)
        id.withContiguousUTF8 { bucket.columns[column].replaceLastNull(by: $0) }
    }

    private func refuse(
        _ reason: String, _ detail: String, _ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ cut: CutRecord? = nil
    ) throws {
        counts.quarantined[reason, default: 0] += 1
        try refusals.append(
            Refusal(source: source.name, file: file, record: number, reason: reason, detail: detail, line: line, cut: cut))
    }

    /// Writes what has been kept as parts; called once more when the file is at its end.
    func flush() throws {
        for (day, bucket) in buckets.sorted(by: { $0.key < $1.key }) where bucket.count > 0 {
            let batch = bucket.batch(
                specs: source.columns.map(\.spec), timeColumn: mapping.timeColumn, source: source.name, file: file)
            try output.write(batch, of: source, file: file, on: day)
            counts.accepted += batch.count
        }
        (buckets, current, rows, bytes) = ([:], nil, 0, 0)
    }
}

/// Where the lanes of all threads bring their parts, and the keys by which rows with the same id are found.
final class LaneOutput: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private let lake: LakeStaging
    private let scopes: [String: String]
    private var parts: [Log: [FreshPart]] = [:]
    private var keys: [Log: KeyStore] = [:]

    init(_ lake: LakeStaging, sources: [Source]) {
        self.lake = lake
        scopes = Dictionary(sources.map { ($0.name, $0.idScope) }) { first, _ in first }
    }

    func write(_ batch: Batch, of source: Source, file: String, on day: Day) throws {
        let staged = try lake.stagePart(log: source.log, day: day, rows: batch)
        let rowKeys = RowKeys(batch, identity: source.log.identity, scopes: scopes)
        try lock.held {
            let part = Int32(parts[source.log, default: []].count)
            parts[source.log, default: []].append(FreshPart(source: source.name, file: file, staged: staged))
            let store = keys[source.log] ?? KeyStore(folder: lake.temporaryFolder(source.log.rawValue))
            keys[source.log] = store
            try store.append(rowKeys, part: part)
        }
    }

    func taken() -> (parts: [Log: [FreshPart]], keys: [Log: KeyStore]) { lock.held { (parts, keys) } }
}

/// A part that this run has written, not yet checked for rows with the same id.
struct FreshPart: Sendable {
    let source: String
    let file: String
    let staged: StagedPart
}
