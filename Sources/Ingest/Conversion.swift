import Common
import Lake

/// What happens to a value between the record and the column: translated, checked, scaled, or read as a time of another form.
struct Conversion: Equatable, Sendable, CustomStringConvertible {
    var values: [String: String] = [:]
    var otherwise: String?
    var oneOf: [String] = []
    var scale: ExactDecimal?
    var time: TimeFormat?
    var zone: Zone?
    /// Texts that were encoded twice are put right.
    var repairs = false

    /// What a column needs that has no keys of its own; nil for nothing.
    static func plain(_ column: ColumnSpec, zone: Zone?) -> Conversion? {
        guard column.type == .timestamp, let zone else { return nil }
        return Conversion(zone: zone)
    }

    /// As it stands in a digest.
    var description: String {
        let values = values.sorted { $0.key < $1.key }.map { "\($0.key)>\($0.value)" }.joined(separator: ",")
        return
            "\(values)|\(otherwise ?? "-")|\(oneOf)|\(scale?.description ?? "")|\(time.map { "\($0)" } ?? "")|\(zone?.name ?? "")|\(repairs)"
    }
}

extension Conversion {
    /// What a value is after it was translated and put right; nil for one that is not among those there are.
    func changed(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind) -> ChangedValue? {
        if !values.isEmpty || !oneOf.isEmpty {
            let text = String(decoding: kind == .escapedString ? unescaped(raw) : Array(raw), as: UTF8.self)
            let named = values[text] ?? otherwise
            guard oneOf.isEmpty || oneOf.contains(named ?? text) else { return nil }
            if let named { return .text(Array(named.utf8)) }
        }
        guard repairs, kind == .string || kind == .escapedString else { return .same(raw, kind) }
        let right =
            kind == .escapedString
            ? unescaped(raw).withUnsafeBufferPointer { repairedEncoding($0) } : repairedEncoding(raw)
        return right.map { .repaired($0) } ?? .same(raw, kind)
    }

    func put(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, into column: inout GrowingColumn, _ row: Int) -> Bool {
        if let scale {
            guard kind == .number || kind == .string, let number = ExactDecimal.parse(raw)?.multiplied(by: scale) else {
                return false
            }
            return putNumber(number, into: &column, row)
        }
        guard column.type == .timestamp else { return Ingest.put(raw, kind, into: &column, row) }
        guard let time = instant(raw, kind) else { return false }
        column.put(time, row: row)
        return true
    }

    func instant(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind) -> Int64? {
        if let time { return kind == .number || kind == .string ? time.microseconds(raw) : nil }
        return kind == .string ? Ingest.instant(raw, zone: zone) : nil
    }
}

/// A value on its way into a column.
enum ChangedValue {
    case same(UnsafeBufferPointer<UInt8>, RawValue.Kind)
    case text([UInt8])
    /// A text that had been encoded twice.
    case repaired([UInt8])

    func withText<R>(_ body: (UnsafeBufferPointer<UInt8>, RawValue.Kind) -> R) -> R {
        switch self {
        case .same(let raw, .escapedString): unescaped(raw).withUnsafeBufferPointer { body($0, .string) }
        case .same(let raw, let kind): body(raw, kind)
        case .text(let bytes), .repaired(let bytes): bytes.withUnsafeBufferPointer { body($0, .string) }
        }
    }
}

extension Conversion {
    /// nil where the object has none of the keys.
    init?(_ object: ConfigObject, column: ColumnSpec, zone: Zone?) throws {
        let isNumber = column.type == .int64 || column.type == .decimal
        let named = try object.named("values").map {
            (name: $0.name, text: try $0.node.text("\"\($0.name)\" in values"), $0.node.place)
        }
        values = Dictionary(named.map { ($0.name, $0.text) }, uniquingKeysWith: { $1 })
        otherwise = try object.optionalText("otherwise")
        oneOf = try object.texts("one_of")
        scale = try object.optionalDecimal("scale")
        time = try object.node("time").map { try TimeFormat($0) }
        self.zone = try object.zone("zone")
        guard otherwise == nil || !values.isEmpty else {
            throw object.failure("\"otherwise\" is for what \"values\" does not name. Add \"values\".", at: "otherwise")
        }
        guard object.node("one_of") == nil || !oneOf.isEmpty else {
            throw object.failure(
                "\"one_of\" is an empty list, so that every record would be refused. Name the values there are.", at: "one_of")
        }
        guard scale == nil || isNumber else {
            throw object.failure("\"scale\" is for numbers, and \(column.name) is \(column.type.withArticle).", at: "scale")
        }
        guard scale != .zero else {
            throw object.failure("A scale of 0 makes every value 0. Write the factor, such as \"0.01\".", at: "scale")
        }
        guard time == nil || self.zone == nil else {
            throw object.failure(
                "\"zone\" is for times that are written without an offset, and a number counts from a moment that has none. Remove it.",
                at: "zone")
        }
        guard time == nil && self.zone == nil || column.type == .timestamp else {
            throw object.failure(
                "\"time\" and \"zone\" are for times, and \(column.name) is \(column.type.withArticle).",
                at: time == nil ? "zone" : "time")
        }
        if self == Conversion() { return nil }
        if column.type == .timestamp, time == nil, self.zone == nil { self.zone = zone }
        for (name, text, place) in named {
            guard oneOf.isEmpty || oneOf.contains(text) else {
                throw Failure(
                    "\"\(name)\" becomes \"\(text)\", which is none of \(listed(oneOf)). Add it to \"one_of\".", at: place,
                    kind: .usage)
            }
            try check(text, fits: column, at: place)
        }
        if let otherwise {
            guard oneOf.isEmpty || oneOf.contains(otherwise) else {
                throw object.failure(
                    "\"\(otherwise)\" is none of \(listed(oneOf)). Add it to \"one_of\".", at: "otherwise")
            }
            try check(otherwise, fits: column, at: object.place(of: "otherwise"))
        }
        for text in oneOf { try check(text, fits: column, at: object.place(of: "one_of")) }
    }

    /// Refuses a text of the job that would never go into the column, before any record is.
    func check(_ text: String, fits column: ColumnSpec, at place: Place) throws {
        var trial = GrowingColumn(column.type, expected: 1)
        defer { trial.free() }
        guard text.withContiguousUTF8({ put($0, .string, into: &trial, 0) }) else {
            let form = time == nil ? column.type.phrase : "number that counts from a moment"
            throw Failure("\"\(text)\" is no \(form), which \(column.name) takes.", at: place, kind: .usage)
        }
    }
}

extension ConfigObject {
    /// The zone behind a key; nil where it is absent.
    func zone(_ key: String) throws -> Zone? {
        guard let name = try optionalText(key) else { return nil }
        do { return try Zone(named: name) } catch let problem as Failure { throw failure(problem.message, at: key) }
    }
}

/// How a time is written that is a number: how many of its units make a second, and when they begin.
public struct TimeFormat: Equatable, Sendable {
    let perSecond: Int64
    let since: Instant

    static let names = ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"]
    private static let units: [(name: String, perSecond: Int64)] = [
        ("s", 1), ("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_000),
    ]
    public static let schema = ConfigSchema(
        name: "time",
        keys: [
            ConfigKey(
                name: "since", kind: "time", required: true, about: "The moment that is 0, such as \"2026-01-01T00:00:00Z\"."),
            ConfigKey(
                name: "unit", kind: "one of \(listed(units.map(\.name)))", required: true, about: "What the number counts."),
        ])

    /// nil for a name that is none.
    init?(named name: String) {
        guard let unit = TimeFormat.units.first(where: { "epoch_" + $0.name == name }) else { return nil }
        (perSecond, since) = (unit.perSecond, Instant(microseconds: 0))
    }

    init(_ node: ConfigNode) throws {
        if case .string(let name) = node.value {
            guard let format = TimeFormat(named: name) else {
                let hint = didYouMean(name, from: TimeFormat.names)
                throw node.failure(
                    "unknown time \"\(name)\".\(hint) It is one of \(listed(TimeFormat.names)), or { since: …, unit: … }.")
            }
            self = format
            return
        }
        guard case .object = node.value else {
            throw node.failure("\"time\" is one of \(listed(TimeFormat.names)), or { since: …, unit: … }.")
        }
        let object = try ConfigObject(node, TimeFormat.schema)
        let (text, name) = (try object.text("since"), try object.text("unit"))
        guard let since = Instant(text) else {
            throw object.failure("\"\(text)\" is no time. Write it like \"2026-01-01T00:00:00Z\".", at: "since")
        }
        guard let unit = TimeFormat.units.first(where: { $0.name == name }) else {
            let names = TimeFormat.units.map(\.name)
            throw object.failure(
                "unknown unit \"\(name)\".\(didYouMean(name, from: names)) It is one of \(listed(names)).", at: "unit")
        }
        (perSecond, self.since) = (unit.perSecond, since)
    }

    /// Microseconds since 1970; what lies below one is cut off, as it is from written times. nil for what is no number or lies
    /// thousands of years away.
    func microseconds(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let number = ExactDecimal.parse(raw) else { return nil }
        var divisor = Int128(perSecond)
        for _ in 0..<number.scale {
            let (product, overflow) = divisor.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            divisor = product
        }
        let (scaled, overflow) = number.mantissa.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return nil }
        let (quotient, rest) = scaled.quotientAndRemainder(dividingBy: divisor)
        let (sum, tooLarge) = (quotient - (rest < 0 ? 1 : 0)).addingReportingOverflow(Int128(since.microseconds))
        guard !tooLarge, sum.magnitude < TimeFormat.farthest else { return nil }
        return Int64(sum)
    }

    /// A written time ends with the year 9999.
    private static let farthest: UInt128 = 253_402_300_800_000_000
}

/// A text that was UTF-8, was taken for Windows-1252 and encoded once more, as it was before: `GÃ¼nlÃ¼k` was `Günlük`. nil where that
/// cannot have happened, or where what came out would not be UTF-8.
///
/// The table is that of the WHATWG Encoding Standard, windows-1252: bytes without a character of their own keep their number.
func repairedEncoding(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    // The first byte of two was C2 to F4, which is now a letter from C3 82 on: no ASCII text has it.
    guard text.contains(where: { $0 == 0xc3 || $0 == 0xc2 }) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
        if scalar.value < 0x80 || 0xa0...0xff ~= scalar.value {
            bytes.append(UInt8(scalar.value))
        } else if let index = windows1252.firstIndex(of: UInt16(truncatingIfNeeded: scalar.value)), scalar.value <= 0xffff {
            bytes.append(0x80 + UInt8(index))
        } else {
            return nil
        }
    }
    guard bytes.count < text.count, String(validating: bytes, as: UTF8.self) != nil, bytes.contains(where: { $0 >= 0x80 }) else {
        return nil
    }
    return bytes
}

/// What the bytes 80 to 9F stand for.
private let windows1252: [UInt16] = [
    0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
    0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
]
