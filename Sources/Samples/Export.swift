import Common

/// One exported file: its lines, each with what an ingest must make of it.
struct Export {
    let path: String
    /// The first line of a CSV file, which is no record.
    var header: String?
    var lines: [ExportLine]

    init(path: String, header: String? = nil, lines: [ExportLine]) {
        (self.path, self.header, self.lines) = (path, header, lines)
    }

    func compressed() throws -> [UInt8] {
        var bytes: [UInt8] = header.map { Array(($0 + "\n").utf8) } ?? []
        for line in lines {
            bytes.append(contentsOf: line.text.utf8)
            bytes.append(0x0a)
        }
        return try gzipped(bytes, level: 9)
    }
}

/// A line and its readings, one for each mapping that reads the file.
struct ExportLine {
    let text: String
    let readings: [Reading]

    init(_ row: JSON, _ readings: [Reading]) {
        text = row.text
        self.readings = readings
    }

    /// A row as `COPY … CSV` writes it; a text with line breaks makes one record of several lines.
    init(copied row: JSON, _ readings: [Reading]) {
        text = copiedCSV(row)
        self.readings = readings
    }

    /// For lines that are broken on purpose.
    init(broken text: String, log: String, kind: String? = nil, reason: String) {
        self.text = text
        readings = [Reading(log: log, kind: kind, fate: .quarantined(reason))]
    }
}

/// What one mapping makes of a line.
struct Reading {
    let log: String
    /// The mapping's share of the log, where several feed it: `mirror`, `entry`, `user`.
    let kind: String?
    let fate: Fate

    enum Fate {
        /// A valid row; it may still be a duplicate of another.
        case row(SampleRow)
        case quarantined(String)
        case outOfRange
        case filtered
    }
}

/// What the truth must know of a valid row.
struct SampleRow {
    /// The id within its mapping; nil where the row has none and its content stands for it.
    var id: String?
    var ts: Instant
    /// What its mapped values say, where the line holds more than is mapped; otherwise the line itself stands for them.
    var content: String?
    var counts: KeyValuePairs<String, Int> = [:]
    var amounts: KeyValuePairs<String, Money> = [:]
}
