import Common

/// The call log as it really arrives: day files, with what is broken, repeated, missing and late.
struct KaleiFaults {
    private(set) var usageFiles: [Export] = []
    private(set) var lateFiles: [Export] = []
    /// The calls whose rows the main files hold and an ingest accepts.
    private(set) var accepted: [KaleiCall] = []
    private(set) var late: [KaleiCall] = []
    private(set) var missing = 0
    /// The id that two rows share: how many output tokens stay, and how many are refused.
    private(set) var reused: (id: String, stays: Int, refused: Int)?
    private let world: KaleiWorld

    init(_ world: KaleiWorld) {
        self.world = world
        let hour = KaleiStory.missingHour..<(KaleiStory.missingHour + 3600)
        var byDay: [Day: [KaleiCall]] = [:]
        for call in world.meter.calls {
            if hour.contains(call.ts) { missing += 1 } else { byDay[call.ts.dayUTC, default: []].append(call) }
        }
        withhold(&byDay)
        var identifiers = world.identifiers
        for day in byDay.keys.sorted() {
            let calls = byDay[day, default: []]
            accepted += calls
            write(day, calls, &identifiers)
        }
    }

    /// One part of a day's calls arrives a week late, in a file of its own.
    private mutating func withhold(_ byDay: inout [Day: [KaleiCall]]) {
        guard let calls = byDay[KaleiStory.lateDay] else { return }
        let step = max(2, calls.count / KaleiStory.lateRows)
        var kept: [KaleiCall] = []
        for (index, call) in calls.enumerated() {
            let isLate = index % step == 1 && late.count < KaleiStory.lateRows && !call.failed
            if isLate { late.append(call) } else { kept.append(call) }
        }
        byDay[KaleiStory.lateDay] = kept
        lateFiles = [Export(path: "late/api_usage-\(KaleiStory.lateDay)-late.jsonl.gz", lines: late.map { line($0) })]
    }

    private mutating func write(_ day: Day, _ calls: [KaleiCall], _ identifiers: inout Identifiers) {
        var lines = calls.map { line($0) }
        let path = "api_usage/api_usage-\(day)"
        let middle = lines.count / 2
        switch day {
        case KaleiStory.twiceExportedDay:
            // The first export stopped in the afternoon; the second began at a quarter of the day and went on to its end.
            usageFiles.append(Export(path: path + ".jsonl.gz", lines: Array(lines[..<(lines.count * 3 / 4)])))
            usageFiles.append(Export(path: path + "-again.jsonl.gz", lines: Array(lines[(lines.count / 4)...])))
            return
        case KaleiStory.copiedDay:
            usageFiles.append(Export(path: path + "-copy.jsonl.gz", lines: lines))
        case KaleiStory.brokenJSON:
            let lost = extra(like: calls[middle], &identifiers)
            lines.insert(ExportLine(broken: String(row(lost).text.dropLast(120)), log: "usage", reason: "bad_json"), at: middle)
        case KaleiStory.brokenValue:
            let lost = row(extra(like: calls[middle], &identifiers), replacing: "input_tokens", with: .string("many"))
            lines.insert(ExportLine(broken: lost.text, log: "usage", reason: "bad_value"), at: middle)
        case KaleiStory.brokenTime:
            let lost = row(extra(like: calls[middle], &identifiers), replacing: "ts", with: nil)
            lines.insert(ExportLine(broken: lost.text, log: "usage", reason: "missing_ts"), at: middle)
        case KaleiStory.farFuture:
            var lost = extra(like: calls[middle], &identifiers)
            lost.ts = civil(2062, day.civil.month, day.civil.day).startUTC + 43_200
            lines.insert(ExportLine(row(lost), [Reading(log: "usage", kind: nil, fate: .outOfRange)]), at: middle)
        case KaleiStory.reusedID:
            guard let first = calls.firstIndex(where: { $0.feature == .turn && !$0.failed }) else { break }
            var second = calls[first]
            second.ts = second.ts + 420
            second.output += 37
            reused = (second.id, calls[first].output, second.output)
            lines.insert(line(second), at: calls.firstIndex { $0.ts > second.ts } ?? calls.count)
        default: break
        }
        usageFiles.append(Export(path: path + ".jsonl.gz", lines: lines))
    }

    /// A call of its own that the export spoils; it is part of nobody's sums.
    private func extra(like call: KaleiCall, _ identifiers: inout Identifiers) -> KaleiCall {
        let ts = call.ts.after(milliseconds: -1)
        var extra = KaleiCall(
            id: identifiers.next(at: ts), ts: ts, member: call.member, session: call.session, feature: call.feature,
            fresh: call.fresh,
            output: call.output, latency: call.latency)
        (extra.rate, extra.model, extra.route, extra.input) = (call.rate, call.model, call.route, call.input)
        return extra
    }

    private func line(_ call: KaleiCall) -> ExportLine {
        let sample = SampleRow(
            id: call.id, ts: call.ts,
            counts: [
                "input_tokens": call.input, "cache_read_tokens": call.cacheRead, "cache_write_5m_tokens": call.cacheWrite,
                "output_tokens": call.output, "latency_ms": call.latency,
            ])
        return ExportLine(row(call), [Reading(log: "usage", kind: nil, fate: .row(sample))])
    }

    private func row(_ call: KaleiCall) -> JSON {
        .fields([
            "id": .string(call.id),
            "ts": .string(call.ts.exported),
            "user_id": .string(world.members[call.member].id),
            "session_id": .optional(call.session),
            "feature": .string(call.feature.rawValue),
            "model": .optional(call.model),
            "provider": call.model == nil ? .null : .string(call.rate?.provider ?? "anthropic"),
            "input_tokens": .int(call.input),
            "cache_read_input_tokens": .int(call.cacheRead),
            "cache_creation_input_tokens": .int(call.cacheWrite),
            "output_tokens": .int(call.output),
            "service_tier": .string(call.rate?.tier ?? "standard"),
            "route": .string(call.route),
            "prompt_version": .string(call.feature.promptVersion),
            "latency_ms": .int(call.latency),
            "status": .string(call.failed ? "error" : "ok"),
        ])
    }

    private func row(_ call: KaleiCall, replacing key: String, with value: JSON?) -> JSON {
        .object(
            (row(call).members ?? []).compactMap { member in
                guard member.key == key else { return member }
                return value.map { JSON.Member(key, $0) }
            })
    }
}
