import Common
import Lake
import Ledger

/// Which days of the cache are right just now: those made from the rows, the keys of the job and the findings of lookups that stand
/// today, for which the book answers every question that was asked as it did then.
struct CubeState {
    private let model: CostModel
    /// Of everything besides the rows of the day, the prices and what lookups find: the job's own keys.
    private let fixed: [String]
    let lookups: LookupDays
    private let parts: [Day: [Part]]
    private let prices: PriceAnswers
    /// Where a price has volume tiers, what a call costs depends on the calls before it in its month.
    private let hasTiers: Bool

    static let madeFrom = "vesper.made_from"
    static let asked = "vesper.prices"
    static let mark = "vesper.mark"

    init(_ model: CostModel, _ lake: Lake, _ period: Period) throws {
        self.model = model
        let tiers = model.book.tiered
        hasTiers = !tiers.isEmpty
        let days = lakeDays(of: CubeState.reach(period, hasTiers), in: model.zone)
        parts = Dictionary(grouping: try lake.parts(job: model.job, log: .usage, from: days.first, to: days.last), by: \.day)
        lookups = try LookupDays(model, lake, try lake.days(job: model.job, log: .usage))
        fixed = [model.job] + model.definition + tiers.map(\.definition)
        prices = PriceAnswers(model)
    }

    private static func reach(_ period: Period, _ hasTiers: Bool) -> Period {
        hasTiers ? Period(first: period.first - (period.first.civil.day - 1), last: period.last) : period
    }

    /// What a day's figures depend on besides prices; its ends are among it, for a zone's rules change.
    func rowsDigest(_ day: Day, _ more: [String] = []) -> Digest {
        let ends = [day, day + 1].map { String(model.zone.start(of: $0).microseconds) }
        let days = lakeDays(of: CubeState.reach(Period(first: day, last: day), hasTiers), in: model.zone)
        let own = Period(first: days.first, last: max(days.first, days.last)).days
        let rows = Lake.digest(of: own.flatMap { parts[$0] ?? [] }).hex
        return Digest.of(parts: fixed + ends + [rows] + own.map(lookups.digest) + more)
    }

    /// Whether a row may fall on a day at all.
    func hasRows(_ day: Day) -> Bool {
        let days = lakeDays(of: Period(first: day, last: day), in: model.zone)
        return Period(first: days.first, last: max(days.first, days.last)).days.contains { parts[$0] != nil }
    }

    func isCurrent(costs metadata: [String: String], _ day: Day) -> Bool {
        metadata[CubeState.madeFrom] == rowsDigest(day).hex && answers(to: metadata, day) == metadata[CubeState.asked]
    }

    func isCurrent(users metadata: [String: String], _ day: Day, by dimensions: [String], _ marks: Set<UserRegistry.Mark>) -> Bool
    {
        guard metadata[CubeState.madeFrom] == rowsDigest(day, dimensions).hex else { return false }
        return metadata[CubeState.mark].flatMap { UserRegistry.Mark($0) }.map { $0 == .none || marks.contains($0) } ?? false
    }

    // MARK: - Prices

    /// Which prices some rows of a day asked for, and what the book says to each.
    func answers(to rows: [CostRow], _ day: Day) -> String {
        let places = PriceQuestion.dimensions.map { CubeDeclaration.dimensions.firstIndex(of: $0) ?? 0 }
        let asked = Set(rows.map { row in PriceQuestion(places.map { row.keys[$0] }) })
        return text(asked.sorted { $0.sortKey < $1.sortKey }, day)
    }

    /// What the book says today to the questions that were asked then; nil where they cannot be read.
    func answers(to metadata: [String: String], _ day: Day) -> String? {
        guard let text = metadata[CubeState.asked], let items = (try? parseJSON(Array(text.utf8), path: "cache"))?.array else {
            return nil
        }
        return self.text(items.map { item in PriceQuestion(PriceQuestion.dimensions.map { item[$0]?.string }) }, day)
    }

    private func text(_ questions: [PriceQuestion], _ day: Day) -> String {
        let days = lakeDays(of: Period(first: day, last: day), in: model.zone)
        return JSON.array(
            questions.map { question in
                let names = zip(PriceQuestion.dimensions, question.texts).map { JSON.Member($0, .optional($1)) }
                return .object(names + [JSON.Member("answer", .string(prices.answer(question, from: days.first, to: days.last)))])
            }
        ).text
    }
}

/// Whose prices a row asks for.
struct PriceQuestion: Hashable {
    static let dimensions = ["provider", "model", "service_tier"]

    let texts: [String?]

    init(_ texts: [String?]) { self.texts = texts }

    var sortKey: String { CostRow.sortKey(texts) }
}

/// What the book says to a question on some days, as a digest of what decides a cost: what else the book holds is left out.
final class PriceAnswers {
    private let model: CostModel
    private var tariffs: [PriceQuestion: Tariff] = [:]

    init(_ model: CostModel) { self.model = model }

    func answer(_ question: PriceQuestion, from first: Day, to last: Day) -> String {
        let known = tariffs[question]
        let tariff = known ?? model.tariff(provider: question.texts[0], model: question.texts[1], tier: question.texts[2])
        if known == nil { tariffs[question] = tariff }
        return Digest.of(parts: Period(first: first, last: max(first, last)).days.map { tariff.prices(on: $0).answer }).short
    }
}

extension DayPrices {
    /// Everything that decides a cost, and nothing else: not since when it is known, nor where it is written.
    var answer: String {
        let levels = levels.map { level in
            "\(level.above): " + level.byMeter.map { $0?.answer ?? "none" }.joined(separator: "; ")
        }
        return (levels + ["quantities: " + quantities.map(\.answer).joined(separator: "; ")]).joined(separator: " / ")
    }
}

extension Rate {
    fileprivate var answer: String {
        let bands = row.bands.map { "\($0.from):\($0.low)…\($0.high)" }.joined(separator: ",")
        let step = row.increment.map { "\($0.count) \($0.unit)" } ?? ""
        return "\(bands)|\(row.per.count) \(row.per.unit)|\(step)|\(row.isMocked)|\(exchange.numerator)/\(exchange.denominator)"
    }
}
