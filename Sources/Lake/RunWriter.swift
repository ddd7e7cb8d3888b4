import Common

/// Writes a run of an index, merged with older ones. How many keys each division brings is known beforehand, and so is where they go:
/// the divisions may be written by several threads, in any order.
public final class RunWriter: Sendable {
    private let file: OutputFile
    private let merging: [DedupeIndex.Run]
    /// Where each division begins; one more entry than there are divisions.
    private let starts: [Int]
    private let sums = SharedSums()

    private static let mostInMemory = 1 << 16

    init(_ path: String, counts: [Int], merging: [DedupeIndex.Run]) throws {
        self.merging = merging
        starts = counts.indices.reduce(into: [0]) { starts, division in
            let older = merging.reduce(0) { $0 + $1.range(division: division).count }
            starts.append(starts[division] + counts[division] + older)
        }
        file = try OutputFile(path)
    }

    /// Writes the keys of one division, which come in ascending order with the day of each.
    public func write(division: Int, hashes: [UInt64], days: [Int32]) throws {
        let ranges = merging.map { $0.range(division: division) }
        guard !ranges.allSatisfy(\.isEmpty) else { return try put(hashes, days, at: starts[division], division) }
        var places = ranges.map(\.lowerBound)
        var (own, out) = (0, starts[division])
        var merged: (hashes: [UInt64], days: [Int32]) = ([], [])
        while true {
            var (least, key) = (-1, own < hashes.count ? hashes[own] : .max)
            var isDone = own == hashes.count
            for index in merging.indices where places[index] < ranges[index].upperBound {
                let hash = merging[index].hash(places[index])
                if isDone || hash < key { (least, key, isDone) = (index, hash, false) }
            }
            if isDone { break }
            merged.hashes.append(key)
            merged.days.append(least < 0 ? days[own] : merging[least].day(places[least]))
            if least < 0 { own += 1 } else { places[least] += 1 }
            if merged.hashes.count == RunWriter.mostInMemory {
                try put(merged.hashes, merged.days, at: out, division)
                out += merged.hashes.count
                merged.hashes.removeAll(keepingCapacity: true)
                merged.days.removeAll(keepingCapacity: true)
            }
        }
        try put(merged.hashes, merged.days, at: out, division)
        for (run, range) in zip(merging, ranges) { run.release(range) }
    }

    /// Nobody waits for the disk: a run that a power cut has torn is noticed by its checksums, and made anew.
    func finish() throws {
        let header = RunHeader(starts: starts, sums: sums.taken()).encoded()
        try header.withUnsafeBytes { try file.write($0, at: 0) }
    }

    /// The pieces of a division come one after another.
    private func put(_ hashes: [UInt64], _ days: [Int32], at place: Int, _ division: Int) throws {
        try hashes.withUnsafeBytes { hashes in
            try days.withUnsafeBytes { days in
                sums.add(hashes, days, to: division)
                try file.write(hashes, at: RunHeader.bytes + 8 * place)
                try file.write(days, at: RunHeader.bytes + 8 * starts[starts.count - 1] + 4 * place)
            }
        }
    }
}

private final class SharedSums: @unchecked Sendable {
    // `unchecked`: all state is behind the lock; a division belongs to one thread.
    private let lock = Lock()
    private var sums = [RunHeader.Sums](repeating: (0, 0), count: DedupeIndex.divisions)

    func add(_ hashes: UnsafeRawBufferPointer, _ days: UnsafeRawBufferPointer, to division: Int) {
        let before = lock.held { sums[division] }
        let after = (checksum(hashes, after: before.hashes), checksum(days, after: before.days))
        lock.held { sums[division] = after }
    }

    func taken() -> [RunHeader.Sums] { lock.held { sums } }
}
