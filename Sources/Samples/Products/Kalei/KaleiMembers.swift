import Common

enum KaleiPlan: String, Sendable { case free, prism, prismPlus = "prism_plus" }

/// A member of Kalei, with everything about them that changes over time.
struct KaleiMember {
    let id: String
    let email: String
    let language: Language
    let timeZone: String
    let created: Instant
    var deleted: Instant?
    var subscriptions: [KaleiSubscription] = []
    /// Consent to insights, oldest first.
    var consents: [(since: Instant, given: Bool)] = []
    var goals: [KaleiGoal] = []
    /// How likely a day with some activity is, in thousandths of the plan's usual share.
    let eagerness: Int
    let band: Band
    var role: KaleiRole?

    /// The part of the day that a member prefers.
    enum Band: CaseIterable { case morning, midday, evening, night }

    func plan(at moment: Instant) -> KaleiPlan {
        subscriptions.first { $0.started <= moment && $0.ends.map { moment < $0 } ?? true }?.plan ?? .free
    }

    func consents(at moment: Instant) -> Bool { consents.last { $0.since <= moment }?.given ?? false }
    func exists(at moment: Instant) -> Bool { created < moment && deleted.map { moment < $0 } ?? true }

    /// Whether any moment of a stretch is spent on the free plan, whose quotas then bind.
    func isFree(within stretch: Range<Instant>) -> Bool {
        if plan(at: stretch.lowerBound) == .free { return true }
        return subscriptions.contains { subscription in
            guard let ends = subscription.ends, stretch.contains(ends) else { return false }
            return plan(at: ends) == .free
        }
    }
}

struct KaleiSubscription {
    let id: String
    let plan: KaleiPlan
    let yearly: Bool
    let store: String
    let started: Instant
    /// When the end became known; the end may lie later.
    var canceled: Instant?
    var ends: Instant?

    var price: String {
        switch (plan, yearly) {
        case (.free, _): "0.00"
        case (.prism, false): "4.99"
        case (.prism, true): "39.99"
        case (.prismPlus, false): "9.99"
        case (.prismPlus, true): "79.99"
        }
    }
}

struct KaleiGoal {
    let id: String
    let created: Instant
    let area: String
    var text: String
    /// When the member put it aside.
    var closed: Instant?

    func isActive(at moment: Instant) -> Bool { created <= moment && closed.map { moment < $0 } ?? true }
}

/// The part a member has in a planted story; see `KaleiStory`.
enum KaleiRole: Equatable {
    /// Over fifty turns on one day.
    case runaway
    /// On Prism, yet given a Spectrum in the night after this day.
    case leak(Day)
    /// On Free, with too many turns on one day.
    case manyTurns(Day, Int)
    /// On Free, with four Mirrors in the week.
    case manyMirrors
    /// Writes while the call log has its hole.
    case inMissingHour
    /// On Prism+, and what the funnel of W46 makes of them.
    case sent, noConsent, quiet, crisis
}
