/// A text as a CSV field (RFC 4180), made harmless for spreadsheets: one that would run as a formula gets an apostrophe before it.
///
///     csvText("=HYPERLINK(\"http://x\")")   // "'=HYPERLINK(""http://x"")"
public func csvText(_ text: String) -> String {
    guard let first = text.utf8.first, "=+-@\t\r\n".utf8.contains(first) else { return csvQuoted(text) }
    return csvQuoted("'" + text)
}

/// A text in quotes where RFC 4180 wants them. Byte by byte: a mark that combines with a quote must not hide it.
public func csvQuoted(_ text: String) -> String {
    guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
    return "\"" + String(decoding: text.utf8.flatMap { $0 == 0x22 ? [$0, $0] : [$0] }, as: UTF8.self) + "\""
}
