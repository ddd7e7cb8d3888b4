import Common
import Lake

/// How much of what is charged in volume tiers was charged before each row in its calendar month, all users together.
///
/// Rows come in the order of time, source file and record, so that the same rows always share the tiers alike.
struct MonthVolumes: Sendable {
    /// Where a row comes from: which row it is.
    struct Origin: Hashable {
        let source: String?
        let file: String?
        let record: Int64?

        init(_ batch: Batch, _ row: Int) {
            source = batch["source"]?.text(at: row)
            file = batch["source_file"]?.text(at: row)
            record = batch["source_record"]?.integer(at: row)
        }
    }

    private let before: [Origin: Int128]

    func chargedBefore(_ origin: Origin) -> Int128 { before[origin] ?? 0 }

    /// nil where no price of a model has tiers: then nothing is read.
    init?(of period: Period, _ model: CostModel, _ lake: Lake) throws {
        guard !model.book.tiered.isEmpty else { return nil }
        let first = period.first - (period.first.civil.day - 1)
        let days = lakeDays(of: Period(first: first, last: period.last), in: model.zone)
        let columns =
            [ColumnSpec("ts", .timestamp), ColumnSpec("quantity", .decimal)]
            + ["provider", "model", "service_tier", "unit"].map { ColumnSpec($0, .text) } + Log.originColumns
        var tariffs: [[String?]: Tariff] = [:]
        var found: [(account: String, ts: Int64, origin: Origin, charged: Int128)] = []
        try lake.scan(job: model.job, log: .usage, from: days.first, to: days.last, columns: columns) { part, batch in
            for row in 0..<batch.count {
                guard let quantity = batch["quantity"]?.decimal(at: row), quantity > 0,
                    let unit = batch["unit"]?.text(at: row).flatMap({ PriceUnit(word: $0) }),
                    let ts = batch["ts"]?.integer(at: row)
                else { continue }
                let names = ["provider", "model", "service_tier"].map { batch[$0]?.text(at: row) }
                let tariff = tariffs[names] ?? model.tariff(provider: names[0], model: names[1], tier: names[2])
                tariffs[names] = tariff
                guard let rate = tariff.prices(on: part.day).rate(for: unit), rate.row.bands.count > 1 else { continue }
                guard let charged = rate.charged(quantity, unit) else { throw rate.row.tooLarge(quantity) }
                let day = model.zone.day(of: Instant(microseconds: ts)).civil
                found.append(("\(day.year) \(day.month) \(rate.row.question.definition)", ts, Origin(batch, row), charged))
            }
        }
        found.sort {
            ($0.account, $0.ts, $0.origin.file ?? "", $0.origin.record ?? 0, $0.origin.source ?? "")
                < ($1.account, $1.ts, $1.origin.file ?? "", $1.origin.record ?? 0, $1.origin.source ?? "")
        }
        var before: [Origin: Int128] = [:]
        var (account, sum): (String, Int128) = ("", 0)
        for row in found {
            if row.account != account { (account, sum) = (row.account, 0) }
            before[row.origin] = sum
            sum += row.charged
        }
        self.before = before
    }
}
