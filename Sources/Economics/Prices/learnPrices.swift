import Common

/// What a book says that is not in effect yet: the rows that applying it would add, as knowledge of one day.
public struct LearnedPrices: Sendable {
    /// What is to be added; empty where the book says nothing new.
    public let rows: [PriceRow]
    /// How many of the book's rows say what is in effect already.
    public let unchanged: Int
    /// The job's prices with the rows added.
    public let book: PriceBook
    /// Later prices that a row stands in for, because it is known later and has no end before them.
    public let displaced: [(row: PriceRow, later: PriceRow)]
}

extension PriceBook {
    /// Compares a book with the prices in effect, as if all its rows had been learned on `day`.
    ///
    /// One question (a meter of a model in a tier) is new as a whole or not at all: rows of it that change nothing by themselves still
    /// have to stand beside one that does, since what is learned last goes before what was known earlier.
    public func learning(_ other: PriceBook, on day: Day) throws -> LearnedPrices {
        let revision = (rows.map(\.revision).max() ?? 0) + 1
        let own = Dictionary(grouping: rows, by: \.question)
        let alike = Dictionary(grouping: rows, by: \.question.ofAnyName)
        let others = Dictionary(grouping: other.rows, by: \.question)
        var learned: [PriceRow] = []
        var displaced: [(row: PriceRow, later: PriceRow)] = []
        var unchanged = 0
        for (question, said) in others {
            let known = own[question] ?? []
            let news = stretches(of: said).map {
                $0.row.known(from: day, revision: revision, validFrom: $0.first, validTo: .some($0.last))
            }
            let isKnown =
                known.isEmpty
                ? covers(news, by: stretches(of: standIns(for: question, among: alike[question.ofAnyName] ?? [])))
                : saysTheSame(stretches(of: known), stretches(of: known + news))
            if isKnown {
                unchanged += said.count
                continue
            }
            learned += news
            for row in news {
                let later = known.filter { old in
                    row.validFrom < old.validFrom && row.holds(on: old.validFrom)
                        && !news.contains { $0.validFrom == old.validFrom }
                        && !row.costsTheSame(as: old)
                }
                displaced += later.map { (row, $0) }
            }
        }
        // Whatever order a dictionary has.
        learned = learned.ordered {
            "\($0.place.path)\u{0}\(padded($0.place.line ?? 0, 9))\u{0}\(padded($0.place.column ?? 0, 9))\u{0}"
        }
        displaced.sort { ($0.row.sortKey, $0.later.validFrom) < ($1.row.sortKey, $1.later.validFrom) }
        return LearnedPrices(
            rows: learned, unchanged: unchanged, book: learned.isEmpty ? self : try adding(learned), displaced: displaced)
    }
}

/// One price from a day to another, which may be open.
private struct Stretch {
    let row: PriceRow
    let first: Day
    let last: Day?
}

/// The answers to one question in the order of days, each the one that counts there; days without an answer are left out.
private func stretches(of rows: [PriceRow]) -> [Stretch] {
    // As a lookup has them: what was learned last first, and of one beginning only that.
    let ordered = rows.sorted { ($0.knownFrom, $0.revision, $0.validFrom) > ($1.knownFrom, $1.revision, $1.validFrom) }.standing
    let beginnings = Set(ordered.map(\.validFrom) + ordered.compactMap { $0.validTo.map { $0 + 1 } }).sorted()
    var found: [Stretch] = []
    for (index, first) in beginnings.enumerated() {
        guard let position = ordered.firstIndex(where: { $0.holds(on: first) }) else { continue }
        let row = ordered[position]
        let last = index + 1 < beginnings.count ? beginnings[index + 1] - 1 : nil
        if let before = found.last, before.row.place == row.place, before.row.definition == row.definition,
            before.last.map({ $0 + 1 }) == first
        {
            found[found.count - 1] = Stretch(row: row, first: before.first, last: last)
        } else {
            found.append(Stretch(row: row, first: first, last: last))
        }
    }
    return found
}

/// Rows of a shorter name or pattern that answer for a model which has none of its own.
private func standIns(for question: PriceRow.Question, among rows: [PriceRow]) -> [PriceRow] {
    guard case .model(let name) = question.subject, !name.hasSuffix("*") else { return [] }
    let fitting = rows.compactMap { row in row.matchLength(name).map { (row: row, length: $0) } }
    let longest = fitting.map(\.length).max()
    return fitting.filter { $0.length == longest }.map(\.row)
}

/// Whether on every day of these rows an answer stands already that comes to the same cost.
private func covers(_ news: [PriceRow], by known: [Stretch]) -> Bool {
    news.allSatisfy { row in
        var next: Day? = row.validFrom
        for stretch in known where stretch.row.costsTheSame(as: row) {
            if let day = next, stretch.first <= day, stretch.last.map({ day <= $0 }) ?? true {
                next = stretch.last.map { $0 + 1 }
            }
        }
        guard let day = next else { return true }
        return row.validTo.map { $0 < day } ?? false
    }
}

/// Whether two runs of answers come to the same cost on every day.
private func saysTheSame(_ a: [Stretch], _ b: [Stretch]) -> Bool {
    func merged(_ stretches: [Stretch]) -> [Stretch] {
        stretches.reduce(into: []) { found, next in
            if let before = found.last, before.row.costsTheSame(as: next.row), before.last.map({ $0 + 1 }) == next.first {
                found[found.count - 1] = Stretch(row: before.row, first: before.first, last: next.last)
            } else {
                found.append(next)
            }
        }
    }
    let (a, b) = (merged(a), merged(b))
    return a.count == b.count
        && zip(a, b).allSatisfy { $0.first == $1.first && $0.last == $1.last && $0.row.costsTheSame(as: $1.row) }
}

extension PriceRow {
    /// Whether every quantity costs the same at both: 1.00 per 1M tokens and 0.001 per 1K are one price.
    func costsTheSame(as other: PriceRow) -> Bool {
        guard currency == other.currency, isMocked == other.isMocked, bands.count == other.bands.count,
            increment?.size == other.increment?.size, per.unit.dimension == other.per.unit.dimension,
            valueUnit ?? per.unit == other.valueUnit ?? other.per.unit
        else { return false }
        func isEqual(_ a: ExactDecimal, _ b: ExactDecimal, _ x: Int128, _ y: Int128) -> Bool {
            // a/x = b/y; what does not fit is compared as it is written.
            guard let left = ExactDecimal(mantissa: y, scale: 0).flatMap({ a.multiplied(by: $0) }),
                let right = ExactDecimal(mantissa: x, scale: 0).flatMap({ b.multiplied(by: $0) })
            else { return a == b && x == y }
            return left == right
        }
        return zip(bands, other.bands).allSatisfy { own, their in
            isEqual(own.from, their.from, other.per.unit.factor, per.unit.factor)
                && isEqual(own.low, their.low, per.size, other.per.size)
                && isEqual(own.high, their.high, per.size, other.per.size)
        }
    }

    /// For a fixed order of rows.
    var sortKey: String {
        let (kind, tier) = (subject.kind, tier == "standard" ? "" : tier)
        let meter = if case .tokens(let meter) = counted { padded(meter.index, 2) } else { "99" }
        return [
            provider, subject.description, kind, tier, padded(Int(aboveInputTokens) + 1, 19), meter, per.unit.rawValue,
            validFrom.description, knownFrom.description, padded(revision, 9),
        ].joined(separator: "\u{0}")
    }
}

extension [PriceRow] {
    /// In a fixed order, first by what `first` says; keys are made once.
    func ordered(by first: (PriceRow) -> String = { _ in "" }) -> [PriceRow] {
        let keys = map { first($0) + $0.sortKey }
        return indices.sorted { keys[$0].utf8.lexicographicallyPrecedes(keys[$1].utf8) }.map { self[$0] }
    }
}

extension PriceRow.Subject {
    /// The word for it in a price book.
    public var kind: String {
        switch self {
        case .model: "model"
        case .metric: "metric"
        case .service: "service"
        }
    }
}

extension PriceRow.Question {
    /// The same question, whatever the model is called.
    fileprivate var ofAnyName: PriceRow.Question {
        guard case .model = subject else { return self }
        return PriceRow.Question(
            provider: provider, subject: .model("*"), tier: tier, counted: counted, aboveInputTokens: aboveInputTokens,
            dimension: dimension)
    }
}
