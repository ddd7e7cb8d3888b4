/// Reads a job file: JSON5 (https://spec.json5.org), whose every value and key keeps its place.
///
///     try parseJSON5(Array("{ job: 'kalei', }".utf8), path: "Jobs/kalei.json5").json.text   // {"job":"kalei"}
///
/// Refused with a sentence, besides what JSON5 refuses: a key written twice, Infinity and NaN, lone surrogates and
/// more than 200 levels of nesting.
public func parseJSON5(_ bytes: [UInt8], path: String) throws -> ConfigNode {
    var reader = JSON5Reader(bytes, path: path, dialect: .json5)
    return try reader.document()
}

/// Reads strict JSON (RFC 8259), to 200 levels of nesting; a byte order mark at the start is skipped.
///
/// Keys written twice are kept as read; the last one is what a subscript finds. Because such a file is data, not a job
/// file, what is wrong with it ends a command as failed, not as bad usage, and no message repeats its words.
public func parseJSON(_ bytes: [UInt8], path: String) throws -> JSON {
    var reader = JSON5Reader(bytes, path: path, dialect: .json)
    return try reader.document().json
}

/// Reads strict JSON whose one value is an object, a member at a time: however large the file is, one member is in memory.
///
///     try readJSONMembers(bytes, path: "map.json", mostValues: 10_000) { print($0.key) }
///
/// Refused, besides what JSON refuses: another value than an object, and a member with more than `mostValues` values in it.
public func readJSONMembers(
    _ bytes: [UInt8], path: String, mostValues: Int, _ visit: (ConfigMember) throws -> Void
) throws {
    var reader = JSON5Reader(bytes, path: path, dialect: .json)
    try reader.eachMember(mostValues: mostValues, visit)
}

/// Goes through the bytes once, from value to value. Text and numbers are read in `JSON5Reader+Scalars.swift`.
struct JSON5Reader {
    enum Dialect { case json, json5 }

    let bytes: [UInt8]
    let dialect: Dialect
    var position = 0
    private let path: String
    private var depth = 0
    /// The last place that was asked for; the next one is counted from here, so that all places together cost one pass.
    private var mark = (offset: 0, line: 1, column: 1)
    /// How many values may still be read, where that is bounded.
    private var valuesLeft = Int.max

    static let deepest = 200

    init(_ bytes: [UInt8], path: String, dialect: Dialect) {
        (self.bytes, self.path, self.dialect) = (bytes, path, dialect)
    }

    mutating func document() throws -> ConfigNode {
        try begin()
        let value = try value()
        try end()
        return value
    }

    mutating func eachMember(mostValues: Int, _ visit: (ConfigMember) throws -> Void) throws {
        try begin()
        guard peek == UInt8(ascii: "{") else { throw failure("expected an object in { }, but found \(found).") }
        let opened = try open()
        try space()
        while !take("}") {
            guard position < bytes.count else { throw failure("this object is never closed. Add a } where it ends.", at: opened) }
            valuesLeft = mostValues
            try visit(try member())
            try separator(before: "}", in: "object", opened)
        }
        try end()
    }

    private mutating func begin() throws {
        try checkEncoding()
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            position = 3
            mark.offset = 3
        }
        try space()
        guard position < bytes.count else {
            throw failure("nothing is written here. Expected a value, such as an object in { }.")
        }
    }

    private mutating func end() throws {
        try space()
        guard position == bytes.count else {
            throw failure(
                "expected the end of the file after its value, but found \(found). Remove it, or put it inside the value.")
        }
    }

    private mutating func value() throws -> ConfigNode {
        guard valuesLeft > 0 else { throw failure("this has more values than anything of its kind. Look for a damaged file.") }
        valuesLeft -= 1
        let place = place(at: position)
        switch peek ?? 0 {
        case UInt8(ascii: "{"): return ConfigNode(.object(try members()), at: place)
        case UInt8(ascii: "["): return ConfigNode(.array(try elements()), at: place)
        case UInt8(ascii: "\""): return ConfigNode(.string(try string()), at: place)
        case UInt8(ascii: "'") where dialect == .json5: return ConfigNode(.string(try string()), at: place)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return ConfigNode(.number(try number()), at: place)
        case UInt8(ascii: "+") where dialect == .json5, UInt8(ascii: ".") where dialect == .json5:
            return ConfigNode(.number(try number()), at: place)
        default: return ConfigNode(try word(), at: place)
        }
    }

    private mutating func members() throws -> [ConfigMember] {
        let opened = try open()
        defer { depth -= 1 }
        var members: [ConfigMember] = []
        var places: [String: Place] = [:]
        try space()
        while !take("}") {
            guard position < bytes.count else { throw failure("this object is never closed. Add a } where it ends.", at: opened) }
            let member = try member()
            if dialect == .json5, let first = places.updateValue(member.keyPlace, forKey: member.key) {
                let sentence =
                    "the key \(shown(member.key)) is written twice; the first one stands at \(first). Remove one of them."
                throw Failure(sentence, at: member.keyPlace, kind: .usage)
            }
            members.append(member)
            try separator(before: "}", in: "object", opened)
        }
        return members
    }

    private mutating func member() throws -> ConfigMember {
        let keyPlace = place(at: position)
        let key = try key()
        try space()
        guard take(":") else { throw failure("expected a colon after the key, but found \(found). Write it as key: value.") }
        try space()
        return ConfigMember(key, at: keyPlace, try value())
    }

    private mutating func elements() throws -> [ConfigNode] {
        let opened = try open()
        defer { depth -= 1 }
        var elements: [ConfigNode] = []
        try space()
        while !take("]") {
            guard position < bytes.count else { throw failure("this list is never closed. Add a ] where it ends.", at: opened) }
            elements.append(try value())
            try separator(before: "]", in: "list", opened)
        }
        return elements
    }

    /// Goes one level down and past the bracket, whose offset it returns.
    private mutating func open() throws -> Int {
        guard depth < JSON5Reader.deepest else {
            throw failure(
                "this is nested more than \(JSON5Reader.deepest) levels deep. Expected a flatter file; check for a bracket too many."
            )
        }
        depth += 1
        position += 1
        return position - 1
    }

    /// Between two members or elements: a comma, and before the closing bracket one only in JSON5.
    private mutating func separator(before closing: Unicode.Scalar, in container: String, _ opened: Int) throws {
        try space()
        let comma = position
        if take(",") {
            try space()
            if dialect == .json, peek == UInt8(ascii: closing) {
                throw failure(
                    "a comma stands before the closing \(closing), which JSON does not allow. Remove the comma.", at: comma)
            }
        } else if peek == nil {
            throw failure("this \(container) is never closed. Add a \(closing) where it ends.", at: opened)
        } else if peek != UInt8(ascii: closing) {
            throw failure("expected a comma or \(closing), but found \(found). Add the comma, or close the \(container).")
        }
    }

    private mutating func key() throws -> String {
        switch peek {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "'") where dialect == .json5: return try string()
        case _ where dialect == .json5: return try identifier()
        default: throw failure("expected a key in double quotes, but found \(found). JSON has no other keys.")
        }
    }

    // MARK: - Space and comments

    mutating func space() throws {
        while let byte = peek {
            switch byte {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            case 0x0b where dialect == .json5, 0x0c where dialect == .json5:
                position += 1
            case UInt8(ascii: "/") where dialect == .json5: try comment()
            case 0x80... where dialect == .json5:
                let (scalar, width) = scalar(at: position)
                // JSON5 §8: the byte order mark, the two separators and every Unicode space count as white space.
                switch scalar.properties.generalCategory {
                case .spaceSeparator, .lineSeparator, .paragraphSeparator: position += width
                case _ where scalar == "\u{FEFF}": position += width
                default: return
                }
            default: return
            }
        }
    }

    private mutating func comment() throws {
        let opened = position
        switch position + 1 < bytes.count ? bytes[position + 1] : 0 {
        case UInt8(ascii: "/"):
            while position < bytes.count, lineEnd(at: position) == 0 { position += 1 }
        case UInt8(ascii: "*"):
            position += 2
            while !(peek == UInt8(ascii: "*") && position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "/")) {
                guard position < bytes.count else {
                    throw failure("this comment is never closed. Add a */ where it ends.", at: opened)
                }
                position += 1
            }
            position += 2
        default:
            throw failure("expected a comment, but the slash stands alone. Comments are written // or /* */.")
        }
    }

    /// How many bytes of line terminator stand here (JSON5 §5.1: also U+2028 and U+2029); 0 for none.
    func lineEnd(at offset: Int) -> Int {
        switch bytes[offset] {
        case 0x0a: return 1
        case 0x0d: return offset + 1 < bytes.count && bytes[offset + 1] == 0x0a ? 2 : 1
        case 0xe2 where bytes[offset + 1] == 0x80 && bytes[offset + 2] | 1 == 0xa9: return 3
        default: return 0
        }
    }

    // MARK: - Bytes and places

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// The character that begins at an offset; only asked where the encoding is known to be sound.
    func scalar(at offset: Int) -> (Unicode.Scalar, width: Int) {
        var decoder = UTF8()
        var iterator = bytes[offset...].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return ("\u{FFFD}", 1) }
        return (scalar, UTF8.width(scalar))
    }

    private mutating func checkEncoding() throws {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            throw failure("expected UTF-8, but the file begins as UTF-16 does. Save it as UTF-8.")
        }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw failure("expected UTF-8, but the bytes here are not. Save the file as UTF-8.", at: error.byteOffsets.lowerBound)
        }
    }

    /// Line and column count from 1, columns in characters (Unicode scalars).
    mutating func place(at offset: Int) -> Place {
        if offset < mark.offset { mark = (bytes.starts(with: [0xef, 0xbb, 0xbf]) ? min(3, offset) : 0, 1, 1) }
        while mark.offset < offset {
            let byte = bytes[mark.offset]
            mark.offset += 1
            if byte == 0x0a || (byte == 0x0d && (mark.offset == bytes.count || bytes[mark.offset] != 0x0a)) {
                (mark.line, mark.column) = (mark.line + 1, 1)
            } else if byte & 0xc0 != 0x80 {
                mark.column += 1
            }
        }
        return Place(path: path, line: mark.line, column: mark.column)
    }

    mutating func failure(_ message: String, at offset: Int? = nil) -> Failure {
        Failure(message, at: place(at: offset ?? position), kind: dialect == .json5 ? .usage : .failed)
    }

    /// What stands at the position, as a message names it.
    var found: String {
        guard position < bytes.count else { return "the end of the file" }
        let (scalar, _) = scalar(at: position)
        switch scalar {
        case "\n", "\r": return "the end of the line"
        case "\"": return "a double quote"
        case _ where scalar.properties.generalCategory == .control || scalar.properties.isWhitespace:
            return "the character U+" + padded(hexadecimal: scalar.value)
        default: return "\"\(scalar)\""
        }
    }

    private func padded(hexadecimal value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
