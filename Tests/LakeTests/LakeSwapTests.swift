import Common
import Ledger
import TestSupport
import Testing

@testable import Lake

/// Promise 6: a day changes in one step, wherever a run is killed.
@Suite struct LakeSwapTests {
    private let monday = Day(number: 20_766)  // 2026-11-09
    private let place = "lake/kalei/usage/day=2026-11-09"

    /// What `commit` writes in its transaction, without the exchange that follows: as if the run had been killed in between.
    private func intend(_ staged: StagedDay, _ lake: Lake) throws {
        let database = lake.ledger.database
        try database.execute("DELETE FROM parts WHERE day = ?", [.text(staged.day.description)])
        for part in staged.parts {
            try database.execute(
                "INSERT INTO parts VALUES ('kalei', 'usage', ?, ?, ?, ?, ?)",
                [.text(staged.day.description), .text(part.file), .count(part.rows), .count(part.bytes), .text(part.digest.hex)])
        }
        try database.execute("INSERT INTO swaps VALUES (?, ?)", [.text("staging/" + staged.folder), .text(staged.folder)])
    }

    /// Stores one version of the day and hands over the next one, staged.
    private func between(_ old: Batch, _ new: Batch, _ work: (Lake, StagedDay) throws -> Void) throws {
        try withLake { lake in
            if old.count > 0 { try lake.commit(days: [try lake.stage(monday, old)], files: []) {} }
            try work(lake, try lake.stage(monday, new))
        }
    }

    private func expectSettled(_ lake: Lake, _ ids: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try lake.ids() == ids, sourceLocation: sourceLocation)
        #expect(try lake.files(in: place) == lake.parts(job: "kalei", log: .usage).map(\.file), sourceLocation: sourceLocation)
        #expect(!exists(lake.home + "/staging"), sourceLocation: sourceLocation)
        #expect(try lake.ledger.database.rows("SELECT staged FROM swaps").isEmpty, sourceLocation: sourceLocation)
    }

    @Test("Killed before the commit, nothing has happened, and staging is swept")
    func beforeCommit() throws {
        try between(usageRows("a"), usageRows("a", "b")) { lake, _ in
            #expect(try lake.ids() == ["a"])
            #expect(exists(lake.home + "/staging"))
            try lake.rollForward()
            try expectSettled(lake, ["a"])
        }
    }

    @Test("Killed after the commit and before the exchange, the next run rolls forward, and a reader sees the new rows already")
    func beforeExchange() throws {
        try between(usageRows("a"), usageRows("a", "b")) { lake, staged in
            try intend(staged, lake)
            #expect(try lake.ids() == ["a", "b"])
            try lake.rollForward()
            try expectSettled(lake, ["a", "b"])
        }
    }

    @Test("The same for a day that is new")
    func newDay() throws {
        try between(usageRows(), usageRows("a")) { lake, staged in
            try intend(staged, lake)
            #expect(try lake.ids() == ["a"])
            try lake.rollForward()
            try expectSettled(lake, ["a"])
        }
    }

    @Test("Killed after the exchange and before the old rows were swept, they do not come back")
    func afterExchange() throws {
        try between(usageRows("a"), usageRows("a", "b")) { lake, staged in
            try intend(staged, lake)
            try exchange(lake.home + "/staging/" + place, with: lake.home + "/" + place)
            try lake.rollForward()
            try expectSettled(lake, ["a", "b"])
        }
    }

    @Test("Killed within the exchange of a file system that has none, between its two moves, the new rows are put in place")
    func withinExchange() throws {
        try between(usageRows("a"), usageRows("a", "b")) { lake, staged in
            try intend(staged, lake)
            try rename(lake.home + "/" + place, to: lake.home + "/staging/" + place + ".old")
            #expect(try lake.ids() == ["a", "b"])
            try lake.rollForward()
            try expectSettled(lake, ["a", "b"])
        }
    }

    @Test("Killed while a day was taken away, it goes", arguments: ["before the exchange", "after it"])
    func emptied(_ moment: String) throws {
        try between(usageRows("a"), usageRows()) { lake, staged in
            try intend(staged, lake)
            if moment == "after it" { try exchange(lake.home + "/staging/" + place, with: lake.home + "/" + place) }
            try lake.rollForward()
            try expectSettled(lake, [])
            #expect(try names(in: lake.home + "/lake/kalei/usage") == [])
        }
    }

    @Test("A staged file is put in place once, wherever the run was killed", arguments: ["before the move", "after it"])
    func files(_ moment: String) throws {
        try withLake { lake in
            let staged = try lake.stage(Array("refused\n".utf8), at: "quarantine/kalei/api_usage/a.jsonl.gz")
            #expect(staged.place == "quarantine/kalei/api_usage/a.jsonl.gz")
            #expect(try lake.files(in: "quarantine") == [])
            try lake.ledger.database.execute(
                "INSERT INTO swaps VALUES (?, ?)", [.text("staging/" + staged.place), .text(staged.place)])
            if moment == "after it" {
                try makeFolder(lake.home + "/quarantine/kalei/api_usage")
                try rename(lake.home + "/staging/" + staged.place, to: lake.home + "/" + staged.place)
            }
            try lake.rollForward()
            try lake.rollForward()
            #expect(try readText(lake.home + "/" + staged.place, as: "quarantine file") == "refused\n")
            #expect(!exists(lake.home + "/staging"))
        }
    }

    @Test(
        "A file that is to go is gone with the commit, and so are folders without it, wherever the run was killed",
        arguments: ["not at all", "before it went", "after it went"])
    func removedFile(_ when: String) throws {
        try withLake { lake in
            let places = ["quarantine/kalei/api/a", "quarantine/kalei/web/b"]
            try lake.commit(days: [], files: try places.map { try lake.stage([1], at: $0) }) {}
            if when == "not at all" {
                try lake.commit(days: [], files: [StagedFile(removing: places[0])]) {}
            } else {
                try lake.ledger.database.execute("INSERT INTO swaps VALUES ('gone/\(places[0])', '\(places[0])')")
                if when == "after it went" { try removeTree(lake.home + "/" + places[0]) }
                try lake.rollForward()
            }
            #expect(try names(in: lake.home + "/quarantine/kalei") == ["web"])
            #expect(try Common.files(below: lake.home + "/quarantine") == ["kalei/web/b"])
            #expect(try lake.ledger.database.rows("SELECT staged FROM swaps").isEmpty)
        }
    }

    @Test("Where the receipts throw, neither days nor files change")
    func receipts() throws {
        try between(usageRows("a"), usageRows("b")) { lake, staged in
            let file = try lake.stage([1], at: "quarantine/a")
            #expect(
                sentence { try lake.commit(days: [staged], files: [file]) { throw Failure("the disk is full") } }
                    == "the disk is full")
            #expect(try lake.ids() == ["a"])
            try lake.rollForward()
            try expectSettled(lake, ["a"])
            #expect(try lake.files(in: "quarantine") == [])
        }
    }

    @Test("What a killed run left in staging does not get into the day")
    func leftovers() throws {
        try withLake { lake in
            try makeFolder(lake.home + "/staging/" + place)
            try writeNew([1, 2, 3], to: lake.home + "/staging/" + place + "/part-0000000000000000.parquet")
            try lake.commit(days: [try lake.stage(monday, usageRows("a"))], files: []) {}
            try expectSettled(lake, ["a"])
        }
    }

    @Test("A part that stays is the same file as before, and what a killed run linked beside it does no harm")
    func kept() throws {
        try between(usageRows("a"), usageRows("x")) { lake, _ in
            let part = try #require(try lake.parts(job: "kalei", log: .usage).first)
            let before = FileSignature(of: joined(lake.home, part.path))
            try intend(try lake.stage(monday, usageRows("b", "c"), keeping: [part]), lake)
            try lake.rollForward()
            #expect(try lake.ids().sorted() == ["a", "b", "c"])
            #expect(try lake.parts(job: "kalei", log: .usage).map(\.rows).sorted() == [1, 2])
            #expect(FileSignature(of: joined(lake.home, part.path)) == before)
            try expectSettled(lake, try lake.ids())
        }
    }

    @Test("A reader that has opened a snapshot reads its rows to the end, while a run swaps the day")
    func snapshot() throws {
        try between(usageRows("a"), usageRows("b")) { lake, staged in
            let opened = try lake.open { try lake.parts(job: "kalei", log: .usage) }
            try lake.commit(days: [staged], files: []) {}
            #expect(try opened.map { try $0.file.readAll(columns: [ColumnSpec("id", .text)]).columns[0].textuals } == [["a"]])
            #expect(try lake.ids() == ["b"])
        }
    }

    @Test("The same rows again leave the same file, untouched")
    func unchanged() throws {
        try between(usageRows("a"), usageRows("a")) { lake, staged in
            let path = joined(lake.home, try #require(try lake.parts(job: "kalei", log: .usage).first).path)
            let before = FileSignature(of: path)
            try lake.commit(days: [staged], files: []) {}
            #expect(FileSignature(of: path) == before)
            try expectSettled(lake, ["a"])
        }
    }
}
