import Common
import Lake

/// Prices the meters log: every reading × the price of its metric.
///
/// Counters are charged by quantity, in whole billing increments; gauges by the time they hold: a gigabyte-month is a gigabyte for all
/// days of its calendar month, or for 30 where the job counts so. The atom is one reading × one price × one calendar month × one volume
/// tier, rounded once; over days it is cut by its running sum, so that the days add up to it. Tiers are those of a calendar month, all
/// subjects together, in the order of time. Prices and months are looked up by the local day.
///
/// A metric without a price is counted with its quantity and costs "at least"; those that the job calls unbilled are left out.
func meterCosts(
    _ meters: MeterHistory, of period: Period, _ expenses: Expenses, _ rates: ExchangeRates, _ model: CostModel
) throws -> [CostLine] {
    let metering = Metering(expenses.month, rates, model)
    for piece in meters.pieces
    where !expenses.unbilledMetrics.contains(piece.metric) && piece.metric != expenses.rateColumns?.metric {
        do {
            try metering.add(piece, isWanted: period.contains(piece.day))
        } catch is Fraction.TooLarge {
            throw Failure(
                "The readings of \(piece.metric) on \(piece.day) are too large to be added up. Look for a damaged row in the meters log."
            )
        }
    }
    return metering.lines
}

private final class Metering {
    private let month: MonthLength
    private let rates: ExchangeRates
    private let model: CostModel
    private var prices: [String: [PriceRow]] = [:]
    /// How much of a month's tiers is used up.
    private var volumes: [Volume: Fraction] = [:]
    private var atoms: [Atom: Sum] = [:]
    private var byLine: [Line: CostLine] = [:]

    private struct Volume: Hashable {
        let month: Day
        let question: PriceRow.Question
    }

    private struct Atom: Hashable {
        let reading: Int
        let statement: PriceRow.Statement
        let month: Day
        let band: Int
        let isCarried: Bool
        let isConverted: Bool
    }

    /// What an atom came to so far, exactly and as it was rounded.
    private struct Sum {
        var low = Fraction.zero
        var high = Fraction.zero
        var rounded = MoneyRange.zero

        /// What is added to the rounded sum with these.
        mutating func add(_ low: Fraction, _ high: Fraction) throws -> MoneyRange {
            (self.low, self.high) = (try self.low + low, try self.high + high)
            let now = MoneyRange(low: Money(units: try self.low.units()), high: Money(units: try self.high.units()))
            defer { rounded = now }
            return MoneyRange(low: now.low - rounded.low, high: now.high - rounded.high)
        }
    }

    private struct Line: Hashable {
        let day: Day
        let owner: CostLine.Owner?
        let provider: String?
        let metric: String
        let unit: String?
    }

    init(_ month: MonthLength, _ rates: ExchangeRates, _ model: CostModel) {
        (self.month, self.rates, self.model) = (month, rates, model)
    }

    var lines: [CostLine] { Array(byLine.values) }

    func add(_ piece: MeterHistory.Piece, isWanted: Bool) throws {
        guard piece.value >= 0 else {
            if isWanted { try addUnpriced(piece, "a reading of \(piece.metric) is below zero") }
            return
        }
        let known = prices[piece.metric] ?? model.book.prices(of: .metric(piece.metric), knownAsOf: model.knownAsOf)
        prices[piece.metric] = known
        let holding = known.filter { $0.holds(on: piece.day) }
        guard let (row, unit) = try fitting(holding, piece) else {
            guard isWanted else { return }
            if let misfit = holding.first {
                let kind = piece.isGauge ? "gauge" : "counter"
                return try addUnpriced(
                    piece, "\(piece.metric) is a \(kind), and its price at \(misfit.place) is per \(misfit.per)")
            }
            return try addUnpriced(piece, "\(piece.metric) has no price" + (known.isEmpty ? "" : " on this day"))
        }
        do {
            try add(piece, row, unit, isWanted)
        } catch is Fraction.TooLarge {
            throw row.tooLarge(Money(units: piece.value))
        }
    }

    // MARK: - Which price

    /// The one price of a metric that fits its values, and how many of the price's unit one of them is.
    private func fitting(_ rows: [PriceRow], _ piece: MeterHistory.Piece) throws -> (PriceRow, Fraction)? {
        let fitting = rows.compactMap { row in row.unitOfValues(isGauge: piece.isGauge).map { (row, $0) } }
        if let first = fitting.first, let other = fitting.first(where: { $0.0.provider != first.0.provider })?.0 {
            throw Failure(
                "\(other.provider) has a price for the metric \(piece.metric) on \(piece.day), and so has \(first.0.provider) at \(first.0.place). "
                    + "Only one can be charged: end one of them with valid_to, or name the alternative as a service.",
                at: other.place, kind: .usage)
        }
        return fitting.first
    }

    private func addUnpriced(_ piece: MeterHistory.Piece, _ missing: String) throws {
        var quantity = Fraction(units: piece.value)
        if let held = piece.held { quantity = try quantity * Fraction(Int128(held.microseconds), over: Int128(held.of)) }
        try add(
            to: Line(day: piece.day, owner: piece.owner, provider: nil, metric: piece.metric, unit: piece.isGauge ? "days" : nil),
            quantity, missing: missing, note: carried(piece))
    }

    private func carried(_ piece: MeterHistory.Piece) -> String? {
        piece.carriedFrom.map { "reading of \($0) carried forward" }
    }

    // MARK: - What it costs

    private func add(_ piece: MeterHistory.Piece, _ row: PriceRow, _ unit: Fraction, _ isWanted: Bool) throws {
        var quantity = try Fraction(units: piece.value) * unit
        if let held = piece.held {
            let days = Int128(month.days(ofMonthWith: piece.day))
            quantity = try quantity * Fraction(Int128(held.microseconds), over: Int128(held.of)) * Fraction(1, over: days)
        } else if let increment = row.increment {
            quantity = try quantity.wholeSteps(of: Fraction(increment.count * increment.unit.factor, over: row.per.unit.factor))
        }
        let conversion = try rates.conversion(from: row.currency, to: model.currency, on: piece.day)
        let begin = firstOfMonth(piece.day)
        let volume = Volume(month: begin, question: row.question)
        let before = volumes[volume] ?? .zero
        var amount = MoneyRange.zero
        for band in try row.pieces(of: quantity, after: before) {
            let atom = Atom(
                reading: piece.reading, statement: row.statement, month: begin, band: band.band, isCarried: piece.isCarried,
                isConverted: conversion != nil)
            let ratio = conversion?.ratio ?? .one
            amount += try atoms[atom, default: Sum()].add(try band.low * ratio, try band.high * ratio)
        }
        if row.bands.count > 1 { volumes[volume] = try before + quantity }
        guard isWanted else { return }
        let line = Line(
            day: piece.day, owner: piece.owner, provider: row.provider, metric: piece.metric, unit: row.per.unit.rawValue)
        guard let conversion else {
            let gap = rates.gap(from: row.currency, to: model.currency, on: piece.day)
            let own = row.isMocked ? nil : CostLine.Unconverted(currency: row.currency, amount: amount)
            return try add(to: line, quantity, missing: gap, unconverted: own, note: carried(piece))
        }
        try add(
            to: line, quantity, amount: row.isMocked ? .zero : amount, shadow: row.isMocked ? amount : nil, note: carried(piece),
            conversion.steps.isEmpty ? nil : "\(conversion)", row.isMocked ? "not charged yet" : nil)
    }

    private func add(
        to key: Line, _ quantity: Fraction, amount: MoneyRange = .zero, shadow: MoneyRange? = nil, missing: String? = nil,
        unconverted: CostLine.Unconverted? = nil, note notes: String?...
    ) throws {
        var line =
            byLine[key]
            ?? CostLine(
                part: .metered, day: key.day, owner: key.owner, provider: key.provider, name: key.metric, category: "metered",
                quantity: .zero, unit: key.unit)
        line.quantity = try line.quantity.map { try $0 + quantity }
        line.amount += amount
        if let shadow { line.shadow = (line.shadow ?? .zero).adding(shadow) }
        line.missing = line.missing ?? missing
        if let unconverted {
            let sum = (line.unconverted?.amount ?? .zero).adding(unconverted.amount)
            line.unconverted = CostLine.Unconverted(currency: unconverted.currency, amount: sum)
        }
        for note in notes.compactMap({ $0 }) where !line.notes.contains(note) { line.notes.append(note) }
        byLine[key] = line
    }
}

extension PriceRow {
    /// How many of the price's unit one of a metric's values is; nil where the price is not for such a metric.
    ///
    /// A gauge is charged by the month that it holds, a counter by what it counts.
    func unitOfValues(isGauge: Bool) -> Fraction? {
        switch per.unit.dimension {
        case .storedData:
            guard isGauge else { return nil }
            guard let valueUnit else { return .one }
            return valueUnit.dimension == .data ? Fraction(valueUnit.factor, over: per.unit.factor) : nil
        case .pieces(.seatMonth), .pieces(.hostMonth), .pieces(.replicaMonth): return isGauge ? .one : nil
        default:
            let own = valueUnit ?? per.unit
            return !isGauge && own.dimension == per.unit.dimension ? Fraction(own.factor, over: per.unit.factor) : nil
        }
    }
}

extension Fraction {
    /// Rounded up to a multiple of a step.
    func wholeSteps(of step: Fraction) throws -> Fraction {
        let steps = try self / step
        let (whole, rest) = steps.numerator.quotientAndRemainder(dividingBy: steps.denominator)
        return try Fraction(whole + (rest > 0 ? 1 : 0)) * step
    }
}

extension MoneyRange {
    func adding(_ other: MoneyRange) -> MoneyRange { MoneyRange(low: low + other.low, high: high + other.high) }
}
