import Common
import Economics

/// The report as one JSON object, schema `vesper.report/1`, for programs. It holds every digit; keys stay in the order below.
///
///     {"schema": "vesper.report/1", "job": "kalei",
///      "period": {"name": "2026-W46", "first": "2026-11-09", "last": "2026-11-15", "zone": "Europe/Berlin"},
///      "provisional": false, "revision": 1, "currency": "USD", "verdict": "…",
///      "sections": [{"id": "…", "title": "…", "kind": "…", "notes": ["…"], …}]}
///
/// After its notes a section has, by kind:
///
/// | kind           | members |
/// |----------------|---------|
/// | `tiles`        | `tiles`: [{`label`, `value`: figure, `before`: figure or null, `usual`: figure or null}] |
/// | `stacked-days` | `days`: [day], `series`: [{`name`, `costs`: [cost, one a day]}] |
/// | `table`        | `columns`: [text], `rows`: [[figure]], `totals`: [figure] or null |
/// | `funnel`       | `steps`: [{`name`, `count`, `lost`: [{`reason`, `count`}]}] |
/// | `sample`       | `fields`: [{`name`, `value`: any JSON}] |
/// | `facts`        | `facts`: [{`label`, `value`}] |
/// | `missing`      | `why`: text |
///
/// A figure is one of
///
///     {"kind": "text", "text": "…"}            {"kind": "count", "count": 12}
///     {"kind": "money", "amount": "12.4"}      {"kind": "share", "share": "0.9731"}
///     {"kind": "unknown", "why": "…"}
///     {"kind": "cost", "low": "11.2", "high": "13.9", "complete": false, "unpriced_requests": 31}
///
/// and a cost is the last without its kind. Amounts and shares are decimal strings, exact, in the report's currency. Where
/// `complete` is false, `low` and `high` are only what is known of the cost: it is at least that. A reader must take an unknown
/// kind of section or figure as something newer, and skip it; anything else that changes changes the number in `schema`.
public func reportJSON(_ report: Report) -> JSON {
    let period = report.period
    return .fields([
        "schema": .string("vesper.report/1"),
        "job": .string(report.job),
        "period": .fields([
            "name": .string(period.description), "first": .string(period.first.description),
            "last": .string(period.last.description),
            "zone": .string(report.zone),
        ]),
        "provisional": .bool(report.provisional),
        "revision": .int(report.revision),
        "currency": .string(report.currency),
        "verdict": .string(report.verdict),
        "sections": .array(report.sections.map(sectionJSON)),
    ])
}

private func sectionJSON(_ section: Section) -> JSON {
    let body: (kind: String, members: KeyValuePairs<String, JSON>) =
        switch section.body {
        case .tiles(let tiles): ("tiles", ["tiles": .array(tiles.map(tileJSON))])
        case .stackedDays(let chart):
            (
                "stacked-days",
                [
                    "days": .array(chart.days.map { .string($0.description) }),
                    "series": .array(
                        chart.series.map {
                            .fields(["name": .string($0.name), "costs": .array($0.costs.map { .object(costMembers($0)) })])
                        }),
                ]
            )
        case .table(let table):
            (
                "table",
                [
                    "columns": .array(table.columns.map(JSON.string)),
                    "rows": .array(table.rows.map { .array($0.map(figureJSON)) }),
                    "totals": table.totals.map { .array($0.map(figureJSON)) } ?? .null,
                ]
            )
        case .funnel(let steps): ("funnel", ["steps": .array(steps.map(stepJSON))])
        case .sample(let fields):
            ("sample", ["fields": .array(fields.map { .fields(["name": .string($0.key), "value": $0.value]) })])
        case .facts(let facts):
            ("facts", ["facts": .array(facts.map { .fields(["label": .string($0.label), "value": .string($0.value)]) })])
        case .missing(let why): ("missing", ["why": .string(why)])
        }
    let head: [JSON.Member] = [
        .init("id", .string(section.id)), .init("title", .string(section.title)), .init("kind", .string(body.kind)),
        .init("notes", .array(section.notes.map(JSON.string))),
    ]
    return .object(head + body.members.map { JSON.Member($0.key, $0.value) })
}

private func tileJSON(_ tile: Tile) -> JSON {
    .fields([
        "label": .string(tile.label), "value": figureJSON(tile.value), "before": tile.before.map(figureJSON) ?? .null,
        "usual": tile.usual.map(figureJSON) ?? .null,
    ])
}

private func stepJSON(_ step: FunnelStep) -> JSON {
    let lost = step.lost.map { JSON.fields(["reason": .string($0.reason), "count": .int($0.count)]) }
    return .fields(["name": .string(step.name), "count": .int(step.count), "lost": .array(lost)])
}

private func figureJSON(_ figure: Figure) -> JSON {
    switch figure {
    case .text(let text): .fields(["kind": .string("text"), "text": .string(text)])
    case .count(let count): .fields(["kind": .string("count"), "count": .int(count)])
    case .cost(let cost): .object([.init("kind", .string("cost"))] + costMembers(cost))
    case .money(let money): .fields(["kind": .string("money"), "amount": .string(money.description)])
    case .share(let share): .fields(["kind": .string("share"), "share": .string(share.description)])
    case .unknown(let why): .fields(["kind": .string("unknown"), "why": .string(why)])
    }
}

private func costMembers(_ cost: Cost) -> [JSON.Member] {
    [
        .init("low", .string(cost.low.description)), .init("high", .string(cost.high.description)),
        .init("complete", .bool(cost.isComplete)), .init("unpriced_requests", .int(cost.unpricedRequests)),
    ]
}
