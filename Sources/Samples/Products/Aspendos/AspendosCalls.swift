import Common

/// One stage of a voice turn, as the voice log has it.
struct AspendosVoiceCall {
    enum Stage: String, CaseIterable { case stt, llm, tts }

    let id: String
    let turn: AspendosTurn
    let stage: Stage
    let ts: Instant
    let model: String
    let provider: String
    let latency: Int
    let speech: AspendosSpeech?

    /// Milliseconds heard or characters said; nil for the model, whose tokens stand in the request log.
    var quantity: Int? {
        switch stage {
        case .stt: turn.billed
        case .llm: nil
        case .tts: turn.characters
        }
    }

    var cost: Money { speech.flatMap { speech in quantity.map { speech.cost($0) } } ?? .zero }

    /// What the product books for it; the model's own share is booked with its request.
    func charge(_ identifiers: inout Identifiers) -> AspendosCharge? {
        guard stage != .llm else { return nil }
        let done = ts.after(milliseconds: latency)
        return AspendosCharge(
            id: identifiers.next(at: done), member: turn.member, model: model, provider: provider,
            feature: AspendosEndpoint.voice.feature, millionths: cost.millionths, tokens: 0, ts: done)
    }
}

extension AspendosDiary {
    /// The three stages of every turn that was logged, in the order of time.
    func voiceCalls(answers: [Int: AspendosRequest], identifiers: inout Identifiers) -> [AspendosVoiceCall] {
        var calls: [AspendosVoiceCall] = []
        for (index, turn) in turns.enumerated() where turn.isLogged {
            func add(_ stage: AspendosVoiceCall.Stage, at ts: Instant, _ model: String, _ provider: String, _ latency: Int) {
                calls.append(
                    AspendosVoiceCall(
                        id: identifiers.next(at: ts), turn: turn, stage: stage, ts: ts, model: model, provider: provider,
                        latency: latency, speech: stage == .stt ? turn.heard : stage == .tts ? turn.said : nil))
            }
            add(.stt, at: turn.ts, turn.heard.model, turn.heard.provider, turn.hearing)
            guard let answer = answers[index], let model = answer.model else { continue }
            add(.llm, at: answer.ts, model.name, model.provider, answer.latency)
            add(.tts, at: answer.ts.after(milliseconds: answer.latency), turn.said.model, turn.said.provider, turn.saying)
        }
        return calls.sorted { ($0.ts, $0.id) < ($1.ts, $1.id) }
    }
}

/// The call logs: one file of JSON lines a day.
extension AspendosWorld {
    var callFiles: [Export] {
        requestLog.files + daily("voice_calls", voiceCalls.map { DumpRow(at: $0.ts, row: row($0), readings: readings($0)) })
    }

    private func daily(_ name: String, _ rows: [DumpRow]) -> [Export] {
        let days = Dictionary(grouping: rows) { $0.at.dayUTC }
        return days.keys.sorted().map { day in
            Export(path: "\(name)/\(name)-\(day).jsonl.gz", lines: (days[day] ?? []).map { $0.line(.lines) })
        }
    }

    private func row(_ call: AspendosVoiceCall) -> JSON {
        let turn = call.turn
        func only(_ stage: AspendosVoiceCall.Stage, _ value: JSON) -> JSON { call.stage == stage ? value : .null }
        return .fields([
            "id": .string(call.id),
            "session_id": .string(conversations[turn.conversation].id),
            "user_id": .string(members[turn.member].id),
            "ts": .string(call.ts.exported),
            "stage": .string(call.stage.rawValue),
            "model": .string(call.model),
            "api_provider": .string(call.provider),
            "captured_ms": only(.stt, .int(turn.captured)),
            "billed_ms": only(.stt, .int(turn.billed)),
            "characters": only(.tts, .int(turn.characters)),
            "language": .string(String(turn.language.rawValue.prefix(2))),
            "confidence": only(.stt, .number("0.\(padded(turn.confidence, 2))")),
            "interrupted": only(.tts, .bool(turn.interrupted)),
            "latency_ms": .int(call.latency),
        ])
    }

    /// Three mappings read the file, one for each stage.
    private func readings(_ call: AspendosVoiceCall) -> [Reading] {
        AspendosVoiceCall.Stage.allCases.map { stage in
            let kind = "voice_\(stage.rawValue)"
            return stage == call.stage
                ? .row("usage", kind, id: call.id, at: call.ts, counts: ["latency_ms": call.latency])
                : Reading(log: "usage", kind: kind, fate: .filtered)
        }
    }

    static func requestLog(
        _ requests: [AspendosRequest], _ members: [AspendosMember], _ conversations: [AspendosConversation]
    ) -> DayFiles<AspendosRequest> {
        var faults = AspendosStory.faults
        /// A line with an id of its own that the export spoils.
        func spoil(_ day: Day, _ reason: String, _ spoiled: (JSON) -> String) {
            guard let like = requests.first(where: { $0.ts.dayUTC == day && $0.status == "ok" }) else { return }
            let extra = row(like, members, conversations).replacing("request_id", with: .string("0" + like.id.dropFirst()))
            faults.broken[day] = ExportLine(broken: spoiled(extra), log: "usage", kind: "requests", reason: reason)
        }
        spoil(AspendosStory.brokenJSON, "bad_json") { String($0.text.dropLast(150)) }
        spoil(AspendosStory.brokenValue, "bad_value") { $0.replacing("prompt_tokens", with: .string("many")).text }
        return DayFiles("requests", requests, faults) { request in
            DumpRow(
                at: request.ts, row: row(request, members, conversations),
                readings: [
                    .row(
                        "usage", "requests", id: request.id, at: request.ts,
                        counts: [
                            "input_tokens": request.prompt - request.cached, "cache_read_tokens": request.cached,
                            "output_tokens": request.completion, "latency_ms": request.latency,
                        ])
                ])
        }
    }

    private static func row(
        _ request: AspendosRequest, _ members: [AspendosMember], _ conversations: [AspendosConversation]
    ) -> JSON {
        let ask = request.ask
        let member = members[ask.member]
        return .fields([
            "request_id": .string(request.id),
            "group_id": .optional(request.group),
            "ts": .string(request.ts.exported),
            "user_id": .string(member.id),
            "tier": .string(member.tier.rawValue),
            "endpoint": .string(ask.endpoint.rawValue),
            "conversation_id": .string(conversations[ask.conversation].id),
            "requested_model": .string(ask.requested),
            "model": .optional(request.model?.name),
            "api_provider": .optional(request.model?.provider),
            "est_tokens": .int(ask.tokens),
            "requires_reasoning": .bool(ask.reasoning),
            "spent_today": .number(sixPlaces(request.spent)),
            "fallback_reason": .optional(request.fallback),
            "prompt_tokens": .int(request.prompt),
            "cached_tokens": .int(request.cached),
            "completion_tokens": .int(request.completion),
            "temperature": .number(ask.temperature),
            "top_p": .number(ask.topP),
            "prompt_hash": .string(ask.prompt),
            "prefix_hash": .string(request.prefix),
            "prefix_tokens": .int(ask.endpoint.prefixTokens),
            "document_id": .optional(ask.document),
            "cache": .string(request.cache),
            "ttft_ms": request.firstToken.map { .int($0) } ?? .null,
            "latency_ms": .int(request.latency),
            "status": .string(request.status),
            "region": .string(member.market.servedFrom),
        ])
    }
}

/// Millionths as PostgreSQL prints a number of six decimals.
func sixPlaces(_ millionths: Int) -> String { "\(millionths / 1_000_000).\(padded(millionths % 1_000_000, 6))" }
