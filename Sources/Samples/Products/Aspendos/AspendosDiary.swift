import Common

/// Lets the members live through the weeks: what they ask, compare, say and have painted. The gateway settles it afterwards.
struct AspendosDiary {
    let span: SampleSpan
    let members: [AspendosMember]
    private(set) var asks: [AspendosAsk] = []
    private(set) var conversations: [AspendosConversation] = []
    private(set) var turns: [AspendosTurn] = []
    private(set) var media: [AspendosMediaJob] = []
    var identifiers: Identifiers

    private var random: Random
    private var texts: AspendosTexts
    private var documents: [String?]
    private var conversationsThisMonth: [Int]
    private var prompts = 0

    init(_ order: SampleOrder, span: SampleSpan, members: [AspendosMember], identifiers: Identifiers) {
        (self.span, self.members, self.identifiers) = (span, members, identifiers)
        random = Random(seed: order.seed, stream: "aspendos days")
        texts = AspendosTexts(seed: order.seed)
        documents = [String?](repeating: nil, count: members.count)
        conversationsThisMonth = [Int](repeating: 0, count: members.count)
        for day in span.days {
            if day.civil.day == 1 { conversationsThisMonth = conversationsThisMonth.map { _ in 0 } }
            for member in members.indices where exists(member, on: day) {
                live(member, through: day)
                play(member, on: day)
            }
        }
        compare()
        turns.sort { $0.ts < $1.ts }
        forgetToLog()
        for index in turns.indices where turns[index].isLogged { ask(turn: index) }
        asks.sort { ($0.ts, $0.prompt) < ($1.ts, $1.prompt) }
    }

    private func exists(_ member: Int, on day: Day) -> Bool {
        members[member].exists(at: day.startUTC) && members[member].exists(at: (day + 1).startUTC)
    }

    // MARK: - An ordinary day

    private mutating func live(_ member: Int, through day: Day) {
        let who = members[member]
        // Those whose day is a story do nothing else on it.
        switch who.role {
        case .overBudget where day == AspendosStory.overBudget: return
        case .degraded where day == AspendosStory.degraded: return
        case .manyConversations where day.month == AspendosStory.manyConversations.month:
            talkMuch(member, on: day)
            return
        default: break
        }
        if random.chance(who.eagerness * (day.weekday > 5 ? 70 : 108) / 100) {
            let ultra = who.tier == .ultra
            for _ in 0...random.weighted(ultra ? [40, 35, 25] : [72, 28]) {
                talk(member, on: day, asks: 1 + random.weighted(ultra ? [25, 35, 25, 15] : [45, 33, 22]))
            }
        }
        if who.allows(.voice, at: day.startUTC), who.allows(.voice, at: (day + 1).startUTC),
            who.role != .twoVoiceSessions || day != AspendosStory.twoVoiceSessions
        {
            let sessions = who.tier == .ultra ? random.weighted([78, 16, 6]) : random.weighted([930, 70])
            for _ in 0..<sessions { speak(member, on: day) }
        }
        if random.chance(who.tier == .ultra ? 90 : 14) { paint(member, on: day, video: who.tier == .ultra && random.chance(350)) }
    }

    /// The member whose conversations of the month exceed what PRO allows.
    private mutating func talkMuch(_ member: Int, on day: Day) {
        let daysLeft = 31 - day.civil.day + 1
        let left = AspendosStory.manyConversations.count - conversationsThisMonth[member]
        for _ in 0..<(left + daysLeft - 1) / daysLeft { talk(member, on: day, asks: 1) }
    }

    private mutating func timeOfDay(_ member: Int, on day: Day) -> Instant {
        let hours = members[member].market.hours
        return span.moment(
            day, random.between(hours.lowerBound * 3600...hours.upperBound * 3600), microsecond: random.below(1_000_000))
    }

    /// A conversation of several asks, and what the background makes of it.
    private mutating func talk(_ member: Int, on day: Day, asks count: Int) {
        var now = timeOfDay(member, on: day)
        let conversation = converse(member, at: now, isVoice: false)
        let endpoint: AspendosEndpoint = random.chance(members[member].tier == .ultra ? 300 : 220) ? .documents : .chat
        if endpoint == .documents, documents[member] == nil || random.chance(400) {
            documents[member] = identifiers.next(at: now)
        }
        for _ in 0..<count {
            var ask = drawn(endpoint, member, conversation, at: now)
            if endpoint == .documents { ask.document = documents[member] }
            asks.append(ask)
            now = now.after(milliseconds: random.between(45_000...330_000))
        }
        if count > 1, random.chance(240) {
            asks.append(drawn(.summaries, member, conversation, at: now.after(milliseconds: random.between(60_000...600_000))))
        }
        if random.chance(150) { asks.append(drawn(.memory, member, conversation, at: now.after(milliseconds: 4000))) }
    }

    private mutating func converse(_ member: Int, at moment: Instant, isVoice: Bool) -> Int {
        conversationsThisMonth[member] += 1
        conversations.append(
            AspendosConversation(
                id: identifiers.next(at: moment), member: member, title: texts.title(members[member].language), created: moment,
                isVoice: isVoice, model: AspendosModel.mini.name))
        return conversations.count - 1
    }

    private mutating func drawn(_ endpoint: AspendosEndpoint, _ member: Int, _ conversation: Int, at moment: Instant)
        -> AspendosAsk
    {
        prompts += 1
        // The limits between simple, medium and complex are 500 and 1,000, and both belong to the lower side.
        let tokens: Int
        switch endpoint {
        case .chat:
            tokens =
                [random.between(28...470), random.between(510...990), random.between(1050...3300)][random.weighted([54, 28, 18])]
        case .documents: tokens = random.weighted([25, 75]) == 0 ? random.between(520...980) : random.between(1100...5200)
        case .summaries: tokens = random.between(300...1400)
        case .voice, .memory, .compare: tokens = random.between(60...420)
        }
        var ask = AspendosAsk(
            ts: moment, member: member, endpoint: endpoint, conversation: conversation,
            tokens: prompts % 97 == 0 ? 500 : prompts % 89 == 0 ? 1000 : tokens,
            output: random.around(endpoint.output), prompt: String(Digest.of("prompt \(prompts)").hex.prefix(16)))
        ask.reasoning = endpoint == .chat && random.chance(260) || endpoint == .documents && random.chance(480)
        // No complex question falls into the outage, whose hours must be cheap.
        if AspendosStory.outage.contains(moment) { ask.reasoning = false }
        (ask.temperature, ask.topP) = ([("0.7", "1.0"), ("0.2", "1.0"), ("1.0", "0.95")])[random.weighted([80, 14, 6])]
        if endpoint == .chat, random.chance(members[member].tier == .ultra ? 110 : 25) {
            ask.requested = random.pick(AspendosModel.choices).name
        }
        return ask
    }

    // MARK: - Stories

    private mutating func planted(
        _ endpoint: AspendosEndpoint, _ member: Int, _ conversation: Int, at moment: Instant, tokens: Int
    )
        -> AspendosAsk
    {
        var ask = drawn(endpoint, member, conversation, at: moment)
        (ask.tokens, ask.reasoning, ask.requested, ask.isPlanted) = (tokens, false, "auto", true)
        return ask
    }

    private mutating func play(_ member: Int, on day: Day) {
        func at(_ hour: Int, _ minute: Int) -> Instant {
            span.moment(day, hour * 3600 + minute * 60, microsecond: 137 * member + 211)
        }
        switch members[member].role {
        case .overBudget where day == AspendosStory.overBudget: work(member, from: at(7, 20), .untilBlocked)
        case .degraded where day == AspendosStory.degraded: work(member, from: at(8, 10), .untilDegraded)
        case .heavyDay where day == AspendosStory.heavyDay:
            let conversation = converse(member, at: at(14, 0), isVoice: false)
            for index in 0..<16 {
                asks.append(planted(.chat, member, conversation, at: at(14, 6 * index), tokens: 560 + 25 * index))
            }
        case .opus where AspendosStory.opus.contains(day):
            let conversation = converse(member, at: at(18, 0), isVoice: false)
            var ask = planted(.chat, member, conversation, at: at(18, 0), tokens: 900)
            ask.requested = AspendosModel.opus.name
            asks.append(ask)
        case .inOutage where day == AspendosStory.outage.lowerBound.dayUTC:
            let conversation = converse(member, at: at(10, 20), isVoice: false)
            for minute in [20, 47, 79] {
                asks.append(planted(.chat, member, conversation, at: at(10, minute), tokens: 610 + minute))
            }
        case .inMissingHour where day == AspendosStory.faults.missingHour.dayUTC:
            let conversation = converse(member, at: at(14, 5), isVoice: false)
            for minute in [5, 21, 44] { asks.append(planted(.chat, member, conversation, at: at(14, minute), tokens: 700)) }
        case .twins where day == AspendosStory.twins: pressTwice(member, at: at(15, 0))
        case .hostile where day == AspendosStory.hostileModelDay:
            let conversation = converse(member, at: at(16, 0), isVoice: false)
            var ask = planted(.chat, member, conversation, at: at(16, 0), tokens: 120)
            ask.requested = AspendosStory.hostileModel
            asks.append(ask)
        case .twoVoiceSessions where day == AspendosStory.twoVoiceSessions:
            for _ in 0..<2 { speak(member, on: day) }
        case .videoOnPro where day == AspendosStory.videoOnPro: paint(member, on: day, video: true)
        default: break
        }
    }

    /// A day of questions about one long document.
    private mutating func work(_ member: Int, from start: Instant, _ size: AspendosAsk.Size) {
        let conversation = converse(member, at: start, isVoice: false)
        let document = identifiers.next(at: start)
        for index in 0..<60 {
            var ask = planted(
                .documents, member, conversation, at: start + Int64(540 * index), tokens: 96_000 + random.below(6000))
            (ask.reasoning, ask.document, ask.size, ask.output) = (true, document, size, 700 + random.below(300))
            asks.append(ask)
        }
    }

    /// Somebody presses the button twice, and both answers come from the cache and go to the logs in one transaction.
    private mutating func pressTwice(_ member: Int, at start: Instant) {
        let conversation = converse(member, at: start, isVoice: false)
        let first = planted(.chat, member, conversation, at: start, tokens: 230)
        asks.append(first)
        for milliseconds in [600_000, 600_400] {
            var again = first
            again.ts = start.after(milliseconds: milliseconds)
            again.flushed = start + 602
            asks.append(again)
        }
    }

    /// Comparisons of three models: two a week by ULTRA members in turn, and one that PRO should not have been given.
    private mutating func compare() {
        let ultra = members.indices.filter { members[$0].tier == .ultra }
        for (week, monday) in span.weeks.map(\.monday).enumerated() {
            for (half, day) in [monday + 1, monday + 4].enumerated() {
                let candidates = ultra.filter { exists($0, on: day) }
                guard !candidates.isEmpty else { continue }
                compare(candidates[(2 * week + half) % candidates.count], on: day, AspendosModel.compared[(week + half) % 3])
            }
        }
        let day = AspendosStory.comparisonOnPro
        guard let member = members.firstIndex(where: { $0.role == .comparisonOnPro }), span.contains(day), exists(member, on: day)
        else { return }
        compare(member, on: day, AspendosModel.compared[0])
    }

    private mutating func compare(_ member: Int, on day: Day, _ models: [AspendosModel]) {
        let moment = span.moment(day, 17 * 3600 + random.below(3000), microsecond: random.below(1_000_000))
        var ask = planted(
            .compare, member, converse(member, at: moment, isVoice: false), at: moment, tokens: random.between(180...900))
        (ask.compared, ask.requested) = (models, "compare")
        asks.append(ask)
    }
}

// MARK: - Voice and pictures

extension AspendosDiary {
    private mutating func speak(_ member: Int, on day: Day) {
        let language = members[member].language
        let isTurkish = language == .turkish
        let heard: AspendosSpeech = isTurkish ? .google : .whisper
        let said: AspendosSpeech = members[member].tier == .ultra ? .elevenLabs : isTurkish ? .googleVoice : .tts
        var now = timeOfDay(member, on: day)
        let conversation = converse(member, at: now, isVoice: true)
        for _ in 0..<random.between(3...6) {
            let captured = random.between(3200...21_000)
            // What is silent is not sent.
            let voiced = captured * random.between(42...63) / 100
            let (user, assistant) = (texts.question(language), texts.reply(language))
            let interrupted = random.chance(130)
            let length = assistant.unicodeScalars.count
            turns.append(
                AspendosTurn(
                    conversation: conversation, member: member, ts: now, language: language,
                    confidence: random.chance(60) ? random.between(41...68) : random.between(84...99), captured: captured,
                    billed: (voiced + heard.increment - 1) / heard.increment * heard.increment, heard: heard,
                    hearing: heard == .whisper ? random.between(2000...4900) : random.between(1000...2000), said: said,
                    saying: said == .tts
                        ? random.around(200) : said == .elevenLabs ? random.between(300...500) : random.between(500...1000),
                    characters: interrupted ? length * random.between(25...80) / 100 : length, interrupted: interrupted,
                    user: user, assistant: assistant))
            now = now.after(milliseconds: captured + random.between(14_000...40_000))
        }
    }

    private mutating func forgetToLog() {
        let forgotten = turns.indices.filter { turns[$0].ts >= AspendosStory.unloggedFrom.startUTC }
        for index in forgotten.prefix(AspendosStory.unloggedTurns) { turns[index].isLogged = false }
    }

    /// The reply is written by the gateway's model, under the session's conversation.
    private mutating func ask(turn index: Int) {
        let turn = turns[index]
        var ask = drawn(.voice, turn.member, turn.conversation, at: turn.ts.after(milliseconds: turn.hearing))
        (ask.turn, ask.reasoning, ask.isPlanted) = (index, false, true)
        asks.append(ask)
    }

    private mutating func paint(_ member: Int, on day: Day, video: Bool) {
        let submitted = timeOfDay(member, on: day)
        let model = video ? "kling" : random.chance(750) ? "flux" : "dall-e-3"
        let took = video ? random.between(60_000...240_000) : random.between(4000...15_000)
        media.append(
            AspendosMediaJob(
                id: identifiers.next(at: submitted), member: member, kind: video ? "video_5s" : "image", model: model,
                submitted: submitted, finished: submitted.after(milliseconds: took), failed: random.chance(70)))
    }

    /// Titles that somebody chose to break readers with, and one that was encoded twice.
    mutating func plantTitles() {
        let ordinary = conversations.indices.filter { !conversations[$0].isVoice }.sorted {
            conversations[$0].created < conversations[$1].created
        }
        for (place, title) in (AspendosStory.hostileTitles + [doublyEncoded(AspendosStory.turkishTitle)]).enumerated() {
            guard ordinary.count > 10 else { continue }
            conversations[ordinary[ordinary.count * (2 + 2 * place) / 10]].title = title
        }
        guard let turn = turns.indices.last(where: { turns[$0].language == .turkish }) else { return }
        turns[turn].assistant = doublyEncoded(turns[turn].assistant)
    }
}
