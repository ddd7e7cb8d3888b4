import Common
import Lake

/// The cube of daily costs as data: dimensions × measures with the price join. Every file of the cache carries it as JSON, so that
/// another engine can fill the same cube from the same lake.
///
///     CubeDeclaration(zone: "Europe/Berlin").json.text   // {"version":3,"log":"usage","day":{"of":"ts","zone":"Europe/Berlin"},…
public struct CubeDeclaration: Sendable {
    let zone: String

    /// Coarse enough to stay small, fine enough for every question that needs no distinct users.
    public static let dimensions = ["tenant", "environment", "plan", "feature", "provider", "model", "service_tier", "route"]

    /// Raised when the same rows and prices would give another file.
    static let version = 3

    /// Statuses of a call that went well; every other one that is printed says that it failed. Case does not count.
    public static let successWords = ["ok", "success", "succeeded", "successful", "completed", "complete", "done", "200"]

    var json: JSON {
        func texts(_ words: [String]) -> JSON { .array(words.map(JSON.string)) }
        return .fields([
            "version": .int(CubeDeclaration.version), "log": .string(Log.usage.rawValue),
            "day": .fields(["of": .string("ts"), "zone": .string(zone)]),
            "dimensions": texts(CubeDeclaration.dimensions),
            "measures": .object(CubeMeasure.all.map { JSON.Member($0.name, $0.rule) }),
            "measure_for_each_unit": .fields(["quantity_": .fields(["sum": .string("quantity"), "by": .string("unit")])]),
            // How the prices of a row are found, and what becomes of them.
            "prices": .fields([
                "join": texts(["provider", "model", "service_tier"]),
                "on": .fields(["utc_day_of": .string("ts"), "between": texts(["valid_from", "valid_to"])]),
                "default": .fields(["service_tier": .string("standard")]),
                "choose": texts(["longest model name", "latest known_from", "latest valid_from"]),
                "threshold": .fields([
                    "column": .string("above_input_tokens"), "takes": .string("the highest that the sum is larger than"),
                    "sum": texts(Meter.allCases.prefix(4).map(\.column)),
                ]),
                "meters": .object(Meter.allCases.map { JSON.Member($0.rawValue, .string($0.column)) }),
                "within_output": .string(Meter.reasoning.rawValue),
                "atom": .fields([
                    "of": texts(["row", "meter"]), "places": .int(Money.places), "rounding": .string("half to even"),
                ]),
            ]),
        ])
    }
}

/// One measure of the cube: its column, what it means, and where it is kept among what is added up.
struct CubeMeasure: Sendable {
    let name: String
    let type: ColumnType
    /// What another engine would have to add up.
    let rule: JSON
    let value: @Sendable (Measures) -> Int128
    let add: @Sendable (inout Measures, Int128) -> Void

    private static func count(_ name: String, _ rule: JSON, _ path: WritableKeyPath<Measures, Int> & Sendable) -> CubeMeasure {
        CubeMeasure(name: name, type: .int64, rule: rule) {
            Int128($0[keyPath: path])
        } add: {
            $0[keyPath: path] += Int($1)
        }
    }

    private static func money(_ name: String, _ end: String, mocked: Bool, _ path: WritableKeyPath<Cost, Money> & Sendable)
        -> CubeMeasure
    {
        CubeMeasure(name: name, type: .decimal, rule: .fields(["sum_atoms": .string(end), "mocked": .bool(mocked)])) {
            $0.cost[keyPath: path].units
        } add: {
            $0.cost[keyPath: path].units += $1
        }
    }

    /// The one list.
    static let all: [CubeMeasure] =
        Meter.allCases.indices.map { meter in
            let name = Meter.allCases[meter].column
            return CubeMeasure(name: name, type: .int64, rule: .fields(["sum": .string(name)])) {
                Int128($0.tokens[meter])
            } add: {
                $0.tokens[meter] += Int64($1)
            }
        } + [
            count("requests", .fields(["rows": .string("all")]), \.requests),
            count("retries", .fields(["rows": .fields(["column": .string("attempt"), "above": .int(1)])]), \.retries),
            count(
                "with_status", .fields(["rows": .fields(["column": .string("status"), "is": .string("present")])]), \.withStatus),
            count(
                "errors",
                .fields([
                    "rows": .fields([
                        "column": .string("status"), "is": .string("present"),
                        "not_in": .array(CubeDeclaration.successWords.map(JSON.string)),
                    ])
                ]), \.errors),
            count("unpriced_requests", .fields(["rows": .string("unpriced")]), \.cost.unpricedRequests),
            CubeMeasure(name: "unpriced_tokens", type: .int64, rule: .fields(["sum_unpriced": .string("tokens")])) {
                Int128($0.cost.unpricedTokens)
            } add: {
                $0.cost.unpricedTokens += Int64($1)
            },
            money("cost_low", "low", mocked: false, \.low), money("cost_high", "high", mocked: false, \.high),
            money("shadow_low", "low", mocked: true, \.shadowLow), money("shadow_high", "high", mocked: true, \.shadowHigh),
        ]

    var spec: ColumnSpec { ColumnSpec(name, type) }

    /// Whether only a query for outcomes adds it up.
    var isOutcome: Bool { ["retries", "with_status", "errors"].contains(name) }
}
