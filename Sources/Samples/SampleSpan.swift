import Common

/// The weeks that a sample covers, in its product's zone.
struct SampleSpan {
    let first: Day
    let last: Day
    let zone: Zone

    init(_ order: SampleOrder, zone: String) throws {
        first = order.fromWeek.monday
        last = first + (7 * order.weeks - 1)
        self.zone = try Zone(named: zone)
    }

    var days: [Day] { Period(first: first, last: last).days }
    var weeks: [Week] { days.filter { $0.weekday == 1 }.map(Week.init(of:)) }

    /// The Mondays on which tables are dumped, one after each week.
    var dumps: [Day] { weeks.map { $0.monday + 7 } }

    /// The calendar months that begin within the weeks.
    var months: [SampleMonth] { days.filter { $0.civil.day == 1 }.map(SampleMonth.init(of:)) }

    func contains(_ day: Day) -> Bool { first <= day && day <= last }

    /// A local time of day, in seconds after midnight by the clock on the wall.
    func moment(_ day: Day, _ second: Int, microsecond: Int = 0) -> Instant {
        let wall = Instant(microseconds: day.startUTC.microseconds + Int64(microsecond)) + Int64(second)
        let offset = zone.offset(at: wall + -Int64(zone.offset(at: wall)))
        return wall + -Int64(offset)
    }

    func day(of moment: Instant) -> Day { zone.day(of: moment) }
    func week(of moment: Instant) -> Week { Week(of: zone.day(of: moment)) }

    /// The local calendar month: `2026-10`.
    func month(of moment: Instant) -> String { zone.day(of: moment).month }
}

/// A calendar month in UTC.
struct SampleMonth {
    let first: Day
    let next: Day

    init(of day: Day) {
        first = day - (day.civil.day - 1)
        next = first + 31 - ((first + 31).civil.day - 1)
    }

    var name: String { first.month }
    var length: Int { next - first }
    func contains(_ moment: Instant) -> Bool { first.startUTC <= moment && moment < next.startUTC }

    /// How many of its days the sample covers.
    func days(in span: SampleSpan) -> Int { max(0, min(next, span.last + 1) - max(first, span.first)) }
    func isOver(in span: SampleSpan) -> Bool { next - 1 <= span.last }
}

/// A day by its parts; callers name days that exist.
func civil(_ year: Int, _ month: Int, _ day: Int) -> Day {
    Day(number: Int32(daysFromCivil(year: year, month: month, day: day)))
}

/// A full hour of a day, in UTC.
func civil(_ year: Int, _ month: Int, _ day: Int, hour: Int) -> Instant {
    civil(year, month, day).startUTC + Int64(3600 * hour)
}

extension Day {
    var month: String { String(description.prefix(7)) }
}

extension Instant {
    /// As PostgreSQL prints a `timestamptz` in UTC: `2026-11-09 06:12:33.120045+00`.
    var exported: String {
        let rest = Int(microseconds - dayUTC.startUTC.microseconds)
        let second = rest / 1_000_000
        let clock = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(dayUTC) \(clock).\(padded(rest % 1_000_000, 6))+00"
    }

    /// As Prisma prints a `DateTime`, with three digits of a second: `2026-11-09T06:12:33.120Z`.
    var exportedByPrisma: String {
        let rest = Int(microseconds - dayUTC.startUTC.microseconds) / 1000
        let second = rest / 1000
        let clock = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(dayUTC)T\(clock).\(padded(rest % 1000, 3))Z"
    }

    func after(milliseconds: Int) -> Instant { Instant(microseconds: microseconds + Int64(milliseconds) * 1000) }
}
