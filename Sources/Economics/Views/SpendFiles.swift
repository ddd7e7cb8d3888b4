import Common
import Lake

/// The parts of the three logs that a comparison reads, all opened at one moment, and how rows are read from them.
struct SpendFiles {
    typealias Opened = [(part: Part, file: ParquetFile)]

    let usage: Opened
    let charges: Opened
    let bills: [Bill]
    /// Of all months that calls are read of.
    let volumes: MonthVolumes?
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
        volumes = try MonthVolumes(
            of: Period(
                first: min(first, query.period.first), last: max(last ?? query.period.last, query.period.last)), model, lake)
        chargesReader = try RowReader(
            model, lake, log: .charges, texts: ["provider", "model", "tenant", "source", "currency"] + named,
            others: [ColumnSpec("amount", .decimal)])
    }
}

/// Reads the rows of a log in a stretch of time, with what they do not carry looked up.
struct RowReader {
    private let columns: [ColumnSpec]
    private let resolver: Resolver
    private let model: CostModel

    /// - Parameter texts: dimensions by their names.
    init(_ model: CostModel, _ lake: Lake, log: Log, texts: [String], others: [ColumnSpec]) throws {
        self.model = model
        var wanted = Set(texts.map(model.column))
        resolver = try Resolver(model.lookups, for: wanted, job: model.job, lake)
        wanted.formUnion(resolver.columns)
        // A dimension is text; what the log has under its name in another form is none of it.
        let unfit = Set((log.columns + model.jobColumns).filter { $0.type != .text }.map(\.name))
        columns = [ColumnSpec("ts", .timestamp)] + others + wanted.subtracting(unfit).sorted().map { ColumnSpec($0, .text) }
    }

    func each(
        _ files: SpendFiles.Opened, in times: Range<Int64>, where filters: [(dimension: String, value: String)],
        _ body: (Batch, _ day: Day, _ times: [Int64], _ rows: Range<Int>, _ isWanted: [Bool]?) throws -> Void
    ) throws {
        for (part, file) in files {
            for (index, group) in file.groups.enumerated() where group.mayHold("ts", in: times) {
                let batch = resolver.filled(try file.read(group: index, columns: columns), of: part.day)
                guard case .integers(let moments, _)? = batch["ts"] else { continue }
                // Rows of a part are sorted by time.
                let first = moments.partition(at: times.lowerBound)
                let rows = first..<max(first, moments.partition(at: times.upperBound))
                try body(batch, part.day, moments, rows, wanted(batch, filters))
            }
        }
    }

    private func wanted(_ batch: Batch, _ filters: [(dimension: String, value: String)]) -> [Bool]? {
        guard !filters.isEmpty else { return nil }
        var wanted = [Bool](repeating: true, count: batch.count)
        for filter in filters {
            // An empty value asks for the rows that do not say.
            guard case .text(let codes, let dictionary)? = batch[model.column(filter.dimension)] else {
                if !filter.value.isEmpty { wanted = [Bool](repeating: false, count: batch.count) }
                continue
            }
            let matches = dictionary.matches(filter.value)
            for row in 0..<batch.count where !(codes[row] < 0 ? filter.value.isEmpty : matches[Int(codes[row])]) {
                wanted[row] = false
            }
        }
        return wanted
    }
}

extension [Int64] {
    /// Where the first value that is not less stands, in a sorted list.
    fileprivate func partition(at bound: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
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
            columns: times + [ColumnSpec("amount", .decimal)] + texts.sorted().map { ColumnSpec($0, .text) })
        return (0..<batch.count).compactMap { row in
            func text(_ name: String?) -> String? { name.flatMap { batch[$0]?.text(at: row) } }
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
