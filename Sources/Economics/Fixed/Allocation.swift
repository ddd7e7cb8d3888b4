import Common
import Lake

/// How a day's part of a fixed cost is shared out, or multiplied: over which values, by what.
public struct Allocation: Sendable {
    /// A dimension of the usage log, or with a metric the kind of its subjects.
    public let over: String
    public let by: Basis
    /// Whose readings count: the basis itself, or who takes part where shares are equal.
    public let metric: String?
    /// Whether a whole calendar month's basis shares each of its days.
    public let isMonthly: Bool
    public let place: Place

    public enum Basis: String, CaseIterable, Sendable {
        case equal, requests, cost, metric
        /// Each one that takes part bears the whole amount.
        case each
        /// Each one bears the amount as often as its reading says: so much for a child.
        case unit
    }
    enum Every: String, CaseIterable { case day, month }

    public static let schema = ConfigSchema(
        name: "share",
        keys: [
            ConfigKey(
                name: "over", kind: "dimension", required: true,
                about: "Who bears it: a dimension of the usage log such as tenant; with metric the kind of the metric's subjects."
            ),
            ConfigKey(
                name: "by", kind: "one of \(listed(Basis.allCases.map(\.rawValue)))", required: true,
                about:
                    "The measure: equal parts for all who have requests, their requests, the known cost of their requests, or a metric; where there is nobody to share with it stays with all. Or it is no share: each bears the whole amount, or bears it for each unit of a metric."
            ),
            ConfigKey(
                name: "metric", kind: "text",
                about:
                    "With metric and unit: whose readings are the measure. With equal and each: whoever has a reading above zero takes part."
            ),
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
        if by == .metric || by == .unit, metric == nil {
            throw object.failure("A share by \(by.rawValue) needs its base: add metric, such as \"CHILDREN_ACTIVE\".", at: "by")
        }
        if metric != nil, by == .requests || by == .cost {
            throw object.failure(
                "A share by \(by.rawValue) reads no metric. Leave it out, or write by: \"metric\".", at: "metric")
        }
        if by == .unit, isMonthly {
            throw object.failure("What is paid for each unit follows the reading of each day. Leave every out.", at: "every")
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
        guard let rule = part.cost.share else { return [try part.line()] }
        let known = try measures[rule.definition] ?? rule.measures(over: period, meters, model, lake)
        measures[rule.definition] = known
        let measure = known[rule.isMonthly ? firstOfMonth(part.day) : part.day]
        let isShared = rule.by != .each && rule.by != .unit
        let note = (isShared ? "shared by " : "for each ") + (rule.metric ?? (isShared ? rule.by.rawValue : rule.over))
        guard let measure, !measure.byValue.isEmpty else {
            // What is paid for each of none is nothing, and known to be.
            return isShared ? [try part.line(notes: ["nobody to share it with (\(note)): it stays with all"])] : []
        }
        let shares = try measure.shares(rule)
        return try measure.values.map { value in
            try part.line(
                owner: CostLine.Owner(dimension: rule.over, value: value),
                notes: [note + (measure.isCarried ? ", with readings carried forward" : "")]
            ) { amount in
                MoneyRange(low: try shares(value, amount.low), high: try shares(value, amount.high))
            }
        }
    }
}

extension DayOfFixedCost {
    fileprivate func line(
        owner: CostLine.Owner? = nil, notes more: [String] = [], _ share: (MoneyRange) throws -> MoneyRange = { $0 }
    ) throws -> CostLine {
        CostLine(
            part: .fixed, day: day, owner: owner, provider: cost.provider, name: cost.name, category: cost.category,
            environment: cost.environment, amount: isMocked ? .zero : try share(amount),
            shadow: isMocked ? try share(amount) : nil,
            missing: missing,
            unconverted: try unconverted.map { CostLine.Unconverted(currency: $0.currency, amount: try share($0.amount)) },
            notes: notes + more)
    }
}

/// What the values of a dimension had on a day, or in a month.
struct Measure {
    /// Greater than zero.
    var byValue: [String: Int128] = [:]
    /// How much of that is one of what is measured.
    var one: Int128 = 1
    var isCarried = false

    /// In byte order.
    fileprivate var values: [String] { byValue.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// What of an amount each value bears.
    fileprivate func shares(_ rule: Allocation) throws -> (String, Money) throws -> Money {
        switch rule.by {
        case .each: return { _, amount in amount }
        case .unit:
            return { value, amount in
                do {
                    return Money(units: try (Fraction(units: amount.units) * Fraction(byValue[value] ?? 0, over: one)).units())
                } catch is Fraction.TooLarge { throw rule.tooLarge }
            }
        default:
            var (ends, sum): ([String: (before: Int128, after: Int128)], Int128) = ([:], 0)
            for value in values {
                let (next, overflow) = sum.addingReportingOverflow(byValue[value] ?? 0)
                guard !overflow else { throw rule.tooLarge }
                ends[value] = (sum, next)
                sum = next
            }
            return { value, amount in
                guard let end = ends[value] else { return .zero }
                return Money(
                    units: floorShare(amount.units, end.after, of: sum) - floorShare(amount.units, end.before, of: sum))
            }
        }
    }
}

func firstOfMonth(_ day: Day) -> Day { day - (day.civil.day - 1) }

extension Allocation {
    fileprivate var tooLarge: Failure { Failure("The measures to share by are too large to be worked with.", at: place) }

    /// By day; a month's by its first day.
    fileprivate func measures(over period: Period, _ meters: MeterHistory, _ model: CostModel, _ lake: Lake) throws -> [Day:
        Measure]
    {
        var found: [Day: Measure] = [:]
        func add(_ day: Day, _ value: String, _ weight: Int128?, of one: Int128 = 1, isCarried: Bool = false) throws {
            guard let weight else { throw tooLarge }
            guard weight > 0 else { return }
            let key = isMonthly ? firstOfMonth(day) : day
            let (sum, overflow) = (found[key]?.byValue[value] ?? 0).addingReportingOverflow(weight)
            guard !overflow else { throw tooLarge }
            // In place: a copy of the day's measures for each of them would take their square.
            found[key, default: Measure()].byValue[value] = by == .equal ? 1 : sum
            found[key]?.one = one
            if isCarried { found[key]?.isCarried = true }
        }
        if let metric {
            for piece in meters.pieces where piece.metric == metric && piece.owner?.dimension == over {
                guard let value = piece.owner?.value else { continue }
                let one = powerOfTen(Money.places) * Int128(piece.held?.of ?? 1)
                try add(piece.day, value, piece.weight, of: one, isCarried: piece.isCarried)
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
