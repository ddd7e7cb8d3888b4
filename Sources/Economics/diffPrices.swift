import Common
import Lake

/// What other prices would do to the usage of a period.
public struct PriceDifference: Sendable {
    /// By key, in byte order, with what is missing first.
    public let rows: [Row]
    /// The sum of the rows.
    public let total: Row
    /// How many days have usage at all.
    public let daysWithUsage: Int

    public struct Row: Equatable, Sendable {
        public let keys: [String?]
        public internal(set) var requests = 0
        public internal(set) var now = Cost()
        public internal(set) var then = Cost()
        /// Requests that have a price only then, and only now.
        public internal(set) var newlyPriced = 0
        public internal(set) var newlyUnpriced = 0
        /// The days on which something changes.
        public internal(set) var days: [Day] = []

        public var changes: Bool { !days.isEmpty }

        /// What the known amounts differ by, at both ends of a range.
        public var difference: (low: Money, high: Money) { (then.low - now.low, then.high - now.high) }
    }
}

/// Prices the usage of a period twice and compares, by any dimensions.
///
/// The two are compared by day, provider, model and service tier, whatever the rows are by: what has a price here and none there does
/// not cancel out.
public func diffPrices(
    _ now: CostModel, _ then: CostModel, over period: Period, by dimensions: [String], _ lake: Lake, threads: Int = 1
) throws -> PriceDifference {
    let finest = dimensions + ["provider", "model", "service_tier"].filter { !dimensions.contains($0) }
    let query = CostQuery(period: period, every: .day, by: finest)
    // Both are of one moment, also beside a run.
    let (before, after) = try lake.consistently {
        (try tabulateCosts(query, now, lake, threads: threads).rows, try tabulateCosts(query, then, lake, threads: threads).rows)
    }
    var rows: [[String?]: PriceDifference.Row] = [:]
    var total = PriceDifference.Row(keys: dimensions.map { _ in nil })
    var changed: Set<Day> = []
    for (old, new) in zip(before, after) {
        precondition(old.keys == new.keys && old.period == new.period, "the same usage has the same groups under any prices")
        let keys = Array(old.keys.prefix(dimensions.count))
        rows[keys, default: PriceDifference.Row(keys: keys)].add(old, new)
        total.add(old, new)
        if old.measures.cost != new.measures.cost { changed.insert(old.period.first) }
    }
    total.days = changed.sorted()
    return PriceDifference(
        rows: rows.values.sorted { sortKey($0.keys) < sortKey($1.keys) }, total: total,
        daysWithUsage: Set(before.map(\.period.first)).count)
}

extension PriceDifference.Row {
    fileprivate mutating func add(_ old: CostRow, _ new: CostRow) {
        requests += old.measures.requests
        now += old.measures.cost
        then += new.measures.cost
        let priced = old.measures.cost.unpricedRequests - new.measures.cost.unpricedRequests
        if priced > 0 { newlyPriced += priced } else { newlyUnpriced -= priced }
        let day = old.period.first
        if old.measures.cost != new.measures.cost, days.last != day { days.append(day) }
    }
}

private func sortKey(_ keys: [String?]) -> String { keys.map { $0.map { "1" + $0 } ?? "0" }.joined(separator: "\u{0}") }
