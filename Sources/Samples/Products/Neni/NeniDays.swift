import Common

/// A file in the bucket; exported for the kindergarten on trial alone.
struct NeniMedia {
    let id: String
    let child: String?
    let kind: String
    /// What it weighs, whether or not the table knows it.
    let bytes: Int
    let isSized: Bool
    let created: Instant
    var deleted: Instant?
}

/// A guess at whose face is in a photo. The service behind it is not the real one yet, so it costs nothing.
struct NeniSuggestion {
    let id: String
    let tenant: Int
    let media: String
    let created: Instant
    /// What a member of staff made of it.
    var decided: (at: Instant, rejected: Bool)?

    func status(at moment: Instant) -> String {
        guard let decided, decided.at < moment else { return "PENDING" }
        return decided.rejected ? "REJECTED" : "CONFIRMED"
    }
}

/// One step of the assistant in one conversation's turn.
struct NeniCall {
    let id: String
    let ts: Instant
    let tenant: Int
    let staff: String
    let turn: String
    let step: Int
    var model = "gpt-4o-mini"
    let prompt: Int
    let completion: Int

    /// 0.15 and 0.60 dollars per million tokens.
    var listCost: Money { Money(units: Int128(prompt) * 150_000 + Int128(completion) * 600_000) }
    /// nil where the model has no known price.
    var cost: Money? { model == NeniStory.unknownModel ? nil : listCost }
}

struct NeniJob {
    let id: String
    let queue: String
    let tenant: Int
    let failed: Bool
    let started: Instant
    let seconds: Int
}

/// A login code sent by Telegram, with the price that its answer names; a number that nobody knows belongs to no kindergarten.
struct NeniCode {
    let tenant: Int?
    let at: Instant
    let cents: Int
}

/// Lets the kindergartens live through the weeks.
struct NeniDays {
    let span: SampleSpan
    let tenants: [NeniTenant]
    private(set) var media: [NeniMedia] = []
    private(set) var suggestions: [NeniSuggestion] = []
    private(set) var calls: [NeniCall] = []
    private(set) var jobs: [NeniJob] = []
    private(set) var codes: [NeniCode] = []
    var cuids: Cuids

    private let users: Int
    private var random: Random
    private var decided: [Int]
    private var rejected: [Int]

    init(_ order: SampleOrder, span: SampleSpan, tenants: [NeniTenant], cuids: Cuids) {
        (self.span, self.tenants, self.cuids, users) = (span, tenants, cuids, order.users)
        random = Random(seed: order.seed, stream: "neni days")
        decided = tenants.map { _ in 50 }
        rejected = tenants.map { _ in 0 }
        for day in span.days {
            for tenant in tenants.indices where tenants[tenant].created.dayUTC <= day {
                if tenants[tenant].works(on: day) { work(tenant, on: day) }
                sendCodes(tenant, on: day)
                job("data-cleanup", tenant, at: day.startUTC + Int64(random.between(75_600...79_200)))
            }
        }
        calls.sort { ($0.ts, $0.id) < ($1.ts, $1.id) }
        suggestions.sort { ($0.created, $0.id) < ($1.created, $1.id) }
        nameUnknownModel()
        plantHostileQueue()
    }

    /// Scales what a whole kindergarten does with the sample's size.
    private func scaled(_ count: Int) -> Int { count == 0 ? 0 : max(1, count * users / 200) }

    /// From eight in the morning to half past five by the clock in Tashkent.
    private mutating func workingTime(_ day: Day) -> Instant {
        Instant(microseconds: day.startUTC.microseconds + Int64(random.between(3 * 3_600_000...12_500 * 3600)) * 1000)
    }

    private mutating func work(_ tenant: Int, on day: Day) {
        let role = tenants[tenant].role
        if role == .trial { upload(tenant, on: day) }
        for _ in 0..<random.around(scaled(role.habits.faces) * 10) / 10 { suggest(tenant, on: day) }
        for _ in 0..<max(1, random.around(scaled(role.habits.turns) * 10) / 10) { converse(tenant, from: workingTime(day)) }
        if role.habits.speech > 0 { job("speech-to-text", tenant, at: workingTime(day)) }
        job("notifications", tenant, at: day.startUTC + Int64(random.between(45_000...46_000)))
    }

    // MARK: - Media

    private mutating func upload(_ tenant: Int, on day: Day) {
        let who = tenants[tenant]
        let children = who.children.filter { $0.isActive(at: day.startUTC + 43_200) }
        var drawn: [(at: Instant, child: String?, kind: String, bytes: Int)] = []
        for child in children {
            for _ in 0..<random.weighted([8, 14, 20, 20, 14, 10, 8, 6]) * who.role.habits.photos / 310 {
                drawn.append((workingTime(day), child.id, "photo", random.around(who.role.habits.kilobytes * 1024)))
            }
            if random.chance(60) {
                drawn.append((workingTime(day), child.id, "video", random.around(30 * 1_048_576, spread: 600)))
            }
        }
        let brands = day == who.created.dayUTC ? 3 : day.weekday == 1 ? 1 : 0
        for _ in 0..<brands { drawn.append((workingTime(day), nil, "brand", random.around(240 * 1024))) }
        for file in drawn.sorted(by: { ($0.at, $0.bytes) < ($1.at, $1.bytes) }) {
            // Exactly so many of a hundred lack a size: where the share's next whole file is due.
            let isSized = (media.count + 1) * NeniStory.withoutSize / 100 == media.count * NeniStory.withoutSize / 100
            var entry = NeniMedia(
                id: cuids.next(at: file.at), child: file.child, kind: file.kind, bytes: file.bytes, isSized: isSized,
                created: file.at)
            if random.chance(25) { entry.deleted = file.at.after(milliseconds: random.between(3_600_000...900_000_000)) }
            media.append(entry)
        }
    }

    private mutating func suggest(_ tenant: Int, on day: Day) {
        let at = workingTime(day)
        let today = media.suffix(200).filter { $0.kind == "photo" && $0.created < at }
        let photo = tenants[tenant].role == .trial ? today.last?.id : nil
        let media = photo ?? cuids.next(at: at.after(milliseconds: -4000))
        var suggestion = NeniSuggestion(id: cuids.next(at: at), tenant: tenant, media: media, created: at)
        if random.chance(940) {
            // At once, or on the next working day: some decisions come after the week's dump.
            let wait = random.chance(800) ? random.between(60_000...7_200_000) : random.between(50_000_000...260_000_000)
            let share = NeniStory.rejected(tenants[tenant].role)
            decided[tenant] += share
            let isRejected = decided[tenant] / 100 > rejected[tenant]
            if isRejected { rejected[tenant] += 1 }
            suggestion.decided = (at.after(milliseconds: wait), isRejected)
        }
        suggestions.append(suggestion)
    }

    // MARK: - The assistant

    private mutating func converse(_ tenant: Int, from start: Instant) {
        let heavy = tenants[tenant].role == .heavyChat
        let steps = 1 + random.weighted(heavy ? [10, 18, 22, 22, 16, 12] : [52, 26, 12, 6, 3, 1])
        let staff = random.pick(tenants[tenant].staff)
        let turn = cuids.next(at: start)
        var (now, prompt) = (start, random.around(heavy ? 3100 : 1900, spread: 250))
        for step in 1...steps {
            let completion = random.around(step == steps ? 210 : 70)
            calls.append(
                NeniCall(
                    id: cuids.next(at: now), ts: now, tenant: tenant, staff: staff, turn: turn, step: step, prompt: prompt,
                    completion: completion))
            now = now.after(milliseconds: 600 + 9 * completion + random.below(500))
            // Each step reads all before it, and what its tool found.
            prompt += completion + random.between(120...700)
        }
    }

    private mutating func nameUnknownModel() {
        guard span.contains(NeniStory.unknownModelFrom.dayUTC) else { return }
        let found = calls.indices.filter {
            calls[$0].ts >= NeniStory.unknownModelFrom && tenants[calls[$0].tenant].role == .heavyChat
        }
        for index in found.prefix(NeniStory.unknownModelRows) { calls[index].model = NeniStory.unknownModel }
    }

    // MARK: - Codes and jobs

    private mutating func sendCodes(_ tenant: Int, on day: Day) {
        let who = tenants[tenant]
        guard who.role != .paused || day < NeniStory.paused else { return }
        let fresh = who.children.flatMap(\.links).filter { $0.created.dayUTC == day && $0.created >= span.first.startUTC }
        for link in fresh { code(tenant, at: link.created.after(milliseconds: random.between(2_000...90_000))) }
        let usual = who.parents * (day.weekday <= 5 ? 10 : 4) * 10
        for _ in 0..<(random.around(max(1, usual)) + random.below(10_000)) / 10_000 { code(tenant, at: workingTime(day)) }
        // Now and then a number asks that belongs to nobody.
        if tenant == 0, day.weekday == 2 { code(nil, at: workingTime(day)) }
    }

    private mutating func code(_ tenant: Int?, at moment: Instant) {
        codes.append(NeniCode(tenant: tenant, at: moment, cents: 1 + random.weighted([30, 34, 20, 10, 6])))
    }

    private mutating func job(_ queue: String, _ tenant: Int, at moment: Instant) {
        jobs.append(
            NeniJob(
                id: cuids.next(at: moment), queue: queue, tenant: tenant, failed: random.chance(12), started: moment,
                seconds: random.between(2...340)))
    }

    private mutating func plantHostileQueue() {
        guard let index = jobs.firstIndex(where: { $0.queue == "notifications" && $0.started.dayUTC == NeniStory.hostileJob })
        else {
            return
        }
        let job = jobs[index]
        jobs[index] = NeniJob(
            id: job.id, queue: NeniStory.hostileQueue, tenant: job.tenant, failed: job.failed, started: job.started,
            seconds: job.seconds)
    }
}
