import Common
import Lake

/// Accumulators for as many threads as come, and what they have added up together.
final class AccumulatorPool: @unchecked Sendable {
    // `unchecked`: the list is behind the lock, and each accumulator is lent to one thread at a time.
    private let lock = Lock()
    private let plan: CostPlan
    private var idle: [CostAccumulator] = []

    init(_ plan: CostPlan) { self.plan = plan }

    func lend(_ work: (CostAccumulator) throws -> Void) throws {
        let accumulator = lock.held { idle.popLast() } ?? CostAccumulator(plan)
        try work(accumulator)
        lock.held { idle.append(accumulator) }
    }

    func grouped() throws -> GroupedCosts {
        var rows: [[String?]: [Int32: GroupedCosts.Row]] = [:]
        var (users, tenants) = (TextInterner(), TextInterner())
        var spaces: [GroupedCosts.Space] = []
        for (space, accumulator) in idle.enumerated() {
            spaces.append(
                GroupedCosts.Space(
                    users: codes(of: accumulator.users.names.dictionary, in: &users),
                    tenants: codes(of: accumulator.tenants.names.dictionary, in: &tenants)))
            for (index, key) in accumulator.keys.enumerated() {
                let texts = key.codes.enumerated().map {
                    $0.element < 0 ? nil : accumulator.texts[$0.offset].dictionary[$0.element]
                }
                let bucket = plan.buckets[Int(key.bucket)]
                var row =
                    rows[texts]?[key.bucket]
                    ?? GroupedCosts.Row(bucket: Int(key.bucket), period: bucket.period, hour: bucket.hour, keys: texts)
                rows[texts, default: [:]][key.bucket] = nil
                try row.measures.add(accumulator.measures[index])
                row.userLists.append(GroupedCosts.Codes(space, accumulator.users, index))
                row.tenantLists.append(GroupedCosts.Codes(space, accumulator.tenants, index))
                row.latency.add(accumulator.latency[index])
                row.firstToken.add(accumulator.firstToken[index])
                rows[texts, default: [:]][key.bucket] = row
            }
        }
        return GroupedCosts(
            rows: rows.values.flatMap(\.values), names: users.dictionary, tenants: tenants.dictionary, spaces: spaces)
    }

    private func codes(of names: TextDictionary, in all: inout TextInterner) -> [Int32] {
        var codes = [Int32](repeating: -1, count: names.count)
        all.assign((0..<Int32(names.count)).map { $0 }, of: names, to: &codes)
        return codes
    }
}

/// What was added up for every stretch of days and combination, in no order, with who was there by their codes.
struct GroupedCosts {
    struct Row {
        let bucket: Int
        let period: Period
        let hour: String?
        let keys: [String?]
        var measures = Measures()
        var userLists: [Codes] = []
        var tenantLists: [Codes] = []
        var latency = ValueCounts()
        var firstToken = ValueCounts()
    }

    /// Who stands in a row, by the codes of one thread; where `isDistinct`, each once.
    struct Codes {
        let space: Int
        let codes: [Int32]
        let isDistinct: Bool

        init(_ space: Int, _ distinct: Distinct, _ group: Int) {
            (self.space, codes, isDistinct) = (space, distinct.members[group], distinct.stretches[group] <= 1)
        }
    }

    /// For the codes of one thread those of `names` and `tenants`.
    struct Space {
        let users: [Int32]
        let tenants: [Int32]
    }

    let rows: [Row]
    let names: TextDictionary
    let tenants: TextDictionary
    let spaces: [Space]

    /// The users of a row by the codes of `names`; one may stand several times.
    func users(of row: Row) -> [Int32] { row.userLists.flatMap { list in list.codes.map { spaces[list.space].users[Int($0)] } } }
    func tenants(of row: Row) -> [Int32] {
        row.tenantLists.flatMap { list in list.codes.map { spaces[list.space].tenants[Int($0)] } }
    }

    func table(of query: CostQuery) throws -> CostTable {
        guard !rows.isEmpty else { return CostTable(rows: [], total: nil) }
        var (users, tenants) = (DistinctCounter(names.count), DistinctCounter(tenants.count))
        // Most rows come from one thread and one part: nobody stands twice in them, and nothing need be translated.
        func count(_ lists: [Codes], _ counter: inout DistinctCounter, _ all: () -> [Int32]) -> Int {
            lists.count == 1 && lists[0].isDistinct ? lists[0].codes.count : counter.count(all())
        }
        var whole = CostRow(period: query.period, keys: [], measures: Measures())
        var (latency, firstToken) = (ValueCounts(), ValueCounts())
        let table = try rows.map { row in (row, CostRow.sortKey(row.keys)) }.sorted { ($0.0.bucket, $0.1) < ($1.0.bucket, $1.1) }
            .map { row, _ in
                var own = CostRow(period: row.period, keys: row.keys, measures: row.measures)
                own.hour = row.hour
                if query.details.contains(.users) { own.users = count(row.userLists, &users) { self.users(of: row) } }
                if query.details.contains(.tenants) { own.tenants = count(row.tenantLists, &tenants) { self.tenants(of: row) } }
                if query.details.contains(.latency) { own.latency = row.latency.percentiles }
                if query.details.contains(.firstToken) { own.firstToken = row.firstToken.percentiles }
                latency.add(row.latency)
                firstToken.add(row.firstToken)
                try whole.measures.add(row.measures)
                return own
            }
        // Only who stands in a row was given a code.
        if query.details.contains(.users) { whole.users = names.count }
        if query.details.contains(.tenants) { whole.tenants = self.tenants.count }
        if query.details.contains(.latency) { whole.latency = latency.percentiles }
        if query.details.contains(.firstToken) { whole.firstToken = firstToken.percentiles }
        return CostTable(rows: table, total: whole)
    }
}

/// Counts codes that may stand several times.
private struct DistinctCounter {
    private var seen: [Bool]

    init(_ count: Int) { seen = [Bool](repeating: false, count: count) }

    mutating func count(_ codes: [Int32]) -> Int {
        var count = 0
        for code in codes where !seen[Int(code)] {
            seen[Int(code)] = true
            count += 1
        }
        for code in codes { seen[Int(code)] = false }
        return count
    }
}
