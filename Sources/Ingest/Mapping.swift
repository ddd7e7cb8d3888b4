import Common
import Lake

/// The rules of one source, made ready for one file: where each column's value will stand, and what is fixed already.
struct Mapping {
    let source: Source
    private let steps: [Step]
    private let conditions: [(slot: Int, test: Condition.Test)]
    /// Where a row's id goes, if the log has one of its own.
    let idColumn: Int?
    private let timeColumn: Int

    private enum Step {
        case slots([Int])
        case constant(String)
        case instant(Int64)
        case object([(name: String, slot: Int)])
    }

    /// What became of a record.
    enum Outcome {
        case row([Cell], day: Day)
        case filtered
        case outOfRange
        case refused(reason: String, detail: String)
    }

    init(_ source: Source, file: String, tree: inout FieldTree) throws {
        self.source = source
        steps = try source.columns.map { spec, rule in
            switch rule {
            case .paths(let paths): return .slots(paths.map { tree.slot(for: $0) })
            case .constant(let text): return .constant(text)
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
        idColumn = source.columns.firstIndex { $0.spec.name == "id" }
        timeColumn = source.columns.firstIndex { $0.spec.name == source.log.timeColumn } ?? 0
    }

    /// Makes the row of one scanned record. A row without an id has a null there: it gets one when its file is complete.
    func row(
        of record: UnsafeBufferPointer<UInt8>, _ slots: UnsafeMutablePointer<RawValue>, into rows: inout Rows,
        accepting range: Range<Instant>
    ) -> Outcome {
        for (slot, test) in conditions where !meets(record, slots[slot], test) { return .filtered }
        var cells: [Cell] = []
        cells.reserveCapacity(steps.count)
        for (index, step) in steps.enumerated() {
            let spec = source.columns[index].spec
            switch step {
            case .constant(let text):
                guard let cell = text.withContiguousUTF8({ convert($0, kind: .string, spec, index, &rows) }) else {
                    return .refused(reason: "bad_value", detail: "the constant for \(spec.name) is no \(spec.type.phrase)")
                }
                cells.append(cell)
            case .instant(let microseconds): cells.append(.integer(microseconds))
            case .object(let fields): cells.append(object(record, slots, fields, index, &rows))
            case .slots(let alternatives):
                let slot = alternatives.first { slots[$0].kind != .absent && slots[$0].kind != .null } ?? alternatives[0]
                let value = slots[slot]
                if value.kind == .absent || value.kind == .null {
                    cells.append(.null)
                    continue
                }
                let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
                guard let cell = convert(raw, kind: value.kind, spec, index, &rows) else {
                    return .refused(reason: "bad_value", detail: "\(spec.name) is \(value.kind.phrase), which is no \(spec.type.phrase)")
                }
                cells.append(cell)
            }
        }
        if let missing = firstMissing(cells) { return .refused(reason: "missing_\(missing)", detail: "there is no \(missing)") }
        if let negative = source.columns.indices.first(where: { isNegativeCount(cells[$0], source.columns[$0].spec) }) {
            return .refused(reason: "bad_value", detail: "\(source.columns[negative].spec.name) is negative")
        }
        guard case .integer(let time) = cells[timeColumn] else { return .refused(reason: "missing_ts", detail: "there is no time") }
        let instant = Instant(microseconds: time)
        return range.contains(instant) ? .row(cells, day: instant.dayUTC) : .outOfRange
    }

    private func firstMissing(_ cells: [Cell]) -> String? {
        let log = source.log
        return ([log.timeColumn] + log.required).first { name in
            source.columns.firstIndex { $0.spec.name == name }.map { cells[$0] == .null } ?? false
        }
    }

    /// Tokens, counts and durations are never negative; money may be.
    private func isNegativeCount(_ cell: Cell, _ spec: ColumnSpec) -> Bool {
        if spec.type == .int64, case .integer(let value) = cell { value < 0 } else { false }
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

    // MARK: - One value

    /// The cell for a raw value, or nil where it is not of the column's type.
    private func convert(
        _ raw: UnsafeBufferPointer<UInt8>, kind: RawValue.Kind, _ spec: ColumnSpec, _ column: Int, _ rows: inout Rows
    ) -> Cell? {
        if kind == .escapedString {
            return unescaped(raw).withUnsafeBufferPointer { convert($0, kind: .string, spec, column, &rows) }
        }
        let isText = kind == .string
        switch spec.type {
        case .text:
            guard kind == .object || kind == .array else { return .text(rows.code(of: raw, column: column)) }
            guard let value = try? parseJSON(Array(raw), path: "") else { return nil }
            return .text(value.sorted.text.withContiguousUTF8 { rows.code(of: $0, column: column) })
        case .int64:
            guard kind == .number || isText else { return nil }
            if let value = plainInteger(raw) { return .integer(value) }
            return ExactDecimal.parse(raw)?.units(places: 0).flatMap { Int64(exactly: $0) }.map(Cell.integer)
        case .decimal:
            guard kind == .number || isText else { return nil }
            guard let units = ExactDecimal.parse(raw)?.units(places: Money.places), units.magnitude < decimalLimit else { return nil }
            return .decimal(units)
        case .bool:
            if kind == .yes || kind == .no { return .bool(kind == .yes) }
            guard isText else { return nil }
            switch String(decoding: raw, as: UTF8.self) {
            case "t", "true": return .bool(true)
            case "f", "false": return .bool(false)
            default: return nil
            }
        case .timestamp:
            guard isText else { return nil }
            if let instant = Instant.parse(raw) { return .integer(instant.microseconds) }
            return Day(String(decoding: raw, as: UTF8.self)).map { .integer($0.startUTC.microseconds) }
        }
    }

    private func object(
        _ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafeMutablePointer<RawValue>, _ fields: [(name: String, slot: Int)],
        _ column: Int, _ rows: inout Rows
    ) -> Cell {
        let members = fields.compactMap { field -> JSON.Member? in
            let value = slots[field.slot]
            guard value.kind != .absent else { return nil }
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            switch value.kind {
            case .string: return JSON.Member(field.name, .string(String(decoding: raw, as: UTF8.self)))
            case .escapedString: return JSON.Member(field.name, .string(String(decoding: unescaped(raw), as: UTF8.self)))
            default: return (try? parseJSON(Array(raw), path: "")).map { JSON.Member(field.name, $0.sorted) }
            }
        }
        return .text(JSON.object(members).text.withContiguousUTF8 { rows.code(of: $0, column: column) })
    }
}

/// A stored decimal has 38 digits, of which 12 stand behind the point.
private let decimalLimit: UInt128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

/// Digits with an optional minus, as most numbers in logs are; nil for anything that needs a closer look.
private func plainInteger(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
    let negative = raw.first == 0x2d
    var at = negative ? 1 : 0
    guard at < raw.count, raw.count <= 18 else { return nil }
    var value: Int64 = 0
    while at < raw.count {
        let digit = raw[at] &- 0x30
        guard digit <= 9 else { return nil }
        value = value * 10 + Int64(digit)
        at += 1
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
