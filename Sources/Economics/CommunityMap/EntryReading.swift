import Common

/// One entry of the community map, whose keys become charges.
struct EntryReading {
    typealias KeyUse = CommunityMap.KeyUse
    typealias Charge = CommunityMap.Charge

    private let model: String
    private let fields: [ConfigMember]
    private var charges: [Slot: (low: ExactDecimal, high: ExactDecimal)] = [:]
    private(set) var uses: [(key: String, state: KeyUse.State, reason: String)] = []

    /// What a rate is for.
    private struct Slot: Hashable {
        let tier: String
        let above: Int64
        let counted: Charge.Counted
    }

    private struct Amount {
        let key: String
        let quantity: CostKey.Quantity
        let low: ExactDecimal
        let high: ExactDecimal
    }

    init(_ model: String, _ fields: [ConfigMember]) { (self.model, self.fields) = (model, fields) }

    private mutating func readAll(_ keys: inout CostKeys) throws {
        var places: [String: Place] = [:]
        var quantities: [String: [Amount]] = [:]
        var ranges: ConfigNode?
        for field in fields {
            if let first = places.updateValue(field.keyPlace, forKey: field.key) {
                throw Failure(
                    "\(quoted(field.key)) of \(quoted(model)) is written twice; the first one stands at \(first). Remove one of them.",
                    at: field.keyPlace)
            }
            guard let meant = keys.key(field.key, holdsNumber: { holdsNumber(field.value) }) else { continue }
            guard let key = meant else {
                uses.append((field.key, .unknown, ""))
                continue
            }
            switch key.meaning {
            case .notApplied(let reason): uses.append((field.key, .notApplied, reason))
            case .tiers: ranges = field.value
            case .alias(let target):
                let beside = fields.first { $0.key == field.key.replacing("input_cost_per_token_cache_hit", with: target) }
                if beside != nil {
                    uses.append((field.key, .same, "the rate of \(target)"))
                } else {
                    try price(field, .tokens(.cacheRead), key.tier, key.aboveInputTokens)
                }
            case .tokens(let meter): try price(field, .tokens(meter), key.tier, key.aboveInputTokens)
            case .quantity(let quantity):
                guard let (low, high) = try amounts(field) else { continue }
                guard key.aboveInputTokens < 0 else {
                    uses.append((field.key, .notApplied, "a price by quantity has no threshold"))
                    continue
                }
                quantities[key.tier, default: []].append(Amount(key: field.key, quantity: quantity, low: low, high: high))
            }
        }
        if let ranges { try readRanges(ranges) }
        for (tier, amounts) in quantities { settle(amounts, tier: tier) }
    }

    func read(_ keys: inout CostKeys) throws -> (charges: [Charge], uses: [(key: String, state: KeyUse.State, reason: String)]) {
        var reading = self
        try reading.readAll(&keys)
        let charges = reading.charges.map { slot, rate in
            Charge(counted: slot.counted, tier: slot.tier, aboveInputTokens: slot.above, low: rate.low, high: rate.high)
        }
        return (charges.sorted { $0.order < $1.order }, reading.uses)
    }

    // MARK: - Rates

    private mutating func price(_ field: ConfigMember, _ counted: Charge.Counted, _ tier: String, _ above: Int64) throws {
        guard let rate = try rate(field.value, field.key) else {
            uses.append((field.key, .notApplied, "null is no rate"))
            return
        }
        charges[Slot(tier: tier, above: above, counted: counted)] = (rate, rate)
        uses.append((field.key, .priced, meaning(counted, tier, above)))
    }

    /// A rate as it is written; nil for null, which is none.
    private func rate(_ node: ConfigNode, _ key: String) throws -> ExactDecimal? {
        switch node.value {
        case .null: return nil
        case .number(let text):
            // Books hold it per million tokens, which has to fit too.
            guard let rate = ExactDecimal(text), rate.multiplied(by: ExactDecimal(1_000_000)) != nil else {
                throw refusal(node, "\(quoted(key)) of \(quoted(model)) has more than 38 digits. Write it with fewer.")
            }
            guard !rate.isNegative else {
                throw refusal(node, "\(quoted(key)) of \(quoted(model)) is negative, which no price is. Correct it in the map.")
            }
            return rate
        default: throw refusal(node, "\(quoted(key)) of \(quoted(model)) must be a number. Correct it in the map.")
        }
    }

    /// One rate, or those of several sizes: then from the lowest to the highest, for the log does not tell the size.
    private mutating func amounts(_ field: ConfigMember) throws -> (ExactDecimal, ExactDecimal)? {
        var found: [ExactDecimal] = []
        if case .object(let sizes) = field.value.value {
            found = try sizes.compactMap { try rate($0.value, field.key) }
        } else if let rate = try rate(field.value, field.key) {
            found = [rate]
        }
        guard let low = found.min(), let high = found.max() else {
            uses.append((field.key, .notApplied, "null is no rate"))
            return nil
        }
        return (low, high)
    }

    // MARK: - Ranges of the input

    /// `tiered_pricing: [{ range: [lo, hi], … }]`: lo < tokens ≤ hi, all tokens of a request at one range's rates, and above the
    /// last range those of the last.
    private mutating func readRanges(_ node: ConfigNode) throws {
        guard case .array(let ranges) = node.value else {
            throw refusal(node, "\"tiered_pricing\" of \(quoted(model)) must be a list of objects in [ ].")
        }
        var end: ExactDecimal?
        for range in ranges {
            guard case .object(let fields) = range.value else {
                throw refusal(range, "A range in \"tiered_pricing\" of \(quoted(model)) must be an object in { }.")
            }
            guard let ends = fields.last(where: { $0.key == "range" })?.value else {
                uses.append(("tiered_pricing", .notApplied, "its ranges are not of input tokens"))
                return
            }
            guard case .array(let items) = ends.value, items.count == 2, let low = try rate(items[0], "range"),
                let high = try rate(items[1], "range"), low < high, let above = low.units(places: 0).flatMap(Int64.init(exactly:))
            else { throw refusal(ends, "A range of \(quoted(model)) must be two numbers of tokens, the lower first.") }
            if let end, end != low {
                throw refusal(
                    ends,
                    "The ranges of \(quoted(model)) leave a hole or overlap: one ends at \(end), and the next begins at \(low).")
            }
            end = high
            for field in fields where field.key != "range" { try priceInRange(field, above == 0 ? -1 : above) }
        }
        uses.append(("tiered_pricing", .priced, "tokens, by ranges of the input"))
    }

    private mutating func priceInRange(_ field: ConfigMember, _ above: Int64) throws {
        guard case .tokens(let meter)? = CostKey(field.key)?.meaning, let key = CostKey(field.key), key.aboveInputTokens < 0
        else {
            uses.append(("tiered_pricing.\(field.key)", .unknown, ""))
            return
        }
        guard let rate = try rate(field.value, field.key) else { return }
        let slot = Slot(tier: key.tier, above: above, counted: .tokens(meter))
        if let beside = charges[slot], beside != (rate, rate) {
            throw refusal(
                field.value,
                "\(quoted(field.key)) of \(quoted(model)) is \(rate) here and \(beside.low) outside of \"tiered_pricing\".")
        }
        charges[slot] = (rate, rate)
    }

    // MARK: - Quantities

    /// A usage row has one quantity, so a model has one price in each unit and tier: where the map has several charges for one, the
    /// first by the order of `Quantity`.
    private mutating func settle(_ amounts: [Amount], tier: String) {
        let byCharge = Dictionary(grouping: amounts, by: \.quantity.charge)
        var settled: Set<String> = []
        for charge in byCharge.keys.sorted() {
            let own = byCharge[charge] ?? []
            let unit = own[0].quantity.unit
            guard !settled.contains(unit) else {
                uses += own.map { ($0.key, .notApplied, "a model has one price per \(unit), and another one is taken") }
                continue
            }
            // Input and output of one file are one charge. A side that costs nothing leaves the price to the other.
            let sides = Dictionary(grouping: own, by: \.quantity).mapValues { side in
                (low: side.map(\.low).min() ?? .zero, high: side.map(\.high).max() ?? .zero)
            }
            let paid = sides.filter { $0.value.high != .zero }
            let prices = Set((paid.isEmpty ? sides : paid).values.map { [$0.low, $0.high] })
            guard prices.count == 1, let price = prices.first else {
                uses += own.map { ($0.key, .notApplied, "input and output differ, and usage has one quantity for both") }
                continue
            }
            let counted = Charge.Counted.quantity(unit)
            charges[Slot(tier: tier, above: -1, counted: counted)] = (price[0], price[1])
            settled.insert(unit)
            // The first side that is paid is the price, with all its sizes; what stands beside it is the same charge.
            let first = own.first { paid.isEmpty || paid[$0.quantity] != nil }?.quantity
            for amount in own {
                let isPrice = amount.quantity == first
                uses.append(
                    (amount.key, isPrice ? .priced : .same, isPrice ? meaning(counted, tier, -1) : "one charge per \(unit)"))
            }
        }
    }

    // MARK: - Words

    private func meaning(_ counted: Charge.Counted, _ tier: String, _ above: Int64) -> String {
        let what =
            switch counted {
            case .tokens(let meter): meter.column.replacing("_", with: " ")
            case .quantity(let unit): "per \(unit)"
            }
        return what + (above < 0 ? "" : ", input above \(grouped(above)) tokens") + (tier == "standard" ? "" : ", \(tier)")
    }

    private func holdsNumber(_ node: ConfigNode) -> Bool {
        switch node.value {
        case .number: true
        case .array(let items): items.contains(where: holdsNumber)
        case .object(let members): members.contains { holdsNumber($0.value) }
        default: false
        }
    }
}
