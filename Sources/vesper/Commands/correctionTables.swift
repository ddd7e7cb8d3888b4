import Common
import Ingest
import Ledger
import Pipeline

/// How records have ended, as columns.
let countColumns: [Table.Column] = [
    .init("records", "Records", .right), .init("accepted", "Accepted", .right), .init("duplicate", "Duplicate", .right),
    .init("out_of_range", "Out of range", .right), .init("quarantined", "Quarantined", .right),
    .init("filtered", "Filtered", .right),
]

func cells(_ counts: Counts) -> [Table.Cell] {
    [
        .int(counts.records), .int(counts.accepted), .int(counts.duplicate), .int(counts.outOfRange),
        .int(counts.quarantinedTotal), .int(counts.filtered),
    ]
}

/// What a correction would do, file by file, and how the records of each have ended so far.
func table(_ plan: CorrectionPlan) -> Table {
    let rows = plan.steps.sorted { $0.key < $1.key }.map { file, step -> [Table.Cell] in
        let what =
            switch step {
            case .readAgain: "read again"
            case .retried(let count): "\(counted(count, "refused record")) tried again"
            case .dropped: "dropped"
            case .left: "left as it is"
            }
        return [.text(file.source), .text(file.file), .text(what)] + cells(plan.before[file] ?? Counts())
    }
    return Table(
        name: "correction_plan",
        columns: [.init("source", "Source"), .init("file", "File"), .init("step", "What would be done")] + countColumns,
        rows: rows, notes: [summary(plan, done: false)])
}

/// What a correction has done: by source, how the records of its files had ended before and have ended now.
func table(_ report: CorrectionReport) -> Table {
    let sources = Dictionary(grouping: report.plan.steps.keys, by: \.source).sorted { $0.key < $1.key }
    let rows = sources.flatMap { source, files in
        [("before", report.plan.before), ("after", report.after)].map { when, counts -> [Table.Cell] in
            let sum = files.reduce(into: Counts()) { $0 += counts[$1] ?? Counts() }
            return [.text(source), .int(files.count), .text(when)] + cells(sum)
        }
    }
    let days = report.changedDays.values.reduce(0, +)
    return Table(
        name: "correction",
        columns: [.init("source", "Source"), .init("files", "Files", .right), .init("when", "When")] + countColumns,
        rows: rows,
        notes: [summary(report.plan, done: true) + (days > 0 ? " \(counted(days, "lake day")) changed." : " No row changed.")])
}

private func summary(_ plan: CorrectionPlan, done: Bool) -> String {
    var (again, dropped, records, left) = (0, 0, 0, 0)
    for step in plan.steps.values {
        switch step {
        case .readAgain: again += 1
        case .dropped: dropped += 1
        case .retried(let count): records += count
        case .left: left += 1
        }
    }
    var parts: [String] = []
    if dropped > 0 { parts.append("\(counted(dropped, "file")) dropped") }
    if again > 0 { parts.append("\(counted(again, "file")) read again") }
    if records > 0 {
        parts.append("\(counted(records, "refused record")) tried again from the quarantine, for want of their files")
    }
    if left > 0 {
        parts.append(
            "\(counted(left, "file")) left as \(left == 1 ? "it is" : "they are"): gone, and the quarantine does not hold all that is needed"
        )
    }
    if parts.isEmpty { return "There is nothing to put right." }
    return (done ? "" : "Would be done: ") + parts.joined(separator: "; ") + (done ? "." : ". Nothing was touched.")
}

/// The home of a command that only reads.
func openedForReading(_ context: RunContext) throws -> Ledger {
    guard let ledger = try context.openForReading() else {
        throw Failure(
            "Nothing was run in this home yet. Run \"vesper run JOB\" first, or give another --home.",
            at: Place(path: context.home))
    }
    return ledger
}
