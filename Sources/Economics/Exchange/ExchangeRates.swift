import Common

/// One dated statement: so much of the quote currency for so much of the base.
///
///     1 EUR = 1.0866 USD on 2026-09-28
public struct ExchangeRate: Equatable, Sendable, CustomStringConvertible {
    public let base: String
    public let quote: String
    /// So many units of the base are worth so many of the quote.
    public let baseAmount: ExactDecimal
    public let quoteAmount: ExactDecimal
    /// A rate that is stated for a stretch of days is each day's own.
    public let first: Day
    /// nil while it holds.
    public let last: Day?
    public let source: String
    public let place: Place

    public init(
        base: String, quote: String, baseAmount: ExactDecimal = ExactDecimal(1), quoteAmount: ExactDecimal, first: Day,
        last: Day?,
        source: String, place: Place
    ) {
        (self.base, self.quote, self.baseAmount, self.quoteAmount) = (base, quote, baseAmount, quoteAmount)
        (self.first, self.last, self.source, self.place) = (first, last, source, place)
    }

    func holds(on day: Day) -> Bool { first <= day && day <= last ?? day }

    /// Of the quote for one of the base.
    func ratio() throws -> Fraction { try Fraction(quoteAmount) / Fraction(baseAmount) }

    public var description: String {
        let days = last == first ? "of \(first)" : "from \(first)" + (last.map { " to \($0)" } ?? " on")
        return "\(baseAmount) \(base) = \(quoteAmount) \(quote) \(days)"
    }
}

/// How an amount came from one currency into another.
public struct Conversion: Equatable, Sendable, CustomStringConvertible {
    /// Of the target for one of the origin.
    public let ratio: Fraction
    /// One, or as many as the declared chain has steps.
    public let steps: [Step]

    public struct Step: Equatable, Sendable {
        public let rate: ExchangeRate
        /// The earlier day whose rate was taken, because the day itself has none.
        public let carriedFrom: Day?
    }

    public var isCarried: Bool { steps.contains { $0.carriedFrom != nil } }

    /// Between equal currencies nothing is converted.
    static let none = Conversion(ratio: .one, steps: [])

    /// "at 1 EUR = 1.0866 USD of 2026-09-28, carried".
    public var description: String {
        "at " + steps.map { "\($0.rate)" + ($0.carriedFrom == nil ? "" : ", carried") }.joined(separator: " and ")
    }
}

/// The dated exchange rates of a job. Two currencies meet only through them, and every figure names the rate it used.
///
/// A day takes its own rate, else that of the newest earlier day within a week, which is flagged; otherwise there is none, and the
/// amount stays as it is: unknown is not zero. A pair is taken as stated or the other way round, never through a third currency,
/// unless a chain says so.
public struct ExchangeRates: Sendable {
    /// So old a rate may be.
    public static let carriedDays = 7

    public let rates: [ExchangeRate]
    public let chains: [Chain]
    /// By pair: from the newest beginning to the oldest.
    private let byPair: [Pair: [ExchangeRate]]

    struct Pair: Hashable {
        let base: String
        let quote: String
    }

    /// Currencies through which an amount may go, from the first to the last or back.
    public struct Chain: Equatable, Sendable {
        public let currencies: [String]
        public let place: Place

        public init(_ currencies: [String], at place: Place) { (self.currencies, self.place) = (currencies, place) }
    }

    public static let none = ExchangeRates(unchecked: [], [])

    /// Refuses two statements for one day that disagree.
    public init(_ rates: [ExchangeRate], chains: [Chain] = []) throws {
        let grouped = Dictionary(grouping: rates.indices) { Pair(base: rates[$0].base, quote: rates[$0].quote) }
        for indices in grouped.values {
            let sorted = indices.map { rates[$0] }.sorted { ($0.first, "\($0.place)") < ($1.first, "\($1.place)") }
            // The one that reaches furthest so far is the one to run into.
            var longest: ExchangeRate?
            for rate in sorted {
                if let longest, longest.last.map({ $0 >= rate.first }) ?? true, try longest.ratio() != rate.ratio() {
                    throw Failure(
                        "\(rate) contradicts \(longest) at \(longest.place). Keep one of the two, or end the earlier one before the later begins.",
                        at: rate.place, kind: .usage)
                }
                if let end = longest?.last { if rate.last.map({ $0 > end }) ?? true { longest = rate } }
                if longest == nil { longest = rate }
            }
        }
        self.init(unchecked: rates, chains)
        let pairs = byPair.filter { $0.key.base < $0.key.quote }.sorted {
            ($0.key.base, $0.key.quote) < ($1.key.base, $1.key.quote)
        }
        for (pair, own) in pairs {
            for rate in own {
                let others = byPair[Pair(base: pair.quote, quote: pair.base)] ?? []
                let other = try others.first { other in
                    let isOfOneTime = rate.first <= other.last ?? rate.first && other.first <= rate.last ?? other.first
                    // Both are rounded; a hundredth is more than that.
                    return try isOfOneTime && !ExchangeRates.areInverse(rate.ratio(), other.ratio())
                }
                guard let other else { continue }
                throw Failure(
                    "\(other) contradicts \(rate) at \(rate.place), which states the pair the other way round. Keep one of the two.",
                    at: other.place, kind: .usage)
            }
        }
    }

    private static func areInverse(_ a: Fraction, _ b: Fraction) throws -> Bool {
        let product = try a * b
        return Fraction(99, over: 100) < product && product < Fraction(101, over: 100)
    }

    private init(unchecked rates: [ExchangeRate], _ chains: [Chain]) {
        (self.rates, self.chains) = (rates, chains)
        byPair = Dictionary(grouping: rates) { Pair(base: $0.base, quote: $0.quote) }.mapValues {
            $0.sorted { ($0.first, "\($0.place)") > ($1.first, "\($1.place)") }
        }
    }

    /// The same rates and more.
    public func adding(_ others: [ExchangeRate]) throws -> ExchangeRates {
        others.isEmpty ? self : try ExchangeRates(rates + others, chains: chains)
    }

    /// Everything that can change a cost.
    public var definition: [String] { rates.map { "\($0)" }.sorted() + chains.map { $0.currencies.joined(separator: ">") } }

    // MARK: - Looking up

    /// How an amount comes from one currency into another on a day; nil where no rate says.
    ///
    ///     try rates.conversion(from: "EUR", to: "USD", on: day)?.description   // at 1 EUR = 1.0866 USD of 2026-09-28
    public func conversion(from origin: String, to target: String, on day: Day) throws -> Conversion? {
        if origin == target { return Conversion.none }
        if let step = step(origin, target, day) { return try Conversion(ratio: ratio(step, from: origin), steps: [step]) }
        for chain in chains {
            guard let start = chain.currencies.firstIndex(of: origin), let end = chain.currencies.firstIndex(of: target) else {
                continue
            }
            let path = start < end ? Array(chain.currencies[start...end]) : chain.currencies[end...start].reversed()
            let steps = zip(path, path.dropFirst()).compactMap { step($0, $1, day) }
            guard steps.count == path.count - 1 else { continue }
            var whole = Fraction.one
            for (step, currency) in zip(steps, path) { whole = try exactly(step) { try whole * ratio(step, from: currency) } }
            return Conversion(ratio: whole, steps: steps)
        }
        return nil
    }

    /// An amount in another currency, rounded once, half to even, to 1e-12; nil where no rate says.
    public func converted(_ amount: Money, from origin: String, to target: String, on day: Day) throws -> (Money, Conversion)? {
        guard let conversion = try conversion(from: origin, to: target, on: day) else { return nil }
        do {
            return (Money(units: try (Fraction(units: amount.units) * conversion.ratio).units()), conversion)
        } catch is Fraction.TooLarge {
            throw Failure("\(amount) \(origin) \(conversion) is too large an amount.", at: conversion.steps.first?.rate.place)
        }
    }

    /// The statement for a pair, as it stands or the other way round: one of the day itself first, then the newest.
    private func step(_ origin: String, _ target: String, _ day: Day) -> Conversion.Step? {
        [Pair(base: origin, quote: target), Pair(base: target, quote: origin)].compactMap { step($0, day) }
            .max { ($0.carriedFrom ?? day) < ($1.carriedFrom ?? day) }
    }

    private func step(_ pair: Pair, _ day: Day) -> Conversion.Step? {
        var carried: Conversion.Step?
        for rate in byPair[pair] ?? [] where rate.first <= day {
            guard let last = rate.last, last < day else { return Conversion.Step(rate: rate, carriedFrom: nil) }
            if day - last <= ExchangeRates.carriedDays, carried?.carriedFrom.map({ $0 < last }) ?? true {
                carried = Conversion.Step(rate: rate, carriedFrom: last)
            }
        }
        return carried
    }

    private func ratio(_ step: Conversion.Step, from origin: String) throws -> Fraction {
        try exactly(step) {
            let ratio = try step.rate.ratio()
            return step.rate.base == origin ? ratio : try Fraction.one / ratio
        }
    }

    private func exactly(_ step: Conversion.Step, _ work: () throws -> Fraction) throws -> Fraction {
        do { return try work() } catch is Fraction.TooLarge {
            throw Failure("The rate \(step.rate) has more digits than can be worked with.", at: step.rate.place, kind: .usage)
        }
    }

    // MARK: - What should be said

    /// Why there is no rate: what is missing, which one is nearest, and what would help.
    public func gap(from origin: String, to target: String, on day: Day) -> String {
        let sentence = "There is no rate between \(origin) and \(target) for \(day)"
        let pair = rates.filter { ($0.base, $0.quote) == (origin, target) || ($0.base, $0.quote) == (target, origin) }
        guard !pair.isEmpty else {
            let known = Set(rates.flatMap { [$0.base, $0.quote] }).sorted()
            let hint = known.contains(origin) ? "" : didYouMean(origin, from: known)
            return
                "\(sentence), nor for any other day.\(hint) Add one to the exchange rates; amounts in \(origin) stay unconverted until then."
        }
        let nearest = pair.min { ExchangeRates.distance($0, day) < ExchangeRates.distance($1, day) }
        return
            "\(sentence), nor for the \(ExchangeRates.carriedDays) days before\(nearest.map { "; the nearest is \($0)" } ?? ""). Add one for these days; amounts in \(origin) stay unconverted until then."
    }

    private static func distance(_ rate: ExchangeRate, _ day: Day) -> Int {
        day < rate.first ? rate.first - day : max(0, day - (rate.last ?? day))
    }

    /// A rate that is a thousand times or more off the ones before and after it is likely a slip.
    public var warnings: [Diagnostic] {
        byPair.sorted { ($0.key.base, $0.key.quote) < ($1.key.base, $1.key.quote) }.flatMap { _, newestFirst -> [Diagnostic] in
            let series = Array(newestFirst.reversed())
            return series.indices.compactMap { index in
                // With one neighbour only, the one of the two is to blame that is far off everything; of only two the later.
                let neighbours = [index - 1, index + 1].filter(series.indices.contains)
                guard neighbours.allSatisfy({ isFarOff(series[index], series[$0]) }), let near = neighbours.first else {
                    return nil
                }
                if neighbours.count == 1 {
                    let beyond = index == 0 ? 2 : index - 2
                    guard series.indices.contains(beyond) ? !isFarOff(series[near], series[beyond]) : index > 0 else {
                        return nil
                    }
                }
                return Diagnostic(
                    .warning,
                    "\(series[index]) is a thousand times or more off \(series[near]) at \(series[near].place). Look whether a point or a unit was lost.",
                    at: series[index].place)
            }
        }
    }

    private func isFarOff(_ a: ExchangeRate, _ b: ExchangeRate) -> Bool {
        guard let (a, b) = try? (a.ratio(), b.ratio()), let quotient = try? a / b else { return true }
        return !(quotient < Fraction(1000)) || !(Fraction(1, over: 1000) < quotient)
    }
}
