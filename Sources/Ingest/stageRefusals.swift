import Common
import Lake

/// The new content of every quarantine file that changes: what comes, and what was there and stays.
func stageRefusals(
    _ files: [RefusalFile], _ losers: [Refusal], _ work: Assignment, _ order: IngestOrder, _ lake: Lake
) throws -> [StagedFile] {
    func place(_ file: SourceFile) -> String { Refusal.place(job: order.job, source: file.source, file: file.file) }
    var fresh: [String: RefusalFile] = [:]
    for file in files { fresh[place(SourceFile(source: file.source, file: file.file))] = file }
    let reused = Dictionary(grouping: losers) { place($0.sourceFile) }
    let retried = Dictionary(grouping: work.retried) { place($0.sourceFile) }
    let voided = Set(work.voided.map(place))
    return try Set(fresh.keys).union(reused.keys).union(retried.keys).union(voided).sorted().compactMap { place in
        let path = joined(lake.home, place)
        let kept =
            voided.contains(place) ? [] : Set(try quarantineLines(path)).subtracting(retried[place]?.map(\.json.text) ?? [])
        let bytes = try merged(try fresh[place]?.finished() ?? [], reused[place] ?? [], with: kept, path: path)
        if let bytes { return try lake.stage(bytes, at: place) }
        return exists(path) ? StagedFile(removing: place) : nil
    }
}

/// - Parameter retried: records whose bytes are at hand.
func rereadLosers(_ losers: [RowFacts], _ retried: [Refusal], _ order: IngestOrder) throws -> [Refusal] {
    var refusals: [Refusal] = []
    let known = Dictionary(grouping: retried, by: \.sourceFile)
    for (key, group) in Dictionary(grouping: losers, by: { CountKey(source: $0.source, log: "", file: $0.file) }).sorted(by: {
        $0.key < $1.key
    }) {
        let file = key.file
        let path = order.location(of: file)
        let detail = "another row with this id and other values stands before it"
        var wanted = Dictionary(grouping: group, by: \.record)
        var found: Set<Int64> = []
        for record in known[SourceFile(source: key.source, file: file)] ?? []
        where wanted.removeValue(forKey: record.record) != nil {
            found.insert(record.record)
            refusals.append(Refusal(record, reason: "id_reused", detail: detail))
        }
        if !wanted.isEmpty, let size = FileSignature(of: path)?.size {
            let source = order.sources.first { $0.name == key.source }
            // Of a source that the job no longer has, the file's name is all that says how it was read.
            let format = source.map { $0.format(of: file) } ?? FormatName(ofFile: file)?.format()
            var tree = FieldTree()
            let elements = source?.each.map { ElementReader($0, wanting: [], in: &tree) }
            func look(_ record: Record) {
                for loser in wanted[record.number] ?? [] {
                    found.insert(record.number)
                    var cut: CutRecord?
                    if case .refused(_, _, let whole) = record.scan { cut = whole }
                    refusals.append(
                        Refusal(
                            source: loser.source, file: file, record: record.number, reason: "id_reused", detail: detail,
                            line: record.line, cut: cut))
                }
            }
            try readRecords(of: path, as: format, for: tree, size: size, longest: order.longestRecord) { record in
                if let elements { try elements.read(record) { look($0) } } else { look(record) }
            }
        }
        for loser in group where !found.contains(loser.record) {
            // The export is gone since it was first read: what is known of the record is where it stood.
            refusals.append(
                Refusal(
                    source: loser.source, file: file, record: loser.record, reason: "id_reused",
                    detail: detail + "; its file is gone",
                    line: UnsafeBufferPointer(start: nil, count: 0), cut: nil))
        }
    }
    return refusals
}

/// What was there and what comes, each line once, by record; nil for nothing.
private func merged(_ fresh: [UInt8], _ refusals: [Refusal], with kept: Set<String>, path: String) throws -> [UInt8]? {
    if refusals.isEmpty, kept.isEmpty { return fresh.isEmpty ? nil : fresh }
    var lines = kept.union(refusals.map(\.json.text))
    if !fresh.isEmpty {
        lines.formUnion(try gunzipped(fresh, path: path).split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) })
    }
    let sorted = try lines.map { (record: try parseJSON(Array($0.utf8), path: path)["record"]?.int ?? 0, line: $0) }
        .sorted { ($0.record, $0.line) < ($1.record, $1.line) }
    return try gzipped(sorted.flatMap { Array($0.line.utf8) + [0x0a] })
}
