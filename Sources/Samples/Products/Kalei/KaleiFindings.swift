import Common

/// The stories that show as findings: rules broken by the product, and faults in the files.
extension KaleiStories {
    private func call(_ call: KaleiCall) -> JSON {
        .fields([
            "id": .string(call.id), "ts": .string(call.ts.description), "member": id(call.member),
            "feature": .string(call.feature.rawValue),
            "week": .string(span.week(of: call.ts).description), "plan": .string(members[call.member].plan(at: call.ts).rawValue),
            "cost": call.cost.map(text) ?? .null,
        ])
    }

    private func finding(_ stage: String, _ calls: [KaleiCall]) -> JSON? {
        guard !calls.isEmpty else { return nil }
        let total = calls.reduce(into: Money.zero) { $0 += $1.cost ?? .zero }
        return .fields([
            "stage": .string(stage), "count": .int(calls.count), "cost": text(total), "calls": .array(calls.map { call($0) }),
        ])
    }

    // MARK: - Rules

    var runaway: JSON? {
        guard span.contains(KaleiStory.runaway), let member = members.firstIndex(where: { $0.role == .runaway }) else {
            return nil
        }
        let day = faults.accepted.filter { span.day(of: $0.ts) == KaleiStory.runaway }
        let own = day.filter { $0.member == member }
        func cost(_ calls: [KaleiCall]) -> Money { calls.reduce(into: .zero) { $0 += $1.cost ?? .zero } }
        return .fields([
            "stage": .string("report"), "day": .string(KaleiStory.runaway.description), "member": id(member),
            "plan": .string(members[member].plan(at: span.moment(KaleiStory.runaway, 0)).rawValue),
            "turns": .int(own.count { $0.feature == .turn && !$0.failed }), "calls": .int(own.count), "cost": text(cost(own)),
            "tokens": .int(own.reduce(0) { $0 + $1.input + $1.cacheRead + $1.cacheWrite + $1.output }),
            "day_cost": text(cost(day)),
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
        finding("report", faults.accepted.filter { $0.feature == .spectrum && members[$0.member].plan(at: $0.ts) != .prismPlus })
    }

    var sonnet: JSON? { finding("report", faults.accepted.filter { $0.model == KaleiRate.sonnet.model }) }
    var fallback: JSON? { finding("report", faults.accepted.filter { $0.route == "fallback" }) }

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
        let calls = faults.accepted.filter { $0.model == KaleiStory.unknownModel }
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
        let hour = KaleiStory.missingHour..<(KaleiStory.missingHour + 3600)
        guard faults.missing > 0 else { return nil }
        return .fields([
            "stage": .string("report"), "from": .string(hour.lowerBound.description), "to": .string(hour.upperBound.description),
            "usage_rows": .int(faults.accepted.count { hour.contains($0.ts) }),
            "mirror_rows": .int(world.diary.sessions.count { hour.contains($0.started) }),
            "fragment_rows": .int(world.diary.fragments.count { hour.contains($0.created) }),
            "turn_rows": .int(world.diary.turns.count { hour.contains($0.created) }),
        ])
    }

    var lateFile: JSON? {
        guard let file = faults.lateFiles.first else { return nil }
        return .fields([
            "stage": .string("report"), "file": .string(file.path), "rows": .int(faults.late.count),
            "week": .string(Week(of: KaleiStory.lateDay).description),
            "added_cost": text(faults.late.reduce(into: .zero) { $0 += $1.cost ?? .zero }),
        ])
    }

    private func files(_ day: Day) -> [Export] { faults.usageFiles.filter { $0.path.hasPrefix("api_usage/api_usage-\(day)") } }

    var duplicatedFile: JSON? {
        let copies = files(KaleiStory.copiedDay)
        guard copies.count == 2 else { return nil }
        return .fields([
            "stage": .string("ingest"), "files": .array(copies.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(copies[0].lines.count),
        ])
    }

    var overlappingDay: JSON? {
        let parts = files(KaleiStory.twiceExportedDay)
        guard parts.count == 2 else { return nil }
        let shared = Set(parts[0].lines.map(\.text)).intersection(parts[1].lines.map(\.text))
        return .fields([
            "stage": .string("ingest"), "files": .array(parts.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(shared.count),
        ])
    }

    var brokenLines: JSON? {
        let broken = faults.usageFiles.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> JSON? in
                guard case .quarantined(let reason)? = line.readings.first?.fate else { return nil }
                return .fields(["file": .string(file.path), "record": .int(index + 1), "reason": .string(reason)])
            }
        }
        guard !broken.isEmpty else { return nil }
        return .fields(["stage": .string("ingest"), "lines": .array(broken)])
    }

    var outOfRange: JSON? {
        let lines = faults.usageFiles.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> JSON? in
                guard case .outOfRange? = line.readings.first?.fate else { return nil }
                return .fields(["file": .string(file.path), "record": .int(index + 1), "year": .int(2062)])
            }
        }
        guard !lines.isEmpty else { return nil }
        return .fields(["stage": .string("ingest"), "lines": .array(lines)])
    }

    var reusedID: JSON? {
        faults.reused.map {
            .fields([
                "stage": .string("ingest"), "id": .string($0.id), "output_tokens_that_stay": .int($0.stays),
                "output_tokens_refused": .int($0.refused),
            ])
        }
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

    /// How many private texts hold something that redaction must find.
    var personalData: JSON? {
        let texts =
            world.diary.sessions.flatMap { [$0.entry, $0.reflection] }.compactMap(\.self) + world.diary.turns.map(\.input)
        func count(_ mark: String) -> JSON { .int(texts.count { $0.contains(mark) }) }
        return .fields([
            "stage": .string("request"), "e_mail": count("@example.org"), "phone": count("+49 30 23125"),
            "card": count("4111 1111"),
            "link": count("https://example.com"),
        ])
    }
}
