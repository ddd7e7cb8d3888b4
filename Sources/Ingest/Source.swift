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
    /// Where the list stands whose elements are the records: `data[].results[]`; nil where a record of the file is one.
    let each: ElementPath?
    /// Whether input tokens hold those that were read from a cache or written to one; the row's do not.
    let inputIncludesCache: Bool
    /// Whether reasoning tokens are missing among the output tokens; the row's hold them.
    let outputExcludesReasoning: Bool
    public let place: Place
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
                name: "map", kind: "object: column → field, list of fields, { from, … }, { constant } or { from_file_name }",
                about: "Says which field fills a column; a field that already bears a column's name needs no entry."),
            ConfigKey(
                name: "where", kind: "object: field → value, list of values, { present } or { not }",
                about: "Keeps only the records that meet every condition; the others are counted as filtered."),
            ConfigKey(
                name: "each", kind: "path with [] behind every list",
                about:
                    "The list whose elements are the records, such as data[].results[]; paths are then written with the same [], from the whole record on."
            ),
            ConfigKey(
                name: "zone", kind: "zone name",
                about: "Where times without an offset were written, such as Asia/Tashkent; without it they are refused."),
            ConfigKey(
                name: "input_includes_cache", kind: "true or false",
                about:
                    "Input tokens hold those read from a cache or written to one, which are then taken off; by default they do not."
            ),
            ConfigKey(
                name: "output_excludes_reasoning", kind: "true or false",
                about: "Output tokens lack those of reasoning, which are then added; by default they hold them."),
            ConfigKey(
                name: "repair_encoding", kind: "true or false",
                about:
                    "Texts whose UTF-8 was taken for Windows-1252 and encoded again (GÃ¼nlÃ¼k) are put right, and counted."),
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
        each = try object.optionalText("each").map { text in
            guard let path = ElementPath(text) else {
                throw object.failure(
                    "\"each\" names the list whose elements are the records, with [] behind every list: \"data[].results[]\".",
                    at: "each")
            }
            return path
        }
        inputIncludesCache = try Source.forUsage("input_includes_cache", object, log)
        outputExcludesReasoning = try Source.forUsage("output_excludes_reasoning", object, log)
        let zone = try object.zone("zone")
        let repairs = try object.bool("repair_encoding", default: false)

        let specs = log.columns + jobColumns
        var rules: [String: ColumnRule] = [:]
        if let kind = try object.optionalText("kind") {
            guard specs.contains(where: { $0.name == "kind" }) else {
                throw object.failure("The log \(log.rawValue) has no column kind. Remove this key.", at: "kind")
            }
            rules["kind"] = ColumnRule(.constant(kind))
        }
        for (column, place, node) in try object.named("map") {
            guard let spec = specs.first(where: { $0.name == column || $0.name == "x_" + column }) else {
                let hint = didYouMean(column, from: specs.map(\.name))
                throw Failure(
                    "unknown column \"\(column)\" of log \(log.rawValue).\(hint) Its columns are \(listed(specs.map(\.name))).",
                    at: place, kind: .usage)
            }
            guard rules[spec.name] == nil else {
                throw Failure(
                    spec.name == "kind"
                        ? "The column kind is filled by \"kind\" and by \"map\". Remove one of them."
                        : "Two entries of map fill the column \(spec.name). Remove one of them.",
                    at: place, kind: .usage)
            }
            rules[spec.name] = try ColumnRule(node, column: spec, zone: zone)
            try Source.check(rules[spec.name]?.paths ?? [], within: each, at: node.place)
        }
        for (path, place, _) in try object.named("where") { try Source.check([path], within: each, at: place) }
        let element = each.map { $0.text + "." } ?? ""
        columns = specs.map { spec in
            let field = spec.name.hasPrefix("x_") ? String(spec.name.dropFirst(2)) : spec.name
            let rule = rules[spec.name] ?? ColumnRule(.paths([element + field]), .plain(spec, zone: zone))
            return (spec, repairs && spec.type == .text ? rule.repairing : rule)
        }
    }

    private static func forUsage(_ key: String, _ object: ConfigObject, _ log: Log) throws -> Bool {
        let isSet = try object.bool(key, default: false)
        guard !isSet || log == .usage else {
            throw object.failure("\"\(key)\" is about tokens, which the log \(log.rawValue) does not have. Remove it.", at: key)
        }
        return isSet
    }

    /// A path with [] must go through the lists that `each` names.
    private static func check(_ paths: [String], within each: ElementPath?, at place: Place) throws {
        for path in paths where path.contains("[]") {
            guard let each else {
                throw Failure(
                    "\"\(path)\" goes through a list, and the source has no \"each\". Add it, or name one element: \"\(path.replacing("[]", with: ".0"))\".",
                    at: place, kind: .usage)
            }
            guard each.place(of: path).rest.contains("[]") else { continue }
            throw Failure(
                "\"\(path)\" goes through another list than \"each\", which is \"\(each.text)\".", at: place, kind: .usage)
        }
    }

    /// The fields that the source looks at.
    var paths: [String] { columns.flatMap(\.rule.paths) + conditions.map(\.path) }

    /// What the entry reads and how a record becomes a row, as text: a part of the ingest's digest.
    var definition: String { "\(mapping)|\(files.map(\.text).joined(separator: ","))" }

    /// What decides which row a record becomes, and which of several stays: kept with every file that was read under it. Where the files
    /// are found is no part of it.
    var mapping: String {
        let rules = columns.map { "\($0.spec.name)=\($0.rule)" }.joined(separator: ",")
        let tests = conditions.map { "\($0.path):\($0.test)" }.joined(separator: ",")
        let format = "\(formatName?.rawValue ?? "")|\(csv.delimiter.map { String($0) } ?? "")|\(csv.nulls)"
        let tokens = "\(inputIncludesCache)|\(outputExcludesReasoning)"
        return "\(name)|\(log.rawValue)|\(format)|\(idScope)|\(keepLast)|\(rules)|\(tests)|\(each?.text ?? "")|\(tokens)"
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

    /// Says what stands where the entry looks for files and cannot be read, and whether there is nothing to read at all.
    func warnOfFiles(in data: String, _ talk: Talk) throws {
        var odd: [String: String] = [:]
        let found = try files.flatMap { try $0.matches(in: data) { odd[$0] = $1 } }
        for (path, why) in odd.sorted(by: { $0.key < $1.key }) { talk.warn(why, at: Place(path: joined(data, path))) }
        guard found.isEmpty, odd.isEmpty else { return }
        talk.warn(
            "No file below \(data) fits \(listed(files.map { "\"\($0.text)\"" })), so \(name) reads nothing. Put the exports there, correct \"files\", or give another --data.",
            at: place)
    }

    /// The files of the entry, as paths below the data folder, each once, sorted by bytes.
    func matchingFiles(in data: String) throws -> [String] {
        try Set(files.flatMap { try $0.matches(in: data) }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
