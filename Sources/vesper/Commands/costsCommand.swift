import Common
import Economics
import Lake
import Pipeline

private let by = Option(name: "by", value: "NAMES", about: "The dimensions to group by, such as plan,model.", repeats: true)
private let every = Option(
    name: "every", value: "GRAIN", about: "One row for each day, week or month, or for all days together; all unless given.",
    choices: Grain.allCases.map(\.rawValue))
private let filter = Option(
    name: "where", value: "NAME=VALUE", about: "Only rows with this value; an empty value means that the event says none.",
    repeats: true)
private let sort = Option(
    name: "sort", value: "MEASURE", about: "Sort by a measure, greatest first.",
    choices: ["cost", "requests", "users", "unpriced"])
private let top = Option(name: "top", value: "N", about: "Only the first rows; the last row still sums all of them.")
private let knownAsOf = Option(name: "known-as-of", value: "D", about: "Use only prices that were known on this day.")

let costsCommand = Command(
    name: "costs", summary: "Prints what usage cost, by any dimension.",
    about:
        "Prices the usage log and adds up by day, week or month and by any dimensions. Figures are exact; what has no known price is "
        + "counted apart, and the cost then reads \"at least\". The last row is the sum of all rows, and counts each user once.",
    operands: [Shared.job], options: [Shared.week, Shared.from, Shared.to, by, every, filter, sort, top, knownAsOf],
    examples: [
        ("vesper costs kalei --from 2026-11-09 --to 2026-11-15 --by plan,model", "A week by plan and model."),
        ("vesper costs kalei --week 2026-W46 --every day --by feature --format csv", "Every day and feature, for a spreadsheet."),
    ], group: "Reading", run: performCosts)

@Sendable private func performCosts(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let known = try invocation.day(knownAsOf)
    let offered = job.costModel().dimensions
    let dimensions = try invocation.names(by)
    let filters = try invocation.pairs(filter).map { (dimension: $0.name, value: $0.value) }
    for name in dimensions + filters.map(\.dimension) where !offered.contains(name) {
        let hint = didYouMean(name, from: offered)
        throw Failure("There is no dimension \"\(visible(name))\".\(hint) Dimensions are \(listed(offered)).", kind: .usage)
    }
    let grain: Grain = try invocation.choice(every) ?? .all
    let limit = try invocation.count(top, in: 1...1_000_000)
    let asked = try period(invocation)
    let context = try context(for: invocation)
    guard let ledger = try context.openForReading() else { throw nothingRead(context.home) }
    let lake = Lake(ledger)
    // The days that the lake holds and their rows are of one moment, also beside a run.
    let table = try lake.consistently {
        guard let held = try lake.days(job: job.name, log: .usage) else { throw nothingRead(context.home) }
        let all = Period(first: job.zone.day(of: held.first.startUTC), last: job.zone.day(of: (held.last + 1).startUTC))
        let query = CostQuery(period: asked ?? all, every: grain, by: dimensions, where: filters, countsUsers: true)
        return try tabulateCosts(query, try job.knowing(ledger).costModel(knownAsOf: known), lake, threads: context.threads)
    }
    let (rows, whole) = (table.rows, table.total)
    let shown = ordered(rows, by: invocation.value(sort)).prefix(limit ?? rows.count)
    var notes: [String] = []
    if shown.count < rows.count {
        notes.append("\(shown.count) of \(counted(rows.count, "row")) shown; the last row sums all of them.")
    }
    if let total = whole?.measures, !total.cost.isComplete {
        notes.append(
            "\(counted(total.cost.unpricedRequests, "request")) with \(grouped(total.cost.unpricedTokens)) tokens have no known price: the cost is at least what is shown."
        )
    }
    let blank = [Table.Cell](repeating: .blank, count: (grain == .all ? 0 : 1) + dimensions.count)
    let columns: [Table.Column] =
        (grain == .all ? [] : [.init(grain.rawValue, grain.rawValue.capitalizedFirst)])
        + dimensions.map { .init($0, $0.capitalizedFirst) }
        + [.init("requests", "Requests", .right), .init("users", "Users", .right)]
        + Meter.allCases.map { .init($0.column, $0.rawValue.capitalizedFirst.replacing("_", with: " "), .right) }
        + [
            .init("cost", "Cost \(job.currency)", .right, places: 6), .init("cost_per_user", "Per user", .right, places: 6),
            .init("priced", "Priced", .right),
        ]
    let printed = Table(
        name: "costs", columns: columns,
        rows: shown.map { row in
            (grain == .all ? [] : [.text(row.period.description)]) + row.keys.map { $0.map(Table.Cell.text) ?? .missing("none") }
                + cells(row.measures, row.users)
        }, totals: whole.map { blank + cells($0.measures, $0.users) }, notes: notes)
    try show(printed, invocation)
    return 0
}

private func nothingRead(_ home: String) -> Failure {
    Failure("This home holds no usage yet. Run \"vesper run JOB\" first, or give another --home.", at: Place(path: home))
}

private func cells(_ measures: Measures, _ users: Int?) -> [Table.Cell] {
    let tokens = measures.tokens.map { Table.Cell.int(Int($0)) }
    var perUser = Table.Cell.missing("no user")
    if let users, let low = measures.cost.low.divided(by: users), let high = measures.cost.high.divided(by: users) {
        perUser = amount(low, high, complete: measures.cost.isComplete)
    }
    return [.int(measures.requests), users.map(Table.Cell.int) ?? .missing("not counted")] + tokens
        + [
            amount(measures.cost.low, measures.cost.high, complete: measures.cost.isComplete), perUser,
            measures.coverage.map(Table.Cell.decimal) ?? .blank,
        ]
}

private func amount(_ low: Money, _ high: Money, complete: Bool) -> Table.Cell {
    if !complete { return .atLeast(low) }
    return low == high ? .money(low) : .range(low: low, high: high)
}

private func ordered(_ rows: [CostRow], by measure: String?) -> [CostRow] {
    switch measure {
    case "cost": rows.sorted { $0.measures.cost.low > $1.measures.cost.low }
    case "requests": rows.sorted { $0.measures.requests > $1.measures.requests }
    case "users": rows.sorted { $0.users ?? 0 > $1.users ?? 0 }
    case "unpriced": rows.sorted { $0.measures.cost.unpricedRequests > $1.measures.cost.unpricedRequests }
    default: rows
    }
}

extension String {
    /// `feature` is `Feature`: names as headings.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
