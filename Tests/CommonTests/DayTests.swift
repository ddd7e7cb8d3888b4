import TestSupport
import Testing

@testable import Common

@Suite struct DayTests {
    @Test(
        "A day is counted from 1970-01-01 and written back as it was read",
        arguments: [
            Case("the first day", "1970-01-01", 0),
            Case("the day before it", "1969-12-31", -1),
            Case("29 February of a leap year", "2024-02-29", 19_782),
            Case("29 February of a 400th year", "2000-02-29", 11_016),
            Case("the year 1", "0001-01-01", -719_162),
            Case("the year 0, which the proleptic calendar has", "0000-02-29", -719_469),
            Case("the last year of four digits", "9999-12-31", 2_932_896),
            Case("the first day of the sample week", "2026-11-09", 20_766),
        ])
    func counts(_ row: Case<String, Int32>) throws {
        let day = try #require(Day(row.input))
        #expect(day.number == row.expected)
        #expect(day.description == row.input)
    }

    @Test(
        "What the calendar does not have is no day",
        arguments: [
            "2025-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-01", "26-01-01",
            "2026/01/01", "2026-01-01T", " 2026-01-01", "2026-01-0x", "", "２０２６-01-01",
        ])
    func refuses(_ text: String) { #expect(Day(text) == nil) }

    @Test("Every day of 400 years follows the one before it, in calendar and in weekday")
    func walks() {
        let broken = (0..<Int32(146_097)).map(Day.init(number:)).filter { day in
            let (year, month, date) = day.civil
            let before = day - 1
            return Day(year: year, month: month, day: date) != day || day.weekday != before.weekday % 7 + 1
                || day.civil <= before.civil
        }
        #expect(broken == [])
        #expect(Day(number: 0).weekday == 4)
        #expect(Day(number: 146_096).description == "2369-12-31")
    }

    @Test("Days add, subtract and compare")
    func arithmetic() throws {
        let (first, last) = (try #require(Day("2026-09-28")), try #require(Day("2026-11-15")))
        #expect(last - first == 48)
        #expect(first + 48 == last)
        #expect(last - 48 == first)
        #expect(first < last)
        #expect(first.startUTC.description == "2026-09-28T00:00:00Z")
    }
}

@Suite struct WeekTests {
    @Test(
        "A day belongs to the week of its Thursday",
        arguments: [
            Case("Monday of 2026's first week, still in December", "2025-12-29", "2026-W01"),
            Case("the Sunday before it", "2025-12-28", "2025-W52"),
            Case("New Year 2026, a Thursday", "2026-01-01", "2026-W01"),
            Case("the last day of 2020, a year of 53 weeks", "2020-12-31", "2020-W53"),
            Case("the Sunday that ends 2020-W53", "2021-01-03", "2020-W53"),
            Case("the Monday after it", "2021-01-04", "2021-W01"),
            Case("the end of 2026, also 53 weeks", "2027-01-03", "2026-W53"),
            Case("a Sunday night", "2026-11-15", "2026-W46"),
            Case("the Monday after it", "2026-11-16", "2026-W47"),
        ])
    func holds(_ row: Case<String, String>) throws {
        #expect(Week(of: try #require(Day(row.input))).description == row.expected)
    }

    @Test(
        "A week begins on its Monday",
        arguments: [
            Case("W40", "2026-W40", "2026-09-28"), Case("W41", "2026-W41", "2026-10-05"), Case("W42", "2026-W42", "2026-10-12"),
            Case("W43", "2026-W43", "2026-10-19"), Case("W44", "2026-W44", "2026-10-26"), Case("W45", "2026-W45", "2026-11-02"),
            Case("W46", "2026-W46", "2026-11-09"), Case("the first of 2026", "2026-W01", "2025-12-29"),
            Case("the 53rd of 2020", "2020-W53", "2020-12-28"), Case("the 53rd of 2026", "2026-W53", "2026-12-28"),
        ])
    func begins(_ row: Case<String, String>) throws {
        let week = try #require(Week(row.input))
        #expect(week.monday.description == row.expected)
        #expect(week.description == row.input)
        #expect(Week(of: week.monday) == week)
        #expect(Week(of: week.monday + 6) == week)
    }

    @Test(
        "What the year does not have is no week",
        arguments: ["2025-W53", "2026-W54", "2026-W00", "2026-46", "2026W46", "2026-w46", "26-W46", ""])
    func refuses(_ text: String) { #expect(Week(text) == nil) }

    @Test("Weeks count on over the end of a year")
    func counts() throws {
        let last = try #require(Week("2026-W53"))
        #expect((last + 1).description == "2027-W01")
        #expect((last - 53).description == "2025-W52")
        #expect(last < last + 1)
    }
}

@Suite struct PeriodTests {
    @Test(
        "A period is filed under the shortest name that says it",
        arguments: [
            Case("a week from Monday to Sunday", ["2026-11-09", "2026-11-15"], "2026-W46"),
            Case("seven days from Tuesday", ["2026-11-10", "2026-11-16"], "2026-11-10_2026-11-16"),
            Case("a month", ["2026-10-01", "2026-10-31"], "2026-10"),
            Case("February of a leap year", ["2024-02-01", "2024-02-29"], "2024-02"),
            Case("February of a leap year without its last day", ["2024-02-01", "2024-02-28"], "2024-02-01_2024-02-28"),
            Case("two months", ["2026-10-01", "2026-11-30"], "2026-10-01_2026-11-30"),
            Case("a day", ["2026-11-09", "2026-11-09"], "2026-11-09"),
            Case("a week over the turn of the year", ["2025-12-29", "2026-01-04"], "2026-W01"),
        ])
    func names(_ row: Case<[String], String>) throws {
        let period = Period(first: try #require(Day(row.input[0])), last: try #require(Day(row.input[1])))
        #expect(period.description == row.expected)
    }

    @Test("Both ends of a period are in it")
    func contains() throws {
        let week = Period(try #require(Week("2026-W46")))
        #expect(week.count == 7)
        #expect(week.days.map(\.description).first == "2026-11-09")
        #expect(week.days.map(\.description).last == "2026-11-15")
        #expect(week.contains(week.first) && week.contains(week.last))
        #expect(!week.contains(week.first - 1) && !week.contains(week.last + 1))
    }
}
