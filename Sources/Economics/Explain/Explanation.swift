import Common

/// A figure of `vesper costs`, from its sum down to price rows, parts of the lake, source files and records.
public struct Explanation: Sendable {
    public let period: Period
    public let filters: [Filter]
    public let currency: String
    public let requests: Int
    public let cost: Cost
    /// By meter.
    public let tokens: [Int64]
    /// By unit, in units of 1e-12.
    public let quantities: [(unit: String, quantity: Int128)]
    public let prices: [PriceUse]
    public let unpriced: [UnpricedUse]
    public let lookups: [LookupUse]
    public let parts: [PartUse]
    public let files: [FileUse]
    /// The first ones by time, file and record; as many as were asked for.
    public let records: [ExplainedRecord]

    /// What was asked of a dimension, and with which of its values the rows say it; an empty value is that they do not.
    public struct Filter: Equatable, Sendable {
        public let dimension: String
        public let asked: String
        public let values: [String]
    }

    public struct PartUse: Equatable, Sendable {
        /// Relative to the home.
        public let path: String
        public let day: Day
        /// Rows of it that count, of so many.
        public let rows: Int
        public let of: Int
    }

    public struct FileUse: Equatable, Sendable {
        public let source: String
        public let file: String
        public let rows: Int
    }

    /// How a column came about that rows need not carry.
    public struct LookupUse: Sendable {
        public let column: String
        /// Rows that say it themselves, those for which it was found, and those for which nothing was.
        public let said: Int
        public let found: Int
        public let missing: Int
        /// Where it is looked for.
        public let rule: String
    }
}

/// A price and all that was charged at it: what one can work out again by hand.
public struct PriceUse: Sendable {
    public let row: PriceRow
    /// Which of its volume tiers.
    public let band: Int
    public let exchange: Fraction
    /// Calls with a count on it, each an atom that is rounded by itself.
    public let calls: Int
    /// Tokens; of a quantity what is charged, in units of 1e-12 of the smallest unit of its kind (bytes, milliseconds, pieces).
    public let count: Int128
    /// The sum of the rounded atoms.
    public let low: Money
    public let high: Money
    /// The names under which calls know the model.
    public let models: [String]

    /// The same price for one call.
    public func one(_ atom: ExplainedRecord.Atom) -> PriceUse {
        PriceUse(
            row: row, band: band, exchange: exchange, calls: 1, count: atom.count, low: atom.low, high: atom.high, models: [])
    }

    public var rates: (low: ExactDecimal, high: ExactDecimal) { (row.bands[band].low, row.bands[band].high) }

    /// The count in the unit of the price where that is a decimal, otherwise in the smallest unit of its kind; and so many of that unit
    /// the rate is for.
    public var counted: (count: ExactDecimal, unit: PriceUnit, per: Int128) {
        let unit = row.per.unit
        guard case .quantity = row.counted else {
            return (ExactDecimal(mantissa: count, scale: 0) ?? .zero, unit, row.per.count)
        }
        if let amount = decimal(count, over: unit.factor) { return (amount, unit, row.per.count) }
        let smallest = PriceUnit.allCases.first { $0.dimension == unit.dimension && $0.factor == 1 } ?? unit
        return (decimal(count, over: 1) ?? .zero, smallest, row.per.count * unit.factor)
    }

    /// Units of 1e-12 over a divisor, if that is a decimal.
    private func decimal(_ units: Int128, over divisor: Int128) -> ExactDecimal? {
        var (units, scale) = (units, Money.places)
        for _ in 0..<12 where units % divisor != 0 {
            let (next, overflow) = units.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            (units, scale) = (next, scale + 1)
        }
        return units % divisor == 0 ? ExactDecimal(mantissa: units / divisor, scale: scale) : nil
    }

    /// Count × rate ÷ per, exchanged, to 1e-12; and what rounding each atom by itself has added to that, to 1e-18.
    public struct Arithmetic: Equatable, Sendable {
        public let product: Money
        public let rounding: ExactDecimal
    }

    /// nil where the product does not fit in 128 bits.
    public var lowArithmetic: Arithmetic? { arithmetic(rates.low, low) }
    public var highArithmetic: Arithmetic? { arithmetic(rates.high, high) }

    private func arithmetic(_ rate: ExactDecimal, _ sum: Money) -> Arithmetic? {
        let scale = row.per.unit == .token ? 0 : Money.places
        let (finer, overflow) = sum.units.multipliedReportingOverflow(by: powerOfTen(6))
        guard !overflow,
            let product = try? Fraction(count, over: powerOfTen(scale)) * Fraction(rate) * exchange / Fraction(row.per.size),
            let units = try? product.units(), let fine = try? product.times(powerOfTen(Money.places + 6))
        else { return nil }
        return ExactDecimal(mantissa: finer - fine, scale: Money.places + 6).map {
            Arithmetic(product: Money(units: units), rounding: $0)
        }
    }
}

/// What calls have no price for.
public struct UnpricedUse: Equatable, Sendable {
    public let provider: String?
    public let model: String?
    public let tier: String?
    /// A meter, `quantity`, or `nothing` where nothing was exported.
    public let what: String
    public let reason: String
    public var requests: Int
    public var tokens: Int64
    public var quantity: Int128
}

/// One call with each of its atoms.
public struct ExplainedRecord: Sendable {
    public let source: String
    public let file: String
    public let record: Int64
    public let time: Instant
    public let provider: String?
    public let model: String?
    public let tier: String?
    /// By meter; nil where it was not exported.
    public let tokens: [Int64?]
    public let quantity: Int128?
    public let unit: String?
    /// All of its input, and the threshold that it exceeds; -1 for none.
    public let input: Int64
    public let above: Int64
    public let atoms: [Atom]
    public let unpriced: [UnpricedUse]
    public let cost: Cost

    public struct Atom: Equatable, Sendable {
        /// Its place in the list of prices.
        public let price: Int
        public let count: Int128
        public let low: Money
        public let high: Money
    }

    var order: (Int64, String, Int64, String) { (time.microseconds, file, record, source) }
}
