import Common
import Ingest
import Lake
import Ledger

/// What a correction would do to a job's files; touches nothing.
public func plan(
    _ correction: Correction, of job: Job, reading: ReadChoice = .all, _ context: RunContext, _ ledger: Ledger
) throws -> CorrectionPlan {
    try planCorrection(correction, ingestOrder(job, context, try choice(of: reading)), Lake(ledger))
}

/// Puts right what was ingested, in one step. The stages that follow find their inputs changed when they are next run.
public func correct(
    _ job: Job, _ correction: Correction, reading: ReadChoice = .all, _ context: RunContext, _ ledger: Ledger
) throws -> CorrectionReport {
    let lake = Lake(ledger)
    try lake.rollForward()
    let order = ingestOrder(job, context, try choice(of: reading))
    let report = try correct(try planCorrection(correction, order, lake), order, into: lake, talk: context.talk)
    // As after an ingest: a run finds it up to date, and the same home is the same, whichever of the two has brought it about.
    let work = Work(
        job: job, period: Period(first: job.starts, last: job.starts), lake: lake, context: context, pseudonymKey: [])
    let stored = try storedRows(work)
    let receipt = Receipt(inputs: try ingestInputs(work), outputs: stored.digest, summary: stored.counts.summary)
    try ledger.record(receipt, job: job.name, period: "all", stage: Stage.Name.ingest.rawValue, now: context.now)
    return report
}

private func choice(of reading: ReadChoice) throws -> FileChoice {
    switch reading {
    case .all: .all
    case .files(let paths): .only(paths)
    case .standardInput:
        throw Failure("What was piped in is not kept, and cannot be read again. Name files, or none for all.", kind: .usage)
    }
}

/// Said at every run until somebody decides: rows of two mappings side by side may be meant, but never unknowingly.
func warnOfOtherMappings(_ job: Job, _ context: RunContext, _ ledger: Ledger) throws {
    let count = try filesOfOtherMappings(ingestOrder(job, context), ledger)
    guard count > 0 else { return }
    context.talk.warn(
        "\(counted(count, "file")) \(count == 1 ? "was" : "were") read under another mapping than the job has now, and "
            + "\(count == 1 ? "its" : "their") rows stay as they are. Run \"vesper ingest \(job.name) --remap\" to read "
            + "\(count == 1 ? "it" : "them") again, or \"vesper source list \(job.name)\" to see which.",
        at: Place(path: job.path))
}

/// Every file of a job that was read or dropped.
public func listFilesRead(_ job: Job, _ context: RunContext, _ ledger: Ledger) throws -> [FileEntry] {
    try listFilesRead(ingestOrder(job, context), ledger)
}

/// Those of the files that were read or dropped which somebody names.
public func filesNamed(
    _ names: [String], source: String?, among entries: [FileEntry], of job: Job, _ context: RunContext
) throws -> Set<SourceFile> {
    try filesNamed(names, source: source, among: entries, ingestOrder(job, context))
}
