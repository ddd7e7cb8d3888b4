import Batches
import Common
import Ledger
import Pipeline

let batchCommand = Command(
    name: "batch", summary: "Shows bulk files and takes results in by hand.",
    about:
        "A bulk file holds the requests of one insight and period. With the provider \"files\" it is carried to a provider by hand, and its results are imported here.",
    examples: [("vesper batch list", "Every bulk file and how far it has come.")],
    subcommands: [listCommand, showCommand, importCommand], group: "Reading")

private let listCommand = Command(
    name: "list", summary: "Lists every bulk file and how far it has come.",
    about: "Prints the bulk files of the home with provider, number of requests and state.",
    examples: [("vesper batch list --format json", "For a program.")], run: performList)

private let identifier = Operand(name: "ID", about: "The batch, by its id or the id's beginning.")

private let showCommand = Command(
    name: "show", summary: "Shows what became of every request of a bulk file.",
    about: "Prints each subject's pseudonym with the outcome of its request. Answers themselves stand in the report.",
    operands: [identifier],
    examples: [("vesper batch show 3f2a", "The batch whose id begins so.")], run: performShow)

private let importCommand = Command(
    name: "import", summary: "Takes in the results of a bulk file.",
    about:
        "Checks that every line of the file belongs to the batch and stores it as it is. The next run, or run --until report, pins the answers "
        + "and writes the report again.",
    operands: [
        identifier,
        Operand(name: "FILE", about: "The results as JSON lines, plain or gzip, as the provider gave them.", completes: .file),
    ],
    examples: [("vesper batch import 3f2a results.jsonl", "Results for the batch whose id begins so.")], run: performImport)

@Sendable private func performList(_ invocation: Invocation) throws -> Int32 {
    let batches = try openedForReading(try context(for: invocation)).batches()
    try show(
        Table(
            name: "batches",
            columns: [
                .init("id", "Id"), .init("job", "Job"), .init("period", "Period"), .init("insight", "Insight"),
                .init("provider", "Provider"),
                .init("requests", "Requests", .right), .init("state", "State"), .init("file", "File"),
            ],
            rows: batches.map {
                [
                    .text($0.id), .text($0.job), .text($0.period), .text($0.insight), .text($0.provider), .int($0.requests),
                    .text($0.state.rawValue), .text($0.file),
                ]
            }, notes: batches.isEmpty ? ["There is no bulk file yet."] : []), invocation)
    return 0
}

@Sendable private func performShow(_ invocation: Invocation) throws -> Int32 {
    let ledger = try openedForReading(try context(for: invocation))
    let id = invocation.operands[0]
    let found = try ledger.batches().filter { $0.id.hasPrefix(id) }
    guard let batch = found.first, found.count == 1, let week = Week(batch.period) else {
        throw Failure(
            found.isEmpty
                ? "There is no batch \"\(visible(id))\". Run \"vesper batch list\" to see them."
                : "\(found.count) batches begin with \"\(visible(id))\". Give more of the id.",
            kind: .usage)
    }
    let answers = try ledger.answers(job: batch.job, insight: batch.insight, period: Period(week)).filter { $0.batch == batch.id }
    try show(
        Table(
            name: "batch",
            columns: [
                .init("subject", "Subject"), .init("outcome", "Outcome"), .init("detail", "Detail"),
                .init("output_tokens", "Output tokens", .right),
            ],
            rows: answers.map {
                [
                    .text($0.subject), $0.outcome.map(Table.Cell.text) ?? .missing("waiting"),
                    $0.detail.map(Table.Cell.text) ?? .blank, .int(Int($0.tokens[3])),
                ]
            }, notes: ["\(batch.id) is \(batch.state.rawValue) by \(batch.provider): \(batch.file)."]), invocation)
    return 0
}

@Sendable private func performImport(_ invocation: Invocation) throws -> Int32 {
    let context = try context(for: invocation)
    let ledger = try context.openForRun()
    let batch = try importResults(batch: invocation.operands[0], from: invocation.operands[1], ledger)
    context.talk.note("Stored. Run \"vesper run \(batch.job) --week \(batch.period)\" to pin the answers and write the report.")
    return 0
}
