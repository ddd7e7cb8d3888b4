import Common
import Lake

/// What reading the files of a run came to, besides the parts and keys that went to its output.
struct Reading: Sendable {
    var counts: [CountKey: Counts] = [:]
    var refusals: [RefusalFile] = []
    var files: [String: FileReading] = [:]
}

/// Reads each file once, for all source entries that want it; several files at a time.
func readFiles(_ pending: [PendingFile], _ order: IngestOrder, to output: LaneOutput, _ talk: Talk) throws -> Reading {
    let files = Dictionary(grouping: pending, by: \.path).map { (path: $0.key, entries: $0.value) }
        // The largest first, so that the last thread to finish has little left.
        .sorted { ($1.entries[0].signature.size, $0.path) < ($0.entries[0].signature.size, $1.path) }
    let progress = SharedReading(total: files.reduce(0) { $0 + $1.entries[0].signature.size }, what: "reading \(order.job)", talk)
    // With fewer files than threads, the others decompress.
    let ahead = files.count < order.threads
    try inParallel(files.count, threads: order.threads) { index in
        let (path, entries) = files[index]
        let size = entries.map(\.signature.size).min() ?? 0
        let (lanes, reading) = try readFile(path, size: size, ahead: ahead, entries, order, to: output) { progress.advance($0) }
        progress.add(path, lanes, reading)
    }
    return progress.taken()
}

private func readFile(
    _ path: String, size: Int64, ahead: Bool, _ entries: [PendingFile], _ order: IngestOrder, to output: LaneOutput,
    _ advance: @escaping (Int64) -> Void
) throws -> ([Lane], FileReading) {
    var tree = FieldTree()
    let lanes = try entries.compactMap { entry -> Lane? in
        guard let source = order.sources.first(where: { $0.name == entry.source }) else { return nil }
        let mapping = try Mapping(source, file: path, tree: &tree)
        return Lane(mapping, file: path, linesRead: entry.linesRead, range: order.range, output: output)
    }
    let reading = try readRecords(
        of: order.location(of: path), as: lanes.first?.source.format(of: path), for: tree, size: size,
        longest: order.longestRecord, ahead: ahead, advance
    ) { record, scan in
        for lane in lanes { try lane.take(record, scan) }
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
            reading.files[path] = file
            for lane in lanes {
                reading.counts[CountKey(source: lane.source.name, log: lane.source.log.rawValue, file: path)] = lane.counts
                if !lane.refusals.isEmpty { reading.refusals.append(lane.refusals) }
            }
        }
    }

    func taken() -> Reading { lock.held { reading } }
}
