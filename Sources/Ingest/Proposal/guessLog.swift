import Common
import Lake

/// What some records seem to be: the log whose rows they could become, and why.
struct LogGuess {
    let log: Log
    let reason: String
}

/// The fields of a sample by the columns that they could fill.
struct KnownFields {
    let profiles: [FieldProfile]
    /// Before the names of an element's own fields: `data[].results[].`.
    let prefix: String

    init(_ profiles: [FieldProfile], each: ElementPath?) {
        (self.profiles, prefix) = (profiles, each.map { $0.text + "." } ?? "")
    }

    /// The field that bears the column's own name, where it is read without a mapping.
    func own(_ column: String) -> FieldProfile? { profiles.first { $0.path == prefix + column } }

    /// The fields that could fill a column, the likeliest first, each with what is known of its name.
    func candidates(_ spec: ColumnSpec) -> [(profile: FieldProfile, alias: FieldAlias?)] {
        let wanted = [FieldAlias(spec.name, [spec.name], "its own name")] + fieldAliases.filter { $0.column == spec.name }
        var found: [(profile: FieldProfile, alias: FieldAlias?)] = []
        for alias in wanted {
            for name in alias.names {
                for profile in profiles where !found.contains(where: { $0.profile.path == profile.path }) {
                    let isMeant =
                        name.contains(".") ? profile.path == prefix + name : plainName(profile.name) == plainName(name)
                    if isMeant, profile.fits(spec.type), !(spec.type == .text && profile.isProse && spec.name != "text") {
                        found.append((profile, alias.source == "its own name" ? nil : alias))
                    }
                }
            }
        }
        // What stands in the element itself goes before what is around it.
        return found.filter { $0.profile.path.hasPrefix(prefix) } + found.filter { !$0.profile.path.hasPrefix(prefix) }
    }

    func has(_ column: String, _ type: ColumnType) -> FieldProfile? { candidates(ColumnSpec(column, type)).first?.profile }

    /// The field that says when something happened; where none has a known name, one whose name ends like a time's.
    func time(_ column: String) -> FieldProfile? {
        if let known = has(column, .timestamp) { return known }
        let ends = ["_at", "At", "_time", "Time", "_on", "_date", "Date", "_ts"]
        return profiles.first { profile in profile.timeForm != nil && ends.contains { profile.name.hasSuffix($0) } }
    }
}

/// nil where the records have neither a time nor an id that a version could have.
func guessLog(_ fields: KnownFields, name: String, datedByName: Bool) -> LogGuess? {
    func has(_ column: String, _ type: ColumnType = .int64) -> FieldProfile? { fields.has(column, type) }
    let lastWord = name.split { $0 == "_" || $0 == "-" }.last.map { String($0).lowercased() } ?? ""
    let entity = entityNames[lastWord] ?? (entityNames.values.contains(lastWord) ? lastWord : nil)
    let isTimed = fields.time("ts") != nil
    if let input = has("input_tokens"), let output = has("output_tokens"), isTimed {
        return LogGuess(log: .usage, reason: "it counts tokens of input (\(input.path)) and output (\(output.path))")
    }
    if let entity, has("id", .text) != nil, datedByName || fields.time("updated_at") != nil {
        return LogGuess(log: .snapshots, reason: "its name says that a record is a version of a \(entity)")
    }
    let money = has("gross", .decimal) ?? has("amount", .decimal)
    if let money, has("fee", .decimal) ?? has("tax", .decimal) ?? has("sandbox", .bool) != nil, isTimed {
        return LogGuess(log: .payments, reason: "it holds what was paid (\(money.path)) beside a fee or tax")
    }
    if let money, let vendor = has("vendor", .text), fields.time("period_start") != nil {
        return LogGuess(log: .invoices, reason: "it holds an amount (\(money.path)) by vendor (\(vendor.path))")
    }
    if let amount = has("amount", .decimal), isTimed {
        let isByDay = fields.time("ts")?.values.allSatisfy { $0.string?.utf8.count == 10 } == true && has("user", .text) == nil
        let caution =
            isByDay ? "; its times are days and it names nobody, so it may sum up what another export has row by row" : ""
        return LogGuess(log: .charges, reason: "it holds a cost (\(amount.path)) and no tokens of input and output\(caution)")
    }
    if let text = has("text", .text), let role = has("role", .text), has("id", .text) != nil, isTimed {
        return LogGuess(log: .texts, reason: "it holds what was said (\(text.path)) and by whom (\(role.path))")
    }
    if let model = has("model", .text), isTimed {
        return LogGuess(log: .usage, reason: "it names the model (\(model.path)) of every record")
    }
    let numbers = fields.profiles.filter { $0.fits(.decimal) && $0.timeForm == nil }
    if let day = fields.time("period_start"), has("id", .text) == nil, has("user", .text) == nil, !numbers.isEmpty,
        day.values.allSatisfy({ $0.string?.utf8.count == 10 })
    {
        return LogGuess(log: .meters, reason: "it holds numbers by day (\(day.path)) and names nobody")
    }
    return isTimed
        ? LogGuess(log: .sessions, reason: "something happened at a time, and nothing says that it cost anything") : nil
}
