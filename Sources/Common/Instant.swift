/// A moment, in microseconds since 1970-01-01T00:00:00Z.
///
///     Instant("2026-11-09T06:12:33.120045Z")!.dayUTC   // 2026-11-09
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Reads RFC 3339 with any offset and up to nine fraction digits (those past the sixth are cut); nil for anything else.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { Instant.parse($0) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The same, on bytes. A space may stand for the `T`, as databases print it, and the offset may be `+00`, `+0000` or `+00:00`.
    ///
    /// - Parameter zone: whose clocks show a time that has no offset; without it such a time is refused.
    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>, zone: Zone? = nil) -> Instant? {
        guard bytes.count >= 19, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[13] == 0x3a, bytes[16] == 0x3a,
            bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20,
            let year = two(bytes, 0), let yearRest = two(bytes, 2), let month = two(bytes, 5), let day = two(bytes, 8),
            let hour = two(bytes, 11), let minute = two(bytes, 14), let second = two(bytes, 17),
            hour < 24, minute < 60, second < 60,  // a leap second has no place of its own on this scale
            month >= 1, month <= 12, day >= 1, day <= 31
        else { return nil }
        if day > 28, Day(year: year * 100 + yearRest, month: month, day: day) == nil { return nil }
        var position = 19
        var fraction: Int64 = 0
        if position < bytes.count, bytes[position] == 0x2e {
            position += 1
            var digits = 0
            while position < bytes.count, bytes[position] &- 0x30 <= 9 {
                if digits < 6 { fraction = fraction * 10 + Int64(bytes[position] - 0x30) }
                digits += 1
                position += 1
            }
            guard digits >= 1, digits <= 9 else { return nil }
            while digits < 6 {
                fraction *= 10
                digits += 1
            }
        }
        let days = daysFromCivil(year: year * 100 + yearRest, month: month, day: day)
        if position == bytes.count {
            let wall = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
            return zone.map { $0.moment(ofWall: Instant(microseconds: wall * 1_000_000 + fraction)) }
        }
        guard let offset = offsetSeconds(bytes, from: position) else { return nil }
        let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
        return Instant(microseconds: seconds * 1_000_000 + fraction)
    }

    public var dayUTC: Day { Day(number: Int32(floorDivide(microseconds, 86_400_000_000))) }

    /// RFC 3339 in UTC, with microseconds only where there are any.
    public var description: String {
        let day = dayUTC
        let rest = microseconds - day.startUTC.microseconds
        let second = Int(rest / 1_000_000)
        let fraction = Int(rest % 1_000_000)
        let clock = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(day)T\(clock)\(fraction == 0 ? "" : "." + padded(fraction, 6))Z"
    }

    public static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }
    public static func + (a: Instant, seconds: Int64) -> Instant { Instant(microseconds: a.microseconds + seconds * 1_000_000) }

    private static func two(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int? {
        let (high, low) = (bytes[at] &- 0x30, bytes[at + 1] &- 0x30)
        return high <= 9 && low <= 9 ? Int(high) * 10 + Int(low) : nil
    }

    private static func offsetSeconds(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        let left = bytes.count - start
        if bytes[start] == 0x5a || bytes[start] == 0x7a { return left == 1 ? 0 : nil }
        guard bytes[start] == 0x2b || bytes[start] == 0x2d, left >= 3, let hours = two(bytes, start + 1) else { return nil }
        var minutes = 0
        switch left {
        case 3: break
        case 5: minutes = two(bytes, start + 3) ?? 60
        case 6: minutes = bytes[start + 3] == 0x3a ? two(bytes, start + 4) ?? 60 : 60
        default: return nil
        }
        guard hours <= 23, minutes < 60 else { return nil }
        return (bytes[start] == 0x2d ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}

@inline(__always) func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : (a - b + 1) / b }
