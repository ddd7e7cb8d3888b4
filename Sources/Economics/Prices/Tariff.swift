import Common

/// The prices of one provider, model and tier, ready for many calls of many days.
final class Tariff {
    private let candidates: [PriceRow]
    private let exchange: Exchange
    private var days: [Day: DayPrices] = [:]

    /// How much of the report's currency one of another costs on a day, as a fraction; nil where that is not known.
    typealias Exchange = (_ currency: String, _ day: Day) -> Fraction?

    init(_ candidates: [PriceRow], _ exchange: @escaping Exchange) { (self.candidates, self.exchange) = (candidates, exchange) }

    func prices(on day: Day) -> DayPrices {
        if let known = days[day] { return known }
        let prices = DayPrices(candidates, on: day, exchange)
        days[day] = prices
        return prices
    }
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

    /// What of a call a price is for: the best row of each counts.
    private struct Answer: Hashable {
        let counted: PriceRow.Counted
        let above: Int64
        let dimension: PriceUnit.Dimension
    }

    /// From the highest threshold down; the last has none.
    let levels: [Level]
    /// For quantities, best first: the first whose unit fits counts.
    let quantities: [Rate]

    init(_ candidates: [PriceRow], on day: Day, _ exchange: Tariff.Exchange) {
        var levels: [Int64: [Rate?]] = [-1: [Rate?](repeating: nil, count: Meter.allCases.count)]
        var quantities: [Rate] = []
        var answered: Set<Answer> = []
        for row in candidates where row.holds(on: day) {
            let answer = Answer(counted: row.counted, above: row.aboveInputTokens, dimension: row.per.unit.dimension)
            guard answered.insert(answer).inserted else { continue }
            // Where the exchange rate is missing the price is unknown, and nothing that fits less well stands in for it.
            let rate = exchange(row.currency, day).map { Rate(row, $0) }
            switch row.counted {
            case .quantity: if let rate { quantities.append(rate) }
            case .tokens(let meter):
                levels[row.aboveInputTokens, default: [Rate?](repeating: nil, count: Meter.allCases.count)][meter.index] = rate
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
    /// Of the report's currency for one of the price's.
    let exchange: Fraction
    /// Of each band, in units of 1e-12: of money for one token, or for one of the smallest parts × 1e12 of a quantity; nil where a price
    /// has more digits than can be worked with.
    private let prices: [(low: Fraction, high: Fraction)?]
    /// Where they are whole: then a cost is tokens × units without rounding, so that tokens may be added up first, with the same figure
    /// to the last digit as pricing every call by itself.
    let perToken: (low: Int128, high: Int128)?

    init(_ row: PriceRow, _ exchange: Fraction) {
        (self.row, self.exchange) = (row, exchange)
        func price(_ rate: ExactDecimal) throws -> Fraction {
            let whole = try Fraction(rate) * exchange / Fraction(row.per.size)
            return row.per.unit == .token ? try whole * Fraction(powerOfTen(Money.places)) : whole
        }
        prices = row.bands.map { band in try? (price(band.low), price(band.high)) }
        let first = prices[0]
        perToken = first.flatMap {
            row.per.unit == .token && $0.low.isWhole && $0.high.isWhole ? ($0.low.numerator, $0.high.numerator) : nil
        }
    }

    /// What a call's tokens on this price's meter cost: one atom, rounded once (promise 3).
    func amount(tokens: Int64) throws -> (low: Money, high: Money) { try amount(charged: Int128(tokens)) }

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

    /// What a quantity costs of which `before` was charged already in its month: one atom, rounded once, also over several volume tiers.
    func amount(charged: Int128, after before: Int128 = 0) throws -> (low: Money, high: Money) {
        do {
            if prices.count == 1, let price = prices[0] {
                let low = Money(units: try price.low.times(charged))
                return (low, price.low == price.high ? low : Money(units: try price.high.times(charged)))
            }
            var (low, high) = (Fraction.zero, Fraction.zero)
            for piece in try pieces(of: charged, after: before) {
                guard let price = prices[piece.band] else { throw Fraction.TooLarge() }
                low = try low + price.low * Fraction(piece.count)
                high = try high + price.high * Fraction(piece.count)
            }
            return (Money(units: try low.times(1)), Money(units: try high.times(1)))
        } catch is Fraction.TooLarge {
            throw row.tooLarge(charged)
        }
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
