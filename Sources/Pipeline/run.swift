import Batches
import Common
import Economics
import Ingest
import Insights
import Lake
import Ledger
import Reports

/// Everything a run takes from outside, resolved once by the command line.
public struct RunContext: Sendable {
    public let home: String
    /// Where source paths begin: `<data>/<job>` if that exists, else `<data>`; nil for the job file's own folder.
    public let dataFolder: String?
    public let now: Instant
    /// The key of pseudonyms, if one is given.
    public let pseudonymKey: [UInt8]?
    /// 32 random bytes, for a home that has no key yet.
    public let random: @Sendable () throws -> [UInt8]
    /// How many threads may work at a time.
    public let threads: Int
    public let talk: Talk

    public init(
        home: String, dataFolder: String?, now: Instant, pseudonymKey: [UInt8]?, random: @escaping @Sendable () throws -> [UInt8],
        threads: Int = 1, talk: Talk
    ) {
        (self.home, self.dataFolder, self.now) = (home, dataFolder, now)
        (self.pseudonymKey, self.random, self.threads, self.talk) = (pseudonymKey, random, threads, talk)
    }

    func data(of job: Job) -> String {
        guard let dataFolder else { return job.path.lastIndex(of: "/").map { String(job.path[..<$0]) } ?? "." }
        let own = joined(dataFolder, job.name)
        return kind(of: own) == .folder ? own : dataFolder
    }
}

/// The migrations of all modules, in the order of the imports.
let migrations = Lake.migrations + ingestMigrations + economicsMigrations + insightMigrations + batchMigrations + reportMigrations

/// What happened to one stage of one period.
public struct StageOutcome: Sendable, Equatable {
    public let job: String
    /// nil for ingest, which reads all files.
    public let period: Period?
    public let stage: Stage.Name
    public let state: State
    public let summary: String

    public enum State: String, Sendable {
        case done, upToDate = "up to date", waiting, wouldRun = "would run", afterIngest = "after ingest"
    }
}

/// What a run did, and what its exit code must say.
public struct RunReport: Sendable {
    public var outcomes: [StageOutcome] = []
    public var isWaiting = false
    public var tooManyRefused = false

}

/// Which periods of a job are meant.
public enum PeriodChoice: Sendable, Equatable {
    /// Every ISO week since the job's `starts` that is over.
    case closedWeeks
    case periods([Period])

    func periods(of job: Job, now: Instant) -> [Period] {
        if case .periods(let periods) = self { return periods }
        let today = job.zone.day(of: now)
        // A week is over when its Monday's successor has begun; the first whole or begun week is that of `starts`.
        var week = Week(of: job.starts)
        var weeks: [Period] = []
        while week.monday + 7 <= today {
            weeks.append(Period(week))
            week = week + 1
        }
        return weeks
    }
}

/// What ingest is told to read: all new files of a job's sources, or what was named on the command line.
public enum ReadChoice: Sendable, Equatable {
    case all
    /// Files of the sources, as paths below the data folder.
    case files(Set<String>)
    /// What is piped in, for the source of this name.
    case standardInput(source: String)

    /// What these words on a command line mean for a job; refuses what none of its sources reads, before any work.
    public init(files: [String], source: String?, of job: Job, _ context: RunContext) throws {
        if files == ["-"] {
            self = .standardInput(source: try sourceOfPipe(source, of: job.sources).name)
        } else if source != nil {
            throw Failure("--source says for which source standard input is, and goes with - alone.", kind: .usage)
        } else if files.contains("-") {
            throw Failure("Standard input, -, is read alone: give no other file with it.", kind: .usage)
        } else {
            self = files.isEmpty ? .all : .files(try chooseFiles(files, sources: job.sources, data: context.data(of: job)))
        }
    }
}

/// Computes what should exist for the periods of a job and does only what is missing.
public func run(
    _ job: Job, _ choice: PeriodChoice, only: Set<Stage.Name> = Set(Stage.Name.allCases), reading: ReadChoice = .all,
    _ context: RunContext, _ ledger: Ledger
) throws -> RunReport {
    var job = job
    let lake = Lake(ledger)
    try lake.rollForward()
    let pipes = lake.staging(job: job.name).temporaryFolder("pipe")
    defer { try? removeTree(pipes) }
    let files: FileChoice =
        switch reading {
        case .all: .all
        case .files(let paths): .only(paths)
        case .standardInput(let source):
            .piped(try takePiped(from: "-", for: try sourceOfPipe(source, of: job.sources), folder: pipes))
        }
    guard let key = try ledger.pseudonymKey(given: context.pseudonymKey, random: context.random) else {
        throw Failure("The key of pseudonyms could not be made.")
    }
    var report = RunReport()
    func perform(_ stage: Stage, _ period: Period) throws {
        let work = Work(job: job, period: period, lake: lake, context: context, pseudonymKey: key, choice: files)
        let filed = stage.onceForAllPeriods ? "all" : period.description
        let inputs = try stage.inputs(work)
        let known = try ledger.receipt(job: job.name, period: filed, stage: stage.name.rawValue)
        func note(_ state: StageOutcome.State, _ summary: String) {
            let outcome = StageOutcome(
                job: job.name, period: stage.onceForAllPeriods ? nil : period, stage: stage.name, state: state, summary: summary)
            report.outcomes.append(outcome)
        }
        if let known, known.inputs == inputs { return note(.upToDate, known.summary) }
        let result = try stage.run(work)
        report.isWaiting = report.isWaiting || result.isWaiting
        report.tooManyRefused = report.tooManyRefused || result.tooManyRefused
        if !result.isWaiting {
            // Its inputs may include what it has just done away with: new files.
            let receipt = Receipt(
                inputs: try stage.inputs(work), outputs: result.outputs, summary: result.standing ?? result.summary)
            try ledger.record(receipt, job: job.name, period: filed, stage: stage.name.rawValue, now: context.now)
        }
        note(result.isWaiting ? .waiting : .done, result.summary)
    }
    let periods = choice.periods(of: job, now: context.now)
    if only.contains(.ingest) { try warnOfOtherMappings(job, context, ledger) }
    for stage in stages where stage.onceForAllPeriods && only.contains(stage.name) {
        try perform(stage, periods.first ?? Period(first: job.starts, last: job.starts))
    }
    // Exchange rates may have come in with the files.
    if only != [.ingest] { job = try job.knowing(ledger) }
    for period in periods {
        for stage in stages where !stage.onceForAllPeriods && only.contains(stage.name) { try perform(stage, period) }
    }
    // What was piped has waited in staging, also where there was nothing to store.
    if case .standardInput = reading { try lake.rollForward() }
    return report
}

/// Says what a run would do, stage by stage, and touches nothing.
public func plan(
    _ job: Job, _ choice: PeriodChoice, only: Set<Stage.Name> = Set(Stage.Name.allCases), _ context: RunContext, _ ledger: Ledger?
) throws -> [StageOutcome] {
    let job = try job.knowing(ledger)
    var outcomes: [StageOutcome] = []
    let order = ingestOrder(job, context)
    let pending = try pendingFiles(order, ledger)
    let reads = pending.files > 0
    outcomes.append(
        StageOutcome(
            job: job.name, period: nil, stage: .ingest, state: reads ? .wouldRun : .upToDate,
            summary: reads
                ? "\(counted(pending.files, "file")) to read, \(grouped(pending.bytes)) bytes, \(grouped(pending.unchanged)) unchanged"
                : pending.unchanged == 0 ? "no file to read" : "\(counted(pending.unchanged, "file")), all unchanged"))
    for period in choice.periods(of: job, now: context.now) {
        for stage in stages where !stage.onceForAllPeriods && only.contains(stage.name) {
            func note(_ state: StageOutcome.State, _ summary: String) {
                outcomes.append(StageOutcome(job: job.name, period: period, stage: stage.name, state: state, summary: summary))
            }
            guard let ledger else {
                note(.wouldRun, "nothing was done yet")
                continue
            }
            let known = try ledger.receipt(job: job.name, period: period.description, stage: stage.name.rawValue)
            let key = try ledger.pseudonymKey(given: context.pseudonymKey, random: nil) ?? []
            let work = Work(job: job, period: period, lake: Lake(ledger), context: context, pseudonymKey: key)
            if let known, try stage.inputs(work) == known.inputs {
                note(reads ? .afterIngest : .upToDate, reads ? "runs again only if the new rows change it" : known.summary)
            } else {
                note(.wouldRun, known == nil ? "nothing was done yet" : "its inputs have changed")
            }
        }
    }
    return outcomes.filter { only.contains($0.stage) }
}

extension RunContext {
    /// Opens the home for a run; throws with kind `.locked` where another run has it.
    public func openForRun() throws -> Ledger { try Ledger.openForRun(home: home, migrations: migrations, now: now) }

    /// Opens the home for reading; nil where nothing was ever run.
    public func openForReading() throws -> Ledger? { try Ledger.openForReading(home: home, migrations: migrations) }
}
