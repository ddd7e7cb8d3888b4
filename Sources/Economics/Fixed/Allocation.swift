import Common
import Lake

/// How a day's part of a fixed cost is shared out: over which values, by what.
public struct Allocation: Sendable {
    /// A dimension of the usage log, or with a metric the kind of its subjects.
    public let over: String
    public let by: Basis
    /// Whose readings count: the basis itself, or who takes part where shares are equal.
    public let metric: String?
    /// Whether a whole calendar month's basis shares each of its days.
    public let isMonthly: Bool
    public let place: Place

    public enum Basis: String, CaseIterable, Sendable { case equal, requests, cost, metric }
    enum Every: String, CaseIterable { case day, month }

    public static let schema = ConfigSchema(
        name: "share",
        keys: [
            ConfigKey(
                name: "over", kind: "dimension", required: true,
                about: "Who bears it: a dimension of the usage log such as tenant; with metric the kind of the metric's subjects."),
            ConfigKey(
                name: "by", kind: "one of \(listed(Basis.allCases.map(\.rawValue)))", required: true,
                about:
                    "The measure: equal parts for all who have requests, their requests, the known cost of their requests, or a metric. Nobody to share with: it stays with all."
            ),
            ConfigKey(
                name: "metric", kind: "text",
                about: "With metric: whose readings are the measure. With equal: whoever has a reading above zero takes part."),
            ConfigKey(
                name: "every", kind: "one of day and month",
                about: "Whether each day is shared by its own measure or by that of its calendar month; by default day."),
        ])

    init(_ object: ConfigObject) throws {
        over = try object.text("over")
        by = try object.choice("by", of: Basis.self)
        metric = try object.optionalText("metric")
        isMonthly = try object.choice("every", of: Every.self, default: .day) == .month
        place = object.place
        if by == .metric, metric == nil {
            throw object.failure("A share by metric needs its base: add metric, such as \"CHILDREN_ACTIVE\".", at: "by")
        }
        if metric != nil, by != .metric, by != .equal {
            throw object.failure("A share by \(by.rawValue) reads no metric. Leave it out, or write by: \"metric\".", at: "metric")
        }
    }

    var definition: String { "\(over)|\(by.rawValue)|\(metric ?? "")|\(isMonthly)" }

    /// Refuses a dimension that usage cannot be grouped by.
    public func check(_ dimensions: [String]) throws {
        guard metric == nil, !dimensions.contains(over) else { return }
        throw Failure(
            "There is no dimension \"\(over)\" to share over.\(didYouMean(over, from: dimensions)) Dimensions are \(listed(dimensions)).",
            at: place, kind: .usage)
    }
}

/// Shares days of fixed costs out, as each cost's rule says.
///
/// Over the values in byte order, each takes ⌊T·W⌋ of the running sum W of measures less what came before, so that the shares add up
/// to T exactly. Where nobody has a measure the amount stays on a line without owner, which says so.
func allocate(
    _ days: [DayOfFixedCost], _ period: Period, _ meters: MeterHistory, _ model: CostModel, _ lake: Lake
) throws -> [CostLine] {
    var measures: [String: [Day: Measure]] = [:]
    return try days.flatMap { part -> [CostLine] in
        guard let rule = part.cost.share else { return [part.line()] }
        let known = try measures[rule.definition] ?? rule.measures(over: period, meters, model, lake)
        measures[rule.definition] = known
        let measure = known[rule.isMonthly ? firstOfMonth(part.day) : part.day]
        let note = "shared by \(rule.metric ?? rule.by.rawValue)"
        guard let measure, let whole = try measure.whole(rule), whole > 0 else {
            return [part.line(notes: ["nobody to share it with (\(note)): it stays with all"])]
        }
        var sum: Int128 = 0
        return measure.byValue.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { value, weight in
            let before = sum
            sum += weight
            func share(_ amount: MoneyRange) -> MoneyRange {
                func end(_ money: Money) -> Money {
                    Money(units: floorShare(money.units, sum, of: whole) - floorShare(money.units, before, of: whole))
                }
                return MoneyRange(low: end(amount.low), high: end(amount.high))
            }
            return part.line(
                owner: CostLine.Owner(dimension: rule.over, value: value),
                notes: [note + (measure.isCarried ? ", with readings carried forward" : "")], share)
        }
    }
}

extension DayOfFixedCost {
    fileprivate func line(owner: CostLine.Owner? = nil, notes more: [String] = [], _ share: (MoneyRange) -> MoneyRange = { $0 })
        -> CostLine
    {
        CostLine(
            part: .fixed, day: day, owner: owner, provider: cost.provider, name: cost.name, category: cost.category,
            environment: cost.environment, amount: isMocked ? .zero : share(amount), shadow: isMocked ? share(amount) : nil,
            missing: missing,
            unconverted: unconverted.map { CostLine.Unconverted(currency: $0.currency, amount: share($0.amount)) },
            notes: notes + more)
    }
}

/// What the values of a dimension had on a day, or in a month.
struct Measure {
    var byValue: [String: Int128] = [:]
    var isCarried = false

    fileprivate func whole(_ rule: Allocation) throws -> Int128? {
        var sum: Int128 = 0
        for weight in byValue.values {
            let (next, overflow) = sum.addingReportingOverflow(weight)
            guard !overflow else { throw Failure("The measures to share by are too large to add up.", at: rule.place) }
            sum = next
        }
        return sum
    }
}

func firstOfMonth(_ day: Day) -> Day { day - (day.civil.day - 1) }

extension Allocation {
    /// By day; a month's by its first day.
    fileprivate func measures(over period: Period, _ meters: MeterHistory, _ model: CostModel, _ lake: Lake) throws -> [Day: Measure] {
        var found: [Day: Measure] = [:]
        func add(_ day: Day, _ value: String, _ weight: Int128, isCarried: Bool = false) throws {
            guard weight > 0 else { return }
            let key = isMonthly ? firstOfMonth(day) : day
            let (sum, overflow) = found[key]?.byValue[value, default: 0].addingReportingOverflow(weight) ?? (weight, false)
            guard !overflow else { throw Failure("The measures to share by are too large to add up.", at: place) }
            found[key, default: Measure()].byValue[value] = by == .equal ? 1 : sum
            if isCarried { found[key, default: Measure()].isCarried = true }
        }
        if let metric {
            for piece in meters.pieces where piece.metric == metric && piece.owner?.dimension == over {
                guard let value = piece.owner?.value, let weight = piece.weight else { continue }
                try add(piece.day, value, weight, isCarried: piece.isCarried)
            }
            return found
        }
        let span = isMonthly ? meters.months : period
        for row in try rollUpCosts(CostQuery(period: span, every: .day, by: [over]), model, lake) {
            guard let value = row.keys[0] else { continue }
            let measure = by == .cost ? row.measures.cost.low.units : Int128(row.measures.requests)
            try add(row.period.first, value, measure)
        }
        return found
    }
}
