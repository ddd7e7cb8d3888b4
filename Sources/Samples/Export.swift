import Common

/// One exported file: its lines, each with what an ingest must make of it.
struct Export {
    let path: String
    /// The first line of a CSV file, which is no record.
    var header: String?
    var lines: [ExportLine]
    /// The whole file is one JSON array, and each line one of its elements.
    let isArray: Bool

    init(path: String, header: String? = nil, lines: [ExportLine], isArray: Bool = false) {
        (self.path, self.header, self.lines, self.isArray) = (path, header, lines, isArray)
    }

    /// As a reader finds it behind the compression.
    var bytes: [UInt8] {
        if isArray { return Array(("[" + lines.map(\.text).joined(separator: ",\n") + "]\n").utf8) }
        var bytes: [UInt8] = header.map { Array(($0 + "\n").utf8) } ?? []
        for line in lines {
            bytes.append(contentsOf: line.text.utf8)
            bytes.append(0x0a)
        }
        return bytes
    }

    func compressed() throws -> [UInt8] { try gzipped(bytes, level: 9) }
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
        self.init(broken: text, [Reading(log: log, kind: kind, fate: .quarantined(reason))])
    }

    init(broken text: String, _ readings: [Reading]) { (self.text, self.readings) = (text, readings) }
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

    /// A valid row, as `SampleRow` tells it.
    static func row(
        _ log: String, _ kind: String? = nil, id: String?, at ts: Instant, content: String? = nil,
        counts: KeyValuePairs<String, Int> = [:], amounts: KeyValuePairs<String, Money> = [:]
    ) -> Reading {
        Reading(log: log, kind: kind, fate: .row(SampleRow(id: id, ts: ts, content: content, counts: counts, amounts: amounts)))
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
