extension JSON5Reader {
    // MARK: - Text

    /// A text in single or double quotes; the position is at the opening one.
    mutating func string() throws -> String {
        let opened = position
        let quote = bytes[position]
        position += 1
        var text: [UInt8] = []
        while true {
            let start = position
            while let byte = peek, byte != quote, byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
            text.append(contentsOf: bytes[start..<position])
            switch peek {
            case quote:
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case nil, 0x0a, 0x0d:
                throw failure(
                    "this text is never closed. Expected \(quote == 0x22 ? "a double quote" : "'") before the end of the line"
                        + (dialect == .json5 ? "; end a line with \\ to go on in the next." : "; write a line break as \\n."),
                    at: opened)
            case let control?:
                guard dialect == .json5 else {
                    throw failure("expected text, but found \(found). JSON writes control characters as escapes, such as \\t.")
                }
                text.append(control)
                position += 1
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        let start = position
        position += 1
        guard let letter = peek else {
            throw failure("the text ends in the middle of an escape. Expected a character after \\.", at: start)
        }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape(from: start)).utf8)
        case _ where dialect == .json:
            throw failure(
                "expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u after the backslash. Write a backslash itself as \\\\.",
                at: start)
        case UInt8(ascii: "v"): text.append(0x0b)
        case UInt8(ascii: "x"):
            text.append(contentsOf: String(Unicode.Scalar(UInt8(try hexDigits(2, after: "\\x", from: start)))).utf8)
        case UInt8(ascii: "0"):
            if let digit = peek, digit &- 0x30 <= 9 {
                throw failure("expected no digit after \\0. Write the character as \\x or \\u.", at: start)
            }
            text.append(0)
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            throw failure("expected an escape, but digits are none. Write the character as \\x or \\u.", at: start)
        default:
            position -= 1
            let ending = lineEnd(at: position)
            if ending > 0 {
                position += ending  // a line continuation stands for nothing
            } else {
                let (_, width) = scalar(at: position)
                text.append(contentsOf: bytes[position..<position + width])
                position += width
            }
        }
    }

    /// What stands after `\u`: four digits, or a pair of surrogates with another `\u` between them.
    private mutating func unicodeEscape(from start: Int) throws -> Unicode.Scalar {
        let first = try hexDigits(4, after: "\\u", from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xdc00, take("\\"), take("u") {
            let second = try hexDigits(4, after: "\\u", from: start)
            if (0xdc00...0xdfff).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + second - 0xdc00)
            {
                return scalar
            }
        }
        throw failure(
            "half of a surrogate pair stands alone here. Expected two \\u escapes together, \\uD800–\\uDBFF and \\uDC00–\\uDFFF.",
            at: start)
    }

    private mutating func hexDigits(_ count: Int, after letter: String, from start: Int) throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let byte = peek, let digit = hexValue(byte) else {
                throw failure(
                    "expected \(count) hexadecimal digits after \(letter), such as \(letter)\(count == 2 ? "e9" : "00e9").",
                    at: start)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    // MARK: - Words

    /// `null`, `true` and `false`; anything else that stands where a value should is refused here.
    mutating func word() throws -> ConfigNode.Value {
        let start = position
        let rest = bytes[start...].prefix {
            $0 | 0x20 &- 0x61 <= 25 || $0 &- 0x30 <= 9 || $0 == 0x5f || $0 == 0x24 || $0 == 0x2d || $0 >= 0x80
        }
        position += rest.count
        switch String(decoding: rest, as: UTF8.self) {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "":
            throw failure(
                "expected a value, but found \(found). A value is text in quotes, a number, true, false, null, a list or an object."
            )
        case "Infinity", "NaN": throw notFinite(at: start)
        case let other where dialect == .json5:
            throw failure("expected a value, but found \(shown(other)). Write text in quotes.", at: start)
        default:
            throw failure("expected a value, but found a word. JSON knows true, false and null, and text in quotes.", at: start)
        }
    }

    /// A key without quotes (ECMAScript 5.1 §7.6, IdentifierName).
    mutating func identifier() throws -> String {
        var name = String.UnicodeScalarView()
        while position < bytes.count {
            let start = position
            let scalar: Unicode.Scalar
            if take("\\") {
                guard take("u") else {
                    throw failure("expected \\u and four digits. A key holds no other escapes unless it is in quotes.", at: start)
                }
                scalar = try unicodeEscape(from: start)
                guard isPart(scalar, first: name.isEmpty) else {
                    throw failure(
                        "expected a letter, but this escape stands for something else. Put the key in quotes.", at: start)
                }
            } else {
                let width: Int
                (scalar, width) = self.scalar(at: position)
                guard isPart(scalar, first: name.isEmpty) else { break }
                position += width
            }
            name.append(scalar)
        }
        guard !name.isEmpty else {
            throw failure("expected a key, but found \(found). A key that does not begin with a letter, $ or _ is put in quotes.")
        }
        return String(name)
    }

    private func isPart(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: true
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: !first || scalar == "_"
        default: scalar == "$" || (!first && (scalar == "\u{200C}" || scalar == "\u{200D}"))
        }
    }

    // MARK: - Numbers

    /// A number as JSON writes it: without a leading plus, with digits on both sides of a point, and never hexadecimal.
    mutating func number() throws -> String {
        let start = position
        var text = ""
        if take("-") { text = "-" } else if dialect == .json5 { _ = take("+") }
        if dialect == .json5, peek == UInt8(ascii: "I") || peek == UInt8(ascii: "N") { throw notFinite(at: start) }
        if dialect == .json5, peek == UInt8(ascii: "0"), position + 1 < bytes.count,
            bytes[position + 1] | 0x20 == UInt8(ascii: "x")
        {
            text += try hexadecimal(from: start)
        } else {
            text += try decimal(from: start)
        }
        let begins = position < bytes.count ? scalar(at: position).0 : " "
        guard !isPart(begins, first: false), begins != "." else {
            throw failure("expected the end of the number, but found \(found). Write text in quotes, and numbers as 1234.5.")
        }
        return text
    }

    private mutating func decimal(from start: Int) throws -> String {
        var whole = digits()
        var fraction = ""
        if whole.count > 1, whole.hasPrefix("0") {
            throw failure("expected a number without leading zeros. Remove them, or put it in quotes if it is text.", at: start)
        }
        let point = take(".")
        if point { fraction = digits() }
        if whole.isEmpty && fraction.isEmpty {
            throw failure("expected a digit, but found \(found). Write a number as 1234.5.")
        }
        if dialect == .json {
            if whole.isEmpty { throw failure("expected a digit before the point. Write .5 as 0.5.", at: start) }
            if point && fraction.isEmpty { throw failure("expected a digit after the point, but found \(found). Write 5. as 5.") }
        }
        if whole.isEmpty { whole = "0" }
        var text = fraction.isEmpty ? whole : whole + "." + fraction
        if let letter = peek, letter | 0x20 == UInt8(ascii: "e") {
            position += 1
            text += "e"
            if take("-") { text += "-" } else { _ = take("+") }
            let exponent = digits()
            guard !exponent.isEmpty else {
                throw failure("expected a digit of the exponent, but found \(found). Write it as 1e6.")
            }
            text += exponent
        }
        return text
    }

    private mutating func hexadecimal(from start: Int) throws -> String {
        position += 2
        let digits = bytes[position...].prefix { hexValue($0) != nil }
        guard !digits.isEmpty else {
            throw failure("expected hexadecimal digits after 0x, but found \(found). Write it as 0x1F.")
        }
        position += digits.count
        guard let value = UInt128(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw failure(
                "this hexadecimal number does not fit in 128 bits. Expected a smaller one, or write it as a decimal.", at: start)
        }
        return String(value)
    }

    private mutating func digits() -> String {
        let digits = bytes[position...].prefix { $0 &- 0x30 <= 9 }
        position += digits.count
        return String(decoding: digits, as: UTF8.self)
    }

    private mutating func notFinite(at start: Int) -> Failure {
        failure(
            "expected a number, but Infinity and NaN are none that can be counted with. Leave the key out, or write the number.",
            at: start)
    }
}
