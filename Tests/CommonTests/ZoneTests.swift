import Testing

@testable import Common

/// The expected figures are those of Python's zoneinfo over the same database.
@Suite(.enabled(if: exists(Zone.database), "no time zone database is installed")) struct ZoneTests {
    private struct Start: Sendable, CustomTestStringConvertible {
        let zone, day, start: String
        let hours: Int64
        init(_ zone: String, _ day: String, _ start: String, hours: Int64 = 24) {
            (self.zone, self.day, self.start, self.hours) = (zone, day, start, hours)
        }
        var testDescription: String { "\(day) in \(zone)" }
    }

    @Test(
        "A local day has its first moment and its length",
        arguments: [
            Start("Europe/Berlin", "2026-03-28", "2026-03-27T23:00:00Z"),
            Start("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", hours: 23),
            Start("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", hours: 25),
            Start("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"),
            // The clock goes from 00:00 to 01:00: the day begins with the change.
            Start("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", hours: 23),
            Start("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", hours: 23),
            // The clock goes from 00:00 back to 23:00: the day before is the longer one.
            Start("America/Sao_Paulo", "2019-02-16", "2019-02-16T02:00:00Z", hours: 25),
            Start("America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00Z"),
            Start("Africa/Cairo", "2026-10-29", "2026-10-28T21:00:00Z", hours: 25),
            // From 01:00 back to 00:00: midnight comes twice, the first counts.
            Start("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", hours: 25),
            Start("Asia/Tashkent", "2026-11-09", "2026-11-08T19:00:00Z"),
            Start("Asia/Kathmandu", "2026-11-09", "2026-11-08T18:15:00Z"),
            // Samoa went without 2011-12-30.
            Start("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z"),
            Start("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", hours: 0),
            Start("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            // By the rule in the footer, long after the table ends.
            Start("Europe/Berlin", "2090-01-15", "2090-01-14T23:00:00Z"),
            Start("Europe/Berlin", "2090-07-15", "2090-07-14T22:00:00Z"),
            Start("Europe/Berlin", "2090-03-26", "2090-03-25T23:00:00Z", hours: 23),
            Start("Europe/Berlin", "2090-10-29", "2090-10-28T22:00:00Z", hours: 25),
            Start("Africa/Cairo", "2090-04-28", "2090-04-27T22:00:00Z", hours: 23),
            Start("America/New_York", "2090-07-04", "2090-07-04T04:00:00Z"),
            Start("Europe/Dublin", "2090-07-15", "2090-07-14T23:00:00Z"),
            Start("Australia/Lord_Howe", "2090-01-15", "2090-01-14T13:00:00Z"),
            Start("Australia/Lord_Howe", "2090-07-15", "2090-07-14T13:30:00Z"),
            Start("America/Nuuk", "2090-03-26", "2090-03-26T01:00:00Z"),
            Start("Asia/Gaza", "2090-07-01", "2090-06-30T21:00:00Z"),
            Start("UTC", "2026-11-09", "2026-11-09T00:00:00Z"),
        ])
    private func starts(_ row: Start) throws {
        let zone = try Zone(named: row.zone)
        let day = try #require(Day(row.day))
        #expect(zone.start(of: day).description == row.start)
        #expect(zone.start(of: day + 1) == zone.start(of: day) + row.hours * 3600)
        if row.hours > 0 {
            #expect(zone.day(of: zone.start(of: day)) == day)
            #expect(zone.day(of: Instant(microseconds: zone.start(of: day).microseconds - 1)) < day)
        }
    }

    @Test("The hour of the day follows the clock on the wall, over both changes")
    func hours() throws {
        let berlin = try Zone(named: "Europe/Berlin")
        let spring = try #require(Instant("2026-03-29T00:59:59Z"))
        #expect(berlin.hour(of: spring) == 1)
        #expect(berlin.hour(of: spring + 1) == 3)
        let autumn = try #require(Instant("2026-10-25T00:59:59Z"))
        #expect(berlin.hour(of: autumn) == 2)
        #expect(berlin.hour(of: autumn + 1) == 2)
        #expect(berlin.hour(of: autumn + 3601) == 3)
        #expect(berlin.offset(at: autumn) == 7200)
        #expect(berlin.offset(at: autumn + 1) == 3600)
    }

    @Test(
        "An unknown zone is refused with what to do",
        arguments: [
            ("Europe/Berlinn", " Did you mean \"Europe/Berlin\"?"), ("europe/berlin", " Did you mean \"Europe/Berlin\"?"),
            ("Europe//Berlin", " Did you mean \"Europe/Berlin\"?"), ("", ""), ("Europe", ""), ("/etc/passwd", ""),
            ("../zoneinfo/UTC", ""),
        ])
    func unknown(_ name: String, _ hint: String) {
        let expected =
            "There is no time zone \"\(name)\" in /usr/share/zoneinfo.\(hint) Use a name such as Europe/Berlin or UTC, or install tzdata."
        #expect(throws: Failure(expected, kind: .usage)) { _ = try Zone(named: name) }
    }
}
