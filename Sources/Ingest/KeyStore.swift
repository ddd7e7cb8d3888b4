import Common
import Lake

/// Where one row stands among the parts of a run, under a hash of its scope and id.
struct KeyEntry: Comparable {
    let key: RowKey
    let part: Int32
    let row: Int32

    static func < (x: KeyEntry, y: KeyEntry) -> Bool {
        if x.key.a != y.key.a { return x.key.a < y.key.a }
        if x.key.b != y.key.b { return x.key.b < y.key.b }
        return (x.part, x.row) < (y.part, y.row)
    }
}

/// The keys of all rows of a run, divided by their first bits, so that each division can be sorted in little memory. What does not fit
/// goes to files in staging.
final class KeyStore: @unchecked Sendable {
    // `unchecked`: filled under its owner's lock; when all is in, it is only read.

    static let divisions = 64
    /// Entries in memory, of 24 bytes, before they go to files.
    private static let mostInMemory = 3 << 20

    private let folder: String
    private var memory: [[KeyEntry]] = Array(repeating: [], count: divisions)
    private var inMemory = 0
    private var spilled = false
    private(set) var count = 0

    init(folder: String) { self.folder = folder }

    func append(_ keys: RowKeys, part: Int32) throws {
        for row in 0..<keys.count {
            memory[Int(truncatingIfNeeded: keys[row].a >> 58)].append(
                KeyEntry(key: keys[row], part: part, row: Int32(truncatingIfNeeded: row)))
        }
        count += keys.count
        inMemory += keys.count
        if inMemory > KeyStore.mostInMemory { try spill() }
    }

    private func spill() throws {
        try makeFolder(folder)
        for division in memory.indices {
            try memory[division].withUnsafeBytes { try appendToFile($0, path(division)) }
            memory[division].removeAll(keepingCapacity: true)
        }
        (inMemory, spilled) = (0, true)
    }

    /// The entries of one division, sorted; the divisions follow one another in the order of their keys.
    func sorted(_ division: Int) throws -> [KeyEntry] {
        var entries = memory[division]
        if spilled {
            let bytes = try readFile(path(division), as: "keys")
            bytes.withUnsafeBytes { entries += $0.bindMemory(to: KeyEntry.self) }
        }
        return sortedKeys(entries)
    }

    /// Hands over the divisions one after another, sorted; the next few are sorted meanwhile, as many as there are threads.
    func eachSorted(threads: Int, _ body: ([KeyEntry]) throws -> Void) throws {
        for first in stride(from: 0, to: KeyStore.divisions, by: threads) {
            let wave = SortedWave(count: min(threads, KeyStore.divisions - first))
            try inParallel(wave.count, threads: threads) { wave.set($0, try self.sorted(first + $0)) }
            for index in 0..<wave.count { try body(wave.take(index)) }
        }
    }

    private func path(_ division: Int) -> String { "\(folder)/keys-\(division)" }
}

private final class SortedWave: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var divisions: [[KeyEntry]]

    init(count: Int) { divisions = Array(repeating: [], count: count) }

    var count: Int { lock.held { divisions.count } }
    func set(_ index: Int, _ entries: [KeyEntry]) { lock.held { divisions[index] = entries } }
    func take(_ index: Int) -> [KeyEntry] { lock.held { divisions[index] } }
}

/// The entries in order. Their keys are hashes, so a first look at twelve bits puts each near its place.
func sortedKeys(_ entries: [KeyEntry]) -> [KeyEntry] {
    // The bits behind those that chose the division.
    func bucket(_ entry: KeyEntry) -> Int { Int(truncatingIfNeeded: entry.key.a >> 46) & 0xfff }
    var ends = [Int](repeating: 0, count: 4097)
    for entry in entries { ends[bucket(entry) + 1] += 1 }
    for index in 1..<4097 { ends[index] += ends[index - 1] }
    let starts = ends
    return [KeyEntry](unsafeUninitializedCapacity: entries.count) { sorted, count in
        for entry in entries {
            let place = ends[bucket(entry)]
            (sorted.baseAddress! + place).initialize(to: entry)
            ends[bucket(entry)] = place + 1
        }
        count = entries.count
        for index in 0..<4096 where starts[index + 1] - starts[index] > 1 {
            let range = starts[index]..<starts[index + 1]
            // Many equal ids, or somebody's attempt at them, fill one bucket.
            if range.count > 48 {
                sorted[range].sort()
                continue
            }
            for at in range.dropFirst() {
                let entry = sorted[at]
                var hole = at
                while hole > range.lowerBound, entry < sorted[hole - 1] {
                    sorted[hole] = sorted[hole - 1]
                    hole -= 1
                }
                sorted[hole] = entry
            }
        }
    }
}

/// A hash of scope and id; equal ids have equal keys, and the few false friends are told apart afterwards.
struct RowKey: Hashable, Sendable {
    let a: UInt64
    let b: UInt64
}

/// The keys of a batch's rows.
struct RowKeys {
    private let keys: [RowKey]

    var count: Int { keys.count }
    subscript(row: Int) -> RowKey { keys[row] }

    /// `scopes` gives each source entry's id scope; a source that the job no longer has is its own.
    init(_ batch: Batch, identity: [String], scopes: [String: String]) {
        guard case .text(let sourceCodes, let sourceNames)? = batch["source"] else {
            keys = []
            return
        }
        let starts = (0..<Int32(sourceNames.count)).map { code in
            let name = sourceNames[code]
            let seed = RowKey(a: 0x9E37_79B9_7F4A_7C15, b: 0xC2B2_AE3D_27D4_EB4F)
            return (scopes[name] ?? name).withContiguousUTF8 { mix($0, into: seed) }
        }
        var keys = sourceCodes.map { starts[Int($0)] }
        for name in identity {
            switch batch[name] {
            case .text(let codes, let dictionary)?:
                dictionary.bytes.withUnsafeBufferPointer { bytes in
                    dictionary.offsets.withUnsafeBufferPointer { offsets in
                        for row in keys.indices where codes[row] >= 0 {
                            let (start, end) = (Int(offsets[Int(codes[row])]), Int(offsets[Int(codes[row]) + 1]))
                            keys[row] = mix(
                                UnsafeBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: end - start),
                                into: keys[row])
                        }
                    }
                }
            case .integers(let values, _)?:
                for row in keys.indices {
                    withUnsafeBytes(of: values[row]) { keys[row] = mix($0.bindMemory(to: UInt8.self), into: keys[row]) }
                }
            default: break
            }
        }
        self.keys = keys
    }
}

@inline(__always)
private func mix(_ bytes: UnsafeBufferPointer<UInt8>, into key: RowKey) -> RowKey {
    var a = (key.a ^ UInt64(bytes.count)) &* 0xff51_afd7_ed55_8ccd
    var b = (key.b ^ UInt64(bytes.count)) &* 0xc4ce_b9fe_1a85_ec53
    let raw = UnsafeRawBufferPointer(bytes)
    var at = 0
    while at < raw.count {
        var word: UInt64 = 0
        if at + 8 <= raw.count {
            word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        } else {
            for index in at..<raw.count { word = word << 8 | UInt64(raw[index]) }
        }
        a = (a ^ word) &* 0x9FB2_1C65_1E98_DF25
        a ^= a >> 29
        b = (b &+ word) &* 0xD6E8_FEB8_6659_FD93
        b ^= b >> 32
        at += 8
    }
    a = (a ^ (a >> 31)) &* 0x9FB2_1C65_1E98_DF25
    return RowKey(a: a ^ (a >> 33), b: b ^ (b >> 28))
}
