import Common

/// Settles the drafted asks in the order of time: which model answers, what comes from a cache, what fails, and what it costs.
struct AspendosGateway {
    private(set) var requests: [AspendosRequest] = []
    /// What cost_logs and usage_logs say of them.
    private(set) var charges: [AspendosCharge] = []
    /// The first model of each conversation, and the call that answered each voice turn.
    private(set) var models: [Int: String] = [:]
    private(set) var answers: [Int: AspendosRequest] = [:]
    private(set) var identifiers: Identifiers

    private let members: [AspendosMember]
    private var random: Random
    private var today: Day?
    /// Of this day, by member: millionths of a dollar spent, and how often the member was turned away.
    private var spent: [Int]
    private var refusals: [Int]
    /// When a prefix was last sent to a model, when a prompt was last sent, and when its answer was last kept.
    private var prefixes: [String: Instant] = [:]
    private var prompts: [String: Instant] = [:]
    private var kept: [String: Instant] = [:]
    /// Requests whose prompts others may repeat.
    private var originals: [Int] = []
    private var repeats = 0
    private var unpriced = 0
    private var routedSonnets = AspendosStory.secondProviderRows
    private var unknownModels = AspendosStory.unknownModelRows

    init(_ diary: AspendosDiary, seed: UInt64) {
        members = diary.members
        identifiers = diary.identifiers
        random = Random(seed: seed, stream: "aspendos gateway")
        spent = [Int](repeating: 0, count: members.count)
        refusals = spent
        for ask in diary.asks {
            if today != ask.ts.dayUTC {
                today = ask.ts.dayUTC
                spent = spent.map { _ in 0 }
                refusals = spent
            }
            settle(ask)
        }
    }

    // MARK: - One ask

    private mutating func settle(_ drafted: AspendosAsk) {
        guard let ask = sized(drafted) else { return }
        if spent[ask.member] > 10_000_000 {
            var refused = request(ask, nil)
            (refused.status, refused.latency) = ("blocked", 12)
            requests.append(refused)
            refusals[ask.member] += 1
            return
        }
        if !ask.compared.isEmpty {
            let group = identifiers.next(at: ask.ts)
            for model in ask.compared {
                var answer = answered(ask, model)
                answer.group = group
                append(answer)
            }
            return
        }
        let settled = repeated(ask) ?? ask
        let chosen = choice(settled)
        if let cached = fromCache(settled, chosen) {
            append(cached)
            return
        }
        attempt(settled, chosen)
    }

    /// Fits the long documents of a planted day to what the member has left; nil where the member has given up.
    private func sized(_ drafted: AspendosAsk) -> AspendosAsk? {
        var ask = drafted
        let left = AspendosRule.budget(members[ask.member].tier) - spent[ask.member]
        let blocks: Bool
        switch ask.size {
        case .fixed: return ask
        case .untilBlocked: blocks = true
        case .untilDegraded: blocks = false
        }
        guard left >= 500_000 else {
            if blocks { return left < 0 && refusals[ask.member] < 3 ? ask : nil }
            guard refusals[ask.member] == 0, left > 390_000 else { return nil }
            (ask.tokens, ask.reasoning) = (300, false)
            return ask
        }
        // From two dollars on the rule gives gpt-4o, at half a cent for a thousand tokens: 200 tokens are a thousandth of a dollar.
        func tokens(costing millionths: Int) -> Int { millionths / 5 - AspendosEndpoint.documents.prefixTokens }
        guard left <= 2_000_000 else { return ask }
        ask.output = 800
        if left > 1_100_000 {
            ask.tokens = tokens(costing: 400_000)
        } else if !blocks {
            ask.tokens = tokens(costing: left - 412_000)
        } else if left > 650_000 {
            ask.tokens = tokens(costing: left - 590_000)
        } else {
            ask.tokens = tokens(costing: left + 30_000)
        }
        return ask
    }

    private func choice(_ ask: AspendosAsk) -> AspendosModel {
        let tier = members[ask.member].tier
        let rule = AspendosRule.model(tier, tokens: ask.tokens, reasoning: ask.reasoning, spent: spent[ask.member])
        guard tier == .ultra, !AspendosRule.isDegraded(tier, spent: spent[ask.member]) else { return rule }
        return (AspendosModel.choices + [.opus]).first { $0.name == ask.requested } ?? rule
    }

    private mutating func attempt(_ ask: AspendosAsk, _ chosen: AspendosModel) {
        func failed(_ status: String, _ fallback: AspendosModel, waited: Int) {
            let group = identifiers.next(at: ask.ts)
            var first = request(ask, chosen)
            (first.group, first.status, first.latency) = (group, status, waited)
            // A call that timed out has read its prompt, and is billed for it.
            if status == "timeout" { first.prompt = ask.endpoint.prefixTokens + ask.tokens }
            append(first)
            var later = ask
            later.ts = ask.ts.after(milliseconds: waited + 40)
            var second = answered(later, fallback)
            (second.group, second.fallback) = (group, status)
            append(second)
        }
        if AspendosStory.outage.contains(ask.ts), chosen.provider == AspendosStory.outageProvider {
            return failed("unavailable", .llama, waited: random.between(900...2400))
        }
        guard !ask.isPlanted else { return append(answered(ask, chosen)) }
        // Kept near their share, so that it holds for any seed: of a thousand requests, so many have no price.
        if unpriced * 1000 < 25 * requests.count, random.chance(90) {
            if random.chance(180) { return failed("unavailable", .llama, waited: random.between(700...1900)) }
            return failed("rate_limited", .mistral, waited: random.between(80...350))
        }
        if random.chance(5) { return failed("timeout", .mini, waited: 30_000) }
        if random.chance(4) {
            var broken = request(ask, chosen)
            (broken.status, broken.latency) = ("error", random.between(200...1500))
            return append(broken)
        }
        append(answered(ask, special(ask, chosen)))
    }

    /// The few requests that go where no other goes.
    private mutating func special(_ ask: AspendosAsk, _ chosen: AspendosModel) -> AspendosModel {
        if chosen == .sonnet, ask.ts >= AspendosStory.secondProviderFrom, routedSonnets > 0, members[ask.member].tier == .ultra {
            routedSonnets -= 1
            return .routedSonnet
        }
        if chosen == .gpt4o, ask.ts >= AspendosStory.unknownModelFrom, unknownModels > 0 {
            unknownModels -= 1
            return .unknown
        }
        return chosen
    }

    // MARK: - Caches

    /// Makes an ask repeat what somebody of the same tier asked in the twelve hours before, as often as the story wants.
    private mutating func repeated(_ ask: AspendosAsk) -> AspendosAsk? {
        while let first = originals.first, requests[first].ts + 43_200 < ask.ts { originals.removeFirst() }
        guard !ask.isPlanted, ask.endpoint == .chat || ask.endpoint == .documents,
            repeats * 1000 < AspendosStory.repeatsPermille * requests.count
        else { return nil }
        let tier = members[ask.member].tier
        let fitting = originals.filter { members[requests[$0].ask.member].tier == tier }
        guard !fitting.isEmpty else { return nil }
        let original = requests[random.pick(fitting)].ask
        return AspendosAsk(
            ts: ask.ts, member: ask.member, endpoint: original.endpoint, conversation: ask.conversation, tokens: original.tokens,
            reasoning: original.reasoning, output: ask.output, requested: original.requested, document: original.document,
            temperature: original.temperature, topP: original.topP, prompt: original.prompt)
    }

    /// Four of ten repeated chat prompts find their answer; the cache is new, and every instance has its own.
    private mutating func fromCache(_ ask: AspendosAsk, _ model: AspendosModel) -> AspendosRequest? {
        var answer = request(ask, model)
        let known = kept[answer.cacheKey].map { ask.ts.microseconds - $0.microseconds <= 86_400_000_000 } ?? false
        guard known, ask.endpoint == .chat, ask.ts.dayUTC >= AspendosStory.cacheFrom, ask.flushed != nil || random.chance(400)
        else {
            return nil
        }
        (answer.cache, answer.firstToken) = ("response", random.between(4...15))
        answer.latency = (answer.firstToken ?? 0) + random.between(2...9)
        return answer
    }

    // MARK: - Rows

    private mutating func request(_ ask: AspendosAsk, _ model: AspendosModel?) -> AspendosRequest {
        AspendosRequest(id: identifiers.next(at: ask.ts), ts: ask.ts, ask: ask, model: model, spent: spent[ask.member])
    }

    private mutating func answered(_ ask: AspendosAsk, _ model: AspendosModel) -> AspendosRequest {
        var answer = request(ask, model)
        answer.prompt = ask.endpoint.prefixTokens + ask.tokens
        answer.completion = ask.compared.isEmpty ? ask.output : random.around(ask.output)
        if model.cached != nil, ask.endpoint.prefixTokens >= 1024 {
            let key = "\(model.name) \(answer.prefix)"
            let warm = prefixes[key].map { ask.ts.microseconds - $0.microseconds <= 300_000_000 } ?? false
            if warm { answer.cached = ask.endpoint.prefixTokens }
            prefixes[key] = ask.ts
        }
        // The embedding cache keeps a document's passages for a week.
        if ask.document != nil { answer.cache = passages(of: ask) ? "embedding" : "none" }
        let wait = model.provider == "openrouter" ? 1000 : 500
        answer.firstToken = random.around(wait + answer.prompt / 120)
        answer.latency = (answer.firstToken ?? 0) + answer.completion * random.between(5...11)
        return answer
    }

    private mutating func passages(of ask: AspendosAsk) -> Bool {
        let key = "passages \(ask.document ?? "")"
        let known = prefixes[key].map { ask.ts.microseconds - $0.microseconds <= 7 * 86_400_000_000 } ?? false
        if !known { prefixes[key] = ask.ts }
        return known
    }

    private mutating func append(_ answer: AspendosRequest) {
        requests.append(answer)
        if answer.unpricedTokens > 0 { unpriced += 1 }
        let key = answer.cacheKey
        let before = prompts.updateValue(answer.ts, forKey: key)
        let isRepeated = before.map { answer.ts.microseconds - $0.microseconds <= 86_400_000_000 } ?? false
        if isRepeated { repeats += 1 }
        guard answer.status == "ok", let model = answer.model else { return }
        if answer.cache != "response" { kept[key] = answer.ts }
        if !isRepeated, answer.fallback == nil, !answer.ask.isPlanted, [.chat, .documents].contains(answer.ask.endpoint) {
            originals.append(requests.count - 1)
        }
        if models[answer.ask.conversation] == nil { models[answer.ask.conversation] = model.name }
        if let turn = answer.ask.turn { answers[turn] = answer }
        spent[answer.ask.member] += answer.booked
        let done = answer.ask.flushed ?? answer.ts.after(milliseconds: answer.latency)
        charges.append(
            AspendosCharge(
                id: identifiers.next(at: done), member: answer.ask.member, model: model.name, provider: model.provider,
                feature: answer.ask.endpoint.feature, millionths: answer.booked, tokens: answer.prompt + answer.completion,
                ts: done))
    }
}
