import Common
import Lake

/// One entry of a job's `sources`: which files, which log, and how a record of the export becomes a row.
public struct Source: Sendable {
    /// Names the entry in counts, in quarantine and on its rows; unique within the job.
    public let name: String
    public let log: Log
    /// Paths, folders or patterns below the data folder.
    public let files: [FilePattern]
    /// As which format the files are read; nil where their names or their content decide.
    let formatName: FormatName?
    /// How those of them are written that are CSV; the delimiter is nil where the format decides.
    let csv: (delimiter: UInt8?, nulls: [String])
    /// Rows of one scope with one id are the same row.
    public let idScope: String
    /// Whether, of rows with one id and other values, the greatest stays instead of the least.
    public let keepLast: Bool
    public let columns: [(spec: ColumnSpec, rule: ColumnRule)]
    public let conditions: [Condition]
    public let place: Place
}

/// How a column is filled from a record.
public enum ColumnRule: Equatable, Sendable {
    /// The first of these paths that the record has.
    case paths([String])
    case constant(String)
    /// The day that stands in the file's name, at the place of `YYYY-MM-DD` in the pattern.
    case fileName(pattern: String)
    /// An object of these fields, as JSON text with sorted keys.
    case object([(name: String, path: String)])

    public static func == (a: ColumnRule, b: ColumnRule) -> Bool { "\(a)" == "\(b)" }
}

/// A record that does not meet every condition is filtered: counted, but not stored.
public struct Condition: Sendable {
    let path: String
    let test: Test

    enum Test: Sendable {
        /// There is a value, and it is neither null nor the empty text.
        case present
        case oneOf([String])
    }
}

// MARK: - Job file

extension Source {
    public static let schema = ConfigSchema(
        name: "source",
        keys: [
            ConfigKey(
                name: "log", kind: "one of \(listed(Log.allCases.map(\.rawValue)))", required: true,
                about: "The log whose rows the records become."),
            ConfigKey(
                name: "files", kind: "path, folder or pattern, or list of them", required: true,
                about:
                    "The files, below the data folder; of a folder all files below it. * stands for any part of a name, ? for one character, ** for any folders; names that begin with a dot are left out."
            ),
            ConfigKey(
                name: "format", kind: "one of \(listed(FormatName.allCases.map(\.rawValue)))",
                about:
                    "How the files are divided into records: JSON by line, JSON lists or values over any lines, or rows under a header. By default the file's name decides; by another name a file that begins with [ is json, and else jsonl."
            ),
            ConfigKey(
                name: "delimiter", kind: "one character",
                about: "What divides the fields of CSV files; by default a comma, and a tab for tsv."),
            ConfigKey(
                name: "nulls", kind: "list of text",
                about:
                    "Fields of CSV files without quotes that are null, besides the empty one; \"\" makes empty fields in quotes null too."
            ),
            ConfigKey(
                name: "name", kind: "text",
                about: "Names the entry in counts and on its rows; by default the folder or file name and the log."),
            ConfigKey(
                name: "kind", kind: "text",
                about: "Fills the column kind with this text; the same as map: { kind: { constant: … } }."),
            ConfigKey(
                name: "map", kind: "object: column → field, list of fields, { constant } or { from_file_name }",
                about: "Says which field fills a column; a field that already bears a column's name needs no entry."),
            ConfigKey(
                name: "where", kind: "object: field → value, list of values or { present: true }",
                about: "Keeps only the records that meet every condition; the others are counted as filtered."),
            ConfigKey(
                name: "keep", kind: "one of first and last",
                about:
                    "Of rows with one id and other values the least (ts, file, record) stays, or with last the greatest (output tokens, ts, file, record)."
            ),
            ConfigKey(
                name: "id_scope", kind: "text",
                about:
                    "Sources that hold the same events share a scope, so that an id counts once over all of them; by default the entry's name."
            ),
        ])

    private enum Keep: String, CaseIterable { case first, last }

    public init(_ object: ConfigObject, jobColumns: [ColumnSpec]) throws {
        log = try object.choice("log", of: Log.self)
        let patterns = try object.oneOrMoreTexts("files").map { FilePattern($0) }
        guard let first = patterns.first ?? nil, !patterns.contains(nil) else {
            throw object.failure("\"files\" in source must be a path below the data folder, without \"..\".", at: "files")
        }
        files = patterns.compactMap { $0 }
        place = object.place
        formatName = try object.optionalChoice("format", of: FormatName.self)
        csv = (try Source.delimiter(object), try object.texts("nulls"))
        for key in ["delimiter", "nulls"] where object.node(key) != nil && (formatName == .jsonl || formatName == .json) {
            throw object.failure("\"\(key)\" is for CSV files, and the format of these is JSON. Remove it.", at: key)
        }
        let stem = first.steps.first.map { $0.prefix { !"*?.".contains($0) } } ?? ""
        name =
            try object.optionalText("name") ?? "\(stem.hasSuffix("-") ? String(stem.dropLast()) : String(stem)) \(log.rawValue)"
        idScope = try object.optionalText("id_scope") ?? name
        keepLast = try object.choice("keep", of: Keep.self, default: .first) == .last
        conditions = try object.named("where").map { try Condition(path: $0.name, $0.node) }

        let specs = log.columns + jobColumns
        var rules: [String: ColumnRule] = [:]
        if let kind = try object.optionalText("kind") {
            guard specs.contains(where: { $0.name == "kind" }) else {
                throw object.failure("The log \(log.rawValue) has no column kind. Remove this key.", at: "kind")
            }
            rules["kind"] = .constant(kind)
        }
        for (column, place, node) in try object.named("map") {
            guard let spec = specs.first(where: { $0.name == column || $0.name == "x_" + column }) else {
                let hint = didYouMean(column, from: specs.map(\.name))
                throw Failure(
                    "unknown column \"\(column)\" of log \(log.rawValue).\(hint) Its columns are \(listed(specs.map(\.name))).",
                    at: place, kind: .usage)
            }
            rules[spec.name] = try ColumnRule(node, column: spec)
        }
        columns = specs.map { spec in
            (spec, rules[spec.name] ?? .paths([spec.name.hasPrefix("x_") ? String(spec.name.dropFirst(2)) : spec.name]))
        }
    }

    /// What decides how a record becomes a row, as text: a part of the ingest's digest.
    var definition: String {
        let rules = columns.map { "\($0.spec.name)=\($0.rule)" }.joined(separator: ",")
        let tests = conditions.map { "\($0.path):\($0.test)" }.joined(separator: ",")
        let format = "\(formatName?.rawValue ?? "")|\(csv.delimiter.map { String($0) } ?? "")|\(csv.nulls)"
        let files = files.map(\.text).joined(separator: ",")
        return "\(name)|\(log.rawValue)|\(files)|\(format)|\(idScope)|\(keepLast)|\(rules)|\(tests)"
    }
}

extension ColumnRule {
    private static let schema = ConfigSchema(
        name: "map",
        keys: [
            ConfigKey(name: "constant", kind: "text", about: "The same text on every row."),
            ConfigKey(
                name: "from_file_name", kind: "text with YYYY-MM-DD",
                about: "The day that stands in the file's name at the place of YYYY-MM-DD."),
        ])

    init(_ node: ConfigNode, column: ColumnSpec) throws {
        let what = "\"\(column.name)\" in map"
        switch node.value {
        case .string(let path): self = .paths([path])
        case .array where column.name == "attributes": self = .object(try node.texts(what).map { ($0, $0) })
        case .array:
            let paths = try node.texts(what)
            guard !paths.isEmpty else { throw node.failure("\(what) is an empty list. Name at least one field.") }
            self = .paths(paths)
        default:
            let object = try ConfigObject(node, ColumnRule.schema)
            switch (try object.optionalText("constant"), try object.optionalText("from_file_name")) {
            case (let text?, nil): self = .constant(text)
            case (nil, let pattern?):
                guard column.type == .timestamp, pattern.contains("YYYY-MM-DD") else {
                    throw node.failure(
                        "from_file_name fills a time column, from a pattern that holds YYYY-MM-DD, such as \"users-YYYY-MM-DD\".")
                }
                self = .fileName(pattern: pattern)
            default: throw node.failure("\(what) must be a field, a list of fields, { constant: … } or { from_file_name: … }.")
            }
        }
    }
}

extension Condition {
    private static let schema = ConfigSchema(
        name: "where", keys: [ConfigKey(name: "present", kind: "true", about: "There is a value that is neither null nor empty.")]
    )

    fileprivate init(path: String, _ node: ConfigNode) throws {
        self.path = path
        switch node.value {
        case .string(let text), .number(let text): test = .oneOf([text])
        case .bool(let flag): test = .oneOf([String(flag)])
        case .array: test = .oneOf(try node.texts("\"\(path)\" in where"))
        default:
            let object = try ConfigObject(node, Condition.schema)
            guard try object.bool("present", default: false) else {
                throw node.failure("A condition is a value, a list of values or { present: true }.")
            }
            test = .present
        }
    }
}

// MARK: - Files

extension Source {
    /// As what a file is read; nil where its content decides.
    public func format(of file: String) -> RecordFormat? {
        (formatName ?? FormatName(ofFile: file))?.format(delimiter: csv.delimiter, nulls: csv.nulls)
    }

    fileprivate static func delimiter(_ object: ConfigObject) throws -> UInt8? {
        guard let text = try object.optionalText("delimiter") else { return nil }
        guard let byte = text.utf8.first, text.utf8.count == 1, byte < 0x80, ![0x00, 0x0a, 0x0d, 0x22].contains(byte) else {
            throw object.failure(
                "\"delimiter\" in source is one character such as \";\", and neither a quote nor a line end.", at: "delimiter")
        }
        return byte
    }

    /// The files of the entry, as paths below the data folder, each once, sorted by bytes.
    func matchingFiles(in data: String) throws -> [String] {
        try Set(files.flatMap { try $0.matches(in: data) }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
