/// How the bytes of a file are divided into records.
public enum RecordFormat: Equatable, Sendable {
    /// A JSON value on each line.
    case jsonl
    /// Lists of JSON values, or JSON values one after another, over any number of lines.
    case json
    /// A header, then rows of fields (RFC 4180).
    case csv(CSVForm)
}

/// What the fields of a CSV file are divided by, and which of them are none.
public struct CSVForm: Equatable, Sendable {
    /// One character of ASCII.
    var delimiter: UInt8 = 0x2c
    /// Fields without quotes that stand for null, besides the empty one.
    var nulls: [[UInt8]] = []
    /// Whether an empty field stands for null in quotes too.
    var emptyTextIsNull = false
}

/// What `format` of a source may be.
enum FormatName: String, CaseIterable {
    case jsonl, json, csv, tsv

    /// What the end of a file's name says, without .gz.
    init?(ofFile path: String) {
        var name = path.lowercased()[...]
        if name.hasSuffix(".gz") { name = name.dropLast(3) }
        guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return nil }
        switch name[name.index(after: dot)...] {
        case "jsonl", "ndjson": self = .jsonl
        case "json": self = .json
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        default: return nil
        }
    }

    /// The format of this name; what is said of CSV files is for those only.
    func format(delimiter: UInt8? = nil, nulls: [String] = []) -> RecordFormat {
        func rows(_ usual: UInt8) -> RecordFormat {
            .csv(
                CSVForm(
                    delimiter: delimiter ?? usual, nulls: nulls.filter { !$0.isEmpty }.map { Array($0.utf8) },
                    emptyTextIsNull: nulls.contains("")))
        }
        return switch self {
        case .jsonl: .jsonl
        case .json: .json
        case .csv: rows(0x2c)
        case .tsv: rows(0x09)
        }
    }
}

extension RecordFormat {
    /// As messages have it, and the ledger beside a file that was read.
    var name: String {
        switch self {
        case .jsonl: "jsonl"
        case .json: "json"
        case .csv(let form):
            form.delimiter == 0x2c ? "csv" : form.delimiter == 0x09 ? "tsv" : "csv with \(UnicodeScalar(form.delimiter))"
        }
    }

    /// Whether a grown file is read on from where it was; a list has its end behind its last record, which moves when it grows.
    var growsByRecords: Bool { self != .json }
}
