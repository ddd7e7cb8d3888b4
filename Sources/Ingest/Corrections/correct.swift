import Common
import Lake
import Ledger

/// What a correction has done.
public struct CorrectionReport: Sendable {
    public let plan: CorrectionPlan
    /// How the records of the plan's files have ended now.
    public let after: [SourceFile: Counts]
    /// Lake days whose content changed, by log.
    public let changedDays: [String: Int]
}

/// Carries a correction out in one commit: killed before it, nothing has happened; killed after it, the next run rolls forward.
public func correct(_ plan: CorrectionPlan, _ order: IngestOrder, into lake: Lake, talk: Talk) throws -> CorrectionReport {
    let report = try store(plan.work, order, lake, talk)
    let counts = try lake.ledger.countsByFile(job: order.job)
    let after = plan.steps.map { file, _ in (file, counts[file] ?? Counts()) }
    return CorrectionReport(
        plan: plan, after: Dictionary(after) { first, _ in first }, changedDays: report.changedDays)
}

/// Lets later runs read files again that were dropped. Dropping is not undone by it: their rows come when they are read, in the next
/// run. So the word is "readmit", not "restore".
public func readmit(_ files: Set<SourceFile>, job: String, _ ledger: Ledger) throws {
    try ledger.database.transaction {
        for file in files {
            try ledger.database.execute(
                "DELETE FROM dropped_files WHERE job = ? AND source = ? AND path = ?",
                [.text(job), .text(file.source), .text(file.file)])
        }
    }
}

/// How many files have rows of another mapping than their source has today.
public func filesOfOtherMappings(_ order: IngestOrder, _ ledger: Ledger) throws -> Int {
    let mappings = order.mappings
    let others = try ledger.filesRead(job: order.job).filter { file, read in
        !read.mapping.isEmpty && mappings[file.source].map { $0 != read.mapping } ?? false
    }
    return Set(others.keys.map(\.file)).count
}
