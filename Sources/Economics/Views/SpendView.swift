import Common
import Lake

/// What to compare: over which local days, by what, and what the job reads.
public struct SpendQuery: Sendable {
    public let period: Period
    public let grain: Grain
    public let dimensions: [String]
    public let filters: [(dimension: String, value: String)]
    /// The job's sources of charges, and of invoices: one of which there is no row in a stretch was not exported, which is not 0.
    public let charges: [String]
    public let invoices: [String]
    public let names: ProviderNames
    /// What is paid for beside the calls of models, whose computed cost counts too.
    public let expenses: Expenses

    public init(
        period: Period, every grain: Grain = .all, by dimensions: [String] = ["provider"],
        where filters: [(dimension: String, value: String)] = [], charges: [String], invoices: [String],
        names: ProviderNames = ProviderNames(), expenses: Expenses = .none
    ) {
        (self.period, self.grain, self.dimensions, self.filters) = (period, grain, dimensions, filters)
        (self.charges, self.invoices, self.names, self.expenses) = (charges, invoices, names, expenses)
    }

    var rowFilters: [RowFilter] { filters.map { RowFilter($0.dimension, [$0.value]) } }
}

/// Charges and invoices held against the cost computed from usage. They are views of one spend: nothing here is a sum of two of them.
public struct SpendComparison: Sendable {
    /// By time, keys, log and source.
    public let rows: [SpendRow]
    public let silences: [Silence]
    /// Rows of charges and invoices whose currency had to be changed, by currency.
    public let exchanged: [String: Int]

    /// Stretches of time in which one of the two logs has rows and the other has none, of providers that both know.
    public struct Silence: Equatable, Sendable {
        public let source: String
        /// Whether the usage log is the silent one.
        public let isUsage: Bool
        /// Whether whole days are compared, because the source writes one hour a day.
        public let areDays: Bool
        public let starts: [Instant]
    }
}

/// What one source says of one stretch of time and combination of values, and what usage says of the same.
public struct SpendRow: Equatable, Sendable {
    /// A value of a dimension.
    public enum Key: Hashable, Sendable {
        case value(String)
        /// The rows do not say it.
        case unsaid
        /// No row of the source says it, so that all values are compared together.
        case all

        var sortKey: String {
            switch self {
            case .all: "0"
            case .unsaid: "1"
            case .value(let text): "2" + text
            }
        }
    }

    /// Of an invoice, the time that its lines are for.
    public let period: Period
    public let keys: [Key]
    /// `charges` or `invoices`.
    public let log: Log
    /// nil where the job reads no such log.
    public let source: String?
    public let rows: Int
    /// nil where nothing was exported.
    public let reported: Money?
    public let currency: String
    /// Calls of usage, and what was computed, of it metered and fixed costs; nil where it is not compared.
    public let calls: Int
    public let computed: Cost?
    public var metered = Cost()
    public var fixed = Cost()
    public let variance: Variance?
    /// Why there is no variance.
    public let reason: String?

    var order: String {
        [
            "\(period.first)", "\(period.last)", keys.map(\.sortKey).joined(separator: "\u{0}"), log.rawValue, source ?? "",
            currency,
        ]
        .joined(separator: "\u{1}")
    }
}
