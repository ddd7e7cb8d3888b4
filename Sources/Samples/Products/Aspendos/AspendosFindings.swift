import Common

/// The stories outside the request log: voice, pictures, money, privacy, and faults in the files.
extension AspendosStories {
    // MARK: - Voice and pictures

    var voice: JSON? {
        guard !world.voiceCalls.isEmpty else { return nil }
        let turns = world.diary.turns
        let logged = turns.filter(\.isLogged)
        let written = requests.filter { $0.ask.endpoint == .voice }
        let speech = world.voiceCalls.filter { $0.speech != nil }.figures(by: { "\($0.provider)/\($0.model)" }) { calls in
            .fields([
                "calls": .int(calls.count), "quantity": .int(calls.reduce(0) { $0 + ($1.quantity ?? 0) }),
                "cost": .money(calls.total(\.cost)),
            ])
        }
        return .fields([
            "stage": .string("price"), "sessions": .int(Set(turns.map(\.conversation)).count),
            "turns": .int(turns.count), "logged_turns": .int(logged.count),
            "interrupted": .int(logged.count { $0.interrupted }),
            "captured_ms": .int(logged.reduce(0) { $0 + $1.captured }),
            "billed_ms": .int(logged.reduce(0) { $0 + $1.billed }),
            "characters": .int(logged.reduce(0) { $0 + $1.characters }),
            "speech": speech,
            "model_requests": .int(written.count), "model_cost": .money(cost(written)),
        ])
    }

    var unloggedTurns: JSON? {
        let turns = world.diary.turns.filter { !$0.isLogged }
        guard let first = turns.first, let last = turns.last else { return nil }
        return .fields([
            "stage": .string("report"), "turns": .int(turns.count), "from": .string(first.ts.description),
            "to": .string(last.ts.description), "sessions": .int(Set(turns.map(\.conversation)).count),
        ])
    }

    /// Prices are ranges: pictures 0.02 to 0.04, clips 0.20 to 0.50, where one is stated.
    var media: JSON? {
        let jobs = world.diary.media
        guard !jobs.isEmpty else { return nil }
        let videos = jobs.filter { $0.kind == "video_5s" && members[$0.member].tier == .pro }
        return .fields([
            "stage": .string("report"),
            "done": .object(
                Set(jobs.map { "\($0.kind)/\($0.model)" }).sorted().map { name in
                    .init(name, .int(jobs.count { "\($0.kind)/\($0.model)" == name && !$0.failed }))
                }),
            "failed": .int(jobs.count { $0.failed }),
            "video_on_pro": .array(videos.map { .fields(["id": .string($0.id), "user": id($0.member)]) }),
        ])
    }

    /// PRO has fifty conversations a month and one voice session a day.
    var limits: JSON? {
        let own = world.conversations.filter { members[$0.member].tier == .pro }
        func over(_ some: [AspendosConversation], _ limit: Int, _ period: (AspendosConversation) -> String) -> JSON {
            let groups = Dictionary(grouping: some) { "\(period($0)) \(members[$0.member].id)" }.filter { $0.value.count > limit }
            return .array(
                groups.keys.sorted().map { key in
                    .fields([
                        "period": .string(String(key.prefix { $0 != " " })), "user": .string(String(key.suffix(36))),
                        "count": .int(groups[key]?.count ?? 0), "allowed": .int(limit),
                    ])
                })
        }
        return .fields([
            "stage": .string("report"), "conversations": over(own, 50) { span.month(of: $0.created) },
            "voice_sessions": over(own.filter(\.isVoice), 1) { $0.created.dayUTC.description },
        ])
    }

    // MARK: - Money

    /// The webhook that came twice counts once.
    private var events: [AspendosPayment] {
        var seen: Set<String> = []
        return world.money.payments.filter { $0.at.dayUTC <= span.last && seen.insert($0.id).inserted }
    }

    var payments: JSON? {
        guard !events.isEmpty else { return nil }
        let real = events.filter { !$0.isSandbox && $0.at.dayUTC >= span.first }
        let booked = real.filter { $0.status != "failed" }
        func sum(_ some: [AspendosPayment], _ part: (AspendosPayment) -> Int) -> JSON {
            .money(some.total { Money(cents: part($0)) })
        }
        return .fields([
            "stage": .string("report"), "events": .int(events.count), "sandbox": .int(events.count { $0.isSandbox }),
            "failed": .int(real.count { $0.status == "failed" }), "refunded": .int(real.count { $0.status == "refunded" }),
            "by_month_and_currency": booked.figures(by: { "\(span.month(of: $0.at)) \($0.currency)" }) { events in
                let paid = events.filter { $0.status == "paid" }
                return .fields([
                    "paid": .int(paid.count), "gross": sum(paid, \.gross), "fee": sum(paid, \.fee), "tax": sum(paid, \.tax),
                    "given_back": sum(events.filter { $0.status == "refunded" }, \.gross),
                ])
            },
        ])
    }

    /// A payment covers a month, and each of its days earns a thirtieth of the list price, once for each member.
    var profit: JSON? {
        var days: [String: Set<String>] = [:]
        for event in events where event.status == "paid" && !event.isSandbox {
            let first = event.at.dayUTC
            for day in Period(first: first, last: AspendosMoney.later(first, months: 1) - 1).days where span.contains(day) {
                days["\(Week(of: day)) \(event.tier.rawValue)", default: []].insert("\(day) \(event.user)")
            }
        }
        func told(_ week: Week, _ tier: AspendosMember.Tier) -> JSON {
            let count = days["\(week) \(tier.rawValue)"]?.count ?? 0
            let own = requests.filter { span.week(of: $0.ts) == week && members[$0.ask.member].tier == tier }
            return .fields([
                "paying_user_days": .int(count), "thirty_times_revenue": .int(count * (tier == .ultra ? 129 : 49)),
                "cost": .money(cost(own)),
            ])
        }
        return .fields([
            "stage": .string("report"),
            "by_week": .object(
                span.weeks.map { .init($0.description, .fields(["PRO": told($0, .pro), "ULTRA": told($0, .ultra)])) }),
        ])
    }

    var turkishPrice: JSON? {
        let lira = events.filter { $0.currency == "TRY" && $0.status == "paid" && $0.at.dayUTC >= span.first }
        let after = lira.filter { $0.at.dayUTC >= AspendosStory.newTurkishPrice }
        guard let old = lira.first, let new = after.first else { return nil }
        return .fields([
            "stage": .string("report"), "from": .string(AspendosStory.newTurkishPrice.description),
            "old": .money(Money(cents: old.gross)), "new": .money(Money(cents: new.gross)),
            "payments_before": .int(lira.count - after.count), "payments_after": .int(after.count),
        ])
    }

    var repeatedWebhook: JSON? {
        let twice = Dictionary(grouping: world.money.payments, by: \.id).filter { $0.value.count > 1 }
        guard let event = twice.keys.sorted().first else { return nil }
        let rows = exports.filter { $0.path.hasPrefix("payments/") }
            .map { $0.lines.count { $0.text.hasPrefix(event) } }
        return .fields([
            "stage": .string("ingest"), "event": .string(event), "events": .int(twice.count),
            "rows_by_dump": .array(rows.map { .int($0) }),
        ])
    }

    var dayWithoutRates: JSON? {
        let day = AspendosStory.dayWithoutRates
        guard span.contains(day) else { return nil }
        let paid = events.filter { $0.at.dayUTC == day && $0.currency != "USD" }
        return .fields([
            "stage": .string("report"), "day": .string(day.description), "payments": .array(paid.map { .string($0.id) }),
            "rates": .int(world.money.rates.count { $0.day == day }),
        ])
    }

    /// Two logs of one spend, against what the request log and the price list give.
    var charges: JSON? {
        let total = world.charges.total { Money(millionths: $0.millionths) }
        let hour = world.requestLog.faults.hour
        return .fields([
            "stage": .string("price"), "rows": .int(world.charges.count), "cost_logs": .money(total), "usage_logs": .money(total),
            "daily_costs": .money(
                world.dailyCosts.compactMap { $0.row["total_cost"]?.number }.compactMap { Money($0) }.reduce(.zero, +)),
            "unpriced_rows_booked_as_zero": .int(
                world.charges.count { charge in
                    charge.millionths == 0 && charge.tokens > 0
                }),
            "rows_in_the_missing_hour": .int(world.charges.count { hour.contains($0.ts) }),
        ])
    }

    var twins: JSON? {
        let groups = Dictionary(grouping: world.charges) { "\($0.member) \($0.feature) \($0.millionths) \($0.ts)" }
            .filter { $0.value.count > 1 }
        guard let pair = groups.values.first, groups.count == 1 else { return nil }
        return .fields([
            "stage": .string("ingest"), "user": id(pair[0].member), "at": .string(pair[0].ts.description),
            "rows": .int(pair.count),
        ])
    }

    // MARK: - Privacy

    var withdrawal: JSON? {
        let found = members.indices.flatMap { index in members[index].consents.filter { !$0.given }.map { (index, $0) } }
        guard let (member, consent) = found.first, span.contains(consent.at.dayUTC) else { return nil }
        return .fields([
            "stage": .string("report"), "withdrawals": .int(found.count), "user": id(member),
            "kind": .string(consent.kind.rawValue), "at": .string(consent.at.description),
            "week": .string(span.week(of: consent.at).description),
            "voice_turns_after": .int(world.diary.turns.count { $0.member == member && $0.ts >= consent.at }),
        ])
    }

    var erasure: JSON? {
        let erased = members.indices.filter { members[$0].deleted != nil }
        guard let member = erased.first, let asked = members[member].deleted, span.contains(asked.dayUTC) else { return nil }
        // Those of the last days were gone before a dump could hold them.
        let dumped = span.dumps.last { members[member].exists(at: $0.startUTC) }?.startUTC ?? span.first.startUTC
        return .fields([
            "stage": .string("report"), "erasures": .int(erased.count), "user": id(member), "asked": .string(asked.description),
            "done": .string(AspendosStory.erasureDone.description), "deadline": .string((asked.dayUTC + 30).description),
            "week": .string(span.week(of: asked).description),
            "requests": .int(requests.count { $0.ask.member == member }),
            "conversations": .int(world.conversations.count { $0.member == member && $0.created < dumped }),
        ])
    }

    var audit: JSON? {
        let events = world.auditEvents
        return .fields([
            "stage": .string("report"), "rows": .int(events.count), "without_purpose": .int(events.count { $0.why == nil }),
            "by_action": events.figures(by: \.action) { .int($0.count) },
        ])
    }

    var doubleEncoding: JSON? {
        let broken = doublyEncoded(AspendosStory.turkishTitle)
        let titles = world.conversations.filter { $0.title == broken }
        let replies = world.diary.turns.filter { $0.assistant.contains("Ä±") }
        guard !titles.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "title": .string(broken), "meant": .string(AspendosStory.turkishTitle),
            "conversations": .array(titles.map { .string($0.id) }),
            "replies": .array(replies.map { .string($0.ts.description) }),
        ])
    }

    var hostileStrings: JSON? {
        let asked = requests.filter { $0.ask.requested == AspendosStory.hostileModel }
        return .fields([
            "stage": .string("report"),
            "requested_model": .fields(["text": .string(AspendosStory.hostileModel), "requests": ids(asked)]),
            "titles": .object(
                AspendosStory.hostileTitles.map { title in
                    .init(title, .array(world.conversations.filter { $0.title == title }.map { .string($0.id) }))
                }),
        ])
    }

    var personalData: JSON? {
        let texts = world.diary.turns.flatMap { [$0.user, $0.assistant] }
        return Samples.personalData(in: texts).adding(["texts": .int(texts.count)])
    }

    // MARK: - Files

    var missingHour: JSON? {
        let hour = world.requestLog.faults.hour
        return world.requestLog.missingHour([
            "request_rows": .int(requests.count { hour.contains($0.ts) }),
            "lost_rows": .int(world.requestLog.missing.count),
            "charge_rows": .int(world.charges.count { hour.contains($0.ts) }),
        ])
    }
}
