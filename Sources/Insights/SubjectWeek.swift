import Common
import Economics
import Lake

/// One subject in one period: what they did, in numbers, and how it compares with the four periods before.
public struct SubjectWeek: Equatable, Sendable {
    /// The real id; never leaves this machine except in the private delivery file.
    public let user: String
    /// The keyed pseudonym under which everything else knows the subject.
    public let subject: String
    public let standing: Standing
    /// What the prompt sees.
    public let profile: JSON

    public var digest: Digest { Digest.of(profile.text) }
}

/// How far a subject comes: each step loses some, and the report counts who and why.
public enum Standing: String, CaseIterable, Sendable {
    case noConsent = "no consent"
    case tooQuiet = "too quiet"
    case crisis
    case eligible
}

/// Everything besides the rows that decides the profiles of an insight.
public struct ProfileOrder: Sendable {
    public let job: String
    public let insight: Insight
    public let period: Period
    public let zone: Zone
    public let plans: [Plan]
    public let lookups: [Lookup]
    public let pseudonymKey: [UInt8]

    public init(
        job: String, insight: Insight, period: Period, zone: Zone, plans: [Plan], lookups: [Lookup], pseudonymKey: [UInt8]
    ) {
        (self.job, self.insight, self.period, self.zone) = (job, insight, period, zone)
        (self.plans, self.lookups, self.pseudonymKey) = (plans, lookups, pseudonymKey)
    }

    /// The four periods before, with which a subject is compared.
    var baseline: Period { Period(first: period.first - 4 * period.count, last: period.first - 1) }

    /// Whether profiles are made for this period at all.
    public var isDue: Bool { insight.starts.map { $0 <= period.first } ?? true }

    func pseudonym(_ user: String) -> String { String(hmac(user.utf8, key: pseudonymKey).hex.prefix(24)) }
}

/// The profile of every subject whose plan at the end of the period entitles to the insight, sorted by pseudonym.
///
/// Consent is that of the run: the newest snapshot decides, in replays too.
public func makeProfiles(_ order: ProfileOrder, _ lake: Lake) throws -> [SubjectWeek] {
    guard order.isDue else { return [] }
    let users = try lake.newestSnapshots(job: order.job, kind: "user")
    let history = try order.lookups.first { $0.column == "plan" && $0.by == "user" }.map { try lake.history($0, job: order.job) }
    let end = Instant(microseconds: order.zone.start(of: order.period.last + 1).microseconds - 1)
    let entitling = Set(order.plans.filter { $0.entitles.contains(order.insight.name) }.map(\.name))
    let entitled = users.filter { user in
        if let left = order.insight.leftAttribute, let value = user.attributes[left], value != .null { return false }
        return (history?.value(of: user.id, at: end) ?? user.plan).map(entitling.contains) ?? false
    }
    var activity = try gatherActivity(order, Set(entitled.map(\.id)), lake)
    if order.insight.excerpts > 0 { try gatherExcerpts(order, &activity, lake) }
    return entitled.map { user in
        let own = activity[user.id] ?? Activity()
        let standing: Standing =
            if let consent = order.insight.consent, user.attributes[consent]?.bool != true {
                .noConsent
            } else if own.rows < order.insight.leastActivity {
                .tooQuiet
            } else if own.crisis {
                .crisis
            } else {
                .eligible
            }
        return SubjectWeek(user: user.id, subject: order.pseudonym(user.id), standing: standing, profile: own.profile(order))
    }.sorted { $0.subject < $1.subject }
}

/// What one subject did, while it is being counted.
private struct Activity {
    var rows = 0
    var crisis = false
    var kinds: [String: (now: Int, before: Int)] = [:]
    var labels: [String: (now: Int, before: Int)] = [:]
    var styles: [String: Int] = [:]
    var parts = [0, 0, 0, 0]
    var activeDays: Set<Day> = []
    var words: Int64 = 0
    var scores: Int128 = 0
    var scored = 0
    var excerpts: [String] = []

    static let partNames = ["night", "morning", "afternoon", "evening"]

    func profile(_ order: ProfileOrder) -> JSON {
        let days = Set(order.period.days)
        var last = order.period.last
        while !activeDays.contains(last), last > order.period.first { last = last - 1 }
        var streak = 0
        while activeDays.contains(last - streak) { streak += 1 }
        func compared(_ counts: [String: (now: Int, before: Int)], name: String) -> [JSON] {
            counts.filter { $0.value.now > 0 }.sorted { ($1.value.now, $0.key) < ($0.value.now, $1.key) }.map { key, count in
                // The mean of four periods, in exact quarters.
                let usual = ExactDecimal(mantissa: Int128(count.before * 25), scale: 2) ?? .zero
                let change = ExactDecimal(mantissa: Int128(count.now * 100 - count.before * 25), scale: 2) ?? .zero
                return .fields([
                    name: .string(key), "count": .int(count.now), "usual": .string(usual.description),
                    "change": .string((change.isNegative || change == .zero ? "" : "+") + change.description),
                ])
            }
        }
        let styled = styles.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let peak = parts.enumerated().max { ($0.element, $1.offset) < ($1.element, $0.offset) }
        var members: [JSON.Member] = [
            JSON.Member("period", .string(order.period.description)),
            JSON.Member("activities", .array(compared(kinds, name: "kind"))),
            JSON.Member("patterns", .array(Array(compared(labels, name: "label").prefix(5)))),
            JSON.Member("styles", .array(styled.prefix(3).map { .fields(["style": .string($0.key), "count": .int($0.value)]) })),
            JSON.Member("active_days", .int(activeDays.intersection(days).count)),
            JSON.Member("streak", .int(streak)),
            JSON.Member(
                "times", .array(zip(Activity.partNames, parts).map { .fields(["part": .string($0.0), "count": .int($0.1)]) })),
        ]
        if let peak, peak.element > 0 { members.append(JSON.Member("peak", .string(Activity.partNames[peak.offset]))) }
        if words > 0 { members.append(JSON.Member("words", .int(words))) }
        if scored > 0 {
            let mean = Money(units: scores).divided(by: scored) ?? .zero
            members.append(JSON.Member("mean_score", .string(mean.text(places: 2))))
        }
        if !excerpts.isEmpty { members.append(JSON.Member("excerpts", .array(excerpts.map(JSON.string)))) }
        return .object(members)
    }
}

private func gatherActivity(_ order: ProfileOrder, _ users: Set<String>, _ lake: Lake) throws -> [String: Activity] {
    var found: [String: Activity] = [:]
    let bounds = [order.baseline.first, order.period.first, order.period.last + 1].map { order.zone.start(of: $0).microseconds }
    let (first, last) = (Instant(microseconds: bounds[0]).dayUTC, Instant(microseconds: bounds[2] - 1).dayUTC)
    let resolver = try Resolver(order.lookups, for: ["user"], job: order.job, lake)
    let read = Set(["user", "ts", "kind", "label", "crisis", "style", "words", "score"]).union(resolver.columns)
    let columns = Log.sessions.columns.filter { read.contains($0.name) }
    try lake.scan(job: order.job, log: .sessions, from: first, to: last, times: bounds[0]..<bounds[2], columns: columns) {
        part, batch in
        let batch = resolver.filled(batch, of: part.day)
        guard case .text(let codes, let names)? = batch["user"], case .integers(let times, _)? = batch["ts"] else { return }
        let wanted = (0..<Int32(names.count)).map { users.contains(names[$0]) ? names[$0] : nil }
        for row in 0..<batch.count {
            guard codes[row] >= 0, let user = wanted[Int(codes[row])], times[row] >= bounds[0], times[row] < bounds[2] else {
                continue
            }
            let now = times[row] >= bounds[1]
            let instant = Instant(microseconds: times[row])
            var own = found[user] ?? Activity()
            own.activeDays.insert(order.zone.day(of: instant))
            if let kind = batch["kind"]?.text(at: row) {
                own.kinds[kind, default: (0, 0)].now += now ? 1 : 0
                own.kinds[kind, default: (0, 0)].before += now ? 0 : 1
            }
            if let label = batch["label"]?.text(at: row) {
                own.labels[label, default: (0, 0)].now += now ? 1 : 0
                own.labels[label, default: (0, 0)].before += now ? 0 : 1
            }
            if now {
                own.rows += 1
                own.crisis = own.crisis || batch["crisis"]?.bool(at: row) == true
                if let style = batch["style"]?.text(at: row) { own.styles[style, default: 0] += 1 }
                own.parts[order.zone.hour(of: instant) / 6] += 1
                own.words += batch["words"]?.integer(at: row) ?? 0
                if let score = batch["score"]?.decimal(at: row) {
                    own.scores += score
                    own.scored += 1
                }
            }
            found[user] = own
        }
    }
    return found
}

private func gatherExcerpts(_ order: ProfileOrder, _ activity: inout [String: Activity], _ lake: Lake) throws {
    let bounds = [order.period.first, order.period.last + 1].map { order.zone.start(of: $0).microseconds }
    let (first, last) = (Instant(microseconds: bounds[0]).dayUTC, Instant(microseconds: bounds[1] - 1).dayUTC)
    // The first of the week, in whatever order the parts of a day lie.
    var found: [String: [(time: Int64, text: String)]] = [:]
    let resolver = try Resolver(order.lookups, for: ["user"], job: order.job, lake)
    let read = Set(["user", "ts", "role", "text"]).union(resolver.columns)
    let columns = Log.texts.columns.filter { read.contains($0.name) }
    try lake.scan(job: order.job, log: .texts, from: first, to: last, times: bounds[0]..<bounds[1], columns: columns) {
        part, batch in
        let batch = resolver.filled(batch, of: part.day)
        for row in 0..<batch.count {
            guard let user = batch["user"]?.text(at: row), let time = batch["ts"]?.integer(at: row), time >= bounds[0],
                time < bounds[1], batch["role"]?.text(at: row) == "user", let text = batch["text"]?.text(at: row),
                activity[user] != nil
            else { continue }
            var own = found[user] ?? []
            own.append((time, text))
            if own.count > order.insight.excerpts {
                own.sort { ($0.time, $0.text) < ($1.time, $1.text) }
                own.removeLast()
            }
            found[user] = own
        }
    }
    for (user, texts) in found {
        let sorted = texts.sorted { ($0.time, $0.text) < ($1.time, $1.text) }
        activity[user]?.excerpts = sorted.map { excerpt(redacted($0.text), atMost: 200) }
    }
}
