import Common
import Economics
import Glibc
import Lake
import Ledger
import Testing

/// A folder of its own for one piece of work, removed afterwards.
func withFolder<Result>(_ work: (String) throws -> Result) throws -> Result {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-economics-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    return try work(folder)
}

/// The lake of a home of its own, removed afterwards.
func withLake(_ work: (Lake) throws -> Void) throws {
    try withFolder { home in
        let now = try #require(Instant("2026-11-16T00:30:00Z"))
        try work(Lake(try Ledger.openForRun(home: home, migrations: Lake.migrations, now: now)))
    }
}

/// A row by the names of its columns; what is not named is null.
typealias Row = [String: String]

/// A metered call of Monday 9 November 2026 by provider p and model m, unless it says otherwise.
func call(_ values: Row) -> Row { ["ts": "2026-11-09T10:00:00Z", "provider": "p", "model": "m"].merging(values) { $1 } }

extension Lake {
    /// Makes these rows all that a log holds of the days they fall on.
    func store(_ rows: [Row], log: Log = .usage, job: String = "kalei", columns: [ColumnSpec] = []) throws {
        let specs = log.columns + columns + Log.originColumns
        let days = try Dictionary(grouping: rows) { try #require(Instant($0[log.timeColumn] ?? "")).dayUTC }
        let staged = try days.sorted { $0.key < $1.key }.map { day, rows in
            let batch = Batch(
                specs: specs, columns: try specs.map { spec in try column(spec, rows.map { $0[spec.name] }) }, count: rows.count)
            let part = try staging(job: job).stagePart(log: log, day: day, rows: batch)
            return try assemble(job: job, log: log, day: day, keeping: [], adding: [part])
        }
        try commit(days: staged, files: []) {}
    }
}

private func column(_ spec: ColumnSpec, _ texts: [String?]) throws -> Column {
    let nulls = Nulls(isNull: texts.map { $0 == nil })
    switch spec.type {
    case .text:
        var interner = TextInterner()
        return .text(texts.map { text in text.map { interner.code(of: $0) } ?? -1 }, interner.dictionary)
    case .int64: return .integers(try texts.map { try $0.map { try #require(Int64($0)) } ?? 0 }, nulls: nulls)
    case .timestamp: return .integers(try texts.map { try $0.map { try #require(Instant($0)).microseconds } ?? 0 }, nulls: nulls)
    case .bool: return .bools(texts.map { $0 == "true" }, nulls: nulls)
    case .decimal: return .decimals(try texts.map { try $0.map { try #require(Money($0)).units } ?? 0 }, nulls: nulls)
    }
}

/// One entry of a price book, by provider p for model m since the beginning of 2026, unless it says otherwise.
struct Price {
    var provider = "p"
    var model = #""m""#
    var rates: String
    var more = ""
    var validFrom = "2026-01-01"
    var validTo: String?
    var knownFrom = "2026-01-01"

    init(
        _ rates: String, provider: String = "p", model: String = #""m""#, more: String = "", validFrom: String = "2026-01-01",
        validTo: String? = nil,
        knownFrom: String = "2026-01-01"
    ) {
        (self.rates, self.provider, self.model, self.more) = (rates, provider, model, more)
        (self.validFrom, self.validTo, self.knownFrom) = (validFrom, validTo, knownFrom)
    }

    var text: String {
        let end = validTo.map { #", valid_to: "\#($0)""# } ?? ""
        return
            #"{ provider: "\#(provider)", model: \#(model), rates: { \#(rates) }, \#(more) valid_from: "\#(validFrom)"\#(end), "#
            + #"known_from: "\#(knownFrom)", source: "a test" }"#
    }
}

func priceBook(_ prices: [Price]) throws -> PriceBook {
    try priceBook("{ currency: \"USD\", prices: [\n" + prices.map(\.text).joined(separator: ",\n") + "\n] }")
}

/// Reads the text of a price file; its path reads as `book`.
func priceBook(_ text: String) throws -> PriceBook {
    try withFolder { folder in
        try writeNew(Array(text.utf8), to: folder + "/book")
        do {
            return try PriceBook(files: [folder + "/book"])
        } catch let failure as Failure {
            throw Failure("\(failure)".replacing(folder + "/", with: ""), kind: failure.kind)
        }
    }
}

/// Where Kalei's job file and price book lie.
let jobsFolder: String = {
    let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return joined(repository, "Jobs")
}()

func kaleiBook() throws -> PriceBook { try PriceBook(files: [jobsFolder + "/Prices/kalei.json5"]) }

func costModel(
    _ book: PriceBook, job: String = "kalei", zone: Zone = .utc, plans: Lookup? = nil, columns: [ColumnSpec] = [],
    knownAsOf: Day? = nil, exchange: ExchangeRates = .none
) -> CostModel {
    CostModel(
        job: job, zone: zone, currency: "USD", book: book, lookups: plans.map { [$0] } ?? [], jobColumns: columns,
        knownAsOf: knownAsOf, exchange: exchange)
}

func period(_ first: String, _ last: String) throws -> Period {
    Period(first: try #require(Day(first)), last: try #require(Day(last)))
}

/// All of 2026, in which the tests' rows lie.
func wholeYear() throws -> Period { try period("2026-01-01", "2026-12-31") }

extension Cost {
    /// `0.5`, `0.5 to 0.7`, `at least 0.5, 1 unpriced of 300 tokens`.
    var inWords: String {
        let amount = low == high ? "\(low)" : "\(low) to \(high)"
        return isComplete ? amount : "at least \(amount), \(unpricedRequests) unpriced of \(unpricedTokens) tokens"
    }
}

/// What some calls cost together under a book.
func cost(of calls: [Row], _ book: PriceBook, knownAsOf: Day? = nil) throws -> String {
    var words = ""
    try withLake { lake in
        try lake.store(calls)
        let query = CostQuery(period: try wholeYear(), every: .all, by: [])
        words = try rollUpCosts(query, costModel(book, knownAsOf: knownAsOf), lake).total.cost.inWords
    }
    return words
}

extension [CostRow] {
    /// Each row as `period keys: requests, cost`.
    var lines: [String] {
        map { row in
            let keys = row.keys.map { $0 ?? "null" }.joined(separator: " ")
            return "\(row.period)\(keys.isEmpty ? "" : " " + keys): \(row.measures.requests), \(row.measures.cost.inWords)"
        }
    }
}
