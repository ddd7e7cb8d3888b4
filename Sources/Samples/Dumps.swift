import Common

/// How a table is written down.
enum DumpFormat {
    /// A query's result as JSON lines.
    case lines
    /// `COPY … TO … CSV HEADER`.
    case csv([String])

    var ending: String {
        switch self {
        case .lines: "jsonl.gz"
        case .csv: "csv.gz"
        }
    }

    var header: String? {
        switch self {
        case .lines: nil
        case .csv(let columns): columns.joined(separator: ",")
        }
    }
}

/// One row of a table that is dumped again and again.
struct DumpRow {
    let at: Instant
    let row: JSON
    let readings: [Reading]

    func line(_ format: DumpFormat) -> ExportLine {
        switch format {
        case .lines: ExportLine(row, readings)
        case .csv: ExportLine(copied: row, readings)
        }
    }
}

extension SampleSpan {
    /// A table of events, dumped every Monday with a window of eight days: consecutive files overlap by one day, and those rows come
    /// back as they were.
    func windowDumps(_ name: String, as format: DumpFormat = .lines, _ rows: [DumpRow]) -> [Export] {
        let rows = rows.sorted { ($0.at, $0.row.text) < ($1.at, $1.row.text) }
        return windows.map { day, window in export(name, day, format, rows.filter { window.contains($0.at) }) }
    }

    /// The eight days before each dump.
    var windows: [(day: Day, range: Range<Instant>)] { dumps.map { ($0, window(before: $0)) } }

    func window(before dump: Day) -> Range<Instant> { (dump - 8).startUTC..<dump.startUTC }

    /// A small table, dumped whole every Monday: the same ids come back, some of them changed. `rows` gives the table as it stands at a
    /// moment, in its order. An opening dump on the first day lets the first week's events find a version.
    func wholeDumps(
        _ name: String, as format: DumpFormat = .lines, opening: Bool = false, _ rows: (_ day: Day, _ now: Instant) -> [DumpRow]
    ) -> [Export] {
        ((opening ? [first] : []) + dumps).map { day in export(name, day, format, rows(day, day.startUTC)) }
    }

    private func export(_ name: String, _ day: Day, _ format: DumpFormat, _ rows: [DumpRow]) -> Export {
        Export(path: "\(name)/\(name)-\(day).\(format.ending)", header: format.header, lines: rows.map { $0.line(format) })
    }
}

extension [Export] {
    /// Puts a line more into the middle of one day's dump, spoiled after the line that stands there.
    func spoiled(_ dump: Day, _ spoil: (ExportLine) -> ExportLine) -> [Export] {
        map { file in
            guard file.path.contains("-\(dump)."), file.lines.count > 2 else { return file }
            var file = file
            let middle = file.lines.count / 2
            file.lines.insert(spoil(file.lines[middle]), at: middle)
            return file
        }
    }
}

/// A row as PostgreSQL's `COPY … CSV` writes it: null is nothing, an empty text is two quotes, flags are t and f, a list of plain values
/// is `{a,b}`, and what is left of JSON is its text.
///
///     copiedCSV(.fields(["a": .string("x, y"), "b": .null, "c": .string(""), "d": .bool(true)]))   // "x, y",,"",t
func copiedCSV(_ row: JSON) -> String {
    (row.members ?? []).map { member in
        switch member.value {
        case .null: ""
        case .bool(let flag): flag ? "t" : "f"
        case .string(""): "\"\""
        case .string(let text): csvQuoted(text)
        case .array(let items) where items.allSatisfy { $0.string != nil }:
            csvQuoted("{" + items.compactMap(\.string).map(arrayElement).joined(separator: ",") + "}")
        default: csvQuoted(member.value.text)
        }
    }.joined(separator: ",")
}

/// PostgreSQL, "Arrays", 8.15.6: elements are quoted where they are empty or hold braces, commas, quotes, backslashes or white space, or
/// read NULL; inside, quotes and backslashes get a backslash.
private func arrayElement(_ text: String) -> String {
    let plain = !text.isEmpty && text.uppercased() != "NULL" && !text.utf8.contains { "{},\"\\ \t\r\n".utf8.contains($0) }
    if plain { return text }
    return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
