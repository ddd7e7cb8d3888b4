import Common
import Lake

/// What reading the files of a run came to, besides the parts and keys that went to its output.
struct Reading: Sendable {
    var counts: [CountKey: Counts] = [:]
    var refusals: [RefusalFile] = []
    var files: [SourceFile: FileReading] = [:]
}

/// Reads each file once, for all source entries that want as much of it; several files at a time.
func readFiles(_ pending: [PendingFile], _ order: IngestOrder, to output: LaneOutput, _ talk: Talk) throws -> Reading {
    let files = Dictionary(grouping: pending) { Extent(path: $0.path, size: $0.signature.size) }
        // The largest first, so that the last thread to finish has little left.
        .sorted { ($1.key.size, $0.key.path) < ($0.key.size, $1.key.path) }
    // A name that does not fit the job is told before anything is read.
    for file in pending { try order.sources.first { $0.name == file.source }?.checkName(of: file.path) }
    let progress = SharedReading(total: files.reduce(0) { $0 + $1.key.size }, what: "reading \(order.job)", talk)
    // With fewer files than threads, the others decompress.
    let ahead = files.count < order.threads
    try inParallel(files.count, threads: order.threads) { index in
        let (extent, entries) = files[index]
        let (lanes, reading) = try readFile(extent, ahead: ahead, entries, order, to: output) { progress.advance($0) }
        progress.add(extent.path, lanes, reading)
    }
    return progress.taken()
}

/// How much of which file is read.
private struct Extent: Hashable {
    let path: String
    let size: Int64
}

private func readFile(
    _ extent: Extent, ahead: Bool, _ entries: [PendingFile], _ order: IngestOrder, to output: LaneOutput,
    _ advance: @escaping (Int64) -> Void
) throws -> ([Lane], FileReading) {
    let path = extent.path
    var tree = FieldTree()
    var plain: [Lane] = []
    var divided: [(elements: ElementReader, lane: Lane)] = []
    for entry in entries {
        guard let source = order.sources.first(where: { $0.name == entry.source }) else { continue }
        let elements = source.each.map { ElementReader($0, wanting: source.paths, in: &tree) }
        let mapping = try Mapping(source, file: path) { elements?.slot(for: $0) ?? tree.slot(for: $0) }
        let lane = Lane(mapping, file: path, linesRead: entry.linesRead, range: order.range, output: output)
        if let elements { divided.append((elements, lane)) } else { plain.append(lane) }
    }
    let (whole, parts) = (plain, divided)
    let lanes = whole + parts.map(\.lane)
    func read(_ body: (Record) throws -> Void) throws -> FileReading {
        try readRecords(
            of: order.location(of: path), as: lanes.first?.source.format(of: path), for: tree, size: extent.size,
            longest: order.longestRecord, ahead: ahead, advance, body)
    }
    // Mostly one source reads a file, and then nothing is counted for each record.
    let only = lanes.count == 1 ? whole.first : nil
    let reading =
        if let only {
            try read { try only.take($0) }
        } else {
            try read { record in
                for lane in whole { try lane.take(record) }
                for (elements, lane) in parts { try elements.read(record) { try lane.take($0) } }
            }
        }
    for lane in lanes { try lane.flush() }
    return (lanes, reading)
}

/// What the threads bring together.
private final class SharedReading: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private let total: Int64
    private let what: String
    private let talk: Talk
    private var done: Int64 = 0
    private var reading = Reading()

    init(total: Int64, what: String, _ talk: Talk) { (self.total, self.what, self.talk) = (total, what, talk) }

    func advance(_ bytes: Int64) {
        lock.held {
            done += bytes
            talk.progress(what, done, total)
        }
    }

    func add(_ path: String, _ lanes: [Lane], _ file: FileReading) {
        lock.held {
            for lane in lanes {
                reading.files[SourceFile(source: lane.source.name, file: path)] = file
                reading.counts[CountKey(source: lane.source.name, log: lane.source.log.rawValue, file: path)] = lane.counts
                if !lane.refusals.isEmpty { reading.refusals.append(lane.refusals) }
            }
        }
    }

    func taken() -> Reading { lock.held { reading } }
}
