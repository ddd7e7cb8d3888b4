import Common

/// Which prices are meant.
public struct PriceChoice: Sendable {
    public var provider: String?
    /// A model as logs know it, or the name of a metric or service.
    public var name: String?
    /// Only what holds on this day, and of each question the answer that counts there.
    public var day: Day?
    public var knownAsOf: Day?

    public init(provider: String? = nil, name: String? = nil, day: Day? = nil, knownAsOf: Day? = nil) {
        (self.provider, self.name, self.day, self.knownAsOf) = (provider, name, day, knownAsOf)
    }
}

/// The prices that count, in a fixed order: those that nothing learned later has replaced.
public func listPrices(_ book: PriceBook, _ choice: PriceChoice) -> [PriceRow] {
    let fitting = book.standing(knownAsOf: choice.knownAsOf).filter { row in
        guard row.provider == choice.provider ?? row.provider else { return false }
        guard let name = choice.name else { return true }
        return row.subject.description == name || row.matchLength(book.named(name)) != nil
    }
    guard let day = choice.day else { return fitting.ordered() }
    let answers = Dictionary(grouping: fitting.filter { $0.holds(on: day) }, by: \.question).values.compactMap { rows in
        rows.max { ($0.knownFrom, $0.revision, $0.validFrom) < ($1.knownFrom, $1.revision, $1.validFrom) }
    }
    return answers.ordered()
}
