import Common

/// Kalei's tables as they are dumped every Monday.
extension KaleiWorld {
    var tableFiles: [Export] {
        eventTable("mirror_sessions", rows: diary.sessions.map { ($0.started, sessionLine($0)) })
            + eventTable("mirror_fragments", rows: diary.fragments.map { ($0.created, fragmentLine($0)) })
            + eventTable("turns", rows: diary.turns.map { ($0.created, turnLine($0)) })
            + eventTable("affirmations", rows: meter.shows.map { ($0.shownOn.startUTC, showLine($0)) })
            + eventTable("spectrum_analyses", rows: diary.analyses.map { ($0.created, analysisLine($0)) })
            + wholeTables + meterFiles + invoiceFiles
    }

    /// Dumps with a window of eight days, so that consecutive files overlap by one and those rows come back as they were.
    private func eventTable(_ name: String, rows: [(at: Instant, line: ExportLine)]) -> [Export] {
        let rows = rows.sorted { ($0.at, $0.line.text) < ($1.at, $1.line.text) }
        return span.dumps.map { day in
            let window = (day - 8).startUTC..<day.startUTC
            return Export(
                path: "\(name)/\(name)-\(day).jsonl.gz", lines: rows.filter { window.contains($0.at) }.map(\.line))
        }
    }

    private func sessionLine(_ session: MirrorSession) -> ExportLine {
        let count = words(in: session.entry ?? "")
        func text(_ part: String, _ text: String?) -> Reading {
            let row = SampleRow(id: session.id, ts: session.started)
            return Reading(log: "texts", kind: part, fate: (text ?? "").isEmpty ? .filtered : .row(row))
        }
        return ExportLine(
            .fields([
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
            [
                Reading(
                    log: "sessions", kind: "mirror",
                    fate: .row(SampleRow(id: session.id, ts: session.started, counts: ["words": count]))),
                text("entry", session.entry), text("reflection", session.reflection),
            ])
    }

    private func fragmentLine(_ fragment: MirrorFragment) -> ExportLine {
        ExportLine(
            .fields([
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
            [
                Reading(
                    log: "sessions", kind: "fragment",
                    fate: .row(SampleRow(id: fragment.id, ts: fragment.created, counts: ["score": fragment.intensity])))
            ])
    }

    private func turnLine(_ turn: KaleiTurn) -> ExportLine {
        ExportLine(
            .fields([
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
            [
                Reading(log: "sessions", kind: "turn", fate: .row(SampleRow(id: turn.id, ts: turn.created))),
                Reading(log: "texts", kind: "input", fate: .row(SampleRow(id: turn.id, ts: turn.created))),
            ])
    }

    private func showLine(_ show: LensShow) -> ExportLine {
        ExportLine(
            .fields([
                "goal_id": .string(show.goal),
                "shown_on": .string(show.shownOn.description),
                "text": .string(show.fromTemplate ? show.template : show.text),
                "source": .string(show.fromTemplate ? "template" : "model"),
            ]),
            [Reading(log: "sessions", kind: "lens", fate: .row(SampleRow(id: nil, ts: show.shownOn.startUTC)))])
    }

    private func analysisLine(_ analysis: SpectrumAnalysis) -> ExportLine {
        ExportLine(
            .fields([
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
            ]), [])
    }
}
