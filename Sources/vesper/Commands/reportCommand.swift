import Common
import Pipeline

let reportCommand = Command(
    name: "report", summary: "Writes the report of any range of days.",
    about:
        "Prices the days and writes their report; nobody is asked anything, and answers that were collected before are shown. A range "
        + "that is an ISO week is filed under its name, any other under its days.",
    operands: [Shared.jobs], options: [Shared.week, Shared.from, Shared.to],
    examples: [
        ("vesper report kalei --from 2026-10-01 --to 2026-10-31", "October as one page."),
        ("vesper report kalei --week 2026-W46", "One week again."),
    ], group: "Reading", run: performReport)

@Sendable private func performReport(_ invocation: Invocation) throws -> Int32 {
    let jobs = try jobs(invocation.operands)
    guard let period = try period(invocation) else {
        throw Failure("Which days? Give --week, or --from and --to, such as --from 2026-10-01 --to 2026-10-31.", kind: .usage)
    }
    let context = try context(for: invocation)
    let ledger = try context.openForRun()
    var rows: [[Table.Cell]] = []
    for job in jobs {
        let report = try run(job, .periods([period]), only: [.price, .profile, .report], context, ledger)
        for outcome in report.outcomes where outcome.stage == .report {
            rows.append([.text(job.name), .text(period.description), .text(outcome.state.rawValue), .text(outcome.summary)])
        }
    }
    try show(
        Table(
            name: "report",
            columns: [.init("job", "Job"), .init("period", "Period"), .init("state", "State"), .init("report", "Report")],
            rows: rows),
        invocation)
    return 0
}
