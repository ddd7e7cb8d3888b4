import Common

extension SampleProduct {
    /// Multi-model chat and voice behind one gateway that routes, caches and falls back.
    static let aspendos = SampleProduct(
        name: "aspendos", usualUsers: 31, leastUsers: 31,
        make: { order in
            let world = try AspendosWorld(order)
            let exports = world.callFiles + world.tableFiles
            return Sample(
                order, world.span, exports, late: world.requestLog.lateFiles,
                logs: ["usage", "sessions", "texts", "snapshots", "meters", "charges", "payments"],
                stories: AspendosStories(world, exports).told)
        },
        makeEvents: nil)
}

/// Aspendos's weeks, and the request log as it really arrives.
struct AspendosWorld {
    let order: SampleOrder
    let span: SampleSpan
    let members: [AspendosMember]
    let diary: AspendosDiary
    /// In the order of time.
    let requests: [AspendosRequest]
    let answers: [Int: AspendosRequest]
    let charges: [AspendosCharge]
    let conversations: [AspendosConversation]
    let money: AspendosMoney
    let requestLog: DayFiles<AspendosRequest>
    let voiceCalls: [AspendosVoiceCall]

    init(_ order: SampleOrder) throws {
        self.order = order
        span = try SampleSpan(order, zone: AspendosStory.zone)
        var identifiers = Identifiers(seed: order.seed)
        members = AspendosPeople.drawn(order, span: span, identifiers: &identifiers)
        var diary = AspendosDiary(order, span: span, members: members, identifiers: identifiers)
        diary.plantTitles()
        let gateway = AspendosGateway(diary, seed: order.seed)
        self.diary = diary
        requests = gateway.requests.sorted { ($0.ts, $0.id) < ($1.ts, $1.id) }
        answers = gateway.answers
        conversations = diary.conversations.enumerated().map { index, conversation in
            var settled = conversation
            settled.model = gateway.models[index] ?? conversation.model
            return settled
        }
        var rest = gateway.identifiers
        voiceCalls = diary.voiceCalls(answers: gateway.answers, identifiers: &rest)
        charges = (gateway.charges + voiceCalls.compactMap { $0.charge(&rest) })
            .sorted { ($0.ts, $0.id) < ($1.ts, $1.id) }
        money = AspendosMoney(order, span: span, members: members, identifiers: rest)
        requestLog = AspendosWorld.requestLog(requests, members, diary.conversations)
    }
}
