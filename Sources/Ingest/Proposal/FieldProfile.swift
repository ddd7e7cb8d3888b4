import Common
import Lake

/// What the records of a sample hold in one field.
struct FieldProfile {
    let path: String
    /// Those that are there, in the order of the records; null is none.
    var values: [JSON] = []

    /// Its name without the path that leads to it.
    var name: String { String(path.split(separator: ".").last ?? "") }

    /// Whether most of the values could stand in a column, and there are some.
    func fits(_ type: ColumnType) -> Bool {
        if case .timestamp = type { return timeForm != nil }
        return isMost { value in
            var trial = GrowingColumn(type, expected: 1)
            defer { trial.free() }
            let (text, kind): (String, RawValue.Kind) =
                switch value {
                case .string(let text): (text, .string)
                case .number(let text): (text, .number)
                case .bool(let flag): (String(flag), flag ? .yes : .no)
                case .null: ("", .null)
                case .array: ("", .array)
                case .object: ("", .object)
                }
            if type == .text { return kind != .array && kind != .object }
            return text.withContiguousUTF8 { put($0, kind, into: &trial, 0) }
        }
    }

    /// Words that somebody wrote, and no name of anything.
    var isProse: Bool {
        isMost { $0.string.map { $0.utf8.count > 24 && $0.split(separator: " ").count > 3 } ?? false }
    }

    var isList: Bool { isMost { $0.array != nil } }

    private func isMost(_ test: (JSON) -> Bool) -> Bool {
        !values.isEmpty && values.count(where: test) * 10 >= values.count * 9
    }

    /// The texts of the first values, each once.
    func examples(_ most: Int) -> [String] {
        var found: [String] = []
        for value in values where found.count < most {
            let text = value.string ?? value.text
            if !found.contains(text) { found.append(text) }
        }
        return found
    }

    /// As which type of column it may be kept.
    var type: ColumnType {
        if values.allSatisfy({ $0.bool != nil }) { return .bool }
        if timeForm == .written { return .timestamp }
        if fits(.int64) { return .int64 }
        return fits(.decimal) ? .decimal : .text
    }

    // MARK: - Times

    /// How a time is written.
    enum TimeForm: Equatable {
        /// With its offset, or as a day.
        case written
        case withoutOffset
        /// `epoch_ms`
        case epoch(String)
    }

    /// nil where most of the values are no times. Of numbers their size decides: from 2001 to 2286 seconds have ten digits, and each
    /// smaller unit three more.
    var timeForm: TimeForm? {
        if isMost({ $0.string.map { $0.withContiguousUTF8 { instant($0) } != nil } ?? false }) { return .written }
        if isMost({ $0.string.map { $0.withContiguousUTF8 { instant($0, zone: .utc) } != nil } ?? false }) {
            return .withoutOffset
        }
        let digits = values.compactMap { value -> Int? in
            guard let text = value.number ?? value.string, let number = ExactDecimal(text), !number.isNegative else { return nil }
            return String(number.description.prefix { $0 != "." }).count
        }
        guard !digits.isEmpty, digits.count == values.count, Set(digits).count == 1 else { return nil }
        return [10: .epoch("epoch_s"), 13: .epoch("epoch_ms"), 16: .epoch("epoch_us"), 19: .epoch("epoch_ns")][digits[0]]
    }

    /// The first of the moments, if they are times.
    var earliest: Instant? {
        let moments: [Int64?] =
            switch timeForm {
            case nil: []
            case .written?, .withoutOffset?: values.map { $0.string?.withContiguousUTF8 { instant($0, zone: .utc) } ?? nil }
            case .epoch(let name)?:
                values.map { value in
                    let format = TimeFormat(named: name)
                    return (value.number ?? value.string)?.withContiguousUTF8 { format?.microseconds($0) } ?? nil
                }
            }
        return moments.compactMap { $0 }.min().map { Instant(microseconds: $0) }
    }
}

/// The fields of some records, in the order in which they come; of lists that `each` names those of every element.
func fieldProfiles(of rows: [[(path: String, value: JSON)]]) -> [FieldProfile] {
    var places: [String: Int] = [:]
    var profiles: [FieldProfile] = []
    for (path, value) in rows.joined() {
        let place = places[path] ?? profiles.count
        if place == profiles.count {
            places[path] = place
            profiles.append(FieldProfile(path: path))
        }
        if value != .null { profiles[place].values.append(value) }
    }
    return profiles
}

/// The records that a value of a file holds, each as its fields: itself, or the elements of its lists with what is around them. A text
/// that is an object in JSON is gone into, as paths do.
func sampleRows(of value: JSON, each: ElementPath?) -> [[(path: String, value: JSON)]] {
    let lists = each?.wholePaths ?? []
    func rows(_ value: JSON, _ prefix: String, level: Int, around: [(path: String, value: JSON)]) -> [[(
        path: String, value: JSON
    )]] {
        var fields = around
        var list: JSON?
        func visit(_ value: JSON, _ path: String) {
            if level < lists.count, path == lists[level] {
                list = value
                return
            }
            var value = value
            if let text = value.string, text.hasPrefix("{"), let inner = try? parseJSON(Array(text.utf8), path: "") {
                value = inner
            }
            guard case .object(let members) = value, !members.isEmpty else { return fields.append((path, value)) }
            for member in members { visit(member.value, path.isEmpty ? member.key : "\(path).\(member.key)") }
        }
        visit(value, prefix)
        guard level < lists.count else { return [fields] }
        return (list?.array ?? []).flatMap { rows($0, lists[level] + "[]", level: level + 1, around: fields) }
    }
    return rows(value, "", level: 0, around: [])
}
