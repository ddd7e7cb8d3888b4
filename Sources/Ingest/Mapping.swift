import Common
import Lake

/// The rules of one source made ready for one file: for each column, where its value will stand or what it is.
struct Mapping {
    let source: Source
    let types: [ColumnType]
    let timeColumn: Int
    /// Where a row's id goes, for logs whose rows may come without one.
    let idColumn: Int?
    private let steps: [Step]
    private let conditions: [(slot: Int, test: Condition.Test)]
    /// Columns without which a row is refused.
    private let required: [Int]
    /// Whether texts may be lists as PostgreSQL prints them.
    private let mayHaveLists: Bool

    private enum Step {
        /// The first of these that the record has; mostly there is one.
        case slot(Int)
        case slots([Int])
        case constant([UInt8])
        case instant(Int64)
        case object([(name: String, slot: Int)])
    }

    struct Refused: Error, Equatable {
        let reason: String
        let detail: String
    }

    init(_ source: Source, file: String, tree: inout FieldTree) throws {
        self.source = source
        types = source.columns.map(\.spec.type)
        steps = try source.columns.map { spec, rule in
            switch rule {
            case .paths(let paths):
                let slots = paths.map { tree.slot(for: $0) }
                return slots.count == 1 ? .slot(slots[0]) : .slots(slots)
            case .constant(let text): return .constant(Array(text.utf8))
            case .object(let fields): return .object(fields.map { ($0.name, tree.slot(for: $0.path)) }.sorted { $0.0 < $1.0 })
            case .fileName(let pattern):
                guard let day = dayInName(file, pattern) else {
                    throw Failure(
                        "The name does not fit \"\(pattern)\", from which \(spec.name) is read. Rename the file, or change the source's files or map.",
                        at: Place(path: file))
                }
                return .instant(day.startUTC.microseconds)
            }
        }
        conditions = source.conditions.map { (tree.slot(for: $0.path), $0.test) }
        let names = source.columns.map(\.spec.name)
        idColumn = source.log.required.contains("id") ? nil : names.firstIndex(of: "id")
        timeColumn = names.firstIndex(of: source.log.timeColumn) ?? 0
        required = source.log.required.compactMap { names.firstIndex(of: $0) }
        mayHaveLists = if case .csv? = source.format(of: file) { true } else { false }
    }

    func isFiltered(_ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>) -> Bool {
        for (slot, test) in conditions where !meets(record, slots[slot], test) { return true }
        return false
    }

    /// The row's time, which decides where it goes.
    func time(_ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>) throws(Refused) -> Instant {
        switch steps[timeColumn] {
        case .instant(let microseconds): return Instant(microseconds: microseconds)
        case .constant(let text):
            if let time = text.withUnsafeBufferPointer({ instant($0) }) { return Instant(microseconds: time) }
        case .slot, .slots, .object:
            guard let value = value(at: steps[timeColumn], slots) else {
                throw Refused(reason: "missing_ts", detail: "there is no \(source.columns[timeColumn].spec.name)")
            }
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            if value.kind == .string, let time = instant(raw) { return Instant(microseconds: time) }
            if value.kind == .escapedString, let time = unescaped(raw).withUnsafeBufferPointer({ instant($0) }) {
                return Instant(microseconds: time)
            }
            throw bad(timeColumn, value.kind)
        }
        throw bad(timeColumn, .string)
    }

    /// Writes the row's values into the columns; the time is known already.
    func write(
        _ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>, time: Instant,
        to columns: UnsafeMutablePointer<GrowingColumn>
    ) throws(Refused) {
        for index in steps.indices {
            if index == timeColumn {
                columns[index].appendInteger(time.microseconds)
                continue
            }
            switch steps[index] {
            case .slot(let slot):
                let value = slots[slot]
                if value.kind == .absent || value.kind == .null {
                    columns[index].appendNull()
                } else if !append(UnsafeBufferPointer(rebasing: record[value.start..<value.end]), value.kind, to: &columns[index])
                {
                    throw bad(index, value.kind)
                }
            case .slots:
                guard let value = value(at: steps[index], slots) else {
                    columns[index].appendNull()
                    continue
                }
                if !append(UnsafeBufferPointer(rebasing: record[value.start..<value.end]), value.kind, to: &columns[index]) {
                    throw bad(index, value.kind)
                }
            case .constant(let text):
                if !text.withUnsafeBufferPointer({ append($0, .string, to: &columns[index]) }) { throw bad(index, .string) }
            case .instant(let microseconds): columns[index].appendInteger(microseconds)
            case .object(let fields): writeObject(record, slots, fields, to: &columns[index])
            }
        }
        for index in required where columns[index].lastIsNull {
            let name = source.columns[index].spec.name
            throw Refused(reason: "missing_\(name)", detail: "there is no \(name)")
        }
    }

    private func value(at step: Step, _ slots: UnsafePointer<RawValue>) -> RawValue? {
        switch step {
        case .slot(let slot): return slots[slot].kind == .absent || slots[slot].kind == .null ? nil : slots[slot]
        case .slots(let alternatives):
            return alternatives.first { slots[$0].kind != .absent && slots[$0].kind != .null }.map { slots[$0] }
        default: return nil
        }
    }

    private func bad(_ column: Int, _ kind: RawValue.Kind) -> Refused {
        let spec = source.columns[column].spec
        let limit = spec.type == .int64 ? ", or negative, or too large" : ""
        return Refused(reason: "bad_value", detail: "\(spec.name) is \(kind.phrase), which is no \(spec.type.phrase)\(limit)")
    }

    private func meets(_ record: UnsafeBufferPointer<UInt8>, _ value: RawValue, _ test: Condition.Test) -> Bool {
        switch value.kind {
        case .absent, .null: return false
        case .string where value.start == value.end: return false
        default: break
        }
        guard case .oneOf(let offered) = test else { return true }
        let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
        let text = value.kind == .escapedString ? unescaped(raw) : Array(raw)
        return offered.contains { $0.utf8.elementsEqual(text) }
    }

    private func writeObject(
        _ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>, _ fields: [(name: String, slot: Int)],
        to column: inout GrowingColumn
    ) {
        let members = fields.compactMap { field -> JSON.Member? in
            let value = slots[field.slot]
            guard value.kind != .absent else { return nil }
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            switch value.kind {
            case .null: return JSON.Member(field.name, .null)
            case .string:
                let list = mayHaveLists ? postgresList(raw) : nil
                return JSON.Member(field.name, list ?? .string(String(decoding: raw, as: UTF8.self)))
            case .escapedString: return JSON.Member(field.name, .string(String(decoding: unescaped(raw), as: UTF8.self)))
            default: return (try? parseJSON(Array(raw), path: "")).map { JSON.Member(field.name, $0.sorted) }
            }
        }
        JSON.object(members).text.withContiguousUTF8 { column.appendText($0) }
    }
}

/// Appends a raw value if it is of the column's type.
@inline(__always)
private func append(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, to column: inout GrowingColumn) -> Bool {
    if kind == .escapedString { return unescaped(raw).withUnsafeBufferPointer { appendPlain($0, .string, to: &column) } }
    return appendPlain(raw, kind, to: &column)
}

@inline(__always)
private func appendPlain(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, to column: inout GrowingColumn) -> Bool {
    let isText = kind == .string
    switch column.type {
    case .text:
        if kind == .object || kind == .array { return appendSorted(raw, to: &column) }
        column.appendText(raw)
    case .int64:
        guard kind == .number || isText else { return false }
        guard let value = plainInteger(raw) ?? exactInteger(raw), value >= 0 else { return false }
        column.appendInteger(value)
    case .decimal:
        guard kind == .number || isText, let units = ExactDecimal.parse(raw)?.units(places: Money.places),
            units.magnitude < ColumnType.decimalLimit
        else { return false }
        column.appendDecimal(units)
    case .bool:
        guard let value = flag(raw, kind) else { return false }
        column.appendBool(value)
    case .timestamp:
        guard isText, let time = instant(raw) else { return false }
        column.appendInteger(time)
    }
    return true
}

/// Lists and objects are kept as JSON text with sorted keys.
private func appendSorted(_ raw: UnsafeBufferPointer<UInt8>, to column: inout GrowingColumn) -> Bool {
    guard let value = try? parseJSON(Array(raw), path: "") else { return false }
    value.sorted.text.withContiguousUTF8 { column.appendText($0) }
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

/// A moment, or a day that stands for its midnight UTC.
private func instant(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
    if let instant = Instant.parse(raw) { return instant.microseconds }
    return raw.count == 10 ? Day(String(decoding: raw, as: UTF8.self))?.startUTC.microseconds : nil
}

private func exactInteger(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
    ExactDecimal.parse(raw)?.units(places: 0).flatMap { Int64(exactly: $0) }
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

/// The day at the place of `YYYY-MM-DD` in a file's name; what follows the pattern in the name does not matter.
func dayInName(_ path: String, _ pattern: String) -> Day? {
    let name = path.split(separator: "/").last ?? ""
    let parts = pattern.split(separator: "YYYY-MM-DD", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, name.hasPrefix(parts[0]) else { return nil }
    let rest = name.dropFirst(parts[0].count)
    guard rest.dropFirst(10).hasPrefix(parts[1]) else { return nil }
    return Day(rest.prefix(10))
}

extension ColumnType {
    /// decimal(38, 12) ends here.
    static let decimalLimit: UInt128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

    var phrase: String {
        switch self {
        case .text: "text"
        case .int64: "whole number"
        case .bool: "true or false"
        case .timestamp: "time"
        case .decimal: "decimal with at most 26 digits before the point and 12 behind it"
        }
    }
}

extension RawValue.Kind {
    var phrase: String {
        switch self {
        case .absent, .null: "missing"
        case .no, .yes: "true or false"
        case .number: "a number"
        case .string, .escapedString: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
