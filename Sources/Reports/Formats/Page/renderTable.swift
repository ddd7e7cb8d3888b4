import Common

/// A table with its numbers to the right, the currency in the heads of columns that hold money, and the reasons for what is not
/// known numbered below it.
///
/// `unitIsNamed`: the currency already stands beside the table.
func renderTable(_ table: ReportTable, id: String, currency: String, unitIsNamed: Bool = false) -> Markup {
    guard !table.rows.isEmpty else { return nothingToShow }
    let lines = table.rows + (table.totals.map { [$0] } ?? [])
    let isRight = table.columns.indices.map { column in
        !lines.contains { line in if case .text = line[column] { true } else { false } }
    }
    let reasons = Reasons(lines, id: id)
    let heads = table.columns.enumerated().map { index, name -> Markup in
        let isNamed = unitIsNamed || name.split { !$0.isLetter }.contains { $0 == currency }
        let unit: Markup = !isNamed && lines.contains { $0[index].isMoney } ? #" <span class="unit">\#(currency)</span>"# : ""
        let side: Markup = isRight[index] ? #" class="n""# : ""
        return #"<th scope="col"\#(side)>\#(name)\#(unit)</th>"#
    }
    func row(_ line: [Figure]) -> Markup {
        let cells = line.enumerated().map { index, value -> Markup in
            let content: Markup = "\(figure(value, currency: currency))\(reasons.mark(value))"
            let side: Markup = isRight[index] ? #" class="n""# : ""
            return index == 0 ? #"<th scope="row"\#(side)>\#(content)</th>"# : "<td\(side)>\(content)</td>"
        }
        return "<tr>\(cells.joined())</tr>"
    }
    let totals: Markup = table.totals.map { "\n<tfoot>\n\(row($0))\n</tfoot>" } ?? ""
    return """
        <div class="scroll" role="region" aria-labelledby="\(id)_title" tabindex="0">
        <table>
        <thead>
        <tr>\(heads.joined())</tr>
        </thead>
        <tbody>
        \(table.rows.map(row).joined("\n"))
        </tbody>\(totals)
        </table>
        </div>\(reasons.list)
        """
}

/// Why figures of a table are not known: each reason once, in the order in which they are met.
private struct Reasons {
    private var texts: [String] = []
    private let id: String

    init(_ lines: [[Figure]], id: String) {
        self.id = id
        for line in lines {
            for case .unknown(let why) in line where !texts.contains(why) { texts.append(why) }
        }
    }

    func mark(_ figure: Figure) -> Markup {
        guard case .unknown(let why) = figure, let index = texts.firstIndex(of: why) else { return "" }
        return ##"<sup><a href="#\##(id)_why\##(index + 1)">\##(index + 1)</a></sup>"##
    }

    var list: Markup {
        guard !texts.isEmpty else { return "" }
        let items = texts.enumerated().map { index, text -> Markup in #"<li id="\#(id)_why\#(index + 1)">\#(text)</li>"# }
        return "\n<ol class=\"reasons\" aria-label=\"Why figures are not known\">\n\(items.joined("\n"))\n</ol>"
    }
}
