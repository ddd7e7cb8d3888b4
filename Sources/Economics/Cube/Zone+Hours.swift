import Common

extension Zone {
    /// Where each hour of a local day begins by its clock: 23 or 25 where the clock changes by an hour.
    func hours(of day: Day) -> [Instant] {
        let end = start(of: day + 1)
        var hours = [start(of: day)]
        while let last = hours.last {
            // To the next full hour of the clock as it runs now.
            let wall = last + Int64(offset(at: last))
            let past = (wall.microseconds - wall.dayUTC.startUTC.microseconds) % 3_600_000_000
            let next = Instant(microseconds: last.microseconds + 3_600_000_000 - past)
            if next >= end { break }
            hours.append(next)
        }
        return hours
    }

    /// An hour by the clock, with its offset: 2026-10-25T02:00+01:00.
    func hourLabel(_ start: Instant) -> String {
        let offset = offset(at: start)
        let wall = start + Int64(offset)
        let second = Int((wall.microseconds - wall.dayUTC.startUTC.microseconds) / 1_000_000)
        func clock(_ seconds: Int) -> String { "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2))" }
        return "\(wall.dayUTC)T\(clock(second))\(offset < 0 ? "-" : "+")\(clock(abs(offset)))"
    }
}
