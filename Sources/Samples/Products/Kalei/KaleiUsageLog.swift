import Common

/// The call log as it really arrives: day files, with what is broken, repeated, missing and late.
extension KaleiWorld {
    var usageLog: DayFiles<KaleiCall> {
        var identifiers = identifiers
        var faults = KaleiStory.faults
        let byDay = Dictionary(grouping: meter.calls) { $0.ts.dayUTC }
        /// A call of its own that the export spoils; it is part of nobody's sums.
        func spoil(_ day: Day, _ spoiled: (KaleiCall) -> ExportLine) {
            guard let calls = byDay[day] else { return }
            faults.broken[day] = spoiled(extra(like: calls[calls.count / 2], &identifiers))
        }
        spoil(KaleiStory.brokenJSON) { call in
            ExportLine(broken: String(row(call).text.dropLast(120)), log: "usage", reason: "bad_json")
        }
        spoil(KaleiStory.brokenValue) { call in
            ExportLine(
                broken: row(call).replacing("input_tokens", with: .string("many")).text, log: "usage", reason: "bad_value")
        }
        spoil(KaleiStory.farFuture) { call in
            var call = call
            call.ts = civil(2062, KaleiStory.farFuture.civil.month, KaleiStory.farFuture.civil.day, hour: 12)
            return ExportLine(row(call), [Reading(log: "usage", kind: nil, fate: .outOfRange)])
        }
        spoil(KaleiStory.brokenTime) { call in
            ExportLine(broken: row(call).replacing("ts", with: nil).text, log: "usage", reason: "missing_ts")
        }
        if var second = byDay[KaleiStory.reusedID]?.first(where: { $0.feature == .turn && !$0.failed }) {
            (second.ts, second.output) = (second.ts + 420, second.output + 37)
            faults.reused[KaleiStory.reusedID] = dumpRow(second)
        }
        return DayFiles("api_usage", meter.calls, faults, row: dumpRow)
    }

    private func extra(like call: KaleiCall, _ identifiers: inout Identifiers) -> KaleiCall {
        let ts = call.ts.after(milliseconds: -1)
        var extra = KaleiCall(
            id: identifiers.next(at: ts), ts: ts, member: call.member, session: call.session, feature: call.feature,
            fresh: call.fresh, output: call.output, latency: call.latency)
        (extra.rate, extra.model, extra.route, extra.input) = (call.rate, call.model, call.route, call.input)
        return extra
    }

    private func dumpRow(_ call: KaleiCall) -> DumpRow {
        DumpRow(
            at: call.ts, row: row(call),
            readings: [
                .row(
                    "usage", id: call.id, at: call.ts,
                    counts: [
                        "input_tokens": call.input, "cache_read_tokens": call.cacheRead, "cache_write_5m_tokens": call.cacheWrite,
                        "output_tokens": call.output, "latency_ms": call.latency,
                    ])
            ])
    }

    private func row(_ call: KaleiCall) -> JSON {
        .fields([
            "id": .string(call.id),
            "ts": .string(call.ts.exported),
            "user_id": .string(members[call.member].id),
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
}
