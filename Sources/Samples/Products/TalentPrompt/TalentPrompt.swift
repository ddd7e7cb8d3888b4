import Common

extension SampleProduct {
    /// A search for people to hire, on managed services: most of its costs come as bills.
    static let talentprompt = SampleProduct(
        name: "talentprompt",
        make: { order in
            let world = try TalentWorld(order)
            let log = world.requestLog
            let exports = log.files + world.eventTables + world.meterFiles + world.invoiceFiles
            return Sample(
                order, world.span, exports, late: log.lateFiles, logs: ["usage", "sessions", "meters", "invoices"],
                stories: TalentStories(world: world, log: log, exports: exports).told)
        },
        makeEvents: nil)
}

/// TalentPrompt's weeks, before anything is exported.
struct TalentWorld {
    let order: SampleOrder
    let span: SampleSpan
    let calls: [TalentCall]
    let documents: TalentDocuments
    let meters: [TalentMeter]
    let bills: [TalentBill]
    /// Ids for what the exports add, after all others.
    let identifiers: Identifiers

    init(_ order: SampleOrder) throws {
        self.order = order
        let span = try SampleSpan(order, zone: TalentStory.zone)
        var identifiers = Identifiers(seed: order.seed)
        let founded = (span.first - 200).startUTC
        let accounts = (0..<max(4, order.users / 16)).map { _ in identifiers.next(at: founded) }
        let users = (0..<order.users).map { index in
            TalentUser(id: identifiers.next(at: founded + 3600), account: accounts[index % accounts.count])
        }
        let asked = TalentCalls(order, span: span, users: users, identifiers: identifiers)
        documents = TalentDocuments(order, span: span, users: users, identifiers: asked.identifiers)
        calls = asked.calls
        meters = TalentMeter.all(order, span: span)
        bills = span.months.flatMap { TalentBill.lines(asked.calls, month: $0, whole: $0.first + 30 <= span.last) }
        self.identifiers = documents.identifiers
        self.span = span
    }
}

extension TalentWorld {
    /// The log of requests to models, with its faults.
    var requestLog: DayFiles<TalentCall> {
        var identifiers = identifiers
        var faults = TalentStory.faults
        /// A call of its own that the export spoils; it is part of nobody's sums.
        func spoil(_ day: Day, _ reason: String, _ spoiled: (JSON) -> String) {
            guard let like = calls.first(where: { $0.at.dayUTC == day }) else { return }
            let extra = TalentCall(
                id: identifiers.next(at: like.at), at: like.at, isStaging: like.isStaging, user: like.user,
                endpoint: like.endpoint, kind: like.kind, model: like.model, prompt: like.prompt, completion: like.completion,
                key: like.key, latency: like.latency)
            faults.broken[day] = ExportLine(broken: spoiled(row(extra)), log: "usage", kind: "llm", reason: reason)
        }
        spoil(TalentStory.brokenJSON, "bad_json") { String($0.text.dropLast(90)) }
        spoil(TalentStory.brokenValue, "bad_value") { $0.replacing("prompt_tokens", with: .string("many")).text }
        return DayFiles("llm_requests", calls, faults) { call in
            DumpRow(
                at: call.at, row: row(call),
                readings: [
                    .row(
                        "usage", "llm", id: call.id, at: call.at,
                        counts: ["input_tokens": call.prompt, "output_tokens": call.completion, "latency_ms": call.latency])
                ])
        }
    }

    private func row(_ call: TalentCall) -> JSON {
        .fields([
            "id": .string(call.id),
            "created_at": .string(call.at.exported),
            "environment": .string(call.isStaging ? "staging" : "prod"),
            "account_id": .string(call.user.account),
            "user_id": .string(call.user.id),
            "endpoint": .string(call.endpoint),
            "complexity": .optional(call.kind?.rawValue),
            "provider": .string(call.provider),
            "model": .string(call.model),
            "prompt_tokens": .int(call.prompt),
            "completion_tokens": .int(call.completion),
            "cache_key": .string(call.key),
            "cache_hit": .bool(call.isHit),
            "reason": .optional(call.reason),
            "arm": .optional(call.arm),
            "latency_ms": .int(call.latency),
            "status": .string(call.isFailed ? "error" : "ok"),
        ])
    }
}
