import Common

/// Tells the general faults of a log of day files, as an ingest must find them.
extension DayFiles {
    private func parts(_ day: Day) -> [Export] { files.filter { $0.path.hasPrefix("\(name)/\(name)-\(day)") } }

    private func told(_ parts: [Export], _ figure: String, _ count: Int) -> JSON {
        .fields(["stage": .string("ingest"), "files": .array(parts.map(\.path).sorted().map(JSON.string)), figure: .int(count)])
    }

    /// Files of windows overlap anyway, so of their copies the records are told.
    func duplicatedFile(counting figure: String = "duplicates") -> JSON? {
        let copies = parts(faults.copied)
        return copies.count == 2 ? told(copies, figure, copies[0].lines.count) : nil
    }

    var overlappingDay: JSON? {
        let parts = parts(faults.twice)
        guard parts.count == 2 else { return nil }
        let shared = Set(parts[0].lines.map(\.text)).intersection(parts[1].lines.map(\.text))
        return told(parts, "duplicates", shared.count)
    }

    /// With the money that the rows add.
    func lateFile(adding cost: Money) -> JSON? {
        guard let file = lateFiles.first else { return nil }
        return .fields([
            "stage": .string("report"), "file": .string(file.path), "rows": .int(late.count),
            "week": .string(Week(of: faults.lateDay).description), "added_cost": .money(cost),
        ])
    }

    /// `rest` tells what the log and others hold of the hour all the same.
    func missingHour(_ rest: KeyValuePairs<String, JSON>) -> JSON? {
        guard !missing.isEmpty else { return nil }
        return JSON.fields([
            "stage": .string("report"), "from": .string(faults.hour.lowerBound.description),
            "to": .string(faults.hour.upperBound.description),
        ]).adding(rest)
    }

    /// `siblings` counts what other logs hold of the same hour.
    func missingHour(siblings: KeyValuePairs<String, JSON>) -> JSON? {
        missingHour([
            "log": .string(name), "rows": .int(0), "lost_rows": .int(missing.count), "siblings": .fields(siblings),
        ])
    }
}

/// The refused lines of all files, with the reason that the first mapping has for each.
func brokenLines(of exports: [Export], except known: Set<String> = []) -> JSON? {
    lines(of: exports) { line in
        guard case .quarantined(let reason)? = line.readings.first?.fate, !known.contains(line.text) else { return nil }
        return ["reason": .string(reason)]
    }
}

/// The lines of all files of which something is to be told, each with its place.
func lines(of exports: [Export], _ told: (ExportLine) -> KeyValuePairs<String, JSON>?) -> JSON? {
    let found = exports.flatMap { file in
        file.lines.enumerated().compactMap { index, line in
            told(line).map { JSON.fields(["file": .string(file.path), "record": .int(index + 1)]).adding($0) }
        }
    }
    return found.isEmpty ? nil : .fields(["stage": .string("ingest"), "lines": .array(found)])
}
