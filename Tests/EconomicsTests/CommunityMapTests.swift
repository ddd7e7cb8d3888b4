import Common
import TestSupport
import Testing

@testable import Economics

@Suite struct CommunityMapTests {
    /// The entries of one provider, p.
    private func read(_ text: String, _ choice: CommunityChoice = CommunityChoice(providers: ["p"])) throws -> CommunityMap {
        try readCommunityMap(Array(text.utf8), path: "map.json", choice)
    }

    /// One model m of p with these keys, as its charges and what became of the keys.
    private func entry(_ keys: String) throws -> (charges: [String], keys: [String]) {
        let map = try read(#"{ "m": { "litellm_provider": "p", \#(keys) } }"#)
        let charges = map.entries[0].charges.map { charge in
            let counted =
                switch charge.counted {
                case .tokens(let meter): meter.rawValue
                case .quantity(let unit): "per " + unit
                }
            return counted + (charge.tier == "standard" ? "" : " \(charge.tier)")
                + (charge.aboveInputTokens < 0 ? "" : " >\(charge.aboveInputTokens)") + " \(charge.low)"
                + (charge.low == charge.high ? "" : "…\(charge.high)")
        }
        return (charges, map.keys.map { "\($0.key): \($0.state.rawValue)" })
    }

    private static let names: [Case<String, String>] = [
        Case("input", "input_cost_per_token", "tokens(input) standard -1"),
        Case("a tier", "output_cost_per_token_batches", "tokens(output) batch -1"),
        Case("a threshold", "input_cost_per_token_above_272k_tokens", "tokens(input) standard 272000"),
        Case(
            "a threshold and a tier", "cache_read_input_token_cost_above_200k_tokens_priority",
            "tokens(cacheRead) priority 200000"),
        Case("how long a cache lives", "cache_creation_input_token_cost_above_1hr", "tokens(cacheWrite1h) standard -1"),
        Case("the short cache", "cache_creation_input_token_cost_flex", "tokens(cacheWrite5m) flex -1"),
        Case(
            "all of them", "cache_creation_input_token_cost_above_1hr_above_100k_tokens_batches",
            "tokens(cacheWrite1h) batch 100000"),
        Case("reasoning", "output_cost_per_reasoning_token", "tokens(reasoning) standard -1"),
        Case("a size", "output_cost_per_second_720p", "quantity(outputSeconds) standard -1"),
        Case("a size of images", "output_cost_per_image_0.5K", "quantity(outputImages) standard -1"),
        Case("a tier that nobody has", "input_cost_per_token_weekend", "nil"),
        Case("a threshold in the wrong place", "input_cost_per_token_batches_above_200k_tokens", "nil"),
        Case("a threshold of another kind", "input_cost_per_token_above_200m_tokens", "nil"),
        Case("a size that is none", "output_cost_per_second_fast", "nil"),
    ]

    @Test("A key is read by its parts, in their order, or not at all", arguments: names)
    func keyNames(_ row: Case<String, String>) {
        let found = CostKey(row.input).map { key in
            let meaning = "\(key.meaning)".replacing("Economics.Meter.", with: "").replacing(
                "Economics.CostKey.Quantity.", with: "")
            return "\(meaning) \(key.tier) \(key.aboveInputTokens)"
        }
        #expect(found ?? "nil" == row.expected)
    }

    private static let traps: [Case<String, ([String], [String])>] = [
        Case(
            "the digits of an exponent", #""input_cost_per_token": 1e-06, "output_cost_per_token": 1.5e-05"#,
            (["input 0.000001", "output 0.000015"], ["input_cost_per_token: priced", "output_cost_per_token: priced"])),
        Case(
            "digits that no Double holds", #""input_cost_per_token": 1.0000000000000001e-07"#,
            (["input 0.00000010000000000000001"], ["input_cost_per_token: priced"])),
        Case(
            "zero is a price, and what is absent is none", #""input_cost_per_token": 0.0, "cache_read_input_token_cost": null"#,
            (["input 0"], ["cache_read_input_token_cost: not applied", "input_cost_per_token: priced"])),
        Case(
            "a cache hit has two keys and one price",
            #""input_cost_per_token_cache_hit": 2.8e-08, "cache_read_input_token_cost": 2.8e-08"#,
            (["cache_read 0.000000028"], ["cache_read_input_token_cost: priced", "input_cost_per_token_cache_hit: same charge"])),
        Case(
            "a cache hit alone", #""input_cost_per_token_cache_hit": 2.8e-08"#,
            (["cache_read 0.000000028"], ["input_cost_per_token_cache_hit: priced"])),
        Case(
            "whisper-1 has two keys and one price", #""input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001"#,
            (["per second 0.0001"], ["input_cost_per_second: priced", "output_cost_per_second: same charge"])),
        Case(
            "a side that costs nothing", #""output_cost_per_second": 0.0, "input_cost_per_second": 3.333e-05"#,
            (["per second 0.00003333"], ["input_cost_per_second: priced", "output_cost_per_second: same charge"])),
        Case(
            "sides that differ", #""input_cost_per_character": 5e-07, "output_cost_per_character": 1e-06"#,
            ([], ["input_cost_per_character: not applied", "output_cost_per_character: not applied"])),
        Case(
            "tts-1 by the character", #""input_cost_per_character": 1.5e-05"#,
            (["per character 0.000015"], ["input_cost_per_character: priced"])),
        Case(
            "a query beside tokens that cost nothing",
            #""input_cost_per_query": 0.002, "input_cost_per_token": 0.0, "output_cost_per_token": 0.0"#,
            (
                ["input 0", "output 0", "per query 0.002"],
                ["input_cost_per_query: priced", "input_cost_per_token: priced", "output_cost_per_token: priced"]
            )),
        Case(
            "sizes that the log does not tell",
            #""output_cost_per_image": 0.08, "output_cost_per_image_0.5K": 0.06, "output_cost_per_image_4K": 0.16"#,
            (
                ["per image 0.06…0.16"],
                ["output_cost_per_image: priced", "output_cost_per_image_0.5K: priced", "output_cost_per_image_4K: priced"]
            )),
        Case(
            "searches of three sizes",
            #""search_context_cost_per_query": { "search_context_size_low": 0.006, "search_context_size_high": 0.014, "search_context_size_medium": 0.01 }"#,
            (["per search 0.006…0.014"], ["search_context_cost_per_query: priced"])),
        Case(
            "images that come and go", #""input_cost_per_image": 0.0011, "output_cost_per_image": 0.134"#,
            (["per image 0.134"], ["input_cost_per_image: not applied", "output_cost_per_image: priced"])),
        Case(
            "quantities in two units", #""output_cost_per_image": 0.134, "search_context_cost_per_query": 0.01"#,
            (["per image 0.134", "per search 0.01"], ["output_cost_per_image: priced", "search_context_cost_per_query: priced"])),
        Case(
            "batches keep the cache's own price",
            #""cache_read_input_token_cost": 1.25e-07, "cache_read_input_token_cost_batches": 1.25e-07"#,
            (
                ["cache_read 0.000000125", "cache_read batch 0.000000125"],
                ["cache_read_input_token_cost: priced", "cache_read_input_token_cost_batches: priced"]
            )),
        Case(
            "ranges of the input",
            #""tiered_pricing": [{ "range": [0, 256000.0], "input_cost_per_token": 5e-08 }, { "range": [256000.0, 1e6], "input_cost_per_token": 2.5e-07 }]"#,
            (["input 0.00000005", "input >256000 0.00000025"], ["tiered_pricing: priced"])),
        Case(
            "ranges of something else", #""tiered_pricing": [{ "max_results_range": [0, 25], "input_cost_per_query": 0.005 }]"#,
            ([], ["tiered_pricing: not applied"])),
        Case(
            "what multiplies", #""provider_specific_entry": { "us": 1.1 }, "regional_processing_uplift_multiplier_eu": 1.1"#,
            ([], ["provider_specific_entry: not applied", "regional_processing_uplift_multiplier_eu: not applied"])),
        Case(
            "tokens that usage does not tell apart",
            #""input_cost_per_audio_token": 1e-06, "output_cost_per_video_token_batches": 1e-06"#,
            ([], ["input_cost_per_audio_token: not applied", "output_cost_per_video_token_batches: not applied"])),
        Case(
            "keys that nobody knows",
            #""input_cost_per_token_weekend": 1e-06, "a_fee": 2, "thinking": { "a": [{ "b": 1 }] }, "max_tokens": 5, "supports_x": true, "note": "x""#,
            ([], ["a_fee: not understood", "input_cost_per_token_weekend: not understood", "thinking: not understood"])),
    ]

    @Test("Every cost key becomes a rate, or is told of", arguments: traps)
    func charges(_ row: Case<String, ([String], [String])>) throws {
        let found = try entry(row.input)
        #expect(found.charges == row.expected.0)
        #expect(found.keys == row.expected.1)
    }

    private static let refusals: [Case<String, String>] = [
        Case(
            "no JSON", "{ not: json }", #"map.json:1:3: expected a key in double quotes, but found "n". JSON has no other keys."#),
        Case("nothing", "", "map.json:1:1: nothing is written here. Expected a value, such as an object in { }."),
        Case("a list", "[]", #"map.json:1:1: expected an object in { }, but found "["."#),
        Case("an end too early", "{ \"m\": {}", "map.json:1:1: this object is never closed. Add a } where it ends."),
        Case(
            "an entry that is none", "{ \"m\": 1 }",
            #"map.json:1:8: The entry "m" must be an object in { }, as every model of the map is."#),
        Case(
            "a rate in text", "{ \"m\": { \"litellm_provider\": \"p\",\n \"input_cost_per_token\": \"1e-06\" } }",
            #"map.json:2:26: "input_cost_per_token" of "m" must be a number. Correct it in the map."#),
        Case(
            "a rate that is true", "{ \"m\": { \"litellm_provider\": \"p\", \"input_cost_per_token\": true } }",
            #"map.json:1:59: "input_cost_per_token" of "m" must be a number. Correct it in the map."#),
        Case(
            "a negative rate", "{ \"m\": { \"litellm_provider\": \"p\", \"input_cost_per_token\": -1e-06 } }",
            #"map.json:1:59: "input_cost_per_token" of "m" is negative, which no price is. Correct it in the map."#),
        Case(
            "a rate of very many digits",
            "{ \"m\": { \"litellm_provider\": \"p\", \"input_cost_per_token\": 0.1234567890123456789012345678901234567890 } }",
            #"map.json:1:59: "input_cost_per_token" of "m" has more than 38 digits. Write it with fewer."#),
        Case(
            "a rate that no number holds",
            "{ \"m\": { \"litellm_provider\": \"p\", \"input_cost_per_token\": 1e99999999999999999999 } }",
            #"map.json:1:59: "input_cost_per_token" of "m" has more than 38 digits. Write it with fewer."#),
        Case(
            "a key that stands twice", "{ \"m\": { \"litellm_provider\": \"p\", \"mode\": 1, \"mode\": 2 } }",
            #"map.json:1:46: "mode" of "m" is written twice; the first one stands at map.json:1:35. Remove one of them."#),
        Case(
            "a model that stands twice", "{ \"m\": { \"litellm_provider\": \"p\" },\n\"m\": { \"litellm_provider\": \"p\" } }",
            #"map.json:2:1: The model "m" stands twice; the first entry is at map.json:1:3. Remove the one that is wrong."#),
        Case(
            "ranges with a hole",
            #"{ "m": { "litellm_provider": "p", "tiered_pricing": [{ "range": [0, 10] }, { "range": [20, 30] }] } }"#,
            #"map.json:1:87: The ranges of "m" leave a hole or overlap: one ends at 10, and the next begins at 20."#),
        Case(
            "a range the wrong way round", #"{ "m": { "litellm_provider": "p", "tiered_pricing": [{ "range": [10, 0] }] } }"#,
            #"map.json:1:65: A range of "m" must be two numbers of tokens, the lower first."#),
        Case(
            "a range that contradicts a rate",
            #"{ "m": { "litellm_provider": "p", "input_cost_per_token": 1, "tiered_pricing": [{ "range": [0, 1], "input_cost_per_token": 2 }] } }"#,
            #"map.json:1:124: "input_cost_per_token" of "m" is 2 here and 1 outside of "tiered_pricing"."#),
        Case(
            "another provider", #"{ "m": { "litellm_provider": "pp" } }"#,
            #"map.json: The map has no provider "p". Did you mean "pp"? Its providers are pp."#),
        Case(
            "an entry of very many values",
            #"{ "m": { "litellm_provider": "p", "x": [\#(String(repeating: "0,", count: 10_000))0] } }"#,
            "map.json:1:20035: this has more values than anything of its kind. Look for a damaged file."),
    ]

    @Test("A map that cannot be relied on is refused with the place", arguments: refusals)
    func refused(_ row: Case<String, String>) { #expect(sentence { _ = try read(row.input) } == row.expected) }

    @Test("Entries of other providers are not looked at, and neither is the explanation at the top")
    func chosen() throws {
        let text = #"""
            { "sample_spec": { "litellm_provider": "one of many", "input_cost_per_token": "x" },
              "rules": { "rules": [] },
              "q/m": { "litellm_provider": "q", "input_cost_per_token": "x" },
              "p/m": { "litellm_provider": "p", "input_cost_per_token": 1e-06 },
              "p/latest": { "alias_of": "p/m" },
              "p/n": { "litellm_provider": "p", "input_cost_per_token": 2e-06 },
              "n": { "litellm_provider": "p", "input_cost_per_token": 3e-06 } }
            """#
        #expect(try read(text).entries.map(\.names) == [["n"], ["p/m", "m", "p/latest", "latest"], ["p/n"]])
        let some = try read(text, CommunityChoice(providers: ["p*"], models: ["m*", "x"]))
        #expect(some.entries.map { $0.names[0] } == ["p/m"])
    }

    @Test("The same map gives a price book of the same bytes, which reads as the rates of the map")
    func book() throws {
        let map = try read(
            #"""
            { "p/m": { "litellm_provider": "p", "source": "https://p.example/prices", "output_cost_per_token": 1.5e-05,
                "input_cost_per_token": 3e-06, "input_cost_per_token_batches": 1.5e-06, "input_cost_per_token_above_200k_tokens": 6e-06,
                "search_context_cost_per_query": { "low": 0.01, "high": 0.02 } } }
            """#)
        let day = try #require(Day("2026-11-20"))
        let text = map.bookText(knownFrom: day, validFrom: try #require(Day("2026-02-01")), source: "a \"test\"\nof two lines")
        #expect(
            text == #"""
                // a "test" of two lines: what it says, digit for digit. Made by vesper prices import.
                {
                  currency: "USD",
                  prices: [
                    {
                      provider: "p", model: ["p/m", "m"],
                      rates: { input: "3", output: "15" }, per: "1M tokens",
                      valid_from: "2026-02-01", known_from: "2026-11-20",
                      source: "a \"test\"\nof two lines, p/m (https://p.example/prices)",
                    },
                    {
                      provider: "p", model: ["p/m", "m"],
                      rate: ["0.01", "0.02"], per: "search",
                      valid_from: "2026-02-01", known_from: "2026-11-20",
                      source: "a \"test\"\nof two lines, p/m (https://p.example/prices)",
                    },
                    {
                      provider: "p", model: ["p/m", "m"], above_input_tokens: 200000,
                      rates: { input: "6" }, per: "1M tokens",
                      valid_from: "2026-02-01", known_from: "2026-11-20",
                      source: "a \"test\"\nof two lines, p/m (https://p.example/prices)",
                    },
                    {
                      provider: "p", model: ["p/m", "m"], tier: "batch",
                      rates: { input: "1.5" }, per: "1M tokens",
                      valid_from: "2026-02-01", known_from: "2026-11-20",
                      source: "a \"test\"\nof two lines, p/m (https://p.example/prices)",
                    },
                  ],
                }

                """#)
        let found = try priceBook(text).rows.filter { $0.subject == .model("m") }
        let wanted = map.rows(knownFrom: day, validFrom: day, source: "")
        #expect(found.count == 5 && wanted.count == 5)
        for (row, other) in zip(found, wanted) { #expect(row.costsTheSame(as: other), "\(row.counted) \(row.low)") }
    }

    @Test("A call that a threshold lifts has no price for what the map leaves out above it")
    func absent() throws {
        let map = try read(
            #"{ "m": { "litellm_provider": "p", "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06, "input_cost_per_token_above_200k_tokens": 2e-06 } }"#
        )
        let day = try #require(Day("2026-01-01"))
        let book = try priceBook(map.bookText(knownFrom: day, validFrom: day, source: "a test"))
        #expect(try cost(of: [call(["input_tokens": "200000", "output_tokens": "10"])], book) == "0.20005")
        #expect(
            try cost(of: [call(["input_tokens": "200001", "output_tokens": "10"])], book)
                == "at least 0.400002, 1 unpriced of 10 tokens")
    }
}
