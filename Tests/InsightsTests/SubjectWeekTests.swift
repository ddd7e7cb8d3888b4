import Common
import Lake
import TestSupport
import Testing

@testable import Insights

@Suite struct SubjectWeekTests {
    /// The profiles of everybody, by their real ids.
    private func weeks(
        _ snapshots: [Row], _ sessions: [Row], _ insight: Insight, week: String = "2026-W46", key: String = "a test"
    ) throws -> [String: SubjectWeek] {
        var found: [String: SubjectWeek] = [:]
        try withLake { lake in
            try lake.store(snapshots, log: .snapshots)
            try lake.store(sessions, log: .sessions)
            let weeks = try makeProfiles(try profileOrder(insight, week: week, key: key), lake)
            #expect(weeks.map(\.subject) == weeks.map(\.subject).sorted())
            found = Dictionary(uniqueKeysWithValues: weeks.map { ($0.user, $0) })
        }
        return found
    }

    private func standings(_ snapshots: [Row], _ sessions: [Row], _ more: String, week: String = "2026-W46") throws -> [String:
        String]
    {
        try weeks(snapshots, sessions, try insight(more), week: week).mapValues(\.standing.rawValue)
    }

    @Test("A small week, in numbers")
    func profile() throws {
        let sessions = [
            session("u1", "2026-11-09T06:00:00Z", "mirror", ["words": "20"]),
            session("u1", "2026-11-09T06:05:00Z", "fragment", ["label": "all_or_nothing", "score": "5", "style": "gentle"]),
            session("u1", "2026-11-10T18:00:00Z", "fragment", ["label": "all_or_nothing", "score": "4"]),
            session("u1", "2026-11-10T23:30:00Z", "turn"),  // half past midnight of the 11th in Berlin
            // The four weeks before begin with 12 October in Berlin, in summer time.
            session("u1", "2026-11-08T12:00:00Z", "fragment", ["label": "all_or_nothing", "style": "never counted"]),
            session("u1", "2026-10-11T22:00:00Z", "fragment", ["label": "mind_reading"]),
            session("u1", "2026-10-11T21:59:59Z", "turn"),
            // Somebody else's.
            session("u2", "2026-11-09T06:00:00Z", "mirror", ["words": "500"]),
        ]
        let week = try #require(try weeks([user("u1"), subscription("u1")], sessions, try insight())["u1"])
        #expect(
            week.profile.text == #"""
                {"period":"2026-W46",\#
                "activities":[{"kind":"fragment","count":2,"usual":"0.5","change":"+1.5"},{"kind":"mirror","count":1,"usual":"0","change":"+1"},\#
                {"kind":"turn","count":1,"usual":"0","change":"+1"}],\#
                "patterns":[{"label":"all_or_nothing","count":2,"usual":"0.25","change":"+1.75"}],"styles":[{"style":"gentle","count":1}],\#
                "active_days":3,"streak":4,\#
                "times":[{"part":"night","count":1},{"part":"morning","count":2},{"part":"afternoon","count":0},{"part":"evening","count":1}],\#
                "peak":"morning","words":20,"mean_score":"4.50"}
                """#)
        #expect(week.standing == .eligible)
        #expect(week.digest == Digest.of(week.profile.text))
    }

    @Test("A week in which nothing happened says so in few words")
    func empty() throws {
        let week = try #require(
            try weeks([user("u1"), subscription("u1")], [session("u1", "2026-11-08T12:00:00Z")], try insight())["u1"])
        #expect(
            week.profile.text == #"""
                {"period":"2026-W46","activities":[],"patterns":[],"styles":[],"active_days":0,"streak":0,"times":[{"part":"night","count":0},\#
                {"part":"morning","count":0},{"part":"afternoon","count":0},{"part":"evening","count":0}]}
                """#)
        #expect(week.standing == .tooQuiet)
    }

    @Test(
        "The five most frequent patterns and three styles stay, equals by name; less than usual has a minus, as usual has no sign"
    )
    func orders() throws {
        let labels = ["f", "e", "d", "c", "b", "a", "a", "b"]
        let now = labels.enumerated().map {
            session("u1", "2026-11-09T0\($0.offset):00:00Z", "fragment", ["label": $0.element, "style": $0.element])
        }
        let before =
            (0..<8).map { session("u1", "2026-11-02T0\($0):00:00Z", "fragment", ["label": $0 < 4 ? "c" : "a"]) } + [
                session("u1", "2026-11-03T00:00:00Z", "fragment", ["label": "c"])
            ]
        let profile = try #require(try weeks([user("u1"), subscription("u1")], now + before, try insight())["u1"]).profile
        #expect(
            profile["patterns"]?.array?.map {
                "\($0["label"]?.string ?? "") \($0["count"]?.int ?? 0) \($0["change"]?.string ?? "")"
            }
                == ["a 2 +1", "b 2 +2", "c 1 -0.25", "d 1 +1", "e 1 +1"])
        #expect(profile["styles"]?.array?.compactMap { $0["style"]?.string } == ["a", "b", "c"])
    }

    @Test(
        "The streak goes back over the week's start from the last active day",
        arguments: [
            Case("into the week before", ["11-07", "11-08", "11-09", "11-10"], 4),
            Case("from a day within the week", ["11-08", "11-10", "11-11"], 2),
            Case("a single day", ["11-15"], 1), Case("only before the week", ["11-07", "11-08"], 0),
            Case("as far as is looked back", ["10-12"], 0),
            Case("a gap at the week's start", ["11-08", "11-10"], 1),
        ])
    func streak(_ row: Case<[String], Int>) throws {
        let sessions = row.input.map { session("u1", "2026-\($0)T12:00:00Z") }
        let profile = try #require(try weeks([user("u1"), subscription("u1")], sessions, try insight())["u1"]).profile
        #expect(profile["streak"]?.int == row.expected)
    }

    @Test("The week begins and ends with Monday's and Sunday's midnight in the job's zone, also when the clock is set back")
    func bounds() throws {
        for (week, inside, outside) in [
            (
                "2026-W46", ["2026-11-08T23:00:00Z", "2026-11-15T22:59:59.999999Z"],
                ["2026-11-08T22:59:59.999999Z", "2026-11-15T23:00:00Z"]
            ),
            (
                "2026-W43", ["2026-10-18T22:00:00Z", "2026-10-25T22:59:59.999999Z"],
                ["2026-10-18T21:59:59.999999Z", "2026-10-25T23:00:00Z"]
            ),
        ] {
            let sessions = (inside + outside).map { session("u1", $0) }
            let profile = try #require(try weeks([user("u1"), subscription("u1")], sessions, try insight(), week: week)["u1"])
                .profile
            #expect(profile["activities"]?.array?.first?["count"]?.int == 2, "\(week)")
            #expect(profile["active_days"]?.int == 2, "\(week)")
        }
    }

    @Test(
        "The time of day is that of the job's zone",
        arguments: [
            Case("just before six", "04:59:59", "night"), Case("six", "05:00:00", "morning"),
            Case("noon", "11:00:00", "afternoon"), Case("eighteen", "17:00:00", "evening"), Case("midnight", "23:00:00", "night"),
        ])
    func times(_ row: Case<String, String>) throws {
        let profile = try #require(
            try weeks([user("u1"), subscription("u1")], [session("u1", "2026-11-10T\(row.input)Z")], try insight())["u1"]
        ).profile
        #expect(profile["peak"]?.string == row.expected)
    }

    /// K-74 and K-75 in part: only members of Prism+ are entitled. K-118: one table decides.
    @Test("Who is entitled is decided by the plan at the end of the period; without a subscription it is the free one")
    func entitled() throws {
        let snapshots = [
            user("plus"), subscription("plus"), user("prism"), subscription("prism", "prism"), user("none"),
            user("upgraded"), subscription("upgraded", "prism", to: "2026-11-12"), subscription("upgraded", from: "2026-11-12"),
            user("cancelled"), subscription("cancelled", to: "2026-11-15T22:59:59Z"),
            user("lasted"), subscription("lasted", to: "2026-11-15T23:00:00Z"), user("later"),
            subscription("later", from: "2026-11-15T23:00:00Z"), subscription("unknown"),
        ]
        let found = try standings(snapshots, [], "least_activity: 0")
        #expect(found.keys.sorted() == ["lasted", "plus", "upgraded"])
    }

    /// X-08 in part: consent is that of the newest dump, in replays too.
    @Test("The newest consent decides, also for a week that is long over")
    func consent() throws {
        let snapshots = [
            user("gave", #"{"consent":false}"#, dumped: "2026-11-09"), user("gave", #"{"consent":true}"#), subscription("gave"),
            user("withdrew", #"{"consent":true}"#, dumped: "2026-10-12"),
            user("withdrew", #"{"consent":false}"#), subscription("withdrew"), user("silent", "{}"), subscription("silent"),
            user("odd", #"{"consent":"true"}"#), subscription("odd"),
        ]
        let expected = ["gave": "eligible", "withdrew": "no consent", "silent": "no consent", "odd": "no consent"]
        #expect(try standings(snapshots, [], #"least_activity: 0, consent: "consent""#) == expected)
        #expect(try standings(snapshots, [], #"least_activity: 0, consent: "consent""#, week: "2026-W42") == expected)
        #expect(try Set(standings(snapshots, [], "least_activity: 0").values) == ["eligible"])
    }

    @Test("Who has left gets nothing, and stands in no step of the funnel")
    func left() throws {
        let snapshots = [
            user("stays", #"{"deleted_at":null}"#), subscription("stays"),
            user("left", #"{"deleted_at":"2026-11-13T10:00:00Z"}"#), subscription("left"),
            user("back", #"{"deleted_at":"2026-10-13"}"#, dumped: "2026-11-09"), user("back", #"{"deleted_at":null}"#),
            subscription("back"),
        ]
        #expect(
            try standings(snapshots, [], #"least_activity: 0, left: "deleted_at""#) == ["stays": "eligible", "back": "eligible"])
    }

    @Test("Consent is asked first, then activity, then whether there was a crisis")
    func steps() throws {
        func active(_ user: String, _ count: Int, crisis: Int? = nil) -> [Row] {
            (0..<count).map { session(user, "2026-11-10T1\($0):00:00Z", "mirror", ["crisis": String($0 == crisis)]) }
        }
        let snapshots =
            ["eligible", "quiet", "crisis", "earlier", "both"].flatMap { [user($0), subscription($0)] } + [
                user("no", #"{"consent":false}"#), subscription("no"),
            ]
        let sessions =
            active("eligible", 3) + active("quiet", 2, crisis: 1) + active("crisis", 4, crisis: 2) + active("both", 3, crisis: 0)
            + active("no", 3, crisis: 0) + active("earlier", 3)
            + [session("earlier", "2026-11-08T10:00:00Z", "mirror", ["crisis": "true"])]
        #expect(
            try standings(snapshots, sessions, #"least_activity: 3, consent: "consent""#) == [
                "eligible": "eligible", "quiet": "too quiet", "crisis": "crisis", "both": "crisis", "no": "no consent",
                "earlier": "eligible",
            ])
    }

    /// K-116 in part: nothing is made for a week before Prism+ was on sale.
    @Test("No profile is made for a period that begins before the insight does")
    func starts() throws {
        let snapshots = [user("u1"), subscription("u1", from: "2026-01-01")]
        #expect(try standings(snapshots, [], #"least_activity: 0, starts: "2026-10-05""#, week: "2026-W41") == ["u1": "eligible"])
        #expect(try standings(snapshots, [], #"least_activity: 0, starts: "2026-10-05""#, week: "2026-W40") == [:])
        #expect(try standings(snapshots, [], #"least_activity: 0, starts: "2026-10-06""#, week: "2026-W41") == [:])
    }

    @Test("Pseudonyms are the same under one key and others under another, and none holds the real id")
    func pseudonyms() throws {
        let snapshots = ["u1", "u2"].flatMap { [user($0), subscription($0)] }
        func subjects(_ key: String) throws -> [String] {
            try weeks(snapshots, [], try insight(), key: key).sorted { $0.key < $1.key }.map(\.value.subject)
        }
        let first = try subjects("a test")
        // As Python's hmac.new(b"a test", b"u1", "sha256") has them.
        #expect(first == ["f5cd50e3e3e679ebb57ad470", "88d477f0590599b4f9adcd56"])
        #expect(try subjects("a test") == first)
        #expect(try Set(subjects("another")).isDisjoint(with: first))
        #expect(Set(first).count == 2 && first.allSatisfy { $0.count == 24 })
    }
}
