import Common

/// The stories of the archive and of the exports themselves.
extension VoyagerStories {
    // MARK: - Archive

    /// Idle at a cut-off as the dump of a day shows it: what was updated before it, and neither archived nor deleted.
    private func idle(_ dump: Day, since cutoff: Day) -> [Int] {
        world.conversations.indices.filter { index in
            let conversation = world.conversations[index]
            let now = dump.startUTC
            return conversation.created < now && conversation.updated(at: now) < cutoff.startUTC
                && !conversation.isArchived(at: now)
                && !conversation.isDeleted(at: now)
        }
    }

    private func candidates(_ dump: Day, since cutoff: Day) -> [Int] {
        idle(dump, since: cutoff).filter { world.conversations[$0].views(at: dump.startUTC) < VoyagerStory.fewViews }
    }

    /// Six calendar months earlier; the last day of a shorter month stands for those that it lacks.
    private func sixMonths(before day: Day) -> Day {
        let (year, month, number) = day.civil
        let first = month > 6 ? civil(year, month - 6, 1) : civil(year - 1, month + 6, 1)
        return first + (min(number, SampleMonth(of: first).length) - 1)
    }

    var archivePlan: JSON? {
        let (run, cutoff) = (VoyagerStory.archiveRun, VoyagerStory.idleSince)
        guard span.contains(run), let dump = span.dumps.last(where: { $0 <= run }), let last = span.dumps.last else { return nil }
        let now = dump.startUTC
        let silent = idle(dump, since: cutoff)
        let chosen = candidates(dump, since: cutoff)
        let conversations = world.conversations
        let exactly = conversations.indices.filter { conversations[$0].updated(at: now) == cutoff.startUTC }
        let grown = silent.filter { index in
            span.dumps.contains { conversations[index].views(at: $0.startUTC) != conversations[index].views(at: now) }
        }
        let fiveViews = silent.filter { conversations[$0].views(at: now) == VoyagerStory.fewViews && !grown.contains($0) }
        let messages = kept.filter { Set(chosen).contains($0.conversation) }
        return .fields([
            "stage": .string("report"), "run": .string(run.description), "cut_off": .string(cutoff.startUTC.description),
            "dump": .string(dump.description), "conversations": .int(conversations.count { $0.created < last.startUTC }),
            "idle_or_on_the_cut_off": .int(silent.count + exactly.count), "qualify": .int(chosen.count),
            "more_than_five_views": .int(silent.count - chosen.count - fiveViews.count - grown.count),
            "on_the_cut_off": ids(exactly), "exactly_five_views": ids(fiveViews), "views_changed_between_dumps": ids(grown),
            "archived": .int(conversations.count { $0.isArchived(at: now) }), "messages": .int(messages.count),
            "content_bytes": .int(messages.reduce(0) { $0 + $1.content.utf8.count }),
            "qualify_by_dump": .object(
                ([span.first] + span.dumps).map {
                    .init($0.description, .int(candidates($0, since: sixMonths(before: $0)).count))
                }),
        ])
    }

    var restore: JSON? {
        let counts = Dictionary(grouping: world.accesses, by: \.conversation).mapValues(\.count)
        let often = counts.keys.filter { counts[$0, default: 0] >= VoyagerStory.openings }
        guard !often.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "openings": .int(VoyagerStory.openings), "conversations": ids(Array(often)),
            "accesses": .int(world.accesses.count), "archived_and_opened": .int(counts.count),
        ])
    }

    /// What a judge may read at a dump: public, not deleted, not archived.
    private func judged(_ dump: Day) -> [Int] {
        world.conversations.indices.filter { index in
            let conversation = world.conversations[index]
            let now = dump.startUTC
            return conversation.created < now && conversation.isPublic(at: now) && !conversation.isDeleted(at: now)
                && !conversation.isArchived(at: now)
        }
    }

    var madePrivate: JSON? {
        let moment = VoyagerStory.madePrivate
        guard span.contains(moment.dayUTC), let after = span.dumps.first(where: { $0.startUTC > moment }) else { return nil }
        let conversations = world.conversations
        let dropped = Set(judged(after - 7)).subtracting(judged(after))
        return .fields([
            "stage": .string("request"), "at": .string(moment.description), "dump_before": .string((after - 7).description),
            "dump_after": .string(after.description), "made_private": ids(dropped.filter { conversations[$0].deleted == nil }),
            "deleted": ids(dropped.filter { conversations[$0].deleted != nil }),
            "judged_by_dump": .object(([span.first] + span.dumps).map { .init($0.description, .int(judged($0).count)) }),
        ])
    }

    // MARK: - Rows that are not what they seem

    var silentMetric: JSON? {
        let days = span.days.filter { VoyagerStory.silentDays.contains($0) }
        guard !days.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "metric": .string(VoyagerStory.silentMetric),
            "days": .array(days.map { .string($0.description) }), "readings": .int(span.days.count - days.count),
        ])
    }

    var unknownModel: JSON? {
        let calls = kept.filter { $0.call?.model == VoyagerStory.unknownModel }
        guard !calls.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"), "model": .string(VoyagerStory.unknownModel), "rows": .int(calls.count),
            "input_tokens": .int(calls.reduce(0) { $0 + ($1.call?.input ?? 0) }),
            "cache_read_tokens": .int(calls.reduce(0) { $0 + ($1.call?.cached ?? 0) }),
            "output_tokens": .int(calls.reduce(0) { $0 + ($1.call?.output ?? 0) }),
        ])
    }

    /// Until the community was written on messages, it is that of the conversation.
    var communityByLookup: JSON? {
        let bare = kept.filter { $0.created < VoyagerStory.communityWritten && conversation(of: $0).community != nil }
        let calls = bare.filter { $0.call != nil }
        guard !bare.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"), "written_from": .string(VoyagerStory.communityWritten.description),
            "messages": .int(bare.count), "requests": .int(calls.count), "cost": .money(cost(calls)),
        ])
    }

    var answersWithoutTokens: JSON? {
        let answers = kept.filter { $0.role == .assistant && $0.call == nil }
        guard !answers.isEmpty else { return nil }
        return .fields([
            "stage": .string("ingest"), "rows": .int(answers.count),
            "before": .string(answers.map { $0.created.dayUTC }.max()?.description ?? ""),
        ])
    }

    var polls: JSON? {
        .fields([
            "stage": .string("report"), "rows": .int(said.count(where: \.isPoll)),
            "messages_without_polls": .int(said.count { !$0.isPoll }),
        ])
    }

    var takenBack: JSON? {
        .fields([
            "stage": .string("ingest"), "rows": .int(kept.count { $0.deleted != nil }),
            "cost_all_the_same": .money(cost(kept.filter { $0.deleted != nil })),
        ])
    }

    // MARK: - Faults

    var missingHour: JSON? {
        let hour = files.faults.hour
        return files.missingHour([
            "usage_rows": .int(kept.count { $0.call != nil && hour.contains($0.created) }),
            "session_rows": .int(kept.count { hour.contains($0.created) }), "lost_rows": .int(files.missing.count),
            "lost_cost": .money(cost(files.missing)),
        ])
    }

    var lateFile: JSON? {
        files.lateFile(adding: cost(late))?.adding(["requests": .int(late.count { $0.call != nil })])
    }

    /// With the logs that refuse each: others may take the same line.
    var brokenLines: JSON? {
        lines(of: files.files) { line in
            guard case .quarantined(let reason)? = line.readings.first?.fate else { return nil }
            let logs = line.readings.filter { if case .quarantined = $0.fate { true } else { false } }.map(\.log)
            return ["reason": .string(reason), "logs": .array(logs.map(JSON.string))]
        }
    }

    var hostileStrings: JSON? {
        func titled(_ title: String) -> JSON {
            .fields([
                "text": .string(title),
                "conversations": ids(world.conversations.indices.filter { world.conversations[$0].title == title }),
            ])
        }
        let messages = kept.filter { $0.content.contains(VoyagerHostile.text) }
        guard !messages.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "title": titled(VoyagerHostile.title), "formula": titled(VoyagerHostile.formula),
            "content": .fields(["text": .string(VoyagerHostile.text), "messages": .array(messages.map { .string($0.id) })]),
        ])
    }

    var privateTexts: [String] { said.filter { $0.deleted == nil }.map(\.content) }
}
