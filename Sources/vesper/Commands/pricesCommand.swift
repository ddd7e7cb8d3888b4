import Common
import Economics
import Ledger
import Pipeline

let pricesCommand = Command(
    name: "prices", summary: "Shows prices, and puts new ones into effect.",
    about:
        "A job's prices stand in its price books, and in revisions that were applied to it in this home. A revision is knowledge of the day "
        + "it was applied on: with --known-as-of an earlier day, every command gives the old figures.",
    examples: [
        ("vesper prices list kalei", "Every price that counts."),
        ("vesper prices diff kalei new.json5 --from 2026-11-01 --to 2026-11-30", "What new prices would do to November."),
    ],
    subcommands: [listCommand, importCommand, diffCommand, applyCommand], group: "Reading")

private let book = Operand(
    name: "BOOK", about: "A price book file; what it says is taken as knowledge of today.", completes: .file)

// MARK: - List

private let provider = Option(name: "provider", value: "P", about: "Only prices of this provider.")
private let model = Option(
    name: "model", value: "M", about: "Only prices for this model as logs name it, or of this metric or service.")
private let on = Option(name: "on", value: "DAY", about: "Only prices that are charged on this day.")
private let knownAsOf = Option(name: "known-as-of", value: "D", about: "Only prices that were known on this day.")

private let listCommand = Command(
    name: "list", summary: "Lists the prices that count.",
    about:
        "Prints every price of a job's books and revisions that nothing learned later has replaced: for what, since when it is charged "
        + "and known, its source, and where it is written. Rates that are hundreds of times off their neighbours are warned of.",
    operands: [Shared.job], options: [provider, model, on, knownAsOf],
    examples: [
        ("vesper prices list kalei --on 2026-11-09", "What was charged on a day."),
        (
            "vesper prices list kalei --model claude-haiku-4-5-20251001 --format csv",
            "The prices of one model, for a spreadsheet."
        ),
    ], run: performList)

@Sendable private func performList(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let choice = PriceChoice(
        provider: invocation.value(provider), name: invocation.value(model), day: try invocation.day(on),
        knownAsOf: try invocation.day(knownAsOf))
    let context = try context(for: invocation)
    let whole = try job.knowing(try context.openForReading())
    let rows = listPrices(whole.book, choice)
    for unusual in unusualPrices(rows, in: PriceBook([])) { context.talk.warn(unusual.sentence, at: unusual.row.place) }
    let today = job.today(context)
    for row in rows where row.knownFrom > today {
        context.talk.warn(
            "This price is known from \(row.knownFrom) on, which is still to come. Look whether the year is right.", at: row.place
        )
    }
    try show(table(of: rows, notes: rows.isEmpty ? ["No price fits."] : []), invocation)
    return 0
}

/// Prices as they are written; what they are in the ledger for says the revision.
private func table(of rows: [PriceRow], notes: [String]) -> Table {
    let columns: [Table.Column] = [
        .init("provider", "Provider"), .init("kind", "Kind"), .init("what", "What"), .init("tier", "Tier"),
        .init("counted", "Counted"), .init("above", "Above", .right), .init("low", "Rate", .right), .init("high", "To", .right),
        .init("bands", "Bands"), .init("currency", "Currency"), .init("per", "Per"), .init("valid_from", "Valid from"),
        .init("valid_to", "Valid to"), .init("known_from", "Known from"), .init("revision", "Revision", .right),
        .init("mocked", "Mocked"), .init("approximate", "Approximate"), .init("source", "Source"), .init("place", "Where"),
    ]
    return Table(
        name: "prices", columns: columns,
        rows: rows.map { row in
            let bands = row.bands.count < 2 ? "" : row.bands.map(bandText).joined(separator: "; ")
            return [
                .text(row.provider), .text(row.subject.kind), .text(row.subject.description), .text(row.tier),
                .text(row.counted.description), row.aboveInputTokens < 0 ? .blank : .int(Int(row.aboveInputTokens)),
                .decimal(row.low), .decimal(row.high), bands.isEmpty ? .blank : .text(bands), .text(row.currency),
                .text(row.per.description + (row.increment.map { ", in steps of \($0)" } ?? "")),
                .text(row.validFrom.description), row.validTo.map { .text($0.description) } ?? .blank,
                .text(row.knownFrom.description), .int(row.revision), .text(row.isMocked ? "yes" : "no"),
                .text(row.isApproximate ? "yes" : "no"), .text(row.source), .text(row.place.description),
            ]
        }, notes: notes)
}

private func bandText(_ band: PriceBand) -> String {
    "from \(band.from): \(band.low)" + (band.low == band.high ? "" : " to \(band.high)")
}

// MARK: - Import

private let providers = Option(
    name: "provider", value: "NAMES", about: "Providers as the map names them, between commas; * stands for any end.",
    repeats: true)
private let models = Option(
    name: "model", value: "PATTERN", about: "Only models of this name; * stands for any end.", repeats: true)
private let renamed = Option(
    name: "as", value: "NAME", about: "What the logs call the provider; as the map does, unless given.")
private let knownFrom = Option(
    name: "known-from", value: "D", about: "The day on which the map was as it is; today unless given.")
private let validFrom = Option(
    name: "valid-from", value: "D",
    about: "The first day on which the prices are charged: the map does not say; --known-from unless given.")
private let source = Option(
    name: "source", value: "TEXT", about: "Where the map is from, with its version; it becomes the source of every price.")
private let into = Option(
    name: "into", value: "FILE", about: "Write the book to a file that is not there yet; to the output unless given.",
    completes: .file)

private let importCommand = Command(
    name: "import", summary: "Makes a price book of the community's price map.",
    about:
        "Reads LiteLLM's model_prices_and_context_window.json and writes the prices of some providers as a price book, digit for digit. What "
        + "became of every cost key is listed beside it: priced, the same charge as another key, not applied with the reason, or not "
        + "understood. What the map does not say stays unknown: no rate is derived from another. Give the book to prices diff next.",
    operands: [
        Operand(name: "MAP", about: "The map's JSON file; - is standard input.", completes: .file)
    ],
    options: [providers, models, renamed, knownFrom, validFrom, source, into],
    examples: [
        (
            "vesper prices import model_prices_and_context_window.json --provider anthropic --source=LiteLLM-1.110.2 --into anthropic.json5",
            "All prices of one provider as a book."
        ),
        (
            "vesper prices import map.json --provider openai --model gpt-6* --source=LiteLLM-1.110.2 --valid-from 2026-10-01",
            "Some models, whose prices are known to be charged since October."
        ),
    ], run: performImport)

@Sendable private func performImport(_ invocation: Invocation) throws -> Int32 {
    let path = invocation.operands[0]
    let names = try invocation.names(providers)
    guard !names.isEmpty else {
        throw Failure("Whose prices? Give --provider, such as --provider anthropic,openai.", kind: .usage)
    }
    guard let origin = invocation.value(source) else {
        throw Failure(
            "Where is the map from? Give --source with its version, such as --source \"LiteLLM 1.110.2\": every price names its source.",
            kind: .usage)
    }
    let context = try context(for: invocation)
    let known = try invocation.day(knownFrom) ?? context.now.dayUTC
    let valid = try invocation.day(validFrom) ?? known
    let map = try readCommunityMap(path: path, CommunityChoice(providers: names, models: invocation.values(models)))
    let own = Set(map.entries.map(\.provider))
    if invocation.has(renamed), own.count > 1 {
        throw Failure("--as names one provider, and \(listed(own.sorted())) are meant. Import them one by one.", kind: .usage)
    }
    for unusual in map.unusual(on: known) { context.talk.warn(unusual.sentence, at: unusual.row.place) }
    let text = harmless(map.bookText(knownFrom: known, validFrom: valid, source: origin, provider: invocation.value(renamed)))
    let table = table(of: map)
    if let file = invocation.value(into) {
        let bytes = Array(text.utf8)
        guard !exists(file) || (kind(of: file) == .file && (try? readFile(file, as: "price book")) == bytes) else {
            throw Failure(
                "This file exists, and is left as it is. Give another name, or move it away.", at: Place(path: file), kind: .usage
            )
        }
        try writeAtomically(bytes, to: file)
        try show(table, invocation)
        context.talk.note("\(file) is written. See what it would do: vesper prices diff JOB \(file) --from D --to D")
    } else {
        try put(text)
        if !invocation.has(Global.quiet) {
            try put(table.rendered(as: try invocation.choice(Global.format) ?? .table), to: 2)
        }
    }
    return 0
}

private func table(of map: CommunityMap) -> Table {
    let unknown = Set(map.keys.filter { $0.state == .unknown }.map(\.key))
    let priced = map.entries.filter { !$0.charges.isEmpty }.count
    return Table(
        name: "cost_keys",
        columns: [
            .init("key", "Cost key"), .init("state", "State"), .init("what", "What it is, or why not"),
            .init("entries", "Entries", .right), .init("example", "Such as"),
        ],
        rows: map.keys.map {
            [.text($0.key), .text($0.state.rawValue), .text($0.reason), .int($0.entries), .text($0.example)]
        },
        notes: [
            "\(counted(priced, "entry", plural: "entries")) with \(counted(map.entries.reduce(0) { $0 + $1.charges.count }, "rate")), "
                + "\(counted(map.entries.count - priced, "entry", plural: "entries")) without.",
            unknown.isEmpty
                ? "Every cost key is understood."
                : "\(counted(unknown.count, "cost key")) not understood: \(listed(unknown.sorted())).",
        ])
}

// MARK: - Diff

private let by = Option(
    name: "by", value: "NAMES", about: "The dimensions to group by; model,tenant unless given.", repeats: true)

private let diffCommand = Command(
    name: "diff", summary: "Shows what a changed book would do to a period.",
    about:
        "Prices a period under the prices in effect, and under them with what a book says added as knowledge of today, and compares: cost "
        + "now and then, requests that get or lose a price, and the days that change. Nothing is applied. Metered and fixed costs are "
        + "compared where the book says something new of metrics or services, under the name of these. Where a cost is only known in "
        + "part, the difference is that of the known parts. The last row is the sum of all rows.",
    operands: [Shared.job, book], options: [Shared.week, Shared.from, Shared.to, by],
    examples: [
        ("vesper prices diff kalei new.json5 --from 2026-11-01 --to 2026-11-30", "What new prices would do to November."),
        ("vesper prices diff kalei new.json5 --week 2026-W46 --by plan,model --format csv", "One week by plan and model."),
    ], run: performDiff)

@Sendable private func performDiff(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    guard let period = try period(invocation) else {
        throw Failure("Which days? Give --week, or --from and --to, such as --from 2026-11-01 --to 2026-11-30.", kind: .usage)
    }
    var dimensions = try invocation.names(by)
    if dimensions.isEmpty { dimensions = ["model", "tenant"] }
    let known = job.costModel().dimensions
    for name in dimensions where !known.contains(name) {
        let hint = didYouMean(name, from: known)
        throw Failure("There is no dimension \"\(visible(name))\".\(hint) Dimensions are \(listed(known)).", kind: .usage)
    }
    let context = try context(for: invocation)
    let ledger = try openedForReading(context)
    let proposal = try propose(invocation.operands[1], to: job, context, ledger)
    for warning in proposal.warnings { context.talk.diagnostic(warning) }
    let difference = try diffPrices(proposal, of: job, over: period, by: dimensions, context, ledger)
    let columns: [Table.Column] =
        [.init("part", "Part")] + dimensions.map { .init($0, $0.capitalizedFirst) }
        + [
            .init("requests", "Requests", .right), .init("now", "Now \(job.currency)", .right, places: 6),
            .init("then", "Then \(job.currency)", .right, places: 6), .init("difference", "Difference", .right, places: 6),
            .init("newly_priced", "Newly priced", .right), .init("newly_unpriced", "Newly unpriced", .right),
            .init("days", "Days", .right), .init("which", "Which days"),
        ]
    let notes = [
        "\(counted(proposal.learned.rows.count, "price")) of the book \(proposal.learned.rows.count == 1 ? "is" : "are") new, "
            + "\(grouped(proposal.learned.unchanged)) in effect already. "
            + "\(counted(difference.total.days.count, "day")) of \(grouped(difference.days)) with costs would change."
    ]
    try show(
        Table(
            name: "price_difference", columns: columns,
            rows: difference.rows.map { row in
                [.text(row.part ?? "")] + row.keys.map { $0.map(Table.Cell.text) ?? .missing("none") } + cells(row)
            }, totals: [.blank] + dimensions.map { _ in .blank } + cells(difference.total), notes: notes), invocation)
    return 0
}

private func cells(_ row: PriceDifference.Row) -> [Table.Cell] {
    let (low, high) = row.difference
    return [
        .int(row.requests), cell(row.now), cell(row.then), low == high ? .money(low) : .range(low: low, high: high),
        .int(row.newlyPriced), .int(row.newlyUnpriced), .int(row.days.count),
        row.days.isEmpty ? .blank : .text(inRanges(row.days)),
    ]
}

private func cell(_ cost: Cost) -> Table.Cell {
    if !cost.isComplete { return .atLeast(cost.low) }
    return cost.low == cost.high ? .money(cost.low) : .range(low: cost.low, high: cost.high)
}

/// `2026-11-02, 2026-11-05 to 2026-11-09`: days in their order.
private func inRanges(_ days: [Day]) -> String {
    var ranges: [(first: Day, last: Day)] = []
    for day in days {
        if let last = ranges.last, last.last + 1 == day { ranges[ranges.count - 1].last = day } else { ranges.append((day, day)) }
    }
    return ranges.map { $0.first == $0.last ? $0.first.description : "\($0.first) to \($0.last)" }.joined(separator: ", ")
}

// MARK: - Apply

private let note = Option(name: "note", value: "TEXT", about: "Why, for whoever looks at the revision later.")
private let acceptUnusual = Option(
    name: "accept-unusual", value: nil, about: "Apply rates too that are hundreds of times off their neighbours.")
private let dryRun = Option(name: "dry-run", value: nil, about: "Say what would be applied, and touch nothing.")

private let applyCommand = Command(
    name: "apply", summary: "Puts the prices of a book into effect, as a revision.",
    about:
        "Adds what a book says and is not in effect yet to the prices of a job in this home, as knowledge of today. Nothing is replaced: "
        + "--known-as-of gives the figures of before. The next run prices again what has changed. A book that says nothing new makes no "
        + "revision, so applying it twice is applying it once.",
    operands: [Shared.job, book], options: [note, acceptUnusual, dryRun],
    examples: [
        ("vesper prices apply kalei new.json5 --dry-run", "Which prices would be new."),
        ("vesper prices apply kalei new.json5 --note=Anthropic-lowered-Haiku", "Puts them into effect."),
    ], run: performApply)

@Sendable private func performApply(_ invocation: Invocation) throws -> Int32 {
    let job = try oneJob(invocation)
    let path = invocation.operands[1]
    let context = try context(for: invocation)
    let isDry = invocation.has(dryRun)
    // Under the lock: what is new depends on what is in effect.
    let ledger = try isDry ? context.openForReading() : context.openForRun()
    let proposal = try propose(path, to: job, context, ledger)
    for warning in proposal.warnings { context.talk.diagnostic(warning) }
    var rows = proposal.learned.rows
    if let ledger, !isDry {
        let revision = try applyPrices(
            proposal, to: job, note: invocation.value(note) ?? "", acceptUnusual: invocation.has(acceptUnusual), context, ledger)
        rows = revision?.rows ?? []
        if let revision {
            context.talk.note(
                "Revision \(revision.number) of the prices of \(job.name) is in effect, known from \(revision.knownFrom). Run \"vesper run \(job.name)\" to price again what it changes."
            )
        }
    }
    if rows.isEmpty { context.talk.note("Nothing new: every price of the book is in effect already. No revision is made.") }
    try show(
        table(
            of: rows, notes: ["\(counted(rows.count, "price")) new, \(grouped(proposal.learned.unchanged)) in effect already."]),
        invocation)
    return 0
}
