import Common

/// Draws the members: who they are, what they pay for and consent to, and which story they are part of.
struct KaleiPeople {
    private let span: SampleSpan
    private var random: Random
    private var texts: KaleiTexts
    private var identifiers: Identifiers

    static func drawn(_ order: SampleOrder, span: SampleSpan, identifiers: inout Identifiers) -> [KaleiMember] {
        var people = KaleiPeople(
            span: span, random: Random(seed: order.seed, stream: "kalei people"), texts: KaleiTexts(seed: ~order.seed),
            identifiers: identifiers)
        defer { identifiers = people.identifiers }
        let plus = max(6, order.users * 12 / 200)
        let prism = max(5, order.users * 11 / 200)
        var members: [KaleiMember] = []
        for index in 0..<order.users {
            switch index {
            case ..<plus: members.append(people.prismPlus(index, of: plus))
            case ..<(plus + prism): members.append(people.prism(index - plus, number: index))
            case plus + prism: members.append(people.lapsed(number: index))
            default: members.append(people.free(index - plus - prism - 1, number: index))
            }
        }
        if !members[0].goals.isEmpty { members[0].goals[0].text = KaleiHostile.goal }
        return members
    }

    /// Prism+ members join one after another from the first day of sale; two of them come from Prism.
    private mutating func prismPlus(_ index: Int, of count: Int) -> KaleiMember {
        let upgrades = index == 1 || index == count * 7 / 12
        var start = KaleiStory.prismPlusOnSale + index * 31 / count
        if index == count * 7 / 12 { start = KaleiStory.upgrade }
        let joined = moment(start)
        var member = person(
            index, created: min(joined, span.moment(span.first, 0)) + -Int64(random.between(20...160)) * 86_400, paying: true)
        if upgrades {
            let before = min(joined, span.moment(span.first, 0)) + -Int64(random.between(2...15)) * 86_400
            member.subscriptions.append(subscription(.prism, yearly: false, from: before, until: joined))
        }
        member.subscriptions.append(subscription(.prismPlus, yearly: index % 4 == 3, from: joined, until: nil))
        switch (index, count) {
        case (count * 3 / 12, _): member.role = .quiet
        case (count * 5 / 12, _): member.role = .crisis
        case (count * 8 / 12, _): member.role = .noConsent
        default: member.role = .sent
        }
        member.consents = [(member.created, true)]
        if member.role == .noConsent { member.consents.append((moment(KaleiStory.consentWithdrawn), false)) }
        if index == count * 10 / 12 && member.role == .sent {
            member.consents = [(member.created, false), (moment(KaleiStory.consentGivenLate), true)]
        }
        return member
    }

    private mutating func prism(_ index: Int, number: Int) -> KaleiMember {
        // Two of every eleven join while the sample runs.
        let late: Int? = index % 11 == 9 ? 15 : index % 11 == 10 ? 36 : nil
        let joined = late.map { moment(span.first + $0) } ?? moment(span.first - random.between(12...140))
        let created = min(joined, span.moment(span.first, 0)) + -Int64(random.between(1...60)) * 86_400
        var member = person(number, created: created, paying: true)
        member.subscriptions = [subscription(.prism, yearly: index % 4 == 1, from: joined, until: nil)]
        switch index {
        case 0, 1: member.role = .inMissingHour
        case 2: member.role = .runaway
        case 3, 4: member.role = .leak(KaleiStory.leaks[index - 3])
        default: break
        }
        return member
    }

    /// Was on Prism, cancelled, and is on Free from the end of the month that was paid.
    private mutating func lapsed(number: Int) -> KaleiMember {
        let joined = moment(min(span.first, KaleiStory.cancellation) - 40)
        var member = person(number, created: joined + -9 * 86_400, paying: true)
        var subscription = subscription(.prism, yearly: false, from: joined, until: moment(KaleiStory.cancellationTakesEffect))
        subscription.canceled = moment(KaleiStory.cancellation)
        member.subscriptions = [subscription]
        return member
    }

    private mutating func free(_ index: Int, number: Int) -> KaleiMember {
        let role: KaleiRole? =
            switch index {
            case 0, 1: .manyTurns(KaleiStory.manyTurns[index].0, KaleiStory.manyTurns[index].1)
            case 2: .manyMirrors
            default: nil
            }
        // One in twelve signs up while the sample runs.
        let day =
            role == nil && index % 12 == 11
            ? span.first + random.below(span.last - span.first + 1) : span.first - random.between(3...200)
        var member = person(number, created: moment(day), paying: false)
        member.role = role
        if index == 3, span.contains(KaleiStory.deletion) {
            member = person(number, created: moment(span.first - 30), paying: false)
            member.deleted = moment(KaleiStory.deletion)
        }
        return member
    }

    private mutating func person(_ number: Int, created: Instant, paying: Bool) -> KaleiMember {
        let language = Language.allCases[random.weighted([60, 25, 8, 7])]
        let names =
            switch language {
            case .english: ["mira", "owen", "nell", "harriet", "leo", "ada"]
            case .german: ["jonas", "lena", "frieda", "emil", "anton"]
            case .turkish: ["elif", "deniz", "emre"]
            case .uzbek: ["aziza", "timur", "dilnoza"]
            }
        let away = random.chance(300)
        let zone =
            switch language {
            case .english where away: "Europe/London"
            case .turkish where away: "Europe/Istanbul"
            case .uzbek where away: "Asia/Tashkent"
            default: "Europe/Berlin"
            }
        var member = KaleiMember(
            id: identifiers.next(at: created), email: "\(random.pick(names)).\(number)@example.com", language: language,
            timeZone: zone,
            created: created, eagerness: 550 + random.below(900),
            band: KaleiMember.Band.allCases[random.weighted([30, 15, 45, 10])])
        member.consents = [(created, random.chance(paying ? 850 : 550))]
        if random.chance(40), let first = member.consents.first {
            // Some change their mind while the sample runs.
            let change = moment(span.first + random.below(span.last - span.first + 1))
            if change > created { member.consents.append((change, !first.given)) }
        }
        if paying || random.chance(430) { member.goals = goals(of: member, always: paying) }
        return member
    }

    private mutating func goals(of member: KaleiMember, always: Bool) -> [KaleiGoal] {
        let areas = ["sleep", "boundaries", "family", "work", "body"]
        let first = goal(random.pick(areas), of: member, created: member.created + Int64(random.between(200...90_000)))
        guard random.chance(250) else { return [first] }
        // A second goal comes while the sample runs; with it the first is sometimes put aside.
        let start = max(moment(span.first + random.below(span.last - span.first + 1)), first.created + 86_400)
        var goals = [first, goal(random.pick(areas), of: member, created: start)]
        if random.chance(400) { goals[0].closed = start + 600 }
        return goals
    }

    private mutating func goal(_ area: String, of member: KaleiMember, created: Instant) -> KaleiGoal {
        KaleiGoal(id: identifiers.next(at: created), created: created, area: area, text: texts.goal(member.language))
    }

    private mutating func subscription(_ plan: KaleiPlan, yearly: Bool, from start: Instant, until end: Instant?)
        -> KaleiSubscription
    {
        KaleiSubscription(
            id: identifiers.next(at: start), plan: plan, yearly: yearly, store: random.pick(["app_store", "google_play", "web"]),
            started: start, ends: end)
    }

    /// Some time between eight and eight on a local day.
    private mutating func moment(_ day: Day) -> Instant {
        span.moment(day, random.between(8 * 3600...20 * 3600), microsecond: random.below(1_000_000))
    }
}
