import Common
import Lake
import Testing

@testable import Economics

/// Kalei's own figures, from its price book, through rows in a lake.
@Suite struct KaleiPriceTests {
    private static let model = "claude-haiku-4-5-20251001"

    /// Calls of one feature on Haiku 4.5, as many as there are; what is nil is not exported.
    private func calls(_ count: Int, _ feature: String, fresh: Int?, cached: Int? = nil, out: Int?, tier: String = "standard")
        -> [Row]
    {
        var values = ["provider": "anthropic", "model": KaleiPriceTests.model, "feature": feature, "service_tier": tier]
        values["input_tokens"] = fresh.map { String($0) }
        values["cache_read_tokens"] = cached.map { String($0) }
        values["output_tokens"] = out.map { String($0) }
        return Array(repeating: call(values), count: count)
    }

    struct Rate: Sendable, CustomTestStringConvertible {
        let id: String
        let provider: String
        let model: String
        var tier = "standard"
        /// What a million tokens in and a million out cost.
        let input: String
        let output: String

        var testDescription: String { "\(id) \(model) \(tier)" }
    }

    private static let rates = [
        Rate(id: "K-05", provider: "anthropic", model: "claude-haiku-4-5-20251001", input: "1", output: "5"),
        Rate(id: "K-05", provider: "anthropic", model: "claude-haiku-4.5", input: "1", output: "5"),
        Rate(id: "K-06", provider: "anthropic", model: "claude-3-haiku", input: "0.25", output: "1.25"),
        Rate(id: "K-07", provider: "anthropic", model: "claude-sonnet-4-5", input: "3", output: "15"),
        Rate(id: "K-11", provider: "anthropic", model: "claude-haiku-4-5", tier: "batch", input: "0.5", output: "2.5"),
        Rate(id: "K-13", provider: "openrouter", model: "qwen3-235b-a22b", input: "0.45", output: "1.8"),
        Rate(id: "K-14", provider: "together", model: "llama-3.3-70b", input: "0.2", output: "0.2"),
        Rate(id: "K-15", provider: "groq", model: "qwen3-32b", input: "0.29", output: "0.39"),
        Rate(id: "K-16", provider: "deepinfra", model: "any-model-7b", input: "0.05 to 0.5", output: "0.1 to 1.5"),
    ]

    @Test("Kalei's vendors charge what its plan says", arguments: rates)
    func rate(_ rate: Rate) throws {
        let base = ["provider": rate.provider, "model": rate.model, "service_tier": rate.tier]
        let book = try kaleiBook()
        #expect(try cost(of: [call(base.merging(["input_tokens": "1000000"]) { $1 })], book) == rate.input)
        #expect(try cost(of: [call(base.merging(["output_tokens": "1000000"]) { $1 })], book) == rate.output)
    }

    @Test("Every rate of the book names its source and when it was learned, and Opus has none")
    func sources() throws {
        let book = try kaleiBook()
        #expect(book.rows.allSatisfy { !$0.source.isEmpty && $0.knownFrom.description == "2026-02-01" })
        #expect(
            try cost(of: [call(["provider": "anthropic", "model": "claude-opus-4-5", "input_tokens": "1"])], book)
                == "at least 0, 1 unpriced of 1 tokens")
    }

    /// K-14: equal rates both ways are whole, not a missing output.
    @Test("Equal rates in both directions leave nothing unpriced")
    func equalRates() throws {
        try withLake { lake in
            try lake.store([
                call(["provider": "together", "model": "llama-3.3-70b", "input_tokens": "1000", "output_tokens": "1000"])
            ])
            let measures = try rollUpCosts(
                CostQuery(period: try wholeYear(), every: .all, by: []), costModel(try kaleiBook()), lake
            ).total
            #expect(measures.cost.inWords == "0.0004")
            #expect(measures.coverage == ExactDecimal("1"))
        }
    }

    /// K-10: a tenth of fresh input, by a row of its own.
    @Test("Cached reads are a class of their own, at their own rate")
    func cachedReads() throws {
        let book = try kaleiBook()
        #expect(try cost(of: calls(1, "mirror", fresh: nil, cached: 1_000_000, out: nil), book) == "0.1")
        #expect(try cost(of: calls(1, "spectrum", fresh: nil, cached: 1_000_000, out: nil, tier: "batch"), book) == "0.05")
        #expect(
            book.rows.filter {
                $0.counted == .tokens(.cacheRead) && $0.subject != .model("claude-haiku-4.5")
                    && $0.subject != .model("claude-sonnet-4.5")
            }.map(\.low.description) == ["0.1", "0.05", "0.3"])
    }

    struct Event: Sendable, CustomTestStringConvertible {
        let name: String
        let fresh: Int
        var cached: Int?
        let out: Int
        var tier = "standard"
        /// What its input costs, and what it costs as a whole.
        let input: String
        let whole: String

        var testDescription: String { name }
    }

    private static let events = [
        Event(
            name: "K-27 a cached Mirror session, as 980 fresh tokens", fresh: 900, cached: 800, out: 1050, input: "0.00098",
            whole: "0.00623"),
        Event(
            name: "K-29 a cached Kaleidoscope turn, as 360", fresh: 300, cached: 600, out: 450, input: "0.00036", whole: "0.00261"
        ),
        Event(
            name: "K-31 a cached Lens affirmation, as 240", fresh: 200, cached: 400, out: 100, input: "0.00024", whole: "0.00074"),
        Event(name: "K-38 a Spectrum in batch", fresh: 2000, out: 3000, tier: "batch", input: "0.001", whole: "0.0085"),
        Event(name: "K-39 a Spectrum at list price", fresh: 2000, out: 3000, input: "0.002", whole: "0.017"),
    ]

    @Test("One event costs what the plan computes for it", arguments: events)
    func event(_ event: Event) throws {
        let book = try kaleiBook()
        #expect(
            try cost(of: calls(1, "f", fresh: event.fresh, cached: event.cached, out: nil, tier: event.tier), book) == event.input
        )
        #expect(
            try cost(of: calls(1, "f", fresh: event.fresh, cached: event.cached, out: event.out, tier: event.tier), book)
                == event.whole)
    }

    /// A member's month by feature: calls, input weighed as fresh tokens (as money, a millionth each), output tokens, cost.
    private func month(_ rows: [Row]) throws -> (lines: [String], total: String) {
        var found: (lines: [String], total: String) = ([], "")
        try withLake { lake in
            let model = costModel(try kaleiBook())
            let query = CostQuery(period: try wholeYear(), every: .all, by: ["feature"])
            try lake.store(rows)
            let whole = try rollUpCosts(query, model, lake)
            try lake.store(rows.map { $0.filter { $0.key != "output_tokens" } })
            let inputs = try rollUpCosts(query, model, lake)
            found.lines = zip(whole, inputs).map { row, input in
                "\(row.keys[0] ?? ""): \(row.measures.requests), \(input.measures.cost.inWords) in, \(row.measures.tokens[4]) out, \(row.measures.cost.inWords)"
            }
            found.total = "\(inputs.total.cost.inWords) in, \(whole.total.tokens[4]) out, \(whole.total.cost.inWords)"
        }
        return found
    }

    private func habits(turns: Int, mirrors: Int, lenses: Int) -> [Row] {
        calls(turns, "turn", fresh: 300, cached: 600, out: 450) + calls(mirrors, "mirror", fresh: 900, cached: 800, out: 1050)
            + calls(lenses, "lens", fresh: 200, cached: 400, out: 100)
    }

    /// K-34: 47,440 weighed tokens in and 51,900 out. K-35: 0.30694, rounded only in print.
    @Test("The Free member's full month costs 0.30694")
    func freeMonth() throws {
        let month = try month(habits(turns: 90, mirrors: 8, lenses: 30))
        #expect(
            month.lines == [
                "lens: 30, 0.0072 in, 3000 out, 0.0222", "mirror: 8, 0.00784 in, 8400 out, 0.04984",
                "turn: 90, 0.0324 in, 40500 out, 0.2349",
            ])
        #expect(month.total == "0.04744 in, 51900 out, 0.30694")
        #expect(Money("0.30694")?.text(places: 2) == "0.31")
    }

    /// K-37: 95,680 weighed tokens in and 112,800 out. K-39: 0.65968 at list price.
    @Test("The Prism member's full month costs 0.65968 at list price")
    func prismMonth() throws {
        let month = try month(habits(turns: 180, mirrors: 16, lenses: 30) + calls(4, "spectrum", fresh: 2000, out: 3000))
        #expect(
            month.lines == [
                "lens: 30, 0.0072 in, 3000 out, 0.0222", "mirror: 16, 0.01568 in, 16800 out, 0.09968",
                "spectrum: 4, 0.008 in, 12000 out, 0.068",
                "turn: 180, 0.0648 in, 81000 out, 0.4698",
            ])
        #expect(month.total == "0.09568 in, 112800 out, 0.65968")
    }

    /// K-39: list price, what the batch saves, and what remains.
    @Test("The batch saves half of the Spectrum: 0.034 of 0.65968 leaves 0.62568")
    func batchSaving() throws {
        let book = try kaleiBook()
        let habits = habits(turns: 180, mirrors: 16, lenses: 30)
        let list = try #require(Money(try cost(of: habits + calls(4, "spectrum", fresh: 2000, out: 3000), book)))
        let half = try #require(Money(try cost(of: habits + calls(4, "spectrum", fresh: 2000, out: 3000, tier: "batch"), book)))
        #expect([list, list - half, half].map(\.description) == ["0.65968", "0.034", "0.62568"])
    }
}
