import Common
import Ingest
import Lake
import Ledger
import Pipeline

private let files = Operand(
    name: "FILE", about: "A file as source list names it, or where it is from here.", repeats: true, completes: .file)
private let source = Option(
    name: "source", value: "NAME", about: "Only as this source of the job has read it; all that have, unless given.")
private let dryRun = Option(name: "dry-run", value: nil, about: "Say which files that touches, and touch nothing.")

let sourceCommand = Command(
    name: "source", summary: "Shows the files that were read, and takes one out again.",
    about:
        "The ledger knows every file that a job has read, what became of its records, and under which mapping it was read. A file that "
        + "should not have been read is undone as a whole.",
    examples: [("vesper source list kalei", "Every file with its counts and state.")],
    subcommands: [listCommand, dropCommand, readmitCommand], group: "Reading")

private let listCommand = Command(
    name: "list", summary: "Lists every file that was read.",
    about:
        "Prints each file of each source with the bytes that were read, how its records ended, the lake days of its rows, the beginning of "
        + "its digest, and its state: read, changed since, gone, read under another mapping, of a source that the job no longer has, or "
        + "dropped.",
    operands: [Shared.job], examples: [("vesper source list kalei --format csv", "For a spreadsheet.")], run: performList)

private let dropCommand = Command(
    name: "drop", summary: "Undoes a file: its rows, counts and refusals go.",
    about:
        "Takes all that came of a file out of the lake, in one step. Rows of other files that had counted as duplicates of its rows come "
        + "back: those files are read again. Later runs leave the file out, until source readmit names it.",
    operands: [Shared.job, files], options: [source, dryRun],
    examples: [
        ("vesper source drop kalei api_usage/test.jsonl --dry-run", "Which other files must be read again for it."),
        ("vesper source drop kalei api_usage/test.jsonl", "As if it had never been read."),
    ], run: performDrop)

private let readmitCommand = Command(
    name: "readmit", summary: "Lets later runs read a dropped file again.",
    about: "Takes back that a file was dropped. Nothing is read by it: the next run does that, as of a new file.",
    operands: [Shared.job, files], options: [source],
    examples: [("vesper source readmit kalei api_usage/test.jsonl", "The next run reads it.")], run: performReadmit)

@Sendable private func performList(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let context = try context(for: invocation)
    let entries = try listFilesRead(job, context, try openedForReading(context))
    let columns: [Table.Column] =
        [.init("source", "Source"), .init("file", "File"), .init("size", "Bytes", .right)] + countColumns
        + [.init("first", "First day"), .init("last", "Last day"), .init("digest", "Digest"), .init("state", "State")]
    let rows = entries.map { entry -> [Table.Cell] in
        [.text(entry.file.source), .text(entry.file.file), entry.size.map { .int(Int($0)) } ?? .blank] + cells(entry.counts)
            + [entry.days?.first, entry.days?.last].map { $0.map { .text($0.description) } ?? .blank }
            + [entry.digest.map { .text($0) } ?? .blank, .text(entry.state.rawValue)]
    }
    try show(
        Table(
            name: "files", columns: columns, rows: rows,
            notes: entries.isEmpty ? ["No file was read for \(job.name) yet."] : []), invocation)
    return 0
}

@Sendable private func performDrop(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let context = try context(for: invocation)
    let isDry = invocation.has(dryRun)
    let ledger = try isDry ? openedForReading(context) : context.openForRun()
    let named = try filesNamed(invocation, job, context, ledger) { $0 != .dropped }
    try show(
        isDry
            ? table(try plan(.drop(named), of: job, context, ledger)) : table(try correct(job, .drop(named), context, ledger)),
        invocation)
    return 0
}

@Sendable private func performReadmit(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let context = try context(for: invocation)
    let ledger = try context.openForRun()
    let named = try filesNamed(invocation, job, context, ledger) { $0 == .dropped }
    try readmit(named, job: job.name, ledger)
    let files = Set(named.map(\.file)).sorted()
    context.talk.note(
        files.isEmpty ? "Nothing of that is dropped." : "The next run of \(job.name) reads \(listed(files)) again.")
    return 0
}

/// The files named on the command line that are in such a state.
private func filesNamed(
    _ invocation: Invocation, _ job: Job, _ context: RunContext, _ ledger: Ledger, in wanted: (FileEntry.State) -> Bool
) throws -> Set<SourceFile> {
    let entries = try listFilesRead(job, context, ledger)
    let states = Dictionary(entries.map { ($0.file, $0.state) }) { first, _ in first }
    return try filesNamed(
        Array(invocation.operands.dropFirst()), source: invocation.value(source), among: entries, of: job, context
    )
    .filter { states[$0].map(wanted) ?? false }
}
