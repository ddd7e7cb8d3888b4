import Common

/// What a set of requests cost: a range where a price is a range, and "at least" while some requests have no known price.
public struct Cost: Equatable, Sendable {
    public var low = Money.zero
    public var high = Money.zero
    /// What services that are not charged yet would cost; never a part of the amount.
    public var shadowLow = Money.zero
    public var shadowHigh = Money.zero
    /// Requests of which at least one meter has no price.
    public var unpricedRequests = 0
    /// Their tokens on those meters.
    public var unpricedTokens: Int64 = 0

    public init() {}

    /// Whether the amount is all there is to pay.
    public var isComplete: Bool { unpricedRequests == 0 }

    public static func += (a: inout Cost, b: Cost) {
        a.low += b.low
        a.high += b.high
        a.shadowLow += b.shadowLow
        a.shadowHigh += b.shadowHigh
        a.unpricedRequests += b.unpricedRequests
        a.unpricedTokens += b.unpricedTokens
    }
}

/// What is added up for a group of requests.
public struct Measures: Equatable, Sendable {
    public var requests = 0
    /// By meter, in the order of `Meter.allCases`.
    public var tokens = [Int64](repeating: 0, count: Meter.allCases.count)
    /// By unit, in units of 1e-12.
    public var quantities: [String: Int128] = [:]
    public var cost = Cost()
    /// Of the three counted only where the query asks for outcomes: requests that were not the first attempt, those that print a status,
    /// and those whose status is none of a success.
    public var retries = 0
    public var withStatus = 0
    public var errors = 0

    public init() {}

    public static func += (a: inout Measures, b: Measures) {
        a.requests += b.requests
        a.retries += b.retries
        a.withStatus += b.withStatus
        a.errors += b.errors
        for meter in a.tokens.indices { a.tokens[meter] += b.tokens[meter] }
        for (unit, quantity) in b.quantities { a.quantities[unit, default: 0] += quantity }
        a.cost += b.cost
    }

    /// The same, but refused with a sentence where a count does not fit.
    mutating func add(_ other: Measures) throws {
        for meter in tokens.indices where tokens[meter].addingReportingOverflow(other.tokens[meter]).overflow {
            throw Measures.tooLarge(nil)
        }
        guard !cost.unpricedTokens.addingReportingOverflow(other.cost.unpricedTokens).overflow else {
            throw Measures.tooLarge(nil)
        }
        self += other
    }

    static func tooLarge(_ day: Day?) -> Failure {
        Failure(
            "A count of tokens is too large to add up. Look for a damaged row\(day.map { " on \($0)" } ?? "") in the usage log.")
    }

    /// The share of requests whose cost is known, in units of 10^-4; nil without requests.
    public var coverage: ExactDecimal? {
        Money(units: Int128(requests - cost.unpricedRequests)).ratio(to: Money(units: Int128(requests)), places: 4)
    }

    /// The share of failures among the requests that print a status, in units of 10^-4; nil where none does.
    public var errorShare: ExactDecimal? {
        Money(units: Int128(errors)).ratio(to: Money(units: Int128(withStatus)), places: 4)
    }
}

/// What one combination of dimension values cost in one period: a row of the cube, and of `vesper costs`.
public struct CostRow: Equatable, Sendable {
    public let period: Period
    /// In the order of the dimensions asked for; nil where the event does not say.
    public let keys: [String?]
    public var measures: Measures
    /// Distinct users; nil where they were not counted.
    public var users: Int?
    public var tenants: Int?
    public var latency: Percentiles?
    public var firstToken: Percentiles?
    /// The local hour with its offset, where the period is one day and the row but an hour of it.
    public var hour: String?

    /// The time it is about, for people.
    public var label: String { hour ?? period.description }

    public init(period: Period, keys: [String?], measures: Measures, users: Int? = nil) {
        (self.period, self.keys, self.measures, self.users) = (period, keys, measures, users)
    }

    /// Everything it says, as one text: what the next stage's inputs are made from.
    public var definition: String {
        let cost = measures.cost
        return
            "\(period) \(sortKey) \(measures.requests) \(measures.tokens) \(measures.quantities.sorted { $0.key < $1.key }) \(cost.low) \(cost.high) "
            + "\(cost.shadowLow) \(cost.shadowHigh) \(cost.unpricedRequests) \(cost.unpricedTokens)"
    }

    /// Keys in byte order, with what is missing first.
    var sortKey: String { CostRow.sortKey(keys) }

    static func sortKey(_ keys: [String?]) -> String { keys.map { $0.map { "1" + $0 } ?? "0" }.joined(separator: "\u{0}") }
}

extension [CostRow] {
    /// The same costs by fewer dimensions, given by their positions; distinct users do not add, so they are left out.
    public func summed(by positions: [Int], over period: Period? = nil) -> [CostRow] {
        var sums: [String: CostRow] = [:]
        for row in self {
            var sum = CostRow(period: period ?? row.period, keys: positions.map { row.keys[$0] }, measures: Measures())
            let key = "\(sum.period)\u{0}\(sum.sortKey)"
            if let known = sums[key] { sum = known }
            sum.measures += row.measures
            sums[key] = sum
        }
        return sums.values.sorted { ($0.period, $0.sortKey) < ($1.period, $1.sortKey) }
    }

    public var total: Measures { reduce(into: Measures()) { $0 += $1.measures } }
}

/// How long one row of a cost table is; weeks and months are cut at the ends of the period asked for.
public enum Grain: String, CaseIterable, Sendable {
    case hour, day, week, month, all

    /// The days of each row; hours are cut out of them by the zone's clock.
    public func buckets(of period: Period) -> [Period] {
        if self == .all { return [period] }
        var buckets: [Period] = []
        for day in period.days {
            if let last = buckets.last, belongTogether(last.first, day) {
                buckets[buckets.count - 1] = Period(first: last.first, last: day)
            } else {
                buckets.append(Period(first: day, last: day))
            }
        }
        return buckets
    }

    private func belongTogether(_ a: Day, _ b: Day) -> Bool {
        switch self {
        case .hour, .day: a == b
        case .week: Week(of: a) == Week(of: b)
        case .month: a.civil.year == b.civil.year && a.civil.month == b.civil.month
        case .all: true
        }
    }
}
