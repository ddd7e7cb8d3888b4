import Common
import Lake

extension ExchangeRates {
    public static let fileSchema = ConfigSchema(
        name: "rate file",
        keys: [
            ConfigKey(
                name: "rates", kind: "list of rates", required: true,
                about: "One entry for each pair and day, or stretch of days."),
            ConfigKey(
                name: "chains", kind: "list of lists of currencies",
                about:
                    "Ways through a third currency that may be gone, such as [\"EUR\", \"USD\", \"TRY\"]; without one nothing is chained."
            ),
        ])

    public static let rateSchema = ConfigSchema(
        name: "rate",
        keys: [
            ConfigKey(name: "base", kind: "currency code", required: true, about: "The currency of which one unit is meant."),
            ConfigKey(name: "quote", kind: "currency code", required: true, about: "The currency that is paid for it."),
            ConfigKey(
                name: "rate", kind: "decimal or { base, quote }", required: true,
                about: "So much of the quote for one of the base; or two amounts that are worth the same, where that is exact."),
            ConfigKey(name: "day", kind: "day", about: "The day it holds on."),
            ConfigKey(name: "valid_from", kind: "day", about: "Instead of day: the first day of several."),
            ConfigKey(name: "valid_to", kind: "day", about: "With valid_from: the last day; without it the rate holds on."),
            ConfigKey(name: "source", kind: "text", required: true, about: "Where the rate is written, with its date."),
        ])

    public static let amountsSchema = ConfigSchema(
        name: "amounts of a rate",
        keys: [
            ConfigKey(
                name: "base", kind: "decimal", required: true, about: "So much of the base is worth that much of the quote."),
            ConfigKey(name: "quote", kind: "decimal", required: true, about: "…is worth so much of the quote."),
        ])

    /// Reads a job's files of rates.
    public init(files: [String]) throws {
        var (rates, chains): ([ExchangeRate], [Chain]) = ([], [])
        for path in files {
            let file = try ConfigObject(try parseJSON5(try readFile(path, as: "rate file"), path: path), ExchangeRates.fileSchema)
            rates += try file.objects("rates", ExchangeRates.rateSchema).map(ExchangeRate.init)
            chains += try ExchangeRates.chains(file)
        }
        try self.init(rates, chains: chains)
    }

    private static func chains(_ file: ConfigObject) throws -> [Chain] {
        guard let node = file.node("chains") else { return [] }
        guard case .array(let items) = node.value else { throw node.failure("Chains are a list of lists of currencies.") }
        return try items.map { item in
            let currencies = try item.texts("a chain")
            guard currencies.count > 2, Set(currencies).count == currencies.count, currencies.allSatisfy(isCurrency) else {
                throw item.failure("A chain has at least three currencies, each once, such as [\"EUR\", \"USD\", \"TRY\"].")
            }
            return Chain(currencies, at: item.place)
        }
    }
}

extension ExchangeRate {
    init(_ object: ConfigObject) throws {
        let codes = try ["base", "quote"].map { key in
            let code = try object.text(key)
            guard isCurrency(code) else {
                throw object.failure("A currency is three capital letters (ISO 4217), such as USD, not \"\(code)\".", at: key)
            }
            return code
        }
        guard codes[0] != codes[1] else {
            throw object.failure("A rate is between two currencies, and both are \(codes[0]).", at: "quote")
        }
        var amounts = [ExactDecimal(1)]
        if case .object? = object.node("rate")?.value, let pair = try object.object("rate", ExchangeRates.amountsSchema) {
            amounts = [try pair.decimal("base"), try pair.decimal("quote")]
        } else {
            amounts.append(try object.decimal("rate"))
        }
        guard amounts.allSatisfy({ !$0.isNegative && $0 != .zero }) else {
            throw object.failure("A rate is greater than zero.", at: "rate")
        }
        let (day, from, to) = (
            try object.optionalDay("day"), try object.optionalDay("valid_from"), try object.optionalDay("valid_to")
        )
        guard let first = day ?? from, day == nil || (from == nil && to == nil) else {
            throw object.failure("A rate has a day, or valid_from and perhaps valid_to. Give one of the two.")
        }
        if let to, to < first { throw object.failure("The rate ends on \(to), before it begins on \(first).", at: "valid_to") }
        self.init(
            base: codes[0], quote: codes[1], baseAmount: amounts[0], quoteAmount: amounts[1], first: first, last: day ?? to,
            source: try object.text("source"), place: object.place)
    }
}

/// Which rows of the meters log are exchange rates, and where they name their currencies.
public struct RateColumns: Equatable, Sendable {
    public let metric: String
    public let base: String
    public let quote: String

    public static let schema = ConfigSchema(
        name: "exchange_rates_from",
        keys: [
            ConfigKey(
                name: "metric", kind: "text", required: true,
                about: "The metric whose values are rates: of the quote for one of the base."),
            ConfigKey(name: "base", kind: "column", required: true, about: "The column of the meters log that names the base."),
            ConfigKey(name: "quote", kind: "column", required: true, about: "The column that names the quote."),
        ])

    /// - Parameter jobColumns: the job's own, which go by their short names.
    public init(_ object: ConfigObject, jobColumns: [ColumnSpec]) throws {
        let own = jobColumns.filter { $0.type == .text }.map { String($0.name.dropFirst(2)) }
        let offered = Log.meters.columns.filter { $0.type == .text }.map(\.name) + own
        func column(_ key: String) throws -> String {
            let name = try object.text(key)
            guard offered.contains(name) else {
                throw object.failure(
                    "unknown column \"\(name)\" in exchange_rates_from.\(didYouMean(name, from: offered)) It is one of \(listed(offered)).",
                    at: key)
            }
            return own.contains(name) ? "x_" + name : name
        }
        (metric, base, quote) = (try object.text("metric"), try column("base"), try column("quote"))
    }

    /// The rates that the lake holds; a row counts on the day on which its period begins.
    func rates(job: String, zone: Zone, _ lake: Lake) throws -> [ExchangeRate] {
        let columns =
            [ColumnSpec("metric", .text), ColumnSpec("value", .decimal), ColumnSpec("period_start", .timestamp)]
            + Set([base, quote]).sorted().map { ColumnSpec($0, .text) } + Log.originColumns
        var rates: [ExchangeRate] = []
        try lake.scan(job: job, log: .meters, columns: columns) { _, batch in
            guard case .text(let codes, let names)? = batch["metric"] else { return }
            let wanted = names.matches(metric)
            for row in 0..<batch.count where codes[row] >= 0 && wanted[Int(codes[row])] {
                let place = Place(
                    path: batch["source_file"]?.text(at: row) ?? "lake",
                    line: batch["source_record"]?.integer(at: row).map(Int.init))
                guard let base = batch[base]?.text(at: row), let quote = batch[quote]?.text(at: row),
                    let value = batch["value"]?.decimal(at: row), let start = batch["period_start"]?.integer(at: row)
                else { continue }
                guard isCurrency(base), isCurrency(quote), base != quote, value > 0,
                    let rate = ExactDecimal(mantissa: value, scale: Money.places)
                else {
                    throw Failure(
                        "This is no rate between two currencies: \(Money(units: value)) for \(base) and \(quote). Correct the export, or drop the row with \"where\".",
                        at: place)
                }
                let day = zone.day(of: Instant(microseconds: start))
                rates.append(
                    ExchangeRate(
                        base: base, quote: quote, quoteAmount: rate, first: day, last: day, source: "metric \(metric)",
                        place: place))
            }
        }
        return rates
    }
}
