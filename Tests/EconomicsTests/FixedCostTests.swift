import Common
import Lake
import TestSupport
import Testing

@testable import Economics

/// A service of a price book, by provider p since the beginning of 2026, unless it says otherwise.
func service(_ name: String, _ price: String, from: String = "2026-01-01", to: String? = nil) -> String {
    let end = to.map { #", valid_to: "\#($0)""# } ?? ""
    return
        #"{ provider: "p", service: "\#(name)", \#(price), valid_from: "\#(from)"\#(end), known_from: "2026-01-01", source: "a test" }"#
}

func book(of entries: [String]) throws -> PriceBook {
    try priceBook("{ currency: \"USD\", prices: [\n" + entries.joined(separator: ",\n") + "\n] }")
}

/// A fixed cost named n of category c since the beginning of 2026, unless it says otherwise; its path reads as `job`.
func fixedCost(_ text: String, _ book: PriceBook, from: String = "2026-01-01") throws -> FixedCost {
    let object = #"{ name: "n", category: "c", \#(text), from: "\#(from)" }"#
    return try FixedCost(
        try ConfigObject(try parseJSON5(Array(object.utf8), path: "job"), FixedCost.schema), book, currency: "USD")
}

extension CostLine {
    /// `2026-10-01 server: 0.25`, with owner, range, what is missing and what is noted.
    var inWords: String {
        func range(_ amount: MoneyRange) -> String {
            amount.low == amount.high ? "\(amount.low)" : "\(amount.low) to \(amount.high)"
        }
        var text = "\(day) \(name)" + (owner.map { " \($0.value)" } ?? "") + ": \(range(amount))"
        if let quantity { text += " for \(quantity)" + (unit.map { " \($0)" } ?? "") }
        if let shadow { text += ", shadow \(range(shadow))" }
        if let unconverted { text += ", \(range(unconverted.amount)) \(unconverted.currency)" }
        if let missing { text += ", missing: \(missing)" }
        return text + notes.map { ", \($0)" }.joined()
    }
}

/// What fixed costs come to over some days, in an empty lake.
func spread(
    _ costs: [FixedCost], _ first: String, _ last: String, _ book: PriceBook, rates: ExchangeRates = .none,
    month: MonthLength = .calendar
) throws -> [CostLine] {
    var lines: [CostLine] = []
    try withLake { lake in
        let expenses = Expenses(fixed: costs, rates: rates, rateColumns: nil, month: month, unbilledMetrics: [])
        lines = try otherCosts(of: period(first, last), expenses, costModel(book, exchange: rates), lake)
    }
    return lines
}

@Suite struct FixedCostTests {
    struct Stretch: Sendable {
        let cost: String
        var from = "2026-01-01"
        let days: (String, String)
        var month = MonthLength.calendar
    }

    @Test(
        "Days add up to what is paid, whatever the stretch",
        arguments: [
            Case(
                "a month of 31 days", Stretch(cost: #"amount: "8.45", per: "month""#, days: ("2026-10-01", "2026-10-31")), "8.45"),
            Case(
                "a month of 28 days", Stretch(cost: #"amount: "8.45", per: "month""#, days: ("2026-02-01", "2026-02-28")), "8.45"),
            Case(
                "a month of 29 days",
                Stretch(cost: #"amount: "8.45", per: "month""#, from: "2024-01-01", days: ("2024-02-01", "2024-02-29")),
                "8.45"),
            Case(
                "a quarter", Stretch(cost: #"amount: "0.000000000001", per: "month""#, days: ("2026-01-01", "2026-03-31")),
                "0.000000000003"),
            Case("a year of 365 days", Stretch(cost: #"amount: "99", per: "year""#, days: ("2026-01-01", "2026-12-31")), "99"),
            Case(
                "a year of 366 days",
                Stretch(cost: #"amount: "99", per: "year""#, from: "2024-01-01", days: ("2024-01-01", "2024-12-31")), "99"),
            Case("an ISO week", Stretch(cost: #"amount: "1", per: "week""#, days: ("2026-10-05", "2026-10-11")), "1"),
            Case("days", Stretch(cost: #"amount: "0.1", per: "day""#, days: ("2026-10-05", "2026-10-11")), "0.7"),
            Case("a range", Stretch(cost: #"amount: ["50", "70"], per: "year""#, days: ("2026-01-01", "2026-12-31")), "50 to 70"),
            Case(
                "seats", Stretch(cost: #"amount: "20", per: "month", quantity: 3"#, days: ("2026-10-01", "2026-10-31")), "60"),
            Case(
                "once, on its first day",
                Stretch(cost: #"amount: "25", per: "once""#, from: "2026-10-03", days: ("2026-10-01", "2026-10-31")), "25"),
            Case(
                "once, over months to the day before",
                Stretch(cost: #"amount: "25", per: "once", months: 24"#, from: "2026-10-03", days: ("2026-10-01", "2028-10-02")),
                "25"),
            Case(
                "once, over months from the last of one",
                Stretch(cost: #"amount: "25", per: "once", months: 1"#, from: "2026-01-31", days: ("2026-01-31", "2026-02-27")),
                "25"),
            Case(
                "once, to a day",
                Stretch(
                    cost: #"amount: "7", per: "once", to: "2026-10-07""#, from: "2026-10-01", days: ("2026-10-01", "2026-12-31")),
                "7"),
            Case(
                "a month begun late bears the days that are left",
                Stretch(cost: #"amount: "31", per: "month""#, from: "2026-10-30", days: ("2026-10-01", "2026-10-31")), "2"),
            Case(
                "a month ended early",
                Stretch(cost: #"amount: "31", per: "month", to: "2026-10-03""#, days: ("2026-10-01", "2026-10-31")), "3"),
            Case(
                "a month of 30 days, of which this one has 31",
                Stretch(cost: #"amount: "30", per: "month""#, days: ("2026-10-01", "2026-10-31"), month: .thirtyDays), "31"),
            Case(
                "a month of 30 days, of which this one has 28",
                Stretch(cost: #"amount: "30", per: "month""#, days: ("2026-02-01", "2026-02-28"), month: .thirtyDays), "28"),
            Case("nothing", Stretch(cost: #"amount: "0", per: "month""#, days: ("2026-10-01", "2026-10-31")), "0"),
        ])
    func sums(_ one: Case<Stretch, String>) throws {
        let book = try book(of: [])
        let cost = try fixedCost(one.input.cost, book, from: one.input.from)
        let total = try spread([cost], one.input.days.0, one.input.days.1, book, month: one.input.month).total
        let words = total.amount.low == total.amount.high ? "\(total.amount.low)" : "\(total.amount.low) to \(total.amount.high)"
        #expect(words == one.expected && total.missing == 0)
    }

    @Test("Day i of n bears ⌊T(i+1)/n⌋ − ⌊Ti/n⌋: neighbours differ by the last digit alone")
    func days() throws {
        let book = try book(of: [])
        let lines = try spread([fixedCost(#"amount: "1", per: "week""#, book)], "2026-10-05", "2026-10-11", book)
        #expect(
            lines.map(\.inWords) == [
                "2026-10-05 n: 0.142857142857", "2026-10-06 n: 0.142857142857", "2026-10-07 n: 0.142857142857",
                "2026-10-08 n: 0.142857142857", "2026-10-09 n: 0.142857142857", "2026-10-10 n: 0.142857142857",
                "2026-10-11 n: 0.142857142858",
            ])
    }

    @Test("Any cut of a stretch gives the same days, and whole months their whole amount", arguments: 1...40)
    func property(_ seed: Int) throws {
        var state = UInt64(seed)
        func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let units = Int128(below(1 << 30)) * Int128(below(1 << 30)) + Int128(below(7))
        let book = try book(of: [])
        let every = ["month", "year", "week"][below(3)]
        let cost = try fixedCost(#"amount: "\#(Money(units: units))", per: "\#(every)""#, book, from: "2024-01-01")
        let first = try day("2024-01-01") + below(700)
        let whole = Period(first: first, last: first + below(800))
        let lines = try spread([cost], "\(whole.first)", "\(whole.last)", book)
        let middle = whole.first + below(whole.count)
        var cut = try spread([cost], "\(whole.first)", "\(middle)", book)
        if middle < whole.last { cut += try spread([cost], "\(middle + 1)", "\(whole.last)", book) }
        #expect(lines == cut && lines.count == whole.count)
        if every == "month" {
            for (_, days) in Dictionary(grouping: lines, by: { firstOfMonth($0.day) })
            where days.count == MonthLength.calendar.days(ofMonthWith: days[0].day) {
                #expect(days.total.amount.low.units == units)
            }
        }
    }

    // MARK: - Prices of the book

    /// K-43, K-47: the next size from a day on, and what is free.
    @Test("Each day takes the price that holds on it, also within a month")
    func changes() throws {
        let book = try book(of: [
            service("vps", #"rate: "31", per: "month""#, to: "2026-10-15"),
            service("vps", #"rate: "62", per: "month""#, from: "2026-10-16"),
            service("cdn", #"rate: "0", per: "month""#), service("push", #"rate: "0", per: "message""#),
        ])
        let costs = try ["vps", "cdn", "push"].map { try fixedCost(#"provider: "p", service: "\#($0)""#, book) }
        let lines = try spread(costs, "2026-10-15", "2026-10-16", book)
        #expect(
            lines.map { "\($0.day) \($0.amount.low)" }.sorted() == [
                "2026-10-15 0", "2026-10-15 0", "2026-10-15 1", "2026-10-16 0", "2026-10-16 0", "2026-10-16 2",
            ])
        #expect(try spread([costs[0]], "2026-10-01", "2026-10-31", book).total.amount.low == Money("47"))
        #expect(lines.total.missing == 0)
    }

    @Test("A day before the first price is missing, not free")
    func noPrice() throws {
        let book = try book(of: [service("vps", #"rate: "31", per: "month""#, from: "2026-10-16")])
        let lines = try spread([fixedCost(#"provider: "p", service: "vps""#, book)], "2026-10-15", "2026-10-16", book)
        #expect(lines.map(\.inWords) == ["2026-10-15 n: 0, missing: p vps has no price on this day", "2026-10-16 n: 1"])
    }

    @Test(
        "A quantity of a service costs as many of its units",
        arguments: [
            Case("seats", (#"rate: "20", per: "seat-month""#, "quantity: 3"), "60"),
            Case("terabytes", (#"rate: "6", per: "TB-month""#, #"quantity: "0.5""#), "3"),
            Case("pieces, so many a month", (#"rate: "0.005", per: "1K requests""#, #"quantity: 40000, per: "month""#), "0.2"),
            Case(
                "volume tiers of a month",
                (#"bands: [{ up_to: "1000", rate: "0" }, { rate: "0.02" }], per: "user""#, #"quantity: 1500, per: "month""#), "10"
            ),
        ])
    func quantities(_ one: Case<(String, String), String>) throws {
        let book = try book(of: [service("s", one.input.0)])
        let cost = try fixedCost(#"provider: "p", service: "s", \#(one.input.1)"#, book)
        #expect(try spread([cost], "2026-10-01", "2026-10-31", book).total.amount.low == Money(one.expected))
    }

    @Test("What is not charged yet costs nothing, and what it would cost stands beside it")
    func mocked() throws {
        let book = try book(of: [service("s", #"rate: "31", per: "month", mocked: true"#)])
        let lines = try spread([fixedCost(#"provider: "p", service: "s""#, book)], "2026-10-01", "2026-10-01", book)
        #expect(lines.map(\.inWords) == ["2026-10-01 n: 0, shadow 1, not charged yet"])
    }

    // MARK: - Currencies

    /// K-42: 8.45 EUR are 9.20 USD.
    @Test("A month in another currency is one converted amount, at the rate of its first day")
    func currencies() throws {
        let book = try book(of: [])
        let cost = try fixedCost(#"amount: "8.45", currency: "EUR", per: "month""#, book)
        let rates = try exchangeRates(
            #"""
            { base: "EUR", quote: "USD", rate: { base: "8.45", quote: "9.20" }, valid_from: "2026-02-01", valid_to: "2026-10-15", source: "a" },
            { base: "EUR", quote: "USD", rate: "2", valid_from: "2026-10-16", source: "a" }
            """#)
        let lines = try spread([cost], "2026-10-01", "2026-11-30", book, rates: rates)
        let october = lines.filter { $0.day < Day(number: 20_758) }
        #expect(october.count == 31 && october.total.amount.low == Money("9.20"))
        #expect(Set(october.flatMap(\.notes)) == ["at 8.45 EUR = 9.2 USD from 2026-02-01 to 2026-10-15"])
        #expect(lines.total.amount.low == Money("26.1"))
    }

    @Test("A cost that begins within a month takes the rate of its first day")
    func begunLate() throws {
        let book = try book(of: [])
        let cost = try fixedCost(#"amount: "31", currency: "EUR", per: "month""#, book, from: "2026-10-30")
        let rates = try exchangeRates(#"{ base: "EUR", quote: "USD", rate: "2", day: "2026-10-30", source: "a" }"#)
        #expect(
            try spread([cost], "2026-10-29", "2026-10-31", book, rates: rates).map(\.inWords) == [
                "2026-10-30 n: 2, at 1 EUR = 2 USD of 2026-10-30", "2026-10-31 n: 2, at 1 EUR = 2 USD of 2026-10-30",
            ])
    }

    @Test("Without a rate the amount stays in its currency, and the cost is missing")
    func gap() throws {
        let book = try book(of: [])
        let cost = try fixedCost(#"amount: ["31", "62"], currency: "EUR", per: "month""#, book)
        let lines = try spread([cost], "2026-10-01", "2026-10-01", book)
        #expect(
            lines.map(\.inWords) == [
                "2026-10-01 n: 0, 1 to 2 EUR, missing: There is no rate between EUR and USD for 2026-10-01, nor for any other day. Add one to the exchange rates; amounts in EUR stay unconverted until then."
            ])
    }

    // MARK: - What cannot be obeyed

    @Test(
        "A fixed cost that cannot be obeyed is refused with its place",
        arguments: [
            Case(
                "neither amount nor service", #"per: "month""#,
                "job:1:1: A fixed cost has a service of the price book, or an amount with per. Give one of them."),
            Case(
                "both", #"provider: "p", service: "vps", amount: "1""#,
                "job:1:68: A service has its price in the price book. Leave amount out, or leave service out."),
            Case(
                "an unknown service", #"provider: "p", service: "vpss""#,
                "job:1:53: The price book has no service \"vpss\" of p. Did you mean \"vps\"? Its services are seat, vps and writes."
            ),
            Case(
                "an unknown provider", #"provider: "q", service: "vps""#,
                "job:1:53: The price book has no service of q. Did you mean \"p\"? Providers with services are p. Add the price, or give an amount."
            ),
            Case(
                "nobody's service", #"service: "vps""#,
                "job:1:38: Say whose service it is: add provider, as the price book names it."),
            Case(
                "a negative amount", #"amount: "-1", per: "month""#,
                "job:1:37: An amount is not negative, and the low end of a range comes first. What comes in is no cost."),
            Case(
                "a range the wrong way round", #"amount: ["2", "1"], per: "month""#,
                "job:1:37: An amount is not negative, and the low end of a range comes first. What comes in is no cost."),
            Case(
                "an amount of no time", #"amount: "1""#, "job:1:37: Say how often the amount is paid: add per, such as \"month\"."
            ),
            Case(
                "an unknown time", #"amount: "1", per: "moth""#,
                "job:1:47: \"per\" in fixed cost cannot be \"moth\". Did you mean \"month\"? Its values are day, week, month, year and once."
            ),
            Case(
                "a word for a currency", #"amount: "1", per: "month", currency: "Euro""#,
                "job:1:66: A currency is three capital letters (ISO 4217), such as USD, not \"Euro\"."),
            Case(
                "reversed days", #"amount: "1", per: "month", to: "2025-12-31""#,
                "job:1:60: The cost ends on 2025-12-31, before it begins on 2026-01-01."),
            Case(
                "months of a month", #"amount: "1", per: "month", months: 3"#,
                "job:1:64: Only what is paid once is spread over months. Leave months out."),
            Case(
                "pieces without a number", #"provider: "p", service: "writes""#,
                "job:1:53: \"writes\" of p is charged per 1K requests, so a fixed cost of it needs a quantity and per: so many a month."
            ),
            Case(
                "a time said twice", #"provider: "p", service: "vps", per: "month""#,
                "job:1:65: \"vps\" of p is charged per month already. Leave per out."),
            Case("a negative quantity", #"amount: "1", per: "month", quantity: -1"#, "job:1:66: A quantity is not negative."),
            Case(
                "a share without a base", #"amount: "1", per: "month", share: { over: "tenant", by: "metric" }"#,
                "job:1:85: A share by metric needs its base: add metric, such as \"CHILDREN_ACTIVE\"."),
            Case(
                "a share by what reads no metric",
                #"amount: "1", per: "month", share: { over: "tenant", by: "cost", metric: "M" }"#,
                "job:1:101: A share by cost reads no metric. Leave it out, or write by: \"metric\"."),
        ])
    func refusals(_ one: Case<String, String>) throws {
        let book = try book(of: [
            service("vps", #"rate: "31", per: "month""#), service("seat", #"rate: "20", per: "seat-month""#),
            service("writes", #"rate: "0.005", per: "1K requests""#),
        ])
        #expect(sentence { _ = try fixedCost(one.input, book) } == one.expected)
    }

    @Test("One thing listed twice for one day is refused, and its successor is not")
    func doubles() throws {
        let book = try book(of: [])
        let open = try fixedCost(#"amount: "1", per: "month""#, book)
        let ended = try fixedCost(#"amount: "1", per: "month", to: "2026-01-31""#, book)
        let next = try fixedCost(#"amount: "2", per: "month""#, book, from: "2026-02-01")
        #expect(
            sentence { try [open, next].refuseDoubles() }
                == "job:1:1: \"n\" stands at job:1:1 already, for some of the same days. End the earlier one with \"to\", or give one of them a name of its own."
        )
        try [ended, next].refuseDoubles()
    }
}
