import Common
import Lake

/// How a job's costs come about: everything besides the rows themselves.
public struct CostModel: Sendable {
    public let job: String
    public let zone: Zone
    /// What costs are reported in.
    public let currency: String
    public let book: PriceBook
    public let lookups: [Lookup]
    /// The job's own columns, which may be grouped by under their names.
    public let jobColumns: [ColumnSpec]
    /// Prices learned after this day are not used; nil for all that is known.
    public let knownAsOf: Day?
    /// How amounts in other currencies come into the one that costs are reported in.
    public let exchange: ExchangeRates
    /// The sets of dimensions by which the cache keeps who was there, each sorted, so that distinct users need not be read from the rows.
    public let userSets: [[String]]

    /// - Parameter userSets: those for which the report counts users; all together are always among them.
    public init(
        job: String, zone: Zone, currency: String, book: PriceBook, lookups: [Lookup], jobColumns: [ColumnSpec],
        knownAsOf: Day? = nil, exchange: ExchangeRates = .none, userSets: [[String]] = []
    ) {
        self.exchange = exchange
        self.userSets = Set([[]] + userSets.map { Set($0).sorted() }).sorted {
            $0.joined(separator: "+") < $1.joined(separator: "+")
        }
        (self.job, self.zone, self.currency, self.book, self.lookups) = (job, zone, currency, book, lookups)
        (self.jobColumns, self.knownAsOf) = (jobColumns, knownAsOf)
    }

    /// Raised when the same rows and prices would give another figure.
    private static let version = 4

    /// Everything that decides a cost besides rows, snapshots and prices.
    var definition: [String] { ["costs \(CostModel.version)", zone.name, currency] + lookups.map(\.definition) }

    /// Text columns of the usage log that costs can be grouped by, and the job's own by their short names.
    public var dimensions: [String] {
        let last = ["session", "fingerprint", "unit", "currency"]
        return Log.usage.columns.filter { $0.type == .text && $0.name != "id" && !last.contains($0.name) }.map(\.name)
            + ["source", "source_file"] + last
            + jobColumns.filter { [.text, .bool, .int64].contains($0.type) }.map { String($0.name.dropFirst(2)) }
    }

    /// The prices that usage of a provider, model and tier may have.
    func tariff(provider: String?, model: String?, tier: String?) -> Tariff {
        Tariff(book.candidates(provider: provider, model: model, tier: tier, knownAsOf: knownAsOf), rate)
    }

    /// How much of the report's currency one of another costs on a day; nil where no rate says.
    func rate(from currency: String, on day: Day) -> Fraction? {
        // A rate of more digits than can be worked with is as good as none.
        (try? exchange.conversion(from: currency, to: self.currency, on: day))??.ratio
    }

    func column(_ dimension: String) -> String {
        jobColumns.contains { $0.name == "x_" + dimension } ? "x_" + dimension : dimension
    }

    /// Flags and counts among the job's own columns are dimensions by their text.
    func type(of column: String) -> ColumnType { jobColumns.first { $0.name == column }?.type ?? .text }
}

/// What to add up: over which local days, by what, and of which rows.
public struct CostQuery: Sendable {
    public let period: Period
    public let grain: Grain
    public let dimensions: [String]
    public let filters: [(dimension: String, value: String)]
    public let details: Set<CostDetail>

    public init(
        period: Period, every grain: Grain, by dimensions: [String], where filters: [(dimension: String, value: String)] = [],
        with details: Set<CostDetail> = []
    ) {
        (self.period, self.grain, self.dimensions) = (period, grain, dimensions)
        (self.filters, self.details) = (filters, details)
    }
}

/// What a query may ask for besides requests, tokens, quantities and cost, each of which takes time of its own.
public enum CostDetail: Hashable, Sendable {
    /// Distinct ones.
    case users, tenants
    /// Retries, and errors among the statuses.
    case outcomes
    /// Percentiles of latency_ms and first_token_ms.
    case latency, firstToken
}
