/// A JSON value; numbers keep their text, objects keep the order of their keys.
public indirect enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Equatable, Sendable {
        public let key: String
        public let value: JSON
        public init(_ key: String, _ value: JSON) { (self.key, self.value) = (key, value) }
    }

    public static func int(_ value: some BinaryInteger) -> JSON { .number(String(value)) }
    public static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// An object in the order written: `.fields(["a": .null])`. Whoever writes it chooses the order.
    public static func fields(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(members.map { Member($0.key, $0.value) })
    }

    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var number: String? { if case .number(let text) = self { text } else { nil } }
    public var int: Int? { number.flatMap { Int($0) } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let items) = self { items } else { nil } }
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// The same value with every object's keys in byte order: the form that is stored and digested.
    public var sorted: JSON {
        switch self {
        case .array(let items): .array(items.map(\.sorted))
        case .object(let members):
            .object(
                members.map { Member($0.key, $0.value.sorted) }
                    .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
        default: self
        }
    }

    /// On one line, without spaces, as RFC 8259 has it; control characters and `<` are escaped so that it may stand in a page.
    public var text: String {
        var out: [UInt8] = []
        write(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Over several lines, for people to read.
    public var prettyText: String {
        var out: [UInt8] = []
        write(to: &out, indent: 0)
        return String(decoding: out, as: UTF8.self) + "\n"
    }

    /// Appends the one-line text; with `indent`, nested values go on lines of their own.
    public func write(to out: inout [UInt8], indent: Int? = nil) {
        func newline(_ depth: Int) { out.append(0x0a); out.append(contentsOf: repeatElement(0x20, count: 2 * depth)) }
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): JSON.writeString(text, to: &out)
        case .array(let items):
            out.append(0x5b)
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(0x2c) }
                if let indent { newline(indent + 1) }
                item.write(to: &out, indent: indent.map { $0 + 1 })
            }
            if let indent, !items.isEmpty { newline(indent) }
            out.append(0x5d)
        case .object(let members):
            out.append(0x7b)
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(0x2c) }
                if let indent { newline(indent + 1) }
                JSON.writeString(member.key, to: &out)
                out.append(0x3a)
                if indent != nil { out.append(0x20) }
                member.value.write(to: &out, indent: indent.map { $0 + 1 })
            }
            if let indent, !members.isEmpty { newline(indent) }
            out.append(0x7d)
        }
    }

    static func writeString(_ text: String, to out: inout [UInt8]) {
        out.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: out.append(contentsOf: [0x5c, 0x22])
            case 0x5c: out.append(contentsOf: [0x5c, 0x5c])
            case 0x0a: out.append(contentsOf: [0x5c, 0x6e])
            case 0x0d: out.append(contentsOf: [0x5c, 0x72])
            case 0x09: out.append(contentsOf: [0x5c, 0x74])
            case 0..<0x20, 0x3c, 0x7f:
                out.append(contentsOf: "\\u00".utf8)
                out.append(hexDigits[Int(byte >> 4)])
                out.append(hexDigits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(0x22)
    }
}
