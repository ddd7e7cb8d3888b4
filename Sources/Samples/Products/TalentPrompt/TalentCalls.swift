import Common

/// Lets recruiters ask, day by day, and brings the days of the stories to their sums.
struct TalentCalls {
    private(set) var calls: [TalentCall] = []
    var identifiers: Identifiers
    private let span: SampleSpan
    private let users: [TalentUser]
    private let scale: Int
    private var random: Random
    private var asked: [TalentCall] = []

    init(_ order: SampleOrder, span: SampleSpan, users: [TalentUser], identifiers: Identifiers) {
        (self.span, self.users, self.identifiers, scale) = (span, users, identifiers, order.users)
        random = Random(seed: order.seed, stream: "talentprompt calls")
        for day in span.days { live(through: day) }
        sort()
        // Each story changes the calls that the next one looks at.
        if span.contains(TalentStory.outage) { breakDown() }
        if span.contains(TalentStory.spike) { spike() }
        if span.contains(TalentStory.exactDay) { experiment() }
        nameUnknownModel()
    }

    private func scaled(_ count: Int) -> Int { max(1, count * scale / 200) }
    private mutating func sort() { calls.sort { ($0.at, $0.id) < ($1.at, $1.id) } }

    private mutating func time(_ day: Day, _ hours: Range<Int> = 7..<20) -> Instant {
        let second = random.between(hours.lowerBound * 3600...hours.upperBound * 3600 - 1)
        return Instant(microseconds: day.startUTC.microseconds + Int64(second) * 1_000_000 + Int64(random.below(1_000_000)))
    }

    private mutating func live(through day: Day) {
        let times = (0..<random.around(scaled(day.weekday <= 5 ? 108 : 38), spread: 60)).map { _ in time(day) }.sorted()
        // Spread over the day so that each has its share of each class, and chance alone makes no spike.
        let start = random.below(1000)
        for (index, at) in times.enumerated() { ask(at, (start + 618 * index) % 1000) }
        for _ in 0..<(day.weekday <= 5 ? scaled(8) : 0) { rehearse(time(day)) }
        if TalentStory.misrouted.contains(day),
            let index = calls.lastIndex(where: {
                $0.at.dayUTC == day && $0.kind == .simple && $0.cost ?? .zero > .zero && !$0.isStaging
            })
        {
            calls[index].model = TalentClass.medium.model
        }
    }

    private mutating func ask(_ at: Instant, _ place: Int) {
        let kind: TalentClass = place < 580 ? .simple : place < 890 ? .medium : .complex
        let fate = random.below(1000)
        if fate < 190, let before = asked.suffix(80).dropFirst(random.below(20)).first(where: { $0.kind == kind }) {
            repeatCall(before, at)
            return
        }
        var call = drawn(kind, at)
        if fate >= 990 {
            // Nobody could say how hard it is.
            (call.kind, call.model) = (nil, TalentClass.complex.model)
            (call.prompt, call.completion) = (random.around(720), random.around(390))
        } else if fate >= 970 {
            call.goToSecondVendor("specialised")
        } else if fate >= 960 {
            (call.isFailed, call.prompt, call.completion, call.latency) = (true, 0, 0, random.between(900...30_000))
        } else {
            asked.append(call)
        }
        calls.append(call)
    }

    /// The same question again: most come from the cache, some are paid for twice.
    private mutating func repeatCall(_ before: TalentCall, _ at: Instant) {
        var call = TalentCall(
            id: identifiers.next(at: at), at: at, isStaging: false, user: random.pick(users), endpoint: before.endpoint,
            kind: before.kind, model: before.model, prompt: before.prompt, completion: before.completion, key: before.key,
            latency: before.latency)
        if random.chance(720) { (call.isHit, call.prompt, call.completion, call.latency) = (true, 0, 0, random.between(4...40)) }
        calls.append(call)
    }

    private mutating func drawn(_ kind: TalentClass, _ at: Instant, isStaging: Bool = false) -> TalentCall {
        let endpoints =
            switch kind {
            case .simple: ["search", "search", "chat"]
            case .medium: ["rank", "parse", "search"]
            case .complex: ["chat", "rank"]
            }
        let completion = random.around(kind.tokens.completion)
        return TalentCall(
            id: identifiers.next(at: at), at: at, isStaging: isStaging, user: random.pick(users),
            endpoint: random.pick(endpoints),
            kind: kind, model: kind.model, prompt: random.around(kind.tokens.prompt, spread: 300), completion: completion,
            key: String(hexadecimal(random.next(), digits: 16).suffix(10)), latency: 250 + completion * 6 + random.below(400))
    }

    private mutating func rehearse(_ at: Instant) {
        var call = drawn(TalentClass.allCases[random.weighted([70, 25, 5])], at, isStaging: true)
        call.prompt /= 3
        calls.append(call)
    }

    // MARK: - Stories

    /// What priced production calls of a day cost.
    private func spend(on day: Day) -> Money {
        calls.total { $0.at.dayUTC == day && !$0.isStaging ? $0.cost : nil }
    }

    private mutating func breakDown() {
        let day = TalentStory.outage
        let (from, to) = (TalentStory.outageHours.lowerBound, TalentStory.outageHours.upperBound)
        let hours = (day.startUTC + Int64(from * 3600))..<(day.startUTC + Int64(to * 3600))
        for index in calls.indices where hours.contains(calls[index].at) && !calls[index].isHit && !calls[index].isStaging {
            calls[index].goToSecondVendor("outage")
            if calls[index].isFailed {
                (calls[index].isFailed, calls[index].prompt, calls[index].completion) = (false, 4800, 420)
            }
        }
        // The queue of what had waited is worked off before anything can be classified again.
        topUp(day, to: TalentStory.outageSpend, by: .complex, tokens: 6900, 11..<13) { call in
            call.kind = nil
        }
    }

    private mutating func spike() {
        let day = TalentStory.spike
        let before = Period(first: day - TalentStory.spikeWindow, last: day - 1).days.filter(span.contains)
        guard !before.isEmpty else { return }
        let sum = before.total(spend)
        let target = sum.units * Int128(TalentStory.spikeTenths) / Int128(10 * before.count)
        topUp(day, to: Money(units: target), by: .medium, tokens: 5600, 13..<17) { _ in }
    }

    private mutating func experiment() {
        let day = TalentStory.exactDay
        var arms = 0
        topUp(day, to: TalentStory.exactSpend, by: .complex, tokens: 2600, 8..<18) { call in
            (call.reason, call.arm) = ("experiment", arms % 2 == 0 ? "control" : "short prompt")
            arms += 1
        }
        // The other vendor answers the same questions.
        for index in 0..<scaled(20) {
            var call = drawn(.complex, time(day, 8..<18))
            call.goToSecondVendor("experiment")
            (call.arm, call.prompt) = (index < 2 ? TalentStory.hostileArm : "second vendor", 1900)
            calls.append(call)
        }
        sort()
    }

    /// Adds calls of one model until the day costs exactly its target, to the price of one token of the cheapest model.
    private mutating func topUp(
        _ day: Day, to target: Money, by kind: TalentClass, tokens usual: Int, _ hours: Range<Int>,
        _ change: (inout TalentCall) -> Void
    ) {
        let left = target.units - spend(on: day).units
        guard left > 0 else { return }
        let total = Int(left / kind.units)
        let count = max(1, total / usual)
        var shares = (0..<count).map { total * ($0 + 1) / count - total * $0 / count }
        for index in 0..<(count / 2) {
            let moved = random.below(usual / 4)
            shares[2 * index] += moved
            shares[2 * index + 1] -= moved
        }
        for (share, at) in zip(shares, (0..<count).map { _ in time(day, hours) }.sorted()) {
            var call = drawn(kind, at)
            call.completion = min(call.completion, share / 2)
            call.prompt = share - call.completion
            change(&call)
            calls.append(call)
        }
        let rest = Int((left - Int128(total) * kind.units) / TalentClass.simple.units)
        if let index = calls.firstIndex(where: {
            $0.at.dayUTC == day && !$0.isStaging && $0.model == TalentClass.simple.model && !$0.isHit && !$0.isFailed
        }) {
            calls[index].prompt += rest
        }
        sort()
    }

    private mutating func nameUnknownModel() {
        guard span.contains(TalentStory.unknownModelFrom) else { return }
        let found = calls.indices.filter {
            calls[$0].at >= TalentStory.unknownModelFrom.startUTC && calls[$0].model == TalentClass.complex.model
                && !calls[$0].isHit && !calls[$0].isFailed && !calls[$0].isStaging
        }
        for index in found.prefix(TalentStory.unknownModelRows) { calls[index].model = TalentStory.unknownModel }
    }
}
