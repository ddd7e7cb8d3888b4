import Common
import Lake
import Ledger

/// The cube of daily costs: `CubeDeclaration` says what it is; this keeps its days under `cache/` and answers from them.
///
///     cache/kalei/costs/2026-11-09-3fb0….parquet            the costs of a local day, by every dimension
///     cache/kalei/users/plan/2026-11-09-….parquet           who was there, for each set of dimensions that the report declares
///     cache/kalei/users/registry.parquet                    the users' numbers
///     cache/kalei/lookups/8c2f…                              what lookups find on each day, as digests
///
/// Only runs write. A day that is missing, stale or damaged is added up from the rows, so that no answer depends on the cache.
public struct CostCube {
    public static var dimensions: [String] { CubeDeclaration.dimensions }

    let model: CostModel
    let lake: Lake
    let threads: Int

    public init(_ model: CostModel, _ lake: Lake, threads: Int = 1) {
        (self.model, self.lake, self.threads) = (model, lake, threads)
    }

    var costs: CubeFolder { CubeFolder(path: joined(lake.home, "cache/\(model.job)/costs")) }

    func users(by dimensions: [String]) -> CubeFolder {
        let name = dimensions.isEmpty ? "all" : dimensions.joined(separator: "+")
        return CubeFolder(path: joined(lake.home, "cache/\(model.job)/users/\(name)"))
    }

    /// What the costs of a period depend on; equal digests, equal costs. A day of the cache says which prices it asked for, so that
    /// others do not touch it; a day that is not there, or lacks its users, depends on the whole book.
    public func inputs(of period: Period) throws -> Digest {
        let state = try CubeState(model, lake, period)
        let kept = try keptDays(period, state)
        return Digest.of(
            parts: period.days.flatMap { day -> [String] in
                [
                    state.rowsDigest(day).hex,
                    kept.complete.contains(day) ? kept.asked[day] ?? "" : "book " + model.book.digest.hex,
                ]
            })
    }

    private func keptDays(_ period: Period, _ state: CubeState) throws -> (complete: Set<Day>, asked: [Day: String]) {
        let marks = UserRegistry.marks(home: lake.home, job: model.job)
        let names = try costs.names()
        let sets = try model.userSets.map { (dimensions: $0, folder: users(by: $0), names: try users(by: $0).names()) }
        var (complete, asked): (Set<Day>, [Day: String]) = ([], [:])
        for day in period.days {
            let file = costs.first(of: names[day] ?? []) { $0[CubeState.madeFrom] == state.rowsDigest(day).hex }
            guard let file, let answers = state.answers(to: file.metadata, day) else { continue }
            asked[day] = answers
            let areThere = sets.allSatisfy { set in
                set.folder.first(of: set.names[day] ?? []) { state.isCurrent(users: $0, day, by: set.dimensions, marks) } != nil
            }
            if areThere { complete.insert(day) }
        }
        return (complete, asked)
    }

    /// The costs of a period by day and all dimensions.
    public func rows(of period: Period) throws -> [CostRow] {
        try table(CostQuery(period: period, every: .day, by: CostCube.dimensions, with: [.outcomes])).rows
    }

    // MARK: - Filling

    /// Computes and keeps the days that are missing or stale, and leaves all others alone.
    public func fill(_ period: Period) throws {
        // So many days at a time, for all their users are in memory.
        for first in stride(from: period.first.number, through: period.last.number, by: 7).map(Day.init(number:)) {
            try fillWeek(Period(first: first, last: min(first + 6, period.last)))
        }
    }

    private func fillWeek(_ period: Period) throws {
        let state = try CubeState(model, lake, period)
        try state.lookups.keep()
        var registry = UserRegistry(home: lake.home, job: model.job)
        let marks = Set(registry.marks)
        let names = try costs.names()
        let staleCosts = period.days.filter { day in
            costs.first(of: names[day] ?? []) { state.isCurrent(costs: $0, day) }.map { !CubeFolder.isSound($0) } ?? true
        }
        let staleUsers = try model.userSets.map { set in
            let folder = users(by: set)
            let names = try folder.names()
            let days = period.days.filter { day in
                folder.first(of: names[day] ?? []) { state.isCurrent(users: $0, day, by: set, marks) }
                    .map { !CubeFolder.isSound($0) } ?? true
            }
            return (dimensions: set, folder: folder, days: Set(days))
        }
        let stale = Set(staleCosts).union(staleUsers.flatMap(\.days)).sorted()
        guard let first = stale.first, let last = stale.last else { return }
        let needsUsers = staleUsers.contains { !$0.days.isEmpty }
        let dimensions =
            CostCube.dimensions + (needsUsers ? Set(model.userSets.joined()).subtracting(CostCube.dimensions).sorted() : [])
        let query = CostQuery(
            period: Period(first: first, last: last), every: .day, by: dimensions,
            with: needsUsers ? [.outcomes, .users] : [.outcomes])
        let grouped = try groupCosts(query, model, lake, threads: threads)
        let byDay = Dictionary(grouping: grouped.rows) { $0.period.first }
        for day in staleCosts {
            let rows = (byDay[day] ?? []).map { CostRow(period: $0.period, keys: $0.keys, measures: $0.measures) }
                .summed(by: Array(CostCube.dimensions.indices))
            try costs.write(
                day, CubeRows.batch(rows),
                [
                    ("vesper.cube", CubeDeclaration(zone: model.zone.name).json.text),
                    (CubeState.madeFrom, state.rowsDigest(day).hex), (CubeState.asked, state.answers(to: rows, day)),
                ])
        }
        guard needsUsers else { return }
        // Numbers first, then what is kept under them.
        let people = (0..<Int32(grouped.names.count)).map { grouped.names[$0] }
        try registry.add(people)
        let numbers = people.map { registry.number(of: $0) }
        for (set, folder, days) in staleUsers {
            let places = set.map { dimensions.firstIndex(of: $0) ?? 0 }
            for day in days.sorted() {
                var bits: [[String?]: UserBits] = [:]
                for row in byDay[day] ?? [] {
                    let keys = places.map { row.keys[$0] }
                    for code in grouped.users(of: row) { bits[keys, default: UserBits()].insert(numbers[Int(code)]) }
                }
                let mark = registry.mark(holding: bits.values.map(\.bound).max() ?? 0)
                try folder.write(
                    day, UserSets.batch(bits, by: set),
                    [(CubeState.madeFrom, state.rowsDigest(day, set).hex), (CubeState.mark, mark.text)])
            }
        }
    }
}
