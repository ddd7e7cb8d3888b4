import Batches
import Common
import Economics
import Ingest
import Insights
import Lake
import Reports

/// A job file, read and checked as a whole before any work: the sections of one product, each decoded by the module that obeys it.
public struct Job: Sendable {
    public let name: String
    /// Where it is written, and below which its prompts and prices are found.
    public let path: String
    public let zone: Zone
    public let currency: String
    /// The first day that a report is made for.
    public let starts: Day
    public let acceptFrom: Day
    public let quarantineAtMost: ExactDecimal
    /// A record of more bytes than this is refused.
    public let longestRecord: Int
    public let columns: [ColumnSpec]
    public let sources: [Source]
    /// Of columns that rows do not carry; one that finds another's key stands before it.
    public let lookups: [Lookup]
    /// Of the price files; `knowing` adds what was applied in a home.
    public internal(set) var book: PriceBook
    public let plans: [Plan]
    /// What the product's owner has stated: budgets, allowances, projections.
    public let figures: FigureBook
    /// What is paid for beside the calls of models.
    public let expenses: Expenses
    /// Of the rate files; `knowing` adds those of the lake.
    public internal(set) var exchange: ExchangeRates
    /// Under which names charges and invoices know the providers of usage.
    public let providerNames: ProviderNames
    public let insights: [Insight]
    public let sections: [SectionPlan]
    /// Of the job file's own bytes.
    public let digest: Digest

    public static let schema = ConfigSchema(
        name: "job",
        keys: [
            ConfigKey(
                name: "job", kind: "text", required: true,
                about: "The job's name: small letters, digits, - and _; it becomes a folder."),
            ConfigKey(
                name: "timezone", kind: "zone name", required: true,
                about: "The zone in which days and weeks are cut, such as Europe/Berlin."),
            ConfigKey(
                name: "currency", kind: "currency code", required: true,
                about: "What costs are reported in."),
            ConfigKey(
                name: "starts", kind: "day", required: true,
                about: "The first day that a report is made for; weeks before it are left alone."),
            ConfigKey(name: "accept_from", kind: "day", about: "Rows before this day are out of range; by default 2000-01-01."),
            ConfigKey(
                name: "quarantine_at_most", kind: "share such as 1%",
                about: "With more refused records than this share, and more than 10, a run exits with 2; by default 0.1%."),
            ConfigKey(
                name: "longest_record", kind: "size such as 4 MiB",
                about: "A record with more bytes is refused, which bounds the memory that reading takes; by default 16 MiB."),
            ConfigKey(
                name: "columns", kind: "object: name → text, int64, bool, timestamp or decimal",
                about: "The job's own columns, stored as x_name on every log and usable as dimensions."),
            ConfigKey(
                name: "sources", kind: "list of sources", required: true,
                about: "Which files are read, and how their records become rows."),
            ConfigKey(
                name: "lookups", kind: "object: column → { by, in, take }",
                about:
                    "How columns are found that rows do not carry, in the snapshots; one that finds another's key stands before it."
            ),
            ConfigKey(
                name: "plan_of", kind: "object with user",
                about: "How the plan of a user is found where the event does not print it."),
            ConfigKey(
                name: "prices", kind: "list of price files",
                about: "The price books, beside the job file; without one every cost is unknown."),
            ConfigKey(
                name: "figures", kind: "list of figures files",
                about: "What the owner has stated, beside the job file: budgets, allowances, projections."),
            ConfigKey(
                name: "month", kind: "one of \(listed(MonthLength.allCases.map(\.rawValue)))",
                about:
                    "How many days an amount or a gigabyte of a month is divided by: as many as the month has, which is the default, or always 30."
            ),
            ConfigKey(
                name: "fixed_costs", kind: "list of fixed costs",
                about: "What is paid every month or year, or once, however much is used."),
            ConfigKey(
                name: "unbilled_metrics", kind: "list of text",
                about: "Metrics of the meters log that are no cost; of the others those without a price count as unknown cost."),
            ConfigKey(
                name: "exchange_rates", kind: "list of rate files",
                about: "Dated exchange rates, beside the job file; without a rate an amount stays in its own currency."),
            ConfigKey(
                name: "exchange_rates_from", kind: "object with metric, base and quote",
                about: "Which rows of the meters log are daily exchange rates, beside those of the files."),
            ConfigKey(name: "plans", kind: "object: plan → its price and what it entitles to", about: "What the product sells."),
            ConfigKey(
                name: "providers", kind: "object: provider → list of names",
                about: "Under which other names charges and invoices know a provider of the usage log."),
            ConfigKey(name: "insights", kind: "list of insights", about: "What is asked of a provider, for whom and how often."),
            ConfigKey(name: "report", kind: "list of sections", required: true, about: "What the page shows, in order."),
        ])

    static let planOfSchema = ConfigSchema(
        name: "plan_of",
        keys: [ConfigKey(name: "user", kind: "object", required: true, about: "Where the plan of a user is found.")])

    public init(path: String) throws {
        if let size = FileSignature(of: path)?.size, size > Job.mostBytes {
            throw Failure(
                "The job file has \(grouped(size)) bytes, and none has more than \(grouped(Job.mostBytes)). Give the job file itself.",
                at: Place(path: path), kind: .usage)
        }
        let bytes = try readFile(path, as: "job file")
        let object = try ConfigObject(try parseJSON5(bytes, path: path), Job.schema)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        self.path = path
        name = try object.text("job")
        guard isFileName(name) else {
            throw object.failure("A job's name has small letters, digits, - and _ only: it becomes a folder.", at: "job")
        }
        do { zone = try Zone(named: try object.text("timezone")) } catch let failure as Failure {
            throw failure.place == nil ? object.failure(failure.message, at: "timezone") : failure
        }
        currency = try object.text("currency")
        guard isCurrency(currency) else {
            throw object.failure("A currency is three capital letters (ISO 4217), such as USD.", at: "currency")
        }
        starts = try object.day("starts")
        acceptFrom = try object.optionalDay("accept_from") ?? Day(number: 10_957)  // 2000-01-01
        quarantineAtMost = try Job.share(object, "quarantine_at_most") ?? Job.defaultQuarantineAtMost
        longestRecord = try Job.size(object, "longest_record") ?? IngestOrder.defaultLongestRecord
        columns = try object.named("columns").map { name, place, node in
            guard let type = ColumnType(rawValue: try node.text("the type of \(name)")) else {
                throw node.failure("A column's type is one of \(listed(ColumnType.allCases.map(\.rawValue))).")
            }
            return ColumnSpec("x_" + name, type)
        }
        let columns = columns
        guard object.node("sources")?.json.array?.isEmpty != true else {
            throw object.failure(
                "A job without sources reads nothing. Add at least one, such as { log: \"usage\", files: \"*.jsonl\" }.",
                at: "sources")
        }
        sources = try object.objects("sources", Source.schema).map { try Source($0, jobColumns: columns) }
        for (index, source) in sources.enumerated() where sources[..<index].contains(where: { $0.name == source.name }) {
            throw Failure(
                "Two sources are named \"\(source.name)\". Give one of them a name of its own with \"name\".", at: source.place,
                kind: .usage)
        }
        let textColumns =
            Set(Log.allCases.flatMap(\.columns).filter { $0.type == .text }.map(\.name)).sorted() + columns.map(\.name)
        lookups =
            try object.named("lookups").map { name, _, node in
                try Lookup(name, try ConfigObject(node, Lookup.schema), columns: textColumns)
            }
            + [try object.object("plan_of", Job.planOfSchema)?.object("user", Lookup.planSchema).map { try Lookup(planOf: $0) }]
            .compactMap { $0 }
        let books = try object.texts("prices")
        if let missing = books.first(where: { kind(of: joined(folder, $0)) != .file }) {
            throw object.failure(
                "There is no price book \"\(missing)\" beside the job file. Correct the path, or leave it out: then every cost is unknown.",
                at: "prices")
        }
        if let twice = books.enumerated().first(where: { books[..<$0.offset].contains($0.element) })?.element {
            throw object.failure("The job names \"\(twice)\" twice. Name each price book once.", at: "prices")
        }
        book = try PriceBook(files: books.map { joined(folder, $0) })
        expenses = try Job.expenses(object, book, currency: currency, columns: columns, folder: folder)
        exchange = expenses.rates
        try Job.refuseForeignPrices(book, expenses, currency: currency)
        providerNames = try ProviderNames(object, key: "providers")
        plans = try object.named("plans").map { name, _, node in try Plan(name: name, try ConfigObject(node, Plan.schema)) }
        let tables = try object.texts("figures")
        if let missing = tables.first(where: { kind(of: joined(folder, $0)) != .file }) {
            throw object.failure(
                "There is no figures file \"\(missing)\" beside the job file. Correct the path, or leave it out.", at: "figures")
        }
        figures = try FigureBook(files: tables.map { joined(folder, $0) })
        insights = try object.objects("insights", Insight.schema).map {
            try Insight($0, folder: folder, providers: providers.map(\.name))
        }
        for plan in plans {
            for insight in plan.entitles where !insights.contains(where: { $0.name == insight }) {
                throw object.failure(
                    "The plan \(plan.name) entitles to the insight \"\(insight)\", which the job does not have. Its insights are \(listed(insights.map(\.name))).",
                    at: "plans")
            }
        }
        let model = CostModel(job: name, zone: zone, currency: currency, book: book, lookups: lookups, jobColumns: columns)
        for cost in expenses.fixed { try cost.share?.check(model.dimensions) }
        let insightNames = insights.map(\.name)
        sections = try object.objects("report", SectionPlan.schema).map {
            try SectionPlan($0, dimensions: model.dimensions, insights: insightNames)
        }
        digest = Digest.of(bytes)
    }

    private static let mostBytes: Int64 = 4 << 20
    private static let defaultQuarantineAtMost = ExactDecimal(mantissa: 1, scale: 3) ?? .zero

    private static func expenses(
        _ object: ConfigObject, _ book: PriceBook, currency: String, columns: [ColumnSpec], folder: String
    ) throws -> Expenses {
        let files = try object.texts("exchange_rates")
        if let missing = files.first(where: { kind(of: joined(folder, $0)) != .file }) {
            throw object.failure(
                "There is no rate file \"\(missing)\" beside the job file. Correct the path, or leave it out: then amounts in other currencies stay unconverted.",
                at: "exchange_rates")
        }
        let fixed = try object.objects("fixed_costs", FixedCost.schema).map { try FixedCost($0, book, currency: currency) }
        try fixed.refuseDoubles()
        return Expenses(
            fixed: fixed, rates: try ExchangeRates(files: files.map { joined(folder, $0) }),
            rateColumns: try object.object("exchange_rates_from", RateColumns.schema).map {
                try RateColumns($0, jobColumns: columns)
            }, month: try object.choice("month", of: MonthLength.self, default: .calendar),
            unbilledMetrics: Set(try object.texts("unbilled_metrics")))
    }

    /// Prices must be in the job's currency, or in one that a rate can bring into it.
    static func refuseForeignPrices(_ book: PriceBook, _ expenses: Expenses, currency: String) throws {
        guard let row = book.rows.first(where: { $0.currency != currency && !expenses.mayConvert($0.currency) }) else { return }
        throw Failure(
            "The price is in \(row.currency), but the job reports in \(currency). Two currencies meet only through a dated rate: give one in exchange_rates.",
            at: row.place, kind: .usage)
    }

    private static func share(_ object: ConfigObject, _ key: String) throws -> ExactDecimal? {
        guard let text = try object.optionalText(key) else { return nil }
        guard text.hasSuffix("%"), let percent = ExactDecimal(text.dropLast()), !percent.isNegative, percent <= ExactDecimal(100),
            let share = ExactDecimal(mantissa: percent.mantissa, scale: percent.scale + 2)
        else { throw object.failure("A share is written like \"1%\" or \"0.1%\".", at: key) }
        return share
    }

    private static func size(_ object: ConfigObject, _ key: String) throws -> Int? {
        guard let text = try object.optionalText(key) else { return nil }
        let units = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        let words = text.split(separator: " ")
        guard words.count == 2, let count = Int(words[0]), (1...1 << 20).contains(count), let unit = units[String(words[1])],
            count * unit <= 1 << 30
        else { throw object.failure("A size is written like \"4 MiB\" or \"512 KiB\", and is at most \"1 GiB\".", at: key) }
        return count * unit
    }

    /// How costs come about, under the prices known on a day.
    public func costModel(knownAsOf: Day? = nil) -> CostModel {
        CostModel(
            job: name, zone: zone, currency: currency, book: book, lookups: lookups, jobColumns: columns, knownAsOf: knownAsOf,
            exchange: exchange, userSets: sections.compactMap(\.countsUsersBy))
    }

    /// Whether so many of the records were refused that somebody should look (exit code 2).
    public func refusesTooMuch(_ counts: Counts) -> Bool {
        let refused = Money(units: Int128(counts.quarantinedTotal))
        guard counts.quarantinedTotal > 10, let share = refused.ratio(to: Money(units: Int128(counts.records)), places: 12) else {
            return false
        }
        return share > quarantineAtMost
    }

    /// Every schema of a job file and its price books, for the reference and its test.
    public static let schemas: [ConfigSchema] = [
        schema, Source.schema, ColumnRule.schema, TimeFormat.schema, Condition.schema, Lookup.schema, planOfSchema,
        Lookup.planSchema,
        Plan.schema, PlanPrice.schema, FigureBook.schema, StatedFigure.schema, StatedFigure.cellSchema, Insight.schema,
        SectionPlan.schema, PriceBook.schema, PriceBook.entrySchema, PriceBook.bandSchema, FixedCost.schema, Allocation.schema,
        ExchangeRates.fileSchema, ExchangeRates.rateSchema, ExchangeRates.amountsSchema, RateColumns.schema,
    ]
}
