import Common

/// Why a view says something else than what was computed: parts that add up to the difference, to the last digit.
public struct Variance: Equatable, Sendable {
    /// In the order in which they are taken off the difference; what one has taken is not there for the next.
    public enum Part: String, CaseIterable, Sendable {
        /// What usage does not cause: base parts of a bill, and charges of a provider that is paid by the month, less its fixed costs as
        /// computed.
        case fixed
        /// Charges that name no tenant although the source does name tenants, and although every call has one: they are everybody's.
        case withoutTenant = "without_tenant"
        /// Charges of hours, and bills of times, in which neither the usage log nor a meter has a row of that provider.
        case withoutUsage = "without_usage"
        /// Computed cost of hours in which the charges have no row of that provider, or of a bill without a line for usage; negative.
        case withoutCharges = "without_charges"
        /// What is charged beyond what is computed, as far as the price is a range.
        case priceRange = "price_range"
        /// What is charged beyond that, where calls have no known price.
        case unpriced
        /// As much of the rest as rows may differ that are written with few decimals: half of the last place for each.
        case rounding
        /// The rest where both have rows of the same provider and model, as far as the view says them.
        case priceGap = "price_gap"
        /// The rest: a model in an hour in which only one of the two has it.
        case notExplained = "not_explained"
    }

    private var amounts = [Money](repeating: .zero, count: Part.allCases.count)

    public init() {}

    public subscript(part: Part) -> Money {
        get { amounts[Variance.places[part] ?? 0] }
        set { amounts[Variance.places[part] ?? 0] = newValue }
    }

    private static let places = Dictionary(uniqueKeysWithValues: Part.allCases.enumerated().map { ($1, $0) })

    /// The difference.
    public var total: Money { amounts.reduce(.zero, +) }

    public static func += (a: inout Variance, b: Variance) {
        for index in a.amounts.indices { a.amounts[index] += b.amounts[index] }
    }
}

/// One provider and model, as far as a view says them, in one stretch of time: what is held against each other.
struct ComparedCell: Equatable {
    /// All rows of the view; those that stand in no part of their own, their amount, and by how much writing few decimals may move it.
    var rows = 0
    var comparedRows = 0
    var reported = Money.zero
    var bound = Money.zero
    /// What stands in a part of its own because of the row that says it.
    var fixed = Money.zero
    var withoutTenant = Money.zero
    var withoutUsage = Money.zero
    /// Calls of times in which both have rows, and the others.
    var calls = SpendCalls()
    var callsWithoutCharges = SpendCalls()

    var total: Money { reported + fixed + withoutTenant + withoutUsage }

    static func += (a: inout ComparedCell, b: ComparedCell) {
        a.rows += b.rows
        a.comparedRows += b.comparedRows
        a.reported += b.reported
        a.bound += b.bound
        a.fixed += b.fixed
        a.withoutTenant += b.withoutTenant
        a.withoutUsage += b.withoutUsage
        a.calls += b.calls
        a.callsWithoutCharges += b.callsWithoutCharges
    }

    /// What is reported less the low end of what is computed, taken apart.
    var variance: Variance {
        var parts = Variance()
        func take(_ part: Variance.Part, _ amount: Money, from rest: inout Money) {
            parts[part] += amount
            rest = rest - amount
        }
        (parts[.withoutTenant], parts[.withoutUsage]) = (withoutTenant, withoutUsage)
        parts[.withoutCharges] = Money.zero - callsWithoutCharges.used.low
        let standing = calls.fixed + callsWithoutCharges.fixed
        var base = fixed - standing.low
        if base > .zero { take(.priceRange, min(base, standing.high - standing.low), from: &base) }
        take(.fixed, base, from: &base)
        let computed = calls.used
        var rest = reported - computed.low
        guard comparedRows > 0, calls.isUsed else {
            take(.notExplained, rest, from: &rest)
            return parts
        }
        if rest > .zero { take(.priceRange, min(rest, computed.high - computed.low), from: &rest) }
        if rest > .zero, !computed.isComplete { take(.unpriced, rest, from: &rest) }
        take(.rounding, max(Money.zero - bound, min(rest, bound)), from: &rest)
        take(.priceGap, rest, from: &rest)
        return parts
    }
}

/// What was computed: calls, what meters counted, and what costs the same however much is used.
struct SpendCalls: Equatable {
    var count = 0
    /// Amounts of a metric on a day.
    var readings = 0
    var cost = Cost()
    var metered = Cost()
    var fixed = Cost()

    /// What usage causes.
    var used: Cost { cost + metered }
    var whole: Cost { cost + metered + fixed }
    var isUsed: Bool { count + readings > 0 }

    static func += (a: inout SpendCalls, b: SpendCalls) {
        a.count += b.count
        a.readings += b.readings
        a.cost += b.cost
        a.metered += b.metered
        a.fixed += b.fixed
    }
}

extension Cost {
    fileprivate static func + (a: Cost, b: Cost) -> Cost {
        var sum = a
        sum += b
        return sum
    }

    /// A line of metered or fixed costs; one whose amount is not known makes the cost "at least".
    init(_ line: CostLine) {
        self.init()
        (low, high) = (line.amount.low, line.amount.high)
        if line.missing != nil || line.unconverted != nil { unpricedRequests = 1 }
    }
}
