import Common

/// Tells the planted stories with their figures. A story whose day lies outside the sample is left out.
struct TalentStories {
    let world: TalentWorld
    let log: DayFiles<TalentCall>
    let exports: [Export]
    var span: SampleSpan { world.span }
    var production: [TalentCall] { log.kept.filter { !$0.isStaging } }

    var told: [(name: String, told: JSON?)] {
        [
            ("costs", costs), ("daily_spend", dailySpend), ("outage", outage), ("ai_spike", spike), ("exactly_twenty", exact),
            ("staging", staging), ("complexity", complexity), ("misrouted", misrouted), ("second_vendor", secondVendor),
            ("cache", cache), ("embedded_twice", embeddedTwice), ("vectors", vectors), ("october", october),
            ("unknown_model", unknownModel), ("missing_hour", missingHour), ("duplicated_file", log.duplicatedFile()),
            ("overlapping_day", log.overlappingDay), ("broken_lines", brokenLines(of: exports)),
            ("late_file", log.lateFile(adding: cost(log.late))), ("hostile_strings", hostileStrings),
        ]
    }

    private func cost(_ calls: [TalentCall]) -> Money { calls.total(\.cost) }
    private func calls(on day: Day) -> [TalentCall] { production.filter { $0.at.dayUTC == day } }

    private func costs(_ calls: [TalentCall], by name: (TalentCall) -> String) -> JSON {
        calls.figures(by: name) { .money(cost($0)) }
    }

    // MARK: - Money

    private var costs: JSON? {
        .fields([
            "stage": .string("price"), "currency": .string("USD"), "total_cost": .money(cost(log.kept)),
            "by_environment": costs(log.kept) { $0.isStaging ? "staging" : "prod" },
            "by_week": costs(log.kept) { span.week(of: $0.at).description },
            "by_model": costs(log.kept) { $0.model },
            "unpriced_requests": .int(log.kept.count { $0.cost == nil }),
            "unpriced_embeddings": .int(world.documents.embeddings.count),
            "with_late_file": .money(cost(log.kept) + cost(log.late)),
        ])
    }

    /// What the alerts look at: priced calls of production, by UTC day. Bills are another view of the same spend and not added.
    private var dailySpend: JSON? {
        let above = span.days.filter { cost(calls(on: $0)) > TalentStory.limit }
        return .fields([
            "stage": .string("report"), "limit": .money(TalentStory.limit),
            "by_day": costs(production) { $0.at.dayUTC.description },
            "above": .array(above.map { .string($0.description) }),
        ])
    }

    private func mean(before day: Day, days: Int) -> Money {
        let before = Period(first: day - days, last: day - 1).days
        return before.total { cost(calls(on: $0)) }.divided(by: days) ?? .zero
    }

    private func spend(on day: Day) -> [JSON.Member] {
        let own = cost(calls(on: day))
        let means = [7, 14, 28].filter { day - $0 >= span.first }.flatMap { days in
            let mean = mean(before: day, days: days)
            return [
                JSON.Member("mean_of_\(days)_days_before", .money(mean)),
                JSON.Member("ratio_to_mean_of_\(days)", .optional(own.ratio(to: mean, places: 4)?.description)),
            ]
        }
        return [
            JSON.Member("stage", .string("report")), JSON.Member("day", .string(day.description)),
            JSON.Member("spend", .money(own)),
            JSON.Member("unpriced_requests", .int(calls(on: day).count { $0.cost == nil })),
        ] + means
    }

    private var outage: JSON? {
        guard span.contains(TalentStory.outage) else { return nil }
        let day = calls(on: TalentStory.outage)
        return .object(
            spend(on: TalentStory.outage) + [
                JSON.Member("calls_to_second_vendor", .int(day.count { $0.reason == "outage" })),
                JSON.Member("calls_without_class", .int(day.count { $0.kind == nil })),
            ])
    }

    /// With all days that cost more than one and a half times the mean of the days before them, for each window.
    private var spike: JSON? {
        guard span.contains(TalentStory.spike) else { return nil }
        let over = [7, 14, 28].map { window in
            let days = span.days.filter { day in
                let own = cost(calls(on: day))
                return day - window >= span.first && (own + own).units > 3 * mean(before: day, days: window).units
            }
            return JSON.Member("days_over_150_percent_of_\(window)", .array(days.map { .string($0.description) }))
        }
        return .object(spend(on: TalentStory.spike) + over)
    }

    private var exact: JSON? {
        guard span.contains(TalentStory.exactDay) else { return nil }
        let experiment = calls(on: TalentStory.exactDay).filter { $0.reason == "experiment" }
        return .object(
            spend(on: TalentStory.exactDay) + [
                JSON.Member("experiment_calls", .int(experiment.count)),
                JSON.Member("by_arm", costs(experiment) { $0.arm ?? "" }),
            ])
    }

    private var staging: JSON? {
        let calls = log.kept.filter(\.isStaging)
        return .fields([
            "stage": .string("report"), "requests": .int(calls.count), "cost": .money(cost(calls)),
            "embeddings": .int(world.documents.embeddings.count(where: \.isStaging)),
        ])
    }

    // MARK: - Use

    /// Shares of production queries and of their cost, by class; no class counts as complex.
    private var complexity: JSON? {
        .fields([
            "stage": .string("report"),
            "by_class": .object(
                TalentClass.allCases.map { kind in
                    let own = production.filter { ($0.kind ?? .complex) == kind }
                    return .init(kind.rawValue, .fields(["requests": .int(own.count), "cost": .money(cost(own))]))
                }),
            "without_class": .int(production.count { $0.kind == nil }),
        ])
    }

    private var misrouted: JSON? {
        let calls = production.filter { call in
            TalentClass(model: call.model).map { $0 != call.kind ?? .complex } ?? false
        }
        return .fields([
            "stage": .string("report"), "requests": .int(calls.count), "cost": .money(cost(calls)),
            "ids": .array(calls.map { .string($0.id) }),
        ])
    }

    private var secondVendor: JSON? {
        let calls = production.filter { $0.provider == "anthropic" }
        return .fields([
            "stage": .string("report"), "requests": .int(calls.count),
            "by_reason": calls.figures(by: { $0.reason ?? "" }) { .int($0.count) },
        ])
    }

    /// Repeated keys: those that the cache answered, and those that were paid for again.
    private var cache: JSON? {
        var seen: Set<String> = []
        var (missed, wasted) = (0, Money.zero)
        for call in production where call.cost.map({ $0 > .zero }) ?? false {
            if seen.insert(call.key).inserted { continue }
            missed += 1
            wasted += call.cost ?? .zero
        }
        return .fields([
            "stage": .string("report"), "hits": .int(production.count(where: \.isHit)), "repeated_without_hit": .int(missed),
            "cost_of_repeated": .money(wasted),
        ])
    }

    private var embeddedTwice: JSON? {
        let groups = Dictionary(grouping: world.documents.embeddings) { "\($0.document) \($0.hash)" }.filter {
            $0.value.count > 1
        }
        return .fields([
            "stage": .string("report"), "documents": .int(groups.count),
            "wasted_tokens": .int(groups.values.reduce(0) { $0 + $1.dropFirst().reduce(0) { $0 + $1.tokens } }),
            "calls_of_one": .int(world.documents.embeddings.count { $0.batch == nil }),
        ])
    }

    private var vectors: JSON? {
        let counted = world.meters.filter { $0.metric == "vectors" }
        guard let first = counted.first, let last = counted.last, last.value > first.value else { return nil }
        // A line through both ends, in whole days.
        let (grown, days) = (last.value - first.value, last.day - first.day)
        let left = (TalentStory.vectorLimit - last.value) * days
        return .fields([
            "stage": .string("report"), "day": .string(last.day.description), "vectors": .int(last.value),
            "limit": .int(TalentStory.vectorLimit), "first": .int(first.value),
            "days_to_limit": .int((left + grown - 1) / grown),
        ])
    }

    private var october: JSON? {
        let first = civil(2026, 10, 1)
        let bills = world.bills.filter { $0.month.first == first }
        guard bills.contains(where: { $0.part == "usage" }) else { return nil }
        func sum(_ bills: [TalentBill]) -> JSON { .money(bills.total(\.amount)) }
        let calls = log.kept.filter { $0.at.dayUTC.month == first.month }
        return .fields([
            "stage": .string("report"), "total": sum(bills), "base": sum(bills.filter { $0.part == "base" }),
            "usage": sum(bills.filter { $0.part == "usage" }), "staging": sum(bills.filter { $0.environment == "staging" }),
            "by_category": bills.figures(by: \.category, sum),
            "gpt_invoiced": sum(bills.filter { $0.service == "gpt" }), "gpt_computed": .money(cost(calls)),
        ])
    }

    // MARK: - Files

    private var unknownModel: JSON? {
        let calls = log.kept.filter { $0.model == TalentStory.unknownModel }
        guard !calls.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"), "model": .string(TalentStory.unknownModel), "requests": .int(calls.count),
            "input_tokens": .int(calls.reduce(0) { $0 + $1.prompt }),
            "output_tokens": .int(calls.reduce(0) { $0 + $1.completion }),
        ])
    }

    private var missingHour: JSON? {
        log.missingHour(siblings: ["searches": .int(world.documents.searches.count { log.faults.hour.contains($0.at) })])
    }

    private var hostileStrings: JSON? {
        .fields([
            "stage": .string("report"), "invoice_number": .string(TalentStory.hostileNumber),
            "service": .string(TalentStory.hostileService), "arm": .string(TalentStory.hostileArm),
            "calls": .array(log.kept.filter { $0.arm == TalentStory.hostileArm }.map { .string($0.id) }),
        ])
    }
}
