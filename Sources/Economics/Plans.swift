import Common
import Lake
import Ledger

/// What a product sells: a plan's price and what it entitles its members to.
public struct Plan: Sendable {
    public let name: String
    public let price: ExactDecimal?
    public let currency: String?
    /// Names of insights that its members get.
    public let entitles: [String]

    public static let schema = ConfigSchema(
        name: "plan",
        keys: [
            ConfigKey(name: "price", kind: "decimal", about: "What a member pays; left out where it is free."),
            ConfigKey(name: "currency", kind: "currency code", about: "What the price is in."),
            ConfigKey(name: "per", kind: "one of month and year", about: "What the price is for; by default month."),
            ConfigKey(name: "entitles", kind: "list of text", about: "The insights that members get."),
        ])

    private enum Interval: String, CaseIterable { case month, year }

    public init(name: String, _ object: ConfigObject) throws {
        self.name = name
        price = try object.optionalDecimal("price")
        currency = try object.optionalText("currency")
        entitles = try object.texts("entitles")
        _ = try object.choice("per", of: Interval.self, default: .month)
        if price != nil, currency == nil { throw object.failure("A price needs its currency. Add currency, such as \"USD\".") }
    }
}

/// How the plan of a user is found where the event does not print it: from dated agreements among the snapshots.
public struct PlanLookup: Sendable {
    /// The kind of snapshot: its parent is the user, its plan the plan.
    public let kind: String
    /// Attributes that hold the first moment and the moment after the last; without them a version counts from its own time.
    public let starts: String?
    public let ends: String?
    /// The plan of whoever has no agreement at the time.
    public let otherwise: String?

    public static let schema = ConfigSchema(
        name: "plan_of.user",
        keys: [
            ConfigKey(
                name: "from", kind: "kind of snapshot", required: true,
                about: "The snapshots whose parent is the user and that name the plan."),
            ConfigKey(
                name: "starts", kind: "attribute", about: "The attribute that holds the moment from which the agreement counts."),
            ConfigKey(
                name: "ends", kind: "attribute", about: "The attribute that holds the moment from which it no longer counts."),
            ConfigKey(name: "otherwise", kind: "plan", about: "The plan of a user who has no agreement at the time."),
        ])

    public init(_ object: ConfigObject) throws {
        kind = try object.text("from")
        starts = try object.optionalText("starts")
        ends = try object.optionalText("ends")
        otherwise = try object.optionalText("otherwise")
    }

    var definition: String { "\(kind)|\(starts ?? "")|\(ends ?? "")|\(otherwise ?? "")" }
}

/// Answers which plan a user had at a moment: who upgrades on Thursday has two plans that week.
public struct PlanHistory: Sendable {
    private struct Agreement {
        let start: Int64
        let end: Int64
        let plan: String
        let id: String
    }
    private let agreements: [String: [Agreement]]
    private let otherwise: String?

    /// Reads the newest version of each agreement, or, where the lookup names no attribute for the beginning, every version, of which
    /// each holds until the next. Where two agreements hold at one moment the one that began last counts.
    public init(_ lookup: PlanLookup, _ versions: [Snapshot]) {
        otherwise = lookup.otherwise
        var found: [String: [Agreement]] = [:]
        for (index, version) in versions.enumerated() where version.kind == lookup.kind {
            guard let user = version.parent, let plan = version.plan else { continue }
            func moment(_ attribute: String?) -> Instant? {
                attribute.flatMap { version.attributes[$0]?.string }.flatMap { Instant($0) ?? Day($0)?.startUTC }
            }
            let next = index + 1 < versions.count && versions[index + 1].id == version.id ? versions[index + 1].updatedAt : nil
            let start = moment(lookup.starts) ?? version.updatedAt
            let end = [moment(lookup.ends), next].compactMap { $0 }.min()
            found[user, default: []].append(
                Agreement(start: start.microseconds, end: end?.microseconds ?? Int64.max, plan: plan, id: version.id))
        }
        agreements = found.mapValues { $0.sorted { ($0.start, $0.id) > ($1.start, $1.id) } }
    }

    /// Whether no agreement of a user begins or ends between two moments.
    func isConstant(_ user: String, from first: Instant, to last: Instant) -> Bool {
        agreements[user]?.allSatisfy { agreement in
            [agreement.start, agreement.end].allSatisfy { $0 <= first.microseconds || $0 > last.microseconds }
        } ?? true
    }

    public func plan(of user: String, at instant: Instant) -> String? {
        let time = instant.microseconds
        return agreements[user]?.first { $0.start <= time && time < $0.end }?.plan ?? otherwise
    }
}

/// A version of a mutable thing.
public struct Snapshot: Sendable {
    public let kind: String
    public let id: String
    public let updatedAt: Instant
    public let parent: String?
    public let plan: String?
    public let status: String?
    public let attributes: JSON
}

extension Lake {
    /// The plans that users had, as a job says that they are found.
    public func planHistory(_ lookup: PlanLookup, job: String) throws -> PlanHistory {
        PlanHistory(
            lookup,
            lookup.starts == nil ? try snapshots(job: job, kind: lookup.kind) : try newestSnapshots(job: job, kind: lookup.kind))
    }

    /// The newest version of every thing of one kind, by id; with `asOf`, the newest that stood at that moment.
    public func newestSnapshots(job: String, kind: String, asOf: Instant? = nil) throws -> [Snapshot] {
        var newest: [String: Snapshot] = [:]
        try eachSnapshot(job: job, kind: kind) { id, updated, version in
            if let asOf, updated > asOf { return }
            if let known = newest[id], known.updatedAt >= updated { return }
            newest[id] = try version()
        }
        return newest.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    }

    /// Every version of every thing of one kind, by id and time.
    private func snapshots(job: String, kind: String) throws -> [Snapshot] {
        var all: [Snapshot] = []
        try eachSnapshot(job: job, kind: kind) { _, _, version in all.append(try version()) }
        return all.sorted { $0.id == $1.id ? $0.updatedAt < $1.updatedAt : $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    }

    private func eachSnapshot(job: String, kind: String, _ body: (String, Instant, () throws -> Snapshot) throws -> Void) throws {
        try scan(job: job, log: .snapshots, columns: Log.snapshots.columns) { _, batch in
            guard case .text(let kinds, let names)? = batch["kind"] else { return }
            let wanted = names.matches(kind)
            for row in 0..<batch.count where kinds[row] >= 0 && wanted[Int(kinds[row])] {
                guard let id = batch["id"]?.text(at: row), let updated = batch["updated_at"]?.integer(at: row) else { continue }
                let instant = Instant(microseconds: updated)
                try body(id, instant) {
                    let attributes = try batch["attributes"]?.text(at: row).map { try parseJSON(Array($0.utf8), path: "lake") }
                    return Snapshot(
                        kind: kind, id: id, updatedAt: instant, parent: batch["parent"]?.text(at: row),
                        plan: batch["plan"]?.text(at: row),
                        status: batch["status"]?.text(at: row), attributes: attributes ?? .object([]))
                }
            }
        }
    }
}
