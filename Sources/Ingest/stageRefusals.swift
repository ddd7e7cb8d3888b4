import Common
import Lake

func stageRefusals(_ files: [RefusalFile], _ losers: [Refusal], _ order: IngestOrder, _ lake: Lake) throws -> [StagedFile] {
    var fresh: [String: RefusalFile] = [:]
    for file in files { fresh[Refusal.place(job: order.job, source: file.source, file: file.file)] = file }
    let reused = Dictionary(grouping: losers) { Refusal.place(job: order.job, source: $0.source, file: $0.file) }
    return try Set(fresh.keys).union(reused.keys).sorted().map { place in
        try lake.stage(
            try merged(try fresh[place]?.finished() ?? [], reused[place] ?? [], with: joined(lake.home, place)), at: place)
    }
}

func rereadLosers(_ losers: [RowFacts], _ order: IngestOrder) throws -> [Refusal] {
    var refusals: [Refusal] = []
    for (file, group) in Dictionary(grouping: losers, by: \.file).sorted(by: { $0.key < $1.key }) {
        let path = order.location(of: file)
        let detail = "another row with this id and other values stands before it"
        let wanted = Dictionary(grouping: group, by: \.record)
        var found: Set<Int64> = []
        if let size = FileSignature(of: path)?.size {
            let source = order.sources.first { source in group.contains { $0.source == source.name } }
            // Of a source that the job no longer has, the file's name is all that says how it was read.
            let format = source.map { $0.format(of: file) } ?? FormatName(ofFile: file)?.format()
            try readRecords(
                of: path, as: format, for: FieldTree(), size: size, longest: order.longestRecord
            ) { record, scan in
                for loser in wanted[record.number] ?? [] {
                    found.insert(record.number)
                    var cut: CutRecord?
                    if case .refused(_, _, let whole) = scan { cut = whole }
                    refusals.append(
                        Refusal(
                            source: loser.source, file: file, record: record.number, reason: "id_reused", detail: detail,
                            line: record.line, cut: cut))
                }
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

/// The new content of a quarantine file: what was there and what comes, each line once, by record.
private func merged(_ fresh: [UInt8], _ refusals: [Refusal], with path: String) throws -> [UInt8] {
    if refusals.isEmpty, !exists(path) { return fresh }
    var lines: Set<String> = Set(refusals.map(\.json.text))
    for file in [fresh, exists(path) ? try readFile(path, as: "quarantine file") : []] where !file.isEmpty {
        lines.formUnion(try gunzipped(file, path: path).split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) })
    }
    let sorted = try lines.map { (record: try parseJSON(Array($0.utf8), path: path)["record"]?.int ?? 0, line: $0) }
        .sorted { ($0.record, $0.line) < ($1.record, $1.line) }
    return try gzipped(sorted.flatMap { Array($0.line.utf8) + [0x0a] })
}
