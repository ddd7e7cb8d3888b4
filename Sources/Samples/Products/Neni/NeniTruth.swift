import Common

/// Tells the planted stories with their figures. A story whose day lies outside the sample is left out.
struct NeniStories {
    let world: NeniWorld
    let gateway: DayFiles<NeniCall>
    let exports: [Export]
    var span: SampleSpan { world.span }
    var tenants: [NeniTenant] { world.tenants }

    var told: [(name: String, told: JSON?)] {
        [
            ("costs", costs), ("tenants", kindergartens), ("trial_ends", trial), ("band_change", bandChange), ("paused", paused),
            ("custom_in_uzs", custom), ("past_due", pastDue), ("third_parents", thirdParents), ("mocked_services", mocked),
            ("media_sizes", mediaSizes), ("rejections", rejections), ("heavy_chat", heavyChat), ("tokens_compared", tokens),
            ("missing_midnight", missingMidnight), ("egress_at_departure", departure), ("telegram_codes", telegram),
            ("whole_cents", wholeCents), ("refused_metric", refusedMetric), ("unknown_model", unknownModel),
            ("missing_hour", missingHour), ("duplicated_file", gateway.duplicatedFile()),
            ("overlapping_day", gateway.overlappingDay), ("broken_lines", brokenLines(of: exports, except: refusedLines)),
            ("late_file", gateway.lateFile(adding: cost(gateway.late))), ("hostile_strings", hostileStrings),
        ]
    }

    private func cost(_ calls: [NeniCall]) -> Money { calls.total(\.cost) }
    private var refusedLines: Set<String> { Set(world.refusedReading.map { [world.row($0).text] } ?? []) }

    /// A figure for each kindergarten, by its id.
    func each(_ figure: (Int) -> JSON?) -> JSON {
        .object(tenants.indices.compactMap { index in figure(index).map { JSON.Member(tenants[index].id, $0) } })
    }

    func readings(_ metric: String, _ tenant: Int? = nil) -> [NeniReading] {
        world.meters.readings.filter { $0.metric == metric && (tenant == nil || $0.tenant == tenant) }
    }

    func sum(_ metric: String, _ tenant: Int? = nil) -> Int { readings(metric, tenant).reduce(0) { $0 + $1.value } }

    // MARK: - Money

    private var costs: JSON? {
        let calls = gateway.kept
        func by(_ name: (NeniCall) -> String) -> JSON { calls.figures(by: name) { .money(cost($0)) } }
        return .fields([
            "stage": .string("price"), "currency": .string("USD"), "total_cost": .money(cost(calls)),
            "by_day_utc": by { $0.ts.dayUTC.description }, "by_week": by { span.week(of: $0.ts).description },
            "by_tenant": by { tenants[$0.tenant].id }, "unpriced_requests": .int(calls.count { $0.cost == nil }),
            "with_late_file": .money(cost(calls) + cost(gateway.late)),
        ])
    }

    /// Metering, recorded costs and children, each kindergarten for itself.
    private var kindergartens: JSON? {
        let end = (span.last + 1).startUTC
        return .fields([
            "stage": .string("report"), "counted_on": .string(span.last.description),
            "by_tenant": each { tenant in
                let counted = readings("CHILDREN_ACTIVE", tenant)
                let agreed = world.contracts.subscription(tenant, at: end)
                return .fields([
                    "children_first": .int(counted.first?.value ?? 0), "children_last": .int(counted.last?.value ?? 0),
                    "days_counted": .int(counted.count), "branches": .int(tenants[tenant].branches.count),
                    "plan": .string(agreed.plan.code), "status": .string(agreed.status), "currency": .string(agreed.currency),
                    "recorded_cents": .int(world.costs.costs.reduce(0) { $0 + ($1.tenant == tenant ? $1.cents : 0) }),
                    "storage_bytes_last": .int(readings("STORAGE_BYTES", tenant).last?.value ?? 0),
                    "egress_bytes": .int(sum("EGRESS_BYTES", tenant)),
                ])
            },
            "without_tenant_cents": .int(world.costs.costs.reduce(0) { $0 + ($1.tenant == nil ? $1.cents : 0) }),
        ])
    }

    private var trial: JSON? {
        let tenant = world.tenant(.trial)
        let ends = world.contracts.trialEnd(tenant)
        guard span.contains(ends.dayUTC) else { return nil }
        return .fields([
            "stage": .string("report"), "tenant": world.id(tenant), "starts": .string(tenants[tenant].created.description),
            "ends": .string(ends.description),
            "plan_before": .string(world.contracts.subscription(tenant, at: ends + -1).plan.code),
            "plan_after": .string(world.contracts.subscription(tenant, at: ends).plan.code),
            "recorded_cents_on_trial": .int(
                world.costs.costs.reduce(0) { $0 + ($1.tenant == tenant && $1.at < ends ? $1.cents : 0) }),
            "videos_as_starter": .int(world.days.media.count { $0.kind == "video" && $0.created >= ends }),
        ])
    }

    /// The first midnight with another band than the day before.
    private var bandChange: JSON? {
        let tenant = world.tenant(.growing)
        let counted = readings("CHILDREN_ACTIVE", tenant)
        for (before, after) in zip(counted, counted.dropFirst()) {
            guard let old = NeniPlan.band(before.value), let new = NeniPlan.band(after.value), old.code != new.code else {
                continue
            }
            return .fields([
                "stage": .string("report"), "tenant": world.id(tenant), "day": .string(after.from.dayUTC.description),
                "children_before": .int(before.value), "children_after": .int(after.value), "band_before": .string(old.code),
                "band_after": .string(new.code), "branches": .int(tenants[tenant].branches.count),
            ])
        }
        return nil
    }

    private var paused: JSON? {
        guard span.contains(NeniStory.paused) else { return nil }
        let tenant = world.tenant(.paused)
        let since = NeniStory.paused.startUTC
        return .fields([
            "stage": .string("report"), "tenant": world.id(tenant), "since": .string(NeniStory.paused.description),
            "egress_rows_since": .int(readings("EGRESS_BYTES", tenant).count { $0.from >= since }),
            "storage_rows_since": .int(readings("STORAGE_BYTES", tenant).count { $0.from >= since }),
            "storage_cents_since": .int(
                world.costs.costs.reduce(0) { $0 + ($1.tenant == tenant && $1.provider == "s3" && $1.at >= since ? $1.cents : 0) }
            ),
        ])
    }

    /// Above the last band there is a price by agreement alone, and none in sums.
    private var custom: JSON? {
        let tenant = world.tenant(.custom)
        let bills = world.contracts.invoices.filter { $0.tenant == tenant }
        return .fields([
            "stage": .string("report"), "tenant": world.id(tenant), "list_price": .null,
            "band": .optional(NeniPlan.band(tenants[tenant].active(at: (span.last + 1).startUTC))?.code),
            "invoices": .int(bills.count), "net_UZS": .money(Money(cents: bills.reduce(0) { $0 + $1.net })),
            "vat_UZS": .money(Money(cents: bills.reduce(0) { $0 + $1.vat })),
        ])
    }

    private var pastDue: JSON? {
        guard span.contains(NeniStory.pastDue),
            let bill = world.contracts.invoices.last(where: { $0.tenant == world.tenant(.heavyChat) })
        else { return nil }
        return .fields([
            "stage": .string("report"), "tenant": world.id(bill.tenant), "invoice": .string(bill.id),
            "total_USD": .money(Money(cents: bill.net + bill.vat)), "issued": .string(bill.issued.description),
            "paid": .string(bill.paid.description),
        ])
    }
}
