import Common
import Lake

/// Puts a raw value into a column if it is of its type.
@inline(__always)
func put(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, into column: inout GrowingColumn, _ row: Int) -> Bool {
    if kind == .escapedString { return unescaped(raw).withUnsafeBufferPointer { putPlain($0, .string, into: &column, row) } }
    return putPlain(raw, kind, into: &column, row)
}

@inline(__always)
private func putPlain(
    _ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, into column: inout GrowingColumn, _ row: Int
) -> Bool {
    let isText = kind == .string
    switch column.type {
    case .text:
        if kind == .object || kind == .array { return putSorted(raw, into: &column, row) }
        column.put(raw, row: row)
    case .int64:
        guard kind == .number || isText else { return false }
        guard let value = plainInteger(raw) else {
            return ExactDecimal.parse(raw).map { putNumber($0, into: &column, row) } ?? false
        }
        guard value >= 0 else { return false }
        column.put(value, row: row)
    case .decimal:
        guard kind == .number || isText, let number = ExactDecimal.parse(raw) else { return false }
        return putNumber(number, into: &column, row)
    case .bool:
        guard let value = flag(raw, kind) else { return false }
        column.put(value, row: row)
    case .timestamp:
        guard isText, let time = instant(raw) else { return false }
        column.put(time, row: row)
    }
    return true
}

/// Whole numbers are counts, so that none is negative.
func putNumber(_ number: ExactDecimal, into column: inout GrowingColumn, _ row: Int) -> Bool {
    if column.type == .int64 {
        guard let value = number.units(places: 0).flatMap({ Int64(exactly: $0) }), value >= 0 else { return false }
        column.put(value, row: row)
    } else {
        guard let units = number.units(places: Money.places), units.magnitude < ColumnType.decimalLimit else { return false }
        column.put(units, row: row)
    }
    return true
}

/// Lists and objects are kept as JSON text with sorted keys.
private func putSorted(_ raw: UnsafeBufferPointer<UInt8>, into column: inout GrowingColumn, _ row: Int) -> Bool {
    guard let value = try? parseJSON(Array(raw), path: "") else { return false }
    value.sorted.text.withContiguousUTF8 { column.put($0, row: row) }
    return true
}

private func flag(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind) -> Bool? {
    switch kind {
    case .yes: return true
    case .no: return false
    case .string:
        switch String(decoding: raw, as: UTF8.self) {
        case "t", "true": return true
        case "f", "false": return false
        default: return nil
        }
    default: return nil
    }
}

/// A moment, or a day that stands for its first moment; without an offset both are of the zone, and a day without a zone is of UTC.
@inline(__always)
func instant(_ raw: UnsafeBufferPointer<UInt8>, zone: Zone? = nil) -> Int64? {
    if let instant = Instant.parse(raw, zone: zone) { return instant.microseconds }
    guard raw.count == 10, let day = Day(String(decoding: raw, as: UTF8.self)) else { return nil }
    return (zone?.start(of: day) ?? day.startUTC).microseconds
}

/// Digits with an optional minus, as most numbers in logs are; nil for anything that needs a closer look.
@inline(__always)
private func plainInteger(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
    let negative = raw.first == 0x2d
    var at = negative ? 1 : 0
    guard at < raw.count, raw.count <= 18 else { return nil }
    var value: Int64 = 0
    while at < raw.count {
        let digit = raw[at] &- 0x30
        guard digit <= 9 else { return nil }
        value = value &* 10 &+ Int64(digit)
        at &+= 1
    }
    return negative ? -value : value
}
