import TestSupport
import Testing

@testable import Common

@Suite struct InstantTests {
    @Test(
        "A time is read with its offset and written in UTC",
        arguments: [
            Case("UTC", "2026-11-09T06:12:33Z", "2026-11-09T06:12:33Z"),
            Case("microseconds", "2026-11-09T06:12:33.120045Z", "2026-11-09T06:12:33.120045Z"),
            Case("one fraction digit", "2026-11-09T06:12:33.5Z", "2026-11-09T06:12:33.500000Z"),
            Case("nanoseconds, cut", "2026-11-09T06:12:33.123456999Z", "2026-11-09T06:12:33.123456Z"),
            Case("an offset east", "2026-11-09T00:30:00+01:00", "2026-11-08T23:30:00Z"),
            Case("an offset west, with minutes", "2026-11-09T22:30:00-03:30", "2026-11-10T02:00:00Z"),
            Case("an offset of hours alone", "2026-11-09T06:12:33+05", "2026-11-09T01:12:33Z"),
            Case("an offset without colon", "2026-11-09T06:12:33+0545", "2026-11-09T00:27:33Z"),
            Case("a space for the T, as databases print it", "2026-11-09 06:12:33.120045+00", "2026-11-09T06:12:33.120045Z"),
            Case("small letters", "2026-11-09t06:12:33z", "2026-11-09T06:12:33Z"),
            Case("before 1970, with a fraction", "1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000Z"),
            Case("a leap day", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        ])
    func reads(_ row: Case<String, String>) { #expect(Instant(row.input)?.description == row.expected) }

    @Test(
        "What is not a moment is refused",
        arguments: [
            "2026-11-09T06:12:33", "2026-11-09", "2026-11-09T06:12Z", "2026-11-09T24:00:00Z", "2026-11-09T06:60:00Z",
            "2026-12-31T23:59:60Z", "2026-02-29T06:12:33Z", "2026-02-30T06:12:33Z", "2026-13-09T06:12:33Z",
            "2026-00-09T06:12:33Z",
            "2026-11-00T06:12:33Z", "2026-11-09T06:12:33.Z", "2026-11-09T06:12:33.1234567890Z", "2026-11-09T06:12:33,5Z",
            "2026-11-09T06:12:33+1", "2026-11-09T06:12:33+24:00", "2026-11-09T06:12:33+01:60", "2026-11-09T06:12:33+01-00",
            "2026-11-09T06:12:33Zz", "2026-11-09T06:12:33.5", "2026-11-09_06:12:33Z", "+026-11-09T06:12:33Z", "", "Z",
        ])
    func refuses(_ text: String) { #expect(Instant(text) == nil) }

    @Test("The day of a moment in UTC is counted down before 1970")
    func dayUTC() {
        #expect(Instant(microseconds: -1).dayUTC.description == "1969-12-31")
        #expect(Instant(microseconds: 0).dayUTC.description == "1970-01-01")
        #expect(Instant(microseconds: -86_400_000_000).dayUTC.description == "1969-12-31")
        #expect(Instant(microseconds: -86_400_000_001).dayUTC.description == "1969-12-30")
    }

    @Test("Moments add seconds and compare")
    func arithmetic() throws {
        let moment = try #require(Instant("2026-11-09T23:59:59.5Z"))
        #expect((moment + 1).description == "2026-11-10T00:00:00.500000Z")
        #expect(moment < moment + 1)
    }
}
