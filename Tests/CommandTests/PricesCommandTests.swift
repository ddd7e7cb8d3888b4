import Common
import Testing

@testable import vesper

@Suite(.timeLimit(.minutes(5))) struct PricesCommandTests {
    /// A demo whose usage is priced, and a book that says something new about it.
    private func demo() throws -> DemoJob {
        let demo = try DemoJob()
        try demo.folder.write(Self.book("1.00", "9.00"), to: "new.json5")
        #expect(try demo.vesper("run").code == 0)
        return demo
    }

    private static func book(_ input: String, _ output: String, more: String = "") -> String {
        """
        { currency: "USD", prices: [{ provider: "anthropic", model: "claude-haiku-4-5", valid_from: "2026-11-12", known_from: "2026-01-01",
          rates: { input: "\(input)", output: "\(output)" }, \(more) source: "made up" }] }
        """
    }

    private func rows(_ call: Call) throws -> [JSON] {
        let printed = try parseJSON(Array(call.output.utf8), path: "printed")
        return printed["rows"]?.array ?? []
    }

    private func total(_ demo: DemoJob, _ option: String) throws -> JSON? {
        let call = try demo.vesper("costs", ["demo"], option, "--format=json")
        return try parseJSON(Array(call.output.utf8), path: "printed")["totals"]?["cost"]
    }

    @Test func `diff says what a book would do, apply does it once, and the figures of before are still there`() throws {
        let demo = try demo()
        let before = try total(demo, "--by=model")
        let diff = try demo.vesper(
            "prices diff", ["demo", "new.json5"], "--from=2026-11-09", "--to=2026-11-15", "--format=json")
        #expect(diff.code == 0 && diff.talk.isEmpty)
        // Calls of haiku on the 11th, 12th and 13th; the last two have 201 output tokens at 4.00 more per million.
        #expect(
            diff.output
                == #"{"schema":"vesper.price_difference/1","rows":["#
                + #"{"part":"usage","model":"a-model-without-a-price","tenant":{"missing":"none"},"requests":1,"now":{"at_least":"0"},"then":{"at_least":"0"},"difference":"0","newly_priced":0,"newly_unpriced":0,"days":0,"which":null},"#
                + #"{"part":"usage","model":"claude-haiku-4-5","tenant":{"missing":"none"},"requests":3,"now":"0.004515","then":"0.005319","difference":"0.000804","newly_priced":0,"newly_unpriced":0,"days":2,"which":"2026-11-12 to 2026-11-13"}],"#
                + #""totals":{"part":null,"model":null,"tenant":null,"requests":4,"now":{"at_least":"0.004515"},"then":{"at_least":"0.005319"},"difference":"0.000804","newly_priced":0,"newly_unpriced":0,"days":2,"which":"2026-11-12 to 2026-11-13"},"#
                + #""notes":["1 price of the book is new, 1 in effect already. 2 days of 4 with costs would change."]}"# + "\n")
        #expect(try total(demo, "--by=model") == before, "nothing was applied")

        let dry = try demo.vesper("prices apply", ["demo", "new.json5"], "--dry-run", "--format=csv")
        #expect(dry.code == 0 && dry.output.split(separator: "\n").count == 2)
        #expect(try total(demo, "--by=model") == before)

        let applied = try demo.vesper("prices apply", ["demo", "new.json5"], "--format=json")
        #expect(
            applied.talk
                == "note: Revision 1 of the prices of demo is in effect, known from 2026-11-17. Run \"vesper run demo\" to price again what it changes.\n"
        )
        #expect(
            try rows(applied).map { "\($0["counted"]?.string ?? "") \($0["low"]?.string ?? "") \($0["revision"]?.int ?? 0)" } == [
                "output 9 1"
            ])
        #expect(try total(demo, "--by=model") == .fields(["at_least": .string("0.005319")]))
        #expect(try total(demo, "--known-as-of=2026-11-16") == before)
        #expect(try total(demo, "--known-as-of=2026-11-17") != before)

        let again = try demo.vesper("prices apply", ["demo", "new.json5"])
        #expect(again.code == 0)
        #expect(again.talk == "note: Nothing new: every price of the book is in effect already. No revision is made.\n")
        #expect(try demo.vesper("status").output.contains("demo has 1 price revision, the last known from 2026-11-17."))

        #expect(try demo.vesper("plan").output.contains("its inputs have changed"))
        #expect(try demo.vesper("run").output.contains("reports/demo/2026-W46, revision 2"))
        #expect(try demo.vesper("run").output.contains("Everything is up to date"))
        #expect(try demo.vesper("verify", []).code == 0)
    }

    @Test func `list shows what counts, by name, day and knowledge, with where it is written`() throws {
        let demo = try demo()
        #expect(try demo.vesper("prices apply", ["demo", "new.json5"]).code == 0)
        func listed(_ option: String, _ other: String = "--quiet") throws -> [String] {
            try rows(demo.vesper("prices list", ["demo"], option, other, "--format=json")).map {
                "\($0["counted"]?.string ?? "") \($0["low"]?.string ?? "") \($0["valid_from"]?.string ?? "") \($0["place"]?.string ?? "")"
            }
        }
        let file = "Jobs/Prices/demo.json5:2"
        #expect(
            try listed("--provider=anthropic") == [
                "input 1 2026-01-01 \(file):12", "output 5 2026-01-01 \(file):27", "output 9 2026-11-12 new.json5:2:27",
            ])
        #expect(try listed("--on=2026-11-11") == ["input 1 2026-01-01 \(file):12", "output 5 2026-01-01 \(file):27"])
        #expect(try listed("--on=2026-11-12") == ["input 1 2026-01-01 \(file):12", "output 9 2026-11-12 new.json5:2:27"])
        #expect(try listed("--model=claude-haiku-4-5-20251001", "--known-as-of=2026-11-16").count == 2)
        #expect(try listed("--model=claude-sonnet-4-5").isEmpty)
        let homeless = try call(builtProgram, ["prices", "list", "demo", "--home=none"], in: demo.path)
        #expect(homeless.code == 0 && homeless.output.contains("new.json5") == false && !exists(demo.path + "/none"))
    }

    @Test func `a rate in another unit is warned of, and applied only when somebody says so`() throws {
        let demo = try demo()
        try demo.folder.write(Self.book("1000", "5.00"), to: "odd.json5")
        let finding =
            "The input rate of claude-haiku-4-5, 1000 per 1M tokens, is 1,000 times the one that it follows, 1 per 1M tokens at Jobs/Prices/demo.json5:2:12. Check the unit of both."
        let diff = try demo.vesper("prices diff", ["demo", "odd.json5"], "--week=2026-W46")
        #expect(diff.code == 0 && diff.talk == "odd.json5:2:12: warning: \(finding)\n")
        let refused = try demo.vesper("prices apply", ["demo", "odd.json5"], "--quiet")
        #expect(refused.code == 64)
        #expect(
            refused.talk.hasSuffix(
                "odd.json5:2:12: error: \(finding) Correct it, or give --accept-unusual if it is right; nothing was applied.\n"))
        #expect(try rows(demo.vesper("prices list", ["demo"], "--format=json")).count == 2)
        #expect(try demo.vesper("prices apply", ["demo", "odd.json5"], "--accept-unusual").code == 0)
        #expect(try demo.vesper("prices list").talk == "odd.json5:2:12: warning: \(finding)\n")
    }

    private static let mistakes = [
        (text: book("1", "-5"), says: "bad.json5:2:32: error: A rate is not negative, and the low end of a range comes first."),
        (
            book("1", "5", more: #"valid_to: "2026-11-11","#),
            "bad.json5:2:49: error: The price ends on 2026-11-11, before it begins on 2026-11-12."
        ),
        (book("1", "5", more: #"per: "1M tokns","#), #"bad.json5:2:44: error: unknown unit "1M tokns"."#),
        (
            book("1", "5", more: #"currency: "dollar","#),
            "bad.json5:2:49: error: A currency is three capital letters (ISO 4217), such as USD, not \"dollar\"."
        ),
        (
            book("1", "5", more: #"currency: "EUR","#),
            "error: The price is in EUR, but the job reports in USD. Two currencies meet only through a dated rate: give one in exchange_rates."
        ),
        (
            #"{ currency: "USD", prices: [{ provider: "p", model: "m", bands: [{ up_to: "10", rate: "1" }, { up_to: "5", rate: "1" }, { rate: "2" }], per: "user", valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" }] }"#,
            "bad.json5:1:103: error: The band ends at 5, but it begins at 10. Put the bands in order."
        ),
        (
            "{ currency: \"USD\", prices: ["
                + #"{ provider: "p", model: "m", rates: { input: "1" }, valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" },"#
                + "\n"
                + #"{ provider: "p", model: "m", rates: { input: "2" }, valid_from: "2026-02-01", known_from: "2026-01-01", source: "s" }] }"#,
            "bad.json5:2:39: error: This price of input for m overlaps the one at bad.json5:1:67."
        ),
        ("", "bad.json5:1:1: error: nothing is written here."),
    ]

    @Test(arguments: mistakes) func `a book that cannot be obeyed is refused by diff and by apply, and nothing is applied`(
        _ mistake: (text: String, says: String)
    ) throws {
        let demo = try demo()
        try demo.folder.write(mistake.text, to: "bad.json5")
        for command in ["prices diff", "prices apply"] {
            let call = try demo.vesper(command, ["demo", "bad.json5"], command == "prices diff" ? "--week=2026-W46" : "--quiet")
            #expect(call.code == 64 && call.output.isEmpty)
            #expect(call.talk.contains(mistake.says), "\(call.talk)")
        }
        #expect(try rows(demo.vesper("prices list", ["demo"], "--format=json")).count == 2)
    }

    @Test func `apply waits for no other run, and a book that is not there is said so`() throws {
        let demo = try demo()
        #expect(
            try demo.vesper("prices apply", ["demo", "none.json5"]).talk.hasPrefix(
                "none.json5: error: There is no price book here."))
        let held = try HeldLock(home: demo.home)
        let call = try demo.vesper("prices apply", ["demo", "new.json5"])
        #expect(call.code == 5 && call.output.isEmpty)
        _ = held
    }

    private static let map = """
        { "sample_spec": {}, "claude-haiku-4-5": { "litellm_provider": "anthropic", "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06,
            "input_cost_per_token_batches": 5e-07, "input_cost_per_dream": 1 },
          "whisper-1": { "litellm_provider": "openai", "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001 } }
        """

    @Test func `import writes a book to the output and what became of each key beside it`() throws {
        let demo = try demo()
        try demo.folder.write(Self.map, to: "map.json")
        let options = ["--provider=anthropic,openai", "--source=a map of tests", "--format=csv"]
        let printed = try call(
            builtProgram, ["prices", "import", "map.json", "--now=2026-11-17T12:00:00Z"] + options, in: demo.path)
        #expect(printed.code == 0)
        #expect(
            printed.talk == """
                key,state,what,entries,example
                input_cost_per_dream,not understood,,1,claude-haiku-4-5
                input_cost_per_second,priced,per second,1,whisper-1
                input_cost_per_token,priced,input tokens,1,claude-haiku-4-5
                input_cost_per_token_batches,priced,"input tokens, batch",1,claude-haiku-4-5
                output_cost_per_second,same charge,one charge per second,1,whisper-1
                output_cost_per_token,priced,output tokens,1,claude-haiku-4-5

                """)
        #expect(printed.output.contains(#"rates: { input: "1", output: "5" }, per: "1M tokens","#))
        #expect(printed.output.contains(#"valid_from: "2026-11-17", known_from: "2026-11-17","#))

        let into =
            ["prices", "import", "map.json", "--into=book.json5", "--known-from=2026-11-01", "--valid-from=2026-10-01"] + options
        let written = try call(builtProgram, into, in: demo.path)
        #expect(written.code == 0 && written.output == printed.talk)
        #expect(try call(builtProgram, into, in: demo.path).code == 0, "the same bytes again are no harm")
        // All that Haiku costs is in effect already, but for batches.
        let dry = try demo.vesper("prices apply", ["demo", "book.json5"], "--dry-run", "--format=json")
        #expect(
            try rows(dry).map { "\($0["what"]?.string ?? "") \($0["tier"]?.string ?? "") \($0["counted"]?.string ?? "")" } == [
                "claude-haiku-4-5 batch input", "whisper-1 standard quantity",
            ])
        try demo.folder.write("mine", to: "book.json5")
        let refused = try call(builtProgram, into, in: demo.path)
        #expect(refused.code == 64 && refused.output.isEmpty)
        #expect(
            refused.talk == "book.json5: error: This file exists, and is left as it is. Give another name, or move it away.\n")
        #expect(try readText(demo.path + "/book.json5", as: "book") == "mine")
    }

    @Test func `import says whose prices and which source it needs, and what it cannot read`() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.map, to: "map.json")
        try folder.write("PK", to: "map.zip")
        func says(_ words: String...) throws -> String {
            try call(builtProgram, ["prices", "import"] + words, in: folder.path).talk
        }
        #expect(try says("map.json") == "error: Whose prices? Give --provider, such as --provider anthropic,openai.\n")
        #expect(try says("map.json", "--provider=openai").hasPrefix("error: Where is the map from? Give --source"))
        #expect(
            try says("map.json", "--provider=openia", "--source=x")
                == "map.json: error: The map has no provider \"openia\". Did you mean \"openai\"? Its providers are anthropic and openai.\n"
        )
        #expect(
            try says("map.json", "--provider=openai", "--model=gpt*", "--source=x")
                == "map.json: error: No entry of the map fits. Look at the names in it, or give fewer conditions.\n")
        #expect(try says("map.zip", "--provider=openai", "--source=x").hasPrefix("map.zip:1:1: error: expected an object in { }"))
        #expect(
            try says("none.json", "--provider=openai", "--source=x").hasPrefix("none.json: error: could not open the price map."))
        #expect(
            try says("map.json", "--provider=*", "--as=x", "--source=x")
                == "error: --as names one provider, and anthropic and openai are meant. Import them one by one.\n")
    }
}
