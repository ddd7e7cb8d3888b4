import Common
import Lake

/// The parts of the three logs that a comparison reads, all opened at one moment, and how rows are read from them.
struct SpendFiles {
    typealias Opened = RowReader.Opened

    let usage: Opened
    let charges: Opened
    let bills: [Bill]
    /// Of all months that calls are read of.
    let volumes: MonthVolumes?
    /// Metered and fixed costs of all days that anything is compared for.
    let lines: [CostLine]
    let usageReader: RowReader
    let chargesReader: RowReader

    /// Must be called within `Lake.consistently`.
    init(_ query: SpendQuery, _ model: CostModel, _ lake: Lake) throws {
        func opened(_ log: Log, _ days: (first: Day, last: Day)?) throws -> Opened {
            try lake.parts(job: model.job, log: log, from: days?.first, to: days?.last).map { ($0, try lake.open($0)) }
        }
        let asked = lakeDays(of: query.period, in: model.zone)
        let times = model.zone.start(of: query.period.first)..<model.zone.start(of: query.period.last + 1)
        // A bill's lake day is that on which its time begins, which may be long before.
        bills = try opened(.invoices, nil).flatMap { try Bill.lines(of: $0.file, query, model) }.filter { $0.overlaps(times) }
        charges = try opened(.charges, asked)
        let first = (bills.map(\.start.dayUTC) + [asked.first]).min() ?? asked.first
        let last = (bills.compactMap { $0.end.map { Instant(microseconds: $0.microseconds - 1).dayUTC } } + [asked.last]).max()
        usage = try opened(.usage, (first, last ?? asked.last))
        let named = query.dimensions + query.filters.map(\.dimension)
        usageReader = try RowReader(
            model, lake, log: .usage, texts: CallPricer.texts + ["tenant"] + named, others: CallPricer.others)
        let span = Period(first: min(first, query.period.first), last: max(last ?? query.period.last, query.period.last))
        volumes = try MonthVolumes(of: span, model, lake)
        lines = try otherCosts(of: span, query.expenses, model, lake).filter { line in
            query.filters.allSatisfy { line.value(of: $0.dimension) ?? "" == $0.value }
        }
        chargesReader = try RowReader(
            model, lake, log: .charges, texts: ["provider", "model", "tenant", "source", "currency"] + named,
            others: [ColumnSpec("amount", .decimal)])
    }
}

/// A line of a vendor's bill.
struct Bill {
    let source: String
    let vendor: String?
    let start: Instant
    /// nil where the line says no end; then nobody knows which usage it is for.
    let end: Instant?
    let isBase: Bool
    let amount: Money
    let currency: String
    /// In the order of the dimensions; nil where the line says none, or bills do not.
    let keys: [String?]

    /// Which dimensions a bill can say, and in which column.
    static func column(_ dimension: String, _ model: CostModel) -> String? {
        switch dimension {
        case "provider": "vendor"
        case "environment", "source", "source_file": dimension
        default: model.column(dimension) == dimension ? nil : model.column(dimension)
        }
    }

    func overlaps(_ times: Range<Instant>) -> Bool {
        start < times.upperBound && (end ?? Instant(microseconds: start.microseconds + 1)) > times.lowerBound
    }

    static func lines(of file: ParquetFile, _ query: SpendQuery, _ model: CostModel) throws -> [Bill] {
        let columns = query.dimensions.map { column($0, model) }
        let filters = query.filters.map { (column: column($0.dimension, model), value: $0.value) }
        let texts = Set(["vendor", "part", "source", "currency"] + (columns + filters.map(\.column)).compactMap { $0 })
        let times = [ColumnSpec("period_start", .timestamp), ColumnSpec("period_end", .timestamp)]
        let batch = try file.readAll(
            columns: times + [ColumnSpec("amount", .decimal)] + texts.sorted().map { ColumnSpec($0, model.type(of: $0)) })
        return (0..<batch.count).compactMap { row in
            func text(_ name: String?) -> String? { name.flatMap { batch[$0]?.asText.text(at: row) } }
            guard let start = batch["period_start"]?.integer(at: row), let amount = batch["amount"]?.decimal(at: row),
                filters.allSatisfy({ text($0.column) ?? "" == $0.value || $0.column == "vendor" })
            else { return nil }
            return Bill(
                source: text("source") ?? "", vendor: text("vendor"), start: Instant(microseconds: start),
                end: batch["period_end"]?.integer(at: row).map(Instant.init(microseconds:)), isBase: text("part") == "base",
                amount: Money(units: amount), currency: text("currency") ?? "", keys: columns.map(text))
        }
    }
}
