import Common
import Economics

/// A section that a job asks for, in the order in which the page shows them.
public enum SectionPlan: Sendable, Equatable {
    case stackedDays(by: String)
    case table(by: [String], measures: [TableMeasure])
    /// How many subjects came how far, for one insight.
    case funnel(insight: String)
    /// One answer shown whole.
    case sample(insight: String)
    case dataQuality
    case provenance

    public static let schema = ConfigSchema(
        name: "report section",
        keys: [
            ConfigKey(
                name: "section", kind: "one of \(listed(Kind.allCases.map(\.rawValue)))", required: true,
                about: "The kind of section."),
            ConfigKey(
                name: "by", kind: "dimension or list of dimensions",
                about: "What costs are grouped by: one dimension for stacked-days, any number for table."),
            ConfigKey(
                name: "measures", kind: "list of \(listed(TableMeasure.allCases.map(\.rawValue)))",
                about: "The columns of a table; by default requests, cost and coverage."),
            ConfigKey(name: "insight", kind: "name of an insight", about: "Which insight a funnel or sample is about."),
        ])

    /// The dimensions by which a table counts distinct users; nil where the section counts none.
    public var countsUsersBy: [String]? {
        guard case .table(let by, let measures) = self, measures.contains(.active) || measures.contains(.costPerActive) else {
            return nil
        }
        return by
    }

    private enum Kind: String, CaseIterable {
        case stackedDays = "stacked-days"
        case table, funnel, sample
        case dataQuality = "data-quality"
        case provenance
    }

    public init(_ object: ConfigObject, dimensions: [String], insights: [String]) throws {
        let by = try object.oneOrMoreTexts("by")
        for dimension in by where !dimensions.contains(dimension) {
            let hint = didYouMean(dimension, from: dimensions)
            throw object.failure("unknown dimension \"\(dimension)\".\(hint) Dimensions are \(listed(dimensions)).", at: "by")
        }
        func insight() throws -> String {
            guard let name = try object.optionalText("insight") ?? insights.first, insights.contains(name) else {
                throw object.failure(
                    "The section is about an insight that the job does not have. Its insights are \(listed(insights)).",
                    at: "insight")
            }
            return name
        }
        switch try object.choice("section", of: Kind.self) {
        case .stackedDays:
            guard let first = by.first, by.count == 1 else {
                throw object.failure("stacked-days is stacked by one dimension. Add by, such as \"feature\".", at: "by")
            }
            self = .stackedDays(by: first)
        case .table:
            let names = try object.texts("measures")
            let measures = try names.map { name in
                guard let measure = TableMeasure(rawValue: name) else {
                    let hint = didYouMean(name, from: TableMeasure.allCases.map(\.rawValue))
                    throw object.failure(
                        "unknown measure \"\(name)\".\(hint) Measures are \(listed(TableMeasure.allCases.map(\.rawValue))).",
                        at: "measures")
                }
                return measure
            }
            self = .table(by: by, measures: measures.isEmpty ? [.requests, .cost, .coverage] : measures)
        case .funnel: self = .funnel(insight: try insight())
        case .sample: self = .sample(insight: try insight())
        case .dataQuality: self = .dataQuality
        case .provenance: self = .provenance
        }
    }
}

/// A column of figures in a table.
public enum TableMeasure: String, CaseIterable, Sendable {
    case requests
    /// Distinct users.
    case active
    case inputTokens = "input_tokens"
    case cacheReadTokens = "cache_read_tokens"
    case cacheWrite5mTokens = "cache_write_5m_tokens"
    case outputTokens = "output_tokens"
    case cost
    case costPerActive = "cost_per_active"
    /// The share of requests whose cost is known.
    case coverage

    func title(currency: String) -> String {
        switch self {
        case .requests: "Requests"
        case .active: "Active users"
        case .inputTokens: "Input tokens"
        case .cacheReadTokens: "Cache reads"
        case .cacheWrite5mTokens: "Cache writes"
        case .outputTokens: "Output tokens"
        case .cost: "Cost \(currency)"
        case .costPerActive: "Per active user \(currency)"
        case .coverage: "Priced"
        }
    }

    func figure(_ measures: Measures, users: Int?) -> Figure {
        func tokens(_ meter: Meter) -> Figure { .count(Int(measures.tokens[Meter.allCases.firstIndex(of: meter) ?? 0])) }
        switch self {
        case .requests: return .count(measures.requests)
        case .active: return users.map(Figure.count) ?? .unknown("no user in the export")
        case .inputTokens: return tokens(.input)
        case .cacheReadTokens: return tokens(.cacheRead)
        case .cacheWrite5mTokens: return tokens(.cacheWrite5m)
        case .outputTokens: return tokens(.output)
        case .cost: return .cost(measures.cost)
        case .costPerActive:
            guard let users, let low = measures.cost.low.divided(by: users), let high = measures.cost.high.divided(by: users)
            else {
                return .unknown("no user in the export")
            }
            var cost = measures.cost
            (cost.low, cost.high) = (low, high)
            return .cost(cost)
        case .coverage: return measures.coverage.map(Figure.share) ?? .unknown("no requests")
        }
    }
}
