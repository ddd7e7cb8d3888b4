import Common
import Pipeline

private let until = Option(
    name: "until", value: "STAGE", about: "Stop after this stage.", choices: Stage.Name.allCases.map(\.rawValue))
private let dryRun = Option(name: "dry-run", value: nil, about: "Say what would be done, and touch nothing.")

let runCommand = Command(
    name: "run", summary: "Does everything that is missing, from exports to reports.",
    about:
        "Reads new exports, prices them, makes profiles and requests, collects answers and writes reports, for every closed week since "
        + "the job's starts. What is up to date is left alone, so a run may be repeated at any time, also after it was cut short.",
    operands: [Shared.jobs], options: [Shared.week, Shared.from, Shared.to, until, dryRun],
    examples: [
        ("vesper run kalei", "Every closed week that is not finished."),
        ("vesper run Jobs --week 2026-W46", "One week of every job in a folder."),
        ("vesper run kalei --until price", "Reads and prices, and asks nobody."),
    ], group: "Working", run: performRun)

let planCommand = Command(
    name: "plan", summary: "Says what a run would do, and touches nothing.",
    about: "Lists every stage of every period with its state: up to date, or why it would run. The same as run --dry-run.",
    operands: [Shared.jobs], options: [Shared.week, Shared.from, Shared.to, until],
    examples: [("vesper plan kalei", "What the next run would do.")], group: "Working", run: performPlan)

@Sendable private func performRun(_ invocation: Invocation) throws -> Int32 {
    if invocation.has(dryRun) { return try performPlan(invocation) }
    let jobs = try jobs(invocation.operands)
    let choices = try jobs.map { (job: $0, choice: try choice(invocation, $0)) }
    let context = try context(for: invocation)
    for job in jobs { try checkSources(job, context) }
    let ledger = try context.openForRun()
    var outcomes: [StageOutcome] = []
    var codes: [ExitCode] = []
    for (job, choice) in choices {
        do {
            let report = try run(job, choice, only: try wanted(invocation), context, ledger)
            outcomes += report.outcomes
            if report.isWaiting { codes.append(.waiting) }
            if report.tooManyRefused { codes.append(.quarantined) }
        } catch let failure as Failure {
            // Another job may still be done.
            try messages(for: invocation).say(failure)
            codes.append(failure.kind.exitCode)
        }
    }
    try show(table(outcomes, name: "run", all: invocation.value(Global.format) != nil), invocation)
    return ExitCode.worst(codes).rawValue
}

@Sendable private func performPlan(_ invocation: Invocation) throws -> Int32 {
    let jobs = try jobs(invocation.operands)
    let context = try context(for: invocation)
    let ledger = try context.openForReading()
    let outcomes = try jobs.flatMap { try plan($0, try choice(invocation, $0), only: try wanted(invocation), context, ledger) }
    try show(table(outcomes, name: "plan", all: invocation.value(Global.format) != nil), invocation)
    return 0
}

/// A range means every ISO week that it touches: insights and weekly pages are made for weeks.
private func choice(_ invocation: Invocation, _ job: Job) throws -> PeriodChoice {
    guard let period = try period(invocation) else { return .closedWeeks }
    return .periods(Set(period.days.map { Period(Week(of: $0)) }).sorted())
}

private func wanted(_ invocation: Invocation) throws -> Set<Stage.Name> {
    guard let last: Stage.Name = try invocation.choice(until) else { return Set(Stage.Name.allCases) }
    return Set(Stage.Name.allCases.prefix { $0 != last } + [last])
}

/// What happened; for people, periods in which nothing did are told in one line.
private func table(_ outcomes: [StageOutcome], name: String, all: Bool) -> Table {
    let shown = all ? outcomes : outcomes.filter { $0.state != .upToDate }
    let quiet = outcomes.count - shown.count
    var notes: [String] = []
    if quiet > 0 {
        let periods = Set(outcomes.compactMap(\.period)).count
        notes.append(
            shown.isEmpty
                ? "Everything is up to date: \(counted(outcomes.count, "stage")) over \(counted(periods, "period"))."
                : "\(counted(quiet, "stage")) up to date.")
    }
    return Table(
        name: name,
        columns: [
            .init("job", "Job"), .init("period", "Period"), .init("stage", "Stage"), .init("state", "State"),
            .init("summary", "What"),
        ],
        rows: shown.map {
            [
                .text($0.job), .text($0.period?.description ?? "all"), .text($0.stage.rawValue), .text($0.state.rawValue),
                .text($0.summary),
            ]
        }, notes: notes)
}
