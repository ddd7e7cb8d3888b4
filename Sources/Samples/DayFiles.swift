import Common

/// What goes wrong with a log that is exported day by day: the general faults that every product's sample carries.
struct DayFaults {
    /// This day's file stands there a second time under another name.
    let copied: Day
    /// This day was exported twice, the second time from a quarter of the day on.
    let twice: Day
    /// In the middle of these days' files stands a line more, which is part of nobody's sums.
    var broken: [Day: ExportLine] = [:]
    /// In these days' files a row more, where its time belongs, has the id of another and is refused for it.
    var reused: [Day: DumpRow] = [:]
    /// An hour of the product's life that this log lacks, or that its rows of one kind lack.
    let missingHour: Instant
    var isLost: @Sendable (DumpRow) -> Bool = { _ in true }
    /// Some rows of this day, of those that may, arrive a week late, in a file of their own under `late/`.
    let lateDay: Day
    let lateRows: Int
    var mayBeLate: @Sendable (DumpRow) -> Bool = { _ in true }

    var hour: Range<Instant> { missingHour..<(missingHour + 3600) }
}

/// A log's files, one for each UTC day, with their faults.
struct DayFiles<Event> {
    let name: String
    let faults: DayFaults
    private(set) var files: [Export] = []
    private(set) var lateFiles: [Export] = []
    /// What the main files hold and an ingest accepts, what comes late, and what nobody will ever see.
    private(set) var kept: [Event] = []
    private(set) var late: [Event] = []
    private(set) var missing: [Event] = []

    /// `events` stand in the order of their time. With `windows`, each file is a dump of that stretch, named by its day, and the days of
    /// the faults (but the late one) are days of dumps.
    init(
        _ name: String, as format: DumpFormat = .lines, _ events: [Event], _ faults: DayFaults,
        windows: [(day: Day, range: Range<Instant>)]? = nil, row: (Event) -> DumpRow
    ) {
        (self.name, self.faults) = (name, faults)
        let rows = events.map(row)
        var byDay: [Day: [Int]] = [:]
        for (index, row) in rows.enumerated() {
            if faults.hour.contains(row.at), faults.isLost(row) {
                missing.append(events[index])
            } else {
                byDay[row.at.dayUTC, default: []].append(index)
            }
        }
        if let day = byDay[faults.lateDay] {
            let step = max(2, day.count / max(1, faults.lateRows))
            var held: [Int] = []
            for (place, index) in day.enumerated()
            where place % step == 1 && held.count < faults.lateRows && faults.mayBeLate(rows[index]) {
                held.append(index)
            }
            byDay[faults.lateDay] = day.filter { !held.contains($0) }
            late = held.map { events[$0] }
            lateFiles = [
                Export(
                    path: "late/\(name)-\(faults.lateDay)-late.\(format.ending)", header: format.header,
                    lines: held.map { rows[$0].line(format) })
            ]
        }
        let there = byDay.keys.sorted().flatMap { byDay[$0, default: []] }
        kept = there.map { events[$0] }
        if let windows {
            byDay = Dictionary(
                uniqueKeysWithValues: windows.map { window in (window.day, there.filter { window.range.contains(rows[$0].at) }) })
        }
        for day in byDay.keys.sorted() { write(day, byDay[day, default: []].map { rows[$0] }, format) }
    }

    private mutating func write(_ day: Day, _ rows: [DumpRow], _ format: DumpFormat) {
        func add(_ mark: String, _ lines: some Sequence<ExportLine>) {
            files.append(
                Export(path: "\(name)/\(name)-\(day)\(mark).\(format.ending)", header: format.header, lines: Array(lines)))
        }
        var lines = rows.map { $0.line(format) }
        if let row = faults.reused[day] {
            lines.insert(row.line(format), at: rows.firstIndex { $0.at > row.at } ?? rows.count)
        }
        if let line = faults.broken[day] { lines.insert(line, at: lines.count / 2) }
        if day == faults.twice {
            // The first export stopped in the afternoon; the second began at a quarter of the day and went on to its end.
            add("", lines[..<(lines.count * 3 / 4)])
            add("-again", lines[(lines.count / 4)...])
        } else {
            add("", lines)
            if day == faults.copied { add("-copy", lines) }
        }
    }
}
