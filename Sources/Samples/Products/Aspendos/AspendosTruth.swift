import Common

/// Tells the planted stories with their figures, counted from the rows. A story whose day lies outside the sample is left out.
struct AspendosStories {
    let world: AspendosWorld
    let exports: [Export]
    let span: SampleSpan
    let members: [AspendosMember]
    /// Of the request log's main files.
    let requests: [AspendosRequest]

    init(_ world: AspendosWorld, _ exports: [Export]) {
        (self.world, self.exports, self.span, self.members) = (world, exports, world.span, world.members)
        requests = world.requestLog.kept
    }

    var told: [(name: String, told: JSON?)] {
        let log = world.requestLog
        return [
            ("costs", costs), ("accounts", accounts), ("over_budget", overBudget), ("budget_days", budgetDays),
            ("routing", routing), ("comparisons", comparisons), ("outage", outage), ("repeated_prompts", repeatedPrompts),
            ("two_providers", finding { $0.model == .routedSonnet }), ("opus_calls", finding { $0.model == .opus }),
            ("unknown_model", finding { $0.model == .unknown }), ("voice", voice), ("unlogged_turns", unloggedTurns),
            ("media", media), ("limits", limits), ("payments", payments), ("profit", profit), ("turkish_price", turkishPrice),
            ("repeated_webhook", repeatedWebhook), ("day_without_rates", dayWithoutRates), ("charges", charges),
            ("twin_usage_rows", twins), ("withdrawal", withdrawal), ("erasure", erasure), ("audit", audit),
            ("double_encoding", doubleEncoding), ("hostile_strings", hostileStrings), ("personal_data_in_texts", personalData),
            ("missing_hour", missingHour), ("late_file", log.lateFile(adding: cost(log.late))),
            ("duplicated_file", log.duplicatedFile()), ("overlapping_day", log.overlappingDay),
            ("broken_lines", brokenLines(of: exports.sorted { $0.path < $1.path })),
        ]
    }

    func id(_ member: Int) -> JSON { .string(members[member].id) }
    func ids(_ requests: [AspendosRequest]) -> JSON { .array(requests.map { .string($0.id) }) }

    func cost(_ requests: some Sequence<AspendosRequest>) -> Money { requests.total(\.cost) }

    /// In hundredths of a hundredth, as the page prints shares.
    func share(_ part: Int, of whole: Int) -> JSON {
        Money(units: Int128(part)).ratio(to: Money(units: Int128(whole)), places: 4).map { .string($0.description) } ?? .null
    }

    func member(_ role: AspendosMember.Role) -> Int? { members.firstIndex { $0.role == role } }

    // MARK: - Money

    private func costs(by name: (AspendosRequest) -> String) -> JSON { requests.figures(by: name) { .money(cost($0)) } }

    private func coverage(_ some: [AspendosRequest]) -> JSON {
        let open = some.filter { $0.unpricedTokens > 0 }
        return .fields([
            "requests": .int(some.count), "unpriced_requests": .int(open.count),
            "unpriced_tokens": .int(open.reduce(0) { $0 + $1.unpricedTokens }),
            "coverage": share(some.count - open.count, of: some.count),
        ])
    }

    /// Of the request log alone: what voice and pictures cost is told with their own stories.
    private var costs: JSON? {
        .fields([
            "stage": .string("price"), "currency": .string("USD"), "source": .string("requests"),
            "at_least": .money(cost(requests)), "coverage": coverage(requests),
            "coverage_by_week": requests.figures(by: { span.week(of: $0.ts).description }, coverage),
            "unpriced_by_model": requests.filter { $0.unpricedTokens > 0 }
                .figures(by: { $0.model.map { "\($0.provider)/\($0.name)" } ?? "" }) { .int($0.count) },
            "by_day": costs { $0.ts.dayUTC.description },
            "by_week": costs { span.week(of: $0.ts).description },
            "by_month": costs { span.month(of: $0.ts) },
            "by_endpoint": costs { $0.ask.endpoint.rawValue },
            "by_tier": costs { members[$0.ask.member].tier.rawValue },
            "by_model": costs { $0.model.map { "\($0.provider)/\($0.name)" } ?? "" },
            "with_late_file": .money(cost(requests) + cost(world.requestLog.late)),
        ])
    }

    /// Nobody's tier says that they pay; their payments do.
    private var accounts: JSON? {
        let paying = Set(world.money.payments.filter { $0.status == "paid" && !$0.isSandbox }.map(\.user))
        func count(_ tier: AspendosMember.Tier, _ pays: Bool) -> JSON {
            .int(members.count { $0.tier == tier && paying.contains($0.id) == pays })
        }
        let unpaid = members.indices.filter { !paying.contains(members[$0].id) }
        return .fields([
            "stage": .string("report"), "paying_pro": count(.pro, true), "paying_ultra": count(.ultra, true),
            "pro_that_never_paid": count(.pro, false), "ultra_that_never_paid": count(.ultra, false),
            "never_paid": .array(unpaid.map { id($0) }.sorted { ($0.string ?? "") < ($1.string ?? "") }),
            "cost_of_never_paid": .money(cost(requests.filter { unpaid.contains($0.ask.member) })),
        ])
    }

    /// The days on which a member's booked spend passes what pays for it: 70 % of a thirtieth of the month's price.
    private var budgetDays: JSON? {
        var days: [String: (member: Int, day: Day, cost: Money)] = [:]
        for request in requests {
            let day = request.ts.dayUTC
            days["\(day) \(members[request.ask.member].id)", default: (request.ask.member, day, .zero)].cost += request.cost
        }
        // 0.70 × 49 ÷ 30 and 0.70 × 129 ÷ 30: compared as thirtieths, so that nothing is rounded.
        let above = days.keys.sorted().compactMap { days[$0] }.filter { entry in
            entry.cost.units * 300 > Int128(members[entry.member].tier == .ultra ? 129 : 49) * 7 * 1_000_000_000_000
        }
        return .fields([
            "stage": .string("report"), "user_days": .int(days.count),
            "above_ceiling": .array(
                above.map {
                    .fields([
                        "day": .string($0.day.description), "user": id($0.member),
                        "tier": .string(members[$0.member].tier.rawValue), "cost": .money($0.cost),
                    ])
                }),
        ])
    }

    private var overBudget: JSON? {
        let spent = Dictionary(grouping: requests) { "\($0.ts.dayUTC) \(members[$0.ask.member].id)" }
            .mapValues { ($0[0].ask.member, $0[0].ts.dayUTC, $0.reduce(0) { $0 + ($1.status == "ok" ? $1.booked : 0) }) }
        let above = spent.values.filter { $0.2 > 10_000_000 }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
        guard let (member, day, millionths) = above.first else { return nil }
        let own = requests.filter { $0.ask.member == member && $0.ts.dayUTC == day }
        return .fields([
            "stage": .string("report"), "user": id(member), "tier": .string(members[member].tier.rawValue),
            "day": .string(day.description), "limit": .string("10"), "user_days_above": .int(above.count),
            "booked": .string(sixPlaces(millionths)), "cost": .money(cost(own)), "requests": .int(own.count),
            "blocked": .int(own.count { $0.status == "blocked" }),
        ])
    }

    // MARK: - Routes

    /// Their rule against what happened: for every first attempt that was neither a comparison nor refused.
    private var routing: JSON? {
        let judged = requests.filter { $0.model != nil && $0.fallback == nil && $0.ask.endpoint != .compare }
        guard !judged.isEmpty else { return nil }
        func expected(_ request: AspendosRequest) -> AspendosModel {
            AspendosRule.model(
                members[request.ask.member].tier, tokens: request.ask.tokens, reasoning: request.ask.reasoning,
                spent: request.spent)
        }
        let degraded = judged.filter { AspendosRule.isDegraded(members[$0.ask.member].tier, spent: $0.spent) }
        let classes = Dictionary(grouping: judged) { AspendosRule.complexity(tokens: $0.ask.tokens, reasoning: $0.ask.reasoning) }
        return .fields([
            "stage": .string("report"), "requests": .int(judged.count),
            "agree": .int(judged.count { expected($0).name == $0.model?.name }),
            "by_complexity": .object(AspendosRule.Complexity.allCases.map { .init($0.rawValue, .int(classes[$0]?.count ?? 0)) }),
            "at_a_limit_exactly": .int(judged.count { $0.ask.tokens == 500 || $0.ask.tokens == 1000 }),
            "degraded_requests": .int(degraded.count),
            "degraded_user_days": .int(Set(degraded.map { "\($0.ts.dayUTC) \($0.ask.member)" }).count),
        ])
    }

    private var comparisons: JSON? {
        let groups = Dictionary(grouping: requests.filter { $0.ask.endpoint == .compare }) { $0.group ?? "" }
        guard !groups.isEmpty else { return nil }
        // The first answer is shown.
        let hidden = groups.values.map { group in cost(group) - (group.min { $0.latency < $1.latency }?.cost ?? .zero) }
        func of(_ tier: AspendosMember.Tier) -> [String] {
            groups.filter { members[$0.value[0].ask.member].tier == tier }.map(\.key).sorted()
        }
        return .fields([
            "stage": .string("report"), "by_ultra": .int(of(.ultra).count), "by_pro": .int(of(.pro).count),
            "leaks": .array(of(.pro).map(JSON.string)), "rows": .int(groups.values.reduce(0) { $0 + $1.count }),
            "cost": .money(cost(groups.values.joined())), "cost_not_shown": .money(hidden.reduce(.zero, +)),
        ])
    }

    private var outage: JSON? {
        let hours = AspendosStory.outage
        func within(_ request: AspendosRequest, daysBefore: Int) -> Bool {
            hours.contains(request.ts + Int64(86_400 * daysBefore))
        }
        let during = requests.filter { within($0, daysBefore: 0) }
        guard !during.isEmpty else { return nil }
        let before = (1...7).map { days in cost(requests.filter { within($0, daysBefore: days) }) }
        return .fields([
            "stage": .string("report"), "from": .string(hours.lowerBound.description),
            "to": .string(hours.upperBound.description),
            "provider": .string(AspendosStory.outageProvider),
            "failed": .int(during.count { $0.status == "unavailable" && $0.model?.provider == AspendosStory.outageProvider }),
            "answered_by_provider": .int(
                during.count { $0.status == "ok" && $0.cache != "response" && $0.model?.provider == AspendosStory.outageProvider }
            ),
            "fallback": .int(during.count { $0.model == .llama }), "known_cost": .money(cost(during)),
            "mean_cost_of_the_same_hours_in_the_week_before": .money(before.reduce(.zero, +).divided(by: 7) ?? .zero),
        ])
    }

    private var repeatedPrompts: JSON? {
        var last: [String: Instant] = [:]
        var repeated: [AspendosRequest] = []
        for request in requests where request.model != nil {
            if let before = last[request.cacheKey], request.ts.microseconds - before.microseconds <= 86_400_000_000 {
                repeated.append(request)
            }
            last[request.cacheKey] = request.ts
        }
        guard !repeated.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "requests": .int(requests.count), "repeated": .int(repeated.count),
            "share": share(repeated.count, of: requests.count),
            "answered_from_cache": .int(requests.count { $0.cache == "response" }),
            "cost_of_repeated": .money(cost(repeated)),
        ])
    }

    private func finding(_ belongs: (AspendosRequest) -> Bool) -> JSON? {
        let found = requests.filter(belongs)
        guard let first = found.first else { return nil }
        return .fields([
            "stage": .string("price"), "model": .optional(first.model?.name), "provider": .optional(first.model?.provider),
            "requests": .int(found.count), "cost": .money(cost(found)), "ids": ids(found),
        ])
    }
}
