import Batches
import Common
import Economics
import Ingest
import Insights
import Lake
import Ledger

/// Everything that decides a report besides the rows.
public struct ReportOrder: Sendable {
    public let period: Period
    public let currency: String
    public let model: CostModel
    public let insights: [ProfileOrder]
    public let sections: [SectionPlan]
    public let provisional: Bool
    /// Shown as it is: which inputs the figures were made from.
    public let provenance: [(label: String, value: String)]

    public init(
        period: Period, currency: String, model: CostModel, insights: [ProfileOrder], sections: [SectionPlan], provisional: Bool,
        provenance: [(label: String, value: String)]
    ) {
        (self.period, self.currency, self.model, self.insights) = (period, currency, model, insights)
        (self.sections, self.provisional, self.provenance) = (sections, provisional, provenance)
    }
}

/// What became of one insight in a period: its subjects, and what was asked and answered.
public struct InsightOutcome: Sendable {
    public let insight: Insight
    public let weeks: [SubjectWeek]
    public let answers: [Answer]
    /// False where nothing was ever planned: the period is no week, or lies before the insight's start.
    public let isDue: Bool
}

/// Reads what the stages before have made, and puts the page together.
public func buildReport(_ order: ReportOrder, revision: Int, _ lake: Lake) throws -> (
    report: Report, costs: [CostRow], insights: [InsightOutcome]
) {
    let cube = CostCube(order.model, lake)
    let costs = try cube.rows(of: order.period)
    let outcomes = try order.insights.map { try outcome(of: $0, lake) }
    let builder = Builder(order: order, lake: lake, cube: cube, costs: costs, outcomes: outcomes)
    var sections = [Section(id: "tiles", title: "At a glance", notes: try builder.costNotes(), body: .tiles(try builder.tiles()))]
    for (index, plan) in order.sections.enumerated() { sections.append(try builder.section(plan, id: "s\(index + 1)")) }
    let report = Report(
        job: order.model.job, period: order.period, zone: order.model.zone.name, currency: order.currency,
        provisional: order.provisional, revision: revision, verdict: try builder.verdict(), sections: sections)
    return (report, costs, outcomes)
}

private func outcome(of order: ProfileOrder, _ lake: Lake) throws -> InsightOutcome {
    let isDue = order.period.week != nil && order.isDue
    return InsightOutcome(
        insight: order.insight, weeks: isDue ? try storedProfiles(order, lake) : [],
        answers: isDue ? try lake.ledger.answers(job: order.job, insight: order.insight.name, period: order.period) : [],
        isDue: isDue)
}

private struct Builder {
    let order: ReportOrder
    let lake: Lake
    let cube: CostCube
    let costs: [CostRow]
    let outcomes: [InsightOutcome]

    private var total: Measures { costs.total }

    /// The same number of days before, if the lake reaches back that far.
    private func earlier(_ count: Int) throws -> Measures? {
        let first = order.period.first - count * order.period.count
        let period = Period(first: first, last: first + (order.period.count - 1))
        guard let days = try lake.days(job: order.model.job, log: .usage), days.first <= first + 1 else { return nil }
        return try cube.rows(of: period).total
    }

    func verdict() throws -> String {
        let cost = total.cost
        guard total.requests > 0 else { return "No usage was exported for this period." }
        let amount = "\(cost.isComplete ? "" : "at least ")\(cost.low.text(places: 2)) \(order.currency)"
        var parts = ["\(grouped(total.requests)) requests cost \(amount)"]
        if let before = try earlier(1), before.cost.low > .zero, before.requests > 0,
            let share = (cost.low - before.cost.low).ratio(to: before.cost.low, places: 3)
        {
            let percent = Money(units: (share.units(places: 3) ?? 0) * 100_000_000_000).text(places: 1)
            parts[0] +=
                share.isNegative
                ? ", \(percent.dropFirst()) % less than the period before" : ", \(percent) % more than the period before"
        }
        if !cost.isComplete {
            parts.append(
                "\(counted(cost.unpricedRequests, "request")) \(cost.unpricedRequests == 1 ? "has" : "have") no known price")
        }
        for outcome in outcomes where outcome.isDue {
            let delivered = outcome.answers.filter { $0.outcome == "answered" }.count
            parts.append("\(delivered) of \(outcome.weeks.count) \(outcome.insight.name) insights are delivered")
        }
        return parts.joined(separator: "; ") + "."
    }

    func costNotes() throws -> [String] {
        var notes = ["Cost is computed from the usage log and the price book, to 1e-12 \(order.currency) per event and meter."]
        let unpriced = costs.filter { !$0.measures.cost.isComplete }
        if !unpriced.isEmpty {
            let model = CostCube.dimensions.firstIndex(of: "model") ?? 0
            let names = Set(unpriced.map { $0.keys[model] ?? "(none)" }).sorted()
            notes.append(
                "No price is known for: \(names.joined(separator: ", ")). Their cost is not in the figures, which therefore read \"at least\"."
            )
        }
        return notes
    }

    func tiles() throws -> [Tile] {
        let before = try earlier(1)
        let four = try (1...4).map { try earlier($0) }
        let usual = four.contains { $0 == nil } ? nil : four.compactMap { $0 }.reduce(into: Measures()) { $0 += $1 }
        func mean(_ cost: Cost) -> Cost {
            var mean = cost
            (mean.low, mean.high) = (cost.low.divided(by: 4) ?? .zero, cost.high.divided(by: 4) ?? .zero)
            return mean
        }
        var tiles = [
            Tile(
                label: "Cost \(order.currency)", value: .cost(total.cost), before: before.map { .cost($0.cost) },
                usual: usual.map { .cost(mean($0.cost)) }),
            Tile(
                label: "Requests", value: .count(total.requests), before: before.map { .count($0.requests) },
                usual: usual.map { .count($0.requests / 4) }),
            Tile(
                label: "Priced", value: total.coverage.map(Figure.share) ?? .unknown("no requests"),
                before: before?.coverage.map(Figure.share), usual: usual?.coverage.map(Figure.share)),
        ]
        let whole = try cube.table(CostQuery(period: order.period, every: .all, by: [], with: [.users]))
        if let row = whole.total {
            tiles.append(Tile(label: "Active users", value: TableMeasure.active.figure(row.measures, users: row.users)))
            tiles.append(
                Tile(
                    label: "Cost per active user \(order.currency)",
                    value: TableMeasure.costPerActive.figure(row.measures, users: row.users)))
        }
        for outcome in outcomes where outcome.isDue {
            let delivered = outcome.answers.filter { $0.outcome == "answered" }.count
            tiles.append(Tile(label: "\(outcome.insight.name) delivered", value: .text("\(delivered) of \(outcome.weeks.count)")))
        }
        return Array(tiles.prefix(6))
    }

    func section(_ plan: SectionPlan, id: String) throws -> Section {
        switch plan {
        case .stackedDays(let dimension): try stackedDays(dimension, id)
        case .table(let dimensions, let measures): try table(dimensions, measures, id)
        case .funnel(let insight): funnel(insight, id)
        case .sample(let insight): sample(insight, id)
        case .dataQuality: try dataQuality(id)
        case .provenance: Section(id: id, title: "Provenance", body: .facts(order.provenance))
        }
    }

    private func rows(by dimensions: [String], every grain: Grain, users: Bool) throws -> [CostRow] {
        let positions = dimensions.map { CostCube.dimensions.firstIndex(of: $0) }
        if !users, !positions.contains(nil) {
            return costs.summed(by: positions.compactMap { $0 }, over: grain == .all ? order.period : nil)
        }
        return try cube.table(
            CostQuery(period: order.period, every: grain, by: dimensions, with: users ? [.users] : [])
        ).rows
    }

    private func stackedDays(_ dimension: String, _ id: String) throws -> Section {
        let rows = try rows(by: [dimension], every: .day, users: false)
        let title = "Cost by day and \(dimension)"
        guard !rows.isEmpty else {
            return Section(id: id, title: title, body: .missing("No usage was exported for this period."))
        }
        let days = order.period.days
        let series = Dictionary(grouping: rows) { $0.keys[0] ?? "(none)" }.map { name, rows in
            (name: name, costs: days.map { day in rows.filter { $0.period.first == day }.total.cost })
        }
        func sum(_ costs: [Cost]) -> Money { costs.reduce(.zero) { $0 + $1.low } }
        let ordered = series.sorted { (sum($1.costs), $0.name) < (sum($0.costs), $1.name) }
        return Section(
            id: id, title: title, notes: ["Days are those of \(order.model.zone.name)."],
            body: .stackedDays(StackedDays(days: days, series: ordered)))
    }

    private func table(_ dimensions: [String], _ measures: [TableMeasure], _ id: String) throws -> Section {
        let users = measures.contains(.active) || measures.contains(.costPerActive)
        let rows = try rows(by: dimensions, every: .all, users: users)
        let title = dimensions.isEmpty ? "Cost" : "Cost by \(listed(dimensions))"
        guard !rows.isEmpty else {
            return Section(id: id, title: title, body: .missing("No usage was exported for this period."))
        }
        let cells = rows.map { row in
            row.keys.map { Figure.text($0 ?? "(none)") } + measures.map { $0.figure(row.measures, users: row.users) }
        }
        // Users of several rows may be the same people: the total is counted, not added.
        let all = users ? try self.rows(by: [], every: .all, users: true).first : nil
        let totals = measures.map { $0.figure(rows.total, users: all?.users) }
        let names = dimensions.map { $0.prefix(1).uppercased() + $0.dropFirst().replacing("_", with: " ") }
        let label = dimensions.enumerated().map { Figure.text($0.offset == 0 ? "All" : "") }
        return Section(
            id: id, title: title,
            notes: !users ? [] : ["Somebody who is active in several rows is counted once in the last one."],
            body: .table(
                ReportTable(
                    columns: names + measures.map { $0.title(currency: order.currency) }, rows: cells, totals: label + totals)))
    }

    private func funnel(_ name: String, _ id: String) -> Section {
        let title = "From entitled to delivered: \(name)"
        guard let outcome = outcomes.first(where: { $0.insight.name == name }), outcome.isDue else {
            return Section(id: id, title: title, body: .missing(notDue(name)))
        }
        func standing(_ standing: Standing) -> Int { outcome.weeks.filter { $0.standing == standing }.count }
        let (silent, quiet, crisis) = (standing(.noConsent), standing(.tooQuiet), standing(.crisis))
        let entitled = outcome.weeks.count
        let eligible = standing(.eligible)
        let known = Set(outcome.weeks.filter { $0.standing == .eligible }.map(\.subject))
        let asked = outcome.answers.filter { known.contains($0.subject) }
        let answered = asked.filter { $0.outcome != nil && !["missing", "errored", "expired", "canceled"].contains($0.outcome) }
        let valid = asked.filter { $0.outcome == "answered" }
        func losses(_ answers: [Answer], but kept: [Answer]) -> [FunnelStep.Loss] {
            let lost = answers.filter { answer in !kept.contains { $0.subject == answer.subject } }
            return Dictionary(grouping: lost) { $0.outcome ?? "waiting for the provider" }.sorted { $0.key < $1.key }
                .map { FunnelStep.Loss($0.key, $0.value.count) }
        }
        func loss(_ reason: String, _ count: Int) -> [FunnelStep.Loss] { count > 0 ? [FunnelStep.Loss(reason, count)] : [] }
        let steps = [
            FunnelStep(name: "entitled", count: entitled),
            FunnelStep(name: "with consent", count: entitled - silent, lost: loss("no consent", silent)),
            FunnelStep(name: "active enough", count: entitled - silent - quiet, lost: loss("too quiet", quiet)),
            FunnelStep(name: "not in a crisis", count: eligible, lost: loss("crisis: the supportive text instead", crisis)),
            FunnelStep(name: "sent", count: asked.count, lost: loss("not sent yet", eligible - asked.count)),
            FunnelStep(name: "answered", count: answered.count, lost: losses(asked, but: answered)),
            FunnelStep(name: "valid and delivered", count: valid.count, lost: losses(answered, but: valid)),
        ]
        return Section(id: id, title: title, body: .funnel(steps))
    }

    private func sample(_ name: String, _ id: String) -> Section {
        let title = "One answer whole: \(name)"
        guard let outcome = outcomes.first(where: { $0.insight.name == name }), outcome.isDue else {
            return Section(id: id, title: title, body: .missing(notDue(name)))
        }
        guard let answer = outcome.answers.first(where: { $0.content != nil }), let members = answer.content?.members else {
            return Section(id: id, title: title, body: .missing("No answer has been delivered for this period."))
        }
        var notes = ["The member is known here by the pseudonym \(answer.subject)."]
        if let now = outcome.weeks.first(where: { $0.subject == answer.subject })?.digest.hex, now != answer.madeFrom {
            notes.append("Late data has changed the member's week since: the answer was made from an earlier revision.")
        }
        return Section(id: id, title: title, notes: notes, body: .sample(members))
    }

    private func notDue(_ name: String) -> String {
        order.period.week == nil
            ? "Insights are made for ISO weeks; this period is none." : "\(name) was not on offer in this period."
    }

    private func dataQuality(_ id: String) throws -> Section {
        let days = lakeDays(of: order.period, in: order.model.zone)
        let counts = try countsBySource(lake.ledger, job: order.model.job, from: days.first, to: days.last)
        let title = "Records read"
        guard !counts.isEmpty else {
            return Section(id: id, title: title, body: .missing("No export holds rows of this period."))
        }
        let rows = counts.map { source, counts -> [Figure] in
            [
                .text(source), .count(counts.records), .count(counts.accepted), .count(counts.duplicate),
                .count(counts.outOfRange),
                .count(counts.quarantinedTotal), .count(counts.filtered),
            ]
        }
        let all = counts.reduce(into: Counts()) { $0 += $1.counts }
        var notes = ["All records of the files that gave rows to this period, which may hold rows of other days too."]
        if all.quarantinedTotal > 0 {
            notes.append(
                "Quarantined: "
                    + all.quarantined.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ") + ".")
        }
        return Section(
            id: id, title: title, notes: notes,
            body: .table(
                ReportTable(
                    columns: ["Source", "Records", "Accepted", "Duplicate", "Out of range", "Quarantined", "Filtered"],
                    rows: rows,
                    totals: [
                        .text("All"), .count(all.records), .count(all.accepted), .count(all.duplicate), .count(all.outOfRange),
                        .count(all.quarantinedTotal), .count(all.filtered),
                    ])))
    }
}
