import Common

/// One named step of a module's tables. The list of a module only ever grows, and a step never mentions today's types.
public struct Migration: Sendable {
    public let module: String
    public let name: String
    let sql: [String]

    public init(_ module: String, _ name: String, _ sql: String...) { (self.module, self.name, self.sql) = (module, name, sql) }
}

extension Database {
    /// Brings the tables up to the given steps, each once and in order; refuses a file that a newer version has written.
    func migrate(_ steps: [Migration]) throws {
        try transaction {
            try execute(
                "CREATE TABLE IF NOT EXISTS migrations (module TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (module, name)) STRICT"
            )
            let applied = try appliedSteps()
            try refuseNewer(applied, known: steps)
            for step in steps where !applied.contains(step.key) {
                for sql in step.sql { try execute(sql) }
                try execute("INSERT INTO migrations VALUES (?, ?)", [.text(step.module), .text(step.name)])
            }
        }
    }

    /// For readers: the same refusal, and a sentence where an older home has not been brought up to date yet.
    func checkMigrated(_ steps: [Migration]) throws {
        let applied = try appliedSteps()
        try refuseNewer(applied, known: steps)
        guard steps.allSatisfy({ applied.contains($0.key) }) else {
            throw Failure(
                "This home was made by an older vesper. Run \"vesper run\" once to bring it up to date.", at: Place(path: path))
        }
    }

    /// Whether nothing was ever written to it: new, or cut down to nothing.
    func isBlank() throws -> Bool { try rows("SELECT 1 FROM sqlite_schema LIMIT 1").isEmpty }

    private func appliedSteps() throws -> Set<String> {
        // A first run that was killed before its migration leaves a file without tables.
        if try rows("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").isEmpty { return [] }
        return Set(try rows("SELECT module, name FROM migrations").map { $0.text(0) + "/" + $0.text(1) })
    }

    private func refuseNewer(_ applied: Set<String>, known steps: [Migration]) throws {
        let unknown = applied.subtracting(steps.map(\.key)).sorted()
        guard let first = unknown.first else { return }
        throw Failure(
            "This home was written by a newer vesper (step \(first) is unknown here). Use that version, or another --home.",
            at: Place(path: path))
    }
}

extension Migration { fileprivate var key: String { module + "/" + name } }
