import Common
import Ingest
import Pipeline

let ingestCommand = Command(
    name: "ingest", summary: "Reads new exports into the lake.",
    about:
        "Reads every file of the job's sources that is new or has grown, and says how its records ended: accepted, duplicate, out of "
        + "range, quarantined or filtered. The same as run --until ingest, with the counts of every log.",
    operands: [Shared.jobs],
    examples: [("vesper ingest kalei --data exports", "Reads exports/kalei, if it exists, else exports.")], group: "Working",
    run: performIngest)

@Sendable private func performIngest(_ invocation: Invocation) throws -> Int32 {
    let jobs = try jobs(invocation.operands)
    let context = try context(for: invocation)
    let ledger = try context.openForRun()
    var rows: [[Table.Cell]] = []
    var codes: [ExitCode] = []
    var notes: [String] = []
    for job in jobs {
        let report = try run(job, .periods([]), only: [.ingest], context, ledger)
        if report.tooManyRefused { codes.append(.quarantined) }
        notes += report.outcomes.map { "\($0.job): \($0.summary)." }
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
