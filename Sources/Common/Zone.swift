/// A time zone from the system's database (TZif, RFC 8536): the offsets from UTC and the moments when they change.
///
///     let berlin = try Zone(named: "Europe/Berlin")
///     berlin.start(of: Day("2026-10-25")!)   // 2026-10-24T22:00:00Z
public struct Zone: Hashable, Sendable {
    public let name: String
    /// Moments (seconds UTC) from which `offsets[i + 1]` applies; `offsets[0]` applies before the first.
    private let changes: [Int64]
    private let offsets: [Int32]

    public static let utc = Zone(name: "UTC", changes: [], offsets: [0])

    private init(name: String, changes: [Int64], offsets: [Int32]) {
        (self.name, self.changes, self.offsets) = (name, changes, offsets)
    }

    /// Throws a sentence where the database has no such zone.
    public init(named name: String) throws {
        if name == "UTC" {
            self = .utc
            return
        }
        let legal = name.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 <= 25 || $0 &- 0x30 <= 9 || [0x2f, 0x5f, 0x2d, 0x2b].contains($0)
        }
        guard legal, !name.isEmpty, !name.hasPrefix("/"), !name.contains("//"),
            let bytes = try? readFile(Zone.database + "/" + name, as: "time zone")
        else {
            throw Failure(
                "There is no time zone \"\(name)\" in \(Zone.database).\(didYouMean(name, from: Zone.names)) Use a name such as Europe/Berlin or UTC, or install tzdata.",
                kind: .usage)
        }
        guard let zone = Zone(name: name, tzif: bytes) else {
            throw Failure("The time zone file \(Zone.database)/\(name) is not in TZif form. Install tzdata again.")
        }
        self = zone
    }

    static let database = "/usr/share/zoneinfo"

    /// What the database has, for suggestions; beside its zones it holds tables and copies, whose names begin small.
    private static var names: [String] {
        let names = (try? files(below: database)) ?? []
        return names.filter { $0.first?.isUppercase == true }
    }

    public func offset(at instant: Instant) -> Int {
        Int(offsets[changesUpTo(floorDivide(instant.microseconds, 1_000_000))])
    }

    /// The local day of a moment.
    public func day(of instant: Instant) -> Day { (instant + Int64(offset(at: instant))).dayUTC }

    /// The moment at which clocks show a time, given as if it were UTC. Of a time that comes twice, when clocks are set back, the first
    /// is meant; a time that is skipped, when they are set forward, is read by the clock as it ran before.
    public func moment(ofWall wall: Instant) -> Instant {
        let before = offset(at: wall + -86_400)
        let first = wall + -Int64(before)
        if offset(at: first) == before { return first }
        let after = offset(at: wall + 86_400)
        let second = wall + -Int64(after)
        return offset(at: second) == after ? second : first
    }

    /// Hour of the local day, 0 to 23.
    public func hour(of instant: Instant) -> Int {
        let local = instant + Int64(offset(at: instant))
        return Int((local.microseconds - local.dayUTC.startUTC.microseconds) / 3_600_000_000)
    }

    /// The first moment of a local day. Where midnight is skipped by a change of the clock, the day begins with the change;
    /// where a whole day is skipped, it begins and ends with it.
    public func start(of day: Day) -> Instant {
        let midnight = Int64(day.number) * 86_400
        // Only an offset in force within a day of midnight can apply; the earliest moment that has this local day wins.
        let candidates = Set([-86_400, 0, 86_400].map { offsets[changesUpTo(midnight + $0)] })
        let exact = candidates.map { midnight - Int64($0) }.filter { Int64(offsets[changesUpTo($0)]) == midnight - $0 }
        if let first = exact.min() { return Instant(microseconds: first * 1_000_000) }
        let change = changes.first { $0 >= midnight - 86_400 && self.day(of: Instant(microseconds: $0 * 1_000_000)) >= day }
        return Instant(microseconds: (change ?? midnight) * 1_000_000)
    }

    private func changesUpTo(_ second: Int64) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return low
    }

    public static func == (a: Zone, b: Zone) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    // MARK: - TZif

    private init?(name: String, tzif bytes: [UInt8]) {
        func number(_ at: Int, _ width: Int) -> Int64 {
            var value: Int64 = Int64(Int8(bitPattern: bytes[at]))
            for index in 1..<width { value = value << 8 | Int64(bytes[at + index]) }
            return value
        }
        func count(_ header: Int, _ field: Int) -> Int { Int(number(header + 20 + 4 * field, 4)) }
        guard bytes.count > 44, Array(bytes[0..<4]) == Array("TZif".utf8), bytes[4] >= 0x32 else { return nil }
        // A version 2 file holds a 32-bit block first; it is skipped for the 64-bit one behind it.
        let (isut, isstd, leap, time, type, char) = (count(0, 0), count(0, 1), count(0, 2), count(0, 3), count(0, 4), count(0, 5))
        let second = 44 + time * 5 + type * 6 + char + leap * 8 + isstd + isut
        guard second + 44 <= bytes.count else { return nil }
        let (leaps, times, types, chars) = (count(second, 2), count(second, 3), count(second, 4), count(second, 5))
        let (stds, uts) = (count(second, 1), count(second, 0))
        let data = second + 44
        let footer = data + times * 9 + types * 6 + chars + leaps * 12 + stds + uts
        guard types > 0, footer <= bytes.count else { return nil }
        let typeStart = data + times * 9
        let typeOffsets = (0..<types).map { Int32(number(typeStart + 6 * $0, 4)) }
        var changes: [Int64] = []
        var offsets = [typeOffsets[0]]
        for index in 0..<times {
            changes.append(number(data + 8 * index, 8))
            offsets.append(typeOffsets[Int(bytes[data + 8 * times + index])])
        }
        let rule = String(decoding: bytes[footer...].drop { $0 == 0x0a }.prefix { $0 != 0x0a }, as: UTF8.self)
        if let rule = PosixRule(rule) {
            // Beyond the table the footer's rule goes on; it is written out to 2100.
            let lastYear = changes.last.map { civilFromDays(Int($0 / 86_400)).year } ?? 1970
            for year in max(lastYear, 1970)...2100 {
                for (moment, offset) in rule.changes(in: year) where moment > changes.last ?? Int64.min {
                    changes.append(moment)
                    offsets.append(offset)
                }
            }
        }
        self.init(name: name, changes: changes, offsets: offsets)
    }
}

/// The part of a POSIX TZ string that says when summer time begins and ends: `CET-1CEST,M3.5.0,M10.5.0/3`.
private struct PosixRule {
    private let standard: Int32
    private let summer: Int32
    private let begins: (month: Int, week: Int, weekday: Int, second: Int)
    private let ends: (month: Int, week: Int, weekday: Int, second: Int)

    init?(_ text: String) {
        let parts = text.split(separator: ",")
        guard parts.count == 3, let begins = PosixRule.date(parts[1]), let ends = PosixRule.date(parts[2]) else { return nil }
        (self.begins, self.ends) = (begins, ends)
        var rest = parts[0]
        guard PosixRule.dropName(&rest), let offset = PosixRule.time(&rest), PosixRule.dropName(&rest) else { return nil }
        standard = Int32(-offset)  // POSIX counts west of Greenwich as positive
        summer = Int32(rest.isEmpty ? Int(standard) + 3600 : -(PosixRule.time(&rest) ?? 0))
    }

    func changes(in year: Int) -> [(Int64, Int32)] {
        [(moment(begins, in: year) - Int64(standard), summer), (moment(ends, in: year) - Int64(summer), standard)].sorted {
            $0.0 < $1.0
        }
    }

    private func moment(_ date: (month: Int, week: Int, weekday: Int, second: Int), in year: Int) -> Int64 {
        let first = daysFromCivil(year: year, month: date.month, day: 1)
        let firstWeekday = Day(number: Int32(first)).weekday % 7
        var day = first + (date.weekday - firstWeekday + 7) % 7 + 7 * (date.week - 1)
        let next =
            date.month == 12
            ? daysFromCivil(year: year + 1, month: 1, day: 1) : daysFromCivil(year: year, month: date.month + 1, day: 1)
        while day >= next { day -= 7 }
        return Int64(day) * 86_400 + Int64(date.second)
    }

    private static func date(_ text: Substring) -> (month: Int, week: Int, weekday: Int, second: Int)? {
        guard text.hasPrefix("M") else { return nil }
        let halves = text.dropFirst().split(separator: "/")
        let numbers = halves[0].split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, (1...12).contains(numbers[0]) else { return nil }
        var clock = halves.count > 1 ? halves[1] : "2"
        guard let second = time(&clock) else { return nil }
        return (numbers[0], numbers[1], numbers[2], second)
    }

    private static func dropName(_ text: inout Substring) -> Bool {
        if text.hasPrefix("<") {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let rest = text.drop { $0.isLetter }
        defer { text = rest }
        return rest.startIndex > text.startIndex
    }

    private static func time(_ text: inout Substring) -> Int? {
        let negative = text.hasPrefix("-")
        if negative || text.hasPrefix("+") { text = text.dropFirst() }
        let digits = text.prefix { $0.isNumber || $0 == ":" }
        text = text.dropFirst(digits.count)
        let numbers = digits.split(separator: ":").compactMap { Int($0) }
        guard let hours = numbers.first else { return nil }
        let seconds = hours * 3600 + (numbers.count > 1 ? numbers[1] * 60 : 0) + (numbers.count > 2 ? numbers[2] : 0)
        return negative ? -seconds : seconds
    }
}
