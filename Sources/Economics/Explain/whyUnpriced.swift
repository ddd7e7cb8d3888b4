import Common

/// Why something has no price, in the order in which a price is looked for: the first question that no row of the book answers.
func whyUnpriced(_ what: UnpricedPart, provider: String?, model name: String?, tier: String?, on day: Day, _ model: CostModel)
    -> String
{
    let book = model.book
    if case .nothing = what { return "the rows say neither tokens nor a quantity" }
    guard let name else { return "the rows name no model" }
    let named = book.rows.filter { $0.matchLength(book.named(name)) != nil }
    guard !named.isEmpty else { return "the book has no price of the model" }
    let providers = Set(named.map(\.provider)).sorted()
    let own = named.filter { $0.provider == provider ?? $0.provider }
    guard !own.isEmpty else {
        // A pattern of another provider says nothing of this model.
        let others = Set(named.filter { !$0.subject.description.hasSuffix("*") }.map(\.provider)).sorted()
        return others.isEmpty ? "the book has no price of the model" : "the book has the model of \(listed(others)) only"
    }
    guard provider != nil || providers.count == 1 else {
        return "the rows name no provider, and \(listed(providers)) have the model"
    }
    let known = own.filter { $0.knownFrom <= model.knownAsOf ?? $0.knownFrom }
    guard !known.isEmpty else { return "its prices were not known on \(model.knownAsOf.map { "\($0)" } ?? "the day")" }
    let tiers = Set(known.map(\.tier)).sorted()
    let tiered = known.filter { $0.tier == tier ?? "standard" }
    guard !tiered.isEmpty else { return "the book has no price of the tier \(tier ?? "standard"), only of \(listed(tiers))" }
    let holding = tiered.filter { $0.holds(on: day) }
    guard !holding.isEmpty else {
        let spans = Set(tiered.map { "\($0.validFrom) \($0.validTo.map { "to \($0)" } ?? "on")" }).sorted()
        return "no price holds on the day; the book's hold from \(listed(spans))"
    }
    let fitting = holding.filter { what.fits($0) }
    if let foreign = fitting.first(where: { model.rate(from: $0.currency, on: day) == nil }) {
        return "its price is in \(foreign.currency), and no rate to \(model.currency) is known"
    }
    return what.lack(holding)
}

/// What of a call has no price.
enum UnpricedPart: Hashable {
    case tokens(Meter, above: Int64)
    case quantity(unit: String?, isNegative: Bool)
    case nothing

    var name: String {
        switch self {
        case .tokens(let meter, _): meter.rawValue
        case .quantity: "quantity"
        case .nothing: "nothing"
        }
    }

    fileprivate func fits(_ row: PriceRow) -> Bool {
        switch (self, row.counted) {
        case (.tokens(let meter, let above), .tokens(let own)): meter == own && row.aboveInputTokens == above
        case (.quantity(let unit, false), .quantity): unit.flatMap { PriceUnit(word: $0) }?.dimension == row.per.unit.dimension
        default: false
        }
    }

    fileprivate func lack(_ rows: [PriceRow]) -> String {
        switch self {
        case .tokens(let meter, let above):
            let place = above < 0 ? "" : " above \(grouped(above)) tokens of input"
            return "the book has no rate of \(meter.rawValue) for the model\(place)"
        case .quantity(let unit, let isNegative):
            guard !isNegative else { return "the quantity is negative" }
            guard let unit else { return "the quantity has no unit" }
            guard PriceUnit(word: unit) != nil else { return "no price is in \"\(unit)\", which is no unit that books know" }
            let units = Set(rows.map { $0.per.unit.rawValue }).sorted()
            return "the book has no price for a quantity in \(unit), only per \(listed(units))"
        case .nothing: return "the rows say neither tokens nor a quantity"
        }
    }
}
