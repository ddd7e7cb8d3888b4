import Common

/// Lets the members live through the weeks: what they write, turn and are shown, and the calls that follow.
struct KaleiDiary {
    let span: SampleSpan
    let members: [KaleiMember]
    private(set) var sessions: [MirrorSession] = []
    private(set) var fragments: [MirrorFragment] = []
    private(set) var turns: [KaleiTurn] = []
    private(set) var shows: [LensShow] = []
    private(set) var analyses: [SpectrumAnalysis] = []
    private(set) var calls: [KaleiCall] = []
    var identifiers: Identifiers

    private var random: Random
    private var texts: KaleiTexts
    private var mirrorsThisWeek: [Int]
    private var lastFragment: [String?]

    static let patterns = [
        "catastrophizing", "all_or_nothing", "mind_reading", "should_statements", "labeling", "overgeneralization",
        "personalization",
        "emotional_reasoning", "discounting_positives", "fortune_telling",
    ]
    static let styles = ["compassionate", "stoic", "playful", "direct"]

    init(_ order: SampleOrder, span: SampleSpan, members: [KaleiMember], identifiers: Identifiers) {
        (self.span, self.members, self.identifiers) = (span, members, identifiers)
        random = Random(seed: order.seed, stream: "kalei days")
        texts = KaleiTexts(seed: order.seed)
        mirrorsThisWeek = [Int](repeating: 0, count: members.count)
        lastFragment = [String?](repeating: nil, count: members.count)
        for day in span.days {
            if day.weekday == 1 { mirrorsThisWeek = mirrorsThisWeek.map { _ in 0 } }
            for member in members.indices { live(member, through: day) }
            if day.weekday == 7 { runSpectrum(after: day) }
        }
        plantHostileStrings()
    }

    // MARK: - A day

    private mutating func live(_ member: Int, through day: Day) {
        let who = members[member]
        let hours = span.moment(day, 0)..<span.moment(day + 1, 0)
        guard who.exists(at: hours.lowerBound), who.exists(at: hours.upperBound) else { return }
        var plan = KaleiDayPlan(who, on: day, span: span, random: &random)
        let week = span.moment(Week(of: day).monday, 0)..<span.moment(Week(of: day).monday + 7, 0)
        if who.isFree(within: week), who.role != .manyMirrors || !plan.isPlanted {
            plan.mirrors = min(plan.mirrors, max(0, 2 - mirrorsThisWeek[member]))
        }
        mirrorsThisWeek[member] += plan.mirrors
        for index in 0..<plan.mirrors {
            let second = plan.start.map { $0 + 2400 * index } ?? timeOfDay(who.band, on: day)
            mirror(member, from: moment(day, second), crisis: plan.crisis)
        }
        if plan.turns > 0 {
            var second = plan.start.map { $0 + 1900 } ?? timeOfDay(who.band, on: day)
            let known = who.plan(at: hours.lowerBound)
            for _ in 0..<plan.turns {
                turn(member, at: moment(day, second), known: known, runaway: plan.isRunaway)
                second += plan.isRunaway ? random.between(480...600) : random.between(60...330)
            }
        }
        if plan.lens { lens(member, on: day) }
    }

    /// Bound so that nothing that begins on a local day goes on into the next.
    private mutating func timeOfDay(_ band: KaleiMember.Band, on day: Day) -> Int {
        guard random.chance(620) else { return random.between(7 * 3600...22 * 3600) }
        switch band {
        case .morning: return random.between(6 * 3600 + 1200...9 * 3600)
        case .midday: return random.between(11 * 3600 + 1800...14 * 3600)
        case .evening: return random.between(18 * 3600...22 * 3600 + 1800)
        case .night:
            // Soon after local midnight it is still the day before in UTC; the first day stays clear of that.
            if day > span.first, random.chance(500) { return random.between(300...1700) }
            return random.between(22 * 3600...22 * 3600 + 3000)
        }
    }

    private mutating func moment(_ day: Day, _ second: Int) -> Instant {
        span.moment(day, second, microsecond: random.below(1_000_000))
    }

    // MARK: - What members do

    private mutating func mirror(_ member: Int, from started: Instant, crisis planted: Bool) {
        let language = members[member].language
        let (text, quotable) = texts.entry(language)
        let chanceCrisis = random.chance(5) && !members[member].subscriptions.contains { $0.plan == .prismPlus }
        let kept: String? = random.chance(15) ? nil : random.chance(10) ? "" : text
        let id = identifiers.next(at: started)
        var now = started.after(milliseconds: random.between(120_000...400_000))
        call(.crisisCheck, member, session: id, at: &now)
        call(.fragments, member, session: id, at: &now)
        let found = now
        for index in 0..<random.weighted([0, 0, 4, 6, 4, 2]) {
            let created = found.after(milliseconds: index + 1)
            var fragment = MirrorFragment(
                id: identifiers.next(at: created), session: id, member: member, created: created, pattern: pattern(of: member),
                quote: quotable[index % quotable.count], intensity: random.between(1...5))
            if random.chance(600) {
                now = now.after(milliseconds: random.between(15_000...70_000))
                call(.reframe, member, session: id, at: &now)
                let style = style(of: member, at: started)
                fragment.reframe = (
                    texts.reframe(language), style, random.chance(250) ? nil : random.chance(style == "compassionate" ? 720 : 560)
                )
            }
            lastFragment[member] = fragment.id
            fragments.append(fragment)
        }
        var session = MirrorSession(
            id: id, member: member, started: started, ended: now, entry: kept, reflection: nil, crisis: planted || chanceCrisis)
        if planted || random.chance(920) {
            now = now.after(milliseconds: random.between(20_000...90_000))
            call(.reflection, member, session: id, at: &now)
            session.reflection = texts.reflection(language)
        }
        session.ended = now.after(milliseconds: random.between(5_000...60_000))
        sessions.append(session)
    }

    private mutating func turn(_ member: Int, at asked: Instant, known plan: KaleiPlan, runaway: Bool) {
        let language = members[member].language
        var now = asked
        call(.turn, member, session: nil, at: &now, scale: runaway ? 1600 : 1000)
        let fragment = random.chance(250) ? lastFragment[member] : nil
        turns.append(
            KaleiTurn(
                id: identifiers.next(at: now), member: member, created: now, fragment: fragment, input: texts.question(language),
                style: plan == .free ? KaleiDiary.styles[0] : style(of: member, at: asked),
                perspectives: texts.perspectives(language),
                chosen: random.chance(850) ? random.below(3) : nil, saved: random.chance(180)))
    }

    private mutating func lens(_ member: Int, on day: Day) {
        var now = moment(day, random.between(6 * 3600...21 * 3600))
        let goals = members[member].goals.filter { $0.isActive(at: now) }
        guard !goals.isEmpty else { return }
        let goal = goals[Int(day.number) % goals.count]
        let language = members[member].language
        let show = LensShow(
            goal: goal.id, shownOn: day, text: texts.affirmation(language), template: random.pick(language.phrases.templates))
        call(.lens, member, session: nil, at: &now, show: shows.count)
        shows.append(show)
    }

    /// Every member has three favourite patterns, which shift slowly.
    private mutating func pattern(of member: Int) -> String {
        let favourites = [member % 10, (member * 7 + 3) % 10, (member * 3 + 5) % 10]
        return KaleiDiary.patterns[random.chance(650) ? favourites[random.weighted([5, 3, 2])] : random.below(10)]
    }

    private mutating func style(of member: Int, at moment: Instant) -> String {
        members[member].plan(at: moment) == .free
            ? KaleiDiary.styles[0] : KaleiDiary.styles[(member + random.weighted([6, 2, 1, 1])) % 4]
    }

    // MARK: - Calls

    /// Appends a call that begins at `now`, and moves `now` to its answer. A few fail first and are asked again.
    private mutating func call(
        _ feature: KaleiFeature, _ member: Int, session: String?, at now: inout Instant, scale: Int = 1000, show: Int? = nil
    ) {
        if random.chance(6) {
            let waited = random.between(900...4000)
            calls.append(
                KaleiCall(
                    id: identifiers.next(at: now), ts: now, member: member, session: session, feature: feature, fresh: 0,
                    output: 0,
                    latency: waited, failed: true))
            now = now.after(milliseconds: waited + 1500)
        }
        let output = random.around(feature.tokens.output * scale / 1000)
        let latency = 350 + output * 7 + random.below(500)
        calls.append(
            KaleiCall(
                id: identifiers.next(at: now), ts: now, member: member, session: session, feature: feature,
                fresh: random.around(feature.tokens.fresh * scale / 1000), output: output, latency: latency, show: show))
        now = now.after(milliseconds: latency)
    }

    // MARK: - Sunday night

    /// The product's own weekly run: one Spectrum for each Prism+ member who consents, and the planted leaks.
    private mutating func runSpectrum(after day: Day) {
        let start = span.moment(day, 23 * 3600 + 300)
        for (index, member) in members.enumerated() where member.exists(at: start) {
            let entitled = member.plan(at: start) == .prismPlus && member.consents(at: start)
            guard entitled || member.role == .leak(day) else { continue }
            let ts = start.after(milliseconds: random.below(30 * 60_000))
            let call = KaleiCall(
                id: identifiers.next(at: ts), ts: ts, member: index, session: nil, feature: .spectrum,
                fresh: random.around(2000, spread: 250),
                output: random.around(3000, spread: 200), latency: random.between(200_000...900_000))
            calls.append(call)
            let created = ts.after(milliseconds: random.between(2_000...9_000))
            analyses.append(
                SpectrumAnalysis(
                    id: identifiers.next(at: created), member: index, week: Week(of: day), input: call.fresh, output: call.output,
                    result: result(for: index), created: created))
        }
    }

    private mutating func result(for member: Int) -> JSON {
        let labels = Set((0..<8).map { _ in pattern(of: member) }).sorted().prefix(3)
        return .fields([
            "week_in_a_sentence": .string(texts.reflection(members[member].language)),
            "patterns": .array(labels.map { .fields(["label": .string($0), "change": .int(random.between(-3...3))]) }),
            "streak": .int(random.below(7)),
            "focus": .string(texts.goal(members[member].language)),
        ])
    }

    // MARK: - Hostile strings

    /// Somebody tries what happens when a label is markup and a text moves the cursor.
    private mutating func plantHostileStrings() {
        guard
            let first = fragments.firstIndex(where: {
                members[$0.member].role == .sent && span.day(of: $0.created) == KaleiStory.hostile
            })
        else { return }
        fragments[first].pattern = KaleiHostile.pattern
        fragments[first].intensity = 5
        if let turn = turns.firstIndex(where: { span.day(of: $0.created) == KaleiStory.hostile }) {
            turns[turn].input += " " + KaleiHostile.text
        }
    }
}

/// Strings that must come through every output as plain text.
enum KaleiHostile {
    static let pattern = "<script>alert(1)</script>"
    static let goal = "=HYPERLINK(\"http://x\")"
    static let text = "\u{1b}[2J\u{1b}[31mall red\u{1b}[0m"
}
