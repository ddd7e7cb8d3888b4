import Common
import Lake

/// How a column is filled from a record.
public struct ColumnRule: Equatable, Sendable {
    let origin: Origin
    /// What happens to a value on its way; nil where it goes in as it is.
    let conversion: Conversion?

    enum Origin: Equatable, Sendable {
        /// The first of these paths that the record has.
        case paths([String])
        case constant(String)
        /// The day that stands in the file's name, at the place of `YYYY-MM-DD` in the pattern.
        case fileName(pattern: String)
        /// An object of these fields, as JSON text with sorted keys.
        case object([Member])
    }

    struct Member: Equatable, Sendable {
        let name: String
        let path: String
    }

    init(_ origin: Origin, _ conversion: Conversion? = nil) { (self.origin, self.conversion) = (origin, conversion) }

    /// The same rule, with texts put right that were encoded twice.
    var repairing: ColumnRule {
        if paths.isEmpty { return self }
        var conversion = conversion ?? Conversion()
        conversion.repairs = true
        return ColumnRule(origin, conversion)
    }

    /// The fields that the rule looks at.
    var paths: [String] {
        switch origin {
        case .paths(let paths): paths
        case .object(let members): members.map(\.path)
        case .constant, .fileName: []
        }
    }
}

// MARK: - Job file

extension ColumnRule {
    public static let schema = ConfigSchema(
        name: "map",
        keys: [
            ConfigKey(name: "constant", kind: "text", about: "The same text on every row."),
            ConfigKey(
                name: "from_file_name", kind: "text with YYYY-MM-DD",
                about: "The day that stands in the file's name at the place of YYYY-MM-DD."),
            ConfigKey(
                name: "from", kind: "field or list of fields",
                about: "The field, or the first of several that the record has; with the keys below it is changed on its way."),
            ConfigKey(
                name: "values", kind: "object: value → text", about: "Translates values; one that is not named stays as it is."),
            ConfigKey(name: "otherwise", kind: "text", about: "What a value becomes that \"values\" does not name."),
            ConfigKey(
                name: "one_of", kind: "list of text", about: "The only values there are; a record with another one is refused."),
            ConfigKey(
                name: "scale", kind: "decimal", about: "Multiplies the number, exactly: \"0.01\" makes cents dollars."),
            ConfigKey(
                name: "time", kind: "one of \(listed(TimeFormat.names)), or { since, unit }",
                about: "How a time is written that is a number: since 1970, or since a moment of its own."),
            ConfigKey(
                name: "zone", kind: "zone name",
                about: "Where times without an offset were written, such as Europe/Istanbul; by default the source's zone."),
        ])

    /// - Parameter zone: the source's, for times that have no offset.
    init(_ node: ConfigNode, column: ColumnSpec, zone: Zone?) throws {
        let what = "\"\(column.name)\" in map"
        let plain = Conversion.plain(column, zone: zone)
        func fields(_ node: ConfigNode, _ texts: [String]) throws -> [String] {
            guard !texts.isEmpty else { throw node.failure("\(what) is an empty list. Name at least one field.") }
            guard !texts.contains("") else {
                throw node.failure("\(what) names a field without a name. Name the field, or leave the column out.")
            }
            return texts
        }
        switch node.value {
        case .string(let path): self.init(.paths(try fields(node, [path])), plain)
        case .array where column.name == "attributes":
            let names = try fields(node, try node.texts(what))
            if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
                throw node.failure("\(what) names the field \"\(names[twice])\" twice. Remove one of them.")
            }
            self.init(.object(names.map { Member(name: $0, path: $0) }))
        case .object where column.name == "attributes":
            let members = try node.members(what).map { member in
                let path = try member.value.text("\"\(member.key)\" in attributes")
                return Member(name: member.key, path: try fields(member.value, [path])[0])
            }
            guard !members.isEmpty else { throw node.failure("\(what) is an empty object. Name at least one field.") }
            self.init(.object(members))
        case .array: self.init(.paths(try fields(node, try node.texts(what))), plain)
        case .object:
            let object = try ConfigObject(node, ColumnRule.schema)
            let origins = ["constant", "from_file_name", "from"].filter { object.node($0) != nil }
            guard origins.count == 1 else { throw node.failure("\(what) must be \(ColumnRule.forms).") }
            let conversion = try Conversion(object, column: column, zone: zone)
            switch origins[0] {
            case "from":
                let paths = try object.oneOrMoreTexts("from")
                self.init(.paths(try fields(object.node("from") ?? node, paths)), conversion ?? plain)
            case _ where conversion != nil:
                throw node.failure("Only a value that is read with \"from\" can be changed on its way. Write it as it is to be.")
            case "constant":
                let text = try object.text("constant")
                try (plain ?? Conversion()).check(text, fits: column, at: object.place(of: "constant"))
                // A time is kept as a moment, so that the zone it is written in counts for it too.
                let moment = column.type == .timestamp ? text.withContiguousUTF8 { instant($0, zone: zone) } : nil
                self.init(.constant(moment.map { Instant(microseconds: $0).description } ?? text))
            default:
                let pattern = try object.text("from_file_name")
                guard column.type == .timestamp, pattern.contains("YYYY-MM-DD") else {
                    throw node.failure(
                        "from_file_name fills a time column, from a pattern that holds YYYY-MM-DD, such as \"users-YYYY-MM-DD\".")
                }
                self.init(.fileName(pattern: pattern))
            }
        default: throw node.failure("\(what) must be \(ColumnRule.forms).")
        }
    }

    private static let forms = "a field, a list of fields, { from: … }, { constant: … } or { from_file_name: … }"
}
