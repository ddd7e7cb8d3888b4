import Common

/// Tells the planted stories with their figures. A story whose day lies outside the sample is left out.
struct KaleiStories {
    let world: KaleiWorld
    let log: DayFiles<KaleiCall>
    let exports: [Export]
    let span: SampleSpan
    let members: [KaleiMember]

    init(_ world: KaleiWorld, _ log: DayFiles<KaleiCall>, _ exports: [Export]) {
        (self.world, self.log, self.exports, span, members) = (world, log, exports, world.span, world.members)
    }

    var told: [(name: String, told: JSON?)] {
        [
            ("costs", costs), ("cap", cap), ("members", membership), ("plan_change", planChange), ("spectrum_runs", spectrumRuns),
            ("w46_funnel", funnel), ("runaway_member", runaway), ("spectrum_leak", leak), ("sonnet_calls", sonnet),
            ("fallback_vendor", fallback), ("free_over_quota", overQuota), ("unknown_model", unknownModel),
            ("missing_hour", missingHour), ("late_file", log.lateFile(adding: cost(log.late))),
            ("duplicated_file", log.duplicatedFile()), ("overlapping_day", log.overlappingDay),
            ("broken_lines", brokenLines(of: exports)), ("out_of_range", outOfRange), ("id_reused", reusedID),
            ("hostile_strings", hostileStrings),
            ("personal_data_in_texts", personalData(in: privateTexts)), ("invoices", invoices),
        ]
    }

    func id(_ member: Int) -> JSON { .string(members[member].id) }
    func cost(_ calls: some Sequence<KaleiCall>) -> Money { calls.total(\.cost) }

    // MARK: - Money

    private func costs(by name: (KaleiCall) -> String) -> JSON { log.kept.figures(by: name) { .money(cost($0)) } }

    private var costs: JSON? {
        .fields([
            "stage": .string("price"), "currency": .string("USD"),
            "total_cost": .money(cost(log.kept)),
            "by_day_utc": costs { $0.ts.dayUTC.description },
            "by_day_local": costs { span.day(of: $0.ts).description },
            "by_week_local": costs { span.week(of: $0.ts).description },
            "by_month_local": costs { span.month(of: $0.ts) },
            "by_feature": costs { $0.feature.rawValue },
            "by_model": costs { $0.model ?? "" },
            "by_plan": costs { members[$0.member].plan(at: $0.ts).rawValue },
            "unpriced_requests": .int(log.kept.count { $0.model != nil && $0.rate == nil }),
            "with_late_file": .money(cost(log.kept) + cost(log.late)),
        ])
    }

    private var cap: JSON? {
        let crossings = world.meter.crossings
        guard let crossing = crossings.first(where: { $0.month == KaleiStory.capReached.month }) ?? crossings.first else {
            return nil
        }
        let lens = log.kept.filter { $0.feature == .lens && span.month(of: $0.ts) == crossing.month }
        let nextMonth = span.days.first { $0 > span.day(of: crossing.at) && $0.civil.day == 1 } ?? span.last + 1
        return .fields([
            "stage": .string("price"), "month": .string(crossing.month), "cap": .money(world.meter.cap), "share": .string("0.8"),
            "threshold": .money(world.meter.threshold), "crossed_at": .string(crossing.at.description),
            "crossed_by_call": .string(crossing.call),
            "spend_before": .money(crossing.before), "spend_after": .money(crossing.after),
            "month_total": .money(cost(log.kept.filter { span.month(of: $0.ts) == crossing.month })),
            "templates_until": .string(span.moment(nextMonth, 0).description),
            "lens_model_rows_up_to_crossing": .int(lens.count { $0.route != "template" && $0.ts <= crossing.at }),
            "lens_model_rows_after_crossing": .int(lens.count { $0.route != "template" && $0.ts > crossing.at }),
            "lens_template_rows": .int(lens.count { $0.route == "template" }),
            "affirmations_from_template": .int(
                world.meter.shows.count { $0.fromTemplate && $0.shownOn.month == crossing.month }),
            "all_crossings": .object(crossings.map { .init($0.month, .string($0.at.description)) }),
        ])
    }

    private var invoices: JSON? {
        guard !span.months.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"),
            "computed_by_month_utc": .object(
                span.months.map { month in .init(month.name, .money(cost(log.kept.filter { month.contains($0.ts) }))) }),
        ])
    }

    // MARK: - Members

    private func actives(by day: (Instant) -> Day, of calls: [KaleiCall]) -> JSON {
        var users: [Day: Set<Int>] = [:]
        for call in calls { users[day(call.ts), default: []].insert(call.member) }
        return .object(users.keys.sorted().map { .init($0.description, .int(users[$0]?.count ?? 0)) })
    }

    private var membership: JSON? {
        let end = span.moment(span.last + 1, 0)
        func count(_ plan: KaleiPlan) -> JSON { .int(members.count { $0.exists(at: end) && $0.plan(at: end) == plan }) }
        let interactive = log.kept.filter { $0.feature != .spectrum }
        let perDay = Dictionary(grouping: interactive) { span.day(of: $0.ts) }.values.reduce(0) {
            $0 + Set($1.map(\.member)).count
        }
        return .fields([
            "stage": .string("report"), "registered": .int(world.registered(on: span.last)), "free": count(.free),
            "prism": count(.prism),
            "prism_plus": count(.prismPlus),
            "registered_by_day_utc": .object(span.days.map { .init($0.description, .int(world.registered(on: $0))) }),
            "daily_actives_utc": actives(by: \.dayUTC, of: log.kept),
            "daily_actives_local": actives(by: span.day(of:), of: log.kept),
            "daily_actives_local_without_batch": actives(by: span.day(of:), of: interactive),
            "mean_daily_actives_local_without_batch": .string(
                Money(units: Int128(perDay) * 1_000_000_000_000).divided(by: span.days.count)?.text(places: 2) ?? ""),
        ])
    }

    private var planChange: JSON? {
        let day = KaleiStory.upgrade
        guard span.contains(day),
            let index = members.indices.first(where: { index in
                members[index].subscriptions.count == 2
                    && members[index].subscriptions.contains { span.day(of: $0.started) == day }
            }),
            let change = members[index].subscriptions.last?.started
        else { return nil }
        let week = log.kept.filter { $0.member == index && span.week(of: $0.ts) == Week(of: day) }
        return .fields([
            "stage": .string("price"), "member": id(index), "at": .string(change.description),
            "week": .string(Week(of: day).description),
            "from": .string("prism"), "to": .string("prism_plus"),
            "cost_before": .money(cost(week.filter { $0.ts < change })),
            "cost_after": .money(cost(week.filter { $0.ts >= change })),
            "calls_before": .int(week.count { $0.ts < change }), "calls_after": .int(week.count { $0.ts >= change }),
        ])
    }

    private var spectrumRuns: JSON? {
        let runs = log.kept.filter { $0.feature == .spectrum }
        guard !runs.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"),
            "by_week": .object(
                Set(runs.map { span.week(of: $0.ts) }).sorted().map { week in
                    let calls = runs.filter { span.week(of: $0.ts) == week }
                    return .init(
                        week.description,
                        .fields([
                            "rows": .int(calls.count), "cost": .money(cost(calls)),
                            "list_cost": .money(cost(calls) + cost(calls)),
                        ]))
                }),
        ])
    }

    /// Counts a member's rows in the sessions log in one local week.
    private func sessionRows(of member: Int, in week: Week) -> Int {
        let goals = Set(members[member].goals.map(\.id))
        func within(_ moment: Instant) -> Bool { span.week(of: moment) == week }
        return world.diary.sessions.count { $0.member == member && within($0.started) }
            + world.diary.fragments.count { $0.member == member && within($0.created) }
            + world.diary.turns.count { $0.member == member && within($0.created) }
            + world.meter.shows.count { goals.contains($0.goal) && within($0.shownOn.startUTC) }
    }

    private var funnel: JSON? {
        let week = KaleiStory.funnelWeek
        guard span.weeks.contains(week) else { return nil }
        let end = span.moment(week.monday + 7, 0)
        let entitled = members.indices.filter { members[$0].exists(at: end) && members[$0].plan(at: end) == .prismPlus }
        let consenting = entitled.filter { members[$0].consents(at: end) }
        let active = consenting.filter { sessionRows(of: $0, in: week) >= 3 }
        let inCrisis = Set(world.diary.sessions.filter { $0.crisis && span.week(of: $0.started) == week }.map(\.member))
        let sent = active.filter { !inCrisis.contains($0) }
        func people(_ all: [Int], without rest: [Int] = []) -> JSON {
            .array(Set(all).subtracting(rest).map { members[$0].id }.sorted().map(JSON.string))
        }
        func rows(_ all: [Int]) -> JSON {
            .object(all.map { JSON.Member(members[$0].id, .int(sessionRows(of: $0, in: week))) })
        }
        return .fields([
            "stage": .string("request"), "week": .string(week.description), "entitled": .int(entitled.count),
            "no_consent": .int(entitled.count - consenting.count), "too_quiet": .int(consenting.count - active.count),
            "crisis": .int(active.count - sent.count), "sent": .int(sent.count), "least_session_rows": .int(3),
            "entitled_members": people(entitled), "no_consent_members": people(entitled, without: consenting),
            "too_quiet_members": people(consenting, without: active), "crisis_members": people(active, without: sent),
            "sent_members": people(sent), "session_rows": rows(entitled),
        ])
    }
}
