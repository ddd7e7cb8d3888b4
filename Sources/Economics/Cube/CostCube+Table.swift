import Common
import Lake

extension CostCube {
    /// Why a query cannot be answered from the cache, as the rest of a sentence; nil where it can.
    public func obstacle(to query: CostQuery) -> String? {
        if query.grain == .hour { return "hours are" }
        if !query.details.isDisjoint(with: [.latency, .firstToken]) { return "percentiles are" }
        let names = query.dimensions + query.filters.map(\.dimension)
        if let other = names.first(where: { !CostCube.dimensions.contains($0) }) { return "\(other) is" }
        if query.details.contains(.users), userSet(for: query) == nil {
            return "users by \(listed(Array(Set(names)).sorted())), for which the report declares no table, are"
        }
        return nil
    }

    /// The fewest dimensions by which users are kept that tell all that the query asks for.
    func userSet(for query: CostQuery) -> [String]? {
        let names = Set(query.dimensions + query.filters.map(\.dimension))
        return model.userSets.filter { names.isSubset(of: $0) }.min { ($0.count, "\($0)") < ($1.count, "\($1)") }
    }

    /// What `tabulateCosts` says, from the cache wherever that is right; days that it lacks are added up from the rows.
    public func table(_ query: CostQuery) throws -> CostTable {
        guard obstacle(to: query) == nil else { return try tabulateCosts(query, model, lake, threads: threads) }
        // The state of the lake and what is read of it are of one moment.
        return try lake.consistently {
            let state = try CubeState(model, lake, query.period)
            let days = try currentDays(query, state)
            if days.isEmpty { return try tabulateCosts(query, model, lake, threads: threads) }
            let missing = runs(of: query.period.days.filter { days[$0] == nil && state.hasRows($0) })
            let namesPeople = !missing.isEmpty && query.details.contains(.users)
            let sum = CubeSum(query, lacks: namesPeople ? UserRegistry(home: lake.home, job: model.job) : nil)
            for missing in missing {
                let part = CostQuery(
                    period: missing, every: .day, by: query.dimensions, where: query.filters, with: query.details)
                try sum.add(try groupCosts(part, model, lake, threads: threads))
            }
            try sum.add(days, threads: threads)
            return try sum.table()
        }
    }

    /// The days of which the cache is right, with their files. A file is believed only if its bytes still give its name.
    private func currentDays(_ query: CostQuery, _ state: CubeState) throws -> [Day: CachedDay] {
        let period = query.period
        let marks = UserRegistry.marks(home: lake.home, job: model.job)
        let names = try costs.names()
        let set = query.details.contains(.users) ? userSet(for: query) : nil
        let people = try set.map { (by: $0, folder: users(by: $0), names: try users(by: $0).names()) }
        var found: [CachedDay] = []
        for day in period.days {
            guard let file = costs.first(of: names[day] ?? [], where: { state.isCurrent(costs: $0, day) }) else { continue }
            var present: ParquetFile?
            if let people {
                present = people.folder.first(of: people.names[day] ?? []) {
                    state.isCurrent(users: $0, day, by: people.by, marks)
                }
                if present == nil { continue }
            }
            found.append(CachedDay(day: day, costs: file, users: present, usersBy: set ?? []))
        }
        let sound = SharedFlags(found.count)
        let days = found
        try inParallel(days.count, threads: threads) { index in
            sound[index] = CubeFolder.isSound(days[index].costs) && days[index].users.map(CubeFolder.isSound) ?? true
        }
        return Dictionary(uniqueKeysWithValues: days.indices.filter { sound[$0] }.map { (days[$0].day, days[$0]) })
    }

    /// Days that follow one another, as periods.
    private func runs(of days: [Day]) -> [Period] {
        var runs: [Period] = []
        for day in days {
            if let last = runs.last, last.last + 1 == day {
                runs[runs.count - 1] = Period(first: last.first, last: day)
            } else {
                runs.append(Period(first: day, last: day))
            }
        }
        return runs
    }
}

/// A day of the cache, opened.
struct CachedDay: Sendable {
    let day: Day
    let costs: ParquetFile
    let users: ParquetFile?
    let usersBy: [String]
}

/// One flag for each of some pieces of work.
private final class SharedFlags: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private var flags: [Bool]

    init(_ count: Int) { flags = [Bool](repeating: false, count: count) }

    subscript(index: Int) -> Bool {
        get { lock.held { flags[index] } }
        set { lock.held { flags[index] = newValue } }
    }
}
