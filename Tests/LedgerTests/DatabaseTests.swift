import Common
import TestSupport
import Testing

@testable import Ledger

@Suite struct DatabaseTests {
    private func withDatabase(_ work: (Database) throws -> Void) throws {
        try withHome { home in
            let database = try Database(path: home + "/ledger.sqlite", readOnly: false)
            try database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT, number INTEGER) STRICT")
            try work(database)
        }
    }

    @Test(
        "A text comes back byte for byte",
        arguments: [
            Case("nothing", "", 0), Case("a single quote", "it's", 4), Case("a double quote", "say \"hi\"", 8),
            Case("a piece of SQL", "'); DROP TABLE things; --", 25), Case("a placeholder", "? ?1 :name", 10),
            Case("line breaks and tabs", "a\r\n\tb", 5), Case("an accent of two characters", "e\u{301}", 3),
            Case("an accent of one", "\u{e9}", 2),
            Case("Turkish", "Sınav şimdi", 13), Case("an emoji of several", "👩‍👩‍👧", 18), Case("a line separator", "\u{2028}", 3),
            Case("the last character of all", "\u{10ffff}", 4), Case("digits", "007", 3),
        ])
    func texts(_ row: Case<String, Int>) throws {
        try withDatabase { database in
            try database.execute("INSERT INTO things (text) VALUES (?)", [.text(row.input)])
            let back = try #require(try database.rows("SELECT text, length(CAST(text AS BLOB)) FROM things").first)
            #expect(Array(back.text(0).utf8) == Array(row.input.utf8))
            #expect(back.int(1) == row.expected)
            #expect(try database.lines("SELECT id FROM things WHERE text = ?", [.text(row.input)]) == ["1"])
        }
    }

    @Test("Whole numbers of 64 bits and nulls come back")
    func numbers() throws {
        try withDatabase { database in
            for number in [Int64.min, -1, 0, Int64.max] {
                try database.execute("INSERT INTO things (number) VALUES (?)", [.integer(number)])
            }
            try database.execute("INSERT INTO things (number) VALUES (?)", [.null])
            let rows = try database.rows("SELECT number, text FROM things ORDER BY id")
            #expect(rows.map { $0.optionalInteger(0) } == [Int64.min, -1, 0, Int64.max, nil])
            #expect(rows.allSatisfy { $0.optionalText(1) == nil })
            #expect(
                SQLValue.optional(nil) == .null && SQLValue.optional("a") == .text("a") && SQLValue.count(UInt8(7)) == .integer(7)
            )
        }
    }

    @Test("A statement is used again with other values, and none of the last ones stay")
    func prepared() throws {
        try withDatabase { database in
            let sql = "INSERT INTO things (text, number) VALUES (?, ?)"
            try database.execute(sql, [.text("a"), .integer(1)])
            try database.execute(sql, [.text("b")])
            #expect(database.changes == 1)
            #expect(try database.lines("SELECT text, number FROM things ORDER BY id") == ["a|1", "b|null"])
        }
    }

    @Test("What throws inside a transaction leaves no trace of it")
    func rollback() throws {
        try withDatabase { database in
            try database.transaction { try database.execute("INSERT INTO things (id) VALUES (1)") }
            #expect(
                sentence {
                    try database.transaction {
                        try database.execute("INSERT INTO things (id) VALUES (2)")
                        throw Failure("stopped")
                    }
                } == "stopped")
            #expect(try database.lines("SELECT id FROM things") == ["1"])
            // The connection is usable afterwards.
            #expect(try database.transaction { try database.lines("SELECT count(*) FROM things") } == ["1"])
        }
    }

    @Test("Of nested transactions the outermost decides")
    func nested() throws {
        try withDatabase { database in
            _ = sentence {
                try database.transaction {
                    try database.transaction { try database.execute("INSERT INTO things (id) VALUES (1)") }
                    throw Failure("stopped")
                }
            }
            #expect(try database.lines("SELECT id FROM things") == [])
            try database.transaction { try database.transaction { try database.execute("INSERT INTO things (id) VALUES (2)") } }
            #expect(try database.lines("SELECT id FROM things") == ["2"])
        }
    }

    @Test("A mistake in the SQL and a broken constraint are sentences that name the file")
    func refusals() throws {
        try withDatabase { database in
            #expect(
                sentence { try database.execute("SELEC 1") }
                    == "\(database.path): The ledger answered \"near \"SELEC\": syntax error\". While running: SELEC 1")
            try database.execute("INSERT INTO things (id) VALUES (1)")
            #expect(
                sentence { try database.execute("INSERT INTO things (id) VALUES (1)") }
                    == "\(database.path): The ledger answered \"UNIQUE constraint failed: things.id\". While running: INSERT INTO things (id) VALUES (1)"
            )
        }
    }
}
