import Common
import Lake

/// Tries refused records again, from the bytes that the quarantine has of them.
func retry(_ refused: [Refusal], _ order: IngestOrder, to output: LaneOutput, _ reading: inout Reading) throws {
    for (file, refused) in Dictionary(grouping: refused, by: \.sourceFile).sorted(by: { $0.key < $1.key }) {
        guard let source = order.sources.first(where: { $0.name == file.source }) else { continue }
        var tree = FieldTree()
        let mapping = try Mapping(source, file: file.file) { tree.slot(for: $0) }
        // The equal rows of the file, by which a row without an id is named, are not at hand.
        let lane = Lane(mapping, file: file.file, linesRead: 0, range: order.range, output: output, namesRows: false)
        let slots = RecordSlots(tree)
        for record in refused.sorted(by: { $0.record < $1.record }) {
            try record.raw.withUnsafeBufferPointer { line in
                slots.clear()
                let problem = JSONScanner.scan(line, for: slots.tree, into: slots.values)
                try slots.hand(record.record, line, problem.map { .damaged($0) } ?? .whole) { try lane.take($0) }
            }
        }
        try lane.flush()
        let key = CountKey(source: source.name, log: source.log.rawValue, file: file.file)
        var counts = lane.counts
        for record in refused { counts.quarantined[record.reason, default: 0] -= 1 }
        reading.counts[key, default: Counts()] += counts
        if !lane.refusals.isEmpty { reading.refusals.append(lane.refusals) }
    }
}

extension Refusal {
    var sourceFile: SourceFile { SourceFile(source: source, file: file) }

    /// Whether the quarantine has the whole record, as it stood in the file.
    var isWhole: Bool { !raw.isEmpty && raw.count == length }
}

/// The refused records of a file.
func quarantined(_ file: SourceFile, _ order: IngestOrder, _ lake: Lake) throws -> [Refusal] {
    let place = Refusal.place(job: order.job, source: file.source, file: file.file)
    return try quarantineLines(joined(lake.home, place)).map { try Refusal($0, path: place) }
}

/// The lines of a quarantine file; none where there is no such file.
func quarantineLines(_ path: String) throws -> [String] {
    guard exists(path) else { return [] }
    return try quarantined(path).split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
}
