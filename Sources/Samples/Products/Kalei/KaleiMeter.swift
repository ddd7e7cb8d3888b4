import Common

/// Settles the drafted calls in the order of time: which model answered, what came from the cache, and when the month's cap was near.
struct KaleiMeter {
    /// A month in which the spend reached 80 % of the cap.
    struct Crossing {
        let month: String
        let at: Instant
        let call: String
        let before: Money
        let after: Money
    }

    private let span: SampleSpan
    let cap: Money
    /// The part of the cap from which Lens is answered by templates: 80 %.
    let threshold: Money
    private(set) var calls: [KaleiCall]
    private(set) var shows: [LensShow]
    private(set) var crossings: [Crossing] = []
    private var claims: [Claim]

    /// The next call of a feature from a moment on, which a story takes for itself.
    private struct Claim {
        let feature: KaleiFeature
        let from: Instant
        let what: What
        enum What { case rate(KaleiRate, route: String), unknownModel }
    }

    init(_ diary: KaleiDiary, users: Int) {
        span = diary.span
        cap = Money(cents: KaleiStory.capCents(users: users))
        threshold = cap.share(0, of: 5) + cap.share(1, of: 5) + cap.share(2, of: 5) + cap.share(3, of: 5)
        calls = diary.calls.sorted { ($0.ts, $0.id) < ($1.ts, $1.id) }
        shows = diary.shows
        claims = KaleiStory.sonnet.map {
            Claim(feature: .reflection, from: $0, what: .rate(.sonnet, route: "primary"))
        }
        claims.append(
            Claim(feature: .reframe, from: KaleiStory.fallback, what: .rate(.qwen, route: "fallback")))
        for _ in 0..<KaleiStory.unknownModelRows {
            claims.append(Claim(feature: .turn, from: KaleiStory.unknownModelFrom, what: .unknownModel))
        }
        claims.removeAll { !span.contains(span.day(of: $0.from)) }
        let factor = outputFactor(settled(capped: false).calls)
        for index in calls.indices where calls[index].feature != .spectrum {
            calls[index].output = calls[index].output * factor / 1000
        }
        let settled = settled(capped: true)
        (calls, shows, crossings) = (settled.calls, settled.shows, settled.crossings)
    }

    /// By how many thousandths outputs must grow so that the cap's 80 % are reached at the planned noon.
    ///
    /// The draw comes close by itself; this takes out what chance adds, so that the story holds for any seed.
    private func outputFactor(_ draft: [KaleiCall]) -> Int {
        let start = span.moment(civil(KaleiStory.capReached.civil.year, KaleiStory.capReached.civil.month, 1), 0)
        guard span.contains(span.day(of: start)), span.contains(KaleiStory.capReached) else { return 1000 }
        let noon = span.moment(KaleiStory.capReached, 12 * 3600)
        var (spent, byOutput) = (Money.zero, Money.zero)
        for call in draft where call.ts >= start && call.ts < noon {
            spent += call.cost ?? .zero
            guard call.feature != .spectrum, let rate = call.rate else { continue }
            byOutput += rate.cost(input: 0, cacheRead: 0, cacheWrite: 0, output: call.output)
        }
        guard byOutput > .zero else { return 1000 }
        return min(3000, max(300, Int((threshold - spent + byOutput).units * 1000 / byOutput.units)))
    }

    private func settled(capped: Bool) -> KaleiMeter {
        var meter = self
        var lastUse: [String: Instant] = [:]
        var month = ""
        var spent = Money.zero
        var templates = false
        meter.calls.removeAll(keepingCapacity: true)
        for var call in calls {
            if span.month(of: call.ts) != month { (month, spent, templates) = (span.month(of: call.ts), .zero, false) }
            if templates, call.feature == .lens {
                if call.failed { continue }
                meter.answerByTemplate(&call)
            } else {
                meter.answer(&call, lastUse: &lastUse)
            }
            meter.calls.append(call)
            let before = spent
            spent += call.cost ?? .zero
            if capped, before < threshold, spent >= threshold {
                templates = true
                meter.crossings.append(Crossing(month: month, at: call.ts, call: call.id, before: before, after: spent))
            }
        }
        return meter
    }

    private mutating func answerByTemplate(_ call: inout KaleiCall) {
        if let show = call.show { shows[show].fromTemplate = true }
        (call.route, call.fresh, call.output) = ("template", 0, 0)
        call.latency = 3 + call.latency % 9
    }

    private mutating func answer(_ call: inout KaleiCall, lastUse: inout [String: Instant]) {
        call.rate = call.feature == .spectrum ? .haikuBatch : .haiku
        call.model = call.rate?.model
        guard !call.failed else { return }
        let prompt = call.feature.tokens.prompt
        call.input = call.fresh
        if let claimed = claims.firstIndex(where: { $0.feature == call.feature && $0.from <= call.ts }) {
            switch claims.remove(at: claimed).what {
            case .unknownModel: (call.rate, call.model) = (nil, KaleiStory.unknownModel)
            case .rate(let rate, let route): (call.rate, call.model, call.route) = (rate, rate.model, route)
            }
        }
        if call.route == "fallback" {
            // This vendor has no cache.
            call.input += prompt
            return
        }
        guard prompt > 0 else { return }
        // The prompt is the same for everybody, so one window of five minutes, renewed by each use, serves all members.
        // Each model has a cache of its own.
        let cache = "\(call.feature) \(call.model ?? "")"
        let warm = lastUse[cache].map { call.ts.microseconds - $0.microseconds <= 300_000_000 } ?? false
        if warm { call.cacheRead = prompt } else { call.cacheWrite = prompt }
        lastUse[cache] = call.ts
    }
}
