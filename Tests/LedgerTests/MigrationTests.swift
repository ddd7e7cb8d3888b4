import Common
import TestSupport
import Testing

@testable import Ledger

@Suite struct MigrationTests {
    private let first = Migration(
        "notes", "1 notes", "CREATE TABLE notes (text TEXT NOT NULL) STRICT", "INSERT INTO notes VALUES ('made')")
    private let second = Migration("notes", "2 authors", "ALTER TABLE notes ADD COLUMN author TEXT")

    @Test("A step runs once, however often the home is opened")
    func once() throws {
        try withHome { home in
            for _ in 0..<3 { _ = try openLedger(home, [first]) }
            #expect(try openLedger(home, [first]).database.lines("SELECT text FROM notes") == ["made"])
        }
    }

    @Test("A longer list runs its new steps only, and keeps what is there")
    func appended() throws {
        try withHome { home in
            _ = try openLedger(home, [first])
            let database = try openLedger(home, [first, second]).database
            #expect(try database.lines("SELECT text, author FROM notes") == ["made|null"])
            #expect(
                try database.lines("SELECT module, name FROM migrations ORDER BY module, name")
                    == ["ledger|1 runs and receipts", "notes|1 notes", "notes|2 authors"])
        }
    }

    @Test("Steps of two modules may have one name")
    func modules() throws {
        try withHome { home in
            let other = Migration("other", "1 notes", "CREATE TABLE others (text TEXT NOT NULL) STRICT")
            let database = try openLedger(home, [first, other]).database
            #expect(try database.lines("SELECT count(*) FROM notes UNION ALL SELECT count(*) FROM others") == ["1", "0"])
        }
    }

    @Test("The list is append-only: a home that knows a step which this version does not is refused, for runs and for readers")
    func newer() throws {
        try withHome { home in
            _ = try openLedger(home, [first, second])
            let expected =
                "\(home)/ledger.sqlite: This home was written by a newer vesper (step notes/2 authors is unknown here). "
                + "Use that version, or another --home."
            #expect(sentence { _ = try openLedger(home, [first]) } == expected)
            #expect(sentence { _ = try Ledger.openForReading(home: home, migrations: [first]) } == expected)
            // The refusal has let go of the lock and changed nothing.
            #expect(try openLedger(home, [first, second]).database.lines("SELECT count(*) FROM runs") == ["2"])
        }
    }

    @Test("A step that fails takes all of its list back, and the next try begins anew")
    func failing() throws {
        try withHome { home in
            let broken = Migration(
                "notes", "2 authors", "CREATE TABLE authors (name TEXT) STRICT", "INSERT INTO nowhere VALUES (1)")
            #expect(
                sentence { _ = try openLedger(home, [first, broken]) }
                    == "\(home)/ledger.sqlite: The ledger answered \"no such table: nowhere\". While running: INSERT INTO nowhere VALUES (1)"
            )
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
            let mended = try openLedger(home, [first, second]).database.lines(tables)
            #expect(mended == ["migrations", "notes", "receipts", "runs"])
        }
    }

    @Test("A reader of a home that lacks a step is told to run once")
    func older() throws {
        try withHome { home in
            _ = try openLedger(home, [first])
            #expect(
                sentence { _ = try Ledger.openForReading(home: home, migrations: [first, second]) }
                    == "\(home)/ledger.sqlite: This home was made by an older vesper. Run \"vesper run\" once to bring it up to date."
            )
        }
    }

    @Test("A home whose first run was killed before its tables stood is as good as new")
    func unfinished() throws {
        try withHome { home in
            try writeNew([], to: home + "/ledger.sqlite")
            #expect(try Ledger.openForReading(home: home, migrations: [first]) == nil)
            #expect(try openLedger(home, [first]).database.lines("SELECT text FROM notes") == ["made"])
        }
    }
}
