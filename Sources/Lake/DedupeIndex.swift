import Common
import Glibc
import Ledger

/// Which lake days may hold a row with a given key: sorted runs under `index/`, made of hashes and days only.
///
/// A hit is a hint; whoever asks looks the id up in the day's rows. The index is rebuildable: it says which parts it was made from, and
/// one that was made from others is not believed.
///
///     index/kalei/usage/run-000007   hashes in ascending order, then the day of each
///     index/kalei/usage/current      the runs that count, and the digest of the parts they were made from
public final class DedupeIndex {
    private let folder: String
    private var runs: [Run]
    private let scopes: Digest
    /// Stands in staging only; the next run is always merged with it.
    private let rebuiltRun: Run?

    private static let version = "vesper.index/1"
    private static let headerBytes = 16
    private static let entryBytes = 12

    /// nil where there is no index that was made from these parts with these scopes.
    public init?(home: String, job: String, log: Log, parts: [Part], scopes: Digest) throws {
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
    }

    /// An index made anew, of one run that does not count before `adding` is committed.
    public static func rebuilt(from run: KeyRun, home: String, job: String, log: Log, scopes: Digest) throws -> DedupeIndex {
        let path = joined(home, "staging/work/\(job)/\(log.rawValue)-rebuilt-run")
        try run.write(merging: [], to: path)
        return DedupeIndex(
            folder: "index/\(job)/\(log.rawValue)", scopes: scopes, rebuilt: try Run(path: path, name: "run-000000"))
    }

    private init(folder: String, scopes: Digest, rebuilt: Run) {
        (self.folder, self.scopes, rebuiltRun, runs) = (folder, scopes, rebuilt, [rebuilt])
    }

    /// The days on which a row with this key may stand. Keys must be asked for in ascending order.
    public func days(of key: UInt64) throws -> Set<Int32> {
        var days: Set<Int32> = []
        for run in runs { run.collect(key, &days) }
        return days
    }

    /// Writes a new run into staging, merged with older ones of its size so that there are few, and returns what must be committed for
    /// it to count. `parts` are those of the lake after the commit.
    public func adding(_ fresh: KeyRun, parts: [Part], _ lake: Lake) throws -> [StagedFile] {
        var kept = runs
        var merging: [Run] = []
        var size = fresh.count
        // Runs at least double in size towards the oldest; one that would not is merged.
        while let last = kept.last, last.count < 2 * size || last === rebuiltRun {
            merging.append(last)
            size += last.count
            kept.removeLast()
        }
        var names = kept.map(\.name)
        var staged: [StagedFile] = []
        if size > 0 {
            let number = (runs.compactMap { Int($0.name.dropFirst(4)) }.max() ?? 0) + 1
            let name = "run-\(padded(number, 6))"
            try fresh.write(merging: merging, to: lake.stagingPath(of: "\(folder)/\(name)"))
            staged.append(StagedFile(place: "\(folder)/\(name)"))
            names.append(name)
        }
        let current = JSON.fields([
            "schema": .string(DedupeIndex.version), "parts": .string(Lake.digest(of: parts).hex), "scopes": .string(scopes.hex),
            "runs": .array(names.map(JSON.string)),
        ])
        return staged + [try lake.stage(Array(current.prettyText.utf8), at: "\(folder)/current")]
    }

    /// Removes runs that no longer count.
    public static func sweep(home: String, job: String, log: Log) throws {
        let path = joined(home, "index/\(job)/\(log.rawValue)")
        guard exists(path + "/current"), let current = try? parseJSON(try readFile(path + "/current", as: "index"), path: path)
        else { return }
        let valid = Set((current["runs"]?.array ?? []).compactMap(\.string) + ["current"])
        for name in try names(in: path) where !valid.contains(name) { try removeTree(path + "/" + name) }
    }

    /// One run, mapped into memory; what has been passed is given back to the system.
    final class Run {
        let name: String
        let count: Int
        private let base: UnsafeRawPointer
        private let length: Int
        private var at = 0
        private var released = 0

        init(path: String, name: String) throws {
            self.name = name
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Failure("The index has lost a run.", at: Place(path: path)) }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_size >= DedupeIndex.headerBytes else {
                throw Failure("The index is damaged.", at: Place(path: path))
            }
            length = Int(status.st_size)
            guard let mapped = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
                throw Failure("The index could not be read.", at: Place(path: path))
            }
            base = UnsafeRawPointer(mapped)
            count = Int(base.load(fromByteOffset: 8, as: UInt64.self))
            guard base.load(as: UInt64.self) == KeyRun.magic, length == DedupeIndex.headerBytes + count * DedupeIndex.entryBytes
            else {
                throw Failure("The index is damaged.", at: Place(path: path))
            }
        }

        deinit { munmap(UnsafeMutableRawPointer(mutating: base), length) }

        @inline(__always) func hash(_ index: Int) -> UInt64 {
            base.load(fromByteOffset: DedupeIndex.headerBytes + 8 * index, as: UInt64.self)
        }
        @inline(__always) func day(_ index: Int) -> Int32 {
            base.load(fromByteOffset: DedupeIndex.headerBytes + 8 * count + 4 * index, as: Int32.self)
        }

        /// Moves on to the key by steps that double, then halves the last one.
        func collect(_ key: UInt64, _ days: inout Set<Int32>) {
            if at < count, hash(at) < key {
                var step = 1
                while at + step < count, hash(at + step) < key { step *= 2 }
                var (low, high) = (at + step / 2, min(at + step, count))
                while low < high {
                    let middle = (low + high) / 2
                    if hash(middle) < key { low = middle + 1 } else { high = middle }
                }
                at = low
                if at - released >= 1 << 22 { release(before: at) }
            }
            var index = at
            while index < count, hash(index) == key {
                days.insert(day(index))
                index += 1
            }
        }

        /// Gives the memory of what has been passed back to the system.
        func release(before index: Int) {
            for (start, width) in [(DedupeIndex.headerBytes, 8), (DedupeIndex.headerBytes + 8 * count, 4)] {
                let (from, to) = ((start + width * released + 4095) & ~4095, (start + width * index) & ~4095)
                if to > from { madvise(UnsafeMutableRawPointer(mutating: base) + from, to - from, MADV_DONTNEED) }
            }
            released = index
        }
    }
}

/// Keys in ascending order with their days, on their way to become a run: written to a file of their own as they come.
public final class KeyRun {
    static let magic: UInt64 = 0x0031_5844_4956_5350  // "PSVIDX1"

    private let path: String
    // `unchecked`: whoever appends is alone, and asking that anew for every key takes longer than the key.
    @exclusivity(unchecked) private var hashes: [UInt64] = []
    @exclusivity(unchecked) private var days: [Int32] = []
    @exclusivity(unchecked) public private(set) var count = 0

    public init(folder: String) throws {
        try makeFolder(folder)
        path = folder + "/run"
    }

    public func append(_ hash: UInt64, day: Int32) throws {
        hashes.append(hash)
        days.append(day)
        count += 1
        if hashes.count == 1 << 20 { try spill() }
    }

    private func spill() throws {
        try hashes.withUnsafeBytes { try appendToFile($0, path + ".hashes") }
        try days.withUnsafeBytes { try appendToFile($0, path + ".days") }
        hashes.removeAll(keepingCapacity: true)
        days.removeAll(keepingCapacity: true)
    }

    /// Writes the keys as a run, merged with older runs, in one pass and little memory.
    func write(merging older: [DedupeIndex.Run], to target: String) throws {
        if let slash = target.lastIndex(of: "/") { try makeFolder(String(target[..<slash])) }
        let own = path + ".own"
        try spill()
        try KeyRun.join(path, count: count, to: older.isEmpty ? target : own)
        guard !older.isEmpty else { return }
        let merged = try KeyRun(path: path + ".merged")
        var cursors = try (older + [DedupeIndex.Run(path: own, name: "own")]).map { Cursor(run: $0) }
        while let least = cursors.indices.filter({ !cursors[$0].isAtEnd }).min(by: { cursors[$0].hash < cursors[$1].hash }) {
            try merged.append(cursors[least].hash, day: cursors[least].day)
            cursors[least].advance()
        }
        try merged.spill()
        try KeyRun.join(merged.path, count: merged.count, to: target)
    }

    private init(path: String) throws { self.path = path }

    /// Puts header, hashes and days into one file.
    private static func join(_ path: String, count: Int, to target: String) throws {
        try removeTree(target)
        let header: [UInt64] = [magic, UInt64(count)]
        try header.withUnsafeBytes { try appendToFile($0, target) }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        for part in [path + ".hashes", path + ".days"] where exists(part) {
            let file = try InputFile(part, as: "index")
            while true {
                let read = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
                if read == 0 { break }
                try chunk.withUnsafeBytes { try appendToFile(UnsafeRawBufferPointer(rebasing: $0[0..<read]), target) }
            }
        }
    }

    /// A place in a run that is being merged.
    private struct Cursor {
        let run: DedupeIndex.Run
        private var at = 0

        init(run: DedupeIndex.Run) { self.run = run }

        var isAtEnd: Bool { at == run.count }
        var hash: UInt64 { run.hash(at) }
        var day: Int32 { run.day(at) }

        mutating func advance() {
            at += 1
            if at & 0xfffff == 0 { run.release(before: at) }
        }
    }
}
