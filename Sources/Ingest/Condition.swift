import Common

/// A record that does not meet every condition is filtered: counted, but not stored.
public struct Condition: Sendable {
    let path: String
    let test: Test

    enum Test: Sendable {
        /// There is a value, and it is neither null nor the empty text.
        case present
        case absent
        case oneOf([String])
        /// Also met where there is no value.
        case noneOf([String])
    }
}

extension Condition {
    public static let schema = ConfigSchema(
        name: "where",
        keys: [
            ConfigKey(
                name: "present", kind: "true or false", about: "Whether there is a value that is neither null nor empty."),
            ConfigKey(name: "not", kind: "value or list of values", about: "Any value but these, or none."),
        ])

    init(path: String, _ node: ConfigNode) throws {
        self.path = path
        guard case .object = node.value else {
            test = .oneOf(try Condition.values(node, path))
            return
        }
        let object = try ConfigObject(node, Condition.schema)
        switch (object.node("present"), object.node("not")) {
        case (let present?, nil): test = try present.bool("\"present\" in where") ? .present : .absent
        case (nil, let not?): test = .noneOf(try Condition.values(not, path))
        default: throw node.failure(Condition.advice)
        }
    }

    private static let advice =
        "A condition is a value, a list of values, { present: true } or { not: … }; what is null or missing is { present: false }."

    private static func values(_ node: ConfigNode, _ path: String) throws -> [String] {
        guard case .array(let items) = node.value else { return [try value(node)] }
        guard !items.isEmpty else {
            throw node.failure("\"\(path)\" in where is an empty list. Name at least one value, or leave the condition out.")
        }
        return try items.map(value)
    }

    /// As it stands in a record.
    private static func value(_ node: ConfigNode) throws -> String {
        switch node.value {
        case .string(let text), .number(let text): text
        case .bool(let flag): String(flag)
        default: throw node.failure(advice)
        }
    }

    /// Whether a value meets the test; `raw` are its bytes in the record.
    static func meets(_ raw: UnsafeBufferPointer<UInt8>, _ kind: RawValue.Kind, _ test: Test) -> Bool {
        let hasValue = kind != .absent && kind != .null
        let isPresent = hasValue && !(kind == .string && raw.isEmpty)
        func isAmong(_ offered: [String]) -> Bool {
            let text = kind == .escapedString ? unescaped(raw) : Array(raw)
            return offered.contains { $0.utf8.elementsEqual(text) }
        }
        return switch test {
        case .present: isPresent
        case .absent: !isPresent
        case .oneOf(let offered): hasValue && isAmong(offered)
        case .noneOf(let offered): !(hasValue && isAmong(offered))
        }
    }
}
