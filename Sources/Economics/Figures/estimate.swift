import Common

/// What planned use would cost under a price book. It is priced like calls that happened, so a plan and a bill differ only in counts.
///
///     try book.estimate([.cacheRead: 600, .input: 300, .output: 450], provider: "anthropic", model: "claude-haiku-4-5", on: day)
///     // 0.00261
///
/// What a mocked service would cost counts like any other cost: a plan is made for the day on which it is charged. Use without a
/// price is refused, since unknown is not zero.
extension PriceBook {
    /// One request with so many tokens by meter.
    public func estimate(
        _ tokens: [Meter: Int64], provider: String, model: String, tier: String? = nil, on day: Day
    ) throws -> Spread {
        let call = MeteredCall(tokens: Meter.allCases.map { tokens[$0] })
        return try estimate(
            call, candidates(provider: provider, model: model, tier: tier, knownAsOf: nil), day, "\(provider) \(model)")
    }

    /// A quantity of a model, metric or service, in a unit that its price converts; volume tiers begin at its first piece.
    public func estimate(
        _ quantity: ExactDecimal, _ unit: PriceUnit, of subject: PriceRow.Subject, provider: String, tier: String? = nil,
        on day: Day
    ) throws -> Spread {
        guard let units = quantity.units(places: Money.places), units >= 0 else {
            throw Failure("\(quantity) \(unit.plural) are no quantity that can be priced.")
        }
        let rows =
            if case .model(let name) = subject {
                candidates(provider: provider, model: name, tier: tier, knownAsOf: nil)
            } else {
                prices(of: subject, provider: provider, tier: tier ?? "standard")
            }
        let call = MeteredCall(tokens: Meter.allCases.map { _ in nil }, quantity: units, unit: unit.rawValue)
        return try estimate(call, rows, day, "\(provider) \(subject)")
    }

    private func estimate(_ call: MeteredCall, _ rows: [PriceRow], _ day: Day, _ what: String) throws -> Spread {
        let currencies = Set(rows.filter { $0.holds(on: day) }.map(\.currency))
        guard currencies.count == 1, let currency = currencies.first else {
            throw Failure("The price book has no single price of \(what) for \(day). Add one, or name another day.")
        }
        let price = try DayPrices(rows, on: day) { own, _ in own == currency ? .one : nil }.price(call)
        guard price.isPriced else {
            throw Failure(
                "The price book has no price for all of \(what) on \(day), so there is no estimate: unknown is not zero.")
        }
        return try price.atoms.reduce(.zero) {
            try $0 + Spread(Fraction(units: $1.low.units), Fraction(units: $1.high.units))
        }
    }
}

extension StatedFigure {
    /// The tokens of a profile by meter; its columns bear the names of meters.
    public func tokens(isCached: Bool = true) throws -> [Meter: Int64] {
        var tokens: [Meter: Int64] = [:]
        for column in columns {
            guard let meter = Meter(rawValue: column.name) else {
                throw Failure(
                    "The column \"\(column.name)\" of the profile \"\(name)\" is no meter. Meters are \(listed(Meter.allCases.map(\.rawValue))).",
                    at: place, kind: .usage)
            }
            let sum = try sum(column.name)
            guard sum.isExact, sum.low.denominator == 1, let count = Int64(exactly: sum.low.numerator), count >= 0 else {
                throw Failure("The profile \"\(name)\" has no whole number of tokens in \"\(column.name)\".", at: place)
            }
            // Where nothing comes from the cache, all of the prompt is input.
            tokens[isCached || meter != .cacheRead ? meter : .input, default: 0] += count
        }
        return tokens
    }
}

extension FigureBook {
    /// A model as plans use it.
    public struct ModelChoice: Sendable {
        let book: PriceBook
        let provider: String
        let model: String
        let day: Day
        /// nil where each profile has its own, in the label "tier".
        let tier: String?
        /// Whether the part of a prompt that can come from the cache does.
        let isCached: Bool
        /// The meters that count; nil for all.
        let meters: Set<Meter>?

        public init(
            _ book: PriceBook, provider: String, model: String, on day: Day, tier: String? = nil, isCached: Bool = true,
            meters: Set<Meter>? = nil
        ) {
            (self.book, self.provider, self.model, self.day) = (book, provider, model, day)
            (self.tier, self.isCached, self.meters) = (tier, isCached, meters)
        }
    }

    /// What one event of a profile costs.
    public func cost(ofEvent name: String, on choice: ModelChoice) throws -> Spread {
        let profile = try figure(name)
        let tokens = try profile.tokens(isCached: choice.isCached).filter {
            choice.meters?.contains($0.key) ?? true && $0.value > 0
        }
        let tier = choice.tier ?? profile.labels.first { $0.name == "tier" }?.text
        guard !tokens.isEmpty else { return .zero }
        return try choice.book.estimate(tokens, provider: choice.provider, model: choice.model, tier: tier, on: choice.day)
    }

    /// What a month of somebody costs whose lines say how often they do what the profiles of those names take.
    public func cost(ofMonth name: String, lines: [String]? = nil, on choice: ModelChoice) throws -> Spread {
        let habits = try figure(name)
        return try habits.lines.filter { lines?.contains($0.name) ?? true }.reduce(.zero) { sum, line in
            try sum + habits.value(line.name) * cost(ofEvent: line.name, on: choice)
        }
    }

    /// How many tokens of full price an event's or a month's prompt weighs: what it costs over the rate of fresh input.
    public func weighedInput(of cost: (ModelChoice) throws -> Spread, on choice: ModelChoice) throws -> Spread {
        let prompt = ModelChoice(
            choice.book, provider: choice.provider, model: choice.model, on: choice.day, tier: "standard",
            isCached: choice.isCached,
            meters: Set(Meter.allCases).subtracting([.output, .reasoning]))
        let one = try choice.book.estimate([.input: 1], provider: choice.provider, model: choice.model, on: choice.day)
        return try cost(prompt) / one
    }
}
