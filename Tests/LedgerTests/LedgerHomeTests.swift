import Common
import TestSupport
import Testing

@testable import Ledger

@Suite struct LedgerHomeTests {
    @Test("The second run is refused with the kind that becomes exit code 5, and may begin when the first has ended")
    func lock() throws {
        try withHome { home in
            var first: Ledger? = try openLedger(home)
            #expect(first?.run == 1)
            #expect {
                _ = try openLedger(home)
            } throws: { error in
                error as? Failure
                    == Failure(
                        "Another run holds this home. Wait for it to end, or use another --home.",
                        at: Place(path: home + "/lock"), kind: .locked)
            }
            first = nil
            #expect(try openLedger(home).run == 2)
        }
    }

    @Test("A reader is never blocked by a run, and sees what was committed")
    func readers() throws {
        try withHome { home in
            let ledger = try openLedger(home)
            let reader = try #require(try Ledger.openForReading(home: home, migrations: []))
            try ledger.database.transaction {
                try ledger.database.execute("INSERT INTO runs (started_at) VALUES ('later')")
                #expect(try reader.database.lines("SELECT started_at FROM runs") == ["2026-11-16T00:30:00Z"])
            }
            #expect(try reader.database.lines("SELECT started_at FROM runs") == ["2026-11-16T00:30:00Z", "later"])
        }
    }

    @Test("A reader writes nothing: no file where there is no home, no row where there is one")
    func readOnly() throws {
        try withHome { home in
            #expect(try Ledger.openForReading(home: home + "/none", migrations: []) == nil)
            #expect(try names(in: home) == [])
            _ = try openLedger(home)
            let reader = try #require(try Ledger.openForReading(home: home, migrations: []))
            #expect(
                sentence { try reader.database.execute("DELETE FROM runs") }
                    == "\(home)/ledger.sqlite: The ledger answered \"attempt to write a readonly database\". It is read-only; check its owner and mode."
            )
        }
    }

    @Test("A file that is no ledger is refused as damaged")
    func damaged() throws {
        try withHome { home in
            try writeNew(Array("this is not a database, whatever its name says".utf8), to: home + "/ledger.sqlite")
            #expect(
                sentence { _ = try openLedger(home) }
                    == "\(home)/ledger.sqlite: The ledger answered \"file is not a database\". It is damaged; restore it from a backup."
            )
        }
    }

    @Test("Beside a lake or answers a ledger that is lost or empty is refused", arguments: ["lake", "answers"], [true, false])
    func lost(store: String, isEmpty: Bool) throws {
        try withHome { home in
            try makeFolder("\(home)/\(store)/kalei")
            if isEmpty { try writeNew([], to: home + "/ledger.sqlite") }
            let expected =
                "\(home)/ledger.sqlite: The ledger is lost or empty, and \(store)/ beside it is not. Restore it from a backup, "
                + "or give another --home to begin anew."
            #expect(sentence { _ = try openLedger(home) } == expected)
            #expect(sentence { _ = try Ledger.openForReading(home: home, migrations: []) } == expected)
            #expect(sentence { _ = try openLedger(home) } == expected)  // nothing was begun meanwhile
        }
    }

    @Test("A receipt comes back as it was written, and a later one takes its place")
    func receipts() throws {
        try withHome { home in
            let ledger = try openLedger(home)
            let now = try #require(Instant("2026-11-16T00:30:00Z"))
            let (one, two) = (Digest.of("one"), Digest.of("two"))
            #expect(try ledger.receipt(job: "kalei", period: "2026-W46", stage: "price") == nil)
            let receipt = Receipt(inputs: one, outputs: two, summary: "2,110 requests, 12.40 USD")
            try ledger.record(receipt, job: "kalei", period: "2026-W46", stage: "price", now: now)
            #expect(try ledger.receipt(job: "kalei", period: "2026-W46", stage: "price") == receipt)
            #expect(try ledger.receipt(job: "neni", period: "2026-W46", stage: "price") == nil)
            let later = Receipt(inputs: two, outputs: one, summary: "it's \"later\"")
            try ledger.record(later, job: "kalei", period: "2026-W46", stage: "price", now: now + 60)
            #expect(try ledger.receipt(job: "kalei", period: "2026-W46", stage: "price") == later)
        }
    }

    @Test("All receipts of a job come by period and stage, with the time of the last writing")
    func receiptList() throws {
        try withHome { home in
            let ledger = try openLedger(home)
            let now = try #require(Instant("2026-11-16T00:30:00Z"))
            for (period, stage) in [("2026-W46", "report"), ("2026-W45", "price"), ("all", "ingest"), ("2026-W46", "price")] {
                try ledger.record(
                    Receipt(inputs: .of(""), outputs: .of(""), summary: stage), job: "kalei", period: period, stage: stage,
                    now: now)
            }
            #expect(
                try ledger.receipts(job: "kalei").map { "\($0.period) \($0.stage) \($0.summary) \($0.at)" } == [
                    "2026-W45 price price 2026-11-16T00:30:00Z", "2026-W46 price price 2026-11-16T00:30:00Z",
                    "2026-W46 report report 2026-11-16T00:30:00Z", "all ingest ingest 2026-11-16T00:30:00Z",
                ])
        }
    }

    @Test("Work and its receipt are kept together, or neither")
    func together() throws {
        try withHome { home in
            let work = Migration("work", "1", "CREATE TABLE work (id INTEGER PRIMARY KEY) STRICT")
            let ledger = try openLedger(home, [work])
            let now = try #require(Instant("2026-11-16T00:30:00Z"))
            #expect(throws: Failure.self) {
                try ledger.database.transaction {
                    try ledger.database.execute("INSERT INTO work VALUES (1)")
                    try ledger.record(
                        Receipt(inputs: .of(""), outputs: .of(""), summary: ""), job: "kalei", period: "all", stage: "ingest",
                        now: now)
                    try ledger.database.execute("INSERT INTO work VALUES (1)")
                }
            }
            #expect(try ledger.database.lines("SELECT count(*) FROM work UNION ALL SELECT count(*) FROM receipts") == ["0", "0"])
        }
    }

    @Test("A ledger opened for reading records nothing: its run is none")
    func noRun() throws {
        try withHome { home in
            let ledger = try openLedger(home)
            #expect(
                sentence {
                    try ledger.database.execute("INSERT INTO receipts VALUES ('kalei', 'all', 'ingest', '', '', '', 0, '')")
                }?.contains("FOREIGN KEY constraint failed") == true)
        }
    }
}
