import Common

/// The figures that are looked at first, each with the period before and what is usual.
func renderTiles(_ tiles: [Tile], of report: Report) -> Markup {
    guard !tiles.isEmpty else { return nothingToShow }
    let unit = unitOfPeriod(report.period)
    let items = tiles.map { tile -> Markup in
        let before = comparison("\(unit) before", tile.before, with: tile.value, currency: report.currency)
        let usual = comparison("mean of 4", tile.usual, with: tile.value, currency: report.currency)
        let then: Markup = tile.before == nil && tile.usual == nil ? "" : "\n<dl>\(before)\(usual)</dl>"
        var why: Markup = ""
        if case .unknown(let reason) = tile.value { why = #"<p class="why">\#(reason)</p>"# }
        let size: Markup = tile.value.isNumber ? "value" : "value words"
        return """
            <li>
            <p class="label">\(tile.label)</p>
            <p class="\(size)">\(figure(tile.value, currency: report.currency))</p>\(why)\(then)
            </li>
            """
    }
    let hasMoney = tiles.contains { $0.value.isMoney }
    let currency: Markup = hasMoney ? "<p class=\"unit\">Amounts in \(report.currency)</p>\n" : ""
    return "\(currency)<ul class=\"tiles\">\n\(items.joined("\n"))\n</ul>"
}

private func comparison(_ label: String, _ then: Figure?, with now: Figure, currency: String) -> Markup {
    guard let then else { return "" }
    var value = figure(then, currency: currency)
    if case .unknown(let why) = then { value = #"<span class="unknown" title="\#(why)">not known</span>"# }
    let difference: Markup = change(from: then, to: now).map { #" <span class="change">\#($0)</span>"# } ?? ""
    return "<div><dt>\(label)</dt><dd>\(value)\(difference)</dd></div>"
}

private func unitOfPeriod(_ period: Period) -> String {
    if period.week != nil { return "week" }
    if period.month != nil { return "month" }
    return period.count == 1 ? "day" : "period"
}

let nothingToShow: Markup = #"<p class="missing">There is nothing to show for this period.</p>"#
