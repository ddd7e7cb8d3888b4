import Common
import Economics
import Lake
import Pipeline

private let by = Option(name: "by", value: "NAMES", about: "The dimensions to group by, such as plan,model.", repeats: true)
private let every = Option(
    name: "every", value: "GRAIN",
    about:
        "One row for each hour, day, week or month, or for all days together; all unless given. Hours are those of the job's zone.",
    choices: Grain.allCases.map(\.rawValue))
private let filter = Option(
    name: "where", value: "NAME=VALUE",
    about: "Only rows with this value; an empty value means that the event says none. Several must all hold.",
    repeats: true)
private let measures = Option(
    name: "measures", value: "NAMES",
    about:
        "What to show: \(listed(CostMeasure.allCases.map(\.rawValue))). Unless given: \(listed(CostMeasure.usual.map(\.rawValue))).",
    repeats: true)
private let sort = Option(
    name: "sort", value: "MEASURE",
    about: "Sort by a measure, greatest first; cost:asc has the least first. Percentiles sort by their p95.")
private let top = Option(name: "top", value: "N", about: "Only the first rows; the last row still sums all of them.")
private let compare = Option(
    name: "compare", value: nil,
    about: "Show charges and invoices beside the computed cost, by provider unless --by is given, and take each difference apart."
)
private let knownAsOf = Option(name: "known-as-of", value: "D", about: "Use only prices that were known on this day.")
private let noCache = Option(
    name: "no-cache", value: nil, about: "Add everything up from the lake. The figures are the same; it only takes longer.")

let costsCommand = Command(
    name: "costs", summary: "Prints what usage cost, by any dimension.",
    about:
        "Prices the usage log and adds up by hour, day, week or month and by any dimensions. Figures are exact; what has no known price is "
        + "counted apart, and the cost then reads \"at least\". The last row is the sum of all rows, and counts each user once. Days that "
        + "a run has priced come from its cache while that is right.",
    operands: [Shared.job],
    options: [
        Shared.week, Shared.from, Shared.to, by, every, filter, measures, sort, top, knownAsOf, noCache, costPartsOption, compare,
    ],
    examples: [
        ("vesper costs kalei --from 2026-11-09 --to 2026-11-15 --by plan,model", "A week by plan and model."),
        ("vesper costs kalei --week 2026-W46 --every day --by feature --format csv", "Every day and feature, for a spreadsheet."),
        (
            "vesper costs kalei --week 2026-W46 --by model --measures requests,latency,errors --sort latency",
            "How fast and how often wrong each model was."
        ),
    ], group: "Reading", run: performCosts)

@Sendable private func performCosts(_ invocation: Invocation) throws -> Int32 {
    let context = try context(for: invocation)
    let ledger = try context.openForReading()
    let job = try oneJob(invocation).knowing(ledger)
    let model = job.costModel(knownAsOf: try invocation.day(knownAsOf))
    let dimensions = try invocation.names(by)
    if let parts = try costParts(invocation, without: [measures, sort, noCache, compare]) {
        let query = try CostPartsQuery(
            parts, every: try invocation.choice(every) ?? .all, by: dimensions, where: try invocation.pairs(filter),
            limit: try invocation.count(top, in: 1...1_000_000))
        guard let ledger else { throw nothingRead(context.home) }
        return try performCostParts(query, invocation, job, model, Lake(ledger), context)
    }
    let filters = try invocation.pairs(filter).map { (dimension: $0.name, value: $0.value) }
    for name in dimensions + filters.map(\.dimension) where !model.dimensions.contains(name) {
        let hint = didYouMean(name, from: model.dimensions)
        throw Failure(
            "There is no dimension \"\(visible(name))\".\(hint) Dimensions are \(listed(model.dimensions)).", kind: .usage)
    }
    if let twice = dimensions.first(where: { name in dimensions.count { $0 == name } > 1 }) {
        throw Failure("--by names \(twice) twice. Give it once.", kind: .usage)
    }
    let shown = try chosenMeasures(invocation)
    let order = try invocation.value(sort).map { try CostOrder($0) }
    let grain: Grain = try invocation.choice(every) ?? .all
    let limit = try invocation.count(top, in: 1...1_000_000)
    let asked = try period(invocation)
    guard let ledger else { throw nothingRead(context.home) }
    let lake = Lake(ledger)
    if invocation.has(compare) {
        return try showComparison(
            invocation, job, model, every: grain, by: dimensions, where: filters, from: asked, lake, context)
    }
    let details = shown.reduce(into: order?.details ?? []) { $0.formUnion($1.details) }
    // The days that the lake holds and their rows are of one moment, also beside a run.
    let table = try lake.consistently {
        guard let held = try lake.days(job: job.name, log: .usage) else { throw nothingRead(context.home) }
        let all = Period(first: job.zone.day(of: held.first.startUTC), last: job.zone.day(of: (held.last + 1).startUTC))
        let query = CostQuery(period: asked ?? all, every: grain, by: dimensions, where: filters, with: details)
        if invocation.has(noCache) { return try tabulateCosts(query, model, lake, threads: context.threads) }
        let cube = CostCube(model, lake, threads: context.threads)
        if let obstacle = cube.obstacle(to: query), try manyRows(of: query.period, job, lake) {
            context.talk.note("The cache does not serve this: \(obstacle) read from the lake.")
        }
        return try cube.table(query)
    }
    try show(printed(table, shown, order, limit, grain: grain, dimensions: dimensions, currency: job.currency), invocation)
    return 0
}

/// Whether reading the rows of a period takes so long that one may ask why.
private func manyRows(of period: Period, _ job: Job, _ lake: Lake) throws -> Bool {
    let days = lakeDays(of: period, in: job.zone)
    return try lake.parts(job: job.name, log: .usage, from: days.first, to: days.last).reduce(0) { $0 + $1.rows } > 5_000_000
}

private func chosenMeasures(_ invocation: Invocation) throws -> [CostMeasure] {
    let names = try invocation.names(measures)
    if names.isEmpty { return CostMeasure.usual }
    let chosen = try names.map { name in
        guard let measure = CostMeasure(rawValue: name) else {
            let known = CostMeasure.allCases.map(\.rawValue)
            throw Failure(
                "There is no measure \"\(visible(name))\".\(didYouMean(name, from: known)) Measures are \(listed(known)).",
                kind: .usage)
        }
        return measure
    }
    // Twice the same would give two columns of one name.
    return chosen.enumerated().filter { !chosen[..<$0.offset].contains($0.element) }.map(\.element)
}

private func printed(
    _ table: CostTable, _ shown: [CostMeasure], _ order: CostOrder?, _ limit: Int?, grain: Grain, dimensions: [String],
    currency: String
) -> Table {
    let rows = (order?.sorted(table.rows) ?? table.rows).prefix(limit ?? table.rows.count)
    var notes: [String] = []
    if rows.count < table.rows.count {
        notes.append("\(rows.count) of \(counted(table.rows.count, "row")) shown; the last row sums all of them.")
    }
    if let total = table.total?.measures, !total.cost.isComplete {
        notes.append(
            "\(counted(total.cost.unpricedRequests, "request")) \(total.cost.unpricedRequests == 1 ? "has" : "have") no known price"
                + (total.cost.unpricedTokens > 0 ? " for \(grouped(total.cost.unpricedTokens)) tokens" : "")
                + ": the cost is at least what is shown. \"vesper explain\" says why."
        )
    }
    let units = (table.total?.measures.quantities.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }) ?? []
    let time: [Table.Column] = grain == .all ? [] : [.init(grain.rawValue, grain.rawValue.capitalizedFirst)]
    func cells(_ row: CostRow) -> [Table.Cell] { shown.flatMap { $0.cells(row, units: units) } }
    return Table(
        name: "costs",
        columns: time + dimensions.map { .init($0, $0.capitalizedFirst) }
            + shown.flatMap { $0.columns(currency: currency, units: units) },
        rows: rows.map { row in
            time.map { _ in .text(row.label) } + row.keys.map { $0.map(Table.Cell.text) ?? .missing("none") } + cells(row)
        },
        totals: table.total.map { [Table.Cell](repeating: .blank, count: time.count + dimensions.count) + cells($0) },
        notes: notes)
}

func nothingRead(_ home: String) -> Failure {
    Failure("This home holds no usage yet. Run \"vesper run JOB\" first, or give another --home.", at: Place(path: home))
}

extension String {
    /// `feature` is `Feature`: names as headings.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
