import Common

/// A metered call as pricing sees it.
struct MeteredCall {
    /// By meter, in the order of `Meter.allCases`; nil where it was not exported.
    var tokens: [Int64?]
    /// In units of 1e-12, and the word for what it is counted in.
    var quantity: Int128?
    var unit: String?
    /// How much of such quantities was charged before it in its month, in smallest parts × 1e12; only volume tiers ask.
    var chargedBefore: Int128 = 0

    init(tokens: [Int64?], quantity: Int128? = nil, unit: String? = nil) {
        (self.tokens, self.quantity, self.unit) = (tokens, quantity, unit)
    }
}

/// What a call costs: one atom for each meter that has a count and a price.
struct CallPrice {
    /// One call × one meter, rounded once; everything above it is integer addition (promise 3).
    struct Atom {
        let rate: Rate
        /// Tokens, or the charged quantity in smallest parts × 1e12.
        let count: Int128
        let low: Money
        let high: Money
    }
    /// The threshold that its whole input exceeds; -1 for none.
    var above: Int64 = -1
    var atoms: [Atom] = []
    /// Meters whose tokens have no price, with their tokens.
    var unpriced: [(meter: Meter, tokens: Int64)] = []
    /// Its quantity has no price: no row for the model, or none in such a unit.
    var quantityIsUnpriced = false
    /// Nothing of it was exported that could be priced: unknown, not zero.
    var isUnknown = false

    var isPriced: Bool { unpriced.isEmpty && !quantityIsUnpriced && !isUnknown }
}

extension DayPrices {
    func price(_ call: MeteredCall) throws -> CallPrice {
        var price = CallPrice()
        var counts = call.tokens
        var input: Int64 = 0
        for count in counts[0...3] {
            let (sum, overflow) = input.addingReportingOverflow(count ?? 0)
            guard !overflow else { throw Measures.tooLarge(nil) }
            input = sum
        }
        let level = levels[level(input: input)]
        price.above = level.above
        // Reasoning tokens are part of the output: priced at their own row where the book has one, else as output.
        let (output, reasoning) = (Meter.output.index, Meter.reasoning.index)
        if let thinking = counts[reasoning], level.byMeter[reasoning] != nil {
            counts[output] = max(0, (counts[output] ?? 0) - thinking)
        } else {
            counts[reasoning] = nil
        }
        price.isUnknown = call.quantity == nil && counts.allSatisfy { $0 == nil }
        for (meter, count) in zip(Meter.allCases, counts) {
            guard let count, count > 0 else { continue }
            guard let rate = level.byMeter[meter.index] else {
                price.unpriced.append((meter, count))
                continue
            }
            let (low, high) = try rate.amount(tokens: count)
            price.atoms.append(CallPrice.Atom(rate: rate, count: Int128(count), low: low, high: high))
        }
        try addQuantity(of: call, to: &price)
        return price
    }

    func addQuantity(of call: MeteredCall, to price: inout CallPrice) throws {
        // Nothing costs nothing, as no tokens do.
        guard let quantity = call.quantity, quantity != 0 else { return }
        guard let unit = call.unit.flatMap({ PriceUnit(word: $0) }), let rate = rate(for: unit), quantity >= 0 else {
            price.quantityIsUnpriced = true
            return
        }
        guard let charged = rate.charged(quantity, unit) else { throw rate.row.tooLarge(quantity) }
        let (low, high) = try rate.amount(charged: charged, after: call.chargedBefore)
        price.atoms.append(CallPrice.Atom(rate: rate, count: charged, low: low, high: high))
    }
}

extension Cost {
    /// Adds what a call costs.
    mutating func add(_ price: CallPrice) throws {
        for atom in price.atoms { add(atom.low, atom.high, isMocked: atom.rate.row.isMocked) }
        guard !price.isPriced else { return }
        unpricedRequests += 1
        for (_, tokens) in price.unpriced {
            let (sum, overflow) = unpricedTokens.addingReportingOverflow(tokens)
            guard !overflow else { throw Measures.tooLarge(nil) }
            unpricedTokens = sum
        }
    }

    /// Adds an amount, or what it would be where the service is not charged yet.
    mutating func add(_ low: Money, _ high: Money, isMocked: Bool) {
        if isMocked {
            shadowLow += low
            shadowHigh += high
        } else {
            self.low += low
            self.high += high
        }
    }
}
