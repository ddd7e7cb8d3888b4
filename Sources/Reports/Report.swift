import Common
import Economics

/// One product's page for one period, as values: every output (page, JSON, CSV) is written from it.
public struct Report: Sendable {
    public let job: String
    public let period: Period
    public let zone: String
    public let currency: String
    /// The period was not over when it was made.
    public let provisional: Bool
    /// Counts from 1; late data makes a new one.
    public let revision: Int
    /// One computed sentence.
    public let verdict: String
    public let sections: [Section]

    public init(
        job: String, period: Period, zone: String, currency: String, provisional: Bool, revision: Int, verdict: String,
        sections: [Section]
    ) {
        (self.job, self.period, self.zone, self.currency) = (job, period, zone, currency)
        (self.provisional, self.revision, self.verdict, self.sections) = (provisional, revision, verdict, sections)
    }
}

/// A part of a page.
public struct Section: Sendable {
    /// Names it in the JSON and in links: small letters, digits and dashes; unique in a report.
    public let id: String
    public let title: String
    /// What a reader should know beside the figures: how they came about, what is missing.
    public let notes: [String]
    public let body: Body

    public init(id: String, title: String, notes: [String] = [], body: Body) {
        (self.id, self.title, self.notes, self.body) = (id, title, notes, body)
    }

    public enum Body: Sendable {
        case tiles([Tile])
        case stackedDays(StackedDays)
        case table(ReportTable)
        case funnel([FunnelStep])
        /// One answer shown whole: its fields in order.
        case sample([JSON.Member])
        /// Pairs of a label and a value.
        case facts([(label: String, value: String)])
        /// There is nothing to show, and why; never a zero in its place.
        case missing(String)
    }
}

/// One figure with its name.
public struct Tile: Sendable {
    public let label: String
    public let value: Figure
    /// For comparison: the period before, and the mean of the four before; nil where there is no such period.
    public let before: Figure?
    public let usual: Figure?

    public init(label: String, value: Figure, before: Figure? = nil, usual: Figure? = nil) {
        (self.label, self.value, self.before, self.usual) = (label, value, before, usual)
    }
}

/// A value with its kind, so that each output can write it in its own way.
public enum Figure: Sendable, Equatable {
    case text(String)
    case count(Int)
    case cost(Cost)
    case money(Money)
    /// A share of one: 0.9731 is 97.31 %.
    case share(ExactDecimal)
    /// Not known, and why.
    case unknown(String)
}

/// Cost by day, stacked by a dimension.
public struct StackedDays: Sendable {
    public let days: [Day]
    /// Largest total first; `name` is the value of the dimension, or "(none)".
    public let series: [(name: String, costs: [Cost])]

    public init(days: [Day], series: [(name: String, costs: [Cost])]) { (self.days, self.series) = (days, series) }
}

public struct ReportTable: Sendable {
    public let columns: [String]
    public let rows: [[Figure]]
    /// The sum of the rows, where they add up.
    public let totals: [Figure]?

    public init(columns: [String], rows: [[Figure]], totals: [Figure]? = nil) {
        precondition(
            rows.allSatisfy { $0.count == columns.count } && totals.map { $0.count == columns.count } ?? true, "a ragged table")
        (self.columns, self.rows, self.totals) = (columns, rows, totals)
    }
}

/// A step that some come through and others do not.
public struct FunnelStep: Sendable, Equatable {
    public let name: String
    public let count: Int
    /// Why those who were there before are not here; empty for the first step.
    public let lost: [Loss]

    public struct Loss: Sendable, Equatable {
        public let reason: String
        public let count: Int
        public init(_ reason: String, _ count: Int) { (self.reason, self.count) = (reason, count) }
    }

    public init(name: String, count: Int, lost: [Loss] = []) { (self.name, self.count, self.lost) = (name, count, lost) }
}
