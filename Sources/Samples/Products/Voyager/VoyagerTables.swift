import Common

/// Voyager's tables as Prisma's database dumps them every Monday.
extension VoyagerWorld {
    static let messageColumns = [
        "id", "conversationId", "userId", "communityId", "role", "content", "model", "inputTokens", "cacheReadTokens",
        "outputTokens", "createdAt", "deletedAt", "isPoll",
    ]

    /// The messages, with what is broken, repeated, missing and late. The opening dump holds what the archive still has from before.
    var messageFiles: DayFiles<VoyagerMessage> {
        let opening = VoyagerArchive.opened(span).startUTC..<span.first.startUTC
        var faults = VoyagerStory.faults
        faults.broken = brokenLines
        return DayFiles(
            "message", as: .csv(VoyagerWorld.messageColumns), messages, faults,
            windows: [(span.first, opening)] + span.windows
        ) { DumpRow(at: $0.created, row: row($0), readings: readings($0)) }
    }

    private func row(_ message: VoyagerMessage) -> JSON {
        let conversation = conversations[message.conversation]
        let community = message.created < VoyagerStory.communityWritten ? nil : conversation.community
        return .fields([
            "id": .string(message.id),
            "conversationId": .string(conversation.id),
            "userId": .string(users[message.user].id),
            "communityId": .optional(community.map { communities[$0].id }),
            "role": .string(message.role.rawValue),
            "content": .string(message.content),
            "model": .optional(message.call?.model),
            "inputTokens": message.call.map { .int($0.input) } ?? .null,
            "cacheReadTokens": message.call.map { .int($0.cached) } ?? .null,
            "outputTokens": message.call.map { .int($0.output) } ?? .null,
            "createdAt": .string(message.created.exportedByPrisma),
            "deletedAt": .optional(message.deleted?.exportedByPrisma),
            "isPoll": .bool(message.isPoll),
        ])
    }

    /// An answer with tokens is a metered call; everything is something that happened; what is not empty and not taken back is a text.
    private func readings(_ message: VoyagerMessage) -> [Reading] {
        let usage = message.call.map { call in
            Reading.row(
                "usage", id: message.id, at: message.created,
                counts: ["input_tokens": call.input, "cache_read_tokens": call.cached, "output_tokens": call.output])
        }
        let row = Reading.Fate.row(SampleRow(id: message.id, ts: message.created))
        return [
            usage ?? Reading(log: "usage", kind: nil, fate: .filtered), Reading(log: "sessions", kind: "message", fate: row),
            Reading(log: "texts", kind: "content", fate: message.content.isEmpty || message.deleted != nil ? .filtered : row),
        ]
    }

    /// Answers of their own that the export spoils, by its dump.
    private var spoiledMessages: [Day: VoyagerMessage] {
        var cuids = Cuids(seed: ~order.seed)
        var found: [Day: VoyagerMessage] = [:]
        for dump in [VoyagerStory.raggedDump, VoyagerStory.brokenValueDump, VoyagerStory.brokenTimeDump] {
            guard let like = messages.last(where: { $0.call != nil && $0.created < (dump - 4).startUTC && $0.deleted == nil }),
                like.created >= span.first.startUTC
            else { continue }
            let at = like.created.after(milliseconds: -1)
            found[dump] = VoyagerMessage(
                id: cuids.next(at: at), conversation: like.conversation, user: like.user, role: .assistant, content: like.content,
                created: at, call: like.call)
        }
        return found
    }

    /// The answer whose tokens are no number: no call that counts, and still something that was said.
    var messageWithoutTokens: VoyagerMessage? {
        guard span.dumps.contains(VoyagerStory.brokenValueDump), var message = spoiledMessages[VoyagerStory.brokenValueDump]
        else {
            return nil
        }
        message.call = nil
        return message
    }

    private var brokenLines: [Day: ExportLine] {
        let messages = spoiledMessages
        var lines: [Day: ExportLine] = [:]
        func spoil(_ dump: Day, _ make: (VoyagerMessage) -> ExportLine) { lines[dump] = messages[dump].map(make) }
        let logs: [(log: String, kind: String?)] = [("usage", nil), ("sessions", "message"), ("texts", "content")]
        func refused(_ reason: String) -> [Reading] {
            logs.map { Reading(log: $0.log, kind: $0.kind, fate: .quarantined(reason)) }
        }
        spoil(VoyagerStory.raggedDump) { message in
            // Somebody cut the last two fields off.
            let fields = (row(message).members ?? []).dropLast(2)
            return ExportLine(broken: copiedCSV(.object(Array(fields))), refused("bad_csv"))
        }
        spoil(VoyagerStory.brokenValueDump) { message in
            let line = row(message).replacing("inputTokens", with: .string("many"))
            // Only the calls read the tokens; for the other logs the row is as good as any.
            return ExportLine(
                copied: line, [Reading(log: "usage", kind: nil, fate: .quarantined("bad_value"))] + readings(message).dropFirst())
        }
        spoil(VoyagerStory.brokenTimeDump) { message in
            ExportLine(copied: row(message).replacing("createdAt", with: .null), refused("missing_ts"))
        }
        return lines
    }

    // MARK: - Whole tables and accesses

    var tableFiles: [Export] {
        span.wholeDumps("user", as: .csv(["id", "email", "plan", "createdAt"]), opening: true, userRows)
            + span.wholeDumps("community", opening: true, communityRows)
            + span.wholeDumps("membership", as: .csv(["userId", "communityId", "joinedAt"]), opening: true, membershipRows)
            + span.wholeDumps("conversation", opening: true, conversationRows)
            + span.windowDumps("archive_access", accessRows)
    }

    private func userRows(_ day: Day, _ now: Instant) -> [DumpRow] {
        users.filter { $0.created < now }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }.map { user in
            DumpRow(
                at: user.created,
                row: .fields([
                    "id": .string(user.id), "email": .string(user.email), "plan": .string(user.plan(at: now).rawValue),
                    "createdAt": .string(user.created.exportedByPrisma),
                ]),
                readings: [.row("snapshots", "user", id: "\(user.id) \(day)", at: now)])
        }
    }

    /// One row for each community, with the share that holds and since when.
    private func communityRows(_ day: Day, _ now: Instant) -> [DumpRow] {
        communities.compactMap { community in
            guard let kept = community.kept.last(where: { $0.from < now }) else { return nil }
            return DumpRow(
                at: kept.from,
                row: .fields([
                    "id": .string(community.id), "name": .string(community.name), "ownerId": .string(community.owner),
                    "revenueShare": .string(kept.share), "validFrom": .string(kept.from.exportedByPrisma),
                ]),
                readings: [.row("snapshots", "community", id: "\(community.id) \(kept.from)", at: kept.from)])
        }
    }

    private func membershipRows(_ day: Day, _ now: Instant) -> [DumpRow] {
        let all = users.flatMap { user in user.memberships.map { (user.id, $0.joined, $0.community) } }
        return all.filter { $0.1 < now }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map { user, joined, community in
            DumpRow(
                at: joined,
                row: .fields([
                    "userId": .string(user), "communityId": .string(communities[community].id),
                    "joinedAt": .string(joined.exportedByPrisma),
                ]),
                readings: [.row("snapshots", "membership", id: "\(user) \(joined)", at: joined)])
        }
    }

    /// Read twice: each dump is a version of what changes, and where a conversation belongs is known once and for all.
    private func conversationRows(_ day: Day, _ now: Instant) -> [DumpRow] {
        conversations.filter { $0.created < now }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }.map { conversation in
            DumpRow(
                at: conversation.created,
                row: .fields([
                    "id": .string(conversation.id), "userId": .string(users[conversation.user].id),
                    "communityId": .optional(conversation.community.map { communities[$0].id }),
                    "title": .string(conversation.title), "isPublic": .bool(conversation.isPublic(at: now)),
                    // A BigInt, which JSON has no number for.
                    "viewCount": .string("\(conversation.views(at: now))"),
                    "archived": .bool(conversation.isArchived(at: now)),
                    "createdAt": .string(conversation.created.exportedByPrisma),
                    "updatedAt": .string(conversation.updated(at: now).exportedByPrisma),
                    "spaceId": .optional(conversation.space),
                    "deletedAt": .optional(conversation.isDeleted(at: now) ? conversation.deleted?.exportedByPrisma : nil),
                ]),
                readings: [.row("snapshots", "conversation", id: "\(conversation.id) \(day)", at: now)])
        }
    }

    private var accessRows: [DumpRow] {
        accesses.map { access in
            DumpRow(
                at: access.at,
                row: .fields([
                    "conversationId": .string(conversations[access.conversation].id), "at": .string(access.at.exportedByPrisma),
                ]),
                readings: [.row("sessions", "archive_access", id: nil, at: access.at)])
        }
    }
}
