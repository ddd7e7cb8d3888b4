import Common

/// What is counted for a request; a price book has one rate for each.
public enum Meter: String, CaseIterable, Sendable {
    case input
    case cacheRead = "cache_read"
    case cacheWrite5m = "cache_write_5m"
    case cacheWrite1h = "cache_write_1h"
    case output, reasoning

    /// The usage column that holds its tokens.
    public var column: String { rawValue + "_tokens" }
}

/// The dated prices of one job's vendors. Rates are looked up, never derived, and never across books.
public struct PriceBook: Sendable {
    public let rows: [PriceRow]
    /// Of everything that can change a cost.
    public let digest: Digest

    public init(_ rows: [PriceRow]) {
        self.rows = rows
        digest = Digest.of(parts: rows.map(\.definition))
    }
}

/// One rate: who charges it, for what, how much, since when, and where that is written.
public struct PriceRow: Sendable {
    public let provider: String
    public let models: [String]
    public let tier: String
    public let meter: Meter
    /// Applies to every meter of a request whose whole input, cache included, has more tokens than this.
    public let aboveInputTokens: Int64
    /// Equal unless the price is a range.
    public let low: ExactDecimal
    public let high: ExactDecimal
    /// The number of tokens that the rate is for.
    public let per: Int128
    public let validFrom: Day
    /// The last day; nil while it is still charged.
    public let validTo: Day?
    /// When we learned it.
    public let knownFrom: Day
    public let source: String
    public let place: Place

    var definition: String {
        let valid = "\(validFrom)…\(validTo?.description ?? "")"
        return "\(provider)|\(models)|\(tier)|\(meter.rawValue)|\(aboveInputTokens)|\(low)|\(high)|\(per)|\(valid)|\(knownFrom)"
    }

    /// How exactly a model's name is meant by this row; nil where it is not. The greatest wins: a longer name before a shorter one,
    /// and a name before a pattern of the same letters.
    func matchLength(_ model: String) -> Int? {
        models.compactMap { name in
            if name.hasSuffix("*") { return model.hasPrefix(name.dropLast()) ? 2 * name.count - 2 : nil }
            guard model.hasPrefix(name) else { return nil }
            // Vendors add the day of a model's release to its name: claude-haiku-4-5-20251001, or …@20251001.
            let rest = model.dropFirst(name.count)
            let isDay =
                rest.count == 9 && (rest.first == "-" || rest.first == "@")
                && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
            return rest.isEmpty || isDay ? 2 * name.count + 1 : nil
        }.max()
    }

    /// Whether the vendor charged it on a day.
    func holds(on day: Day) -> Bool { validFrom <= day && day <= validTo ?? day }
}

// MARK: - Files

extension PriceBook {
    public static let schema = ConfigSchema(
        name: "price book",
        keys: [
            ConfigKey(
                name: "currency", kind: "currency code", required: true,
                about: "What the rates are in; it must be the job's currency."),
            ConfigKey(
                name: "prices", kind: "list of prices", required: true, about: "One entry for each model, service tier and time."),
        ])

    public static let entrySchema = ConfigSchema(
        name: "price",
        keys: [
            ConfigKey(name: "provider", kind: "text", required: true, about: "The provider as the usage log names it."),
            ConfigKey(
                name: "model", kind: "text or list of text", required: true,
                about: "The model's names; a release day behind a name fits too, and * stands for any end."),
            ConfigKey(name: "tier", kind: "text", about: "The service tier, such as batch; by default standard."),
            ConfigKey(
                name: "above_input_tokens", kind: "whole number",
                about: "The rates hold for requests whose whole input, cache included, is larger than this."),
            ConfigKey(
                name: "rates", kind: "object: meter → decimal or [low, high]", required: true,
                about: "What one unit costs, for \(listed(Meter.allCases.map(\.rawValue)))."),
            ConfigKey(
                name: "per", kind: "one of 1M tokens, 1K tokens and token", about: "The unit of the rates; by default 1M tokens."),
            ConfigKey(
                name: "valid_from", kind: "day", required: true, about: "The first day (UTC) on which the vendor charged it."),
            ConfigKey(name: "valid_to", kind: "day", about: "The last day on which the vendor charged it."),
            ConfigKey(name: "known_from", kind: "day", required: true, about: "When we learned it."),
            ConfigKey(name: "source", kind: "text", required: true, about: "Where the rate is written, with its date."),
        ])

    private static let units: [(name: String, tokens: Int128)] = [("1M tokens", 1_000_000), ("1K tokens", 1000), ("token", 1)]

    /// Reads a job's price files as one book.
    public init(files: [String], currency: String) throws {
        var rows: [PriceRow] = []
        for path in files {
            let book = try ConfigObject(try parseJSON5(try readFile(path, as: "price book"), path: path), PriceBook.schema)
            let own = try book.text("currency")
            guard own == currency else {
                throw book.failure(
                    "The book is in \(own), but the job reports in \(currency). Two currencies meet only through a dated rate.",
                    at: "currency")
            }
            for entry in try book.objects("prices", PriceBook.entrySchema) { rows += try PriceBook.rows(entry) }
        }
        try PriceBook.refuseOverlaps(rows)
        self.init(rows)
    }

    private static func rows(_ entry: ConfigObject) throws -> [PriceRow] {
        let per = try entry.optionalText("per") ?? units[0].name
        guard let unit = units.first(where: { $0.name == per }) else {
            throw entry.failure("unknown unit \"\(per)\". Units are \(listed(units.map(\.name))).", at: "per")
        }
        let (from, to) = (try entry.day("valid_from"), try entry.optionalDay("valid_to"))
        if let to, to < from { throw entry.failure("The price ends on \(to), before it begins on \(from).", at: "valid_to") }
        let models = try entry.oneOrMoreTexts("model")
        return try entry.named("rates").map { name, place, node in
            guard let meter = Meter(rawValue: name) else {
                let hint = didYouMean(name, from: Meter.allCases.map(\.rawValue))
                throw Failure(
                    "unknown meter \"\(name)\".\(hint) Meters are \(listed(Meter.allCases.map(\.rawValue))).", at: place,
                    kind: .usage)
            }
            let (low, high) = try range(node, name)
            return PriceRow(
                provider: try entry.text("provider"), models: models, tier: try entry.optionalText("tier") ?? "standard",
                meter: meter,
                aboveInputTokens: Int64(try entry.optionalInt("above_input_tokens", in: 0...Int.max) ?? -1), low: low, high: high,
                per: unit.tokens, validFrom: from, validTo: to, knownFrom: try entry.day("known_from"),
                source: try entry.text("source"),
                place: place)
        }
    }

    private static func range(_ node: ConfigNode, _ name: String) throws -> (ExactDecimal, ExactDecimal) {
        var ends = [node]
        if case .array(let items) = node.value {
            guard items.count == 2 else { throw node.failure("A range has two ends: [low, high].") }
            ends = items
        }
        let rates = try ends.map { try $0.decimal("the rate of \(name)") }
        guard let low = rates.first, let high = rates.last, !low.isNegative, !(high < low) else {
            throw node.failure("A rate is not negative, and the low end of a range comes first.")
        }
        return (low, high)
    }

    /// Two rows that answer the same question differently, with nothing to choose between them, are a mistake in the book.
    private static func refuseOverlaps(_ rows: [PriceRow]) throws {
        for (index, row) in rows.enumerated() {
            for other in rows[..<index]
            where row.provider == other.provider && row.tier == other.tier && row.meter == other.meter
                && row.aboveInputTokens == other.aboveInputTokens && row.knownFrom == other.knownFrom
                && !Set(row.models).isDisjoint(with: other.models)
            {
                if let end = other.validTo, end < row.validFrom { continue }
                if let end = row.validTo, end < other.validFrom { continue }
                throw Failure(
                    "This rate of \(row.meter.rawValue) for \(row.models.joined(separator: ", ")) overlaps the one at \(other.place). "
                        + "End the earlier one with valid_to, or give the later one its own known_from.",
                    at: row.place, kind: .usage)
            }
        }
    }
}

// MARK: - Looking up

extension PriceBook {
    /// The rates that may apply to a provider, model and tier: among several for one meter, day and threshold the one whose model
    /// name fits best, then the one learned last, stands first.
    func candidates(provider: String?, model: String?, tier: String?, knownAsOf: Day?) -> [PriceRow] {
        guard let model else { return [] }
        let fitting = rows.compactMap { row -> (row: PriceRow, length: Int)? in
            guard row.tier == tier ?? "standard", provider.map({ $0 == row.provider }) ?? true,
                row.knownFrom <= knownAsOf ?? row.knownFrom
            else { return nil }
            return row.matchLength(model).map { (row, $0) }
        }
        // Without a provider on the row the model must be unmistakable.
        guard Set(fitting.map(\.row.provider)).count <= 1 else { return [] }
        return fitting.sorted {
            ($0.length, $0.row.knownFrom, $0.row.validFrom) > ($1.length, $1.row.knownFrom, $1.row.validFrom)
        }
        .map(\.row)
    }
}

/// The rates for one provider, model and tier, ready for many requests.
struct Tariff {
    private let byMeter: [[PriceRow]]
    /// From the highest down, each with its rows.
    private let thresholds: [(above: Int64, rows: [PriceRow])]

    init(_ candidates: [PriceRow]) {
        byMeter = Meter.allCases.map { meter in candidates.filter { $0.meter == meter } }
        thresholds = Dictionary(grouping: candidates, by: \.aboveInputTokens).sorted { $0.key > $1.key }.map {
            ($0.key, $0.value)
        }
    }

    var hasThresholds: Bool { thresholds.contains { $0.above >= 0 } }

    /// All meters of a request take the rates of the highest threshold of its day that its whole input exceeds.
    func threshold(input: Int64, on day: Day) -> Int64 {
        thresholds.first { input > $0.above && $0.rows.contains { $0.holds(on: day) } }?.above ?? -1
    }

    func row(_ meter: Int, on day: Day, above threshold: Int64) -> PriceRow? {
        byMeter[meter].first { $0.aboveInputTokens == threshold && $0.holds(on: day) }
    }
}
