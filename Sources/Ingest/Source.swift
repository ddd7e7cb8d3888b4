import Common
import Lake

/// One entry of a job's `sources`: which files, which log, and how a record of the export becomes a row.
public struct Source: Sendable {
    /// Names the entry in counts, in quarantine and on its rows; unique within the job.
    public let name: String
    public let log: Log
    /// A path or pattern below the data folder; `*` stands for any part of a name.
    public let files: String
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
                name: "files", kind: "path or pattern", required: true,
                about: "The files, below the data folder; * stands for any part of a name."),
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
        files = try object.text("files")
        place = object.place
        guard !files.isEmpty, !files.hasPrefix("/"), !files.split(separator: "/").contains("..") else {
            throw object.failure("\"files\" in source must be a path below the data folder, without \"..\".", at: "files")
        }
        let stem = files.split(separator: "/").first.map { $0.prefix { $0 != "*" && $0 != "." } } ?? ""
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
        return "\(name)|\(log.rawValue)|\(files)|\(idScope)|\(keepLast)|\(rules)|\(tests)"
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
    /// The files of the entry, as paths below the data folder, sorted.
    func matchingFiles(in data: String) throws -> [String] {
        var found = [""]
        for pattern in files.split(separator: "/").map(String.init) {
            found = try found.flatMap { folder -> [String] in
                guard pattern.contains("*") else { return [folder.isEmpty ? pattern : folder + "/" + pattern] }
                // A file beside the folders that a star stands for holds no files.
                guard kind(of: joined(data, folder)) == .folder else { return [] }
                return try names(in: joined(data, folder)).filter { matches($0, pattern) }.map {
                    folder.isEmpty ? $0 : folder + "/" + $0
                }
            }
        }
        return found.filter { kind(of: joined(data, $0)) == .file }
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters.
func matches(_ name: String, _ pattern: String) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false).map { Array($0.utf8) }
    var rest = ArraySlice(Array(name.utf8))
    guard let first = pieces.first, let last = pieces.last, rest.starts(with: first) else { return false }
    if pieces.count == 1 { return rest.count == first.count }
    rest = rest.dropFirst(first.count)
    for piece in pieces.dropFirst().dropLast() {
        guard let at = rest.indices.first(where: { rest[$0...].starts(with: piece) }) ?? (piece.isEmpty ? rest.startIndex : nil)
        else { return false }
        rest = rest[(at + piece.count)...]
    }
    return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
}
