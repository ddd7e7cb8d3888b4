import Common
import Lake
import Ledger

/// Everything about a cost query that is the same for all rows, shared by the threads that add them up.
final class CostPlan: Sendable {
    let query: CostQuery
    let model: CostModel
    let columns: [ColumnSpec]
    /// Where each stretch begins, in microseconds, and where the last one ends.
    let bounds: [Int64]
    let buckets: [Period]
    /// Finds what rows do not carry.
    let resolver: Resolver
    /// Only where a price has volume tiers.
    let volumes: MonthVolumes?

    init(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws {
        (self.query, self.model) = (query, model)
        buckets = query.grain.buckets(of: query.period)
        bounds =
            buckets.map { model.zone.start(of: $0.first).microseconds } + [
                model.zone.start(of: query.period.last + 1).microseconds
            ]
        var texts = Set(
            ["provider", "model", "service_tier", "unit"] + (query.dimensions + query.filters.map(\.dimension)).map(model.column))
        if query.countsUsers { texts.insert("user") }
        resolver = try Resolver(model.lookups, for: texts, job: model.job, lake)
        texts.formUnion(resolver.columns)
        volumes = try MonthVolumes(of: query.period, model, lake)
        if volumes != nil { texts.formUnion(["source", "source_file"]) }
        columns  // The time comes first: it is left out where nobody needs it.
        =
            [ColumnSpec("ts", .timestamp)] + Meter.allCases.map { ColumnSpec($0.column, .int64) }
            + [ColumnSpec("quantity", .decimal)] + (volumes == nil ? [] : [ColumnSpec("source_record", .int64)])
            + texts.sorted().map { ColumnSpec($0, .text) }
    }

    /// What is read of a row group: no times where all its rows lie in one stretch, and no quantities where it has none.
    func columns(of group: RowGroup, times: Bool) -> [ColumnSpec] {
        let hasQuantities = group.stats(for: "quantity").map { $0.nullCount < group.rowCount } ?? false
        return columns.filter { $0.name == "ts" ? times : hasQuantities || !["quantity", "unit"].contains($0.name) }
    }

    /// The one stretch in which all of these moments lie, if there is one.
    func bucket(of times: ClosedRange<Int64>) -> Int? {
        let after = bounds.firstIndex { $0 > times.lowerBound } ?? bounds.count
        return after > 0 && after < bounds.count && times.upperBound < bounds[after] ? after - 1 : nil
    }
}
