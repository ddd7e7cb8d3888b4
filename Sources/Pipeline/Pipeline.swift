import Batches
import Common
import Economics
import Ingest
import Insights
import Lake
import Ledger
import Reports

// The whole machine. Exports go in at the top, a report comes out at the bottom; each stage leaves its outputs on disk and a receipt
// in the ledger, and does nothing while the digest of its inputs is the one on the receipt.
//
//   exports ─ingest─▶ lake ─price─▶ daily costs ──────────────────────┐
//                      └──profile─▶ request ─▶ submit ─▶ collect ─────┴─report─▶ reports/

/// The stages in their order; what they pass on is named beside them.
public let stages: [Stage] = [
    // lake/: the rows of every log, in days
    Stage(.ingest, onceForAllPeriods: true, inputs: ingestInputs, run: runIngest),
    // cache/<job>/costs/: CostRow, by day and dimension
    Stage(.price, inputs: priceInputs, run: runPrice),
    // cache/<job>/profiles/: SubjectWeek, for everybody entitled
    Stage(.profile, inputs: profileStageInputs, run: runProfile),
    // requests/: BulkRequest, for everybody eligible and not yet asked
    Stage(.request, inputs: requestInputs, run: runRequest),
    // the provider has the bulk files
    Stage(.submit, inputs: submitInputs, run: runSubmit),
    // answers/: as received; Answer, pinned in the ledger
    Stage(.collect, inputs: collectInputs, run: runCollect),
    // reports/: Report, as page, JSON, CSV and archive
    Stage(.report, inputs: reportStageInputs, run: runReport),
]

/// One step of the machine: a name, what it depends on, and what it does.
public struct Stage: Sendable {
    public enum Name: String, CaseIterable, Sendable { case ingest, price, profile, request, submit, collect, report }

    public let name: Name
    /// Ingest reads all files, whatever period is asked for; every other stage works on one period.
    let onceForAllPeriods: Bool
    /// The digest of everything its outputs depend on, from the ledger alone, so that a run with nothing to do is quick.
    let inputs: @Sendable (Work) throws -> Digest
    let run: @Sendable (Work) throws -> StageResult

    init(
        _ name: Name, onceForAllPeriods: Bool = false, inputs: @escaping @Sendable (Work) throws -> Digest,
        run: @escaping @Sendable (Work) throws -> StageResult
    ) {
        (self.name, self.onceForAllPeriods, self.inputs, self.run) = (name, onceForAllPeriods, inputs, run)
    }
}

/// What a stage works on: one job, one period, one open home.
struct Work {
    let job: Job
    let period: Period
    let lake: Lake
    let context: RunContext
    let pseudonymKey: [UInt8]
    /// Which files ingest reads.
    var choice = FileChoice.all

    var ledger: Ledger { lake.ledger }
    var now: Instant { context.now }
    var model: CostModel { job.costModel() }

    /// Whether the period's last day has ended in the job's zone.
    var isClosed: Bool { job.zone.start(of: period.last + 1) <= now }

    /// The profiles to be made in this period: insights are weekly, and an open week is never asked about.
    var profileOrders: [ProfileOrder] {
        job.insights.map {
            ProfileOrder(
                job: job.name, insight: $0, period: period, zone: job.zone, plans: job.plans, lookups: job.lookups,
                pseudonymKey: pseudonymKey)
        }
    }
    var dueProfiles: [ProfileOrder] { period.week == nil || !isClosed ? [] : profileOrders.filter(\.isDue) }

    func outputs(of stage: Stage.Name) throws -> String {
        try ledger.receipt(job: job.name, period: period.description, stage: stage.rawValue)?.outputs.hex ?? ""
    }
}

/// What a stage has to say when it is done.
struct StageResult {
    let outputs: Digest
    /// What this run did; the receipt keeps `standing` instead, which does not depend on how many runs it took.
    let summary: String
    var standing: String?
    /// Something is still with a provider: the stage is asked again by the next run.
    var isWaiting = false
    var tooManyRefused = false
}

// MARK: - Ingest

func ingestOrder(_ job: Job, _ context: RunContext, _ choice: FileChoice = .all) -> IngestOrder {
    IngestOrder(
        job: job.name, data: context.data(of: job), sources: job.sources, jobColumns: job.columns, acceptFrom: job.acceptFrom,
        now: context.now, longestRecord: job.longestRecord, choice: choice, threads: context.threads)
}

/// Ingest looks at the files itself: which are new is its question, so it has work whenever one is. What the lake holds is a part of
/// it too: a run that was killed between its rows and their receipt leaves one that does not say what is there.
func ingestInputs(_ work: Work) throws -> Digest {
    let order = ingestOrder(work.job, work.context, work.choice)
    let pending = try pendingFiles(order, work.ledger)
    let stored = try storedRows(work)
    return Digest.of(
        parts: [
            order.definition.hex, stored.digest.hex, stored.counts.summary,
            pending.files > 0 ? "\(pending.files) files, run \(work.ledger.run)" : "",
        ])
}

private func runIngest(_ work: Work) throws -> StageResult {
    let report = try ingest(ingestOrder(work.job, work.context, work.choice), into: work.lake, talk: work.context.talk)
    let stored = try storedRows(work)
    return StageResult(
        outputs: stored.digest, summary: report.summary, standing: stored.counts.summary,
        tooManyRefused: work.job.refusesTooMuch(report.counts))
}

func storedRows(_ work: Work) throws -> (digest: Digest, counts: Counts) {
    let logs = try Log.allCases.map { Lake.digest(of: try work.lake.parts(job: work.job.name, log: $0)).hex }
    return (Digest.of(parts: logs), try countsByLog(work.ledger, job: work.job.name).reduce(into: Counts()) { $0 += $1.counts })
}

// MARK: - Price

private func priceInputs(_ work: Work) throws -> Digest { try CostCube(work.model, work.lake).inputs(of: work.period) }

private func runPrice(_ work: Work) throws -> StageResult {
    let cube = CostCube(work.model, work.lake, threads: work.context.threads)
    try cube.fill(work.period)
    let rows = try cube.rows(of: work.period)
    let total = rows.total
    let atLeast = total.cost.isComplete ? "" : "at least "
    let unpriced = total.cost.isComplete ? "" : " · \(counted(total.cost.unpricedRequests, "request")) unpriced"
    return StageResult(
        outputs: Digest.of(parts: rows.map(\.definition)),
        summary:
            "\(counted(total.requests, "request")), \(atLeast)\(total.cost.low.readable) \(work.job.currency)\(unpriced)")
}

// MARK: - Profile

private func profileStageInputs(_ work: Work) throws -> Digest {
    Digest.of(parts: try work.dueProfiles.map { try profileInputs($0, work.lake).hex })
}

private func runProfile(_ work: Work) throws -> StageResult {
    var outputs: [String] = []
    var parts: [String] = []
    for order in work.dueProfiles {
        let weeks = try keepProfiles(order, work.lake)
        outputs += weeks.map { "\($0.subject) \($0.standing.rawValue) \($0.digest.hex)" }
        parts.append(
            "\(order.insight.name): \(weeks.count) entitled, \(weeks.filter { $0.standing == .eligible }.count) eligible")
    }
    return StageResult(
        outputs: Digest.of(parts: outputs), summary: parts.isEmpty ? "no insight is due" : parts.joined(separator: " · "))
}

// MARK: - Request

private func requestInputs(_ work: Work) throws -> Digest {
    Digest.of(parts: [try work.outputs(of: .profile)] + work.dueProfiles.map(\.insight.definition))
}

private func runRequest(_ work: Work) throws -> StageResult {
    var parts: [String] = []
    for order in work.dueProfiles {
        let weeks = try storedProfiles(order, work.lake)
        let made = try prepareRequests(job: work.job.name, insight: order.insight, period: work.period, weeks: weeks, work.ledger)
        let before = made.askedBefore > 0 ? ", \(made.askedBefore) asked before" : ""
        parts.append("\(order.insight.name): \(counted(made.asked, "request")) in \(counted(made.files, "file"))\(before)")
    }
    let batches = try work.ledger.batches(job: work.job.name, period: work.period.description)
    return StageResult(
        outputs: Digest.of(parts: batches.map(\.id)),
        summary: parts.isEmpty ? "no insight is due" : parts.joined(separator: " · "))
}

// MARK: - Submit and collect

private func submitInputs(_ work: Work) throws -> Digest { Digest.of(parts: [try work.outputs(of: .request)]) }

private func runSubmit(_ work: Work) throws -> StageResult {
    try submitBatches(job: work.job.name, period: work.period, work.ledger)
    let batches = try work.ledger.batches(job: work.job.name, period: work.period.description)
    return StageResult(
        outputs: Digest.of(parts: batches.map { "\($0.id) \($0.providerID ?? "")" }),
        summary: "\(counted(batches.count, "bulk file")) handed over")
}

private func collectInputs(_ work: Work) throws -> Digest { Digest.of(parts: [try work.outputs(of: .submit)]) }

private func runCollect(_ work: Work) throws -> StageResult {
    try collectBatches(job: work.job.name, period: work.period, insights: work.job.insights, work.ledger)
    let batches = try work.ledger.batches(job: work.job.name, period: work.period.description)
    let waiting = batches.filter { $0.state == .submitted }.count
    let answers = try work.job.insights.flatMap { insight in
        try work.ledger.answers(job: work.job.name, insight: insight.name, period: work.period).map {
            "\($0.subject) \($0.outcome ?? "") \($0.content?.text ?? "")"
        }
    }
    let still = waiting > 0 ? ", \(counted(waiting, "bulk file")) with the provider" : ""
    return StageResult(
        outputs: Digest.of(parts: answers), summary: "\(counted(batches.count - waiting, "bulk file")) collected\(still)",
        isWaiting: waiting > 0)
}

// MARK: - Report

/// A report that somebody has deleted is made again, from the same inputs and so with the same revision.
private func reportStageInputs(_ work: Work) throws -> Digest {
    let inputs = try reportInputs(work)
    return hasReport(job: work.job.name, period: work.period, home: work.lake.home)
        ? inputs : Digest.of(parts: [inputs.hex, "missing"])
}

private func reportInputs(_ work: Work) throws -> Digest {
    let days = lakeDays(of: work.period, in: work.job.zone)
    let rows = try [Log.usage, .sessions].map {
        Lake.digest(of: try work.lake.parts(job: work.job.name, log: $0, from: days.first, to: days.last)).hex
    }
    let counts = try countsBySource(work.ledger, job: work.job.name, from: days.first, to: days.last).map {
        "\($0.source) \($0.counts.summary)"
    }
    let answers = try work.job.insights.flatMap { insight in
        try work.ledger.answers(job: work.job.name, insight: insight.name, period: work.period).map {
            "\($0.subject) \($0.outcome ?? "") \($0.madeFrom)"
        }
    }
    return Digest.of(
        parts: [
            "report 1", work.period.description, work.isClosed ? "final" : "provisional", "\(work.job.sections)",
            work.job.currency,
        ]
            + rows + counts + answers + [try work.outputs(of: .price), try work.outputs(of: .profile)])
}

private func runReport(_ work: Work) throws -> StageResult {
    let days = lakeDays(of: work.period, in: work.job.zone)
    let usage = try work.lake.parts(job: work.job.name, log: .usage, from: days.first, to: days.last)
    let inputs = try reportInputs(work)
    let order = ReportOrder(
        period: work.period, currency: work.job.currency, model: work.model, insights: work.profileOrders,
        sections: work.job.sections,
        provisional: !work.isClosed,
        provenance: [
            (
                "Usage rows",
                "\(grouped(usage.reduce(0) { $0 + $1.rows })) in \(counted(usage.count, "lake part")), \(usage.first?.day.description ?? "no day") to \(usage.last?.day.description ?? "no day") UTC"
            ),
            ("Usage parts digest", Lake.digest(of: usage).hex),
            ("Price book digest", work.job.book.digest.hex),
            ("Inputs digest", inputs.hex),
        ])
    let written = try writeReport(order, inputs: inputs, work.lake)
    return StageResult(outputs: written.manifest, summary: "\(written.folder), revision \(written.revision)")
}
