import Common
import Lake

/// Takes a figure of `vesper costs` apart: prices every call that it counts, one by one, and keeps what was used for it.
///
///     try explainCost(try Selection("day=2026-11-09,model=claude-haiku-4-5").filters, of: period, records: 3, model, lake)
///
/// The sums are those of `tabulateCosts` to the last digit, for every atom comes from the same function. A model may also be named as the
/// price book names it. A selection that no call meets is refused with what there is.
public func explainCost(
    _ filters: [Selection.Term], of asked: Period?, hour: Instant? = nil, records: Int = 0, _ model: CostModel, _ lake: Lake
) throws -> Explanation {
    try lake.consistently {
        guard let held = try lake.days(job: model.job, log: .usage) else {
            throw Failure(
                "This home holds no usage yet. Run \"vesper run JOB\" first, or give another --home.", at: Place(path: lake.home))
        }
        let all = Period(first: model.zone.day(of: held.first.startUTC), last: model.zone.day(of: (held.last + 1).startUTC))
        let explainer = try Explainer(asked ?? all, hour, filters.map(\.name), records: records, model, lake)
        let exact = filters.map { Explanation.Filter(dimension: $0.name, asked: $0.value, values: [$0.value]) }
        if let found = try explainer.explain(exact) { return found }
        // Nothing says exactly this. A model may be meant by the book's name for it.
        let offered = try explainer.offered(exact)
        let widened = zip(exact, offered).map { filter, offered in
            let named = offered.filter { $0.bookName == filter.asked }.map(\.value)
            return filter.dimension == "model" && !named.isEmpty
                ? Explanation.Filter(dimension: filter.dimension, asked: filter.asked, values: named.sorted()) : filter
        }
        if widened != exact, let found = try explainer.explain(widened) { return found }
        throw nothingMeets(exact, offered, explainer.period, held: all)
    }
}

private func nothingMeets(_ filters: [Explanation.Filter], _ offered: [[Explainer.Offer]], _ period: Period, held: Period)
    -> Failure
{
    var sentences = ["No call of \(period) has \(listed(filters.map { "\($0.dimension)=\($0.asked)" }))."]
    if filters.isEmpty {
        sentences = ["There is no call in \(period). The usage log has calls from \(held.first) to \(held.last)."]
    }
    for (filter, offers) in zip(filters, offered) where !offers.isEmpty {
        let names = offers.map(\.value).filter { !$0.isEmpty }
        sentences.append(
            "\(filter.dimension) is \(listed(offers.prefix(8).map { $0.value.isEmpty ? "not said" : $0.value }))"
                + "\(offers.count > 8 ? " and others" : "") there.\(didYouMean(filter.asked, from: names))")
    }
    return Failure(sentences.joined(separator: " "))
}

/// Reads the calls of a period; used once for each question asked of them.
final class Explainer {
    let period: Period
    private let times: Range<Int64>
    private let model: CostModel
    private let records: Int
    private let files: RowReader.Opened
    private let reader: RowReader
    private let volumes: MonthVolumes?
    private let lookups: [Lookup]

    /// A value that calls have which meet all other filters.
    struct Offer {
        let value: String
        let calls: Int
        /// Of a model: the price book's name for it.
        let bookName: String?
    }

    init(_ period: Period, _ hour: Instant?, _ dimensions: [String], records: Int, _ model: CostModel, _ lake: Lake) throws {
        let end = model.zone.start(of: period.last + 1)
        if let hour {
            let starts = model.zone.hours(of: period.first)
            guard let index = starts.firstIndex(of: hour) else {
                throw Failure(
                    "No hour of \(period.first) begins at \(hour) in \(model.zone.name). Copy it from a table.", kind: .usage)
            }
            times = hour.microseconds..<(index + 1 < starts.count ? starts[index + 1] : end).microseconds
        } else {
            times = model.zone.start(of: period.first).microseconds..<end.microseconds
        }
        (self.period, self.model, self.records) = (period, model, records)
        let days = lakeDays(of: period, in: model.zone)
        files = try lake.parts(job: model.job, log: .usage, from: days.first, to: days.last).map { ($0, try lake.open($0)) }
        reader = try RowReader(model, lake, log: .usage, texts: CallPricer.texts + dimensions, others: CallPricer.others)
        volumes = try MonthVolumes(of: period, model, lake)
        var wanted = Set((["provider", "model", "service_tier"] + dimensions).map(model.column))
        for lookup in model.lookups.reversed() where wanted.contains(lookup.column) { wanted.insert(lookup.by) }
        lookups = model.lookups.filter { wanted.contains($0.column) }
    }

    /// The values of each filter's dimension in calls that meet the others, the most frequent first.
    func offered(_ filters: [Explanation.Filter]) throws -> [[Offer]] {
        try filters.indices.map { index in
            let others = filters.enumerated().filter { $0.offset != index }.map { RowFilter($1.dimension, $1.values) }
            var counts: [String: (calls: Int, provider: String?)] = [:]
            try reader.each(files, in: times, where: others) { rows in
                let column = rows.batch[model.column(filters[index].dimension)]
                rows.forEach { row in
                    let provider = rows.batch["provider"]?.text(at: row)
                    counts[column?.text(at: row) ?? "", default: (0, provider)].calls += 1
                }
            }
            let isModel = filters[index].dimension == "model"
            return counts.map { value, count in
                Offer(
                    value: value, calls: count.calls,
                    bookName: isModel ? model.book.name(of: value, provider: count.provider) : nil)
            }.sorted { ($1.calls, $0.value) < ($0.calls, $1.value) }
        }
    }

    /// nil where no call meets all filters.
    func explain(_ filters: [Explanation.Filter]) throws -> Explanation? {
        let told = Telling(model, lookups, records: records)
        let pricer = CallPricer(model, volumes)
        try reader.each(files, in: times, where: filters.map { RowFilter($0.dimension, $0.values) }) { rows in
            let cells = Cells(Columns { rows.batch[$0] }, [], count: rows.batch.count)
            try told.add(rows, pricer.prices(of: rows.batch, cells, after: 0))
        }
        return told.requests == 0 ? nil : told.explanation(of: period, filters)
    }
}
