import Common
import Glibc

/// How a field of a CSV row is written.
enum FieldStyle {
    case plain, quoted
    /// In quotes, and holds some that are doubled.
    case doubled
}

/// What a row of a CSV file came to.
enum RowScan {
    /// Where it ends, and where the next one begins.
    case row(end: Int, next: Int)
    /// It goes on behind these bytes; within a field whose quote stands at `opened`, if it does.
    case open(opened: Int?)
    case damaged(Damage)

    struct Damage {
        let what: String
        let byte: Int
        /// Where the field begins that is damaged.
        let opened: Int
        /// Whether the file may have ended before the field did.
        var isOpenAtEnd = false
    }
}

/// Reads one row (RFC 4180, with any delimiter, and line ends of one or two characters) and tells its fields as it goes.
///
/// - Parameter isLast: whether nothing follows these bytes; the last row may lack its line end.
@inline(__always)
func scanRow(
    _ bytes: UnsafeBufferPointer<UInt8>, delimiter: UInt8, isLast: Bool,
    _ field: (_ start: Int, _ end: Int, _ style: FieldStyle) -> Void
) -> RowScan {
    guard let base = bytes.baseAddress else { return .open(opened: nil) }
    let count = bytes.count
    let delimiters = UInt64(delimiter) &* 0x0101_0101_0101_0101
    var at = 0
    while true {
        let opened = at
        if at < count, base[at] == 0x22 {
            var style = FieldStyle.quoted
            at += 1
            while true {
                guard let quote = memchr(base + at, 0x22, count - at) else {
                    guard isLast else { return .open(opened: opened) }
                    return .damaged(
                        .init(what: "has a quote that is never closed", byte: opened, opened: opened, isOpenAtEnd: true))
                }
                at = UnsafeRawPointer(quote) - UnsafeRawPointer(base) + 1
                if at == count, !isLast { return .open(opened: opened) }
                guard at < count, base[at] == 0x22 else { break }
                style = .doubled
                at += 1
            }
            field(opened + 1, at - 1, style)
        } else {
            at = endOfPlainField(base, at, count, delimiters)
            if at == count, !isLast { return .open(opened: nil) }
            if at < count, base[at] == 0x22 {
                return .damaged(.init(what: "has a quote in a field that does not begin with one", byte: at, opened: opened))
            }
            field(opened, at, .plain)
        }
        if at == count { return .row(end: at, next: at) }
        switch base[at] {
        case delimiter: at += 1
        case 0x0a: return .row(end: at, next: at + 1)
        case 0x0d:
            if at + 1 == count { return isLast ? .row(end: at, next: at + 1) : .open(opened: nil) }
            if base[at + 1] == 0x0a { return .row(end: at, next: at + 2) }
            return .damaged(.init(what: "has a carriage return outside of quotes", byte: at, opened: opened))
        default: return .damaged(.init(what: "goes on behind a quote that closes a field", byte: at, opened: opened))
        }
    }
}

/// The first delimiter, line end, carriage return or quote from a place on; eight bytes are looked at together.
@inline(__always)
private func endOfPlainField(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ delimiters: UInt64) -> Int {
    // The highest bit of each byte that is zero; the lowest one set is always right.
    func zeros(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 }
    var at = start
    while at &+ 8 <= count {
        let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
        let marks =
            zeros(word ^ delimiters) | zeros(word ^ 0x0a0a_0a0a_0a0a_0a0a) | zeros(word ^ 0x0d0d_0d0d_0d0d_0d0d)
            | zeros(word ^ 0x2222_2222_2222_2222)
        if marks != 0 { return at &+ marks.trailingZeroBitCount >> 3 }
        at &+= 8
    }
    let delimiter = UInt8(truncatingIfNeeded: delimiters)
    while at < count, base[at] != delimiter, base[at] != 0x0a, base[at] != 0x0d, base[at] != 0x22 { at &+= 1 }
    return at
}

/// Why these bytes are no text: they hold a NUL, or are not UTF-8. nil where they are one.
func textProblem(_ bytes: UnsafeBufferPointer<UInt8>) -> (what: String, byte: Int)? {
    guard let base = bytes.baseAddress else { return nil }
    if let zero = memchr(base, 0, bytes.count) {
        return ("holds a NUL byte, which no text does", UnsafeRawPointer(zero) - UnsafeRawPointer(base))
    }
    var at = 0
    while at < bytes.count {
        while at &+ 8 <= bytes.count, UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
            at &+= 8
        }
        guard at < bytes.count else { break }
        let length = base[at] < 0x80 ? 1 : sequenceLength(base + at, bytes.count - at)
        if length == 0 { return ("is not UTF-8", at) }
        at &+= length
    }
    return nil
}

/// The content of a field in quotes, in which a doubled quote stands for one.
func undoubled(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    var at = 0
    while at < raw.count {
        out.append(raw[at])
        at += raw[at] == 0x22 ? 2 : 1
    }
    return out
}
