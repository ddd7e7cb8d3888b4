/// Private text with what could name a person blanked: mail addresses, links, phone and card numbers.
///
///     redacted("mail me at a@example.com, or +49 30 1234567")   // "mail me at [mail], or [number]"
public func redacted(_ text: String) -> String {
    var out: [String] = []
    var digits: [Substring] = []
    func flush() {
        // Numbers may be written in groups: 030 123 45 67, 4111-1111-1111-1111.
        let count = digits.joined().filter(\.isNumber).count
        if count >= mostDigits { out.append("[number]" + trailing(digits.last ?? "")) } else { out += digits.map(String.init) }
        digits = []
    }
    for word in text.split(whereSeparator: \.isWhitespace) {
        let lower = word.lowercased()
        if word.contains(where: \.isNumber), word.allSatisfy({ $0.isNumber || "+-()./,;:!?".contains($0) }) {
            digits.append(word)
            continue
        }
        flush()
        if word.contains("@"), word.contains(".") {
            out.append("[mail]" + trailing(word))
        } else if lower.contains("://") || lower.contains("www.") {
            out.append("[link]" + trailing(word))
        } else if word.filter(\.isNumber).count >= mostDigits {
            // A number with letters before or behind it: tel:030123456, or an account's.
            out.append("[number]" + trailing(word))
        } else {
            out.append(String(word))
        }
    }
    flush()
    return out.joined(separator: " ")
}

/// So many digits together may call or charge somebody.
private let mostDigits = 7

/// The first characters of a text, cut at a word.
func excerpt(_ text: String, atMost limit: Int) -> String {
    guard text.count > limit else { return text }
    let cut = text.prefix(limit)
    return (cut.lastIndex(of: " ").map { cut[..<$0] } ?? cut) + "…"
}

private func trailing(_ word: Substring) -> String { String(word.reversed().prefix { ".,;:!?)".contains($0) }.reversed()) }
