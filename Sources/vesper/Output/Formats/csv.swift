import Common

extension Table {
    /// For spreadsheets: RFC 4180 with LF line ends. Totals are left out, for a sum over the column would count them again, and
    /// so are notes. What is not an exact figure is text (`>=4.1`, `1.2..3.4`); the unknown is empty.
    var csv: String {
        let lines = [columns.map { quoted($0.name) }] + rows.map { $0.map(field) }
        return lines.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private func field(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): quoted(unarmed(text))
        case .int(let number): String(number)
        case .decimal(let number): number.description
        case .money(let amount): amount.description
        case .atLeast(let amount): ">=\(amount)"
        case .range(let low, let high): "\(low)..\(high)"
        case .missing, .blank: ""
        }
    }

    /// A text that a spreadsheet would run as a formula gets an apostrophe before it.
    private func unarmed(_ text: String) -> String {
        guard let first = text.utf8.first, "=+-@\t\r\n".utf8.contains(first) else { return text }
        return "'" + text
    }

    /// Byte by byte: a mark that combines with a quote must not hide it.
    private func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
        return "\"" + String(decoding: text.utf8.flatMap { $0 == 0x22 ? [$0, $0] : [$0] }, as: UTF8.self) + "\""
    }
}
