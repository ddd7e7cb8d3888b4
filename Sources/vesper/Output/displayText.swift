/// A text in which nothing can act on a terminal: control characters, escape sequences and marks that turn the direction of
/// writing are spelled out.
///
///     visible("a\u{1b}[2Jb")   // a\u{1b}[2Jb, in plain characters
func visible(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where actsOnTerminal(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// Control and format characters, but for the two joiners that scripts and emoji are written with.
func actsOnTerminal(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: scalar.value != 0x200c && scalar.value != 0x200d
    default: false
    }
}

/// The columns a text takes on a terminal.
func displayWidth(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { sum, character in
        let scalars = character.unicodeScalars
        // U+FE0F asks for the emoji form of the character before it.
        return sum + (scalars.contains { $0.value == 0xfe0f } ? 2 : scalars.map(displayWidth).max() ?? 0)
    }
}

/// Two columns for what Unicode's UAX #11 calls wide, none for marks that stand on the character before them.
private func displayWidth(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
        0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
        return 2
    default: return 1
    }
}

/// Filled with spaces to a display width, on the left where it is to stand right.
func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - displayWidth(text)))
    return right ? spaces + text : text + spaces
}

/// Broken at spaces into lines of at most `width`, each begun with `indent` spaces. A longer word has a line of its own.
func wrapped(_ text: String, width: Int, indent: Int = 0) -> String {
    var lines: [String] = []
    for word in text.split(separator: " ").map(String.init) {
        if let line = lines.last, indent + displayWidth(line) + 1 + displayWidth(word) <= width {
            lines[lines.count - 1] = line + " " + word
        } else {
            lines.append(word)
        }
    }
    return lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
}
