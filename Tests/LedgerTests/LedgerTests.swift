import Common
import Glibc
import Testing

@testable import Ledger

/// A home of its own for one test, removed afterwards.
func withHome(_ work: (String) throws -> Void) throws {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-ledger-XXXXXX".utf8CString)
    let home = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(home) }
    try work(home)
}

/// Opens a home for a run at a fixed time.
func openLedger(_ home: String, _ migrations: [Migration] = [], at time: String = "2026-11-16T00:30:00Z") throws -> Ledger {
    try Ledger.openForRun(home: home, migrations: migrations, now: try #require(Instant(time)))
}

extension Database {
    /// Every row of an answer as one text, its values separated by bars.
    func lines(_ sql: String, _ values: [SQLValue] = []) throws -> [String] {
        try rows(sql, values).map { row in
            row.values.map { value in
                switch value {
                case .null: "null"
                case .integer(let number): String(number)
                case .text(let text): text
                }
            }.joined(separator: "|")
        }
    }
}
