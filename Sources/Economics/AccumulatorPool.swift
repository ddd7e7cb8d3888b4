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
        for accumulator in idle {
            let users = codes(of: accumulator.users.names.dictionary, in: &users)
            let tenants = codes(of: accumulator.tenants.names.dictionary, in: &tenants)
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
                row.users += accumulator.users.members[index].map { users[Int($0)] }
                row.tenants += accumulator.tenants.members[index].map { tenants[Int($0)] }
                row.latency.add(accumulator.latency[index])
                row.firstToken.add(accumulator.firstToken[index])
                rows[texts, default: [:]][key.bucket] = row
            }
        }
        return GroupedCosts(rows: rows.values.flatMap(\.values), names: users.dictionary, tenants: tenants.dictionary)
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
        /// One may stand several times.
        var users: [Int32] = []
        var tenants: [Int32] = []
        var latency = ValueCounts()
        var firstToken = ValueCounts()
    }

    let rows: [Row]
    let names: TextDictionary
    let tenants: TextDictionary

    func table(of query: CostQuery) throws -> CostTable {
        guard !rows.isEmpty else { return CostTable(rows: [], total: nil) }
        var (users, tenants) = (DistinctCounter(names.count), DistinctCounter(tenants.count))
        var whole = CostRow(period: query.period, keys: [], measures: Measures())
        var (latency, firstToken) = (ValueCounts(), ValueCounts())
        let table = try rows.map { row in (row, CostRow.sortKey(row.keys)) }.sorted { ($0.0.bucket, $0.1) < ($1.0.bucket, $1.1) }
            .map { row, _ in
                var own = CostRow(period: row.period, keys: row.keys, measures: row.measures)
                own.hour = row.hour
                if query.details.contains(.users) { own.users = users.count(row.users) }
                if query.details.contains(.tenants) { own.tenants = tenants.count(row.tenants) }
                if query.details.contains(.latency) { own.latency = row.latency.percentiles }
                if query.details.contains(.firstToken) { own.firstToken = row.firstToken.percentiles }
                latency.add(row.latency)
                firstToken.add(row.firstToken)
                try whole.measures.add(row.measures)
                return own
            }
        if query.details.contains(.users) { whole.users = users.all }
        if query.details.contains(.tenants) { whole.tenants = tenants.all }
        if query.details.contains(.latency) { whole.latency = latency.percentiles }
        if query.details.contains(.firstToken) { whole.firstToken = firstToken.percentiles }
        return CostTable(rows: table, total: whole)
    }
}

/// Counts codes once for each row, and once over all rows.
private struct DistinctCounter {
    private var seen: [Bool]
    private var everybody: [Bool]
    private(set) var all = 0

    init(_ count: Int) {
        seen = [Bool](repeating: false, count: count)
        everybody = seen
    }

    mutating func count(_ codes: [Int32]) -> Int {
        var count = 0
        for code in codes where !seen[Int(code)] {
            seen[Int(code)] = true
            count += 1
            if !everybody[Int(code)] { (everybody[Int(code)], all) = (true, all + 1) }
        }
        for code in codes { seen[Int(code)] = false }
        return count
    }
}
