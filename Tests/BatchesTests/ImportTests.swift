import Common
import TestSupport
import Testing

@testable import Batches

/// Answers that somebody carries back by hand.
@Suite struct ImportTests {
    /// A batch of subjects a and b that is with the provider, its id, its custom ids, and a file for the results.
    private func withSubmitted(_ work: (Desk, String, [String], _ results: String) throws -> Void) throws {
        try withDesk { desk in
            try desk.prepare(["a": 1, "b": 2])
            try desk.submit()
            let id = try #require(try desk.ledger.batches().first?.id)
            try work(desk, id, try desk.customIDs().sorted { $0.key < $1.key }.map(\.value), desk.folder + "/results.jsonl")
        }
    }

    private func good(_ ids: [String]) -> String { ids.map { resultLine($0, answer: #"{"text":"a"}"#) + "\n" }.joined() }

    @Test(
        "A results file is taken in whole, plain or compressed, under the first digits of the batch's id",
        arguments: [false, true])
    func imported(_ compressed: Bool) throws {
        try withSubmitted { desk, id, ids, results in
            let bytes = Array(good(ids.reversed()).utf8)
            try writeNew(compressed ? gzipped(bytes) : bytes, to: results)
            let batch = try importResults(batch: String(id.prefix(4)), from: results, desk.ledger)
            #expect(try readFile(joined(desk.ledger.home, batch.answersPlace), as: "answers") == bytes)
            try desk.collect()
            #expect(try desk.outcomes() == [#"a: answered {"text":"a"}"#, #"b: answered {"text":"a"}"#])
            #expect(
                sentence { _ = try importResults(batch: id, from: results, desk.ledger) }
                    == "The batch \(id) is collected by files; results are imported for one that is submitted by files.")
        }
    }

    private static let refusals: [Case<@Sendable ([String]) -> String, String>] = [
        Case(
            "no JSON", { resultLine($0[0], answer: "{}") + "\nHello\n" },
            ":2: This line is no result: it must be JSON with a custom_id. Nothing was imported."),
        Case(
            "no custom_id", { _ in "\n{\"id\":\"a\"}\n" },
            ":2: This line is no result: it must be JSON with a custom_id. Nothing was imported."),
        Case(
            "another batch's", { resultLine($0[0], answer: "{}") + "\n" + resultLine("ffffffff-000001", answer: "{}") },
            ":2: The custom_id is not one of batch ID. Nothing was imported."),
        Case(
            "one twice",
            { resultLine($0[0], answer: "{}") + "\n" + resultLine($0[1], answer: "{}") + "\n" + resultLine($0[0], answer: "{}") },
            ":3: The custom_id has a result already. Nothing was imported."),
        Case("nothing", { _ in "" }, ": The file holds no results. Nothing was imported."),
        Case("only line ends", { _ in "\n\n" }, ": The file holds no results. Nothing was imported."),
    ]

    @Test("A file that does not fit is refused as a whole, with the line that does not", arguments: refusals)
    func refused(_ row: Case<@Sendable ([String]) -> String, String>) throws {
        try withSubmitted { desk, id, ids, results in
            try writeNew(Array(row.input(ids).utf8), to: results)
            #expect(
                sentence { _ = try importResults(batch: id, from: results, desk.ledger) } == results
                    + row.expected.replacing("ID", with: id))
            #expect(!exists(desk.ledger.home + "/answers"))
            #expect(try desk.ledger.batches().map(\.state) == [.submitted])
        }
    }

    @Test("A batch that is not there, not sent or not by files is refused before the file is read")
    func states() throws {
        try withSubmitted { desk, id, _, _ in
            for unknown in ["0000", "", String(id.prefix(3)), id + "0"] {
                #expect(
                    sentence { _ = try importResults(batch: unknown, from: "/none", desk.ledger) }
                        == "There is no batch \"\(unknown)\". Run \"vesper batch list\" to see them.")
            }
            #expect(
                sentence { _ = try importResults(batch: id, from: "/none", desk.ledger) }
                    == "/none: could not open the results file. It does not exist.")
            try desk.ledger.database.execute("UPDATE batches SET state = 'prepared'")
            #expect(
                sentence { _ = try importResults(batch: id, from: "/none", desk.ledger) }
                    == "The batch \(id) is prepared by files; results are imported for one that is submitted by files.")
        }
        try withDesk("template") { desk in
            try desk.prepare(["a": 1])
            try desk.submit()
            let id = try #require(try desk.ledger.batches().first?.id)
            #expect(
                sentence { _ = try importResults(batch: id, from: "/none", desk.ledger) }
                    == "The batch \(id) is submitted by template; results are imported for one that is submitted by files.")
        }
    }
}
