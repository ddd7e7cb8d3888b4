import Common

/// A seeded source of choices (xoshiro256**, seeded by SplitMix64): the same seed and stream choose the same on every machine.
///
/// Each part of a sample draws from a stream of its own, so that a change in one leaves the others as they were.
struct Random {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    init(seed: UInt64, stream: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let start = hash ^ Random.scrambled(seed)
        func mixed(_ step: UInt64) -> UInt64 { Random.scrambled(start &+ step &* 0x9e37_79b9_7f4a_7c15) }
        state = (mixed(0), mixed(1), mixed(2), mixed(3))
    }

    /// The output function of SplitMix64: one step from a number to another that looks unrelated.
    @inline(__always) static func scrambled(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    @inline(__always) mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// 0 up to one less than the bound.
    @inline(__always) mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    mutating func between(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    /// True in so many of a thousand cases.
    mutating func chance(_ permille: Int) -> Bool { below(1000) < permille }

    /// A bell around the mean that reaches at most `spread` thousandths of it to either side.
    mutating func around(_ mean: Int, spread: Int = 450) -> Int {
        let reach = mean * spread / 1000
        guard reach > 0 else { return mean }
        return mean - reach + (below(2 * reach + 1) + below(2 * reach + 1) + below(2 * reach + 1)) / 3
    }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }

    /// An index, each as likely as its weight.
    mutating func weighted(_ weights: [Int]) -> Int {
        var left = below(weights.reduce(0, +))
        for (index, weight) in weights.enumerated() {
            if left < weight { return index }
            left -= weight
        }
        return weights.count - 1
    }
}

/// Makes version 1 uuids as PostgreSQL's `uuid_generate_v1mc` does: from the time, with one node for the whole database.
///
/// They are unique, and compress far better than random ones, which keeps the committed sample small.
struct Identifiers {
    private let node: String
    private var random: Random
    private var used: Set<UInt64> = []

    init(seed: UInt64) {
        random = Random(seed: seed, stream: "identifiers")
        node = hexadecimal(random.next() & 0xffff_ffff_ffff | 0x0100_0000_0000, digits: 12)
    }

    mutating func next(at moment: Instant) -> String {
        // RFC 9562, 5.1: 100-nanosecond steps since 15 October 1582.
        var ticks = UInt64(moment.microseconds) &* 10 &+ 0x01b2_1dd2_1381_4000 &+ UInt64(random.below(10))
        while !used.insert(ticks).inserted { ticks += 1 }
        let low = hexadecimal(ticks & 0xffff_ffff, digits: 8)
        let middle = hexadecimal(ticks >> 32 & 0xffff, digits: 4)
        let high = hexadecimal(ticks >> 48 & 0x0fff | 0x1000, digits: 4)
        return "\(low)-\(middle)-\(high)-8a31-\(node)"
    }
}

/// Makes 25-character cuids: `c`, the time in base 36, a counter, the host's mark, and a tail.
///
/// The tail of a real one is drawn anew each time. Here it is one for the whole database, which keeps the committed sample small; time
/// and counter tell the ids apart.
struct Cuids {
    private let host: String
    private var counter: UInt64

    init(seed: UInt64) {
        var random = Random(seed: seed, stream: "cuids")
        host = base36(random.next(), digits: 4) + base36(random.next(), digits: 8)
        counter = UInt64(random.below(1_000_000))
    }

    mutating func next(at moment: Instant) -> String {
        defer { counter += 1 }
        return "c" + base36(UInt64(moment.microseconds / 1000), digits: 8) + base36(counter, digits: 4) + host
    }
}

private func base36(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 36)
    return String(repeating: "0", count: max(0, digits - text.count)) + text.suffix(digits)
}

func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
