import Common

/// The faults in the files themselves.
extension AspendosStories {
    var missingHour: JSON? {
        let hour = AspendosStory.missingHour..<(AspendosStory.missingHour + 3600)
        guard !world.requestLog.missing.isEmpty else { return nil }
        return .fields([
            "stage": .string("report"), "from": .string(hour.lowerBound.description), "to": .string(hour.upperBound.description),
            "request_rows": .int(requests.count { hour.contains($0.ts) }),
            "lost_rows": .int(world.requestLog.missing.count),
            "charge_rows": .int(world.charges.count { hour.contains($0.ts) }),
        ])
    }

    var lateFile: JSON? {
        guard let file = world.requestLog.lateFiles.first else { return nil }
        return .fields([
            "stage": .string("report"), "file": .string(file.path), "rows": .int(world.late.count),
            "week": .string(Week(of: AspendosStory.lateDay).description), "added_cost": text(cost(world.late)),
        ])
    }

    private func files(_ day: Day) -> [Export] { exports.filter { $0.path.hasPrefix("requests/requests-\(day)") } }

    var duplicatedFile: JSON? {
        let copies = files(AspendosStory.copiedDay)
        guard copies.count == 2 else { return nil }
        return .fields([
            "stage": .string("ingest"), "files": .array(copies.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(copies[0].lines.count),
        ])
    }

    var overlappingDay: JSON? {
        let parts = files(AspendosStory.twiceExportedDay)
        guard parts.count == 2 else { return nil }
        let shared = Set(parts[0].lines.map(\.text)).intersection(parts[1].lines.map(\.text))
        return .fields([
            "stage": .string("ingest"), "files": .array(parts.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(shared.count),
        ])
    }

    var brokenLines: JSON? {
        let broken = exports.sorted { $0.path < $1.path }.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> JSON? in
                guard case .quarantined(let reason)? = line.readings.first?.fate else { return nil }
                return .fields(["file": .string(file.path), "record": .int(index + 1), "reason": .string(reason)])
            }
        }
        guard !broken.isEmpty else { return nil }
        return .fields(["stage": .string("ingest"), "lines": .array(broken)])
    }
}
