import Common
import Economics
import Lake
import Ledger

extension Job {
    /// The job with all prices that count in a home: those of its books and the revisions that were applied there, with the exchange
    /// rates that its lake holds; the job itself where there is no home yet.
    ///
    /// Whoever prices anything asks this first.
    public func knowing(_ ledger: Ledger?) throws -> Job {
        guard let ledger else { return self }
        var job = with(try book.revised(job: name, ledger))
        job.exchange = try expenses.exchangeRates(costModel(), Lake(ledger))
        return job
    }

    func with(_ book: PriceBook) -> Job {
        var job = self
        job.book = book
        return job
    }

    /// Today, as the job counts days.
    public func today(_ context: RunContext) -> Day { zone.day(of: context.now) }
}

/// What a price book would add to what is in effect, and what is odd about it.
public struct PriceProposal: Sendable {
    public let learned: LearnedPrices
    public let unusual: [UnusualPrice]
    /// Things to say before anybody applies it.
    public let warnings: [Diagnostic]
}

/// Reads a price book and compares it with the prices of a job in this home; `ledger` is nil where nothing was run yet.
public func propose(_ path: String, to job: Job, _ context: RunContext, _ ledger: Ledger?) throws -> PriceProposal {
    guard kind(of: path) == .file else {
        throw Failure(
            "There is no price book here. Give the file that holds the new prices.", at: Place(path: path), kind: .usage)
    }
    let job = try job.knowing(ledger)
    let book = try PriceBook(files: [path])
    try Job.refuseForeignPrices(book, job.expenses, currency: job.currency)
    let learned = try job.book.learning(book, on: job.today(context))
    let unusual = unusualPrices(learned.rows, in: job.book)
    var warnings = unusual.map { Diagnostic(.warning, $0.sentence, at: $0.row.place) }
    warnings += learned.displaced.map { row, later in
        Diagnostic(
            .warning,
            "This price of \(row.counted) for \(row.subject) has no end before \(later.validFrom), so it also stands in for the one of that day at \(later.place). If it is about earlier days only, give it valid_to.",
            at: row.place)
    }
    // Names are read from the job's own books, without dates: they cannot be taken back with --known-as-of.
    if let alias = book.aliases.first(where: { !job.book.aliases.map(\.name).contains($0.name) }) {
        warnings.append(
            Diagnostic(
                .warning, "Aliases are not applied: write \"\(alias.name)\" into a book of the job.", at: alias.place))
    }
    return PriceProposal(learned: learned, unusual: unusual, warnings: warnings)
}

/// What a price book would do to a period of a job, before it is applied: to usage, and where it says something new of metrics or
/// services, to metered and fixed costs.
public func diffPrices(
    _ proposal: PriceProposal, of job: Job, over period: Period, by dimensions: [String], _ context: RunContext, _ ledger: Ledger
) throws -> PriceDifference {
    let now = try job.knowing(ledger)
    let isOfUsage = proposal.learned.rows.allSatisfy { if case .model = $0.subject { true } else { false } }
    return try diffPrices(
        now.costModel(), now.with(proposal.learned.book).costModel(), over: period, by: dimensions,
        isOfUsage ? nil : now.expenses, Lake(ledger), threads: context.threads)
}

/// Makes what a price book says new a revision of the job's prices in this home; nil where it says nothing new.
///
/// The stages that follow find their inputs changed when they are next run.
public func applyPrices(
    _ proposal: PriceProposal, to job: Job, note: String, acceptUnusual: Bool, _ context: RunContext, _ ledger: Ledger
) throws -> PriceRevision? {
    guard !proposal.learned.rows.isEmpty else { return nil }
    if let first = proposal.unusual.first, !acceptUnusual {
        let others = proposal.unusual.count - 1
        throw Failure(
            first.sentence + (others > 0 ? " \(counted(others, "other rate")) \(others == 1 ? "is" : "are") as far off." : "")
                + " Correct it, or give --accept-unusual if it is right; nothing was applied.",
            at: first.row.place, kind: .usage)
    }
    return try ledger.record(
        proposal.learned.rows, job: job.name, on: job.today(context), note: note, now: context.now)
}
