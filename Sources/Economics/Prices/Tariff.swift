import Common

/// The prices of one provider, model and tier, ready for many calls of many days.
final class Tariff {
    private let candidates: [PriceRow]
    private let exchange: Exchange
    private var days: [Day: DayPrices] = [:]

    /// How much of the report's currency one of another costs on a day, as a fraction; nil where that is not known.
    typealias Exchange = (_ currency: String, _ day: Day) -> ExchangeFraction?

    init(_ candidates: [PriceRow], _ exchange: @escaping Exchange) { (self.candidates, self.exchange) = (candidates, exchange) }

    func prices(on day: Day) -> DayPrices {
        if let known = days[day] { return known }
        let prices = DayPrices(candidates, on: day, exchange)
        days[day] = prices
        return prices
    }
}

/// So much of one currency for so much of another.
public struct ExchangeFraction: Equatable, Sendable {
    public let numerator: Int128
    public let denominator: Int128

    public init(_ numerator: Int128, over denominator: Int128) { (self.numerator, self.denominator) = (numerator, denominator) }

    public static let one = ExchangeFraction(1, over: 1)
}

/// What a provider charges for calls of one model and tier on one day.
struct DayPrices {
    /// The prices of calls whose whole input has more tokens than `above`, by meter; nil where a meter has no price.
    struct Level {
        let above: Int64
        let byMeter: [Rate?]

        /// Whether a group's tokens may be added up before they are priced.
        let isLinear: Bool
        /// Meters of which tokens have no price; reasoning tokens without a row of their own are priced as output.
        let unpriced: [Int]

        init(above: Int64, _ byMeter: [Rate?]) {
            (self.above, self.byMeter) = (above, byMeter)
            // Reasoning tokens with a price of their own come off the output, call by call.
            isLinear = byMeter.last.flatMap { $0 } == nil && byMeter.allSatisfy { $0.map { $0.perToken != nil } ?? true }
            unpriced = byMeter.indices.dropLast().filter { byMeter[$0] == nil }
        }
    }

    /// From the highest threshold down; the last has none.
    let levels: [Level]
    /// For quantities, best first: the first whose unit fits counts.
    let quantities: [Rate]

    init(_ candidates: [PriceRow], on day: Day, _ exchange: Tariff.Exchange) {
        var levels: [Int64: [Rate?]] = [-1: [Rate?](repeating: nil, count: Meter.allCases.count)]
        var quantities: [Rate] = []
        // Where the exchange rate is missing the price is as good as missing: unknown is not zero.
        for row in candidates where row.holds(on: day) {
            guard let fraction = exchange(row.currency, day) else { continue }
            let rate = Rate(row, fraction)
            switch row.counted {
            case .quantity: quantities.append(rate)
            case .tokens(let meter):
                var level = levels[row.aboveInputTokens] ?? [Rate?](repeating: nil, count: Meter.allCases.count)
                if level[meter.index] == nil { level[meter.index] = rate }
                levels[row.aboveInputTokens] = level
            }
        }
        self.levels = levels.sorted { $0.key > $1.key }.map { Level(above: $0.key, $0.value) }
        self.quantities = quantities
    }

    /// All meters of a call take the prices of the highest threshold that its whole input exceeds.
    func level(input: Int64) -> Int { levels.firstIndex { input > $0.above } ?? levels.count - 1 }

    /// The price of a quantity in a unit.
    func rate(for unit: PriceUnit) -> Rate? { quantities.first { $0.row.per.unit.dimension == unit.dimension } }
}

/// A price in the report's currency.
final class Rate: Sendable {
    let row: PriceRow
    let exchange: ExchangeFraction
    /// Whole units of 1e-12 for one token, where it is that simple: then a cost is tokens × units without rounding, so that tokens may
    /// be added up first, with the same figure to the last digit as pricing every call by itself.
    let perToken: (low: Int128, high: Int128)?

    init(_ row: PriceRow, _ exchange: ExchangeFraction) {
        (self.row, self.exchange) = (row, exchange)
        func units(_ rate: ExactDecimal) -> Int128? {
            guard case .tokens = row.counted, exchange == .one, let units = rate.units(places: Money.places) else { return nil }
            return units % row.per.size == 0 ? units / row.per.size : nil
        }
        perToken = units(row.low).flatMap { low in units(row.high).map { (low, $0) } }
    }

    /// What so many tokens, or so many of the unit's smallest parts × 1e12, cost at one rate: one atom, rounded once (promise 3).
    private func amount(_ count: Int128, at rate: ExactDecimal) throws -> Money {
        let isTokens = row.per.unit == .token
        let scale = isTokens ? Money.places - rate.scale : -rate.scale
        let money = Money.quotient(
            of: [count, rate.mantissa, exchange.numerator, powerOfTen(max(0, scale))],
            over: [row.per.size, exchange.denominator, powerOfTen(max(0, -scale))])
        guard let money else { throw row.tooLarge(count) }
        return money
    }

    /// What a call's tokens on this price's meter cost.
    func amount(tokens: Int64) throws -> (low: Money, high: Money) {
        if let perToken {
            func product(_ units: Int128) throws -> Money {
                let (amount, overflow) = units.multipliedReportingOverflow(by: Int128(tokens))
                guard !overflow else { throw row.tooLarge(tokens) }
                return Money(units: amount)
            }
            let low = try product(perToken.low)
            return (low, perToken.low == perToken.high ? low : try product(perToken.high))
        }
        let low = try amount(Int128(tokens), at: row.low)
        return (low, row.low == row.high ? low : try amount(Int128(tokens), at: row.high))
    }

    /// A quantity (in units of 1e-12) as it is charged, in smallest parts × 1e12: converted, and in whole steps; nil where it does not fit.
    func charged(_ quantity: Int128, _ unit: PriceUnit) -> Int128? {
        let (size, overflow) = quantity.multipliedReportingOverflow(by: unit.factor)
        guard !overflow, let increment = row.increment else { return overflow ? nil : size }
        let (step, tooLarge) = increment.size.multipliedReportingOverflow(by: powerOfTen(Money.places))
        guard !tooLarge else { return nil }
        let (steps, rest) = size.quotientAndRemainder(dividingBy: step)
        let (whole, tooMany) = (steps + (rest > 0 ? 1 : 0)).multipliedReportingOverflow(by: step)
        return tooMany ? nil : whole
    }

    /// What a quantity costs of which `before` was charged already in its month; what lies in several volume tiers is as many atoms.
    func amount(charged: Int128, after before: Int128 = 0) throws -> (low: Money, high: Money) {
        var (low, high) = (Money.zero, Money.zero)
        for piece in try pieces(of: charged, after: before) {
            let band = row.bands[piece.band]
            let own = try amount(piece.count, at: band.low)
            low += own
            high += band.low == band.high ? own : try amount(piece.count, at: band.high)
        }
        return (low, high)
    }

    /// How a charged quantity falls into volume tiers: which, how much was charged before it, and how much of it lies there.
    func pieces(of charged: Int128, after before: Int128) throws -> [(band: Int, begin: Int128, count: Int128)] {
        try row.bands.indices.compactMap { index in
            let next = index + 1 < row.bands.count ? try start(row.bands[index + 1]) : nil
            let begin = max(before, try start(row.bands[index]))
            let end = min(before + charged, next ?? before + charged)
            return end > begin ? (index, begin, end - begin) : nil
        }
    }

    /// Where a band begins, in smallest parts × 1e12.
    private func start(_ band: PriceBand) throws -> Int128 {
        guard let units = band.from.units(places: Money.places) else { throw row.tooLarge(band.from) }
        let (start, overflow) = units.multipliedReportingOverflow(by: row.per.unit.factor)
        guard !overflow else { throw row.tooLarge(band.from) }
        return start
    }
}
