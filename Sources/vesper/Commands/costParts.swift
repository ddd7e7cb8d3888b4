import Common
import Economics
import Lake
import Pipeline

/// The three parts of the computed cost: what calls of models cost, what the meters log costs, and what is paid in any case.
enum CostPart: String, CaseIterable { case usage, metered, fixed }

extension CostPart {
    /// What `--parts usage,metered` names; "all" stands for all three. In their own order, each once.
    static func named(_ names: [String]) throws -> [CostPart] {
        let offered = allCases.map(\.rawValue) + ["all"]
        for name in names where !offered.contains(name) {
            throw Failure(
                "There is no part \"\(visible(name))\" of the cost.\(didYouMean(name, from: offered)) Parts are \(listed(offered)).",
                kind: .usage)
        }
        return allCases.filter { names.contains($0.rawValue) || names.contains("all") }
    }

    /// What the table of several parts can be grouped by.
    static let dimensions = ["tenant", "provider", "name", "category", "environment", "part"]
}

let costPartsOption = Option(
    name: "parts", value: "NAMES",
    about:
        "Which parts of the computed cost: usage, which is the default, metered, fixed, or all; then by tenant, provider, name, category or environment.",
    repeats: true)

/// The parts that `--parts` names; nil where it asks for nothing but usage.
///
/// - Parameter options: those that usage alone knows.
func costParts(_ invocation: Invocation, without options: [Option]) throws -> [CostPart]? {
    let parts = try CostPart.named(invocation.names(costPartsOption))
    guard !parts.isEmpty, parts != [.usage] else { return nil }
    if let option = options.first(where: invocation.has) {
        throw Failure("--\(option.name) goes with usage alone. Leave it out, or leave --parts out.", kind: .usage)
    }
    return parts
}

/// What is asked of the parts of the cost.
struct CostPartsQuery {
    let parts: [CostPart]
    let grain: Grain
    /// Without `part`, which every row has.
    let keys: [String]
    let filters: [(dimension: String, value: String)]
    let limit: Int?

    init(
        _ parts: [CostPart], every grain: Grain, by dimensions: [String], where filters: [(name: String, value: String)],
        limit: Int?
    ) throws {
        guard grain != .hour else {
            throw Failure(
                "Metered and fixed costs are costs of days. Write --every day, or leave --parts out: usage alone has hours.",
                kind: .usage)
        }
        for name in dimensions + filters.map(\.name) where !CostPart.dimensions.contains(name) {
            throw Failure(
                "Parts of the cost have no dimension \"\(visible(name))\".\(didYouMean(name, from: CostPart.dimensions)) "
                    + "Their dimensions are \(listed(CostPart.dimensions)); of usage alone all others can be had.",
                kind: .usage)
        }
        if let twice = dimensions.first(where: { name in dimensions.count { $0 == name } > 1 }) {
            throw Failure("--by names \(twice) twice. Give it once.", kind: .usage)
        }
        (self.parts, self.grain, self.limit) = (parts, grain, limit)
        keys = dimensions.filter { $0 != "part" }
        self.filters = filters.map { ($0.name, $0.value) }
    }

    /// Whether a value of each filter's dimension is the wanted one; an empty one means that there is none.
    func wants(_ value: (String) -> String?) -> Bool { filters.allSatisfy { (value($0.dimension) ?? "") == $0.value } }
}

/// `vesper costs` with `--parts`: over the days asked for, otherwise all days that usage or meters hold.
func performCostParts(
    _ query: CostPartsQuery, _ invocation: Invocation, _ job: Job, _ model: CostModel, _ lake: Lake, _ context: RunContext
) throws -> Int32 {
    let asked = try period(invocation)
    let table = try lake.consistently {
        let held = try [Log.usage, .meters].compactMap { try lake.days(job: job.name, log: $0) }
        guard let first = held.map(\.first).min(), let last = held.map(\.last).max() else { throw nothingRead(context.home) }
        let all = Period(first: job.zone.day(of: first.startUTC), last: job.zone.day(of: last.startUTC))
        for warning in model.exchange.warnings { context.talk.diagnostic(warning) }
        return try costPartsTable(query, of: asked ?? all, job, model, lake, threads: context.threads)
    }
    try show(table, invocation)
    return 0
}

/// What a period cost by part, stretch of days and dimensions: one row for each, and their sum.
///
/// Of usage, `name` is the model, and `category` is "usage".
func costPartsTable(_ query: CostPartsQuery, of period: Period, _ job: Job, _ model: CostModel, _ lake: Lake, threads: Int) throws
    -> Table
{
    var sums = PartSums()
    if query.parts.contains(.usage), query.wants({ ["part": "usage", "category": "usage"][$0] ?? query.value(of: $0) }) {
        for row in try usageRows(query, of: period, model, lake, threads: threads) {
            var rest = row.keys[...]
            let values = query.keys.map { $0 == "category" ? "usage" : rest.popFirst() ?? nil }
            sums.add(PartSum(row.measures.cost), to: PartKey(period: row.period, part: .usage, values: values))
        }
    }
    var notes: [String] = []
    if query.parts != [.usage] {
        let buckets = query.grain.buckets(of: period)
        let asked = Set(query.parts.compactMap { CostLine.Part(rawValue: $0.rawValue) })
        let lines = try otherCosts(of: period, job.expenses, model, lake, parts: asked).filter { query.wants($0.value) }
        var index = 0
        for line in lines {
            // Both are sorted by day.
            while index + 1 < buckets.count, buckets[index].last < line.day { index += 1 }
            guard let part = CostPart(rawValue: line.part.rawValue) else { continue }
            let bucket = buckets[index]
            sums.add(PartSum(line), to: PartKey(period: bucket, part: part, values: query.keys.map(line.value)))
        }
        notes = remarks(lines)
    }
    return sums.table(query, currency: model.currency, notes: notes)
}

extension CostPartsQuery {
    /// What a filter asks of a dimension that all rows of usage have in the lake: it is left to the query there.
    fileprivate func value(of dimension: String) -> String? { filters.last { $0.dimension == dimension }?.value }
}

private func usageRows(_ query: CostPartsQuery, of period: Period, _ model: CostModel, _ lake: Lake, threads: Int) throws
    -> [CostRow]
{
    func column(_ name: String) -> String { name == "name" ? "model" : name }
    let own = query.filters.filter { !["part", "category"].contains($0.dimension) }
    let asked = CostQuery(
        period: period, every: query.grain, by: query.keys.filter { $0 != "category" }.map(column),
        where: own.map { (column($0.dimension), $0.value) })
    return try tabulateCosts(asked, model, lake, threads: threads).rows
}

/// What a reader should know of the lines: each thing once, with the number of lines and the days that it is said of.
private func remarks(_ lines: [CostLine]) -> [String] {
    struct Said {
        var count = 0
        let first: Day
        var last: Day
    }
    var said: [String: Said] = [:]
    for line in lines {
        for text in line.notes + [line.missing].compactMap({ $0 }) where text != "not charged yet" {
            let remark = "\(line.name): \(text)"
            said[remark, default: Said(first: line.day, last: line.day)].count += 1
            said[remark]?.last = line.day
        }
    }
    let sorted = said.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    let most = 20
    return sorted.prefix(most).map { remark, said in
        let days = said.first == said.last ? "\(said.first)" : "\(said.first) to \(said.last)"
        return "\(remark) (\(counted(said.count, "line")), \(days))"
    } + (sorted.count > most ? ["and \(counted(sorted.count - most, "more remark"))."] : [])
}

private struct PartKey: Hashable {
    let period: Period
    let part: CostPart
    let values: [String?]

    /// Days first, then parts in their order, then values in byte order with what is missing first.
    static func inOrder(_ a: PartKey, _ b: PartKey) -> Bool {
        if a.period != b.period { return a.period < b.period }
        if a.part != b.part {
            return (CostPart.allCases.firstIndex(of: a.part) ?? 0) < (CostPart.allCases.firstIndex(of: b.part) ?? 0)
        }
        for (one, other) in zip(a.values, b.values) where one != other {
            guard let one, let other else { return one == nil }
            return one.utf8.lexicographicallyPrecedes(other.utf8)
        }
        return false
    }
}

private struct PartSum {
    var low = Money.zero
    var high = Money.zero
    var shadowLow = Money.zero
    var shadowHigh = Money.zero
    var isComplete = true
    /// By currency, what no rate brings into the report's.
    var unconverted: [String: MoneyRange] = [:]

    init() {}

    init(_ cost: Cost) {
        (low, high, shadowLow, shadowHigh) = (cost.low, cost.high, cost.shadowLow, cost.shadowHigh)
        isComplete = cost.isComplete
    }

    init(_ line: CostLine) {
        (low, high) = (line.amount.low, line.amount.high)
        (shadowLow, shadowHigh) = (line.shadow?.low ?? .zero, line.shadow?.high ?? .zero)
        isComplete = line.missing == nil
        if let own = line.unconverted { unconverted[own.currency] = own.amount }
    }

    static func += (a: inout PartSum, b: PartSum) {
        a.low += b.low
        a.high += b.high
        a.shadowLow += b.shadowLow
        a.shadowHigh += b.shadowHigh
        a.isComplete = a.isComplete && b.isComplete
        for (currency, amount) in b.unconverted { a.unconverted[currency, default: .zero] += amount }
    }

    var cells: [Table.Cell] {
        let own = unconverted.sorted { $0.key < $1.key }.map { currency, amount in
            (amount.low == amount.high ? "\(amount.low)" : "\(amount.low)–\(amount.high)") + " \(currency)"
        }
        return [
            isComplete ? (low == high ? .money(low) : .range(low: low, high: high)) : .atLeast(low),
            shadowLow == shadowHigh ? .money(shadowLow) : .range(low: shadowLow, high: shadowHigh),
            own.isEmpty ? .blank : .text(own.joined(separator: ", ")),
        ]
    }
}

private struct PartSums {
    private var sums: [PartKey: PartSum] = [:]

    mutating func add(_ sum: PartSum, to key: PartKey) { sums[key, default: PartSum()] += sum }

    func table(_ query: CostPartsQuery, currency: String, notes: [String]) -> Table {
        let sorted = sums.sorted { PartKey.inOrder($0.key, $1.key) }
        var whole = PartSum()
        for (_, sum) in sorted { whole += sum }
        let isWhole = query.grain == .all
        let columns: [Table.Column] =
            (isWhole ? [] : [.init(query.grain.rawValue, query.grain.rawValue.capitalizedFirst)]) + [.init("part", "Part")]
            + query.keys.map { .init($0, $0.capitalizedFirst) }
            + [
                .init("cost", "Cost \(currency)", .right, places: 6), .init("shadow", "Not charged yet", .right, places: 6),
                .init("unconverted", "Unconverted", .right),
            ]
        let shown = sorted.prefix(query.limit ?? sorted.count)
        let rows = shown.map { key, sum in
            (isWhole ? [] : [Table.Cell.text(key.period.description)]) + [.text(key.part.rawValue)]
                + key.values.map { $0.map(Table.Cell.text) ?? .missing("none") } + sum.cells
        }
        let blanks = [Table.Cell](repeating: .blank, count: (isWhole ? 0 : 1) + 1 + query.keys.count)
        let cut =
            shown.count < sorted.count
            ? ["\(shown.count) of \(counted(sorted.count, "row")) shown; the last row sums all of them."] : []
        return Table(
            name: "cost-parts", columns: columns, rows: rows, totals: rows.isEmpty ? nil : blanks + whole.cells,
            notes: cut + notes)
    }
}
