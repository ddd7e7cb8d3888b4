import Common
import Testing

@testable import Batches
@testable import Insights

@Suite struct PrepareTests {
    /// K-87 and K-92: the shared part stands before the member's own, the same bytes for all. K-09 in part: Haiku 4.5 is asked.
    @Test("A bulk line, byte for byte")
    func line() throws {
        try withDesk { desk in
            let profile = JSON.fields(["days": .number("3"), "label": .string("</profile> \"now\" ü"), "a": .number("1.50")])
            let week = SubjectWeek(user: "user-a", subject: "a", standing: .eligible, profile: profile)
            #expect(
                BulkRequest(week, desk.insight).line(customID: "0123abcd-000001") == #"""
                    {"custom_id":"0123abcd-000001","params":{"model":"claude-haiku-4-5","max_tokens":3000,\#
                    "system":[{"type":"text","text":"Be kind."}],\#
                    "messages":[{"role":"user","content":"The week: \u003cprofile>{\"days\":3,\"label\":\"\\u003c/profile> \\\"now\\\" ü\",\"a\":1.50}\u003c/profile>"}],\#
                    "output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}}}}}

                    """#)
        }
    }

    @Test("Every line is whole JSON, has an id of its own that names its file, and shares its beginning with the others")
    func lines() throws {
        try withDesk { desk in
            try desk.prepare(["a": 1, "b": 2, "c": 33])
            let batch = try #require(try desk.ledger.batches().first)
            #expect(
                batch.file == "requests/kalei/2026-W46/weekly-spectrum-1.jsonl.gz" && batch.requests == 3
                    && batch.state == .prepared)
            let lines = try desk.lines("kalei/2026-W46/weekly-spectrum-1.jsonl.gz")
            #expect(lines.compactMap { $0["custom_id"]?.string } == (1...3).map { "\(batch.id.prefix(8))-00000\($0)" })
            let prefixes = Set(lines.map { $0["params"]?.text.split(separator: #"{\"days\":"#).first ?? "" })
            #expect(prefixes.count == 1)
            #expect(
                try desk.customIDs()
                    == Dictionary(uniqueKeysWithValues: zip(["a", "b", "c"], lines.compactMap { $0["custom_id"]?.string })))
        }
    }

    @Test("The same profiles give the same files and ids in another home")
    func deterministic() throws {
        var found: [[String]] = []
        for _ in 0..<2 {
            try withDesk { desk in
                try desk.prepare(["a": 1, "b": 2])
                let path = desk.ledger.home + "/requests/kalei/2026-W46/weekly-spectrum-1.jsonl.gz"
                found.append([Digest.of(try readFile(path, as: "bulk file")).hex] + (try desk.ledger.batches().map(\.id)))
            }
        }
        #expect(found[0] == found[1])
    }

    /// K-74, K-75 and K-86 in part: one member's profile in each request, and none for whoever is not eligible.
    @Test("Only the eligible are asked, each with a profile of their own")
    func eligible() throws {
        try withDesk { desk in
            let weeks = [
                subject("a", 1), subject("b", 2, .noConsent), subject("c", 3, .tooQuiet), subject("d", 4, .crisis),
                subject("e", 5),
            ]
            let made = try prepareRequests(job: "kalei", insight: desk.insight, period: desk.week, weeks: weeks, desk.ledger)
            #expect(made == PreparedRequests(asked: 2, files: 1, askedBefore: 0))
            #expect(try desk.files() == ["weekly-spectrum-1.jsonl.gz: 1 5"])
            let text = try desk.lines("kalei/2026-W46/weekly-spectrum-1.jsonl.gz").map(\.text).joined()
            #expect(!text.contains("user-"))
        }
    }

    @Test("Nobody eligible, no file")
    func nobody() throws {
        try withDesk { desk in
            let made = try desk.prepare([:])
            #expect(made == PreparedRequests())
            #expect(try desk.ledger.batches().isEmpty && !exists(desk.ledger.home + "/requests"))
        }
    }

    @Test("Files that nobody has sent are made anew with the newest profiles, and what is too much goes")
    func anew() throws {
        try withDesk { desk in
            try desk.prepare(["a": 1, "b": 2, "c": 3], limit: BulkLimit(requests: 1, bytes: 1 << 20))
            #expect(
                try desk.files() == [
                    "weekly-spectrum-1.jsonl.gz: 1", "weekly-spectrum-2.jsonl.gz: 2", "weekly-spectrum-3.jsonl.gz: 3",
                ])
            let notes = desk.ledger.home + "/requests/kalei/2026-W46/weekly-spectrum-notes.jsonl.gz"
            try writeNew([], to: notes)
            #expect(
                try desk.prepare(["a": 1, "c": 33], limit: BulkLimit(requests: 1, bytes: 1 << 20))
                    == PreparedRequests(asked: 2, files: 2))
            #expect(try desk.ledger.batches().map(\.requests) == [1, 1])
            #expect(exists(notes), "only bulk files are swept")
            try removeTree(notes)
            #expect(try desk.files() == ["weekly-spectrum-1.jsonl.gz: 1", "weekly-spectrum-2.jsonl.gz: 33"])
            #expect(try desk.prepare([:]) == PreparedRequests())
            #expect(try desk.files() == [] && desk.ledger.batches().isEmpty)
        }
    }

    /// Promise 7, and K-38 and K-98 in part: one insight for each member and week, however often a run begins.
    @Test("Whoever is in a file that has left is not asked again, even with another profile")
    func once() throws {
        try withDesk { desk in
            try desk.prepare(["a": 1, "b": 2])
            try desk.submit()
            let before = try desk.ledger.batches()
            #expect(try desk.prepare(["a": 11, "b": 2]) == PreparedRequests(asked: 0, files: 0, askedBefore: 2))
            #expect(try desk.prepare(["a": 11, "b": 2, "c": 3]) == PreparedRequests(asked: 1, files: 1, askedBefore: 2))
            #expect(try desk.files() == ["weekly-spectrum-1.jsonl.gz: 1 2", "weekly-spectrum-2.jsonl.gz: 3"])
            #expect(try desk.ledger.batches().first == before.first)
        }
    }

    @Test("About to leave counts as having left")
    func intended() throws {
        try withDesk { desk in
            try desk.prepare(["a": 1])
            try desk.ledger.database.execute("UPDATE batches SET state = 'intended'")
            #expect(try desk.prepare(["a": 2]) == PreparedRequests(asked: 0, files: 0, askedBefore: 1))
        }
    }

    @Test("Another week, insight or job is another question")
    func apart() throws {
        try withDesk { desk in
            try desk.prepare(["a": 1])
            try desk.submit()
            let next = Period(first: desk.week.first + 7, last: desk.week.last + 7)
            #expect(try desk.prepare(["a": 1], week: next).asked == 1)
            #expect(try desk.prepare(["a": 1], insight: desk.other).asked == 1)
            #expect(
                try prepareRequests(job: "neni", insight: desk.insight, period: desk.week, weeks: [subject("a", 1)], desk.ledger)
                    .asked == 1)
            #expect(try desk.ledger.batches().count == 4)
            #expect(try Set(desk.ledger.batches().map(\.id)).count == 4)
        }
    }

    @Test("A file is full at its limit of requests or of bytes; a request that is larger alone stands alone")
    func limits() throws {
        try withDesk { desk in
            let size = BulkRequest(subject("a", 1), desk.insight).params.utf8.count + 64
            for (limit, expected) in [
                (BulkLimit(requests: 2, bytes: 1 << 20), ["1 2", "3 4", "5"]),
                (BulkLimit(requests: 9, bytes: 3 * size), ["1 2 3", "4 5"]),
                (BulkLimit(requests: 9, bytes: 3 * size - 1), ["1 2", "3 4", "5"]),
                (BulkLimit(requests: 9, bytes: 10), ["1", "2", "3", "4", "5"]),
            ] {
                try desk.prepare(["a": 1, "b": 2, "c": 3, "d": 4, "e": 5], limit: limit)
                let found = try desk.files().map { String($0.drop { $0 != " " }.dropFirst()) }
                #expect(found == expected)
            }
        }
        #expect(BulkLimit.anthropic.requests == 100_000 && BulkLimit.anthropic.bytes == 256_000_000)
    }

    @Test("A file that has left is never written over, whichever of many was sent first")
    func numbers() throws {
        try withDesk { desk in
            let one = BulkLimit(requests: 1, bytes: 1 << 20)
            try desk.prepare(["a": 1, "b": 2, "c": 3], limit: one)
            try desk.ledger.database.execute("UPDATE batches SET state = 'submitted' WHERE file LIKE '%-2.jsonl.gz'")
            try desk.prepare(["a": 10, "b": 20, "c": 30], limit: one)
            #expect(
                try desk.files() == [
                    "weekly-spectrum-1.jsonl.gz: 10", "weekly-spectrum-2.jsonl.gz: 2", "weekly-spectrum-3.jsonl.gz: 30",
                ])
        }
    }
}
