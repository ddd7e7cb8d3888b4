import Common
import Economics
import Lake
import Pipeline

private let selection = Operand(
    name: "SELECTION", about: "The figure: NAME=VALUE with commas between, such as day=2026-11-09,model=claude-haiku-4-5.",
    optional: true)
private let records = Option(
    name: "records", value: "N", about: "Show the first N records with each of their atoms; none unless given.")
private let knownAsOf = Option(name: "known-as-of", value: "D", about: "Use only prices that were known on this day.")

let explainCommand = Command(
    name: "explain", summary: "Takes a cost apart, down to price rows and records.",
    about:
        "Prices every call of a figure that costs prints, and shows what was used for it: each row of the price book with the "
        + "arithmetic as one can redo it by hand, what has no price and why, the parts of the lake, the source files and, with --records, "
        + "the calls themselves. A selection names days (day, week, month, hour, or --from and --to) and values of dimensions; a value with a "
        + "comma stands in quotes, and an empty one means the calls that do not say.",
    operands: [Shared.job, selection], options: [Shared.week, Shared.from, Shared.to, records, knownAsOf],
    examples: [
        ("vesper explain kalei day=2026-11-09,feature=kaleidoscope_turn", "Where a cell of a table comes from."),
        ("vesper explain kalei week=2026-W46,plan=prism --records 3", "The same down to the first three calls."),
    ], group: "Reading", run: performExplain)

@Sendable private func performExplain(_ invocation: Invocation) throws -> Int32 {
    let context = try context(for: invocation)
    let ledger = try context.openForReading()
    let job = try oneJob(invocation).knowing(ledger)
    let model = job.costModel(knownAsOf: try invocation.day(knownAsOf))
    let chosen = try Selection(invocation.operands.count > 1 ? invocation.operands[1] : "")
    for name in chosen.filters.map(\.name) where !model.dimensions.contains(name) {
        let offered = model.dimensions + Selection.times
        throw Failure(
            "There is no dimension \"\(visible(name))\".\(didYouMean(name, from: offered)) A selection takes \(listed(offered)).",
            kind: .usage)
    }
    let asked = try period(invocation)
    if asked != nil, let own = chosen.period {
        throw Failure("The selection names \(own), and --week, or --from and --to, name days too. Name them once.", kind: .usage)
    }
    let count = try invocation.count(records, in: 0...10_000) ?? 0
    guard let ledger else {
        throw Failure(
            "This home holds no usage yet. Run \"vesper run JOB\" first, or give another --home.", at: Place(path: context.home))
    }
    let found = try explainCost(
        chosen.filters, of: asked ?? chosen.period, hour: chosen.hour, records: count, model, Lake(ledger))
    switch try invocation.choice(Global.format) ?? OutputFormat.table {
    case .table: try put(readable(found, job: job.name))
    case .json: try put(harmless(found.json(job: job.name).text) + "\n")
    case .csv: try put(found.priceTable.rendered(as: .csv, colour: false))
    }
    return 0
}
