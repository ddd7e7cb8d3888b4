import Common

/// The stories that show as findings: rules broken by the product, and faults in the files.
extension KaleiStories {
    private func id(_ call: KaleiCall) -> JSON { .string(call.id) }

    private func call(_ call: KaleiCall) -> JSON {
        .fields([
            "id": id(call), "ts": .string(call.ts.description), "member": id(call.member),
            "feature": .string(call.feature.rawValue),
            "week": .string(span.week(of: call.ts).description), "plan": .string(members[call.member].plan(at: call.ts).rawValue),
            "cost": call.cost.map(JSON.money) ?? .null,
        ])
    }

    private func finding(_ stage: String, _ calls: [KaleiCall]) -> JSON? {
        guard !calls.isEmpty else { return nil }
        return .fields([
            "stage": .string(stage), "count": .int(calls.count), "cost": .money(cost(calls)),
            "calls": .array(calls.map { call($0) }),
        ])
    }

    // MARK: - Rules

    var runaway: JSON? {
        guard span.contains(KaleiStory.runaway), let member = members.firstIndex(where: { $0.role == .runaway }) else {
            return nil
        }
        let day = log.kept.filter { span.day(of: $0.ts) == KaleiStory.runaway }
        let own = day.filter { $0.member == member }
        return .fields([
            "stage": .string("report"), "day": .string(KaleiStory.runaway.description), "member": id(member),
            "plan": .string(members[member].plan(at: span.moment(KaleiStory.runaway, 0)).rawValue),
            "turns": .int(own.count { $0.feature == .turn && !$0.failed }), "calls": .int(own.count), "cost": .money(cost(own)),
            "tokens": .int(own.reduce(0) { $0 + $1.input + $1.cacheRead + $1.cacheWrite + $1.output }),
            "day_cost": .money(cost(day)),
            "next_busiest_turns": .int(mostTurns(except: member)),
        ])
    }

    private func mostTurns(except member: Int) -> Int {
        var counts: [String: Int] = [:]
        for turn in world.diary.turns where turn.member != member {
            counts["\(turn.member) \(span.day(of: turn.created))", default: 0] += 1
        }
        return counts.values.max() ?? 0
    }

    var leak: JSON? {
        finding("report", log.kept.filter { $0.feature == .spectrum && members[$0.member].plan(at: $0.ts) != .prismPlus })
    }

    var sonnet: JSON? { finding("report", log.kept.filter { $0.model == KaleiRate.sonnet.model }) }
    var fallback: JSON? { finding("report", log.kept.filter { $0.route == "fallback" }) }

    /// Free members above three turns on a local day or two Mirrors in a local week, by the product's own tables.
    var overQuota: JSON? {
        var turns: [Day: [Int: Int]] = [:]
        var mirrors: [Week: [Int: Int]] = [:]
        for turn in world.diary.turns where members[turn.member].plan(at: turn.created) == .free {
            turns[span.day(of: turn.created), default: [:]][turn.member, default: 0] += 1
        }
        for session in world.diary.sessions where members[session.member].plan(at: session.started) == .free {
            mirrors[span.week(of: session.started), default: [:]][session.member, default: 0] += 1
        }
        var found: [JSON] = []
        for day in turns.keys.sorted() {
            for (member, count) in (turns[day] ?? [:]).sorted(by: { $0.key < $1.key }) where count > 3 {
                found.append(
                    .fields(["member": id(member), "day": .string(day.description), "turns": .int(count), "allowed": .int(3)]))
            }
        }
        for week in mirrors.keys.sorted() {
            for (member, count) in (mirrors[week] ?? [:]).sorted(by: { $0.key < $1.key }) where count > 2 {
                found.append(
                    .fields(["member": id(member), "week": .string(week.description), "mirrors": .int(count), "allowed": .int(2)])
                )
            }
        }
        guard !found.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "members": .int(Set(found.map { $0["member"]?.string }).count), "findings": .array(found),
        ])
    }

    var unknownModel: JSON? {
        let calls = log.kept.filter { $0.model == KaleiStory.unknownModel }
        guard !calls.isEmpty else { return nil }
        return .fields([
            "stage": .string("price"), "model": .string(KaleiStory.unknownModel), "requests": .int(calls.count),
            "input_tokens": .int(calls.reduce(0) { $0 + $1.input }),
            "cache_write_5m_tokens": .int(calls.reduce(0) { $0 + $1.cacheWrite }),
            "output_tokens": .int(calls.reduce(0) { $0 + $1.output }),
            "weeks": .array(Set(calls.map { span.week(of: $0.ts) }).sorted().map { .string($0.description) }),
        ])
    }

    // MARK: - Files

    var missingHour: JSON? {
        let hour = log.faults.hour
        return log.missingHour([
            "usage_rows": .int(log.kept.count { hour.contains($0.ts) }),
            "mirror_rows": .int(world.diary.sessions.count { hour.contains($0.started) }),
            "fragment_rows": .int(world.diary.fragments.count { hour.contains($0.created) }),
            "turn_rows": .int(world.diary.turns.count { hour.contains($0.created) }),
        ])
    }

    var outOfRange: JSON? {
        lines(of: exports) { line in
            guard case .outOfRange? = line.readings.first?.fate else { return nil }
            return ["year": .int(2062)]
        }
    }

    var reusedID: JSON? {
        guard let second = log.faults.reused.values.first?.row, let first = log.kept.first(where: { id($0) == second["id"] }),
            let refused = second["output_tokens"]
        else { return nil }
        return .fields([
            "stage": .string("ingest"), "id": id(first), "output_tokens_that_stay": .int(first.output),
            "output_tokens_refused": refused,
        ])
    }

    var hostileStrings: JSON? {
        let fragments = world.diary.fragments.filter { $0.pattern == KaleiHostile.pattern }
        let turns = world.diary.turns.filter { $0.input.contains(KaleiHostile.text) }
        let goals = members.flatMap(\.goals).filter { $0.text == KaleiHostile.goal }
        return .fields([
            "stage": .string("report"),
            "pattern": .fields(["text": .string(KaleiHostile.pattern), "fragments": .array(fragments.map { .string($0.id) })]),
            "goal": .fields(["text": .string(KaleiHostile.goal), "goals": .array(goals.map { .string($0.id) })]),
            "input_text": .fields(["text": .string(KaleiHostile.text), "turns": .array(turns.map { .string($0.id) })]),
        ])
    }

    var privateTexts: [String] {
        world.diary.sessions.flatMap { [$0.entry, $0.reflection] }.compactMap(\.self) + world.diary.turns.map(\.input)
    }
}
