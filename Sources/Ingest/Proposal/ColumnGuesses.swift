import Common
import Lake

/// Which field of a sample fills which column of a log, as a job would say it.
struct ColumnGuesses {
    private(set) var keys: [ProposedKey] = []
    private(set) var rules: [ProposedKey] = []
    /// The fields that are read.
    private(set) var used: Set<String> = []
    private(set) var columns: [String] = []
    private(set) var models: [String] = []
    private(set) var earliest: Instant?

    private let log: Log
    private let group: FileGroup
    private let fields: KnownFields
    private let rows: [[(path: String, value: JSON)]]
    private let datePattern: String?
    private let meter: FieldProfile?

    init(
        _ log: Log, _ group: FileGroup, _ fields: KnownFields, _ rows: [[(path: String, value: JSON)]], datePattern: String?,
        meter: FieldProfile?
    ) {
        (self.log, self.group, self.fields, self.rows) = (log, group, fields, rows)
        (self.datePattern, self.meter) = (datePattern, meter)
        var filled: [String: (path: String, alias: FieldAlias?)] = [:]
        for spec in log.columns
        where !["attributes", "kind", "metric", "value", "gauge", "part", log.timeColumn].contains(spec.name) {
            // What a meter counts is no name of its own; a table's owner is its parent and no reader of it.
            if log == .meters, spec.name == "id" { continue }
            let field = fields.candidates(spec).first { candidate in
                !used.contains(candidate.profile.path) && candidate.profile.path != meter?.path
            }
            guard let field else {
                leaveEmpty(spec)
                continue
            }
            filled[spec.name] = (field.profile.path, field.alias)
            take(field.profile, spec)
        }
        time()
        constants(filled)
        if log == .usage { tokens(filled) }
        if log == .snapshots { attributes() }
        if texts.contains(where: { $0.withContiguousUTF8 { repairedEncoding($0) } != nil }) {
            keys.append(ProposedKey("repair_encoding", "true", "some texts were encoded twice, such as GÃ¼n for Gün"))
        }
    }

    private var texts: [String] { rows.joined().compactMap { $0.value.string } }

    private mutating func take(_ profile: FieldProfile, _ spec: ColumnSpec) {
        used.insert(profile.path)
        columns.append(spec.name)
        if spec.name == "model" { models = profile.examples(20) }
        if spec.type == .timestamp { return rules.append(timeRule(spec.name, profile)) }
        if profile.path != fields.prefix + spec.name { rules.append(ProposedKey(spec.name, text: profile.path)) }
    }

    /// A field that bears the column's name is read unless the job says otherwise; one that cannot stand there is better left alone.
    private mutating func leaveEmpty(_ spec: ColumnSpec) {
        guard let own = fields.own(spec.name), !own.values.isEmpty else { return }
        let what = own.isProse ? "words" : own.isList ? "lists" : "something else"
        let absent = ["none", "no_field", "absent"].first { name in !fields.profiles.contains { $0.path == name } } ?? "-"
        rules.append(
            ProposedKey(
                spec.name, text: absent, "the field \(spec.name) holds \(what); a field that is not there leaves the column empty"
            ))
    }

    // MARK: - Times

    private mutating func time() {
        let spec = ColumnSpec(log.timeColumn, .timestamp)
        // A table that is dumped whole is as new as its dump, unless a record says when it changed.
        let changed = fields.profiles.contains {
            ["updatedat", "modifiedat", "lastmodified", "changedat"].contains(plainName($0.name))
        }
        if log == .snapshots, let datePattern, !changed {
            rules.append(
                ProposedKey(
                    spec.name, "{ from_file_name: \(JSON.string(datePattern).text) }", "each dump is a version, dated by its name"
                ))
            return
        }
        guard let profile = fields.time(spec.name) else { return }
        used.insert(profile.path)
        earliest = profile.earliest
        let rule = timeRule(spec.name, profile)
        if rule.value != JSON.string(fields.prefix + spec.name).text { rules.insert(rule, at: 0) }
    }

    private mutating func timeRule(_ column: String, _ profile: FieldProfile) -> ProposedKey {
        switch profile.timeForm {
        case .epoch(let name)?:
            let remark = profile.earliest.map { "so the first is \($0)" }
            return ProposedKey(column, "{ from: \(JSON.string(profile.path).text), time: \"\(name)\" }", remark)
        case .withoutOffset? where !keys.contains { $0.name == "zone" }:
            keys.append(
                ProposedKey(
                    "zone", text: "UTC", "times have no offset: put the zone in which they were written, such as Europe/Berlin"))
        default: break
        }
        return ProposedKey(column, text: profile.path)
    }

    // MARK: - What the log cannot be without

    private mutating func constants(_ filled: [String: (path: String, alias: FieldAlias?)]) {
        let kind = entityNames[group.stem.split { $0 == "_" || $0 == "-" }.last.map { $0.lowercased() } ?? ""]
        switch log {
        case .snapshots: keys.append(ProposedKey("kind", text: kind ?? singular(group.stem)))
        case .sessions:
            if let field = fields.candidates(ColumnSpec("kind", .text)).first?.profile, !used.contains(field.path) {
                take(field, ColumnSpec("kind", .text))
            } else {
                keys.append(ProposedKey("kind", text: singular(group.stem)))
            }
        case .texts: rules.append(ProposedKey("part", "{ constant: \"text\" }"))
        case .meters:
            guard let meter else { return }
            used.insert(meter.path)
            rules.append(ProposedKey("metric", "{ constant: \(JSON.string(meter.name).text) }"))
            if meter.path != fields.prefix + "value" { rules.append(ProposedKey("value", text: meter.path)) }
            rules.append(ProposedKey("gauge", "{ constant: \"true\" }", "a level; \"false\" for what counts up"))
        case .charges, .payments, .invoices:
            guard filled["currency"] == nil else { return }
            let money = filled["amount"] ?? filled["gross"]
            let says = money.map { plainName($0.path).hasSuffix("usd") } ?? false
            rules.append(
                ProposedKey("currency", "{ constant: \"USD\" }", says ? nil : "the export does not say it: put the right one"))
        case .usage: break
        }
        if log == .usage, let cost = filled["reported_cost"], filled["currency"] == nil, plainName(cost.path).hasSuffix("usd") {
            rules.append(ProposedKey("currency", "{ constant: \"USD\" }"))
        }
    }

    private func singular(_ name: String) -> String {
        name.hasSuffix("ies")
            ? name.dropLast(3) + "y" : name.hasSuffix("s") && !name.hasSuffix("ss") ? String(name.dropLast()) : name
    }

    /// Kept as they are, but for what tells who somebody is.
    private mutating func attributes() {
        let kept = fields.profiles.filter { !used.contains($0.path) && !$0.values.isEmpty && !isPersonal($0) }.map(\.path)
        guard !kept.isEmpty else { return }
        used.formUnion(kept)
        rules.append(
            ProposedKey(
                "attributes", "[\(kept.map { JSON.string($0).text }.joined(separator: ", "))]",
                "what tells who somebody is was left out"))
    }

    // MARK: - How tokens are counted

    private mutating func tokens(_ filled: [String: (path: String, alias: FieldAlias?)]) {
        let caches = ["cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"].compactMap { filled[$0]?.path }
        if let input = filled["input_tokens"], input.alias?.counts == .inputIncludesCache, !caches.isEmpty {
            let exceeding = rows.count { row in
                func count(_ path: String) -> Int {
                    row.first { $0.path == path }.flatMap { $0.value.int ?? Int($0.value.string ?? "") } ?? 0
                }
                return caches.reduce(0) { $0 + count($1) } > count(input.path)
            }
            if exceeding * 10 <= rows.count {
                keys.append(
                    ProposedKey(
                        "input_includes_cache", "true", "by the word \(input.path); drop this if cached tokens are counted apart")
                )
            }
        }
        if filled["output_tokens"]?.alias?.counts == .outputExcludesReasoning, filled["reasoning_tokens"] != nil {
            keys.append(ProposedKey("output_excludes_reasoning", "true", "by the word \(filled["output_tokens"]?.path ?? "")"))
        }
    }
}
