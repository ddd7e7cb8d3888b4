import Common
import Lake

/// The rules of one source made ready for one file: for each column, where its value will stand or what it is.
final class Mapping {
    let source: Source
    let types: [ColumnType]
    let timeColumn: Int
    /// Where a row's id goes, for logs whose rows may come without one.
    let idColumn: Int?
    private let steps: [Step]
    /// The columns that are one field each, which are most; the time is among neither of the two.
    private let fields: [Field]
    private let others: [Int]
    private let conditions: [(slot: Int, test: Condition.Test)]
    /// Columns without which a row is refused.
    private let required: [Int]
    private let tokens: TokenColumns?
    /// How many texts were put right that had been encoded twice.
    private(set) var repaired = 0
    /// Whether texts may be lists as PostgreSQL prints them.
    private let mayHaveLists: Bool

    private enum Step {
        /// One field that goes in as it is.
        case slot(Int)
        /// The first of these that the record has, changed on its way.
        case converted([Int], Conversion)
        case constant([UInt8])
        case instant(Int64)
        case object([(name: String, slot: Int)])
    }

    /// The columns of tokens, for sources that count them in another way.
    private struct TokenColumns {
        let input: Int
        let cached: [Int]
        let output: Int
        let reasoning: Int
    }

    private struct Field {
        let column: Int
        let slot: Int
    }

    struct Refused: Error, Equatable {
        let reason: String
        let detail: String
    }

    /// - Parameter slot: where the value of a path will stand.
    init(_ source: Source, file: String, slot: (_ path: String) -> Int) throws {
        self.source = source
        types = source.columns.map(\.spec.type)
        let steps: [Step] = try source.columns.map { spec, rule in
            switch rule.origin {
            case .paths(let paths):
                if paths.count == 1, rule.conversion == nil { return .slot(slot(paths[0])) }
                return .converted(paths.map(slot), rule.conversion ?? Conversion())
            case .constant(let text): return .constant(Array(text.utf8))
            case .object(let members): return .object(members.map { ($0.name, slot($0.path)) }.sorted { $0.0 < $1.0 })
            case .fileName(let pattern):
                let day = try dayInName(file, pattern, for: spec)
                return .instant(day.startUTC.microseconds)
            }
        }
        conditions = source.conditions.map { (slot($0.path), $0.test) }
        let names = source.columns.map(\.spec.name)
        idColumn = source.log.required.contains("id") ? nil : names.firstIndex(of: "id")
        let timeColumn = names.firstIndex(of: source.log.timeColumn) ?? 0
        required = source.log.required.compactMap { names.firstIndex(of: $0) }
        let columns = steps.indices.filter { $0 != timeColumn }
        (self.steps, self.timeColumn) = (steps, timeColumn)
        fields = columns.compactMap { if case .slot(let slot) = steps[$0] { Field(column: $0, slot: slot) } else { nil } }
        others = columns.filter { if case .slot = steps[$0] { false } else { true } }
        func column(_ name: String) -> Int { names.firstIndex(of: name) ?? 0 }
        tokens =
            source.inputIncludesCache || source.outputExcludesReasoning
            ? TokenColumns(
                input: column("input_tokens"),
                cached: ["cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"].map(column),
                output: column("output_tokens"), reasoning: column("reasoning_tokens")) : nil
        mayHaveLists = if case .csv? = source.format(of: file) { true } else { false }
    }

    /// The first of the source's conditions that a record does not meet; nil where it meets all.
    func unmet(_ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>) -> Int? {
        for (index, (slot, test)) in conditions.enumerated() {
            let value = slots[slot]
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            if !Condition.meets(raw, value.kind, test) { return index }
        }
        return nil
    }

    /// The row's time, which decides where it goes.
    func time(_ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>) throws(Refused) -> Instant {
        if case .slot(let slot) = steps[timeColumn], slots[slot].kind == .string,
            let time = instant(UnsafeBufferPointer(rebasing: record[slots[slot].start..<slots[slot].end]))
        {
            return Instant(microseconds: time)
        }
        switch steps[timeColumn] {
        case .instant(let microseconds): return Instant(microseconds: microseconds)
        case .constant(let text):
            if let time = text.withUnsafeBufferPointer({ instant($0) }) { return Instant(microseconds: time) }
        case .slot, .converted, .object:
            guard let value = value(at: steps[timeColumn], slots) else {
                throw Refused(reason: "missing_ts", detail: "there is no \(source.columns[timeColumn].spec.name)")
            }
            let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
            var time: Int64?
            if case .converted(_, let conversion) = steps[timeColumn] {
                time = try converted(raw, value.kind, conversion, timeColumn).withText { conversion.instant($0, $1) }
            } else if value.kind == .escapedString {
                time = unescaped(raw).withUnsafeBufferPointer { instant($0) }
            }
            if let time { return Instant(microseconds: time) }
            throw bad(timeColumn, value.kind, raw)
        }
        throw bad(timeColumn, .string)
    }

    /// Writes the row's values into the columns; the time is known already.
    func write(
        _ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>, time: Instant,
        to columns: UnsafeMutablePointer<GrowingColumn>, row: Int
    ) throws(Refused) {
        columns[timeColumn].put(time.microseconds, row: row)
        let refused = fields.withUnsafeBufferPointer { fields -> Int in
            for field in fields {
                let value = slots[field.slot]
                if value.kind == .absent || value.kind == .null { continue }
                let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
                if !put(raw, value.kind, into: &columns[field.column], row) { return field.column }
            }
            return -1
        }
        if refused >= 0, case .slot(let slot) = steps[refused] {
            let value = slots[slot]
            throw bad(refused, value.kind, UnsafeBufferPointer(rebasing: record[value.start..<value.end]))
        }
        for index in others {
            switch steps[index] {
            case .slot: continue
            case .converted(_, let conversion):
                guard let value = value(at: steps[index], slots) else { continue }
                let raw = UnsafeBufferPointer(rebasing: record[value.start..<value.end])
                let changed = try converted(raw, value.kind, conversion, index)
                guard changed.withText({ conversion.put($0, $1, into: &columns[index], row) }) else {
                    throw bad(index, value.kind, raw)
                }
            case .constant(let text):
                if !text.withUnsafeBufferPointer({ put($0, .string, into: &columns[index], row) }) { throw bad(index, .string) }
            case .instant(let microseconds): columns[index].put(microseconds, row: row)
            case .object(let fields):
                let repairs = source.columns[index].rule.conversion?.repairs == true
                writeObject(record, slots, fields, repairs: repairs, to: &columns[index], row)
            }
        }
        if let tokens { try recount(tokens, columns, row) }
        for index in required where columns[index].isNull(row: row) {
            let name = source.columns[index].spec.name
            throw Refused(reason: "missing_\(name)", detail: "there is no \(name)")
        }
    }

    private func value(at step: Step, _ slots: UnsafePointer<RawValue>) -> RawValue? {
        switch step {
        case .slot(let slot): return slots[slot].kind == .absent || slots[slot].kind == .null ? nil : slots[slot]
        case .converted(let alternatives, _):
            return alternatives.first { slots[$0].kind != .absent && slots[$0].kind != .null }.map { slots[$0] }
        default: return nil
        }
    }

    /// What a value is after it was translated and put right.
    private func converted(
        _ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, _ conversion: Conversion, _ column: Int
    ) throws(Refused) -> ChangedValue {
        let name = source.columns[column].spec.name
        guard let changed = conversion.changed(raw, kind) else {
            throw Refused(reason: "bad_value", detail: "\(name) is none of \(listed(conversion.oneOf))")
        }
        if case .repaired = changed { repaired += 1 }
        return changed
    }

    /// Brings tokens that the source counts in another way to the lake's: input without cache, output with reasoning.
    private func recount(_ tokens: TokenColumns, _ columns: UnsafeMutablePointer<GrowingColumn>, _ row: Int) throws(Refused) {
        func put(_ value: Int64, into column: Int) {
            columns[column].truncate(to: row)
            columns[column].put(value, row: row)
        }
        if source.inputIncludesCache, let input = columns[tokens.input].integer(row: row) {
            // Three counts of 64 bits may be more than 64 bits hold.
            let cached = tokens.cached.reduce(Int128(0)) { $0 + Int128(columns[$1].integer(row: row) ?? 0) }
            guard cached <= input else {
                throw Refused(
                    reason: "cache_exceeds_input",
                    detail: "cached tokens (\(grouped(cached))) exceed input_tokens (\(grouped(input))). "
                        + "The source says input_includes_cache; drop that if cached tokens are counted apart")
            }
            put(input - Int64(cached), into: tokens.input)
        }
        if source.outputExcludesReasoning, let reasoning = columns[tokens.reasoning].integer(row: row) {
            let (sum, overflow) = (columns[tokens.output].integer(row: row) ?? 0).addingReportingOverflow(reasoning)
            guard !overflow else { throw Refused(reason: "bad_value", detail: "output and reasoning tokens are too many") }
            put(sum, into: tokens.output)
        }
    }

    private func bad(_ column: Int, _ kind: RawValue.Kind, _ raw: UnsafeBufferPointer<UInt8>? = nil) -> Refused {
        let (spec, rule) = source.columns[column]
        var advice = spec.type == .int64 ? ", or negative, or too large" : ""
        if spec.type == .timestamp, rule.conversion?.time == nil {
            if kind == .number { advice = "; say in map how it counts, such as time: \"epoch_s\"" }
            if kind == .string, rule.conversion?.zone == nil, let raw, instant(raw, zone: .utc) != nil {
                advice = ": it lacks an offset; say with zone where it was written"
            }
        }
        return Refused(reason: "bad_value", detail: "\(spec.name) is \(kind.phrase), which is no \(spec.type.phrase)\(advice)")
    }

    private func writeObject(
        _ record: UnsafeBufferPointer<UInt8>, _ slots: UnsafePointer<RawValue>, _ fields: [(name: String, slot: Int)],
        repairs: Bool, to column: inout GrowingColumn, _ row: Int
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
        let object = repairs ? repairedTexts(of: .object(members)) : .object(members)
        object.text.withContiguousUTF8 { column.put($0, row: row) }
    }

    /// Names of fields stay as they are: a job names them as the export has them.
    private func repairedTexts(of value: JSON) -> JSON {
        switch value {
        case .string(let text):
            guard let right = text.withContiguousUTF8({ repairedEncoding($0) }) else { return value }
            repaired += 1
            return .string(String(decoding: right, as: UTF8.self))
        case .array(let items): return .array(items.map(repairedTexts))
        case .object(let members): return .object(members.map { JSON.Member($0.key, repairedTexts(of: $0.value)) })
        default: return value
        }
    }
}

extension Source {
    /// Refuses a file whose name lacks what the job reads from it.
    func checkName(of file: String) throws {
        for (spec, rule) in columns {
            if case .fileName(let pattern) = rule.origin { _ = try dayInName(file, pattern, for: spec) }
        }
    }
}

private func dayInName(_ file: String, _ pattern: String, for column: ColumnSpec) throws -> Day {
    if let day = dayInName(file, pattern) { return day }
    throw Failure(
        "The name does not fit \"\(pattern)\", from which \(column.name) is read. Rename the file, or change the source's files or map.",
        at: Place(path: file))
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

    /// What a column of this type is: "a whole number", but "text".
    var withArticle: String {
        switch self {
        case .text, .bool: phrase
        default: "a " + phrase
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
