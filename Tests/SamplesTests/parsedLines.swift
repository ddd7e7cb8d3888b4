import Common

/// Reads JSON lines with a reader of the test's own; lines that are no JSON are left out.
func parsedLines(_ bytes: [UInt8]) -> [JSON] {
    bytes.split(separator: 0x0a).compactMap { line in
        var reader = LineReader(bytes: Array(line))
        guard let value = reader.value(), reader.position == reader.bytes.count else { return nil }
        return value
    }
}

/// Just enough JSON for what the samples write: no spaces, `\u` only below U+0080.
private struct LineReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func value() -> JSON? {
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            var members: [JSON.Member] = []
            position += 1
            if take("}") { return .object([]) }
            repeat {
                guard let key = string(), take(":"), let value = value() else { return nil }
                members.append(.init(key, value))
            } while take(",")
            return take("}") ? .object(members) : nil
        case UInt8(ascii: "["):
            var items: [JSON] = []
            position += 1
            if take("]") { return .array([]) }
            repeat {
                guard let value = value() else { return nil }
                items.append(value)
            } while take(",")
            return take("]") ? .array(items) : nil
        case UInt8(ascii: "\""): return string().map(JSON.string)
        default:
            let end = bytes[position...].firstIndex { [0x2c, 0x5d, 0x7d].contains($0) } ?? bytes.count
            let word = String(decoding: bytes[position..<end], as: UTF8.self)
            position = end
            switch word {
            case "null": return .null
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: return ExactDecimal(word).map { _ in .number(word) }
            }
        }
    }

    private mutating func take(_ character: Character) -> Bool {
        guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var out: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x22 { return String(decoding: out, as: UTF8.self) }
            guard byte == 0x5c else {
                out.append(byte)
                continue
            }
            guard position < bytes.count else { return nil }
            let escape = bytes[position]
            position += 1
            if escape == UInt8(ascii: "u") {
                guard position + 4 <= bytes.count else { return nil }
                guard let code = UInt8(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16) else {
                    return nil
                }
                out.append(code)
                position += 4
            } else {
                out.append(escape == UInt8(ascii: "n") ? 0x0a : escape)
            }
        }
        return nil
    }
}
