import Common

extension Table {
    /// For spreadsheets: RFC 4180 with LF line ends. Totals are left out, for a sum over the column would count them again, and
    /// so are notes. What is not an exact figure is text (`>=4.1`, `1.2..3.4`); the unknown is empty.
    var csv: String {
        let lines = [columns.map { csvQuoted($0.name) }] + rows.map { $0.map(field) }
        return lines.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private func field(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): csvText(text)
        case .int(let number): String(number)
        case .decimal(let number): number.description
        case .money(let amount): amount.description
        case .atLeast(let amount): ">=\(amount)"
        case .range(let low, let high): "\(low)..\(high)"
        case .missing, .blank: ""
        }
    }
}
