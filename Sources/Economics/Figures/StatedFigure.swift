import Common

/// A table of numbers that a product's owner has stated: a budget, a projection, an allowance, what something is assumed to be.
///
///     { kind: "budget", name: "core", about: "What the core may cost", unit: "USD", per: "month", value: ["200", "250"], source: "…" }
///
/// Figures are read, compared with what happened, and reckoned with; they never enter a cost. A sum that the source prints beside its
/// lines is kept as its statement only: sums are computed.
public struct StatedFigure: Sendable {
    /// What a figure is for.
    public enum Kind: String, CaseIterable, Sendable {
        /// What may be spent.
        case budget
        /// What comes with a plan or service, or what a vendor lets through without pay.
        case allowance
        /// What a product is expected to be and to cost at a time or size.
        case projection
        /// What is taken as given.
        case assumption
        /// What is aimed at.
        case target
        /// What could be had instead.
        case option
        /// What somebody or some event uses.
        case profile
        /// Prices of others and rates of exchange, for show and for comparison.
        case reference
        /// What happens when.
        case milestone
        /// What is usual.
        case baseline
        /// Shares of revenue that others take.
        case fee
        /// What costs money and is no price of a vendor's list.
        case cost
    }

    /// What the numbers are for.
    public enum Interval: String, CaseIterable, Sendable {
        case day, week, month, year, once, user, session
        case millionCalls = "1M calls"

        /// How many months it has; nil where that is not a whole number of them.
        public var months: Int128? {
            switch self {
            case .month: 1
            case .year: 12
            default: nil
            }
        }
    }

    public struct Column: Sendable {
        /// Empty where the figure has one column.
        public let name: String
        public let unit: FigureUnit
    }

    public struct Line: Sendable {
        /// Empty where the figure is one value.
        public let name: String
        /// One for each column.
        public let cells: [Cell]
    }

    public enum Cell: Equatable, Sendable {
        case value(Spread, FigureUnit, isApproximate: Bool)
        /// The source has a place for it and names no number.
        case notStated
        /// It does not occur.
        case none
    }

    public let kind: Kind
    public let name: String
    public let about: String
    public let per: Interval?
    /// Months since the launch in which it holds.
    public let months: Spread?
    /// Numbers of users for which it holds.
    public let users: Spread?
    /// Days in which it holds.
    public let from: Day?
    public let to: Day?
    public let columns: [Column]
    public let lines: [Line]
    /// What the source prints as the sum of each column; empty where it prints none.
    public let stated: [Cell]
    public let labels: [PriceRow.Label]
    public let source: String
    public let place: Place

    /// What stands at a line and a column; both are left out where there is only one.
    public func cell(_ line: String? = nil, _ column: String? = nil) throws -> Cell {
        let at = try index(of: column)
        guard let found = lines.first(where: { $0.name == line ?? "" }) ?? (line == nil && lines.count == 1 ? lines[0] : nil)
        else {
            throw Failure(
                "The figure \"\(name)\" has no line \"\(line ?? "")\"."
                    + didYouMean(line ?? "", from: lines.map(\.name)) + " Its lines are \(listed(lines.map(\.name))).", at: place,
                kind: .usage)
        }
        return found.cells[at]
    }

    /// The number at a line and a column; refused where there is none.
    public func value(_ line: String? = nil, _ column: String? = nil) throws -> Spread {
        guard case .value(let spread, _, _) = try cell(line, column) else {
            throw Failure("The figure \"\(name)\" has no number at \"\(line ?? name)\": its source states none.", at: place)
        }
        return spread
    }

    /// All lines of a column, or some, added up. Lines in another currency need a rate: so much of the column's unit for one of theirs.
    ///
    ///     try phase.sum(rates: ["USD": euroForADollar])   // 24.93…
    public func sum(_ column: String? = nil, lines names: [String]? = nil, rates: [String: Fraction] = [:]) throws -> Spread {
        let at = try index(of: column)
        for name in names ?? [] { _ = try cell(name, column) }
        var sum = Spread.zero
        for line in lines where names?.contains(line.name) ?? true {
            switch line.cells[at] {
            case .none: continue
            case .notStated:
                throw Failure(
                    "The line \"\(line.name)\" of the figure \"\(name)\" has no number, so it has no sum. Name the lines to add up.",
                    at: place)
            case .value(let spread, let unit, _) where unit == columns[at].unit: sum = try sum + spread
            case .value(let spread, let unit, _):
                guard let rate = rates[unit.word] else {
                    throw Failure(
                        "The line \"\(line.name)\" of the figure \"\(name)\" is in \(unit) and the others in \(columns[at].unit). They meet only through a rate.",
                        at: place)
                }
                sum = try sum + spread * Spread(rate)
            }
        }
        return sum
    }

    /// The sum of a column divided by the number of its lines.
    public func mean(_ column: String? = nil) throws -> Spread { try sum(column) / Spread(Fraction(Int128(lines.count))) }

    /// What the source prints as the sum of a column.
    public func statedSum(_ column: String? = nil) throws -> Spread {
        let at = try index(of: column)
        guard stated.indices.contains(at), case .value(let spread, _, _) = stated[at] else {
            throw Failure("The source of the figure \"\(name)\" prints no sum.", at: place)
        }
        return spread
    }

    private func index(of column: String?) throws -> Int {
        guard let column else {
            guard columns.count == 1 else {
                throw Failure(
                    "The figure \"\(name)\" has several columns. Name one of \(listed(columns.map(\.name))).", at: place,
                    kind: .usage)
            }
            return 0
        }
        guard let index = columns.firstIndex(where: { $0.name == column }) else {
            throw Failure(
                "The figure \"\(name)\" has no column \"\(column)\"."
                    + didYouMean(column, from: columns.map(\.name)) + " Its columns are \(listed(columns.map(\.name))).",
                at: place,
                kind: .usage)
        }
        return index
    }
}

/// What a figure is counted in: a currency, a unit of prices, or one of a few things that products count.
public struct FigureUnit: Hashable, Sendable, CustomStringConvertible {
    public let word: String

    /// nil where it is none of them.
    public init?(_ word: String) {
        guard isCurrency(word) || FigureUnit.offered.contains(word) else { return nil }
        self.word = word
    }

    /// Beside the units of prices and currencies.
    static let things = [
        "%", "factor", "call", "child", "parent", "photo", "view", "face", "push", "build", "monitor", "error", "mail", "vector",
        "day", "week", "count", "payer", "payment", "score", "tap", "analysis", "turn", "connection",
    ]
    private static let offered = Set(things + PriceUnit.allCases.map(\.rawValue))

    public var description: String { word }
}
