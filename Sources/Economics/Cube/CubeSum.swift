import Common
import Lake

/// Puts the days of the cache, and those that were added up from the rows, together as the answer to one query.
final class CubeSum: @unchecked Sendable {
    // `unchecked`: what changes while several threads add is behind the lock.
    private let lock = Lock()
    private let query: CostQuery
    private let buckets: [Period]
    private let bucketOfDay: [Day: Int]
    private var registry: UserRegistry?
    private var waiting: [Groups]
    private var slicesLeft: [Int]
    private var rows: [CostRow] = []
    private var everybody = UserBits()
    private var allTenants: Set<String> = []

    struct Gathered {
        var measures = Measures()
        var users = UserBits()
        var tenants: Set<String> = []

        mutating func add(_ other: Gathered) throws {
            try measures.add(other.measures)
            users.formUnion(other.users)
            tenants.formUnion(other.tenants)
        }
    }

    typealias Groups = [[String?]: Gathered]

    /// `lacks` is the registry where some days come from the rows: their users' names need numbers.
    init(_ query: CostQuery, lacks registry: UserRegistry?) {
        (self.query, self.registry) = (query, registry)
        buckets = query.grain.buckets(of: query.period)
        var bucketOfDay: [Day: Int] = [:]
        for (index, bucket) in buckets.enumerated() { for day in bucket.days { bucketOfDay[day] = index } }
        self.bucketOfDay = bucketOfDay
        waiting = [Groups](repeating: [:], count: buckets.count)
        slicesLeft = [Int](repeating: 0, count: buckets.count)
    }

    func add(_ grouped: GroupedCosts) throws {
        for row in grouped.rows {
            var own = Gathered(measures: row.measures)
            for code in grouped.users(of: row) {
                if let number = registry?.number(of: grouped.names[code]) { own.users.insert(number) }
            }
            own.tenants = Set(grouped.tenants(of: row).map { grouped.tenants[$0] })
            try waiting[bucketOfDay[row.period.first] ?? 0][row.keys, default: Gathered()].add(own)
        }
    }

    func add(_ days: [Day: CachedDay], threads: Int) throws {
        // A bucket is finished as soon as its days are there, so that not all users of a year are in memory.
        let ofBucket = Dictionary(grouping: days.values.sorted { $0.day < $1.day }) { bucketOfDay[$0.day] ?? 0 }
        let pieces = buckets.count >= 4 * threads ? 1 : 4 * threads
        var slices: [(bucket: Int, days: [CachedDay])] = []
        for bucket in buckets.indices {
            let own = ofBucket[bucket] ?? []
            let size = max(1, (own.count + pieces - 1) / pieces)
            for start in stride(from: 0, to: own.count, by: size) {
                slices.append((bucket, Array(own[start..<min(start + size, own.count)])))
                slicesLeft[bucket] += 1
            }
        }
        for bucket in buckets.indices where slicesLeft[bucket] == 0 { finish(bucket) }
        let work = slices
        try inParallel(work.count, threads: threads) { index in
            let groups = try self.sum(work[index].days)
            try self.lock.held { try self.merge(groups, into: work[index].bucket) }
        }
    }

    private func merge(_ groups: Groups, into bucket: Int) throws {
        if waiting[bucket].isEmpty {
            waiting[bucket] = groups
        } else {
            for (keys, own) in groups { try waiting[bucket][keys, default: Gathered()].add(own) }
        }
        slicesLeft[bucket] -= 1
        if slicesLeft[bucket] == 0 { finish(bucket) }
    }

    private func finish(_ bucket: Int) {
        for (keys, own) in waiting[bucket] {
            everybody.formUnion(own.users)
            allTenants.formUnion(own.tenants)
            rows.append(row(buckets[bucket], keys, own))
        }
        waiting[bucket] = [:]
    }

    private func row(_ period: Period, _ keys: [String?], _ own: Gathered) -> CostRow {
        var row = CostRow(period: period, keys: keys, measures: own.measures)
        if query.details.contains(.users) { row.users = own.users.count }
        if query.details.contains(.tenants) { row.tenants = own.tenants.count }
        return row
    }

    func table() throws -> CostTable {
        guard !rows.isEmpty else { return CostTable(rows: [], total: nil) }
        var whole = Gathered(users: everybody, tenants: allTenants)
        for row in rows { try whole.measures.add(row.measures) }
        return CostTable(
            rows: rows.map { ($0, $0.sortKey) }.sorted { ($0.0.period, $0.1) < ($1.0.period, $1.1) }.map(\.0),
            total: row(query.period, [], whole))
    }

    // MARK: - Days of the cache

    private func sum(_ days: [CachedDay]) throws -> Groups {
        var groups: Groups = [:]
        for day in days {
            try addCosts(of: day, to: &groups)
            if query.details.contains(.users), let users = day.users { try addUsers(users, by: day.usersBy, to: &groups) }
        }
        return groups
    }

    private func isWanted(_ keys: [String?], _ places: [Int]) -> Bool {
        zip(query.filters, places).allSatisfy { filter, place in (keys[place] ?? "") == filter.value }
    }

    private func addCosts(of day: CachedDay, to groups: inout Groups) throws {
        let names = query.dimensions + query.filters.map(\.dimension) + (query.details.contains(.tenants) ? ["tenant"] : [])
        let read = Array(Set(names)).sorted()
        func places(_ names: [String]) -> [Int] { names.map { read.firstIndex(of: $0) ?? 0 } }
        let (keyPlaces, filterPlaces) = (places(query.dimensions), places(query.filters.map(\.dimension)))
        let tenant = query.details.contains(.tenants) ? read.firstIndex(of: "tenant") : nil
        try CubeRows.each(day.costs, dimensions: read, outcomes: query.details.contains(.outcomes)) { texts, measures in
            guard isWanted(texts, filterPlaces) else { return }
            let keys = keyPlaces.map { texts[$0] }
            try groups[keys, default: Gathered()].measures.add(measures)
            if let tenant, let name = texts[tenant] { groups[keys]?.tenants.insert(name) }
        }
    }

    private func addUsers(_ file: ParquetFile, by dimensions: [String], to groups: inout Groups) throws {
        func places(_ names: [String]) -> [Int] { names.map { dimensions.firstIndex(of: $0) ?? 0 } }
        let (keyPlaces, filterPlaces) = (places(query.dimensions), places(query.filters.map(\.dimension)))
        let batch = try file.readAll(columns: UserSets.specs(dimensions))
        UserSets.each(batch, by: dimensions) { texts, rows, blocks, bits in
            guard isWanted(texts, filterPlaces) else { return }
            groups[keyPlaces.map { texts[$0] }, default: Gathered()].users.formUnion(rows, blocks, bits)
        }
    }
}
