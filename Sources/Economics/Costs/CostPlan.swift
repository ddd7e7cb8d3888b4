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
    let buckets: [(period: Period, hour: String?)]
    /// Finds what rows do not carry.
    let resolver: Resolver
    /// Only where a price has volume tiers.
    let volumes: MonthVolumes?

    init(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws {
        (self.query, self.model) = (query, model)
        let periods = query.grain.buckets(of: query.period)
        let end = model.zone.start(of: query.period.last + 1).microseconds
        if query.grain == .hour {
            let hours = periods.flatMap { day in model.zone.hours(of: day.first).map { (day: day, start: $0) } }
            buckets = hours.map { ($0.day, model.zone.hourLabel($0.start)) }
            bounds = hours.map(\.start.microseconds) + [end]
        } else {
            buckets = periods.map { ($0, nil) }
            bounds = periods.map { model.zone.start(of: $0.first).microseconds } + [end]
        }
        var texts = Set(
            ["provider", "model", "service_tier", "unit"] + (query.dimensions + query.filters.map(\.dimension)).map(model.column))
        if query.details.contains(.users) { texts.insert("user") }
        if query.details.contains(.tenants) { texts.insert("tenant") }
        if query.details.contains(.outcomes) { texts.insert("status") }
        resolver = try Resolver(model.lookups, for: texts, job: model.job, lake)
        texts.formUnion(resolver.columns)
        volumes = try MonthVolumes(of: query.period, model, lake)
        if volumes != nil { texts.formUnion(["source", "source_file"]) }
        let counts =
            (query.details.contains(.outcomes) ? ["attempt"] : []) + (query.details.contains(.latency) ? ["latency_ms"] : [])
            + (query.details.contains(.firstToken) ? ["first_token_ms"] : []) + (volumes == nil ? [] : ["source_record"])
        columns =
            [ColumnSpec("ts", .timestamp), ColumnSpec("quantity", .decimal)]
            + (Meter.allCases.map(\.column) + counts).map { ColumnSpec($0, .int64) }
            + texts.sorted().map { ColumnSpec($0, model.type(of: $0)) }
    }

    /// What is read of a row group: no times where all its rows lie in one stretch, and no counts of which it has none.
    func columns(of group: RowGroup, times: Bool) -> [ColumnSpec] {
        func isThere(_ name: String) -> Bool { group.stats(for: name).map { $0.nullCount < group.rowCount } ?? false }
        return columns.filter {
            switch ($0.name, $0.type) {
            case ("ts", _): times
            case ("unit", _), (_, .int64), (_, .decimal): isThere($0.name)
            default: true
            }
        }
    }

    /// The one stretch in which all of these moments lie, if there is one.
    func bucket(of times: ClosedRange<Int64>) -> Int? {
        let after = bounds.position(after: times.lowerBound)
        return after > 0 && after < bounds.count && times.upperBound < bounds[after] ? after - 1 : nil
    }
}

extension [Int64] {
    /// Where the first of these sorted moments stands that comes after another; their count where none does.
    func position(after time: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
