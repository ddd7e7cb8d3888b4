import Common
import Ingest
import Pipeline

private let jobOperand = Operand(name: "JOB", about: Shared.jobs.about, completes: .job)
private let fileOperand = Operand(
    name: "FILE", about: "Reads only this file, which must be among those of the job's sources; - reads standard input.",
    optional: true, repeats: true, completes: .file)
private let sourceOption = Option(
    name: "source", value: "NAME", about: "The source that standard input is for, where the job has several.")
private let previewOption = Option(
    name: "preview", value: "N",
    about: "Show what the first N records of every source would become, 5 unless given, and store nothing.", usual: "5")

let ingestCommand = Command(
    name: "ingest", summary: "Reads new exports into the lake.",
    about:
        "Reads every file of the job's sources that is new or has grown, and says how its records ended: accepted, duplicate, out of "
        + "range, quarantined or filtered. The same as run --until ingest, with the counts of every log. With FILE only those are read, "
        + "found from here or below the data folder. What is piped in is a file that its bytes name: the same again adds nothing.",
    operands: [jobOperand, fileOperand], options: [sourceOption, previewOption],
    examples: [
        ("vesper ingest kalei --preview 2", "Shows two records of every source beside their rows, and stores nothing."),
        ("vesper ingest kalei --data exports", "Reads exports/kalei, if it exists, else exports."),
        ("vesper ingest kalei exports/calls.csv --data exports", "Reads one of its files."),
        ("zcat calls.jsonl.gz | vesper ingest kalei - --source api_usage", "Reads what another program writes."),
    ], group: "Working", run: performIngest)

@Sendable private func performIngest(_ invocation: Invocation) throws -> Int32 {
    if invocation.has(previewOption) { return try performPreview(invocation) }
    let files = Array(invocation.operands.dropFirst())
    let jobs = files.isEmpty ? try jobs(invocation.operands) : [try oneJob(invocation)]
    let context = try context(for: invocation)
    let reading = try jobs.map { try ReadChoice(files: files, source: invocation.value(sourceOption), of: $0, context) }
    for job in jobs { try checkSources(job, context) }
    let ledger = try context.openForRun()
    var rows: [[Table.Cell]] = []
    var codes: [ExitCode] = []
    var notes: [String] = []
    for (job, reading) in zip(jobs, reading) {
        let report = try run(job, .periods([]), only: [.ingest], reading: reading, context, ledger)
        if report.tooManyRefused { codes.append(.quarantined) }
        notes += report.outcomes.map { "\($0.job): \($0.summary)." }
        let folder = joined(context.home, "quarantine/\(job.name)")
        if exists(folder) { notes.append("Why records were refused, and what they were, stands in \(folder).") }
        for (log, counts) in try countsByLog(ledger, job: job.name) {
            rows.append([
                .text(job.name), .text(log), .int(counts.records), .int(counts.accepted), .int(counts.duplicate),
                .int(counts.outOfRange),
                .int(counts.quarantinedTotal), .int(counts.filtered),
            ])
        }
    }
    try show(
        Table(
            name: "ingest",
            columns: [
                .init("job", "Job"), .init("log", "Log"), .init("records", "Records", .right),
                .init("accepted", "Accepted", .right),
                .init("duplicate", "Duplicate", .right), .init("out_of_range", "Out of range", .right),
                .init("quarantined", "Quarantined", .right), .init("filtered", "Filtered", .right),
            ], rows: rows, notes: notes), invocation)
    return ExitCode.worst(codes).rawValue
}

@Sendable private func performPreview(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    guard let most = try invocation.count(previewOption, in: 1...1000) else { return 0 }
    guard invocation.value(sourceOption) == nil else {
        throw Failure(
            "--source says for which source standard input is, which a preview does not look at. Leave it out.", kind: .usage)
    }
    let format: OutputFormat = try invocation.choice(Global.format) ?? .table
    guard format != .csv else {
        throw Failure("A preview is printed as table or json. Give one of them as --format.", kind: .usage)
    }
    let files = Array(invocation.operands.dropFirst())
    let previews = try preview(job, files: files, records: most, try context(for: invocation))
    try put(format == .json ? previewJSON(previews, job: job.name) : readable(previews))
    return previews.contains { $0.problem != nil } ? ExitCode.failed.rawValue : 0
}
