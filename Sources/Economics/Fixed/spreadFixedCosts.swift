import Common

/// A day's part of a fixed cost, before it is shared out.
struct DayOfFixedCost {
    let cost: FixedCost
    let day: Day
    let amount: MoneyRange
    /// Not charged yet: the amount is what it would be.
    let isMocked: Bool
    /// The amount in its own currency where no rate brings it into the report's; `amount` is nothing then.
    let unconverted: CostLine.Unconverted?
    /// Why the day has no amount.
    let missing: String?
    let notes: [String]
}

/// Spreads every fixed cost over the days of a period.
///
/// Day i of n bears ⌊T(i+1)/n⌋ − ⌊Ti/n⌋ of the amount T of its month, year, week or stretch (promise 3), so that whole ones add up to T
/// exactly. n is the number of its days: of a month as the job's convention has it, of a year 365 or 366, of a week 7. Each day takes
/// the price that holds on it.
///
/// An amount in another currency is converted before it is spread and once for each calendar month: at the rate of the month's first
/// day, or of the day on which the cost or its price begins, where that is later in the month. A month in one currency is thus exactly
/// one converted amount, and no later rate moves a day that is over.
func spreadFixedCosts(
    _ costs: [FixedCost], over period: Period, _ month: MonthLength, _ rates: ExchangeRates, _ model: CostModel
) throws -> [DayOfFixedCost] {
    try costs.flatMap { cost in
        let parts = DailyParts(cost, month, rates, model)
        return try period.days.filter(cost.holds).map(parts.part)
    }
}

private final class DailyParts {
    private let cost: FixedCost
    private let month: MonthLength
    private let rates: ExchangeRates
    private let model: CostModel
    private let rows: [PriceRow]
    /// By price and day of the rate; the same for many days.
    private var totals: [Key: Total] = [:]

    private struct Key: Hashable {
        let row: Int?
        let rateDay: Day
    }

    private struct Total {
        let amount: MoneyRange?
        let isMocked: Bool
        let unconverted: CostLine.Unconverted?
        let missing: String?
        let notes: [String]
    }

    init(_ cost: FixedCost, _ month: MonthLength, _ rates: ExchangeRates, _ model: CostModel) {
        (self.cost, self.month, self.rates, self.model) = (cost, month, rates, model)
        if case .service(let name, _) = cost.price {
            rows = model.book.prices(of: .service(name), provider: cost.provider, knownAsOf: model.knownAsOf)
        } else {
            rows = []
        }
    }

    func part(of day: Day) throws -> DayOfFixedCost {
        let row = rows.firstIndex { $0.holds(on: day) }
        if case .service(let name, _) = cost.price, row == nil {
            let provider = cost.provider ?? ""
            return DayOfFixedCost(
                cost: cost, day: day, amount: .zero, isMocked: false, unconverted: nil,
                missing: "\(provider) \(name) has no price on this day", notes: [])
        }
        let begins = max(day - (day.civil.day - 1), cost.from, row.map { rows[$0].validFrom } ?? cost.from)
        let key = Key(row: row, rateDay: begins)
        let total = try totals[key] ?? self.total(row.map { rows[$0] }, begins)
        totals[key] = total
        let (index, count) = place(of: day, every: every(row.map { rows[$0] }))
        return DayOfFixedCost(
            cost: cost, day: day, amount: total.amount?.share(index, of: count) ?? .zero, isMocked: total.isMocked,
            unconverted: total.unconverted.map {
                CostLine.Unconverted(currency: $0.currency, amount: $0.amount.share(index, of: count))
            }, missing: total.missing, notes: total.notes)
    }

    private func every(_ row: PriceRow?) -> FixedCost.Every {
        switch cost.price {
        case .amount(_, _, _, let every): every
        case .service(_, let every): row.flatMap { FixedCost.recurrence($0.per.unit) } ?? every ?? .month
        }
    }

    /// Which day of how many it is.
    private func place(of day: Day, every: FixedCost.Every) -> (index: Int, count: Int) {
        let (year, _, number) = day.civil
        switch every {
        case .day: return (0, 1)
        case .week: return (day.weekday - 1, 7)
        case .month: return (number - 1, month.days(ofMonthWith: day))
        case .year:
            guard let first = Day(year: year, month: 1, day: 1), let next = Day(year: year + 1, month: 1, day: 1) else {
                return (0, 1)
            }
            return (day - first, next - first)
        case .once: return (day - cost.from, (cost.to ?? cost.from) - cost.from + 1)
        }
    }

    /// The whole amount of a month, year, week or stretch in the report's currency.
    private func total(_ row: PriceRow?, _ rateDay: Day) throws -> Total {
        do {
            let (low, high, currency) = try ownAmounts(row)
            let isMocked = row?.isMocked == true
            guard let conversion = try rates.conversion(from: currency, to: model.currency, on: rateDay) else {
                let own = MoneyRange(low: Money(units: try low.units()), high: Money(units: try high.units()))
                return Total(
                    amount: nil, isMocked: isMocked,
                    unconverted: isMocked ? nil : CostLine.Unconverted(currency: currency, amount: own),
                    missing: rates.gap(from: currency, to: model.currency, on: rateDay), notes: [])
            }
            let notes = (conversion.steps.isEmpty ? [] : ["\(conversion)"]) + (isMocked ? ["not charged yet"] : [])
            let amount = MoneyRange(
                low: Money(units: try (low * conversion.ratio).units()), high: Money(units: try (high * conversion.ratio).units())
            )
            return Total(amount: amount, isMocked: isMocked, unconverted: nil, missing: nil, notes: notes)
        } catch is Fraction.TooLarge {
            throw Failure("The fixed cost \"\(cost.name)\" is too large to be worked with.", at: cost.place, kind: .usage)
        }
    }

    private func ownAmounts(_ row: PriceRow?) throws -> (low: Fraction, high: Fraction, currency: String) {
        let quantity = Fraction(cost.quantity)
        guard let row else {
            guard case .amount(let low, let high, let currency, _) = cost.price else { return (.zero, .zero, model.currency) }
            return (try Fraction(low) * quantity, try Fraction(high) * quantity, currency)
        }
        let pieces = try row.pieces(of: quantity, after: .zero)
        return try pieces.reduce((.zero, .zero, row.currency)) { (try $0.0 + $1.low, try $0.1 + $1.high, $0.2) }
    }
}

extension PriceRow {
    /// What a quantity costs, in its own currency and exact: one piece for each volume tier that it reaches into.
    ///
    /// - Parameters:
    ///   - quantity: in units of the price (of gigabyte-months, where the price is per GB-month).
    ///   - before: how much of the month's tiers is used up already.
    func pieces(of quantity: Fraction, after before: Fraction) throws -> [(band: Int, low: Fraction, high: Fraction)] {
        let per = Fraction(1, over: self.per.count)
        if bands.count == 1 {
            let amount = try quantity * per
            return [(0, try Fraction(low) * amount, low == high ? try Fraction(low) * amount : try Fraction(high) * amount)]
        }
        let end = try before + quantity
        return try bands.indices.compactMap { index in
            let start = max(before, Fraction(bands[index].from))
            let stop = index + 1 < bands.count ? min(end, Fraction(bands[index + 1].from)) : end
            guard start < stop else { return nil }
            let amount = try (stop - start) * per
            return (index, try Fraction(bands[index].low) * amount, try Fraction(bands[index].high) * amount)
        }
    }
}
