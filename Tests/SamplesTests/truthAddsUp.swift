import Common
import Testing

/// Expects that the truth of each log adds up over its outcomes, files, kinds, days and reasons.
func expectTruthAddsUp(_ truth: JSON, logs: [String]) throws {
    for log in logs {
        let truth = try #require(truth[log])
        func outcomes(_ value: JSON) -> [Int] {
            ["accepted", "duplicate", "out_of_range", "quarantined", "filtered"].map { value[$0]?.int ?? -1 }
        }
        #expect(outcomes(truth).reduce(0, +) == truth["records"]?.int, "\(log)")
        for part in ["by_file", "by_kind"] {
            guard let members = truth[part]?.members else { continue }
            let summed = members.reduce([0, 0, 0, 0, 0]) { sums, member in zip(sums, outcomes(member.value)).map { $0 + $1 } }
            #expect(summed == outcomes(truth), "\(log) \(part)")
        }
        let days = try #require(truth["days"]?.members)
        #expect(days.reduce(0) { $0 + ($1.value["rows"]?.int ?? 0) } == truth["accepted"]?.int, "\(log)")
        for column in truth["sums"]?.members ?? [] where column.value.int != nil {
            #expect(days.reduce(0) { $0 + ($1.value[column.key]?.int ?? 0) } == column.value.int, "\(log) \(column.key)")
        }
        let reasons = truth["reasons"]?.members ?? []
        #expect(reasons.reduce(0) { $0 + ($1.value.int ?? 0) } == truth["quarantined"]?.int, "\(log)")
    }
}
