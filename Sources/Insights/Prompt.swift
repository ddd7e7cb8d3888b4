import Common

/// A prompt file: Markdown whose second-level headings name its parts.
///
///     ## System      the shared text, the same bytes for every subject
///     ## User        the text for one subject; {{profile}} stands for the profile
///     ## Answer      the JSON schema of the answer
///     ## Template    the answer of the built-in provider, with {{paths}} into the profile
///     ## Supportive  the fixed answer for whoever is in a crisis
public struct Prompt: Sendable {
    public let path: String
    public let system: String
    public let user: String
    /// As written, keys in their order: providers that follow a schema answer in the order of its properties.
    public let schema: JSON
    public let template: JSON
    public let supportive: JSON
    /// Its version.
    public let digest: Digest

    public init(path: String) throws {
        let bytes = try readFile(path, as: "prompt")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("The prompt is not UTF-8 text.", at: Place(path: path))
        }
        var parts: [String: (text: String, line: Int)] = [:]
        var current = ""
        // A line end of two characters is one Character to Swift, and would hide every line.
        for (number, line) in text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.hasPrefix("## ") {
                current = String(line.dropFirst(3))
                parts[current] = ("", number + 2)
            } else if let part = parts[current] {
                parts[current] = (part.text + line + "\n", part.line)
            }
        }
        func part(_ name: String) throws -> (text: String, line: Int) {
            guard let part = parts[name], !part.text.allSatisfy(\.isWhitespace) else {
                throw Failure(
                    "The prompt has no part \"## \(name)\". Its parts are System, User, Answer, Template and Supportive.",
                    at: Place(path: path), kind: .usage)
            }
            return (String(part.text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()), part.line)
        }
        func json(_ name: String) throws -> JSON {
            let (text, line) = try part(name)
            let fenced = text.split(separator: "\n").filter { !$0.hasPrefix("```") }.joined(separator: "\n")
            do {
                return try parseJSON(Array(fenced.utf8), path: path)
            } catch let failure as Failure {
                throw Failure(
                    "The part \"## \(name)\" is not JSON: \(failure.message)", at: Place(path: path, line: line), kind: .usage)
            }
        }
        self.path = path
        system = try part("System").text
        user = try part("User").text
        guard user.contains("{{profile}}") else {
            throw Failure(
                "The part \"## User\" does not hold {{profile}}, so every subject would get the same request.",
                at: Place(path: path), kind: .usage)
        }
        schema = try json("Answer")
        template = try json("Template")
        supportive = try json("Supportive")
        digest = Digest.of(bytes)
        for (name, answer) in [("Supportive", supportive)] {
            if let problem = schemaProblem(answer, schema) {
                throw Failure(
                    "The part \"## \(name)\" does not follow the answer schema: \(problem).", at: Place(path: path), kind: .usage)
            }
        }
    }
}

/// What is wrong with an answer under a JSON schema (type, properties, required, items, enum, additionalProperties); nil if nothing.
public func schemaProblem(_ value: JSON, _ schema: JSON, at path: String = "the answer") -> String? {
    if let offered = schema["enum"]?.array, !offered.contains(value) { return "\(path) is none of the offered values" }
    switch schema["type"]?.string {
    case "object":
        guard let members = value.members else { return "\(path) is not an object" }
        let properties = schema["properties"]?.members ?? []
        for name in (schema["required"]?.array ?? []).compactMap(\.string) where value[name] == nil {
            return "\(path) has no \(name)"
        }
        for member in members {
            if let property = properties.first(where: { $0.key == member.key }) {
                if let problem = schemaProblem(member.value, property.value, at: "\(path).\(member.key)") { return problem }
            } else if schema["additionalProperties"] == .bool(false) {
                return "\(path) has an unknown field"
            }
        }
        return nil
    case "array":
        guard let items = value.array else { return "\(path) is not a list" }
        guard let itemSchema = schema["items"] else { return nil }
        for (index, item) in items.enumerated() {
            if let problem = schemaProblem(item, itemSchema, at: "\(path)[\(index)]") { return problem }
        }
        return nil
    case "string": return value.string == nil ? "\(path) is not text" : nil
    case "integer": return value.int == nil ? "\(path) is not a whole number" : nil
    case "number": return value.number == nil ? "\(path) is not a number" : nil
    case "boolean": return value.bool == nil ? "\(path) is neither true nor false" : nil
    default: return nil
    }
}

/// Fills a template from a profile: `{{patterns.0.label}}` is a path. A list item whose paths are missing is left out; elsewhere a
/// missing path reads as `otherwise`.
public func filled(_ template: JSON, from profile: JSON, otherwise: String = "not enough to say yet") -> JSON {
    switch template {
    case .string(let text): .string(filled(text, from: profile) ?? otherwise)
    case .array(let items):
        .array(
            items.compactMap { item in
                if case .string(let text) = item {
                    filled(text, from: profile).map(JSON.string)
                } else {
                    filled(item, from: profile, otherwise: otherwise)
                }
            })
    case .object(let members): .object(members.map { JSON.Member($0.key, filled($0.value, from: profile, otherwise: otherwise)) })
    default: template
    }
}

private func filled(_ text: String, from profile: JSON) -> String? {
    var out = ""
    var rest = Substring(text)
    while let (before, path, after) = nextPlaceholder(rest) {
        guard let value = lookUp(path, in: profile) else { return nil }
        out += before + value
        rest = after
    }
    return out + rest
}

private func nextPlaceholder(_ text: Substring) -> (Substring, Substring, Substring)? {
    guard let open = text.firstRange(of: "{{"), let close = text[open.upperBound...].firstRange(of: "}}") else { return nil }
    return (text[..<open.lowerBound], text[open.upperBound..<close.lowerBound], text[close.upperBound...])
}

private func lookUp(_ path: Substring, in profile: JSON) -> String? {
    var value = profile
    for name in path.split(separator: ".") {
        let next =
            Int(name).flatMap { index in value.array.flatMap { index < $0.count ? $0[index] : nil } } ?? value[String(name)]
        guard let next else { return nil }
        value = next
    }
    return value.string ?? value.number
}
