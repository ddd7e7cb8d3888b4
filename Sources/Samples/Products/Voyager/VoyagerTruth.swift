import Common

/// Tells the planted stories with their figures. A story whose day lies outside the sample is left out.
struct VoyagerStories {
    let world: VoyagerWorld
    let files: DayFiles<VoyagerMessage>
    let span: SampleSpan
    /// What the main files hold and an ingest accepts, and what comes late.
    let kept: [VoyagerMessage]
    let late: [VoyagerMessage]
    /// What the main files show to have been said: the answer whose tokens are refused is among it.
    let said: [VoyagerMessage]

    init(_ world: VoyagerWorld, _ files: DayFiles<VoyagerMessage>) {
        (self.world, self.files, span, kept, late) = (world, files, world.span, files.kept, files.late)
        said = kept + [world.messageWithoutTokens].compactMap { $0 }
    }

    var told: [(name: String, told: JSON?)] {
        [
            ("costs", costs), ("communities", communities), ("share_change", shareChange), ("sonnet_share", sonnetShare),
            ("heavy_free_user", heavyUser), ("payments", payments), ("vendor_bills", vendorBills), ("archive_plan", archivePlan),
            ("restore", restore), ("made_private", madePrivate), ("silent_metric", silentMetric), ("unknown_model", unknownModel),
            ("community_by_lookup", communityByLookup), ("answers_without_tokens", answersWithoutTokens), ("polls", polls),
            ("taken_back", takenBack), ("missing_hour", missingHour), ("late_file", lateFile),
            ("duplicated_file", files.duplicatedFile(counting: "records")), ("overlapping_dump", files.overlappingDay),
            ("broken_lines", brokenLines), ("hostile_strings", hostileStrings),
            ("personal_data_in_texts", personalData(in: privateTexts, phone: "+1 202 555 01", card: "4242 4242")),
        ]
    }

    func ids(_ conversations: [Int]) -> JSON {
        .array(conversations.map { world.conversations[$0].id }.sorted().map(JSON.string))
    }
    func cost(_ messages: some Sequence<VoyagerMessage>) -> Money { messages.total { $0.call?.cost } }
    func conversation(of message: VoyagerMessage) -> VoyagerConversation { world.conversations[message.conversation] }

    /// The newest dump of the small tables before a moment: what they say is all that anybody can know of that moment.
    func dump(before moment: Instant) -> Instant { (span.dumps.last { $0.startUTC <= moment } ?? span.first).startUTC }

    // MARK: - Money

    private func costs(by name: (VoyagerMessage) -> String) -> JSON {
        requests(kept).figures(by: name) { .money(cost($0)) }
    }

    private var costs: JSON? {
        .fields([
            "stage": .string("price"), "currency": .string("USD"), "total_cost": .money(cost(kept)),
            "by_day": costs { $0.created.dayUTC.description }, "by_week": costs { span.week(of: $0.created).description },
            "by_month": costs { $0.created.dayUTC.month }, "by_model": costs { $0.call?.model ?? "" },
            "by_plan": costs { world.users[$0.user].plan(at: dump(before: $0.created)).rawValue },
            "by_community": costs { conversation(of: $0).community.map { world.communities[$0].id } ?? "" },
            "unpriced_requests": .int(kept.count { $0.call != nil && $0.call?.rate == nil }),
            "with_late_file": .money(cost(kept) + cost(late)),
        ])
    }

    private func requests(_ messages: [VoyagerMessage]) -> [VoyagerMessage] { messages.filter { $0.call != nil } }

    /// A month's cost at the rate of the days that the sample covers.
    private func monthly(_ month: SampleMonth, _ messages: [VoyagerMessage]) -> Money? {
        let spent = cost(messages.filter { month.contains($0.created) })
        return Money(units: spent.units * Int128(month.length)).divided(by: month.days(in: span))
    }

    private var sonnetShare: JSON? {
        let change = VoyagerStory.sonnetDoubles
        let (before, after) = (SampleMonth(of: change - 1), SampleMonth(of: change + 31))
        guard span.contains(change), span.contains(before.first), span.contains(after.first) else { return nil }
        func growth(_ messages: [VoyagerMessage]) -> JSON {
            guard let old = monthly(before, messages), let new = monthly(after, messages) else { return .null }
            return .optional((new - old).ratio(to: old, places: 4).map { "\($0)" })
        }
        return .fields([
            "stage": .string("report"), "from_week": .string(Week(of: change).description),
            "requests_by_week": .object(
                span.weeks.map { week in
                    let calls = requests(kept).filter { span.week(of: $0.created) == week }
                    return .init(
                        week.description,
                        .fields(["sonnet": .int(calls.count { $0.call?.isSonnet == true }), "all": .int(calls.count)]))
                }),
            "month": .string(after.name), "days": .int(after.days(in: span)), "month_before": .string(before.name),
            "cost": .money(cost(kept.filter { after.contains($0.created) })),
            "cost_before": .money(cost(kept.filter { before.contains($0.created) })),
            "projected_cost": monthly(after, kept).map(JSON.money) ?? .null, "growth": growth(kept),
            "growth_with_late_file": growth(kept + late),
        ])
    }

    private var heavyUser: JSON? {
        guard let month = span.months.first(where: { $0.days(in: span) == $0.length }) else { return nil }
        let own = requests(kept).filter { $0.user == VoyagerPeople.heavy }
        let calls = own.filter { month.contains($0.created) }
        return .fields([
            "stage": .string("price"), "user": .string(world.users[VoyagerPeople.heavy].id), "plan": .string("free"),
            "month": .string(month.name), "requests": .int(calls.count), "cost": .money(cost(calls)),
            "pro_pays": .string("18.99"),
            "requests_above_100000_tokens": .int(calls.count { ($0.call?.context ?? 0) > 100_000 }),
            "cost_by_month": .object(
                span.months.map { month in .init(month.name, .money(cost(own.filter { month.contains($0.created) }))) }),
        ])
    }

    // MARK: - Communities

    /// What came in and went out in a month, for one community or for those without any. A payer belongs where they belong at the time.
    private func economy(_ community: Int?, _ month: SampleMonth) -> JSON {
        let own = said.filter { month.contains($0.created) && conversation(of: $0).community == community }
        let end = min(month.next, span.last + 1).startUTC
        var (gross, partner, fee) = (Money.zero, Money.zero, Money.zero)
        for payment in world.payments where payment.isLive && month.contains(payment.at) && payment.moves {
            guard world.users[payment.user].community(at: payment.at) == community else { continue }
            gross += payment.gross
            fee += payment.paidFee
            if let community { partner += payment.gross - payment.kept(world.communities[community].kept(at: payment.at)) }
        }
        let spent = cost(own)
        func payers(_ plan: VoyagerPlan) -> JSON {
            .int(world.users.count { $0.created < end && $0.community(at: end) == community && $0.plan(at: end) == plan })
        }
        return .fields([
            "members": .int(world.users.count { $0.created < end && $0.community(at: end) == community }),
            "active": .int(Set(own.filter { !$0.isPoll }.map(\.user)).count),
            "conversations": .int(Set(own.map(\.conversation)).count), "messages": .int(own.count { !$0.isPoll }),
            "cost": .money(spent), "pro": payers(.pro), "max": payers(.max), "gross": .money(gross),
            "partner_share": .money(partner),
            "fee": .money(fee), "net": .money(gross - partner - fee), "margin": .money(gross - partner - fee - spent),
        ])
    }

    private var communities: JSON? {
        guard !span.months.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"),
            "by_month": .object(
                span.months.map { month in
                    .init(
                        month.name,
                        .object(
                            world.communities.indices.map { .init(world.communities[$0].id, economy($0, month)) }
                                + [.init("", economy(nil, month))]))
                }),
        ])
    }

    private var shareChange: JSON? {
        guard span.contains(VoyagerStory.shareChange) else { return nil }
        let index = VoyagerStory.sharingCommunity
        let community = world.communities[index]
        let paid = world.payments.filter {
            $0.isLive && $0.moves && world.users[$0.user].community(at: $0.at) == index
        }
        func gross(_ payments: [VoyagerPayment]) -> Money { payments.total(\.gross) }
        func kept(_ payments: [VoyagerPayment]) -> Money { payments.total { $0.kept(community.kept(at: $0.at)) } }
        let (before, after) = (
            paid.filter { $0.at < VoyagerStory.shareChange.startUTC }, paid.filter { $0.at >= VoyagerStory.shareChange.startUTC }
        )
        return .fields([
            "stage": .string("report"), "community": .string(community.id), "from": .string("2026-11-01"),
            "kept_share_before": .string("0.70"), "kept_share_after": .string("0.60"), "gross_before": .money(gross(before)),
            "gross_after": .money(gross(after)), "kept_before": .money(kept(before)), "kept_after": .money(kept(after)),
        ])
    }

    private var payments: JSON? {
        let moving = world.payments.filter(\.moves)
        func sum(_ payments: [VoyagerPayment], _ part: (VoyagerPayment) -> Money) -> JSON {
            .money(payments.total(part))
        }
        return .fields([
            "stage": .string("report"),
            "by_month": moving.figures(by: \.at.dayUTC.month) { payments in
                let live = payments.filter(\.isLive)
                return .fields([
                    "payments": .int(live.count { $0.type == .paid }), "refunds": .int(live.count { $0.type == .refunded }),
                    "gross": sum(live, \.gross), "fee": sum(live, \.paidFee),
                ])
            },
            "test_payments": .int(moving.count { !$0.isLive }),
            "events_without_money": .int(world.payments.count { !$0.moves }),
        ])
    }

    private var vendorBills: JSON? {
        let over = span.months.filter { $0.isOver(in: span) }
        guard !over.isEmpty else { return nil }
        let numbers = world.billFiles.flatMap(\.lines).map { $0.text.prefix { $0 != "," } }
        return .fields([
            "stage": .string("report"),
            "computed_by_month": .object(
                over.map { month in .init(month.name, .money(cost(kept.filter { month.contains($0.created) }))) }),
            "lines": .int(numbers.count),
            "lines_if_numbers_lost_their_zeros": .int(Set(numbers.map { $0.drop { $0 == "0" } }).count),
        ])
    }
}

extension VoyagerPayment {
    /// Whether money changed hands.
    var moves: Bool { type == .paid || type == .refunded }

    /// What Voyager keeps of it at a share such as 0.70.
    func kept(_ share: String) -> Money {
        ExactDecimal(share).flatMap { Money.product(of: gross.units, at: $0, per: 1_000_000_000_000) } ?? gross
    }
}
