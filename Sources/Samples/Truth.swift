import Common

extension Sample {
    /// With the truth: what an ingest must find in each log, what comes late, and what each planted story must show. A story whose day
    /// lies outside the sample is left out.
    init(
        _ order: SampleOrder, _ span: SampleSpan, _ exports: [Export], late: [Export], logs: [String],
        stories: [(name: String, told: JSON?)]
    ) {
        self.exports = exports + late
        var members = tellTruth(of: exports, logs: logs)
        if !late.isEmpty { members.append(.init("late", .object(tellTruth(of: late)))) }
        truth = JSON.object(members).adding([
            "product": .string(order.product),
            "order": .fields([
                "users": .int(order.users), "weeks": .int(order.weeks), "from_week": .string(order.fromWeek.description),
                "seed": .int(order.seed), "time_zone": .string(span.zone.name),
            ]),
            "stories": .object(stories.compactMap { name, told in told.map { JSON.Member(name, $0) } }),
        ])
    }
}

/// Counts what an ingest must find in a set of files, by the product's own knowledge of each line.
///
///     tellTruth(of: exports, logs: ["usage"])   // {"usage": {"records": 8532, "accepted": 8203, …}}
///
/// The logs named are told even where no file feeds them.
private func tellTruth(of exports: [Export], logs names: [String] = []) -> [JSON.Member] {
    let exports = exports.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    var logs = Dictionary(uniqueKeysWithValues: names.map { ($0, LogTruth()) })
    for (file, export) in exports.enumerated() {
        var seen: [String: Int] = [:]
        for (index, line) in export.lines.enumerated() {
            for reading in line.readings {
                logs[reading.log, default: LogTruth()].read(reading, of: line, file: file, record: index + 1, seen: &seen)
            }
        }
    }
    return logs.keys.sorted().map { JSON.Member($0, logs[$0, default: LogTruth()].told(paths: exports.map(\.path))) }
}

/// What is known of one log.
private struct LogTruth {
    private struct Candidate {
        let ts: Instant
        let file: Int
        let record: Int
        let kind: String?
        let content: String
        let row: SampleRow
    }
    private var candidates: [String: [Candidate]] = [:]
    private var total = Outcomes()
    private var files: [Int: Outcomes] = [:]
    private var kinds: [String: Outcomes] = [:]
    private var reasons: [String: Int] = [:]

    mutating func read(_ reading: Reading, of line: ExportLine, file: Int, record: Int, seen: inout [String: Int]) {
        switch reading.fate {
        case .row(let row):
            var key = "\(reading.kind ?? "") \(row.id ?? "")"
            if row.id == nil {
                // Rows without an id are told apart by their ordinal among identical rows of their file.
                let content = "\(reading.log) \(reading.kind ?? "") \(row.content ?? line.text)"
                key = "\(content) \(seen[content, default: 0])"
                seen[content, default: 0] += 1
            }
            candidates[key, default: []].append(
                Candidate(ts: row.ts, file: file, record: record, kind: reading.kind, content: row.content ?? line.text, row: row)
            )
        case .quarantined(let reason):
            reasons[reason, default: 0] += 1
            count(\.quarantined, file: file, kind: reading.kind)
        case .outOfRange: count(\.outOfRange, file: file, kind: reading.kind)
        case .filtered: count(\.filtered, file: file, kind: reading.kind)
        }
    }

    private mutating func count(_ outcome: WritableKeyPath<Outcomes, Int>, file: Int, kind: String?) {
        total[keyPath: outcome] += 1
        files[file, default: Outcomes()][keyPath: outcome] += 1
        if let kind { kinds[kind, default: Outcomes()][keyPath: outcome] += 1 }
    }

    /// The least (ts, source file, record) of an id stays; the same again is a duplicate, another content is refused.
    func told(paths: [String]) -> JSON {
        var told = self
        var sums = Sums()
        var days: [Day: Sums] = [:]
        for key in candidates.keys.sorted() {
            let rows = candidates[key, default: []].sorted { ($0.ts, $0.file, $0.record) < ($1.ts, $1.file, $1.record) }
            guard let first = rows.first else { continue }
            told.count(\.accepted, file: first.file, kind: first.kind)
            sums.add(first.row)
            days[first.ts.dayUTC, default: Sums()].add(first.row)
            for row in rows.dropFirst() {
                if row.content == first.content {
                    told.count(\.duplicate, file: row.file, kind: row.kind)
                } else {
                    told.reasons["id_reused", default: 0] += 1
                    told.count(\.quarantined, file: row.file, kind: row.kind)
                }
            }
        }
        var members = told.total.members
        members.append(JSON.Member("sums", .object(sums.columns)))
        members.append(JSON.Member("reasons", .object(told.reasons.keys.sorted().map { .init($0, .int(told.reasons[$0] ?? 0)) })))
        members.append(
            JSON.Member(
                "days",
                .object(
                    days.keys.sorted().map { day in
                        let sums = days[day, default: Sums()]
                        return .init(day.description, .object([JSON.Member("rows", .int(sums.rows))] + sums.columns))
                    })))
        members.append(
            JSON.Member(
                "by_file",
                .object(told.files.keys.sorted().map { .init(paths[$0], .object(told.files[$0, default: Outcomes()].members)) })))
        if !told.kinds.isEmpty {
            members.append(
                JSON.Member(
                    "by_kind",
                    .object(told.kinds.keys.sorted().map { .init($0, .object(told.kinds[$0, default: Outcomes()].members)) })))
        }
        return .object(members)
    }
}

/// The five ends of a record.
private struct Outcomes {
    var accepted = 0
    var duplicate = 0
    var outOfRange = 0
    var quarantined = 0
    var filtered = 0

    var members: [JSON.Member] {
        [
            .init("records", .int(accepted + duplicate + outOfRange + quarantined + filtered)),
            .init("accepted", .int(accepted)), .init("duplicate", .int(duplicate)), .init("out_of_range", .int(outOfRange)),
            .init("quarantined", .int(quarantined)), .init("filtered", .int(filtered)),
        ]
    }
}

private struct Sums {
    private(set) var rows = 0
    private var counts: [String: Int] = [:]
    private var amounts: [String: Money] = [:]

    mutating func add(_ row: SampleRow) {
        rows += 1
        for (column, value) in row.counts { counts[column, default: 0] += value }
        for (column, value) in row.amounts { amounts[column, default: .zero] += value }
    }

    var columns: [JSON.Member] {
        counts.keys.sorted().map { .init($0, .int(counts[$0] ?? 0)) }
            + amounts.keys.sorted().map { .init($0, .string((amounts[$0] ?? .zero).description)) }
    }
}
