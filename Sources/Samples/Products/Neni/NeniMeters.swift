import Common

/// A metered figure of one kindergarten over `[from, to)`.
struct NeniReading {
    let id: String
    let tenant: Int
    let metric: String
    let value: Int
    let from: Instant
    let to: Instant
    let recorded: Instant

    static let gauges: Set<String> = ["CHILDREN_ACTIVE", "STORAGE_BYTES"]
}

/// What the product itself counts: gauges at midnight, counters by the day, tokens by the hour.
struct NeniMeters {
    private(set) var readings: [NeniReading] = []
    /// By tenant, then day.
    private(set) var mails: [[Day: Int]]
    private(set) var storage: [[Day: Int]]
    private(set) var egress: [[Day: Int]]
    private(set) var speech: [[Day: Int]]
    private let days: NeniDays
    private let users: Int
    private var random: Random
    var cuids: Cuids

    init(_ order: SampleOrder, _ days: NeniDays) {
        (self.days, users, cuids) = (days, order.users, days.cuids)
        random = Random(seed: order.seed, stream: "neni meters")
        let empty = days.tenants.map { _ in [Day: Int]() }
        (mails, storage, egress, speech) = (empty, empty, empty, empty)
        for tenant in days.tenants.indices { count(tenant) }
        countTokens()
        readings.sort { ($0.from, $0.id) < ($1.from, $1.id) }
    }

    /// Bytes of a usual working day.
    private func usualBytes(_ tenant: NeniTenant) -> Int {
        let habits = tenant.role.habits
        return max(3, habits.children * users / 200) * habits.photos * habits.kilobytes * 1024 / 100
    }

    private mutating func count(_ tenant: Int) {
        let who = days.tenants[tenant]
        let usual = usualBytes(who)
        // Six months of working days, give or take.
        var stored = usual * random.between(118...131)
        let faces = Dictionary(grouping: days.suggestions.filter { $0.tenant == tenant }) { $0.created.dayUTC }
        let codes = Dictionary(grouping: days.codes.filter { $0.tenant == tenant }) { $0.at.dayUTC }
        for day in days.span.days where who.created.dayUTC <= day {
            let midnight = day.startUTC
            if who.created < midnight {
                if who.role == .trial { stored = sizedBytes(at: midnight) }
                if day != NeniStory.missingMidnight {
                    add(tenant, "CHILDREN_ACTIVE", who.active(at: midnight), midnight, gauge: true)
                    add(tenant, "STORAGE_BYTES", stored, midnight, gauge: true)
                }
                storage[tenant][day] = stored
            }
            let added = who.works(on: day) ? random.around(usual, spread: 200) : 0
            // What is older than six months goes at night.
            let expired = (day - 180).weekday <= 5 ? usual : 0
            var seen = who.works(on: day) ? random.around(usual * who.role.habits.views / 10, spread: 250) : 0
            if who.role != .paused || day < NeniStory.paused, day.weekday > 5 { seen = random.around(usual / 2) }
            if who.role == .trial { seen = uploadedBytes(on: day) * who.role.habits.views / 10 + seen / 20 }
            if who.role == .leaving, day == NeniStory.departure { seen += stored }
            if who.role != .trial { stored += added - expired }
            egress[tenant][day] = seen
            mails[tenant][day] = who.works(on: day) ? random.around(who.active(at: midnight + 43_200) * 34 / 10) / 10 : 0
            let minutes = who.role.habits.speech * users / 200
            speech[tenant][day] = who.works(on: day) && minutes > 0 ? random.around(minutes) : 0
            add(tenant, "AI_FACE_CALLS", faces[day]?.count ?? 0, midnight)
            add(tenant, "AI_STT_MINUTES", speech[tenant][day] ?? 0, midnight)
            add(tenant, "EMAIL_SENT", mails[tenant][day] ?? 0, midnight)
            add(tenant, "OTP_SENT", codes[day]?.count ?? 0, midnight)
            add(tenant, "EGRESS_BYTES", seen, midnight)
        }
    }

    /// As the product adds them up: a file without a size adds nothing.
    private func sizedBytes(at moment: Instant) -> Int {
        days.media.reduce(0) { sum, file in
            let isThere = file.created < moment && file.deleted.map { moment <= $0 } ?? true
            return sum + (isThere && file.isSized ? file.bytes : 0)
        }
    }

    private func uploadedBytes(on day: Day) -> Int {
        days.media.reduce(0) { $0 + ($1.created.dayUTC == day ? $1.bytes : 0) }
    }

    private mutating func countTokens() {
        var hours: [Instant: [Int: Int]] = [:]
        for call in days.calls {
            let second = call.ts.microseconds / 1_000_000
            let hour = Instant(microseconds: (second - second % 3600) * 1_000_000)
            hours[hour, default: [:]][call.tenant, default: 0] += call.prompt + call.completion
        }
        for hour in hours.keys.sorted() {
            for (tenant, tokens) in (hours[hour] ?? [:]).sorted(by: { $0.key < $1.key }) {
                add(tenant, "LLM_TOKENS", tokens, hour, seconds: 3600)
            }
        }
    }

    /// A counter that stayed at nothing is not written.
    private mutating func add(
        _ tenant: Int, _ metric: String, _ value: Int, _ from: Instant, seconds: Int64 = 86_400, gauge: Bool = false
    ) {
        guard value > 0 || gauge else { return }
        let recorded = (gauge ? from : from + seconds).after(milliseconds: 2000 + random.below(1500))
        readings.append(
            NeniReading(
                id: cuids.next(at: recorded), tenant: tenant, metric: metric, value: value, from: from, to: from + seconds,
                recorded: recorded))
    }
}
