import Common
import Economics

/// What `vesper costs` can show of a row; the one list for `--measures` and `--sort`.
enum CostMeasure: String, CaseIterable, Sendable {
    case requests, users, tenants, tokens, quantity, retries, errors, latency
    case firstToken = "first_token"
    case cost, shadow
    case costPerUser = "cost_per_user"
    case coverage

    static let usual: [CostMeasure] = [.requests, .users, .tokens, .cost, .costPerUser, .coverage]

    /// What must be looked at besides tokens and prices.
    var details: Set<CostDetail> {
        switch self {
        case .users, .costPerUser: [.users]
        case .tenants: [.tenants]
        case .retries, .errors: [.outcomes]
        case .latency: [.latency]
        case .firstToken: [.firstToken]
        case .requests, .tokens, .quantity, .cost, .shadow, .coverage: []
        }
    }

    func columns(currency: String, units: [String]) -> [Table.Column] {
        func right(_ name: String, _ title: String, places: Int = 2) -> Table.Column {
            .init(name, title, .right, places: places)
        }
        func percentiles(_ title: String) -> [Table.Column] {
            [50, 95, 99].map { right("\(rawValue)_p\($0)", "\(title) p\($0)") } + [right("\(rawValue)_unknown", "Unknown")]
        }
        return switch self {
        case .requests: [right("requests", "Requests")]
        case .users: [right("users", "Users")]
        case .tenants: [right("tenants", "Tenants")]
        case .tokens:
            Meter.allCases.map { right($0.column, $0.rawValue.capitalizedFirst.replacing("_", with: " ")) }
        case .quantity where units.isEmpty: [right("quantity", "Quantity")]
        case .quantity: units.map { right("quantity_\($0)", $0.capitalizedFirst) }
        case .retries: [right("retries", "Retries")]
        case .errors: [right("errors", "Errors"), right("error_share", "Error share")]
        case .latency: percentiles("Latency ms")
        case .firstToken: percentiles("First token ms")
        case .cost: [right("cost", "Cost \(currency)", places: 6)]
        case .shadow: [right("shadow", "Not charged \(currency)", places: 6)]
        case .costPerUser: [right("cost_per_user", "Per user", places: 6)]
        case .coverage: [right("priced", "Priced")]
        }
    }

    func cells(_ row: CostRow, units: [String]) -> [Table.Cell] {
        let measures = row.measures
        func percentiles(_ found: Percentiles?) -> [Table.Cell] {
            guard let found else { return [Table.Cell](repeating: .missing("not counted"), count: 4) }
            let values = [found.p50, found.p95, found.p99].map { $0.map { Table.Cell.int(Int($0)) } ?? .missing("none exported") }
            return values + [.int(found.unknown)]
        }
        switch self {
        case .requests: return [.int(measures.requests)]
        case .users: return [row.users.map(Table.Cell.int) ?? .missing("not counted")]
        case .tenants: return [row.tenants.map(Table.Cell.int) ?? .missing("not counted")]
        case .tokens: return measures.tokens.map { Table.Cell.int(Int($0)) }
        case .quantity where units.isEmpty: return [.missing("none counted")]
        case .quantity:
            return units.map { unit in measures.quantities[unit].map { .money(Money(units: $0)) } ?? .blank }
        case .retries: return [.int(measures.retries)]
        case .errors: return [.int(measures.errors), measures.errorShare.map(Table.Cell.decimal) ?? .missing("no status")]
        case .latency: return percentiles(row.latency)
        case .firstToken: return percentiles(row.firstToken)
        case .cost: return [amount(measures.cost.low, measures.cost.high, complete: measures.cost.isComplete)]
        case .shadow: return [amount(measures.cost.shadowLow, measures.cost.shadowHigh, complete: true)]
        case .costPerUser:
            guard let users = row.users, let low = measures.cost.low.divided(by: users),
                let high = measures.cost.high.divided(by: users)
            else { return [.missing("no user")] }
            return [amount(low, high, complete: measures.cost.isComplete)]
        case .coverage: return [measures.coverage.map(Table.Cell.decimal) ?? .blank]
        }
    }
}

private func amount(_ low: Money, _ high: Money, complete: Bool) -> Table.Cell {
    if !complete { return .atLeast(low) }
    return low == high ? .money(low) : .range(low: low, high: high)
}

/// By what rows are sorted, instead of by time and names.
struct CostOrder: Sendable {
    let name: String
    let isAscending: Bool

    static let names =
        CostMeasure.allCases.map(\.rawValue).filter { $0 != "quantity" } + Meter.allCases.map(\.column) + ["unpriced"]

    /// - Parameter text: a measure, greatest first, or `cost:asc`.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.count == 1 || ["asc", "desc"].contains(parts[1]) else {
            throw Failure(
                "--sort takes a measure, with :asc behind it for the least first, such as cost or cost:asc, not \"\(visible(text))\".",
                kind: .usage)
        }
        guard CostOrder.names.contains(parts[0]) else {
            throw Failure(
                "There is no measure \"\(visible(parts[0]))\" to sort by.\(didYouMean(parts[0], from: CostOrder.names)) It is one of \(listed(CostOrder.names)).",
                kind: .usage)
        }
        (name, isAscending) = (parts[0], parts.last == "asc")
    }

    var details: Set<CostDetail> { CostMeasure(rawValue: name)?.details ?? [] }

    /// The same rows in this order; what is unknown stands last, and equals stay in the order they had.
    func sorted(_ rows: [CostRow]) -> [CostRow] {
        let keyed = rows.enumerated().map { (index: $0.offset, value: value($0.element), row: $0.element) }
        return keyed.sorted { a, b in
            switch (a.value, b.value) {
            case (let left?, let right?) where left != right: isAscending ? left < right : left > right
            case (.some, nil): true
            case (nil, .some): false
            default: a.index < b.index
            }
        }.map(\.row)
    }

    private func value(_ row: CostRow) -> Int128? {
        let measures = row.measures
        if let meter = Meter.allCases.firstIndex(where: { $0.column == name }) { return Int128(measures.tokens[meter]) }
        switch CostMeasure(rawValue: name) {
        case .requests: return Int128(measures.requests)
        case .users: return row.users.map { Int128($0) }
        case .tenants: return row.tenants.map { Int128($0) }
        case .tokens: return measures.tokens.dropLast().reduce(0) { $0 + Int128($1) }
        case .retries: return Int128(measures.retries)
        case .errors: return Int128(measures.errors)
        case .latency: return row.latency?.p95.map { Int128($0) }
        case .firstToken: return row.firstToken?.p95.map { Int128($0) }
        case .cost: return measures.cost.low.units
        case .shadow: return measures.cost.shadowLow.units
        case .costPerUser: return row.users.flatMap { measures.cost.low.divided(by: $0)?.units }
        case .coverage: return measures.coverage?.units(places: 4)
        case .quantity, nil: return Int128(measures.cost.unpricedRequests)
        }
    }
}
