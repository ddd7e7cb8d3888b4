import Common
import Lake
import TestSupport
import Testing

@testable import Economics

@Suite struct ExplainTests {
    // MARK: - Which figure

    @Test(
        "A selection names dimensions and days; quotes hold commas, and nothing behind the sign means that rows do not say",
        arguments: [
            Case("nothing", "", ""), Case("one", "model=m", "model|m"), Case("unsaid", "tenant=,plan=pro", "tenant| plan|pro"),
            Case("quotes", #"feature="a, ""b""",model=m"#, #"feature|a, "b" model|m"#),
            Case("an equals sign", "prefix=a=b", "prefix|a=b"),
            Case("a space", " plan = pro", "plan| pro"), Case("a day", "day=2026-11-09", "2026-11-09"),
            Case("a week", "model=m,week=2026-W46", "model|m 2026-W46"), Case("a month", "month=2026-12", "2026-12"),
            Case("a cut month", "month=2026-09-28_2026-09-30", "2026-09-28_2026-09-30"),
            Case("an hour", "hour=2026-10-25T02:00+01:00", "2026-10-25 2026-10-25T01:00:00Z"),
        ])
    func selections(_ row: Case<String, String>) throws {
        let found = try Selection(row.input)
        let words =
            found.filters.map { "\($0.name)|\($0.value)" }
            + [found.period.map { "\($0)" }, found.hour.map { "\($0)" }].compactMap { $0 }
        #expect(words.joined(separator: " ") == row.expected)
    }

    @Test(
        "A selection that is none is refused with what it looks like",
        arguments: [
            Case(
                "no sign", "model",
                "A selection is a list such as day=2026-11-09,model=claude-haiku-4-5: NAME=VALUE, with commas between."),
            Case("an open quote", #"model="m"#, "The value of model begins with a quote that is not closed."),
            Case(
                "behind a quote", #"model="m"n"#,
                "Behind the quoted value of model stands more. Put a comma between two of a selection."),
            Case("a last comma", "model=m,", "The selection ends with a comma. Take it away, or add what is missing."),
            Case("no day", "day=2026-02-30", "\"2026-02-30\" is no day. Write it like 2026-11-09."),
            Case("no hour", "hour=2026-11-09", "\"2026-11-09\" is no hour. Write it like 2026-11-09T14:00+01:00."),
            Case("two days", "day=2026-11-09,week=2026-W46", "\"week\" names the days a second time. Name them once."),
        ])
    func mistakes(_ row: Case<String, String>) {
        #expect(sentence { _ = try Selection(row.input) } == row.expected)
    }

    // MARK: - The figure

    /// Calls with everything that pricing looks at, the same in every run.
    private var manyCalls: [Row] {
        var state: UInt64 = 5
        func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        return (0..<2000).map { index in
            var row = call([
                "ts": "2026-11-\(padded(Int(9 + next(7)), 2))T\(padded(Int(next(24)), 2)):\(padded(Int(next(60)), 2)):00Z",
                "model": ["m", "m-20260101", "n", "speech", "x"][Int(next(5))], "feature": "f\(next(4))", "user": "u\(next(30))",
                "plan": ["free", "pro"][Int(next(2))], "source": "log", "source_file": "f\(index % 3).jsonl",
                "source_record": "\(index / 3 + 1)",
            ])
            if row["model"] == "speech" {
                row["quantity"] = "\(next(90)).\(padded(Int(next(1000)), 3))"
                row["unit"] = ["second", "millisecond", "image"][Int(next(3))]
            } else if next(20) > 0 {
                row["input_tokens"] = "\(next(100_000))"
                row["output_tokens"] = "\(next(3000))"
                if next(3) == 0 { row["reasoning_tokens"] = "\(next(500))" }
                if next(3) == 0 { row["cache_read_tokens"] = "\(next(9000))" }
                if next(4) == 0 { row["service_tier"] = "batch" }
            }
            return row
        }
    }

    private func manyPrices() throws -> PriceBook {
        let tail = #"valid_from: "2026-01-01", known_from: "2026-01-01", source: "a test""#
        return try priceBook(
            """
            { currency: "USD", prices: [
            { provider: "p", model: "m", rates: { input: "0.333333333333", output: ["0.7", "0.77777777777777"], reasoning: "2" }, \(tail) },
            { provider: "p", model: "m", tier: "batch", rates: { input: "0.15", output: "0.4" }, \(tail) },
            { provider: "p", model: "m", above_input_tokens: 50000, rates: { input: "0.6666666666667", output: "1", cache_read: "0.1" }, \(tail) },
            { provider: "p", model: "n", mocked: true, rates: { input: "1", output: "2" }, \(tail) },
            { provider: "p", model: "speech", rate: "0.024", per: "15 seconds", increment: "15 seconds", \(tail) },
            ] }
            """)
    }

    @Test("Every figure is that of costs to the last digit, whatever is selected, and its prices and calls add up to it")
    func figures() throws {
        try withLake { lake in
            try lake.store(manyCalls)
            let model = costModel(try manyPrices(), zone: try Zone(named: "Europe/Berlin"))
            for (days, filters) in [
                (try period("2026-11-09", "2026-11-15"), []), (try period("2026-11-10", "2026-11-10"), [("plan", "pro")]),
                (try period("2026-11-09", "2026-11-15"), [("model", "m-20260101"), ("feature", "f1")]),
                (try period("2026-11-12", "2026-11-13"), [("user", "u7")]), (try wholeYear(), [("service_tier", "")]),
                (try wholeYear(), [("model", "speech")]), (try wholeYear(), [("model", "x")]),
                (try wholeYear(), [("source_file", "f1.jsonl")]),
            ] as [(Period, [(String, String)])] {
                let query = CostQuery(
                    period: days, every: .all, by: [], where: filters.map { (dimension: $0.0, value: $0.1) })
                let wanted = try #require(try tabulateCosts(query, model, lake).total).measures
                let told = try explainCost(filters.map { Selection.Term($0.0, $0.1) }, of: days, records: 10_000, model, lake)
                let name = "\(days) \(filters)"
                #expect(told.requests > 10 && told.requests == wanted.requests, "\(name)")
                #expect(told.cost == wanted.cost && told.tokens == wanted.tokens, "\(name)")
                #expect(
                    Dictionary(uniqueKeysWithValues: told.quantities.map { ($0.unit, $0.quantity) }) == wanted.quantities,
                    "\(name)")
                // Prices add up to the figure, and so do calls.
                let charged = told.prices.filter { !$0.row.isMocked }
                let shadow = told.prices.filter(\.row.isMocked)
                #expect(charged.reduce(.zero) { $0 + $1.low } == told.cost.low, "\(name)")
                #expect(charged.reduce(.zero) { $0 + $1.high } == told.cost.high, "\(name)")
                #expect(shadow.reduce(.zero) { $0 + $1.low } == told.cost.shadowLow, "\(name)")
                #expect(
                    told.records.count == told.requests && told.records.reduce(into: Cost()) { $0 += $1.cost } == told.cost,
                    "\(name)")
                for (index, use) in told.prices.enumerated() {
                    let atoms = told.records.flatMap(\.atoms).filter { $0.price == index }
                    #expect(atoms.count == use.calls && atoms.reduce(0) { $0 + $1.count } == use.count, "\(name)")
                    #expect(atoms.reduce(.zero) { $0 + $1.high } == use.high, "\(name)")
                }
                // Every call counts for one part of the lake and one file; unpriced ones are all accounted for.
                #expect(
                    told.parts.reduce(0) { $0 + $1.rows } == told.requests
                        && told.files.reduce(0) { $0 + $1.rows } == told.requests)
                #expect(told.unpriced.reduce(0) { $0 + $1.tokens } == told.cost.unpricedTokens, "\(name)")
                #expect(told.records.count { !$0.unpriced.isEmpty } == told.cost.unpricedRequests, "\(name)")
            }
        }
    }

    @Test("An hour is that of the clock: when it is set back one comes twice, with another offset")
    func hours() throws {
        try withLake { lake in
            try lake.store(["00:30", "01:30", "02:30"].map { call(["ts": "2026-10-25T\($0):00Z", "input_tokens": "1000000"]) })
            let model = costModel(try priceBook([Price(#"input: "1""#)]), zone: try Zone(named: "Europe/Berlin"))
            func times(_ hour: String) throws -> [String] {
                let chosen = try Selection("hour=\(hour)")
                return try explainCost(chosen.filters, of: chosen.period, hour: chosen.hour, records: 9, model, lake).records.map
                { "\($0.time)" }
            }
            #expect(try times("2026-10-25T02:00+02:00") == ["2026-10-25T00:30:00Z"])
            #expect(try times("2026-10-25T02:00+01:00") == ["2026-10-25T01:30:00Z"])
            #expect(
                sentence { _ = try times("2026-10-25T02:30+01:00") }
                    == "No hour of 2026-10-25 begins at 2026-10-25T01:30:00Z in Europe/Berlin. Copy it from a table.")
        }
    }

    // MARK: - Arithmetic

    /// The prices that calls used: `2 × 3 ÷ 4 = 1.5 (+0.1)`.
    private func worked(_ rows: [Row], _ book: PriceBook) throws -> [String] {
        var lines: [String] = []
        try withLake { lake in
            try lake.store(rows)
            lines = try explainCost([], of: try wholeYear(), costModel(book), lake).prices.map { use in
                let (count, unit, per) = use.counted
                let low = try #require(use.lowArithmetic)
                return
                    "\(use.calls): \(count) \(unit.rawValue) × \(use.rates.low) ÷ \(per) = \(low.product), \(low.rounding) to \(use.low)"
            }
        }
        return lines
    }

    private func quantities(_ price: String) throws -> PriceBook {
        try priceBook(
            #"{ currency: "USD", prices: [{ provider: "p", model: "m", \#(price), valid_from: "2026-01-01", known_from: "2026-01-01", source: "t" }] }"#
        )
    }

    private func use(_ quantity: String, _ unit: String, record: Int = 1) -> Row {
        call(["quantity": quantity, "unit": unit, "source": "s", "source_file": "f", "source_record": "\(record)"])
    }

    @Test("The arithmetic can be redone by hand, and says what rounding each atom has added")
    func arithmetic() throws {
        let half = call(["input_tokens": "1"])
        #expect(
            try worked([half, half, half], priceBook([Price(#"input: "0.0000005""#)])) == [
                "3: 3 token × 0.0000005 ÷ 1000000 = 0.000000000002, -0.0000000000015 to 0"
            ])
        #expect(
            try worked([call(["input_tokens": "1204332"])], priceBook([Price(#"input: "1.00""#)])) == [
                "1: 1204332 token × 1 ÷ 1000000 = 1.204332, 0 to 1.204332"
            ])
        // A third of a minute is no decimal; in milliseconds it is one.
        #expect(
            try worked([use("20", "second"), use("20", "second", record: 2)], quantities(#"rate: "0.02", per: "minute""#)) == [
                "2: 40000 millisecond × 0.02 ÷ 60000 = 0.013333333333, 0.000000000000666667 to 0.013333333334"
            ])
        #expect(
            try worked(
                [use("0.1", "second"), use("16", "second", record: 2)],
                quantities(#"rate: "0.024", per: "15 seconds", increment: "15 seconds""#)) == [
                    "2: 45 second × 0.024 ÷ 15 = 0.072, 0 to 0.072"
                ])
        #expect(
            try worked([use("1.5", "GiB")], quantities(#"rate: "0.09", per: "GB""#)) == [
                "1: 1.610612736 GB × 0.09 ÷ 1 = 0.14495514624, 0 to 0.14495514624"
            ])
    }

    @Test("What lies in several volume tiers is as many prices, each with its share")
    func tiers() throws {
        let rows = [use("15", "image"), use("10", "image", record: 2)]
        #expect(
            try worked(
                rows, quantities(#"bands: [{ up_to: "10", rate: "0" }, { up_to: "20", rate: "2" }, { rate: "1" }], per: "image""#)
            ) == [
                "1: 10 image × 0 ÷ 1 = 0, 0 to 0", "2: 10 image × 2 ÷ 1 = 20, 0 to 20", "1: 5 image × 1 ÷ 1 = 5, 0 to 5",
            ])
    }

    // MARK: - What is not known

    struct Lack: Sendable {
        var row: Row = [:]
        var price = Price(#"input: "1""#)
        var knownAsOf: String?
        var more: [Price] = []
    }

    @Test(
        "What has no price says why",
        arguments: [
            Case("no model in the book", Lack(row: ["model": "x"]), "input: the book has no price of the model"),
            Case(
                "a pattern of another provider is none",
                Lack(row: ["model": "x"], more: [Price(#"input: "1""#, provider: "q", model: #""*""#)]),
                "input: the book has no price of the model"),
            Case("another provider", Lack(row: ["provider": "q"]), "input: the book has the model of p only"),
            Case(
                "no provider where two have it", Lack(row: ["provider": "-"], more: [Price(#"input: "1""#, provider: "q")]),
                "input: the rows name no provider, and p and q have the model"),
            Case("no model in the row", Lack(row: ["model": "-"]), "input: the rows name no model"),
            Case(
                "a tier", Lack(row: ["service_tier": "batch"]), "input: the book has no price of the tier batch, only of standard"
            ),
            Case(
                "a day", Lack(price: Price(#"input: "1""#, validFrom: "2026-12-01")),
                "input: no price holds on the day; the book's hold from 2026-12-01 on"),
            Case("not known yet", Lack(knownAsOf: "2025-12-31"), "input: its prices were not known on 2025-12-31"),
            Case("a meter", Lack(price: Price(#"output: "1""#)), "input: the book has no rate of input for the model"),
            Case(
                "a meter above a threshold",
                Lack(price: Price(#"output: "1""#, more: "above_input_tokens: 5,"), more: [Price(#"input: "1""#)]),
                "input: the book has no rate of input for the model above 5 tokens of input"),
            Case(
                "a quantity", Lack(row: ["input_tokens": "-", "quantity": "3", "unit": "second"]),
                "quantity: the book has no price for a quantity in second, only per token"),
            Case(
                "a unit that nobody knows", Lack(row: ["input_tokens": "-", "quantity": "3", "unit": "parsec"]),
                "quantity: no price is in \"parsec\", which is no unit that books know"),
            Case("nothing", Lack(row: ["input_tokens": "-"]), "nothing: the rows say neither tokens nor a quantity"),
        ])
    func reasons(_ row: Case<Lack, String>) throws {
        try withLake { lake in
            let own = call(["input_tokens": "9"]).merging(row.input.row) { $1 }.filter { $0.value != "-" }
            try lake.store([own])
            let model = costModel(
                try priceBook([row.input.price] + row.input.more), knownAsOf: row.input.knownAsOf.flatMap { Day($0) })
            let told = try explainCost([], of: try wholeYear(), records: 1, model, lake)
            #expect(told.unpriced.map { "\($0.what): \($0.reason)" } == [row.expected])
            #expect(told.records.first?.unpriced == told.unpriced && !told.cost.isComplete)
        }
    }

    // MARK: - Where it comes from

    @Test("What is looked up says for how many calls it was found, and by which rule")
    func lookups() throws {
        try withLake { lake in
            try lake.store([
                call(["user": "u1", "input_tokens": "1"]), call(["user": "u2", "plan": "pro", "input_tokens": "1"]),
                call(["user": "u3", "input_tokens": "1"]),
            ])
            try lake.store(
                [["kind": "subscription", "id": "s", "updated_at": "2026-11-01T00:00:00Z", "parent": "u1", "plan": "pro"]],
                log: .snapshots)
            let lookup = try Lookup(
                planOf: try ConfigObject(try parseJSON5(Array(#"{ from: "subscription" }"#.utf8), path: "job"), Lookup.planSchema)
            )
            let model = costModel(try priceBook([Price(#"input: "1""#)]), plans: lookup)
            let told = try explainCost([Selection.Term("plan", "pro")], of: nil, model, lake)
            #expect(told.requests == 2)
            #expect(
                told.lookups.map { "\($0.column) \($0.said) \($0.found) \($0.missing): \($0.rule)" } == [
                    "plan 1 1 0: plan of the subscription whose parent is the row's user, at the time of the call, of the version that held then"
                ])
            #expect(try explainCost([], of: nil, model, lake).lookups.isEmpty)
        }
    }

    @Test("Records come by time, file and record, however the parts lie; parts and files count what is meant")
    func origins() throws {
        try withLake { lake in
            func row(_ ts: String, _ file: String, _ record: Int, _ feature: String = "a") -> Row {
                call([
                    "ts": ts, "source": "log", "source_file": file, "source_record": "\(record)", "feature": feature,
                    "input_tokens": "1",
                ])
            }
            try lake.store([
                row("2026-11-10T00:00:00Z", "a", 1), row("2026-11-09T08:00:00Z", "b", 2), row("2026-11-09T08:00:00Z", "b", 1),
                row("2026-11-09T08:00:00Z", "a", 9), row("2026-11-09T07:00:00Z", "c", 5),
                row("2026-11-09T07:00:00Z", "c", 6, "b"),
            ])
            let model = costModel(try priceBook([Price(#"input: "1""#)]))
            let told = try explainCost([Selection.Term("feature", "a")], of: nil, records: 4, model, lake)
            #expect(told.records.map { "\($0.file):\($0.record)" } == ["c:5", "a:9", "b:1", "b:2"])
            #expect(told.parts.map { "\($0.day) \($0.rows) of \($0.of)" } == ["2026-11-09 4 of 5", "2026-11-10 1 of 1"])
            #expect(told.files.map { "\($0.source) \($0.file) \($0.rows)" } == ["log a 2", "log b 2", "log c 1"])
            #expect(told.parts.allSatisfy { exists(joined(lake.home, $0.path)) })
        }
    }

    @Test("A model may be named as the book names it; what no call has is refused with what there is")
    func names() throws {
        try withLake { lake in
            try lake.store([
                call(["model": "m-20260101", "input_tokens": "1"]), call(["model": "m@20260202", "input_tokens": "1"]),
                call(["model": "other", "plan": "pro", "input_tokens": "1"]),
            ])
            let model = costModel(try priceBook([Price(#"input: "1""#)]))
            func told(_ text: String) throws -> Explanation {
                let chosen = try Selection(text)
                return try explainCost(chosen.filters, of: chosen.period, model, lake)
            }
            let both = try told("model=m")
            #expect(both.requests == 2 && both.filters.map(\.values) == [["m-20260101", "m@20260202"]])
            #expect(try told("model=m-20260101").requests == 1)
            #expect(
                sentence { _ = try told("plan=pto") }
                    == "No call of 2026-11-09_2026-11-10 has plan=pto. plan is not said and pro there. Did you mean \"pro\"?")
            #expect(
                sentence { _ = try told("day=2026-11-08") }
                    == "There is no call in 2026-11-08. The usage log has calls from 2026-11-09 to 2026-11-10.")
            #expect(sentence { _ = try told("day=2026-11-08,plan=pro") }?.contains("No call of 2026-11-08 has plan=pro.") == true)
        }
        try withLake { lake in
            let model = costModel(try priceBook([Price(#"input: "1""#)]))
            #expect(
                sentence { _ = try explainCost([], of: nil, model, lake) }?
                    .hasSuffix("This home holds no usage yet. Run \"vesper run JOB\" first, or give another --home.") == true)
        }
    }
}
