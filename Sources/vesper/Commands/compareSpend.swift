import Common
import Economics
import Lake
import Pipeline

/// What `costs --compare` prints: charges and invoices beside the cost computed from usage, and why they differ.
func showComparison(
    _ invocation: Invocation, _ job: Job, _ model: CostModel, every grain: Grain, by dimensions: [String],
    where filters: [(dimension: String, value: String)], from asked: Period?, _ lake: Lake, _ context: RunContext
) throws -> Int32 {
    guard grain != .hour else {
        throw Failure("Views of spend are compared by the day at the finest. Use --every day.", kind: .usage)
    }
    let names = { (log: Log) in job.sources.filter { $0.log == log }.map(\.name) }
    let comparison = try lake.consistently {
        let held = try [Log.usage, .charges].compactMap { try lake.days(job: job.name, log: $0) }
        guard let first = held.map(\.first).min(), let last = held.map(\.last).max() else { throw nothingToCompare(context.home) }
        let all = Period(first: job.zone.day(of: first.startUTC), last: job.zone.day(of: (last + 1).startUTC))
        let query = SpendQuery(
            period: asked ?? all, every: grain, by: dimensions.isEmpty ? ["provider"] : dimensions, where: filters,
            charges: names(.charges), invoices: names(.invoices), names: job.providerNames,
            expenses: job.expenses)
        return (query, try compareSpend(query, model, lake))
    }
    try show(table(comparison.0, comparison.1, currency: job.currency, hidesEmpty: try isForPeople(invocation)), invocation)
    return 0
}

private func isForPeople(_ invocation: Invocation) throws -> Bool {
    (try invocation.choice(Global.format) ?? OutputFormat.table) == .table
}

private func nothingToCompare(_ home: String) -> Failure {
    Failure(
        "This home holds neither usage nor charges yet. Run \"vesper run JOB\" first, or give another --home.",
        at: Place(path: home))
}

/// - Parameter hidesEmpty: for people a part that is nowhere other than 0 takes no room.
private func table(_ query: SpendQuery, _ comparison: SpendComparison, currency: String, hidesEmpty: Bool) -> Table {
    let parts = Variance.Part.allCases.filter { part in
        !hidesEmpty || comparison.rows.contains { ($0.variance?[part] ?? .zero) != .zero }
    }
    let money = { (name: String, title: String) in Table.Column(name, title, .right, places: 6) }
    var columns: [Table.Column] = [.init("period", "Period")]
    columns += query.dimensions.map { .init($0, $0.capitalizedFirst) }
    columns += [.init("view", "View"), .init("source", "Source"), .init("rows", "Rows", .right)]
    columns += [money("reported", "Reported"), .init("currency", "Currency"), .init("requests", "Requests", .right)]
    columns += [money("computed", "Computed \(currency)")]
    let ofIt = [(name: "metered", cost: \SpendRow.metered), (name: "fixed_costs", cost: \SpendRow.fixed)].filter { column in
        !hidesEmpty || comparison.rows.contains { $0[keyPath: column.cost] != Cost() }
    }
    columns +=
        ofIt.map { money("computed_\($0.name)", "of it \($0.name.replacing("_", with: " "))") } + [
            money("difference", "Difference")
        ]
    columns += parts.map { money($0.rawValue, $0.rawValue.capitalizedFirst.replacing("_", with: " ")) }
    let rows = comparison.rows.map { row -> [Table.Cell] in
        let why: Table.Cell = row.reason.map { .missing($0) } ?? .blank
        var cells: [Table.Cell] = [.text(row.period.description)]
        cells += row.keys.map(cell)
        cells += [.text(row.log.rawValue), row.source.map { .text($0) } ?? .missing("none"), .int(row.rows)]
        cells += [row.reported.map { .money($0) } ?? why, .text(row.currency), .int(row.calls)]
        cells += [row.computed.map(cost) ?? .missing("not compared")]
        cells += ofIt.map { row.computed == nil ? .blank : cost(row[keyPath: $0.cost]) }
        cells += [row.variance.map { .money($0.total) } ?? why]
        cells += parts.map { part in row.variance.map { .money($0[part]) } ?? .blank }
        return cells
    }
    return Table(name: "spend_comparison", columns: columns, rows: rows, notes: notes(query, comparison, currency: currency))
}

private func cell(_ key: SpendRow.Key) -> Table.Cell {
    switch key {
    case .value(let text): .text(text)
    case .unsaid: .missing("none")
    case .all: .missing("all")
    }
}

private func cost(_ cost: Cost) -> Table.Cell {
    if !cost.isComplete { return .atLeast(cost.low) }
    return cost.low == cost.high ? .money(cost.low) : .range(low: cost.low, high: cost.high)
}

private func notes(_ query: SpendQuery, _ comparison: SpendComparison, currency: String) -> [String] {
    var notes = ["Views of one spend: each row is held against the computed cost beside it, and no two rows are to be added."]
    if comparison.rows.contains(where: { $0.log == .invoices && $0.source != nil && !query.period.contains($0.period) }) {
        notes.append("A bill is held against the calls of its own time, also where that reaches beyond \(query.period).")
    }
    if comparison.rows.contains(where: { $0.keys.contains(.all) }) {
        notes.append("\"all\": no row of that source says it, so it is compared over all values together.")
    }
    for silence in comparison.silences {
        let count = silence.starts.count
        let unit = counted(count, silence.areDays ? "day" : "hour")
        let shown = silence.starts.prefix(3).map { silence.areDays ? "\($0.dayUTC)" : String("\($0)".prefix(13)) + "Z" }
        let list = listed(shown) + (count > shown.count ? " and more" : "")
        notes.append(
            silence.isUsage
                ? "The usage log is silent in \(unit) in which \(silence.source) has rows: \(list)."
                : "\(silence.source) is silent in \(unit) in which the usage log has rows: \(list).")
    }
    for (own, count) in comparison.exchanged.sorted(by: { $0.key < $1.key }) {
        notes.append("\(counted(count, "row")) in \(own) changed into \(currency) at the rate of its day.")
    }
    return notes
}

extension Period {
    fileprivate func contains(_ other: Period) -> Bool { contains(other.first) && contains(other.last) }
}
