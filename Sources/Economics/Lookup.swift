import Common
import Lake

/// How a column is found that rows do not carry: in a snapshot, by a key that they do carry, as of the row's time.
///
/// Looked up whenever rows are read and never stored, so that a dump that comes late does not leave old rows wrong.
public struct Lookup: Sendable {
    /// What is found where a row has nothing of its own.
    public let column: String
    /// The row's column that holds the key; it may be found by another lookup itself.
    public let by: String
    /// The kind of snapshot, which of its columns the key is, and which column or attribute is taken.
    public let kind: String
    let match: Match
    let take: String
    /// Attributes that hold the first moment and the moment after the last; without them a version counts from its own time.
    let starts: String?
    let ends: String?
    /// What is taken where there is nothing at the time.
    let otherwise: String?
    /// Whether the first version counts also before its own time, because the thing was there before it was first dumped. An agreement
    /// was not.
    let reachesBack: Bool

    enum Match: String, CaseIterable, Sendable { case id, parent, tenant }

    public static let schema = ConfigSchema(
        name: "lookup",
        keys: [
            ConfigKey(name: "by", kind: "column", required: true, about: "The row's column that holds the key."),
            ConfigKey(name: "in", kind: "kind of snapshot", required: true, about: "The snapshots in which it is looked for."),
            ConfigKey(
                name: "match", kind: "one of \(listed(Match.allCases.map(\.rawValue)))",
                about: "The column of the snapshots that is the key; by default id."),
            ConfigKey(name: "take", kind: "column or attribute", required: true, about: "What is taken from the snapshot."),
        ] + times)

    /// The plan of a user, from agreements whose parent is the user.
    public static let planSchema = ConfigSchema(
        name: "plan_of.user",
        keys: [
            ConfigKey(
                name: "from", kind: "kind of snapshot", required: true,
                about: "The snapshots whose parent is the user and that name the plan.")
        ] + times)

    private static let times = [
        ConfigKey(
            name: "starts", kind: "attribute",
            about:
                "The attribute that holds the moment from which the newest version counts; by default every version counts from its own time to the next one's (in lookups the first also before)."
        ),
        ConfigKey(name: "ends", kind: "attribute", about: "The attribute that holds the moment from which it no longer counts."),
        ConfigKey(name: "otherwise", kind: "text", about: "What is taken where nothing counts at the time."),
    ]

    /// - Parameter columns: the text columns that rows may have.
    public init(_ column: String, _ object: ConfigObject, columns: [String]) throws {
        by = try object.text("by")
        for (name, key) in [(column, nil), (by, "by")] where !columns.contains(name) {
            throw object.failure(
                "unknown column \"\(name)\" in lookups.\(didYouMean(name, from: columns)) It is one of \(listed(columns)).",
                at: key)
        }
        guard by != column else { throw object.failure("A column cannot be looked up by itself.", at: "by") }
        self.column = column
        reachesBack = true
        kind = try object.text("in")
        match = try object.choice("match", of: Match.self, default: .id)
        take = try object.text("take")
        (starts, ends, otherwise) = try Lookup.times(object)
    }

    /// The plan of a user, as `plan_of` says.
    public init(planOf object: ConfigObject) throws {
        (column, by, match, take, reachesBack) = ("plan", "user", .parent, "plan", false)
        kind = try object.text("from")
        (starts, ends, otherwise) = try Lookup.times(object)
    }

    private static func times(_ object: ConfigObject) throws -> (String?, String?, String?) {
        (try object.optionalText("starts"), try object.optionalText("ends"), try object.optionalText("otherwise"))
    }

    var definition: String {
        [column, by, kind, match.rawValue, take, starts ?? "", ends ?? "", otherwise ?? ""].joined(separator: "|")
    }
}

/// Answers what a lookup finds for a key at a moment: who upgrades on Thursday has two plans that week.
public struct LookupHistory: Sendable {
    struct Span {
        let start: Int64
        let end: Int64
        let value: String
        let id: String
    }
    /// Of each key, from the one that begins last.
    let spans: [String: [Span]]
    private let otherwise: String?

    /// Reads the newest version of each thing where the lookup names an attribute for the beginning; otherwise every version, of which
    /// each holds until the next. Where two things hold at one moment the one that began last counts.
    public init(_ lookup: Lookup, _ versions: [Snapshot]) {
        otherwise = lookup.otherwise
        var found: [String: [Span]] = [:]
        for (index, version) in versions.enumerated() where version.kind == lookup.kind {
            guard let key = version[lookup.match.rawValue], let value = version[lookup.take], !value.isEmpty else { continue }
            func moment(_ attribute: String?) -> Instant? {
                attribute.flatMap { version.attributes[$0]?.string }.flatMap { Instant($0) ?? Day($0)?.startUTC }
            }
            let isFirst = index == 0 || versions[index - 1].id != version.id
            let next = index + 1 < versions.count && versions[index + 1].id == version.id ? versions[index + 1].updatedAt : nil
            let own = lookup.reachesBack && lookup.starts == nil && isFirst ? Int64.min : version.updatedAt.microseconds
            let start = moment(lookup.starts)?.microseconds ?? own
            let end = [moment(lookup.ends), next].compactMap { $0 }.min()
            found[key, default: []].append(
                Span(start: start, end: end?.microseconds ?? Int64.max, value: value, id: version.id))
        }
        spans = found.mapValues { $0.sorted { ($0.start, $0.id) > ($1.start, $1.id) } }
    }

    /// Whether nothing begins or ends for a key between two moments.
    func isConstant(_ key: String, from first: Instant, to last: Instant) -> Bool {
        spans[key]?.allSatisfy { span in
            [span.start, span.end].allSatisfy { $0 <= first.microseconds || $0 > last.microseconds }
        } ?? true
    }

    public func value(of key: String, at instant: Instant) -> String? {
        let time = instant.microseconds
        return spans[key]?.first { $0.start <= time && time < $0.end }?.value ?? otherwise
    }
}

extension Lake {
    /// What a lookup finds, as the snapshots stand now.
    public func history(_ lookup: Lookup, job: String) throws -> LookupHistory {
        LookupHistory(
            lookup,
            lookup.starts == nil ? try snapshots(job: job, kind: lookup.kind) : try newestSnapshots(job: job, kind: lookup.kind))
    }
}

/// The lookups that a reader of some columns needs, ready to fill what rows lack.
public struct Resolver: Sendable {
    private let lookups: [(lookup: Lookup, history: LookupHistory)]

    /// - Parameter columns: those that will be read. Lookups of others are left out.
    public init(_ all: [Lookup], for columns: Set<String>, job: String, _ lake: Lake) throws {
        var wanted = columns
        var needed: [Lookup] = []
        // One that finds another's key stands before it in the job.
        for lookup in all.reversed() where wanted.contains(lookup.column) {
            wanted.insert(lookup.by)
            needed.append(lookup)
        }
        lookups = try needed.reversed().map { ($0, try lake.history($0, job: job)) }
    }

    public var isEmpty: Bool { lookups.isEmpty }

    /// Besides what is wanted, the columns that must be read for it.
    public var columns: Set<String> { Set(lookups.flatMap { [$0.lookup.column, $0.lookup.by] }) }

    /// The rows of a lake day with what they lack, found as of their times.
    public func filled(_ batch: Batch, of day: Day) -> Batch {
        guard !isEmpty, case .integers(let times, _)? = batch["ts"] else { return batch }
        let (first, last) = (day.startUTC, Instant(microseconds: (day + 1).startUTC.microseconds - 1))
        var batch = batch
        for (lookup, history) in lookups {
            guard let place = batch.specs.firstIndex(where: { $0.name == lookup.column }),
                case .text(let own, let ownNames) = batch.columns[place], case .text(let keys, let keyNames)? = batch[lookup.by]
            else { continue }
            var interner = TextInterner()
            let ownCodes = (0..<Int32(ownNames.count)).map { interner.code(of: ownNames[$0]) }
            // Most keys find the same all day: one look for each, and one for each row of the others.
            let daily = (0..<Int32(keyNames.count)).map { code -> Int32? in
                let key = keyNames[code]
                guard history.isConstant(key, from: first, to: last) else { return nil }
                return history.value(of: key, at: first).map { interner.code(of: $0) } ?? -1
            }
            let codes = (0..<batch.count).map { row -> Int32 in
                if own[row] >= 0 { return ownCodes[Int(own[row])] }
                guard keys[row] >= 0 else { return -1 }
                if let code = daily[Int(keys[row])] { return code }
                return history.value(of: keyNames[keys[row]], at: Instant(microseconds: times[row])).map { interner.code(of: $0) }
                    ?? -1
            }
            batch.columns[place] = .text(codes, interner.dictionary)
        }
        return batch
    }
}
