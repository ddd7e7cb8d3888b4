import Common
import Lake

/// What other prices would do to the costs of a period.
public struct PriceDifference: Sendable {
    /// By part, then by key in byte order, with what is missing first.
    public let rows: [Row]
    /// The sum of the rows.
    public let total: Row
    /// How many days have any cost, or usage.
    public let days: Int

    public struct Row: Equatable, Sendable {
        /// usage, metered or fixed; nil of the sum.
        public let part: String?
        public let keys: [String?]
        public internal(set) var requests = 0
        public internal(set) var now = Cost()
        public internal(set) var then = Cost()
        /// Requests, and days of a metric, that have a price only then, and only now.
        public internal(set) var newlyPriced = 0
        public internal(set) var newlyUnpriced = 0
        /// The days on which something changes.
        public internal(set) var days: [Day] = []

        public var changes: Bool { !days.isEmpty }

        /// What the known amounts differ by, at both ends of a range.
        public var difference: (low: Money, high: Money) { (then.low - now.low, then.high - now.high) }
    }
}

/// Prices a period twice and compares, by any dimensions.
///
/// The two are compared by day, provider, model and service tier, whatever the rows are by: what has a price here and none there does
/// not cancel out. With `expenses` metered and fixed costs stand beside usage, under the name of the metric or service as their model.
public func diffPrices(
    _ now: CostModel, _ then: CostModel, over period: Period, by dimensions: [String], _ expenses: Expenses?, _ lake: Lake,
    threads: Int = 1
) throws -> PriceDifference {
    let finest = dimensions + ["provider", "model", "service_tier"].filter { !dimensions.contains($0) }
    let query = CostQuery(period: period, every: .day, by: finest)
    var difference = Difference(dimensions)
    // Both are of one moment, also beside a run.
    try lake.consistently {
        let before = try tabulateCosts(query, now, lake, threads: threads).rows
        let after = try tabulateCosts(query, then, lake, threads: threads).rows
        for (old, new) in zip(before, after) {
            precondition(old.keys == new.keys && old.period == new.period, "the same usage has the same groups under any prices")
            difference.add(
                "usage", Array(old.keys.prefix(dimensions.count)), old.period.first, old.measures.requests, old.measures.cost,
                new.measures.cost)
        }
        guard let expenses else { return }
        let old = byDay(try otherCosts(of: period, expenses, now, lake), dimensions)
        let new = byDay(try otherCosts(of: period, expenses, then, lake), dimensions)
        for key in Set(old.keys).union(new.keys).sorted(by: { $0.day < $1.day }) {
            difference.add(key.part.rawValue, key.keys, key.day, 0, old[key] ?? Cost(), new[key] ?? Cost())
        }
    }
    return difference.whole
}

/// The comparison while it is added up.
private struct Difference {
    private var rows: [[String?]: PriceDifference.Row] = [:]
    private var total: PriceDifference.Row
    private var changed: Set<Day> = []
    private var seen: Set<Day> = []

    init(_ dimensions: [String]) { total = PriceDifference.Row(part: nil, keys: dimensions.map { _ in nil }) }

    mutating func add(_ part: String, _ keys: [String?], _ day: Day, _ requests: Int, _ old: Cost, _ new: Cost) {
        rows[[part] + keys, default: PriceDifference.Row(part: part, keys: keys)].add(day, requests, old, new)
        total.add(day, requests, old, new)
        seen.insert(day)
        if old != new { changed.insert(day) }
    }

    var whole: PriceDifference {
        var total = total
        total.days = changed.sorted()
        let sorted = rows.sorted { a, b in
            func order(_ row: PriceDifference.Row) -> Int { ["usage", "metered", "fixed"].firstIndex(of: row.part ?? "") ?? 3 }
            return (order(a.value), CostRow.sortKey(a.value.keys)) < (order(b.value), CostRow.sortKey(b.value.keys))
        }
        return PriceDifference(rows: sorted.map(\.value), total: total, days: seen.count)
    }
}

extension PriceDifference.Row {
    fileprivate mutating func add(_ day: Day, _ requests: Int, _ old: Cost, _ new: Cost) {
        self.requests += requests
        now += old
        then += new
        let priced = old.unpricedRequests - new.unpricedRequests
        if priced > 0 { newlyPriced += priced } else { newlyUnpriced -= priced }
        if old != new, days.last != day { days.append(day) }
    }
}

private struct LineKey: Hashable {
    let part: CostLine.Part
    let day: Day
    let keys: [String?]
}

/// Metered and fixed costs by day and dimensions; a line without a price counts as one that has none.
private func byDay(_ lines: [CostLine], _ dimensions: [String]) -> [LineKey: Cost] {
    lines.reduce(into: [:]) { sums, line in
        let keys = dimensions.map { $0 == "model" ? line.name : line.value(of: $0) }
        var cost = Cost()
        (cost.low, cost.high) = (line.amount.low, line.amount.high)
        (cost.shadowLow, cost.shadowHigh) = (line.shadow?.low ?? .zero, line.shadow?.high ?? .zero)
        cost.unpricedRequests = line.missing == nil ? 0 : 1
        sums[LineKey(part: line.part, day: line.day, keys: keys), default: Cost()] += cost
    }
}
