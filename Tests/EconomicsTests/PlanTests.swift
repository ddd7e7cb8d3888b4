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
        #expect(paid.price == ExactDecimal("39.99") && paid.currency == "USD" && paid.entitles == ["weekly-spectrum"])
        let free = try plan("{}")
        #expect(free.price == nil && free.currency == nil && free.entitles == [])
        #expect(
            sentence { _ = try plan(#"{ price: "1" }"#) } == #"job:1:1: A price needs its currency. Add currency, such as "USD"."#
        )
        #expect(
            sentence { _ = try plan(#"{ per: "day" }"#) }
                == #"job:1:8: "per" in plan cannot be "day". Its values are month and year."#)
    }

    /// K-69, K-72, K-73, K-74 and K-117 in part: monthly prices. K-118: who gets which insight.
    @Test("Kalei's plans have their monthly prices, and only Prism+ entitles to the Spectrum")
    func kalei() throws {
        let path = jobsFolder + "/kalei.json5"
        let job = try parseJSON5(try readFile(path, as: "job file"), path: path)
        guard case .object(let members) = job.value, let node = members.first(where: { $0.key == "plans" })?.value else {
            Issue.record("the job has no plans")
            return
        }
        let plans = try node.members("plans").map { try Plan(name: $0.key, try ConfigObject($0.value, Plan.schema)) }
        #expect(
            plans.map { "\($0.name) \($0.price?.description ?? "free") \($0.currency ?? "") \($0.entitles)" } == [
                "free free  []", "prism 4.99 USD []", #"prism_plus 9.99 USD ["weekly-spectrum"]"#,
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
