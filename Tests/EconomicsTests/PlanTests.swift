import Common
import Lake
import TestSupport
import Testing

@testable import Economics

@Suite struct PlanTests {
    private func plan(_ text: String) throws -> Plan {
        try Plan(name: "prism", try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), Plan.schema))
    }

    @Test("A plan has a price with its currency, or none, and names the insights of its members")
    func decodes() throws {
        let paid = try plan(#"{ price: "39.99", currency: "USD", per: "year", entitles: ["weekly-spectrum"] }"#)
        #expect(paid.price(.year, currency: "USD")?.amount == Spread(Fraction(try #require(ExactDecimal("39.99")))))
        #expect(paid.price(.month, currency: "USD") == nil && paid.entitles == ["weekly-spectrum"])
        let free = try plan("{}")
        #expect(free.prices.isEmpty && free.entitles == [] && free.size == nil)
    }

    @Test("A plan has a price for each currency, interval and time, for add-ons, and by the child")
    func prices() throws {
        let plan = try plan(
            """
            { size: [50, null], includes: { children: 99, video: true, export: "full" }, prices: [
              { price: "7.99", currency: "USD", to: "2026-01-31" }, { price: ["4.99", "5.99"], currency: "USD", from: "2026-02-01" },
              { price: "12", currency: "EUR", per: "year" }, { price: "0.40", currency: "USD", for: "ai_pack", each: "child" } ] }
            """)
        func amount(_ price: PlanPrice?) -> String? { price.map { "\($0.amount)" } }
        #expect(amount(plan.price(currency: "USD", on: Day("2026-01-31"))) == "7.99")
        #expect(amount(plan.price(currency: "USD", on: Day("2026-02-01"))) == "4.99 to 5.99")
        #expect(amount(plan.price(currency: "USD")) == "4.99 to 5.99")
        #expect(amount(plan.price(currency: "EUR")) == nil)
        #expect(try plan.price(.year, currency: "EUR")?.monthly().description == "1")
        #expect(amount(plan.price(currency: "USD", for: "ai_pack", each: "child")) == "0.4")
        #expect(amount(plan.price(currency: "USD", for: "ai_pack")) == nil)
        #expect(plan.size?.description == "50 or more")
        #expect(plan.includes.map { "\($0.name) \($0.text)" } == ["children 99", "video true", "export full"])
    }

    @Test(
        "A plan that cannot be is refused",
        arguments: [
            (#"{ price: "1" }"#, #"job:1:1: A price needs its currency. Add currency, such as "USD"."#),
            (#"{ per: "day" }"#, #"job:1:8: "per" in plan cannot be "day". Its values are month and year."#),
            (#"{ price: "-1", currency: "USD" }"#, "job:1:10: A price is not negative."),
            (
                #"{ price: "1", currency: "USD", prices: [{ price: "2", currency: "USD" }] }"#,
                "job:1:10: A plan has either a price or prices."
            ),
            (
                #"{ prices: [{ price: ["3", "2"], currency: "USD" }] }"#,
                "job:1:21: The low end of a range comes first: write [2, 3] if that is meant."
            ),
            (
                #"{ prices: [{ price: "2", currency: "USD", from: "2026-02-01", to: "2026-01-31" }] }"#,
                "job:1:67: The price ends on 2026-01-31, before it begins on 2026-02-01."
            ),
        ])
    func refused(_ text: String, _ expected: String) {
        #expect(sentence { _ = try plan(text) } == expected)
    }

    /// K-69, K-72, K-73, K-74 and K-117: prices by month and year, the former price, and what is included. K-118: who gets which insight.
    @Test("Kalei's plans have their prices by month and year, and only Prism+ entitles to the Spectrum")
    func kalei() throws {
        let plans = try ProductData.of("kalei").plans
        #expect(
            plans.map { plan in
                let prices = plan.prices.map { "\($0.amount) \($0.currency) a \($0.interval)\($0.to.map { " to \($0)" } ?? "")" }
                return "\(plan.name): \(prices.joined(separator: ", ")); \(plan.entitles.joined())"
            } == [
                "free: ; ", "prism: 7.99 USD a month to 2026-01-31, 4.99 USD a month, 39.99 USD a year; ",
                "prism_plus: 9.99 USD a month, 79.99 USD a year; weekly-spectrum",
            ])
    }

    private func lookup(_ text: String) throws -> Lookup {
        try Lookup(planOf: try ConfigObject(try parseJSON5(Array(text.utf8), path: "job"), Lookup.planSchema))
    }

    private static let dated = #"{ from: "subscription", starts: "started_at", ends: "ends_at", otherwise: "free" }"#

    /// One subscription of user u1 as a snapshot of Monday 9 November.
    private func subscription(
        _ id: String, _ plan: String, _ attributes: String, updated: String = "2026-11-09T00:00:00Z", user: String = "u1"
    ) -> Row {
        ["kind": "subscription", "id": id, "updated_at": updated, "parent": user, "plan": plan, "attributes": attributes]
    }

    /// The plan of user u1 at some moments, from subscriptions in a lake.
    private func plans(_ subscriptions: [Row], at moments: [String], lookup text: String = dated) throws -> [String?] {
        var found: [String?] = []
        try withLake { lake in
            try lake.store(subscriptions, log: .snapshots)
            let lookup = try lookup(text)
            let history = try lake.history(lookup, job: "kalei")
            found = try moments.map { history.value(of: "u1", at: try #require(Instant($0))) }
        }
        return found
    }

    @Test("An agreement counts from its first moment until the moment it ends, and otherwise the default")
    func edges() throws {
        let rows = [subscription("s1", "prism", #"{"started_at":"2026-10-05 10:00:00+00","ends_at":"2026-11-05T10:00:00Z"}"#)]
        let moments = [
            "2026-10-05T09:59:59.999999Z", "2026-10-05T10:00:00Z", "2026-11-05T09:59:59.999999Z", "2026-11-05T10:00:00Z",
        ]
        #expect(try plans(rows, at: moments) == ["free", "prism", "prism", "free"])
        #expect(
            try plans(rows, at: moments, lookup: #"{ from: "subscription", starts: "started_at", ends: "ends_at" }"#) == [
                nil, "prism", "prism", nil,
            ])
        #expect(try plans([], at: ["2026-11-05T10:00:00Z"]) == ["free"])
    }

    @Test("An agreement without an end goes on, one that starts on a day starts at its midnight, and of two the later one counts")
    func overlapping() throws {
        let rows = [
            subscription("s1", "prism", #"{"started_at":"2026-10-05","ends_at":null}"#),
            subscription("s2", "prism_plus", #"{"started_at":"2026-11-12T08:00:00Z"}"#),
            subscription("s3", "free", #"{"started_at":"2026-01-01"}"#, user: "u2"),
        ]
        #expect(
            try plans(
                rows,
                at: [
                    "2026-10-04T23:59:59Z", "2026-10-05T00:00:00Z", "2026-11-12T07:59:59Z", "2026-11-12T08:00:00Z",
                    "2030-01-01T00:00:00Z",
                ]) == ["free", "prism", "prism", "prism_plus", "prism_plus"])
    }

    @Test("The newest version of an agreement counts, whatever days the others lie on")
    func versions() throws {
        let rows = [
            subscription("s1", "prism", #"{"started_at":"2026-10-05","ends_at":null}"#, updated: "2026-11-02T00:00:00Z"),
            subscription("s1", "prism", #"{"started_at":"2026-10-05","ends_at":"2026-11-05"}"#, updated: "2026-11-09T00:00:00Z"),
            subscription("s1", "prism", #"{"started_at":"2026-10-05","ends_at":null}"#, updated: "2026-10-26T00:00:00Z"),
        ]
        #expect(try plans(rows, at: ["2026-11-04T00:00:00Z", "2026-11-06T00:00:00Z"]) == ["prism", "free"])
    }

    @Test("Without an attribute for its beginning each version holds from its own time until the next")
    func undated() throws {
        let rows = [
            subscription("s1", "prism", "{}", updated: "2026-11-02T00:00:00Z"),
            subscription("s1", "prism_plus", "{}", updated: "2026-11-09T00:00:00Z"),
            subscription("s1", "free", #"{"ends_at":"2026-11-18"}"#, updated: "2026-11-16T00:00:00Z"),
            subscription("s2", "team", "{}", updated: "2026-11-01T00:00:00Z", user: "u2"),
        ]
        let moments = ["11-01", "11-02", "11-08", "11-09", "11-15", "11-16", "11-18"].map { "2026-\($0)T12:00:00Z" }
        let expected = [nil, "prism", "prism", "prism_plus", "prism_plus", "free", nil]
        #expect(try plans(rows, at: moments, lookup: #"{ from: "subscription", ends: "ends_at" }"#) == expected)
        #expect(try plans(rows.reversed(), at: moments, lookup: #"{ from: "subscription", ends: "ends_at" }"#) == expected)
    }

    @Test("Snapshots of other kinds on the same day are told apart, in whatever order they lie")
    func kinds() throws {
        let user = ["kind": "user", "id": "u1", "updated_at": "2026-11-09T00:00:00Z", "parent": "u1", "plan": "none"]
        let other = ["kind": "goal", "id": "g1", "updated_at": "2026-11-09T00:00:00Z", "parent": "u1", "plan": "none"]
        let rows = [
            user, subscription("s1", "prism", #"{"started_at":"2026-10-05"}"#), other,
            subscription("s2", "prism_plus", #"{"started_at":"2026-11-01"}"#),
        ]
        for rows in [rows, rows.reversed()] {
            let found = try plans(rows, at: ["2026-10-31T00:00:00Z", "2026-11-01T00:00:00Z"])
            #expect(found == ["prism", "prism_plus"])
        }
    }

    @Test("Newest snapshots come by id; with a moment, those that stood then")
    func newest() throws {
        try withLake { lake in
            func user(_ id: String, _ day: String, _ plan: String) -> Row {
                ["kind": "user", "id": id, "updated_at": "\(day)T00:00:00Z", "plan": plan]
            }
            try lake.store(
                [
                    user("b", "2026-11-02", "free"), user("a", "2026-11-02", "free"), user("a", "2026-11-09", "prism"),
                    user("c", "2026-11-09", "free"),
                ], log: .snapshots)
            func listed(_ asOf: String?) throws -> [String] {
                let moment = try asOf.map { try #require(Instant($0)) }
                return try lake.newestSnapshots(job: "kalei", kind: "user", asOf: moment).map {
                    "\($0.id) \($0.plan ?? "") \($0.updatedAt.dayUTC)"
                }
            }
            let now = try listed(nil)
            #expect(now == ["a prism 2026-11-09", "b free 2026-11-02", "c free 2026-11-09"])
            #expect(try listed("2026-11-09T00:00:00Z") == now)
            #expect(try listed("2026-11-08T23:59:59Z") == ["a free 2026-11-02", "b free 2026-11-02"])
        }
    }

    @Test("Who upgrades on Thursday has two plans that week; a plan printed on the event goes before")
    func upgrade() throws {
        try withLake { lake in
            try lake.store(
                [
                    subscription("s1", "prism", #"{"started_at":"2026-10-05","ends_at":"2026-11-12T12:00:00Z"}"#),
                    subscription("s2", "prism_plus", #"{"started_at":"2026-11-12T12:00:00Z"}"#),
                ], log: .snapshots)
            let days = ["2026-11-09", "2026-11-11", "2026-11-12", "2026-11-13", "2026-11-15"]
            var rows = days.map { call(["ts": "\($0)T12:00:00Z", "user": "u1", "input_tokens": "1000000"]) }
            rows.append(call(["ts": "2026-11-10T12:00:00Z", "user": "u1", "plan": "trial", "input_tokens": "1000000"]))
            rows += [call(["user": "u2", "input_tokens": "1000000"]), call(["input_tokens": "1000000"])]
            try lake.store(rows)
            let book = try priceBook([Price(#"input: "1""#)])
            let query = CostQuery(period: try period("2026-11-09", "2026-11-15"), every: .all, by: ["plan"])
            let costs = try rollUpCosts(query, costModel(book, plans: try lookup(PlanTests.dated)), lake)
            #expect(
                costs.lines == [
                    "2026-W46 null: 1, 1", "2026-W46 free: 1, 1", "2026-W46 prism: 2, 2", "2026-W46 prism_plus: 3, 3",
                    "2026-W46 trial: 1, 1",
                ])
            #expect(try rollUpCosts(query, costModel(book), lake).lines == ["2026-W46 null: 7, 7", "2026-W46 trial: 1, 1"])
        }
    }
}
