import Common
import Economics

/// Costs by day as stacked bars, drawn without a script: a key above, the same figures as a table below.
///
/// Positions are integers in hundredths of a pixel from exact sums, so that the parts of a bar meet. Across, they are shares of
/// the width, so that text keeps its size on a phone.
func drawStackedDays(_ chart: StackedDays, id: String, currency: String) -> Markup {
    guard !chart.days.isEmpty, !chart.series.isEmpty else { return nothingToShow }
    let drawing = StackedDrawing(chart, currency: currency)
    let table = renderTable(drawing.table, id: id, currency: currency, unitIsNamed: true)
    return """
        <p class="unit">\(currency) by day</p>
        \(drawing.key)
        \(drawing.picture)\(drawing.remark)
        <details>
        <summary>The same figures as a table</summary>
        \(table)
        </details>
        """
}

/// What is drawn of a chart: at most eight series have a colour, the rest are drawn as one.
struct StackedDrawing {
    let days: [Day]
    let currency: String
    let parts: [Part]
    /// By day, over all series.
    let totals: [Cost]
    /// By day, how far a bar reaches where prices are ranges.
    private let highest: [Money]
    private let chart: StackedDays
    private let axis: MoneyAxis?

    struct Part {
        let name: String
        /// c1 … c8, or c0 for the rest.
        let colour: String
        let costs: [Cost]
        var total: Cost { costs.reduce(into: Cost()) { $0 += $1 } }
    }

    private static let height = 220
    private static let colours = 8

    init(_ chart: StackedDays, currency: String) {
        (self.chart, self.currency, days) = (chart, currency, chart.days)
        let days = chart.days
        let named = chart.series.count > Self.colours ? Self.colours - 1 : chart.series.count
        var parts = chart.series.prefix(named).enumerated().map { index, series in
            Part(name: series.name, colour: "c\(index + 1)", costs: days.indices.map { cost(series.costs, $0) })
        }
        let others = chart.series.dropFirst(named)
        if !others.isEmpty {
            let sums = days.indices.map { day in others.reduce(into: Cost()) { $0 += cost($1.costs, day) } }
            parts.append(Part(name: "\(others.count) others", colour: "c0", costs: sums))
        }
        totals = days.indices.map { day in parts.reduce(into: Cost()) { $0 += $1.costs[day] } }
        self.parts = parts
        // Where something is below zero, what is drawn is more than the day's total.
        highest = days.indices.map { day in parts.reduce(into: Money.zero) { $0 += max($1.costs[day].high, .zero) } }
        axis = MoneyAxis(covering: highest.max() ?? .zero)
    }

    /// Every series and every day, with nothing put together.
    var table: ReportTable {
        let costs = chart.series.map { series in days.indices.map { cost(series.costs, $0) } }
        let rows = days.indices.map { day in
            [Figure.text(dayName(days[day]))] + costs.map { .cost($0[day]) } + [.cost(totals[day])]
        }
        let sums = costs.map { $0.reduce(into: Cost()) { $0 += $1 } } + [totals.reduce(into: Cost()) { $0 += $1 }]
        return ReportTable(
            columns: ["Day"] + chart.series.map(\.name) + ["Total"], rows: rows,
            totals: [.text("Total")] + sums.map { .cost($0) })
    }

    var key: Markup {
        let items = parts.map { part -> Markup in
            let total = figure(.cost(part.total), currency: currency)
            return
                #"<li><span class="swatch \#(part.colour)"></span><bdi>\#(part.name)</bdi> <span class="sum">\#(total)</span></li>"#
        }
        return "<ul class=\"key\">\n\(items.joined("\n"))\n</ul>"
    }

    /// What a mark in the picture means, where there is one.
    var remark: Markup {
        guard axis != nil else { return "" }
        var remarks: [Markup] = []
        if totals.contains(where: { !$0.isComplete }) {
            remarks.append("≥ marks a day with requests that have no known price: it cost more than is drawn.")
        }
        if totals.contains(where: { $0.low < $0.high }) {
            remarks.append("A dashed box goes up to the highest amount where a price is a range.")
        }
        if parts.contains(where: { $0.costs.contains { $0.low < .zero } }) {
            remarks.append("Amounts below zero are not drawn; the table has them.")
        }
        return remarks.isEmpty ? "" : "\n<p class=\"remark\">\(remarks.joined(" "))</p>"
    }

    var picture: Markup {
        guard let axis else { return #"<p class="missing">No cost with a known price falls on these days.</p>"# }
        let height = Self.height
        let labels = axis.labels
        let lines = labels.enumerated().map { index, label -> Markup in
            let y = pixels(height * 100 - axis.position(of: Money(units: axis.step.units * Int128(index)), height: height))
            return
                #"<line class="grid" x1="0" x2="100%" y1="\#(y)" y2="\#(y)"/><text class="mark" x="-8" y="\#(y)" dy="4">\#(label)</text>"#
        }
        let density: Markup = days.count > 40 ? " dense" : ""
        let gutter = 16 + 7 * (labels.map(\.count).max() ?? 0)
        return """
            <svg class="chart\(density)" role="group" aria-label="\(summary)" width="100%" height="\(height + 64)" \
            style="padding-left:\(gutter)px">
            \(lines.joined("\n"))
            \(days.indices.map { bar($0, axis) }.joined("\n"))
            <line class="base" x1="0" x2="100%" y1="\(height)" y2="\(height)"/>
            </svg>
            """
    }

    private var summary: String {
        guard let first = days.first, let last = days.last, let most = totals.indices.max(by: { totals[$0].low < totals[$1].low })
        else { return "" }
        let sum = totals.reduce(into: Cost()) { $0 += $1 }
        return
            "Cost by day from \(shortDate(first)) to \(longDate(last)), in \(counted(chart.series.count, "part")): together \(readable(sum)) "
            + "\(currency), the most on \(weekdayName(days[most])) \(shortDate(days[most])) with \(readable(totals[most])) \(currency)."
    }

    /// One day: its parts from the bottom up in the order of the series, its total above, its date below.
    private func bar(_ day: Int, _ axis: MoneyAxis) -> Markup {
        let height = Self.height
        let name = dayName(days[day])
        // In thousandths of a percent of the width; a bar is never wider than 12 %.
        let band = 100_000 / days.count
        let width = min(band * 64 / 100, 12_000)
        let middle = (100_000 * day + 50_000) / days.count
        let (x, wide) = (thousandths(middle - width / 2), thousandths(width))
        var reached = Money.zero
        var bottom = 0
        var shapes: [Markup] = []
        for part in parts {
            reached += max(part.costs[day].low, .zero)
            let top = axis.position(of: reached, height: height)
            defer { bottom = top }
            guard top > bottom else { continue }
            let thin: Markup = top - bottom < 400 ? " thin" : ""
            shapes.append(
                """
                <rect class="\(part.colour)\(thin)" x="\(x)%" width="\(wide)%" y="\(pixels(height * 100 - top))" \
                height="\(pixels(top - bottom))"><title>\(name), \(part.name): \(readable(part.costs[day])) \(currency)</title></rect>
                """)
        }
        let (total, upTo) = (totals[day], axis.position(of: highest[day], height: height))
        if upTo > bottom {
            shapes.append(
                """
                <rect class="upto" x="\(x)%" width="\(wide)%" y="\(pixels(height * 100 - upTo))" height="\(pixels(upTo - bottom))">\
                <title>\(name): \(readable(total)) \(currency)</title></rect>
                """)
        }
        let above = label(of: total)
        if !above.isEmpty {
            let y = pixels(height * 100 - max(upTo, bottom))
            shapes.append(#"<text class="sum" x="\#(thousandths(middle))%" y="\#(y)" dy="-6">\#(above)</text>"#)
        }
        let told = parts.filter { $0.costs[day] != Cost() }.map { "\($0.name) \(readable($0.costs[day]))" }
        let all = "\(name): \(readable(total)) \(currency)" + (told.isEmpty ? "" : "; " + told.joined(separator: ", "))
        return """
            <g role="img" aria-label="\(all)">
            \(shapes.joined("\n"))\(dates(day, at: thousandths(middle)))
            </g>
            """
    }

    /// The amount over a bar, where there is room for it: to two places, unless the whole axis is below 0.10.
    private func label(of total: Cost) -> String {
        let mark = total.isComplete ? "" : "≥"
        guard days.count <= 10, total.low == total.high, let axis else { return mark }
        let isSmall = total.low < Money(units: 1_000_000_000_000) && axis.top >= Money(units: 100_000_000_000)
        guard isSmall else { return mark + readable(total.low) }
        let text = total.low.text(places: 2)
        return mark + (text == "0.00" && total.low > .zero ? "<0.01" : text)
    }

    /// Every day of a short period has its date; of a longer one the Mondays, of a long one the firsts of months.
    private func dates(_ day: Int, at x: String) -> Markup {
        let date = days[day]
        func text(_ text: String, line: Int) -> Markup {
            #"\#n<text class="date" x="\#(x)%" y="\#(Self.height + 18 * line)">\#(text)</text>"#
        }
        if days.count <= 10 {
            let isNew = day == 0 || date.civil.day == 1
            return "\(text(shortWeekday(date), line: 1))\(text(isNew ? shortDate(date) : String(date.civil.day), line: 2))"
        }
        if days.count <= 70 { return date.weekday == 1 ? text(shortDate(date), line: 1) : "" }
        guard date.civil.day == 1 else { return "" }
        let year: Markup = date.civil.month == 1 ? text(String(date.civil.year), line: 2) : ""
        return "\(text(shortMonth(date), line: 1))\(year)"
    }
}

/// What a day cost; nothing where a series is shorter than its days.
private func cost(_ costs: [Cost], _ day: Int) -> Cost { day < costs.count ? costs[day] : Cost() }

/// Kept on one line: Mon 9 Nov.
private func dayName(_ day: Day) -> String { "\(shortWeekday(day)) \(shortDate(day))".replacing(" ", with: "\u{a0}") }

/// Hundredths as a decimal: 12345 is "123.45".
private func pixels(_ hundredths: Int) -> String { "\(hundredths / 100).\(padded(hundredths % 100, 2))" }

private func thousandths(_ value: Int) -> String { "\(value / 1000).\(padded(value % 1000, 3))" }
