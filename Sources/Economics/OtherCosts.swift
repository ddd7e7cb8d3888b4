import Common
import Lake

/// An amount between two ends, which are equal where it is exact.
public struct MoneyRange: Equatable, Sendable {
    public var low: Money
    public var high: Money

    public static let zero = MoneyRange(low: .zero, high: .zero)

    public init(low: Money, high: Money) { (self.low, self.high) = (low, high) }

    public static func += (a: inout MoneyRange, b: MoneyRange) {
        a.low += b.low
        a.high += b.high
    }

    /// Day `index` of `count` of both ends.
    func share(_ index: Int, of count: Int) -> MoneyRange {
        MoneyRange(low: low.share(index, of: count), high: high.share(index, of: count))
    }
}

/// What one thing beside the calls of models cost on one day: a metric of a tenant, or a tenant's share of a server.
public struct CostLine: Equatable, Sendable {
    /// The two parts of the computed cost that come from no call.
    public enum Part: String, CaseIterable, Sendable, Comparable {
        case metered, fixed

        public static func < (a: Part, b: Part) -> Bool { a == .metered && b == .fixed }
    }

    /// Whom it is for: a tenant, or whatever it is measured for or shared over.
    public struct Owner: Hashable, Sendable {
        public let dimension: String
        public let value: String

        public init(dimension: String, value: String) { (self.dimension, self.value) = (dimension, value) }
    }

    public struct Unconverted: Equatable, Sendable {
        public let currency: String
        public var amount: MoneyRange

        public init(currency: String, amount: MoneyRange) { (self.currency, self.amount) = (currency, amount) }
    }

    public let part: Part
    public let day: Day
    /// nil where it is for nobody in particular.
    public let owner: Owner?
    public let provider: String?
    /// The metric, or the fixed cost's name.
    public let name: String
    public let category: String
    public let environment: String?
    /// In `unit`; of a gauge what it comes to over the time it held.
    public var quantity: Fraction?
    public let unit: String?
    public var amount: MoneyRange
    /// What a service that is not charged yet would cost; nil where it is charged.
    public var shadow: MoneyRange?
    /// Why the amount is not known: then it is nothing, and the cost "at least".
    public var missing: String?
    /// What is known in another currency alone.
    public var unconverted: Unconverted?
    /// How the amount came about: rates used, readings carried forward, nobody to share with.
    public var notes: [String]

    public var tenant: String? { owner?.dimension == "tenant" ? owner?.value : nil }

    public init(
        part: Part, day: Day, owner: Owner?, provider: String?, name: String, category: String, environment: String? = nil,
        quantity: Fraction? = nil, unit: String? = nil, amount: MoneyRange = .zero, shadow: MoneyRange? = nil,
        missing: String? = nil,
        unconverted: Unconverted? = nil, notes: [String] = []
    ) {
        (self.part, self.day, self.owner, self.provider, self.name) = (part, day, owner, provider, name)
        (self.category, self.environment, self.quantity, self.unit) = (category, environment, quantity, unit)
        (self.amount, self.shadow, self.missing, self.unconverted) = (amount, shadow, missing, unconverted)
        self.notes = notes
    }

    /// A dimension of the line by its name; nil where it has none.
    public func value(of dimension: String) -> String? {
        switch dimension {
        case "part": part.rawValue
        case "provider": provider
        case "name": name
        case "category": category
        case "environment": environment
        default: owner?.dimension == dimension ? owner?.value : nil
        }
    }

    /// Days first, then parts, and all names in byte order, with what is missing first.
    static func inOrder(_ a: CostLine, _ b: CostLine) -> Bool {
        if a.day != b.day { return a.day < b.day }
        if a.part != b.part { return a.part < b.part }
        return precedes(a.provider, b.provider) ?? precedes(a.name, b.name) ?? precedes(a.environment, b.environment)
            ?? precedes(a.owner?.dimension, b.owner?.dimension) ?? precedes(a.owner?.value, b.owner?.value)
            ?? precedes(a.unit, b.unit) ?? false
    }

    /// nil where they are equal.
    private static func precedes(_ a: String?, _ b: String?) -> Bool? {
        if a == b { return nil }
        guard let a, let b else { return a == nil }
        return a.utf8.lexicographicallyPrecedes(b.utf8)
    }
}

/// What a job pays for beside the calls of models, and how it is counted.
public struct Expenses: Sendable {
    public let fixed: [FixedCost]
    /// Those of its rate files.
    public let rates: ExchangeRates
    /// Those of the lake.
    public let rateColumns: RateColumns?
    public let month: MonthLength
    /// Metrics that are no cost: counts of children, times of answers.
    public let unbilledMetrics: Set<String>

    public static let none = Expenses(fixed: [], rates: .none, rateColumns: nil, month: .calendar, unbilledMetrics: [])

    public init(
        fixed: [FixedCost], rates: ExchangeRates, rateColumns: RateColumns?, month: MonthLength, unbilledMetrics: Set<String>
    ) {
        (self.fixed, self.rates, self.rateColumns) = (fixed, rates, rateColumns)
        (self.month, self.unbilledMetrics) = (month, unbilledMetrics)
    }

    /// Everything that can change a cost, besides rows and prices.
    public var definition: [String] {
        fixed.map(\.definition) + rates.definition
            + [rateColumns.map { "\($0)" } ?? "", month.rawValue, unbilledMetrics.sorted().joined(separator: ",")]
    }

    /// Whether there is, or may come, a rate of a currency.
    public func mayConvert(_ currency: String) -> Bool {
        rateColumns != nil || rates.rates.contains { $0.base == currency || $0.quote == currency }
    }

    /// All rates there are: those of files, and those that the lake holds.
    public func exchangeRates(_ model: CostModel, _ lake: Lake) throws -> ExchangeRates {
        guard let rateColumns else { return rates }
        return try rates.adding(try rateColumns.rates(job: model.job, zone: model.zone, lake))
    }
}

/// Every cost of a period beside the calls of models: sorted by day, part, provider, name and owner.
///
/// The rows and the meters that they are made from are of one moment, also beside a run; the rates are those of the model.
public func otherCosts(
    of period: Period, _ expenses: Expenses, _ model: CostModel, _ lake: Lake,
    parts: Set<CostLine.Part> = Set(CostLine.Part.allCases)
) throws -> [CostLine] {
    try lake.consistently {
        let meters = try MeterHistory(of: period, model, lake)
        var lines: [CostLine] = []
        if parts.contains(.metered) { lines = try meterCosts(meters, of: period, expenses, model.exchange, model) }
        if parts.contains(.fixed) {
            let days = try spreadFixedCosts(expenses.fixed, over: period, expenses.month, model.exchange, model)
            lines += try allocate(days, period, meters, model, lake)
        }
        lines.sort(by: CostLine.inOrder)
        return lines
    }
}

/// Byte by byte, so that no locale has a say.
func inByteOrder(_ a: [String], _ b: [String]) -> Bool {
    for (one, other) in zip(a, b) where one != other { return one.utf8.lexicographicallyPrecedes(other.utf8) }
    return a.count < b.count
}

extension [CostLine] {
    /// All amounts together; `missing` counts the lines whose amount is not known.
    public var total: (amount: MoneyRange, shadow: MoneyRange, missing: Int) {
        reduce(into: (MoneyRange.zero, MoneyRange.zero, 0)) { sum, line in
            sum.0 += line.amount
            sum.1 += line.shadow ?? .zero
            sum.2 += line.missing == nil ? 0 : 1
        }
    }
}
