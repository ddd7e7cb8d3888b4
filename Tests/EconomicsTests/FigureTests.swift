import Common
import TestSupport
import Testing

@testable import Economics

@Suite struct FigureTests {
    private func book(_ figures: String) throws -> FigureBook {
        try withFolder { folder in
            try writeNew(Array("{ figures: [\n\(figures)\n] }".utf8), to: folder + "/figures")
            do {
                return try FigureBook(files: [folder + "/figures"])
            } catch let failure as Failure {
                throw Failure("\(failure)".replacing(folder + "/", with: ""), kind: failure.kind)
            }
        }
    }

    private func figure(_ text: String) throws -> StatedFigure { try #require(try book(text).figures.first) }

    @Test("A figure is one value or lines, in one column or several, each with its unit")
    func forms() throws {
        let one = try figure(
            #"{ kind: "budget", name: "core", about: "a", unit: "USD", per: "month", value: ["200", "250"], source: "s" }"#)
        #expect(try one.value().description == "200 to 250" && one.per == .month)
        let table = try figure(
            """
            { kind: "projection", name: "t", about: "a", columns: { users: "user", cost: "USD" }, users: [1000, null], months: [3, 6],
              lines: { a: [100, ["1.5", "2"]], b: [{ value: 50, approximate: true }, null], c: ["-", "3"] }, stated: [150, "6"],
              labels: { note: "n" }, from: "2026-01-01", source: "s" }
            """)
        #expect(try table.value("a", "cost").description == "1.5 to 2")
        #expect(try table.cell("b", "cost") == .notStated && table.cell("c", "users") == .none)
        #expect(
            try table.cell("b", "users") == .value(Spread(Fraction(50)), try #require(FigureUnit("user")), isApproximate: true))
        #expect(table.users?.description == "1000 or more" && table.months?.description == "3 to 6")
        #expect(try table.statedSum("cost").description == "6" && table.from == Day("2026-01-01"))
    }

    @Test("Lines add up to a range; what does not occur adds nothing, and what is not stated has no sum")
    func sums() throws {
        let table = try figure(
            """
            { kind: "projection", name: "t", about: "a", columns: { today: "USD", later: "USD" },
              lines: { a: ["0.1", ["1", "2"]], b: ["-", "3"], c: ["0.2", null] }, source: "s" }
            """)
        #expect(try table.sum("today").description == "0.3" && table.mean("today").description == "0.1")
        #expect(try table.sum("later", lines: ["a", "b"]).description == "4 to 5")
        #expect(
            sentence { _ = try table.sum("later") }?.hasSuffix(
                "The line \"c\" of the figure \"t\" has no number, so it has no sum. Name the lines to add up.") == true)
        #expect(sentence { _ = try table.sum() }?.hasSuffix("Name one of today and later.") == true)
        #expect(sentence { _ = try table.value("d", "today") }?.contains("has no line \"d\"") == true)
    }

    @Test("Lines in two currencies meet only through a rate")
    func currencies() throws {
        let phase = try figure(
            """
            { kind: "projection", name: "phase", about: "a", unit: "EUR",
              lines: { server: "8.45", models: { value: "12.50", unit: "USD" } }, source: "s" }
            """)
        #expect(
            sentence { _ = try phase.sum() }?.hasSuffix(
                "The line \"models\" of the figure \"phase\" is in USD and the others in EUR. They meet only through a rate.")
                == true)
        #expect(try phase.sum(rates: ["USD": Fraction(4, over: 5)]).description == "18.45")
    }

    /// What is wrong, and the end of the sentence that says so.
    static let refusals: [Case<String, String>] = [
        Case(
            "an unknown kind", #"{ kind: "bugdet", name: "n", about: "a", unit: "USD", value: 1, source: "s" }"#,
            #"figures:2:9: "kind" in figure cannot be "bugdet". Did you mean "budget"? Its values are budget, allowance, projection, assumption, target, option, profile, reference, milestone, baseline, fee and cost."#
        ),
        Case(
            "two of one name",
            #"{ kind: "budget", name: "n", about: "a", unit: "USD", value: 1, source: "s" }, { kind: "target", name: "n", about: "a", unit: "%", value: 1, source: "s" }"#,
            #"The figure "n" stands at figures:2:1 already. Give one of them another name."#
        ),
        Case(
            "a range that is the wrong way round",
            #"{ kind: "budget", name: "n", about: "a", unit: "USD", value: [5, 3], source: "s" }"#,
            "figures:2:62: The low end of a range comes first: write [3, 5] if that is meant."
        ),
        Case(
            "a range of three", #"{ kind: "budget", name: "n", about: "a", unit: "USD", value: [1, 2, 3], source: "s" }"#,
            "A range has two ends: [low, high], or [low, null] without an upper end."
        ),
        Case(
            "damaged text", #"{ kind: "budget", name: "n", about: "a", unit: "%", value: "7090%", source: "s" }"#,
            #"figures:2:60: a figure's value must be a decimal such as 9.99, not "7090%". Use a point and at most 38 digits."#
        ),
        Case(
            "an unknown unit", #"{ kind: "budget", name: "n", about: "a", unit: "photoss", value: 1, source: "s" }"#,
            #"unknown unit "photoss". Did you mean "photo"? Units are currencies such as EUR, "#
        ),
        Case(
            "neither value nor lines", #"{ kind: "budget", name: "n", about: "a", unit: "USD", source: "s" }"#,
            "figures:2:1: A figure has either a value or lines."
        ),
        Case(
            "columns beside a unit",
            #"{ kind: "budget", name: "n", about: "a", unit: "USD", columns: { a: "USD" }, value: [1], source: "s" }"#,
            "A figure has either a unit or columns, each with its unit."
        ),
        Case(
            "a line too short",
            #"{ kind: "budget", name: "n", about: "a", columns: { a: "USD", b: "USD" }, lines: { x: [1] }, source: "s" }"#,
            #"The figure "n" has 2 columns, so this is a list of 2 values, in the order a and b."#
        ),
        Case(
            "no source", #"{ kind: "budget", name: "n", about: "a", unit: "USD", value: 1 }"#,
            #"figures:2:1: "source" (text) is missing in figure. Add it."#
        ),
        Case(
            "days the wrong way round",
            #"{ kind: "budget", name: "n", about: "a", unit: "USD", value: 1, from: "2026-02-01", to: "2026-01-01", source: "s" }"#,
            "The figure ends on 2026-01-01, before it begins on 2026-02-01."
        ),
        Case(
            "a name with spaces", #"{ kind: "budget", name: "my budget", about: "a", unit: "USD", value: 1, source: "s" }"#,
            "A figure's name has small letters, digits and _ only."
        ),
    ]

    @Test("A figure that cannot be is refused, with where and why", arguments: refusals)
    func refused(_ example: Case<String, String>) {
        let said = sentence { _ = try book(example.input) } ?? "nothing"
        #expect(said.contains(example.expected))
        #expect(said.hasPrefix("figures:2:"))
    }

    @Test("Ranges are reckoned with exactly, and what has no result is refused")
    func ranges() throws {
        func spread(_ low: Int128, _ high: Int128? = nil) -> Spread { Spread(Fraction(low), Fraction(high ?? low)) }
        let open = Spread(Fraction(3), nil)
        #expect(try (spread(1, 2) + spread(10)).description == "11 to 12")
        #expect(try (spread(10) - spread(1, 2)).description == "8 to 9")
        #expect(try (spread(-1, 2) * spread(3, 5)).description == "-5 to 10")
        #expect(try (spread(6) / spread(2, 3)).description == "2 to 3")
        #expect(try (open + spread(1)).description == "4 or more" && (open * spread(2)).description == "6 or more")
        #expect(try spread(10).margin(after: spread(4, 6)).description == "40 to 60")
        #expect(try spread(1).percent(of: spread(3)).low == Fraction(100, over: 3))
        #expect(try spread(112).net(ofTax: spread(12)).description == "100")
        #expect(try spread(7).portion(spread(1), of: spread(2)).roundedUp.description == "4")
        #expect(try spread(4, 6).count().description == "3" && spread(4, 6).middle().description == "5")
        #expect(
            sentence { _ = try spread(1) / spread(0, 2) }
                == "A figure is divided by 0 to 2, which has no result: only what is above zero divides.")
        #expect(sentence { _ = try open - open } == "A range without an upper end can only be added up or multiplied.")
        #expect(sentence { _ = try spread(1, 2).margin(after: spread(1)) }?.hasPrefix("A margin needs one price") == true)
        #expect(sentence { _ = try spread(.max) * spread(.max) }?.hasPrefix("A figure has more digits") == true)
    }

    @Test("Planned use is priced like calls that happened, and without a price it is refused")
    func estimates() throws {
        let prices = try priceBook(
            """
            { currency: "USD", prices: [
              { provider: "p", model: "m", rates: { input: "1", cache_read: "0.1", output: "5" }, valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" },
              { provider: "p", model: "m", tier: "batch", rates: { input: "0.5", output: "2.5" }, valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" },
              { provider: "p", service: "calls", bands: [{ up_to: "1000", rate: "0" }, { rate: "0.02" }], per: "user", valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" },
              { provider: "p", metric: "M", unit: "minute", rate: ["1", "2"], per: "hour", increment: "30 minutes", mocked: true, valid_from: "2026-01-01", known_from: "2026-01-01", source: "s" },
            ] }
            """)
        let figures = try book(
            """
            { kind: "profile", name: "turn", about: "a", columns: { cache_read: "token", input: "token", output: "token" }, lines: { prompt: [600, 300, "-"], answer: ["-", "-", 450] }, source: "s" },
            { kind: "profile", name: "report", about: "a", columns: { input: "token", output: "token" }, lines: { all: [2000, 3000] }, labels: { tier: "batch" }, source: "s" },
            { kind: "profile", name: "month", about: "a", unit: "count", lines: { turn: 10, report: 2 }, source: "s" },
            """)
        let day = try #require(Day("2026-11-09"))
        func choice(_ tier: String? = nil, isCached: Bool = true) -> FigureBook.ModelChoice {
            FigureBook.ModelChoice(prices, provider: "p", model: "m", on: day, tier: tier, isCached: isCached)
        }
        #expect(try figures.cost(ofEvent: "turn", on: choice()).description == "0.00261")
        #expect(try figures.cost(ofEvent: "turn", on: choice(isCached: false)).description == "0.00315")
        #expect(try figures.cost(ofEvent: "report", on: choice()).description == "0.0085")
        #expect(try figures.cost(ofMonth: "month", on: choice()).description == "0.0431")
        #expect(try figures.cost(ofMonth: "month", on: choice("standard")).description == "0.0601")
        #expect(try figures.weighedInput(of: { try figures.cost(ofEvent: "turn", on: $0) }, on: choice()).description == "360")
        let users = try prices.estimate(try #require(ExactDecimal("5000")), .user, of: .service("calls"), provider: "p", on: day)
        #expect(users.description == "80")
        let minutes = try prices.estimate(try #require(ExactDecimal("31")), .minute, of: .metric("M"), provider: "p", on: day)
        #expect(minutes.description == "1 to 2")
        #expect(
            sentence { _ = try prices.estimate([.reasoning: 1, .cacheWrite5m: 1], provider: "p", model: "m", on: day) }
                == "The price book has no price for all of p m on 2026-11-09, so there is no estimate: unknown is not zero.")
        #expect(
            sentence { _ = try prices.estimate([.input: 1], provider: "p", model: "x", on: day) }
                == "The price book has no single price of p x for 2026-11-09. Add one, or name another day.")
    }
}
