/// A piece of a page. A `String` put into one is escaped: only literals and other pieces stand as they are.
///
///     let name = "<b>"
///     ("<p>\(name)</p>" as Markup).text   // <p>&lt;b&gt;</p>
struct Markup: ExpressibleByStringInterpolation, Equatable {
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(2 * literalCapacity) }
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ piece: Markup) { text += piece.text }
        mutating func appendInterpolation(_ value: String) { text += escaped(value) }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// Keeps the line breaks of a longer text.
        mutating func appendInterpolation(lines value: String) {
            text += value.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }.joined(
                separator: "<br>")
        }
    }
}

extension [Markup] {
    func joined(_ separator: Markup = "") -> Markup {
        var first = true
        return reduce(into: "") { whole, piece in
            whole = first ? piece : "\(whole)\(separator)\(piece)"
            first = false
        }
    }
}

/// A value as it may stand in a page, in text and in attributes: markup is escaped, what acts unseen is spelled out (`\u{202e}`),
/// and what a spreadsheet would run as a formula when it is pasted there gets an apostrophe before it.
func escaped(_ value: String) -> String {
    var result = isFormula(value) ? "&#39;" : ""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where actsUnseen(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// Control and format characters, but for the two joiners that scripts and emoji are written with.
private func actsUnseen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: scalar.value != 0x200c && scalar.value != 0x200d
    default: false
    }
}

/// Whether a spreadsheet takes the text as a formula that does something; a number with a sign is none.
private func isFormula(_ value: String) -> Bool {
    guard let first = value.utf8.first else { return false }
    if "=@".utf8.contains(first) { return true }
    return "+-".utf8.contains(first) && value.utf8.dropFirst().contains { "(=|!&+-*/^:;@\"'".utf8.contains($0) }
}
