import Common

/// What is counted for a request in tokens; a price book has one rate for each.
public enum Meter: String, CaseIterable, Sendable {
    case input
    case cacheRead = "cache_read"
    case cacheWrite5m = "cache_write_5m"
    case cacheWrite1h = "cache_write_1h"
    case output, reasoning

    /// The usage column that holds its tokens.
    public var column: String { rawValue + "_tokens" }

    /// Its place in `allCases`, as measures keep it.
    public var index: Int { Meter.allCases.firstIndex(of: self) ?? 0 }
}

/// The dated prices of one job's vendors. Rates are looked up, never derived, and never across books.
public struct PriceBook: Sendable {
    public let rows: [PriceRow]
    public let aliases: [Alias]
    /// Of everything that can change a cost.
    public let digest: Digest
    private let models: [PriceRow]

    /// A name under which logs know a model of the book.
    public struct Alias: Equatable, Sendable {
        /// A name, or the beginning of names before a *.
        public let name: String
        public let model: String
        public let place: Place

        /// The length of what fits, a name before a pattern; nil where it does not.
        func matchLength(_ model: String) -> Int? {
            if name.hasSuffix("*") { return model.hasPrefix(name.dropLast()) ? 2 * name.count - 2 : nil }
            return name == model ? 2 * name.count + 1 : nil
        }
    }

    public init(_ rows: [PriceRow], aliases: [Alias] = []) {
        (self.rows, self.aliases) = (rows, aliases)
        models = rows.filter { if case .model = $0.subject { true } else { false } }
        digest = Digest.of(parts: rows.map(\.definition) + aliases.map { "\($0.name) = \($0.model)" })
    }

    /// The book with what a revision learned; refuses what contradicts it.
    public func adding(_ learned: [PriceRow]) throws -> PriceBook {
        try PriceBook.refuseOverlaps(rows + learned)
        return PriceBook(rows + learned, aliases: aliases)
    }
}

// MARK: - Looking up

extension PriceBook {
    /// The prices that may apply to a provider, model and tier: among several for one meter, day and threshold the one whose model
    /// name fits best, then the one learned last, stands first.
    public func candidates(provider: String?, model: String?, tier: String?, knownAsOf: Day?) -> [PriceRow] {
        guard let model else { return [] }
        let known = named(model)
        let fitting = models.compactMap { row -> (row: PriceRow, length: Int)? in
            guard row.tier == tier ?? "standard", provider.map({ $0 == row.provider }) ?? true,
                row.knownFrom <= knownAsOf ?? row.knownFrom
            else { return nil }
            return row.matchLength(known).map { (row, $0) }
        }
        // Without a provider on the row the model must be unmistakable.
        guard Set(fitting.map(\.row.provider)).count <= 1 else { return [] }
        return fitting.sorted {
            ($0.length, $0.row.knownFrom, $0.row.revision, $0.row.validFrom)
                > ($1.length, $1.row.knownFrom, $1.row.revision, $1.row.validFrom)
        }
        .map(\.row).standing
    }

    /// The prices of a metric or service, of one provider or of all, by provider; of each question on a day the first that holds counts.
    public func prices(of subject: PriceRow.Subject, provider: String? = nil, tier: String = "standard", knownAsOf: Day? = nil)
        -> [PriceRow]
    {
        rows.filter {
            $0.subject == subject && $0.provider == provider ?? $0.provider && $0.tier == tier
                && $0.knownFrom <= knownAsOf ?? $0.knownFrom
        }.sorted {
            $0.provider == $1.provider
                ? ($0.knownFrom, $0.revision, $0.validFrom) > ($1.knownFrom, $1.revision, $1.validFrom)
                : $0.provider.utf8.lexicographicallyPrecedes($1.provider.utf8)
        }.standing
    }

    /// The rows that count at some day under what was known on a day: those that nothing learned later has replaced.
    public func standing(knownAsOf: Day?) -> [PriceRow] {
        let known = rows.filter { $0.knownFrom <= knownAsOf ?? $0.knownFrom }
        var last: [PriceRow.Statement: (known: Day, revision: Int)] = [:]
        for row in known {
            let other = last[row.statement] ?? (row.knownFrom, row.revision)
            last[row.statement] = other < (row.knownFrom, row.revision) ? (row.knownFrom, row.revision) : other
        }
        return known.filter { row in last[row.statement].map { $0 == (row.knownFrom, row.revision) } ?? false }
    }

    /// Prices of models that have volume tiers: of these what a call costs depends on the calls before it in its month.
    var tiered: [PriceRow] { models.filter { $0.bands.count > 1 } }

    /// A model by the book's own name for it.
    func named(_ model: String) -> String {
        aliases.compactMap { alias in alias.matchLength(model).map { ($0, alias.model) } }.max { $0.0 < $1.0 }?.1 ?? model
    }
}

extension [PriceRow] {
    /// Without those that something learned later has replaced; the later stands first.
    var standing: [PriceRow] {
        var seen: Set<PriceRow.Statement> = []
        return filter { seen.insert($0.statement).inserted }
    }
}
