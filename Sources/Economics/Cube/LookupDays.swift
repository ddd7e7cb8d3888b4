import Common
import Lake

/// For each lake day a digest of all that lookups find on it: equal digests, equal answers, whatever dumps they come from.
///
/// A new dump of a table mostly says what the one before said, and then no day of the cache is made anew. What was worked out is kept
/// under `cache/<job>/lookups/`, by the digest of the snapshots.
struct LookupDays {
    private let first: Day
    private let digests: [Digest]
    /// Of the snapshots that it was worked out from; nil without any lookup.
    private let file: String?

    func digest(_ day: Day) -> String {
        guard file != nil else { return "" }
        let index = day - first
        return digests.indices.contains(index) ? digests[index].hex : "unknown \(day)"
    }

    /// - Parameter days: of the usage log, all of them.
    init(_ model: CostModel, _ lake: Lake, _ days: (first: Day, last: Day)?) throws {
        guard !model.lookups.isEmpty, let days else {
            (first, digests, file) = (Day(number: 0), [], nil)
            return
        }
        // Days to come are worked out with the others: what is known now holds there until it is known better.
        let last = days.last + LookupDays.ahead
        let parts = try lake.parts(job: model.job, log: .snapshots)
        let name = Digest.of(parts: ["lookups 1", Lake.digest(of: parts).hex] + model.lookups.map(\.definition)).short
        let file = joined(LookupDays.folder(model, lake), name)
        self.file = file
        if let kept = LookupDays.read(file), kept.first <= days.first, days.last < kept.first + kept.digests.count {
            (first, digests) = kept
            return
        }
        var sums = [Sum](repeating: Sum(), count: last - days.first + 1)
        for (number, lookup) in model.lookups.enumerated() {
            try lake.history(lookup, job: model.job).eachStretch { key, value, start, end in
                LookupDays.add([String(number), key, value], start, end, from: days.first, to: &sums)
            }
        }
        first = days.first
        // What holds all day was noted where it begins and where it ends.
        var running = Sum()
        digests = sums.map { sum in
            running.holding = running.holding &+ sum.holding
            let words = running.holding &+ sum.partial
            return Digest.of(parts: words.indices.map { String(words[$0]) })
        }
    }

    private static let ahead = 366

    private static func folder(_ model: CostModel, _ lake: Lake) -> String { joined(lake.home, "cache/\(model.job)/lookups") }

    /// Sums of digests, which do not depend on an order: of what begins (and, taken away, no longer goes on) to hold all day, and of
    /// what holds for a part of it.
    private struct Sum {
        var holding = SIMD4<UInt64>()
        var partial = SIMD4<UInt64>()
    }

    private static func words(_ parts: [String]) -> SIMD4<UInt64> {
        let bytes = Digest.of(parts: parts).bytes
        return SIMD4((0..<4).map { word in bytes[8 * word..<8 * word + 8].reduce(0) { $0 << 8 | UInt64($1) } })
    }

    /// Notes what holds from a moment to another on all days that it touches.
    private static func add(_ what: [String], _ start: Int64, _ end: Int64, from first: Day, to sums: inout [Sum]) {
        let beginning = max(start, first.startUTC.microseconds)
        let ending = min(end, (first + sums.count).startUTC.microseconds)
        guard beginning < ending else { return }
        let (from, to) = (
            Instant(microseconds: beginning).dayUTC - first, Instant(microseconds: ending - 1).dayUTC - first
        )
        func isWhole(_ index: Int) -> Bool {
            start <= (first + index).startUTC.microseconds && end >= (first + index + 1).startUTC.microseconds
        }
        let wholeFrom = isWhole(from) ? from : from + 1
        let wholeTo = isWhole(to) ? to : to - 1
        if wholeFrom <= wholeTo {
            let words = words(what)
            sums[wholeFrom].holding &+= words
            if wholeTo + 1 < sums.count { sums[wholeTo + 1].holding &-= words }
        }
        for index in Set([from, to]) where !isWhole(index) {
            let day = first + index
            let times = [max(start, day.startUTC.microseconds), min(end, (day + 1).startUTC.microseconds)]
            sums[index].partial &+= words(what + times.map(String.init))
        }
    }

    // MARK: - Kept

    private static func read(_ file: String) -> (first: Day, digests: [Digest])? {
        guard exists(file), let bytes = try? readFile(file, as: "cache") else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count > 2, let first = Day(lines[0]), lines[1] == Digest.of(parts: Array(lines.dropFirst(2))).hex else {
            return nil
        }
        let digests = lines.dropFirst(2).compactMap { Digest(hex: $0) }
        return digests.count == lines.count - 2 ? (first, digests) : nil
    }

    /// Keeps them for later; what was kept of other snapshots is let go.
    func keep() throws {
        guard let file else { return }
        if let kept = LookupDays.read(file), kept.first == first, kept.digests.count == digests.count { return }
        let folder = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        for other in try exists(folder) ? names(in: folder) : [] { try removeTree(joined(folder, other)) }
        let lines = digests.map(\.hex)
        try writeAtomically(
            Array(([first.description, Digest.of(parts: lines).hex] + lines).joined(separator: "\n").utf8), to: file)
    }
}

extension LookupHistory {
    /// What is found for each key, in stretches of time of which no two that touch say the same; where nothing is found there is none.
    func eachStretch(_ body: (_ key: String, _ value: String, _ start: Int64, _ end: Int64) -> Void) {
        for (key, spans) in spans {
            let bounds = Set(spans.flatMap { [$0.start, $0.end] }).sorted()
            var open: (value: String, start: Int64, end: Int64)?
            for (start, end) in zip(bounds, bounds.dropFirst()) {
                let value = spans.first { $0.start <= start && start < $0.end }?.value
                if let known = open, known.value == value, known.end == start {
                    open = (known.value, known.start, end)
                    continue
                }
                if let known = open { body(key, known.value, known.start, known.end) }
                open = value.map { ($0, start, end) }
            }
            if let known = open { body(key, known.value, known.start, known.end) }
        }
    }
}
