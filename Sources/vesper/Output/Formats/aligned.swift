import Common

extension Table {
    /// For people: columns aligned by display width, thousands separated, totals and notes below.
    func aligned(colour: Bool) -> String {
        let body = rows.map { zip($0, columns).map(shown) }
        let totals = totals.map { zip($0, columns).map(shown) }
        let titles = columns.map { visible($0.title) }
        let widths = columns.indices.map { index in
            ([titles] + body + (totals.map { [$0] } ?? [])).map { displayWidth($0[index]) }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let parts = columns.indices.map { padded(cells[$0], to: widths[$0], right: columns[$0].alignment == .right) }
            let joined = parts.joined(separator: "  ")
            return String(joined[..<(joined.lastIndex { $0 != " " }.map(joined.index(after:)) ?? joined.startIndex)])
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        let header = line(titles)
        var lines = [colour ? "\u{1b}[1m\(header)\u{1b}[0m" : header, rule] + body.map(line)
        if body.isEmpty { lines.append("(no rows)") }
        if let totals { lines += [rule, line(totals)] }
        if !notes.isEmpty { lines += [""] + notes.map(visible) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func shown(_ cell: Cell, in column: Column) -> String {
        switch cell {
        case .text(let text): visible(text)
        case .int(let number): grouped(number)
        case .decimal(let number): separated(number.description)
        case .money(let amount): shown(amount, column.places)
        case .atLeast(let amount): "≥ " + shown(amount, column.places)
        case .range(let low, let high): shown(low, column.places) + " – " + shown(high, column.places)
        case .missing(let reason): visible(reason)
        case .blank: ""
        }
    }

    /// An amount too small for the places is not shown as zero, for it is not.
    private func shown(_ amount: Money, _ places: Int) -> String {
        let text = amount.text(places: places)
        guard amount != .zero, !text.contains(where: { ("1"..."9").contains($0) }) else { return separated(text) }
        let least = places == 0 ? "1" : "0." + String(repeating: "0", count: places - 1) + "1"
        return amount > .zero ? "<" + least : ">-" + least
    }
}

/// A decimal with its thousands separated: -1,234.5.
func separated(_ number: String) -> String {
    let digits = number.hasPrefix("-") ? number.dropFirst() : number[...]
    let whole = digits.prefix { $0 != "." }
    return (number.hasPrefix("-") ? "-" : "") + (UInt128(whole).map { grouped($0) } ?? String(whole))
        + digits.dropFirst(whole.count)
}
