/// The values below which half, 95 and 99 of a hundred lie, by the nearest rank: each is a value that occurred. Rows without a value are
/// left out and counted.
public struct Percentiles: Equatable, Sendable {
    public let p50: Int64?
    public let p95: Int64?
    public let p99: Int64?
    public let unknown: Int
}

/// How often each value occurred: exact percentiles need no more, and few values are distinct.
struct ValueCounts: Sendable {
    private var values: [Int64] = []
    private var counts: [Int] = []
    private var fresh: [Int64] = []
    private var unknown = 0

    mutating func add(_ value: Int64?) {
        guard let value else {
            unknown += 1
            return
        }
        fresh.append(value)
        if fresh.count >= max(4096, values.count) { settle() }
    }

    mutating func add(_ other: ValueCounts) {
        var other = other
        other.settle()
        settle()
        unknown += other.unknown
        merge(other.values, other.counts)
    }

    private mutating func settle() {
        guard !fresh.isEmpty else { return }
        fresh.sort()
        var (own, times): ([Int64], [Int]) = ([], [])
        for value in fresh {
            if own.last == value { times[times.count - 1] += 1 } else { own.append(value); times.append(1) }
        }
        fresh.removeAll(keepingCapacity: true)
        merge(own, times)
    }

    private mutating func merge(_ other: [Int64], _ times: [Int]) {
        var (merged, sums): ([Int64], [Int]) = ([], [])
        merged.reserveCapacity(values.count + other.count)
        sums.reserveCapacity(values.count + other.count)
        var (a, b) = (0, 0)
        while a < values.count || b < other.count {
            let takesOwn = b == other.count || a < values.count && values[a] <= other[b]
            let (value, count) = takesOwn ? (values[a], counts[a]) : (other[b], times[b])
            if takesOwn { a += 1 } else { b += 1 }
            if merged.last == value { sums[sums.count - 1] += count } else { merged.append(value); sums.append(count) }
        }
        (values, counts) = (merged, sums)
    }

    var percentiles: Percentiles {
        var settled = self
        settled.settle()
        let total = settled.counts.reduce(0, +)
        func value(_ percent: Int) -> Int64? {
            // "Nearest rank": the value at place ⌈p × n ÷ 100⌉ of the sorted ones.
            let rank = (percent * total + 99) / 100
            var seen = 0
            for (value, count) in zip(settled.values, settled.counts) {
                seen += count
                if seen >= rank { return value }
            }
            return nil
        }
        return Percentiles(p50: value(50), p95: value(95), p99: value(99), unknown: unknown)
    }
}
