import Common
import Glibc

extension DedupeIndex {
    /// One sorted run, mapped into memory: a header, hashes in ascending order, then the day of each.
    public final class Run: Sendable {
        let name: String
        let count: Int
        // `unsafe`: memory that is only read, for as long as the run lives.
        private nonisolated(unsafe) let base: UnsafeRawPointer
        private let length: Int
        private let header: RunHeader

        private static let largestKept = 64 << 20

        init(path: String, name: String) throws {
            self.name = name
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Failure("The index has lost a run.", at: Place(path: path)) }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_size >= RunHeader.bytes else {
                throw Failure("The index is damaged.", at: Place(path: path))
            }
            length = Int(status.st_size)
            guard let mapped = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
                throw Failure("The index could not be read.", at: Place(path: path))
            }
            base = UnsafeRawPointer(mapped)
            guard let header = RunHeader(UnsafeRawBufferPointer(start: mapped, count: RunHeader.bytes)),
                length - RunHeader.bytes == 12 * header.count
            else {
                munmap(mapped, length)
                throw Failure("The index is damaged.", at: Place(path: path))
            }
            (self.header, count) = (header, header.count)
        }

        deinit { munmap(UnsafeMutableRawPointer(mutating: base), length) }

        @inline(__always) func hash(_ index: Int) -> UInt64 {
            base.load(fromByteOffset: RunHeader.bytes + 8 * index, as: UInt64.self)
        }
        @inline(__always) func day(_ index: Int) -> Int32 {
            base.load(fromByteOffset: RunHeader.bytes + 8 * count + 4 * index, as: Int32.self)
        }

        /// Where the keys of a division stand.
        func range(division: Int) -> Range<Int> { header.starts[division]..<header.starts[division + 1] }

        /// Whether a division's bytes are those that were written.
        func isSound(division: Int) -> Bool {
            let range = range(division: division)
            func sum(_ start: Int, _ width: Int) -> UInt32 {
                checksum(UnsafeRawBufferPointer(start: base + start + width * range.lowerBound, count: width * range.count))
            }
            let found = (sum(RunHeader.bytes, 8), sum(RunHeader.bytes + 8 * count, 4))
            release(range)
            return found == header.sums[division]
        }

        /// The first place within these bounds whose hash is not below the key.
        func place(of key: UInt64, from: Int, to: Int) -> Int {
            var (low, high) = (from, to)
            while low < high {
                let middle = (low + high) / 2
                if hash(middle) < key { low = middle + 1 } else { high = middle }
            }
            return low
        }

        /// Gives the memory of what has been passed back to the system; a small run is kept, because getting it back takes longer.
        func release(_ passed: Range<Int>) {
            guard length > Run.largestKept else { return }
            for (start, width) in [(RunHeader.bytes, 8), (RunHeader.bytes + 8 * count, 4)] {
                let (from, to) = ((start + width * passed.lowerBound + 4095) & ~4095, (start + width * passed.upperBound) & ~4095)
                if to > from { madvise(UnsafeMutableRawPointer(mutating: base) + from, to - from, MADV_DONTNEED) }
            }
        }
    }
}

/// Looks up ascending keys of one division in all runs of an index.
public struct IndexReader {
    private var places: [Place]

    private struct Place {
        let run: DedupeIndex.Run
        let end: Int
        var at: Int
        var released: Int

        /// Moves on by steps that double, then halves the last one.
        @inline(__always) mutating func seek(_ key: UInt64) {
            guard at < end, run.hash(at) < key else { return }
            var step = 1
            while at + step < end, run.hash(at + step) < key { step *= 2 }
            at = run.place(of: key, from: at + step / 2, to: min(at + step, end))
            if at - released >= 1 << 21 {
                run.release(released..<at)
                released = at
            }
        }
    }

    /// Each thread has a reader of its own.
    public init(_ runs: [DedupeIndex.Run], division: Int) {
        places = runs.map { run in
            let range = run.range(division: division)
            return Place(run: run, end: range.upperBound, at: range.lowerBound, released: range.lowerBound)
        }
    }

    /// The days on which a row with this key may stand.
    public mutating func days(of key: UInt64) -> Set<Int32> {
        var days: Set<Int32> = []
        for index in places.indices {
            places[index].seek(key)
            var at = places[index].at
            while at < places[index].end, places[index].run.hash(at) == key {
                days.insert(places[index].run.day(at))
                at += 1
            }
        }
        return days
    }

    /// Tells that no more keys will be asked for.
    public func finish() { for place in places { place.run.release(place.released..<place.end) } }
}
