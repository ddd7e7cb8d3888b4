import Common

enum VoyagerPlan: String, CaseIterable, Sendable {
    case free, pro, max

    /// What a month costs.
    var cents: Int {
        switch self {
        case .free: 0
        case .pro: 1899
        case .max: 9900
        }
    }
}

/// A user of Voyager, with everything about them that changes over time.
struct VoyagerUser {
    let id: String
    let email: String
    let language: Language
    let created: Instant
    /// How likely a day with a chat is, in thousandths of the usual share.
    let eagerness: Int
    /// Writes to very long conversations, on every day, and pays nothing.
    var isHeavy = false
    /// Oldest first.
    var plans: [(since: Instant, plan: VoyagerPlan)] = []
    var memberships: [(joined: Instant, community: Int)] = []

    func plan(at moment: Instant) -> VoyagerPlan { plans.last { $0.since < moment }?.plan ?? .free }
    func community(at moment: Instant) -> Int? { memberships.last { $0.joined < moment }?.community }
}

/// A partner that brings its members, and gets what Voyager does not keep of their payments.
struct VoyagerCommunity {
    let id: String
    let name: String
    let owner: String
    /// The share that Voyager keeps, oldest first.
    var kept: [(from: Instant, share: String)]

    func kept(at moment: Instant) -> String { kept.last { $0.from <= moment }?.share ?? "1" }
}

struct VoyagerConversation {
    let id: String
    let user: Int
    let community: Int?
    var title: String
    let created: Instant
    /// The moments at which the row was updated, oldest first. A view is none.
    var updates: [Instant]
    var publicity: [(since: Instant, isPublic: Bool)]
    var views: [(since: Instant, count: Int)]
    var archived: Instant?
    var deleted: Instant?
    var space: String?
    /// Tokens that an answer has to read first.
    var context = 0

    func updated(at moment: Instant) -> Instant { updates.last { $0 < moment } ?? created }
    func isPublic(at moment: Instant) -> Bool { publicity.last { $0.since < moment }?.isPublic ?? false }
    func views(at moment: Instant) -> Int { views.last { $0.since < moment }?.count ?? 0 }
    func isArchived(at moment: Instant) -> Bool { archived.map { $0 < moment } ?? false }
    func isDeleted(at moment: Instant) -> Bool { deleted.map { $0 < moment } ?? false }
}

struct VoyagerMessage {
    let id: String
    let conversation: Int
    let user: Int
    let role: Role
    var content: String
    let created: Instant
    var deleted: Instant?
    var isPoll = false
    /// Set where an answer's tokens were recorded.
    var call: VoyagerCall?

    enum Role: String { case user, assistant }
}

/// What an answer took, as drafted by the diary and settled by the meter.
struct VoyagerCall {
    /// Tokens that the model reads, and those among them that an answer before it has left in the cache.
    var context: Int
    var cached: Int
    var output: Int
    let isSonnet: Bool

    // Settled by the meter.
    var model = ""
    var rate: VoyagerRate?
    var input: Int { context - cached }

    /// nil where the model has no price.
    var cost: Money? { rate?.cost(input: input, cacheRead: cached, output: output) }
}

/// What the vendor charges, in thousandths of a dollar per million tokens.
struct VoyagerRate: Sendable {
    let model: String
    let input: Int
    let cacheRead: Int
    let output: Int

    static let haiku = VoyagerRate(model: "claude-haiku-5-5", input: 100, cacheRead: 10, output: 500)
    /// Haiku's rates for requests that read more than 100,000 tokens.
    static let longHaiku = VoyagerRate(model: haiku.model, input: 500, cacheRead: 50, output: 2500)
    static let sonnet = VoyagerRate(model: "claude-sonnet-4-5-20250929", input: 3000, cacheRead: 300, output: 15_000)

    static func haiku(reading context: Int) -> VoyagerRate { context > 100_000 ? longHaiku : haiku }

    /// Exact: a thousandth of a dollar per million tokens is 1e-9 for each token.
    func cost(input: Int, cacheRead: Int, output: Int) -> Money {
        Money(units: Int128(input * self.input + cacheRead * self.cacheRead + output * self.output) * 1000)
    }
}

/// Somebody opens an archived conversation.
struct ArchiveAccess {
    let conversation: Int
    let at: Instant
}
