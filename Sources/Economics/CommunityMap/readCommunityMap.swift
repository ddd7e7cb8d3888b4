import Common

/// Reads the entries of the community map that are meant. Rates are exact decimals, from the digits of the file.
///
///     let map = try readCommunityMap(path: "map.json", CommunityChoice(providers: ["anthropic"]))
///     map.entries[0].names   // ["claude-haiku-4-5"]
///
/// Refused with a sentence and its place: what is no JSON, an entry or rate of the wrong type, a negative rate, a model or key that
/// stands twice. One entry is in memory at a time, besides what is kept of it.
public func readCommunityMap(path: String, _ choice: CommunityChoice) throws -> CommunityMap {
    if let size = FileSignature(of: path)?.size, size > MapReading.mostBytes { throw MapReading.tooLarge(size, path) }
    let bytes = try readFile(path, as: "price map")
    return try readCommunityMap(bytes, path: path, choice)
}

func readCommunityMap(_ bytes: [UInt8], path: String, _ choice: CommunityChoice) throws -> CommunityMap {
    guard bytes.count <= MapReading.mostBytes else { throw MapReading.tooLarge(Int64(bytes.count), path) }
    var reading = MapReading(choice)
    try readJSONMembers(bytes, path: path, mostValues: MapReading.mostValues) { try reading.take($0) }
    return try reading.map(path)
}

/// The map half read.
struct MapReading {
    /// The largest entry of LiteLLM 1.110.2 has 120 values.
    static let mostValues = 10_000
    /// LiteLLM 1.110.2 has 3.5 MB.
    static let mostBytes: Int64 = 64 << 20
    /// LiteLLM 1.110.2 has 200 cost keys. A file with very many more is something else.
    private static let mostKeys = 5000

    private let choice: CommunityChoice
    private var entries: [CommunityMap.Entry] = []
    private var places: [String: Place] = [:]
    /// Entries that only name another one.
    private var aliases: [(name: String, target: String)] = []
    private var providers = Set<String>()
    private var keys = CostKeys()
    private var uses: [Use: (entries: Int, example: String)] = [:]

    private struct Use: Hashable {
        let key: String
        let state: CommunityMap.KeyUse.State
        let reason: String
    }

    static func tooLarge(_ size: Int64, _ path: String) -> Failure {
        Failure(
            "The file has \(grouped(size)) bytes, and no price map has more than \(grouped(mostBytes)). Give the map itself.",
            at: Place(path: path))
    }

    init(_ choice: CommunityChoice) { self.choice = choice }

    mutating func take(_ member: ConfigMember) throws {
        // The map begins with an explanation of itself.
        if member.key == "sample_spec" { return }
        guard case .object(let fields) = member.value.value else {
            throw refusal(member.value, "The entry \(quoted(member.key)) must be an object in { }, as every model of the map is.")
        }
        let found = Dictionary(fields.map { ($0.key, $0.value) }) { first, _ in first }
        guard let provider = try text(found["litellm_provider"], "litellm_provider", member.key) else {
            if let target = try text(found["alias_of"], "alias_of", member.key) { aliases.append((member.key, target)) }
            return
        }
        providers.insert(provider)
        guard choice.holds(provider: provider) else { return }
        let names = MapReading.names(member.key, provider)
        guard choice.holds(model: names) else { return }
        if let first = places.updateValue(member.keyPlace, forKey: member.key) {
            throw Failure(
                "The model \(quoted(member.key)) stands twice; the first entry is at \(first). Remove the one that is wrong.",
                at: member.keyPlace)
        }
        let read = try EntryReading(member.key, fields).read(&keys)
        for use in read.uses {
            uses[Use(key: use.key, state: use.state, reason: use.reason), default: (0, member.key)].entries += 1
        }
        guard uses.count <= MapReading.mostKeys else {
            throw Failure("So many different cost keys are in no price map. Look whether the file is one.", at: member.keyPlace)
        }
        entries.append(
            CommunityMap.Entry(
                names: names, provider: provider, charges: read.charges, page: found["source"]?.json.string,
                place: member.keyPlace))
    }

    func map(_ path: String) throws -> CommunityMap {
        guard !entries.isEmpty else { throw nothingChosen(path) }
        var named: [String: [String]] = [:]
        for alias in aliases { named[alias.target, default: []].append(alias.name) }
        let taken = Set(entries.map { $0.names[0] } + aliases.map(\.name))
        let short = Dictionary(grouping: entries, by: \.provider).mapValues { own in
            Dictionary(own.flatMap { $0.names.dropFirst() }.map { ($0, 1) }, uniquingKeysWith: +)
        }
        let whole = entries.map { entry in
            let others = (named[entry.names[0]] ?? []).flatMap { MapReading.names($0, entry.provider) }
            // A name without its vendor belongs to the entry of exactly that name, where there is one, and to none where two have it.
            let names =
                [entry.names[0]]
                + entry.names.dropFirst().filter { !taken.contains($0) && short[entry.provider]?[$0] == 1 } + others
            return CommunityMap.Entry(
                names: names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }, provider: entry.provider,
                charges: entry.charges, page: entry.page, place: entry.place)
        }
        let keys = uses.map { use, found in
            CommunityMap.KeyUse(
                key: use.key, state: use.state, reason: use.reason, entries: found.entries, example: found.example)
        }
        return CommunityMap(
            entries: whole.sorted { ($0.provider, $0.names[0]) < ($1.provider, $1.names[0]) },
            keys: keys.sorted { ($0.key, $0.state.rawValue, $0.reason) < ($1.key, $1.state.rawValue, $1.reason) })
    }

    /// `deepseek/deepseek-chat` is what the map calls a model that logs of deepseek call deepseek-chat.
    static func names(_ name: String, _ provider: String) -> [String] {
        guard let slash = name.firstIndex(of: "/") else { return [name] }
        let vendor = name[..<slash]
        guard !vendor.isEmpty, provider == vendor || provider.hasPrefix(vendor + "-") || provider.hasPrefix(vendor + "_"),
            name.index(after: slash) < name.endIndex
        else { return [name] }
        return [name, String(name[name.index(after: slash)...])]
    }

    private func nothingChosen(_ path: String) -> Failure {
        let known = providers.sorted()
        for wanted in choice.providers where !wanted.hasSuffix("*") && !providers.contains(wanted) {
            let list = known.count > 40 ? "\(listed(Array(known.prefix(40)))), and \(known.count - 40) more" : listed(known)
            return Failure(
                "The map has no provider \(quoted(wanted)).\(didYouMean(wanted, from: known)) Its providers are \(list).",
                at: Place(path: path), kind: .usage)
        }
        return Failure(
            "No entry of the map fits. Look at the names in it, or give fewer conditions.", at: Place(path: path), kind: .usage)
    }

    private func text(_ node: ConfigNode?, _ key: String, _ model: String) throws -> String? {
        guard let node, node.value != .null else { return nil }
        guard case .string(let text) = node.value else {
            throw refusal(node, "\"\(key)\" of \(quoted(model)) must be text.")
        }
        return text
    }
}

/// A refusal of what stands at a place of the map: it is data, so the command has failed rather than being used wrongly.
func refusal(_ node: ConfigNode, _ message: String) -> Failure { Failure(message, at: node.place) }

/// A name of the map in a sentence: on one line, cut where it is long.
func quoted(_ name: String) -> String {
    let shown = name.unicodeScalars.prefix(80).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : Character($0) }
    return "\"" + String(shown) + (name.unicodeScalars.count > 80 ? "…" : "") + "\""
}
