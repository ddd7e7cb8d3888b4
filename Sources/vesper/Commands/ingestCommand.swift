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
private let retryQuarantined = Option(
    name: "retry-quarantined", value: nil,
    about: "Instead of new files, reads refused records again, by the job as it is now; what is still refused stays.")
private let remap = Option(
    name: "remap", value: nil,
    about: "Instead of new files, reads those again that were read under another mapping, and replaces their rows.")
private let dryRun = Option(
    name: "dry-run", value: nil, about: "With either of these two: say which files that touches, and touch nothing.")

let ingestCommand = Command(
    name: "ingest", summary: "Reads new exports into the lake.",
    about:
        "Reads every file of the job's sources that is new or has grown, and says how its records ended: accepted, duplicate, out of "
        + "range, quarantined or filtered. The same as run --until ingest, with the counts of every log. With FILE only those are read, "
        + "found from here or below the data folder. What is piped in is a file that its bytes name: the same again adds nothing. After "
        + "the job's mapping was put right, --retry-quarantined and --remap put right what was read by the old one, in one step.",
    operands: [jobOperand, fileOperand], options: [sourceOption, previewOption, retryQuarantined, remap, dryRun],
    examples: [
        ("vesper ingest kalei --preview 2", "Shows two records of every source beside their rows, and stores nothing."),
        ("vesper ingest kalei --data exports", "Reads exports/kalei, if it exists, else exports."),
        ("vesper ingest kalei exports/calls.csv --data exports", "Reads one of its files."),
        ("vesper ingest kalei --remap --dry-run", "Which files a changed mapping is about."),
        ("vesper ingest kalei - --source api_usage", "Reads what another program writes into a pipe."),
    ], group: "Working", run: performIngest)

@Sendable private func performIngest(_ invocation: Invocation) throws -> Int32 {
    if invocation.has(previewOption) { return try performPreview(invocation) }
    if let correction = try correction(invocation) { return try performCorrection(correction, invocation) }
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

private func correction(_ invocation: Invocation) throws -> Correction? {
    switch (invocation.has(retryQuarantined), invocation.has(remap)) {
    case (true, true): throw Failure("--retry-quarantined and --remap are two steps. Give one of them.", kind: .usage)
    case (true, false): return .retryQuarantined
    case (false, true): return .remap
    case (false, false):
        guard invocation.has(dryRun) else { return nil }
        throw Failure(
            "--dry-run goes with --retry-quarantined or --remap. \"vesper plan JOB\" says what would be read.", kind: .usage)
    }
}

private func performCorrection(_ correction: Correction, _ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let context = try context(for: invocation)
    let reading = try ReadChoice(
        files: Array(invocation.operands.dropFirst()), source: invocation.value(sourceOption), of: job, context)
    if invocation.has(dryRun) {
        let plan = try plan(correction, of: job, reading: reading, context, try openedForReading(context))
        try show(table(plan), invocation)
        return 0
    }
    let report = try correct(job, correction, reading: reading, context, try context.openForRun())
    try show(table(report), invocation)
    let refused = job.refusesTooMuch(report.after.values.reduce(into: Counts()) { $0 += $1 })
    return (refused ? ExitCode.quarantined : .done).rawValue
}
