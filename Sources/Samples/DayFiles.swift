import Common

/// What goes wrong with a log that is exported day by day: the general faults that every product's sample carries.
struct DayFaults {
    /// This day's file stands there a second time under another name.
    var copied: Day
    /// This day was exported twice, the second time from a quarter of the day on.
    var twice: Day
    /// In the middle of these days' files stands a line more, which is part of nobody's sums.
    var broken: [Day: ExportLine]
    /// An hour of the product's life that this log lacks, or that its rows of one kind lack.
    var missingHour: Instant
    var isLost: (DumpRow) -> Bool = { _ in true }
    /// Some rows of this day arrive a week late, in a file of their own under `late/`.
    var lateDay: Day
    var lateRows: Int
}

/// A log's files, one for each UTC day, with their faults.
struct DayFiles {
    private(set) var files: [Export] = []
    private(set) var lateFiles: [Export] = []
    /// Positions among the rows given: those that the main files hold, those that come late, and those that nobody will ever see.
    private(set) var kept: [Int] = []
    private(set) var late: [Int] = []
    private(set) var missing: [Int] = []

    /// `rows` stand in the order of their time. With `windows`, each file is a dump of that stretch, named by its day, and the days of
    /// the faults (but the late one) are days of dumps.
    init(
        _ name: String, _ format: DumpFormat = .lines, columns: [String] = [], _ rows: [DumpRow], _ faults: DayFaults,
        windows: [(day: Day, range: Range<Instant>)]? = nil
    ) {
        let header = format == .csv ? columns.joined(separator: ",") : nil
        func add(_ day: Day, _ mark: String, _ lines: some Sequence<ExportLine>) {
            files.append(Export(path: "\(name)/\(name)-\(day)\(mark).\(format.ending)", header: header, lines: Array(lines)))
        }
        let hour = faults.missingHour..<(faults.missingHour + 3600)
        var byDay: [Day: [Int]] = [:]
        for (index, row) in rows.enumerated() {
            if hour.contains(row.at), faults.isLost(row) {
                missing.append(index)
            } else {
                byDay[row.at.dayUTC, default: []].append(index)
            }
        }
        if let day = byDay[faults.lateDay] {
            let step = max(2, day.count / max(1, faults.lateRows))
            for (place, index) in day.enumerated() where place % step == 1 && late.count < faults.lateRows { late.append(index) }
            byDay[faults.lateDay] = day.filter { !late.contains($0) }
            lateFiles = [
                Export(
                    path: "late/\(name)-\(faults.lateDay)-late.\(format.ending)", header: header,
                    lines: late.map { rows[$0].line(format) })
            ]
        }
        kept = byDay.keys.sorted().flatMap { byDay[$0, default: []] }
        if let windows {
            byDay = Dictionary(
                uniqueKeysWithValues: windows.map { window in (window.day, kept.filter { window.range.contains(rows[$0].at) }) })
        }
        for day in byDay.keys.sorted() {
            let indices = byDay[day, default: []]
            var lines = indices.map { rows[$0].line(format) }
            if let line = faults.broken[day] { lines.insert(line, at: lines.count / 2) }
            if day == faults.twice {
                // The first export stopped in the afternoon; the second began at a quarter of the day and went on to its end.
                add(day, "", lines[..<(lines.count * 3 / 4)])
                add(day, "-again", lines[(lines.count / 4)...])
            } else {
                add(day, "", lines)
                if day == faults.copied { add(day, "-copy", lines) }
            }
        }
    }
}
