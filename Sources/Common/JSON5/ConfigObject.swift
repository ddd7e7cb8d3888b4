/// One part of a job file: its name and the keys it may hold. Reference and errors are both written from it.
public struct ConfigSchema: Sendable {
    /// What messages call the part: `source`, `insight`.
    public let name: String
    /// What it may hold, in the order the reference lists it.
    public let keys: [ConfigKey]

    /// A part under its name, with its keys in the order the reference lists them.
    public init(name: String, keys: [ConfigKey]) { (self.name, self.keys) = (name, keys) }
}

/// A key that a part of a job file may hold.
public struct ConfigKey: Sendable {
    /// As it is written in the file.
    public let name: String
    /// What stands behind it, in words: `text`, `decimal`, `day`, `list of text`, `one of day, week and month`.
    public let kind: String
    /// Whether the part is refused without it.
    public let required: Bool
    /// What it does, in one sentence.
    public let about: String

    /// A key that may be left out, unless it is required.
    public init(name: String, kind: String, required: Bool = false, about: String) {
        (self.name, self.kind, self.required, self.about) = (name, kind, required, about)
    }
}

/// An object of a job file read under a schema.
///
///     let insight = try ConfigObject(node, .insight)
///     try insight.text("provider")   // "template"
///
/// Keys that the schema does not know, and required ones that are missing, are refused when it is made.
public struct ConfigObject: Sendable {
    /// Where its opening bracket stands.
    public let place: Place
    /// What it was read under.
    public let schema: ConfigSchema
    private let members: [String: ConfigMember]

    /// Refuses keys that the schema does not know, and missing ones that it requires.
    public init(_ node: ConfigNode, _ schema: ConfigSchema) throws { try self.init(node, schema, what: schema.name) }

    private init(_ node: ConfigNode, _ schema: ConfigSchema, what: String) throws {
        let written = try node.members(what)
        let offered = schema.keys.map(\.name)
        for member in written where !offered.contains(member.key) {
            throw Failure(
                "unknown key \(shown(member.key)) in \(schema.name).\(didYouMean(member.key, from: offered)) "
                    + "Its \(offered.count == 1 ? "only key is" : "keys are") \(listed(offered)).",
                at: member.keyPlace, kind: .usage)
        }
        self.place = node.place
        self.schema = schema
        members = Dictionary(written.map { ($0.key, $0) }) { _, last in last }
        let missing = schema.keys.filter { $0.required && members[$0.name] == nil }
        guard missing.isEmpty else { throw ConfigObject.missing(missing, in: schema, at: node.place) }
    }

    // MARK: - One value

    /// The text behind a key.
    public func text(_ key: String) throws -> String { try required(key).text(what(key)) }
    /// The text behind a key; nil where it is absent.
    public func optionalText(_ key: String) throws -> String? { try node(key)?.text(what(key)) }

    /// A number, or a text that holds one, with its digits exactly as written.
    public func decimal(_ key: String) throws -> ExactDecimal { try required(key).decimal(what(key)) }
    /// The same; nil where the key is absent.
    public func optionalDecimal(_ key: String) throws -> ExactDecimal? { try node(key)?.decimal(what(key)) }

    /// A whole number within a range.
    public func int(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
        try required(key).int(what(key), in: range)
    }
    /// The same; nil where the key is absent.
    public func optionalInt(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int? {
        try node(key)?.int(what(key), in: range)
    }

    /// True or false; the default where the key is absent.
    public func bool(_ key: String, default absent: Bool) throws -> Bool { try node(key)?.bool(what(key)) ?? absent }

    /// A day, written as text in the form `YYYY-MM-DD`.
    public func day(_ key: String) throws -> Day { try required(key).day(what(key)) }
    /// The same; nil where the key is absent.
    public func optionalDay(_ key: String) throws -> Day? { try node(key)?.day(what(key)) }

    /// A value of an enumeration; where the key is absent, the default, and without one a refusal.
    public func choice<T: RawRepresentable & CaseIterable>(_ key: String, of type: T.Type, default absent: T? = nil) throws -> T
    where T.RawValue == String {
        if let absent, node(key) == nil { return absent }
        return try required(key).choice(what(key), of: type)
    }

    /// A value of an enumeration; nil where the key is absent.
    public func optionalChoice<T: RawRepresentable & CaseIterable>(_ key: String, of type: T.Type) throws -> T?
    where T.RawValue == String {
        try node(key)?.choice(what(key), of: type)
    }

    // MARK: - Several values

    /// A list of texts; empty where the key is absent.
    public func texts(_ key: String) throws -> [String] { try node(key)?.texts(what(key)) ?? [] }

    /// A text, or a list of at least one; empty where the key is absent.
    public func oneOrMoreTexts(_ key: String) throws -> [String] {
        guard let node = node(key) else { return [] }
        if case .string(let text) = node.value { return [text] }
        guard case .array(let items) = node.value else { throw node.mismatch(what(key), "a text or a list of texts") }
        guard !items.isEmpty else {
            throw node.failure("\(what(key)) is an empty list. Name at least one, or leave the key out.")
        }
        return try node.texts(what(key))
    }

    /// An object under a schema of its own; nil where the key is absent.
    public func object(_ key: String, _ schema: ConfigSchema) throws -> ConfigObject? {
        try node(key).map { try ConfigObject($0, schema, what: what(key)) }
    }

    /// A list of objects under one schema; empty where the key is absent.
    public func objects(_ key: String, _ schema: ConfigSchema) throws -> [ConfigObject] {
        guard let node = node(key) else { return [] }
        guard case .array(let items) = node.value else { throw node.mismatch(what(key), "a list of objects", "Put it in [ ].") }
        return try items.enumerated().map {
            try ConfigObject($0.element, schema, what: "element \($0.offset + 1) of \(what(key))")
        }
    }

    /// An object whose keys are free, in file order: names of plans, columns of a mapping. Empty where the key is absent.
    public func named(_ key: String) throws -> [(name: String, place: Place, node: ConfigNode)] {
        try node(key)?.members(what(key)).map { ($0.key, $0.keyPlace, $0.value) } ?? []
    }

    // MARK: - As written

    /// What stands behind a key, for values that may have several forms; nil where it is absent.
    public func node(_ key: String) -> ConfigNode? {
        precondition(schema.keys.contains { $0.name == key }, "the schema of \(schema.name) does not declare \(key)")
        return members[key]?.value
    }

    /// Where a key's value stands; the object's own place where it is absent.
    public func place(of key: String) -> Place { node(key)?.place ?? place }

    /// A refusal of the value behind a key, or of the whole object.
    public func failure(_ message: String, at key: String? = nil) -> Failure {
        Failure(message, at: key.map(place(of:)) ?? place, kind: .usage)
    }

    private func what(_ key: String) -> String { "\"\(key)\" in \(schema.name)" }

    private func required(_ key: String) throws -> ConfigNode {
        if let node = node(key) { return node }
        throw ConfigObject.missing(schema.keys.filter { $0.name == key }, in: schema, at: place)
    }

    private static func missing(_ keys: [ConfigKey], in schema: ConfigSchema, at place: Place) -> Failure {
        let wanted = listed(keys.map { "\"\($0.name)\" (\($0.kind))" })
        return Failure(
            "\(wanted) \(keys.count == 1 ? "is" : "are") missing in \(schema.name). Add \(keys.count == 1 ? "it" : "them").",
            at: place, kind: .usage)
    }
}
