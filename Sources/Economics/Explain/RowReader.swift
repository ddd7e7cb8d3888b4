import Common
import Lake

/// Keeps the rows whose dimension has one of these values; an empty one stands for rows that do not say it.
struct RowFilter {
    let dimension: String
    let values: [String]

    init(_ dimension: String, _ values: [String]) { (self.dimension, self.values) = (dimension, values) }
}

/// Reads the rows of a log in a stretch of time, with what they do not carry looked up.
struct RowReader {
    typealias Opened = [(part: Part, file: ParquetFile)]

    private let columns: [ColumnSpec]
    private let resolver: Resolver
    private let model: CostModel

    /// What is read at a time: some rows of a part.
    struct Rows {
        let part: Part
        /// As stored, and with what was looked up.
        let raw: Batch
        let batch: Batch
        let times: [Int64]
        /// Those of the stretch; of these the ones that no filter leaves out.
        let range: Range<Int>
        let isWanted: [Bool]?

        func forEach(_ body: (Int) throws -> Void) rethrows {
            for row in range where isWanted?[row] ?? true { try body(row) }
        }
    }

    /// - Parameter texts: dimensions by their names.
    init(_ model: CostModel, _ lake: Lake, log: Log, texts: [String], others: [ColumnSpec]) throws {
        self.model = model
        var wanted = Set(texts.map(model.column))
        resolver = try Resolver(model.lookups, for: wanted, job: model.job, lake)
        wanted.formUnion(resolver.columns)
        // What the log itself has under a dimension's name in another form is none of it.
        let unfit = Set(log.columns.filter { $0.type != .text }.map(\.name))
        columns =
            [ColumnSpec("ts", .timestamp)] + others
            + wanted.subtracting(unfit).sorted().map { ColumnSpec($0, model.type(of: $0)) }
    }

    func each(_ files: Opened, in times: Range<Int64>, where filters: [RowFilter], _ body: (Rows) throws -> Void) throws {
        for (part, file) in files {
            for (index, group) in file.groups.enumerated() where group.mayHold("ts", in: times) {
                let raw = withTexts(try file.read(group: index, columns: columns))
                let batch = resolver.filled(raw, of: part.day)
                guard case .integers(let moments, _)? = batch["ts"] else { continue }
                // Rows of a part are sorted by time.
                let first = moments.partition(at: times.lowerBound)
                let rows = first..<max(first, moments.partition(at: times.upperBound))
                try body(
                    Rows(part: part, raw: raw, batch: batch, times: moments, range: rows, isWanted: wanted(batch, filters)))
            }
        }
    }

    /// Flags and counts of the job's own are dimensions by their text.
    private func withTexts(_ batch: Batch) -> Batch {
        let own = Set(model.jobColumns.map(\.name))
        guard batch.specs.contains(where: { own.contains($0.name) && $0.type != .text }) else { return batch }
        let columns = zip(batch.specs, batch.columns).map { own.contains($0.name) ? $1.asText : $1 }
        let specs = batch.specs.map { own.contains($0.name) ? ColumnSpec($0.name, .text) : $0 }
        return Batch(specs: specs, columns: columns, count: batch.count)
    }

    private func wanted(_ batch: Batch, _ filters: [RowFilter]) -> [Bool]? {
        guard !filters.isEmpty else { return nil }
        var wanted = [Bool](repeating: true, count: batch.count)
        for filter in filters {
            let takesUnsaid = filter.values.contains("")
            guard case .text(let codes, let dictionary)? = batch[model.column(filter.dimension)] else {
                if !takesUnsaid { wanted = [Bool](repeating: false, count: batch.count) }
                continue
            }
            var matches = [Bool](repeating: false, count: dictionary.count)
            for value in filter.values {
                for (code, fits) in dictionary.matches(value).enumerated() where fits { matches[code] = true }
            }
            for row in 0..<batch.count where !(codes[row] < 0 ? takesUnsaid : matches[Int(codes[row])]) { wanted[row] = false }
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
