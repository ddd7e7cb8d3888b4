import Common
import Lake
import Ledger

/// The cube of daily costs: which dimensions it has, and where its days are kept under `cache/`.
///
/// One Parquet file holds one local day, under a name made of the digests of everything the figures depend on: rows, prices, plans
/// and the model. A changed day therefore gets a new file; the old one is swept when the new one is written.
public struct CostCube {
    /// Coarse enough to stay small, fine enough for every section of a page that needs no distinct users.
    public static let dimensions = ["tenant", "environment", "plan", "feature", "provider", "model", "service_tier", "route"]

    private let model: CostModel
    private let lake: Lake
    private let snapshots: Digest

    public init(_ model: CostModel, _ lake: Lake) throws {
        (self.model, self.lake) = (model, lake)
        snapshots = model.lookups.isEmpty ? Digest.of("") : Lake.digest(of: try lake.parts(job: model.job, log: .snapshots))
    }

    /// What the costs of a period depend on; equal digests, equal costs.
    public func inputs(of period: Period) throws -> Digest {
        let days = lakeDays(of: period, in: model.zone)
        let rows = Lake.digest(of: try lake.parts(job: model.job, log: .usage, from: days.first, to: days.last))
        return Digest.of(parts: model.definition + CostCube.dimensions + [snapshots.hex, rows.hex])
    }

    /// The costs of a period by day and all dimensions: from the cache where it is right, otherwise from the rows.
    public func rows(of period: Period) throws -> [CostRow] {
        try period.days.flatMap { day in
            let path = joined(lake.home, try place(of: day))
            if exists(path), let cached = try? read(path, day) { return cached }
            return try compute(day)
        }
    }

    /// Computes and keeps the days that are missing.
    public func fill(_ period: Period) throws {
        for day in period.days {
            let place = try place(of: day)
            let path = joined(lake.home, place)
            if exists(path) { continue }
            let folder = joined(lake.home, folderName)
            for old in try names(in: folder) where old.hasPrefix("\(day)-") { try removeTree(folder + "/" + old) }
            try writeAtomically(try parquetBytes(try batch(of: try compute(day))), to: path)
        }
    }

    private var folderName: String { "cache/\(model.job)/costs" }

    private func place(of day: Day) throws -> String {
        "\(folderName)/\(day)-\(try inputs(of: Period(first: day, last: day)).short).parquet"
    }

    private func compute(_ day: Day) throws -> [CostRow] {
        try rollUpCosts(CostQuery(period: Period(first: day, last: day), every: .day, by: CostCube.dimensions), model, lake)
    }

    // MARK: - As Parquet

    private static let specs =
        dimensions.map { ColumnSpec($0, .text) } + Meter.allCases.map { ColumnSpec($0.column, .int64) }
        + [ColumnSpec("requests", .int64), ColumnSpec("unpriced_requests", .int64), ColumnSpec("unpriced_tokens", .int64)]
        + [ColumnSpec("cost_low", .decimal), ColumnSpec("cost_high", .decimal)]

    private func batch(of rows: [CostRow]) throws -> Batch {
        let texts = CostCube.dimensions.indices.map { index -> Column in
            var interner = TextInterner()
            let codes = rows.map { row in row.keys[index].map { interner.code(of: $0) } ?? -1 }
            return .text(codes, interner.dictionary)
        }
        let tokens = Meter.allCases.indices.map { meter in Column.integers(rows.map { $0.measures.tokens[meter] }, nulls: .none) }
        let counts: [Column] = [
            .integers(rows.map { Int64($0.measures.requests) }, nulls: .none),
            .integers(rows.map { Int64($0.measures.cost.unpricedRequests) }, nulls: .none),
            .integers(rows.map { $0.measures.cost.unpricedTokens }, nulls: .none),
            .decimals(rows.map { $0.measures.cost.low.units }, nulls: .none),
            .decimals(rows.map { $0.measures.cost.high.units }, nulls: .none),
        ]
        return Batch(specs: CostCube.specs, columns: texts + tokens + counts, count: rows.count)
    }

    private func read(_ path: String, _ day: Day) throws -> [CostRow] {
        let batch = try ParquetFile(path: path).readAll(columns: CostCube.specs)
        return (0..<batch.count).map { row in
            var measures = Measures()
            func count(_ name: String) -> Int64 { batch[name]?.integer(at: row) ?? 0 }
            measures.requests = Int(count("requests"))
            measures.tokens = Meter.allCases.map { count($0.column) }
            measures.cost.unpricedRequests = Int(count("unpriced_requests"))
            measures.cost.unpricedTokens = count("unpriced_tokens")
            measures.cost.low = Money(units: batch["cost_low"]?.decimal(at: row) ?? 0)
            measures.cost.high = Money(units: batch["cost_high"]?.decimal(at: row) ?? 0)
            return CostRow(
                period: Period(first: day, last: day), keys: CostCube.dimensions.map { batch[$0]?.text(at: row) },
                measures: measures)
        }
    }
}
