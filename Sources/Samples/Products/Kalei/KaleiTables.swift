import Common

/// Kalei's tables as they are dumped every Monday.
extension KaleiWorld {
    var tableFiles: [Export] {
        span.windowDumps("mirror_sessions", diary.sessions.map(sessionRow))
            + span.windowDumps("mirror_fragments", diary.fragments.map(fragmentRow))
            + span.windowDumps("turns", diary.turns.map(turnRow))
            + span.windowDumps("affirmations", meter.shows.map(showRow))
            + span.windowDumps("spectrum_analyses", diary.analyses.map(analysisRow))
            + wholeTables + meterFiles + invoiceFiles
    }

    private func sessionRow(_ session: MirrorSession) -> DumpRow {
        let count = words(in: session.entry ?? "")
        func text(_ part: String, _ text: String?) -> Reading {
            (text ?? "").isEmpty
                ? Reading(log: "texts", kind: part, fate: .filtered) : .row("texts", part, id: session.id, at: session.started)
        }
        return DumpRow(
            at: session.started,
            row: .fields([
                "id": .string(session.id),
                "user_id": .string(members[session.member].id),
                "started_at": .string(session.started.exported),
                "ended_at": .string(session.ended.exported),
                "word_count": .int(count),
                "entry_text": .optional(session.entry),
                "reflection_text": .optional(session.reflection),
                "crisis_flag": .bool(session.crisis),
                "locale": .string(members[session.member].language.rawValue),
            ]),
            readings: [
                .row("sessions", "mirror", id: session.id, at: session.started, counts: ["words": count]),
                text("entry", session.entry), text("reflection", session.reflection),
            ])
    }

    private func fragmentRow(_ fragment: MirrorFragment) -> DumpRow {
        DumpRow(
            at: fragment.created,
            row: .fields([
                "id": .string(fragment.id),
                "session_id": .string(fragment.session),
                "user_id": .string(members[fragment.member].id),
                "created_at": .string(fragment.created.exported),
                "pattern": .string(fragment.pattern),
                "quote": .string(fragment.quote),
                "intensity": .int(fragment.intensity),
                "tapped": .bool(fragment.reframe != nil),
                "reframe_text": .optional(fragment.reframe?.text),
                "reframe_style": .optional(fragment.reframe?.style),
                "resonated": fragment.reframe?.resonated.map(JSON.bool) ?? .null,
            ]),
            readings: [
                .row("sessions", "fragment", id: fragment.id, at: fragment.created, counts: ["score": fragment.intensity])
            ])
    }

    private func turnRow(_ turn: KaleiTurn) -> DumpRow {
        DumpRow(
            at: turn.created,
            row: .fields([
                "id": .string(turn.id),
                "user_id": .string(members[turn.member].id),
                "created_at": .string(turn.created.exported),
                "fragment_id": .optional(turn.fragment),
                "input_text": .string(turn.input),
                "style": .string(turn.style),
                "perspectives": .array(turn.perspectives.map(JSON.string)),
                "chosen": turn.chosen.map { .int($0) } ?? .null,
                "saved_to_gallery": .bool(turn.saved),
            ]),
            readings: [
                .row("sessions", "turn", id: turn.id, at: turn.created), .row("texts", "input", id: turn.id, at: turn.created),
            ])
    }

    private func showRow(_ show: LensShow) -> DumpRow {
        DumpRow(
            at: show.shownOn.startUTC,
            row: .fields([
                "goal_id": .string(show.goal),
                "shown_on": .string(show.shownOn.description),
                "text": .string(show.fromTemplate ? show.template : show.text),
                "source": .string(show.fromTemplate ? "template" : "model"),
            ]),
            readings: [.row("sessions", "lens", id: nil, at: show.shownOn.startUTC)])
    }

    private func analysisRow(_ analysis: SpectrumAnalysis) -> DumpRow {
        DumpRow(
            at: analysis.created,
            row: .fields([
                "id": .string(analysis.id),
                "user_id": .string(members[analysis.member].id),
                "kind": .string("weekly"),
                "period_start": .string(analysis.week.monday.description),
                "period_end": .string((analysis.week.monday + 7).description),
                "model": .string(KaleiRate.haikuBatch.model),
                "prompt_version": .string(KaleiFeature.spectrum.promptVersion),
                "input_tokens": .int(analysis.input),
                "output_tokens": .int(analysis.output),
                "result": analysis.result,
                "created_at": .string(analysis.created.exported),
            ]), readings: [])
    }
}
