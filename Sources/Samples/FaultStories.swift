import Common

/// Tells the general faults of a log of day files, as an ingest must find them.
struct FaultStories {
    let name: String
    let files: DayFiles
    let faults: DayFaults

    private func parts(_ day: Day) -> [Export] { files.files.filter { $0.path.hasPrefix("\(name)/\(name)-\(day)") } }

    var duplicatedFile: JSON? {
        let copies = parts(faults.copied)
        guard copies.count == 2 else { return nil }
        return .fields([
            "stage": .string("ingest"), "files": .array(copies.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(copies[0].lines.count),
        ])
    }

    var overlappingDay: JSON? {
        let parts = parts(faults.twice)
        guard parts.count == 2 else { return nil }
        let shared = Set(parts[0].lines.map(\.text)).intersection(parts[1].lines.map(\.text))
        return .fields([
            "stage": .string("ingest"), "files": .array(parts.map(\.path).sorted().map(JSON.string)),
            "duplicates": .int(shared.count),
        ])
    }

    /// With the money that the rows add, where the product can tell.
    func lateFile(adding cost: Money?) -> JSON? {
        guard let file = files.lateFiles.first else { return nil }
        return .fields([
            "stage": .string("report"), "file": .string(file.path), "rows": .int(file.lines.count),
            "week": .string(Week(of: faults.lateDay).description), "added_cost": .optional(cost?.description),
        ])
    }

    /// `siblings` counts what other logs hold of the same hour.
    func missingHour(siblings: KeyValuePairs<String, Int>) -> JSON? {
        guard !files.missing.isEmpty else { return nil }
        let hour = faults.missingHour..<(faults.missingHour + 3600)
        return .fields([
            "stage": .string("report"), "log": .string(name), "from": .string(hour.lowerBound.description),
            "to": .string(hour.upperBound.description), "rows": .int(0), "lost_rows": .int(files.missing.count),
            "siblings": .object(siblings.map { .init($0.key, .int($0.value)) }),
        ])
    }

    /// The refused lines of all files, with the reason that the first mapping has for each.
    static func brokenLines(of exports: [Export], except known: Set<String> = []) -> JSON? {
        let broken = exports.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> JSON? in
                guard case .quarantined(let reason)? = line.readings.first?.fate, !known.contains(line.text) else { return nil }
                return .fields(["file": .string(file.path), "record": .int(index + 1), "reason": .string(reason)])
            }
        }
        return broken.isEmpty ? nil : .fields(["stage": .string("ingest"), "lines": .array(broken)])
    }
}
