import Common
import Lake
import Ledger
import TestSupport
import Testing

@testable import Insights

@Suite struct InsightTests {
    @Test("An insight is by template, about the user, weekly and without private text, unless it says otherwise")
    func defaults() throws {
        let made = try insight()
        #expect(
            made.provider == "template" && made.model == "" && made.maxTokens == 3000 && made.starts == nil && made.consent == nil
        )
        #expect(made.leftAttribute == nil && made.leastActivity == 1 && made.excerpts == 0 && made.textGoesTo == [])
    }

    @Test(
        "An insight that cannot be obeyed is refused with its place",
        arguments: [
            Case(
                "an unknown provider", #"provider: "templat""#,
                #"job:1:59: unknown provider "templat". Did you mean "template"? Providers are template and files."#),
            Case(
                "a paid provider without a model", #"provider: "files", starts: "2026-10-05""#,
                #"job:1:1: The provider files needs a model. Add model, such as "claude-haiku-4-5"."#),
            Case(
                "a paid provider without a beginning", #"provider: "files", model: "m""#,
                #"job:1:1: The provider files may cost money, so the insight needs "starts": the first day it is made for."#),
            Case(
                "another subject", #"subject: "tenant""#,
                #"job:1:58: "subject" in insight cannot be "tenant". Its values are user."#),
            Case("another period", #"every: "month""#, #"job:1:56: "every" in insight cannot be "month". Its values are week."#),
            Case(
                "text that may go nowhere", "excerpts: 2",
                #"job:1:59: Excerpts are private text, and template is not among text_goes_to. Add it there, or remove excerpts."#
            ),
            Case(
                "text that may go elsewhere",
                #"provider: "files", model: "m", starts: "2026-10-05", excerpts: 2, text_goes_to: ["template"]"#,
                #"job:1:112: Excerpts are private text, and files is not among text_goes_to. Add it there, or remove excerpts."#),
            Case(
                "too many excerpts", "excerpts: 21",
                #"job:1:59: "excerpts" in insight must be a whole number from 0 to 20, not 21."#),
            Case(
                "no tokens", "max_tokens: 0",
                #"job:1:61: "max_tokens" in insight must be a whole number from 1 to 300000, not 0."#),
            Case(
                "an unknown key", "exerpts: 1",
                #"job:1:49: unknown key "exerpts" in insight. Did you mean "excerpts"? Its keys are name, subject, every, prompt, provider, model, max_tokens, starts, consent, left, least_activity, excerpts and text_goes_to."#
            ),
        ])
    func refused(_ row: Case<String, String>) {
        #expect(sentence { _ = try insight(row.input) } == row.expected)
        #expect { _ = try insight(row.input) } throws: { ($0 as? Failure)?.kind == .usage }
    }

    @Test("A name becomes a file name, and a prompt must be there", arguments: ["", "Weekly", "a b", "../a", "a/b", "ä"])
    func names(_ name: String) throws {
        let object = try ConfigObject(
            try parseJSON5(Array(#"{ name: "\#(name)", prompt: "none.md" }"#.utf8), path: "job"), Insight.schema)
        #expect(
            sentence { _ = try Insight(object, folder: "/none", providers: ["template"]) }
                == "job:1:9: An insight's name has small letters, digits, - and _ only: it becomes a file name.")
        let good = try ConfigObject(
            try parseJSON5(Array(#"{ name: "a-b_1", prompt: "none.md" }"#.utf8), path: "job"), Insight.schema)
        #expect(
            sentence { _ = try Insight(good, folder: "/none", providers: ["template"]) }
                == "/none/none.md: could not open the prompt. It does not exist.")
    }

    @Test("Whatever changes a profile or a request changes the definition")
    func definition() throws {
        let base = try insight().definition
        #expect(try insight().definition == base)
        for more in [
            "max_tokens: 2000", #"consent: "c""#, #"left: "l""#, "least_activity: 2", #"starts: "2026-10-05""#, #"model: "m""#,
            #"excerpts: 1, text_goes_to: ["template"]"#,
        ] {
            let changed = try insight(more).definition
            #expect(changed != base, "\(more)")
        }
        #expect(try insight(prompt: promptText + " ").definition != base)
    }
}

@Suite struct ProfileStoreTests {
    private func withWeek(_ work: (Lake, ProfileOrder) throws -> Void) throws {
        try withLake { lake in
            try lake.store([user("u1"), subscription("u1"), user("u2"), subscription("u2")], log: .snapshots)
            try lake.store([session("u1", "2026-11-10T10:00:00Z", "mirror", ["label": "a\"<b>\u{2028}"])], log: .sessions)
            try work(lake, try profileOrder(try insight()))
        }
    }

    @Test("Kept profiles come back as they were made; where they are gone they are made again")
    func kept() throws {
        try withWeek { lake, order in
            let made = try makeProfiles(order, lake)
            #expect(made.count == 2 && made.map(\.standing).contains(.tooQuiet))
            #expect(try keepProfiles(order, lake) == made)
            #expect(try names(in: lake.home + "/cache/kalei/profiles").map { $0.prefix(25) } == ["2026-W46-weekly-spectrum-"])
            #expect(try storedProfiles(order, lake) == made)
            try removeTree(lake.home + "/cache")
            #expect(try storedProfiles(order, lake) == made)
        }
    }

    @Test("Late data gives the week a new file and sweeps the old one; until then the old one is not believed")
    func late() throws {
        try withWeek { lake, order in
            _ = try keepProfiles(order, lake)
            let before = try profileInputs(order, lake)
            try lake.store([session("u1", "2026-10-12T10:00:00Z", "mirror")], log: .sessions)  // in the weeks it is compared with
            #expect(try profileInputs(order, lake) != before)
            let expected = try makeProfiles(order, lake)
            #expect(try storedProfiles(order, lake) == expected)
            _ = try keepProfiles(order, lake)
            #expect(try names(in: lake.home + "/cache/kalei/profiles").count == 1)
            try lake.store([session("u1", "2026-10-10T10:00:00Z", "mirror")], log: .sessions)  // before them
            #expect(try storedProfiles(order, lake) == expected)
        }
    }

    @Test(
        "What profiles depend on: rows, snapshots, the week, the insight and the key, but texts only where excerpts are asked for"
    )
    func inputs() throws {
        try withWeek { lake, order in
            let before = try profileInputs(order, lake)
            for other in [
                try profileOrder(order.insight, week: "2026-W45"), try profileOrder(try insight("least_activity: 2")),
                try profileOrder(order.insight, key: "another"),
            ] {
                #expect(try profileInputs(other, lake) != before)
            }
            let excerpts = try profileOrder(try insight(#"excerpts: 1, text_goes_to: ["template"]"#))
            let withText = try profileInputs(excerpts, lake)
            try lake.store(
                [["id": "t", "part": "entry", "ts": "2026-11-10T10:00:00Z", "user": "u1", "role": "user", "text": "hello"]],
                log: .texts)
            #expect(try profileInputs(order, lake) == before)
            #expect(try profileInputs(excerpts, lake) != withText)
            try lake.store([user("u3")], log: .snapshots)
            #expect(try profileInputs(order, lake) != before)
        }
    }

    @Test("Damaged profiles are refused with what to do")
    func damaged() throws {
        try withWeek { lake, order in
            _ = try keepProfiles(order, lake)
            let path = try lake.home + "/cache/kalei/profiles/" + #require(names(in: lake.home + "/cache/kalei/profiles").first)
            try writeNew(try gzipped(Array("{}\n".utf8)), to: path)
            #expect(
                sentence { _ = try storedProfiles(order, lake) }
                    == "\(path): The profiles are damaged. Delete this file and run again.")
        }
    }

    @Test("Without a key a random one is made once; a reader makes none")
    func randomKey() throws {
        try withLake { lake in
            var asked = 0
            func random() -> [UInt8] {
                asked += 1
                return [UInt8](repeating: UInt8(asked), count: 32)
            }
            let once = [UInt8](repeating: 1, count: 32)
            let keys = [
                try lake.ledger.pseudonymKey(given: nil, random: nil), try lake.ledger.pseudonymKey(given: nil, random: random),
                try lake.ledger.pseudonymKey(given: nil, random: random), try lake.ledger.pseudonymKey(given: nil, random: nil),
            ]
            #expect(keys == [nil, once, once, once])
            #expect(asked == 1)
        }
    }

    @Test("Another key than the home's is refused, for under new names everybody would be asked again", arguments: [true, false])
    func otherKey(startsGiven: Bool) throws {
        try withLake { lake in
            func key(_ given: [UInt8]?) throws -> [UInt8]? {
                try lake.ledger.pseudonymKey(given: given) { [UInt8](repeating: 7, count: 32) }
            }
            _ = try key(startsGiven ? [1, 2] : nil)
            let told = sentence { _ = try key(startsGiven ? nil : [1, 2]) } ?? ""
            #expect(told.contains("This home's pseudonyms were made with another key"))
            #expect(sentence { _ = try key([3, 4]) } == told)
            #expect(try key(startsGiven ? [1, 2] : nil)?.isEmpty == false)
        }
    }
}
