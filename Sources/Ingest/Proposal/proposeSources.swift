import Common
import Lake

/// Looks at exports and proposes the entries of a job's `sources` for them.
///
///     try proposeSources(for: ["requests/requests-2026-09-28.jsonl.gz"], in: "exports")
///
/// - Parameters:
///   - files: paths below the data folder.
///   - data: where the paths begin.
public func proposeSources(for files: [String], in data: String) throws -> [ProposedSource] {
    var groups: [(group: FileGroup, sample: GroupSample?)] = []
    for group in groupFiles(files) {
        let sample = try GroupSample(group, in: data)
        let names = sample?.profiles.map(\.path).sorted() ?? []
        // The same table under another name: an export that came late, or a second folder.
        if let known = groups.firstIndex(where: {
            !names.isEmpty && $0.sample?.profiles.map(\.path).sorted() == names && $0.sample?.format == sample?.format
                && $0.group.stem == group.stem
        }) {
            let isMain = group.files.count > groups[known].group.files.count
            let (first, second) = isMain ? (group, groups[known].group) : (groups[known].group, group)
            groups[known].group = first.joined(by: second)
            if isMain { groups[known].sample = sample }
        } else {
            groups.append((group, sample))
        }
    }
    var all = groups.flatMap { group, sample in
        sample.map { proposals(for: group, $0) } ?? [
            ProposedSource(name: group.stem, log: nil, reason: "its files hold no record", files: group.patterns)
        ]
    }
    var seen: [String: Int] = [:]
    for index in all.indices {
        let count = (seen[all[index].name] ?? 0) + 1
        seen[all[index].name] = count
        if count > 1 { all[index].name += "_\(count)" }
    }
    return all
}

/// The first records of a group's first and last file.
fileprivate struct GroupSample {
    let format: FormatName?
    let keys: [ProposedKey]
    let each: ElementPath?
    let rows: [[(path: String, value: JSON)]]
    let profiles: [FieldProfile]

    private static let most = 200

    /// nil where no file holds a record.
    init?(_ group: FileGroup, in data: String) throws {
        guard let first = group.files.first else { return nil }
        let form = try FileForm(of: joined(data, first))
        var values: [JSON] = []
        for file in group.files where values.isEmpty { values = try form.sample(joined(data, file), most: GroupSample.most) }
        if let last = group.files.last, last != first { values += try form.sample(joined(data, last), most: GroupSample.most) }
        guard !values.isEmpty else { return nil }
        (format, keys) = (form.format, form.keys(values))
        values = form.withNulls(values)
        each = guessEach(values)
        rows = values.flatMap { [each] in sampleRows(of: $0, each: each) }
        profiles = fieldProfiles(of: rows)
    }
}

private func proposals(for group: FileGroup, _ sample: GroupSample) -> [ProposedSource] {
    let fields = KnownFields(sample.profiles, each: sample.each)
    let pattern = datePattern(group)
    // Objects with so many fields use names as data.
    if sample.rows.count < 3, sample.profiles.count > 200 {
        return [
            ProposedSource(
                name: group.stem, log: nil,
                reason: "it is one object of \(grouped(sample.profiles.count)) fields and no list of records",
                files: group.patterns)
        ]
    }
    guard let guess = guessLog(fields, name: group.stem, datedByName: pattern != nil) else {
        let holds = sample.profiles.prefix(8).map(\.path)
        return [
            ProposedSource(
                name: group.stem, log: nil,
                reason: "no field of it is a time that says when something happened; it has \(listed(holds))",
                files: group.patterns)
        ]
    }
    if guess.log == .meters {
        let times = Set(sample.profiles.filter { $0.timeForm != nil }.map(\.path))
        return sample.profiles.filter { $0.fits(.decimal) && !times.contains($0.path) }.map { number in
            var proposal = proposed(group, sample, fields, guess, meter: number)
            proposal.name = number.name
            return proposal
        }
    }
    return [proposed(group, sample, fields, guess, meter: nil)]
}

private func proposed(
    _ group: FileGroup, _ sample: GroupSample, _ fields: KnownFields, _ guess: LogGuess, meter: FieldProfile?
) -> ProposedSource {
    var proposal = ProposedSource(name: group.stem, log: guess.log, reason: guess.reason, files: group.patterns)
    let map = ColumnGuesses(guess.log, group, fields, sample.rows, datePattern: datePattern(group), meter: meter)
    proposal.keys =
        sample.keys
        + (sample.each.map { [ProposedKey("each", text: $0.text, "the elements of this list are the records")] } ?? []) + map.keys
    proposal.map = map.rules
    let rest = sample.profiles.filter { !map.used.contains($0.path) }
    proposal.unread = rest.map { ($0.path, what(of: $0)) }
    proposal.columns = map.columns
    proposal.suggested =
        guess.log == .meters
        ? []
        : rest.filter { profile in
            isFileName(profile.path) && !profile.isList && profile.fits(profile.type) && !isPersonal(profile)
        }.map { ($0.name, $0.type) }
    if guess.log == .usage { proposal.models = map.models }
    if guess.log != .snapshots { proposal.earliest = map.earliest }
    return proposal
}

/// Whether a field tells who somebody is, or holds what they wrote.
func isPersonal(_ profile: FieldProfile) -> Bool {
    let words = profile.name.lowercased().split { !$0.isLetter }.map(String.init)
    return profile.isProse
        || words.contains { personalWords.contains($0) || personalWords.contains(String($0.dropLast($0.hasSuffix("s") ? 1 : 0))) }
}

private func what(of profile: FieldProfile) -> String {
    if profile.values.isEmpty { return "empty" }
    if profile.isList { return "lists" }
    if profile.isProse { return "texts" }
    switch profile.type {
    case .bool: return "true or false"
    case .timestamp: return "times"
    case .int64, .decimal: return "numbers"
    case .text:
        // Values are shown only where they are a few words that name something.
        let examples = profile.examples(5)
        return isPersonal(profile) || examples.count > 4 || examples.contains { $0.utf8.count > 24 } ? "texts" : listed(examples)
    }
}

/// `users-YYYY-MM-DD` where the names of a group's files have a day behind their first word.
private func datePattern(_ group: FileGroup) -> String? {
    let names = group.files.map { $0.split(separator: "/").last.map(String.init) ?? "" }
    guard let first = names.first, let digit = first.firstIndex(where: { $0.isASCII && $0.isNumber }) else { return nil }
    let pattern = String(first[..<digit]) + "YYYY-MM-DD"
    return names.allSatisfy { dayInName($0, pattern) != nil } ? pattern : nil
}

/// The list whose elements are the records, where records of the file are pages of them: its elements know more columns than the page.
private func guessEach(_ values: [JSON]) -> ElementPath? {
    let columns = [
        ("model", ColumnType.text), ("input_tokens", .int64), ("output_tokens", .int64), ("amount", .decimal), ("feature", .text),
        ("user", .text), ("quantity", .decimal),
    ]
    func score(_ each: ElementPath?) -> Int {
        let profiles = fieldProfiles(of: values.flatMap { sampleRows(of: $0, each: each) })
        let prefix = each.map { $0.text + "." } ?? ""
        let known = KnownFields(profiles.filter { $0.path.hasPrefix(prefix) }, each: each)
        guard KnownFields(profiles, each: each).time("ts") != nil else { return 0 }
        return columns.count { known.has($0.0, $0.1) != nil }
    }
    var best: (each: ElementPath?, score: Int) = (nil, score(nil))
    var open: [ElementPath?] = [nil]
    for _ in 0..<2 {
        var next: [ElementPath?] = []
        for outer in open {
            let profiles = fieldProfiles(of: values.flatMap { sampleRows(of: $0, each: outer) })
            for list in profiles where list.values.contains(where: { $0.array?.first?.members != nil }) {
                guard let path = ElementPath(list.path + "[]") else { continue }
                let found = score(path)
                if found > best.score { best = (path, found) }
                next.append(path)
            }
        }
        open = next
    }
    return best.each
}
