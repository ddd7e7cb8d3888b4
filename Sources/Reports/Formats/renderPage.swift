import Common
import Economics

/// One self-contained page for the owner: no script, nothing fetched, good on a phone, in the dark and on paper.
///
/// The same report gives the same bytes. Figures are rounded for reading, and the title of each holds all its digits.
public func renderPage(_ report: Report) -> String {
    let name = productName(report.job)
    let page: Markup = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <title>\(name) \(report.period.description)</title>
        <link rel="icon" href="data:,">
        <style>
        \(pageStyle)
        </style>
        </head>
        <body>
        \(renderHeader(report, name: name))
        <main>
        \(report.sections.map { renderSection($0, of: report) }.joined("\n"))
        </main>
        <footer>
        <p>\(report.job) \(report.period.description), revision \(report.revision). Figures are rounded for reading: \
        pointing at one shows all its digits, and the report’s JSON holds them.</p>
        </footer>
        </body>
        </html>

        """
    return page.text
}

private func renderHeader(_ report: Report, name: String) -> Markup {
    let (first, last) = (report.period.first, report.period.last)
    let days =
        first == last
        ? "\(weekdayName(first)) \(longDate(first))"
        : "\(weekdayName(first)) \(longDate(first)) to \(weekdayName(last)) \(longDate(last))"
    let state: Markup = report.provisional ? #"<li class="mark open">provisional</li>"# : #"<li class="mark">final</li>"#
    let warning: Markup =
        report.provisional
        ? #"<p class="warning">The period was not over when this was made: its figures will still change.</p>"# : ""
    let links = report.sections.map { section -> Markup in ##"<li><a href="#\##(section.id)">\##(section.title)</a></li>"## }
    let contents: Markup =
        links.count < 3 ? "" : "<nav aria-label=\"Sections of this page\">\n<ul>\n\(links.joined("\n"))\n</ul>\n</nav>"
    return """
        <header>
        <p class="brand"><svg width="16" height="16" aria-hidden="true"><path d="M8 0c.7 5.2 2.800 7.300 8 8c-5.200.7-7.300 \
        2.800-8 8c-.7-5.200-2.800-7.300-8-8c5.200-.7 7.300-2.800 8-8z"/></svg>Vesper</p>
        <h1>\(name)<span class="of">, \(periodTitle(report.period))</span></h1>
        <ul class="meta">
        <li>\(days)</li>
        <li>days of \(report.zone)</li>
        <li>amounts in \(report.currency)</li>
        \(state)
        <li class="mark">revision \(report.revision)</li>
        </ul>
        \(warning)
        <p class="verdict">\(report.verdict)</p>
        \(contents)
        </header>
        """
}

private func renderSection(_ section: Section, of report: Report) -> Markup {
    let body: Markup =
        switch section.body {
        case .tiles(let tiles): renderTiles(tiles, of: report)
        case .stackedDays(let days): drawStackedDays(days, id: section.id, currency: report.currency)
        case .table(let table): renderTable(table, id: section.id, currency: report.currency)
        case .funnel(let steps): renderFunnel(steps)
        case .sample(let fields): renderSample(fields)
        case .facts(let facts): renderFacts(facts)
        case .missing(let why): #"<p class="missing">\#(why)</p>"#
        }
    let notes = section.notes.map { note -> Markup in "<p>\(note)</p>" }
    let below: Markup = notes.isEmpty ? "" : "\n<div class=\"notes\">\n\(notes.joined("\n"))\n</div>"
    return """
        <section id="\(section.id)" aria-labelledby="\(section.id)_title">
        <h2 id="\(section.id)_title">\(section.title)</h2>
        \(body)\(below)
        </section>
        """
}

/// A job's name as a heading has it: with a capital.
private func productName(_ job: String) -> String { job.prefix(1).uppercased() + job.dropFirst() }

private func periodTitle(_ period: Period) -> String {
    if let week = period.week { return "week \(week.number) of \(week.year)" }
    let (year, month, _) = period.first.civil
    if period.month != nil { return "\(monthNames[month - 1]) \(year)" }
    return period.count == 1 ? longDate(period.first) : "\(longDate(period.first)) to \(longDate(period.last))"
}

// MARK: - Days in words

private let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]

/// 9 November 2026.
func longDate(_ day: Day) -> String { "\(day.civil.day) \(monthNames[day.civil.month - 1]) \(day.civil.year)" }

/// 9 Nov.
func shortDate(_ day: Day) -> String { "\(day.civil.day) \(monthNames[day.civil.month - 1].prefix(3))" }

func shortMonth(_ day: Day) -> String { String(monthNames[day.civil.month - 1].prefix(3)) }

func weekdayName(_ day: Day) -> String {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][day.weekday - 1]
}

func shortWeekday(_ day: Day) -> String { String(weekdayName(day).prefix(3)) }
