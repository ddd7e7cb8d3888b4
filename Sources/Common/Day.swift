/// A calendar day without a zone, as days since 1970-01-01 in the proleptic Gregorian calendar.
///
///     Day("2026-11-09")!.weekday   // 1, a Monday
public struct Day: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: Int32

    public init(number: Int32) { self.number = number }

    /// nil where the calendar has no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, (-9999...9999).contains(year) else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        number = Int32(daysFromCivil(year: year, month: month, day: day))
    }

    /// Reads `YYYY-MM-DD` and nothing else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2d, bytes[7] == 0x2d,
            let year = decimalDigits(bytes[0..<4]), let month = decimalDigits(bytes[5..<7]),
            let day = decimalDigits(bytes[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Year, month and day of the month.
    public var civil: (year: Int, month: Int, day: Int) { civilFromDays(Int(number)) }

    /// 1 is Monday, 7 is Sunday.
    public var weekday: Int { Int(((number + 3) % 7 + 7) % 7) + 1 }

    /// Midnight UTC at which the lake's day begins.
    public var startUTC: Instant { Instant(microseconds: Int64(number) * 86_400_000_000) }

    public var description: String {
        let (year, month, day) = civil
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    public static func < (a: Day, b: Day) -> Bool { a.number < b.number }
    public static func + (day: Day, count: Int) -> Day { Day(number: day.number + Int32(count)) }
    public static func - (day: Day, count: Int) -> Day { day + -count }
    public static func - (a: Day, b: Day) -> Int { Int(a.number - b.number) }
}

/// An ISO 8601 week: it begins on Monday and belongs to the year that holds its Thursday.
public struct Week: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let year: Int
    public let number: Int

    /// The week that holds a day.
    public init(of day: Day) {
        let thursday = day + (4 - day.weekday)
        year = thursday.civil.year
        number = (thursday - Day(number: Int32(daysFromCivil(year: year, month: 1, day: 1)))) / 7 + 1
    }

    /// Reads `2026-W46`; nil where the year has no such week.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 8, bytes[4] == 0x2d, bytes[5] == 0x57,
            let year = decimalDigits(bytes[0..<4]), let number = decimalDigits(bytes[6..<8]), number >= 1,
            let fourth = Day(year: year, month: 1, day: 4)
        else { return nil }
        self.init(of: fourth - (fourth.weekday - 1) + 7 * (number - 1))
        guard self.year == year, self.number == number else { return nil }
    }

    public var monday: Day {
        let fourth = Day(number: Int32(daysFromCivil(year: year, month: 1, day: 4)))
        return fourth - (fourth.weekday - 1) + 7 * (number - 1)
    }

    public var description: String { "\(padded(year, 4))-W\(padded(number, 2))" }
    public static func < (a: Week, b: Week) -> Bool { (a.year, a.number) < (b.year, b.number) }
    public static func + (week: Week, count: Int) -> Week { Week(of: week.monday + 7 * count) }
    public static func - (week: Week, count: Int) -> Week { week + -count }
}

/// A run of whole days in a job's zone, with both ends included.
public struct Period: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let first: Day
    public let last: Day

    public init(first: Day, last: Day) {
        precondition(first <= last, "a period ends before it begins")
        self.first = first
        self.last = last
    }

    public init(_ week: Week) { self.init(first: week.monday, last: week.monday + 6) }

    public var days: [Day] { (first.number...last.number).map(Day.init(number:)) }
    public var count: Int { last - first + 1 }

    /// The ISO week this period is exactly, if it is one.
    public var week: Week? {
        let week = Week(of: first)
        return count == 7 && week.monday == first ? week : nil
    }

    /// The first day's month, if the period is exactly that calendar month.
    public var month: String? {
        let (year, month, day) = first.civil
        guard day == 1, (last + 1).civil.day == 1, count <= 31 else { return nil }
        return "\(padded(year, 4))-\(padded(month, 2))"
    }

    /// The name under which its outputs are filed: `2026-W46`, `2026-10`, a day, or `2026-10-05_2026-10-11`.
    public var description: String {
        if let week { return week.description }
        if let month { return month }
        return count == 1 ? first.description : "\(first)_\(last)"
    }

    public func contains(_ day: Day) -> Bool { first <= day && day <= last }
    public static func < (a: Period, b: Period) -> Bool { (a.first, a.last) < (b.first, b.last) }
}

/// A number with leading zeros: `padded(7, 2)` is "07".
public func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// The value of ASCII digits; nil when there is anything else, or nothing.
func decimalDigits(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var value = 0
    for byte in bytes {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
    }
    return value
}

/// Days since 1970-01-01, by counting 400-year eras that begin on 1 March (the month after the leap day).
public func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

func civilFromDays(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
}
