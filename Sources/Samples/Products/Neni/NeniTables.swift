import Common

/// Neni's tables of events, dumped every Monday with a window of eight days.
extension NeniWorld {
    var eventTables: [Export] { usageRecords + providerCosts + mediaFiles + suggestionFiles + jobLogs + parentLinks }

    private var usageRecords: [Export] {
        var rows = meters.readings.map { reading in
            DumpRow(
                at: reading.from, row: row(reading),
                readings: [.row("meters", id: reading.id, at: reading.from, counts: ["value": reading.value])])
        }
        if let refused = refusedReading {
            rows.append(
                DumpRow(
                    at: refused.from, row: row(refused),
                    readings: [Reading(log: "meters", kind: nil, fate: .quarantined("bad_value"))]))
        }
        return span.windowDumps("UsageRecord", rows)
    }

    /// A metric that the product does not have.
    var refusedReading: NeniReading? {
        guard span.contains(NeniStory.refusedMetric) else { return nil }
        var cuids = cuids
        let from = NeniStory.refusedMetric.startUTC
        return NeniReading(
            id: cuids.next(at: from + 86_402), tenant: tenant(.custom), metric: NeniStory.refusedName, value: 14, from: from,
            to: from + 86_400, recorded: from + 86_402)
    }

    func row(_ reading: NeniReading) -> JSON {
        .fields([
            "id": .string(reading.id),
            "kindergartenId": id(reading.tenant),
            "metric": .string(reading.metric),
            "value": .string(String(reading.value)),
            "recordedAt": .string(reading.recorded.exportedByPrisma),
            "periodStart": .string(reading.from.exportedByPrisma),
            "periodEnd": .string(reading.to.exportedByPrisma),
        ])
    }

    private var providerCosts: [Export] {
        let rows = costs.costs.map { cost in
            let row = JSON.fields([
                "id": .string(cost.id),
                "kindergartenId": cost.tenant.map { id($0) } ?? .null,
                "provider": .string(cost.provider),
                "costCents": .int(cost.cents),
                "currency": .string("USD"),
                "occurredAt": .string(cost.at.exportedByPrisma),
                "refType": .optional(cost.refType),
                "refId": .optional(cost.ref),
            ])
            return DumpRow(
                at: cost.at, row: row,
                readings: [.row("charges", id: cost.id, at: cost.at, amounts: ["amount_USD": Money(cents: cost.cents)])])
        }
        let columns = ["id", "kindergartenId", "provider", "costCents", "currency", "occurredAt", "refType", "refId"]
        return span.windowDumps("ProviderCost", as: .csv(columns), rows).spoiled(NeniStory.raggedDump) { line in
            // A row that was cut off in the middle.
            let cut = line.text.split(separator: ",", omittingEmptySubsequences: false).prefix(5)
            return ExportLine(broken: cut.joined(separator: ","), log: "charges", reason: "bad_csv")
        }
    }

    /// Rows that came or changed within the eight days before a dump, as they stand on its day.
    private func changes<Item>(
        _ name: String, as format: DumpFormat = .lines, _ items: [Item], created: (Item) -> Instant,
        changed: (Item) -> Instant?, _ row: (Item, _ now: Instant) -> DumpRow
    ) -> [Export] {
        span.wholeDumps(name, as: format) { day, now in
            let window = span.window(before: day)
            return items.filter { window.contains(created($0)) || changed($0).map(window.contains) ?? false }.map { row($0, now) }
        }
    }

    private var mediaFiles: [Export] {
        let owner = tenant(.trial)
        return changes("MediaFile", days.media, created: \.created, changed: \.deleted) { file, now in
            let deleted = file.deleted.flatMap { $0 < now ? $0 : nil }
            let updated = deleted ?? file.created
            let row = JSON.fields([
                "id": .string(file.id),
                "kindergartenId": id(owner),
                "childId": .optional(file.child),
                "kind": .string(file.kind),
                "sizeBytes": file.isSized ? .int(file.bytes) : .null,
                "createdAt": .string(file.created.exportedByPrisma),
                "deletedAt": .optional(deleted?.exportedByPrisma),
            ])
            return DumpRow(
                at: file.created, row: row,
                readings: [
                    // An upload stays what it was when the file goes later.
                    .row(
                        "sessions", "upload", id: file.id, at: file.created, content: file.id,
                        counts: ["x_bytes": file.isSized ? file.bytes : 0]),
                    .row("snapshots", "media", id: "\(file.id) \(updated)", at: updated),
                ])
        }
    }

    private var suggestionFiles: [Export] {
        let columns = ["id", "kindergartenId", "mediaFileId", "status", "createdAt", "decidedAt"]
        return changes(
            "FaceRecognitionSuggestion", as: .csv(columns), days.suggestions, created: \.created, changed: { $0.decided?.at }
        ) { guess, now in
            let status = guess.status(at: now)
            let decided = status == "PENDING" ? nil : guess.decided?.at
            let row = JSON.fields([
                "id": .string(guess.id),
                "kindergartenId": id(guess.tenant),
                "mediaFileId": .string(guess.media),
                "status": .string(status),
                "createdAt": .string(guess.created.exportedByPrisma),
                "decidedAt": .optional(decided?.exportedByPrisma),
            ])
            let updated = decided ?? guess.created
            return DumpRow(
                at: guess.created, row: row,
                readings: [
                    decided.map { .row("sessions", "face", id: guess.id, at: $0) }
                        ?? Reading(log: "sessions", kind: "face", fate: .filtered),
                    .row("snapshots", "face_suggestion", id: "\(guess.id) \(updated)", at: updated),
                ])
        }
    }

    private var jobLogs: [Export] {
        let rows = days.jobs.map { job in
            let row = JSON.fields([
                "id": .string(job.id),
                "queue": .string(job.queue),
                "kindergartenId": id(job.tenant),
                "status": .string(job.failed ? "FAILED" : "COMPLETED"),
                "startedAt": .string(job.started.exportedByPrisma),
                "finishedAt": .string((job.started + Int64(job.seconds)).exportedByPrisma),
            ])
            return DumpRow(at: job.started, row: row, readings: [.row("sessions", "job", id: job.id, at: job.started)])
        }
        return span.windowDumps("JobLog", rows)
    }

    /// Whole in the first dump, then what is new.
    private var parentLinks: [Export] {
        let links = tenants.flatMap(\.children).flatMap { child in child.links.map { (child, $0) } }
            .sorted { ($0.1.created, $0.1.id) < ($1.1.created, $1.1.id) }
        let columns = ["id", "childId", "parentId", "createdAt"]
        return span.wholeDumps("ChildParentLink", as: .csv(columns), opening: true) { day, now in
            let start = day == span.first ? Instant(microseconds: 0) : span.window(before: day).lowerBound
            return links.filter { start <= $0.1.created && $0.1.created < now }.map { child, link in
                let row = JSON.fields([
                    "id": .string(link.id),
                    "childId": .string(child.id),
                    "parentId": .string(link.parent),
                    "createdAt": .string(link.created.exportedByPrisma),
                ])
                return DumpRow(
                    at: link.created, row: row,
                    readings: [.row("snapshots", "parent_link", id: "\(link.id) \(link.created)", at: link.created)])
            }
        }
    }
}
