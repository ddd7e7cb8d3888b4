import Common
import Lake

/// Where one row stands among the parts of a run, under a hash of its scope and id.
struct KeyEntry: Comparable {
    let key: UInt64
    let part: Int32
    let row: Int32

    static func < (x: KeyEntry, y: KeyEntry) -> Bool {
        x.key != y.key ? x.key < y.key : x.part != y.part ? x.part < y.part : x.row < y.row
    }
}

/// The keys of all rows of a run, divided by their first bits, so that each division can be sorted in little memory. What does not fit
/// goes to files in staging.
final class KeyStore: @unchecked Sendable {
    // `unchecked`: filled under its owner's lock; when all is in, it is only read.

    /// Entries in memory, of 16 bytes, before they go to files.
    private static let mostInMemory = 5 << 20

    private let folder: String
    private var memory: [[KeyEntry]] = Array(repeating: [], count: DedupeIndex.divisions)
    private var inMemory = 0
    private var spilled = false
    private var spilledCounts = [Int](repeating: 0, count: DedupeIndex.divisions)

    init(folder: String) { self.folder = folder }

    func append(_ keys: RowKeys, part: Int32) throws {
        var memory: [[KeyEntry]] = []
        swap(&memory, &self.memory)
        for row in 0..<keys.count {
            let key = keys[row]
            memory[DedupeIndex.division(of: key)].append(KeyEntry(key: key, part: part, row: Int32(truncatingIfNeeded: row)))
        }
        swap(&memory, &self.memory)
        inMemory += keys.count
        if inMemory > KeyStore.mostInMemory { try spill() }
    }

    /// How many keys each division has.
    var counts: [Int] { memory.indices.map { memory[$0].count + spilledCounts[$0] } }

    private func spill() throws {
        try makeFolder(folder)
        spilledCounts = counts
        for division in memory.indices {
            try memory[division].withUnsafeBytes { try appendToFile($0, path(division)) }
            memory[division].removeAll(keepingCapacity: true)
        }
        (inMemory, spilled) = (0, true)
    }

    /// Hands over the divisions, each sorted, on so many threads at a time.
    func eachDivision(threads: Int, _ body: @escaping @Sendable (_ division: Int, _ entries: [KeyEntry]) throws -> Void) throws {
        try inParallel(DedupeIndex.divisions, threads: threads) { division in
            var entries = self.memory[division]
            if self.spilled {
                let bytes = try readFile(self.path(division), as: "keys")
                bytes.withUnsafeBytes { entries += $0.bindMemory(to: KeyEntry.self) }
            }
            try body(division, sortedKeys(entries))
        }
    }

    private func path(_ division: Int) -> String { "\(folder)/keys-\(division)" }
}

/// The entries in order. Their keys are hashes, so a first look at twelve bits puts each near its place.
func sortedKeys(_ entries: [KeyEntry]) -> [KeyEntry] {
    // The bits behind those that chose the division.
    func bucket(_ entry: KeyEntry) -> Int { Int(truncatingIfNeeded: entry.key >> 46) & 0xfff }
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

/// The keys of a batch's rows: hashes of scope and id. Equal ids have equal keys, and the few false friends are told apart afterwards.
struct RowKeys {
    private let keys: [UInt64]

    var count: Int { keys.count }
    subscript(row: Int) -> UInt64 { keys[row] }

    /// `scopes` gives each source entry's id scope; a source that the job no longer has is its own.
    init(_ batch: Batch, identity: [String], scopes: [String: String]) {
        guard case .text(let sourceCodes, let sourceNames)? = batch["source"] else {
            keys = []
            return
        }
        let starts = (0..<Int32(sourceNames.count)).map { code in
            let name = sourceNames[code]
            return (scopes[name] ?? name).withContiguousUTF8 { mix($0, into: 0x9E37_79B9_7F4A_7C15) }
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
private func mix(_ bytes: UnsafeBufferPointer<UInt8>, into key: UInt64) -> UInt64 {
    var hash = (key ^ UInt64(bytes.count)) &* 0xff51_afd7_ed55_8ccd
    let raw = UnsafeRawBufferPointer(bytes)
    var at = 0
    while at < raw.count {
        var word: UInt64 = 0
        if at &+ 8 <= raw.count {
            word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        } else {
            for index in at..<raw.count { word = word << 8 | UInt64(raw[index]) }
        }
        hash = (hash ^ word) &* 0x9FB2_1C65_1E98_DF25
        hash ^= hash >> 29
        at &+= 8
    }
    hash = (hash ^ (hash >> 31)) &* 0x9FB2_1C65_1E98_DF25
    return hash ^ (hash >> 33)
}
