import Common

/// Somebody with an account: who they are, what they pay, what they allow, and which story they are part of.
struct AspendosMember {
    enum Tier: String { case pro = "PRO", ultra = "ULTRA" }

    /// Where somebody pays, and in which currency.
    enum Market: String {
        case us = "US"
        case europe = "EU"
        case turkey = "TR"

        var currency: String {
            switch self {
            case .us: "USD"
            case .europe: "EUR"
            case .turkey: "TRY"
            }
        }

        /// Where the requests of its members are served.
        var servedFrom: String { self == .us ? "us-central1" : "europe-west1" }

        /// UTC hours in which its members are awake; nothing that begins in them goes on into the next day.
        var hours: ClosedRange<Int> {
            switch self {
            case .us: 13...22
            case .europe: 6...21
            case .turkey: 5...20
            }
        }
    }

    enum Role: Equatable {
        case overBudget, degraded, manyConversations, twoVoiceSessions, videoOnPro, comparisonOnPro, withdraws, inMissingHour
        case inOutage, heavyDay, opus, twins, erased, hostile
    }

    enum Consent: String, CaseIterable { case terms, voice, training }

    let id: String
    let firebase: String
    let email: String
    /// What the users table says; it starts as PRO and proves no payment.
    let tier: Tier
    let market: Market
    let language: Language
    let created: Instant
    var deleted: Instant?
    /// The day of the first payment; nil for those who never paid.
    var paysFrom: Day?
    var role: Role?
    /// How many of a thousand days see them.
    let eagerness: Int
    var consents: [(kind: Consent, given: Bool, at: Instant)] = []

    func exists(at moment: Instant) -> Bool { created <= moment && deleted.map { moment < $0 } ?? true }

    func allows(_ kind: Consent, at moment: Instant) -> Bool {
        consents.last { $0.kind == kind && $0.at <= moment }?.given ?? false
    }
}

/// Draws the members: those who pay for PRO, those who pay for ULTRA, and those who are only called PRO.
struct AspendosPeople {
    private let span: SampleSpan
    private var random: Random
    private var identifiers: Identifiers

    static func drawn(_ order: SampleOrder, span: SampleSpan, identifiers: inout Identifiers) -> [AspendosMember] {
        var people = AspendosPeople(
            span: span, random: Random(seed: order.seed, stream: "aspendos people"), identifiers: identifiers)
        defer { identifiers = people.identifiers }
        let ultra = max(5, order.users * 5 / 31)
        let unpaid = max(6, order.users * 6 / 31)
        let pro = order.users - ultra - unpaid
        return (0..<pro).map { people.payingPro($0, of: pro) }
            + (0..<ultra).map { people.payingUltra($0, of: ultra, number: pro + $0) }
            + (0..<unpaid).map { people.neverPaid($0, number: pro + ultra + $0) }
    }

    private mutating func payingPro(_ index: Int, of count: Int) -> AspendosMember {
        let market: AspendosMember.Market = index % 4 == 1 ? .turkey : index % 4 == 3 ? .europe : .us
        // Three of twenty join while the sample runs.
        let late = index >= count - count * 3 / 20 ? span.first + 10 + 14 * (count - 1 - index) : nil
        var member = person(index, .pro, market, from: late.flatMap { span.contains($0) ? $0 : nil } ?? before(index))
        let roles: [AspendosMember.Role] = [
            .overBudget, .degraded, .manyConversations, .twoVoiceSessions, .videoOnPro, .comparisonOnPro, .withdraws,
            .inMissingHour, .inMissingHour, .twins, .inOutage, .inOutage, .inOutage, .inOutage,
        ]
        if index < roles.count { member.role = roles[index] }
        if member.role == .twoVoiceSessions || member.role == .withdraws { allowVoice(&member) }
        if member.role == .withdraws { member.consents.append((.voice, false, AspendosStory.withdrawal)) }
        return member
    }

    private mutating func payingUltra(_ index: Int, of count: Int, number: Int) -> AspendosMember {
        let late = span.first + 17
        var member = person(
            number, .ultra, index % 2 == 1 ? .europe : .us,
            from: index == count - 1 && span.contains(late) ? late : before(number))
        switch index {
        case 0: member.role = .inOutage
        case 1: member.role = .opus
        case 2: member.role = .heavyDay
        default: break
        }
        allowVoice(&member)
        return member
    }

    private mutating func neverPaid(_ index: Int, number: Int) -> AspendosMember {
        var member = person(
            number, .pro, [.us, .europe, .turkey][index % 3], from: index == 4 ? span.first + 30 : span.first - 12 - 9 * index)
        member.paysFrom = nil
        if index == 0, member.created < AspendosStory.erasureAsked {
            (member.role, member.deleted) = (.erased, AspendosStory.erasureAsked)
        }
        if index == 1 { member.role = .hostile }
        return member
    }

    /// Days on which they have paid every month since: spread over the month, and none after its 28th.
    private mutating func before(_ number: Int) -> Day {
        let first = span.first - (28 + 30 * random.below(4))
        return civil(first.civil.year, first.civil.month, 1 + (number * 5 + 4) % 28)
    }

    private mutating func person(_ number: Int, _ tier: AspendosMember.Tier, _ market: AspendosMember.Market, from day: Day)
        -> AspendosMember
    {
        let language: Language =
            switch market {
            case .us: .english
            case .europe: random.chance(600) ? .german : .english
            case .turkey: .turkish
            }
        let names =
            switch language {
            case .german: ["paula", "konrad", "ida", "moritz"]
            case .turkish: ["defne", "kerem", "zehra", "ozan"]
            default: ["grace", "felix", "june", "walter"]
            }
        let created = span.moment(
            day, random.between(market.hours.lowerBound * 3600...market.hours.lowerBound * 3600 + 7200),
            microsecond: random.below(1_000_000))
        var member = AspendosMember(
            id: identifiers.next(at: created), firebase: "fb" + Digest.of("aspendos \(number)").hex.prefix(26),
            email: "\(random.pick(names)).\(number)@example.com", tier: tier, market: market, language: language,
            created: created,
            paysFrom: day, eagerness: (tier == .ultra ? 700 : 430) + random.below(240))
        member.consents = [(.terms, true, created)]
        if random.chance(650) { allowVoice(&member) }
        if random.chance(300) { member.consents.append((.training, true, created + Int64(random.between(600...90_000)))) }
        return member
    }

    private mutating func allowVoice(_ member: inout AspendosMember) {
        guard !member.consents.contains(where: { $0.kind == .voice }) else { return }
        member.consents.append((.voice, true, member.created + Int64(random.between(60...3000))))
    }
}
