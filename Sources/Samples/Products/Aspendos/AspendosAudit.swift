import Common

/// Who looked at what, when and why.
struct AspendosAuditEvent {
    let who: String
    let action: String
    let user: String?
    let at: Instant
    let why: String?
}

extension AspendosWorld {
    /// Operators and the product itself: exports served, conversations read, one erasure, one look without a purpose.
    var auditEvents: [AspendosAuditEvent] {
        var random = Random(seed: order.seed, stream: "aspendos audit")
        var events: [AspendosAuditEvent] = []
        func add(_ who: String, _ action: String, _ user: String?, at: Instant, why: String?) {
            guard span.contains(at.dayUTC) else { return }
            events.append(AspendosAuditEvent(who: who, action: action, user: user, at: at, why: why))
        }
        for (number, monday) in span.weeks.map(\.monday).enumerated() {
            func moment(_ day: Int) -> Instant {
                span.moment(monday + day, random.between(8 * 3600...17 * 3600), microsecond: random.below(1_000_000))
            }
            let member = members[(number * 3 + 1) % members.count]
            add(
                "operator-\(1 + number % 3)", "read_conversation", member.id, at: moment(1),
                why: "support case \(4100 + 7 * number)")
            if number % 2 == 0 { add("system", "export_user_data", member.id, at: moment(3), why: "request of the user") }
            add("operator-2", "run_report", nil, at: moment(4), why: number == 4 ? nil : "weekly cost review")
        }
        for member in members where member.role == .erased {
            add("system", "erasure_requested", member.id, at: AspendosStory.erasureAsked, why: "account deleted by the user")
            add("system", "erasure_done", member.id, at: AspendosStory.erasureDone, why: "erasure within 30 days of deletion")
        }
        for member in members where member.role == .withdraws {
            add("system", "consent_withdrawn", member.id, at: AspendosStory.withdrawal, why: "voice")
        }
        return events.sorted { ($0.at, $0.action) < ($1.at, $1.action) }
    }
}
