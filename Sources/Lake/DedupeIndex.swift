import Common
import Ledger

/// Which lake days may hold a row with a given key: sorted runs under `index/`, made of hashes and days only.
///
/// A hit is a hint; whoever asks looks the id up in the day's rows. The index is rebuildable: it says which parts it was made from, and
/// one that was made from others, or whose bytes have changed, is not believed.
///
///     index/kalei/usage/run-000007   hashes in ascending order, then the day of each
///     index/kalei/usage/current      the runs that count, and the digest of the parts they were made from
public final class DedupeIndex {
    private let folder: String
    /// The newest last.
    public let runs: [Run]
    private let scopes: Digest
    /// Stands in staging only; the next run is always merged with it.
    private let rebuiltRun: Run?

    private static let version = "vesper.index/2"

    /// Keys are worked on in so many divisions, by their first bits, each by any thread and in little memory.
    public static let divisions = 64
    public static func division(of key: UInt64) -> Int { Int(truncatingIfNeeded: key >> 58) }

    /// nil where there is no sound index that was made from these parts with these scopes.
    public init?(home: String, job: String, log: Log, parts: [Part], scopes: Digest, threads: Int = 1) throws {
        folder = "index/\(job)/\(log.rawValue)"
        self.scopes = scopes
        rebuiltRun = nil
        let path = joined(home, folder)
        if parts.isEmpty {
            runs = []
            return
        }
        guard exists(path + "/current"), let current = try? parseJSON(try readFile(path + "/current", as: "index"), path: path),
            current["schema"]?.string == DedupeIndex.version, current["parts"]?.string == Lake.digest(of: parts).hex,
            current["scopes"]?.string == scopes.hex
        else { return nil }
        var found: [Run] = []
        for name in (current["runs"]?.array ?? []).compactMap(\.string) {
            guard let run = try? Run(path: path + "/" + name, name: name) else { return nil }
            found.append(run)
        }
        runs = found
        guard try DedupeIndex.unsound(found, threads: threads).isEmpty else { return nil }
    }

    /// The names of the runs of an index that are damaged or gone; none where there is no index.
    public static func damage(home: String, job: String, log: Log, threads: Int) throws -> [String] {
        let path = joined(home, "index/\(job)/\(log.rawValue)")
        guard exists(path + "/current") else { return [] }
        guard let current = try? parseJSON(try readFile(path + "/current", as: "index"), path: path) else { return ["current"] }
        let names = (current["runs"]?.array ?? []).compactMap(\.string)
        let runs = names.compactMap { try? Run(path: path + "/" + $0, name: $0) }
        return try names.filter { name in !runs.contains { $0.name == name } } + unsound(runs, threads: threads)
    }

    private static func unsound(_ runs: [Run], threads: Int) throws -> [String] {
        let found = SharedNames()
        try inParallel(runs.count * divisions, threads: threads) { index in
            let run = runs[index / divisions]
            if !run.isSound(division: index % divisions) { found.insert(run.name) }
        }
        return found.sorted()
    }

    /// An index made anew of one run, which does not count before an addition is committed with it. `write` is given the run to fill.
    public static func rebuilt(
        counts: [Int], home: String, job: String, log: Log, scopes: Digest, _ write: (RunWriter) throws -> Void
    ) throws -> DedupeIndex {
        let path = joined(home, "staging/work/\(job)/\(log.rawValue)-rebuilt-run")
        let writer = try RunWriter(path, counts: counts, merging: [])
        try write(writer)
        try writer.finish()
        return DedupeIndex(
            folder: "index/\(job)/\(log.rawValue)", scopes: scopes, rebuilt: try Run(path: path, name: "run-000000"))
    }

    private init(folder: String, scopes: Digest, rebuilt: Run) {
        (self.folder, self.scopes, rebuiltRun, runs) = (folder, scopes, rebuilt, [rebuilt])
    }

    /// Begins a new run in staging, merged with older ones of its size so that there are few. `counts` says how many keys will come in
    /// each division.
    public func addition(of counts: [Int], _ lake: Lake) throws -> IndexAddition {
        var kept = runs
        var merging: [Run] = []
        var size = counts.reduce(0, +)
        // Runs at least double in size towards the oldest; one that would not is merged.
        while let last = kept.last, last.count < 2 * size || last === rebuiltRun {
            merging.append(last)
            size += last.count
            kept.removeLast()
        }
        guard size > 0 else { return IndexAddition(names: kept.map(\.name), writer: nil, place: nil) }
        let number = (runs.compactMap { Int($0.name.dropFirst(4)) }.max() ?? 0) + 1
        let name = "run-\(padded(number, 6))"
        let place = "\(folder)/\(name)"
        let writer = try RunWriter(lake.stagingPath(of: place), counts: counts, merging: merging)
        return IndexAddition(names: kept.map(\.name) + [name], writer: writer, place: place)
    }

    /// What must be committed for an addition to count. `parts` are those of the lake after the commit.
    public func finish(_ addition: IndexAddition, parts: [Part], _ lake: Lake) throws -> [StagedFile] {
        try addition.writer?.finish()
        let current = JSON.fields([
            "schema": .string(DedupeIndex.version), "parts": .string(Lake.digest(of: parts).hex), "scopes": .string(scopes.hex),
            "runs": .array(addition.names.map(JSON.string)),
        ])
        return (addition.place.map { [StagedFile(place: $0)] } ?? [])
            + [try lake.stage(Array(current.prettyText.utf8), at: "\(folder)/current")]
    }

    /// Removes runs that no longer count.
    public static func sweep(home: String, job: String, log: Log) throws {
        let path = joined(home, "index/\(job)/\(log.rawValue)")
        guard exists(path + "/current"), let current = try? parseJSON(try readFile(path + "/current", as: "index"), path: path)
        else { return }
        let valid = Set((current["runs"]?.array ?? []).compactMap(\.string) + ["current"])
        for name in try names(in: path) where !valid.contains(name) { try removeTree(path + "/" + name) }
    }
}

private final class SharedNames: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var names: Set<String> = []

    func insert(_ name: String) { lock.held { _ = names.insert(name) } }
    func sorted() -> [String] { lock.held { names.sorted() } }
}

/// A run that is being added to an index.
public struct IndexAddition: Sendable {
    let names: [String]
    /// nil where there is nothing to add.
    public let writer: RunWriter?
    let place: String?
}
