import Common
import Lake
import Ledger

/// What a query came to: its rows, sorted by time and then keys, and all of them together.
public struct CostTable: Equatable, Sendable {
    public let rows: [CostRow]
    /// Users who stand in several rows are counted once; nil where there was no request.
    public let total: CostRow?
}

/// Prices every request of a period and adds up, by stretch of local days and the wanted dimensions; sorted by time, then keys.
public func rollUpCosts(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws -> [CostRow] {
    try tabulateCosts(query, model, lake).rows
}

/// The same with a total, on several threads: the parts of the lake are divided among them.
public func tabulateCosts(_ query: CostQuery, _ model: CostModel, _ lake: Lake, threads: Int = 1) throws -> CostTable {
    try groupCosts(query, model, lake, threads: threads).table(of: query)
}

func groupCosts(_ query: CostQuery, _ model: CostModel, _ lake: Lake, threads: Int) throws -> GroupedCosts {
    let days = lakeDays(of: query.period, in: model.zone)
    // Plans and usage are of one moment, also beside a run.
    let (plan, files) = try lake.consistently {
        let parts = try lake.parts(job: model.job, log: .usage, from: days.first, to: days.last)
        return (try CostPlan(query, model, lake), try parts.map { ($0, try lake.open($0)) })
    }
    let pool = AccumulatorPool(plan)
    try inParallel(files.count, threads: threads) { index in
        let (part, file) = files[index]
        try pool.lend { accumulator in
            for (index, group) in file.groups.enumerated() {
                // Where all rows of a group fall on one stretch of days, their times need not be read.
                let times = group.stats(for: "ts")?.integers
                let bucket = plan.resolver.isEmpty ? times.flatMap(plan.bucket) : nil
                if let times, times.upperBound < plan.bounds[0] || times.lowerBound >= plan.bounds[plan.bounds.count - 1] {
                    continue
                }
                let columns = plan.columns(of: group, times: bucket == nil)
                try accumulator.add(try file.read(group: index, columns: columns), of: part.day, bucket: bucket)
            }
        }
    }
    return try pool.grouped()
}

/// The lake days whose rows may fall on these local days.
public func lakeDays(of period: Period, in zone: Zone) -> (first: Day, last: Day) {
    (zone.start(of: period.first).dayUTC, Instant(microseconds: zone.start(of: period.last + 1).microseconds - 1).dayUTC)
}
