import Common
import Lake
import Ledger

/// One file of a source entry, as `vesper source list` shows it.
public struct FileEntry: Sendable {
    public enum State: String, Sendable {
        case read
        /// It has grown or was overwritten; the next run reads it.
        case changed
        case gone
        /// Rows of it came about under another mapping than its source has today.
        case otherMapping = "other mapping"
        /// The job has no such source any more.
        case noSource = "no source"
        /// It was taken out, and no run reads it.
        case dropped
    }

    public let file: SourceFile
    /// Of what was read; nil where nothing of it is kept.
    public let size: Int64?
    public let counts: Counts
    public let days: (first: Day, last: Day)?
    /// The beginning of the digest of the bytes that were read.
    public let digest: String?
    public let state: State
}

/// Every file that was read or dropped, by source and name.
public func listFilesRead(_ order: IngestOrder, _ ledger: Ledger) throws -> [FileEntry] {
    let (known, counts) = (try ledger.filesRead(job: order.job), try ledger.countsByFile(job: order.job))
    let (dropped, mappings) = (try ledger.droppedFiles(job: order.job), order.mappings)
    var days: [SourceFile: (first: Day, last: Day)] = [:]
    for stored in try ledger.storedDays(job: order.job) {
        days[stored.file] = (days[stored.file]?.first ?? stored.day, stored.day)
    }
    return try Set(known.keys).union(dropped).sorted().map { file in
        let read = known[file]
        return FileEntry(
            file: file, size: read?.signature.size, counts: counts[file] ?? Counts(), days: days[file],
            digest: read.map { String($0.digest.prefix(12)) },
            state: try dropped.contains(file) ? .dropped : state(of: file, read, mappings[file.source], order))
    }
}

private func state(
    of file: SourceFile, _ read: FileRead?, _ mapping: String?, _ order: IngestOrder
) throws -> FileEntry.State {
    guard let mapping else { return .noSource }
    let path = order.location(of: file.file)
    guard let read, let now = FileSignature(of: path) else { return .gone }
    if try now.size != read.signature.size || !read.stands(at: path) { return .changed }
    return read.mapping.isEmpty || read.mapping == mapping ? .read : .otherMapping
}

/// The files that somebody names, as the ledger has them: by their path below the data folder, or by where they are from here.
public func filesNamed(_ names: [String], source: String?, among entries: [FileEntry], _ order: IngestOrder) throws -> Set<
    SourceFile
> {
    let entries = entries.filter { source == nil || $0.file.source == source }
    guard !entries.isEmpty || source == nil else {
        throw Failure("No file was read for a source \"\(source ?? "")\".", kind: .usage)
    }
    return Set(
        try names.flatMap { name in
            var found = entries.filter { $0.file.file == name }
            if found.isEmpty, let place = absolutePath(name) {
                found = entries.filter { absolutePath(order.location(of: $0.file.file)) == place }
            }
            guard !found.isEmpty else {
                throw Failure(
                    "No such file was read.\(didYouMean(name, from: entries.map(\.file.file))) "
                        + "Run \"vesper source list \(order.job)\" to see them.",
                    at: Place(path: name), kind: .usage)
            }
            return found.map(\.file)
        })
}
