import Common

/// What a price or a quantity is counted in: a closed list, so that every conversion is exact.
public enum PriceUnit: String, CaseIterable, Sendable {
    case token
    case millisecond, second, minute, hour
    case byte
    case kilobyte = "KB"
    case megabyte = "MB"
    case gigabyte = "GB"
    case terabyte = "TB"
    case kibibyte = "KiB"
    case mebibyte = "MiB"
    case gibibyte = "GiB"
    case tebibyte = "TiB"
    case gigabyteMonth = "GB-month"
    case gibibyteMonth = "GiB-month"
    case terabyteMonth = "TB-month"
    case month, year, once
    case seatMonth = "seat-month"
    case hostMonth = "host-month"
    case replicaMonth = "replica-month"
    case character, image, clip, page, request, search, query, session, message, code, user

    /// Units of one dimension are converted into each other; others are not.
    public enum Dimension: Hashable, Sendable {
        case time, data, storedData
        /// Counted one by one.
        case pieces(PriceUnit)
    }

    public var dimension: Dimension { measure.0 }

    /// How many of the dimension's smallest unit it is.
    public var factor: Int128 { measure.1 }

    private var measure: (Dimension, Int128) {
        switch self {
        case .millisecond: (.time, 1)
        case .second: (.time, 1000)
        case .minute: (.time, 60_000)
        case .hour: (.time, 3_600_000)
        case .byte: (.data, 1)
        case .kilobyte: (.data, 1000)
        case .megabyte: (.data, 1_000_000)
        case .gigabyte: (.data, 1_000_000_000)
        case .terabyte: (.data, 1_000_000_000_000)
        case .kibibyte: (.data, 1 << 10)
        case .mebibyte: (.data, 1 << 20)
        case .gibibyte: (.data, 1 << 30)
        case .tebibyte: (.data, 1 << 40)
        case .gigabyteMonth: (.storedData, 1_000_000_000)
        case .gibibyteMonth: (.storedData, 1 << 30)
        case .terabyteMonth: (.storedData, 1_000_000_000_000)
        default: (.pieces(self), 1)
        }
    }

    /// Its word for several: `seconds`, `queries`, `GB`.
    public var plural: String {
        guard rawValue.utf8.allSatisfy({ $0 >= 0x61 }) else { return rawValue }
        return rawValue.hasSuffix("y") ? rawValue.dropLast() + "ies" : rawValue.hasSuffix("h") ? rawValue + "es" : rawValue + "s"
    }

    /// A unit by its word, also in the plural: `seconds`, `queries`.
    public init?(word: some StringProtocol) {
        let word = String(word)
        let singular = [
            word, word.hasSuffix("s") ? String(word.dropLast()) : word, word.hasSuffix("ies") ? word.dropLast(3) + "y" : word,
            word.hasSuffix("ches") ? String(word.dropLast(2)) : word,
        ]
        guard let unit = singular.lazy.compactMap({ PriceUnit(rawValue: $0) }).first else { return nil }
        self = unit
    }
}

/// So many of a unit, as prices name them: `1M tokens`, `15 seconds`, `GB-month`.
public struct UnitAmount: Equatable, Sendable, CustomStringConvertible {
    public let count: Int128
    public let unit: PriceUnit

    public init(_ count: Int128, _ unit: PriceUnit) { (self.count, self.unit) = (count, unit) }

    /// nil where it is no count of a known unit. K stands for a thousand and M for a million.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        guard (1...2).contains(words.count), let unit = PriceUnit(word: words[words.count - 1]) else { return nil }
        var count: Int128 = 1
        if words.count == 2 {
            let multiplier: Int128 = words[0].hasSuffix("M") ? 1_000_000 : words[0].hasSuffix("K") ? 1000 : 1
            guard let number = Int128(multiplier == 1 ? words[0] : words[0].dropLast()), (1...1_000_000_000_000).contains(number)
            else { return nil }
            count = number * multiplier
        }
        self.init(count, unit)
    }

    /// In the dimension's smallest unit.
    var size: Int128 { count * unit.factor }

    public var description: String {
        if count == 1 { return unit.rawValue }
        let (number, letter): (Int128, String) =
            count % 1_000_000 == 0 ? (count / 1_000_000, "M") : count % 1000 == 0 ? (count / 1000, "K") : (count, "")
        return "\(number)\(letter) \(unit.plural)"
    }
}
