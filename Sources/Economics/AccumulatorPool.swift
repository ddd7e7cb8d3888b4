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

    func table() throws -> CostTable {
        var rows: [[String?]: [Int32: (measures: Measures, users: [Int32])]] = [:]
        var users = TextInterner()
        for accumulator in idle {
            let names = (0..<Int32(accumulator.users.dictionary.count)).map { users.code(of: accumulator.users.dictionary[$0]) }
            for (index, key) in accumulator.keys.enumerated() {
                let texts = key.codes.enumerated().map {
                    $0.element < 0 ? nil : accumulator.texts[$0.offset].dictionary[$0.element]
                }
                var row = rows[texts]?[key.bucket] ?? (Measures(), [])
                try row.measures.add(accumulator.measures[index])
                row.users += accumulator.members[index].map { names[Int($0)] }
                rows[texts, default: [:]][key.bucket] = row
            }
        }
        var seen = [Bool](repeating: false, count: users.dictionary.count)
        var everybody = seen
        func distinct(_ codes: [Int32]) -> Int {
            var count = 0
            for code in codes where !seen[Int(code)] {
                (seen[Int(code)], everybody[Int(code)]) = (true, true)
                count += 1
            }
            for code in codes { seen[Int(code)] = false }
            return count
        }
        let counts = plan.query.countsUsers
        let result = rows.flatMap { keys, buckets in
            buckets.map {
                CostRow(
                    period: plan.buckets[Int($0.key)], keys: keys, measures: $0.value.measures,
                    users: counts ? distinct($0.value.users) : nil)
            }
        }.sorted { ($0.period, $0.sortKey) < ($1.period, $1.sortKey) }
        guard !result.isEmpty else { return CostTable(rows: [], total: nil) }
        var whole = Measures()
        for row in result { try whole.add(row.measures) }
        let people = counts ? everybody.reduce(0) { $0 + ($1 ? 1 : 0) } : nil
        return CostTable(rows: result, total: CostRow(period: plan.query.period, keys: [], measures: whole, users: people))
    }
}
