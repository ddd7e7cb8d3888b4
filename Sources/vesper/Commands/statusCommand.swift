import Batches
import Common
import Economics
import Lake
import Ledger
import Pipeline

let statusCommand = Command(
    name: "status", summary: "Shows what was done, how fresh the data is, and what is waiting.",
    about:
        "Lists, for each job, the last day of each log, every period with the state of its stages, and the bulk files that a provider still has.",
    operands: [Shared.jobs], examples: [("vesper status kalei", "The state of one job.")], group: "Reading", run: performStatus)

@Sendable private func performStatus(_ invocation: Invocation) throws -> Int32 {
    let jobs = try jobs(invocation.operands)
    let context = try context(for: invocation)
    guard let ledger = try context.openForReading() else {
        throw Failure(
            "Nothing was run in this home yet. Run \"vesper run JOB\" first, or give another --home.",
            at: Place(path: context.home))
    }
    var rows: [[Table.Cell]] = []
    var notes: [String] = []
    for job in jobs {
        for receipt in try ledger.receipts(job: job.name) {
            rows.append([.text(job.name), .text(receipt.period), .text(receipt.stage), .text(receipt.at), .text(receipt.summary)])
        }
        let fresh = try Log.allCases.compactMap { log in
            try Lake(ledger).days(job: job.name, log: log).map { "\(log.rawValue) to \($0.last)" }
        }
        notes.append("\(job.name) holds \(fresh.isEmpty ? "no rows" : listed(fresh)).")
        if let last = try ledger.priceRevisions(job: job.name).last {
            notes.append("\(job.name) has \(counted(last.number, "price revision")), the last known from \(last.knownFrom).")
        }
        for batch in try ledger.batches(job: job.name) where batch.state == .submitted || batch.state == .intended {
            notes.append(
                "\(batch.provider) has \(batch.file) with \(counted(batch.requests, "request")); its id here is \(batch.id).")
        }
    }
    try show(
        Table(
            name: "status",
            columns: [
                .init("job", "Job"), .init("period", "Period"), .init("stage", "Stage"), .init("at", "At"),
                .init("summary", "What"),
            ],
            rows: rows, notes: notes), invocation)
    return 0
}
