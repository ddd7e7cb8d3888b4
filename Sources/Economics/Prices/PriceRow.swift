import Common

/// One price: who charges it, for what, how much, since when, since when we know it, and where that is written.
public struct PriceRow: Sendable {
    /// What is priced.
    public enum Subject: Hashable, Sendable, CustomStringConvertible {
        /// A model, by its name or a pattern that ends in *: rows of the usage log.
        case model(String)
        /// A metric: rows of the meters log.
        case metric(String)
        /// Something that costs the same every month, or once: fixed costs refer to it.
        case service(String)

        public var description: String {
            switch self {
            case .model(let name), .metric(let name), .service(let name): name
            }
        }
    }

    /// What is multiplied by the rate.
    public enum Counted: Hashable, Sendable, CustomStringConvertible {
        case tokens(Meter)
        /// The quantity of a row, in its unit.
        case quantity

        public var description: String {
            switch self {
            case .tokens(let meter): meter.rawValue
            case .quantity: "quantity"
            }
        }
    }

    public let provider: String
    public let subject: Subject
    public let tier: String
    public let counted: Counted
    /// Applies to every meter of a request whose whole input, cache included, has more tokens than this; -1 where there is no threshold.
    public let aboveInputTokens: Int64
    /// One where the rate is flat; with more, each holds from its beginning on, counted over a calendar month.
    public let bands: [PriceBand]
    public let currency: String
    /// What the rate is for.
    public let per: UnitAmount
    /// A quantity is charged in whole steps of this.
    public let increment: UnitAmount?
    /// What the values of a metric are counted in.
    public let valueUnit: PriceUnit?
    /// Not charged yet: it costs nothing, and the rate is what it would cost.
    public let isMocked: Bool
    public let isApproximate: Bool
    /// What else the source says; no sum ever reads it.
    public let labels: [Label]
    public let validFrom: Day
    /// The last day; nil while it is still charged.
    public let validTo: Day?
    /// When we learned it.
    public let knownFrom: Day
    /// Which applied revision brought it; 0 for what stands in a file.
    public let revision: Int
    public let source: String
    public let place: Place

    public struct Label: Equatable, Sendable {
        public let name: String
        public let text: String

        public init(name: String, text: String) { (self.name, self.text) = (name, text) }
    }

    public init(
        provider: String, subject: Subject, tier: String = "standard", counted: Counted, aboveInputTokens: Int64 = -1,
        bands: [PriceBand], currency: String, per: UnitAmount, increment: UnitAmount? = nil, valueUnit: PriceUnit? = nil,
        isMocked: Bool = false, isApproximate: Bool = false, labels: [Label] = [], validFrom: Day, validTo: Day? = nil,
        knownFrom: Day, revision: Int = 0, source: String, place: Place
    ) {
        (self.provider, self.subject, self.tier, self.counted) = (provider, subject, tier, counted)
        (self.aboveInputTokens, self.bands, self.currency) = (aboveInputTokens, bands, currency)
        (self.per, self.increment, self.valueUnit) = (per, increment, valueUnit)
        (self.isMocked, self.isApproximate, self.labels) = (isMocked, isApproximate, labels)
        (self.validFrom, self.validTo, self.knownFrom) = (validFrom, validTo, knownFrom)
        (self.revision, self.source, self.place) = (revision, source, place)
    }

    /// Equal unless the price is a range; of the first band where there are several.
    public var low: ExactDecimal { bands[0].low }
    public var high: ExactDecimal { bands[0].high }

    /// Whether the vendor charged it on a day.
    public func holds(on day: Day) -> Bool { validFrom <= day && day <= validTo ?? day }

    /// Everything that can change a cost.
    public var definition: String {
        let valid = "\(validFrom)…\(validTo?.description ?? "")"
        let bands = bands.map { "\($0.from):\($0.low)…\($0.high)" }.joined(separator: ",")
        let units = "\(per.count) \(per.unit)|\(increment.map { "\($0.count) \($0.unit)" } ?? "")|\(valueUnit?.rawValue ?? "")"
        return
            "\(statement.definition)|\(bands)|\(currency)|\(units)|\(isMocked)|\(valid)|\(knownFrom)|\(revision)"
    }

    /// What the price is an answer to: of two answers to one question the one learned last counts.
    struct Statement: Hashable {
        let question: Question
        let validFrom: Day

        var definition: String { "\(question.definition)|\(validFrom)" }
    }

    /// What is asked of a book, but for the day.
    struct Question: Hashable {
        let provider: String
        let subject: Subject
        let tier: String
        let counted: Counted
        let aboveInputTokens: Int64
        /// Prices of one thing in units that do not convert stand beside each other.
        let dimension: PriceUnit.Dimension

        var definition: String {
            "\(provider)|\(subject.kind) \(subject)|\(tier)|\(counted)|\(aboveInputTokens)|\(dimension)"
        }
    }

    var question: Question {
        Question(
            provider: provider, subject: subject, tier: tier, counted: counted, aboveInputTokens: aboveInputTokens,
            dimension: per.unit.dimension)
    }

    var statement: Statement { Statement(question: question, validFrom: validFrom) }

    /// How exactly a model's name is meant by this row; nil where it is not. The greatest wins: a longer name before a shorter one,
    /// and a name before a pattern of the same letters.
    func matchLength(_ model: String) -> Int? {
        guard case .model(let name) = subject else { return nil }
        if name.hasSuffix("*") { return model.hasPrefix(name.dropLast()) ? 2 * name.count - 2 : nil }
        guard model.hasPrefix(name) else { return nil }
        // Vendors add the day of a model's release to its name: claude-haiku-4-5-20251001, or …@20251001.
        let rest = model.dropFirst(name.count)
        let isDay =
            rest.count == 9 && (rest.first == "-" || rest.first == "@")
            && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
        return rest.isEmpty || isDay ? 2 * name.count + 1 : nil
    }

    func tooLarge(_ count: some CustomStringConvertible) -> Failure {
        Failure("A cost is too large for this price: \(count) \(per.unit.plural) at \(high).", at: place)
    }
}

/// What holds from a count on: the rate of a flat price, or one of several volume tiers.
public struct PriceBand: Equatable, Sendable {
    /// In units of the price; 0 for the first.
    public let from: ExactDecimal
    public let low: ExactDecimal
    public let high: ExactDecimal

    public init(from: ExactDecimal = .zero, low: ExactDecimal, high: ExactDecimal) {
        (self.from, self.low, self.high) = (from, low, high)
    }
}
