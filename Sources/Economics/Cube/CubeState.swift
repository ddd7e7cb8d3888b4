import Common
import Lake
import Ledger

/// Which days of the cache are right just now: those made from the rows, snapshots and keys of the job that stand today, for which the
/// book answers every question that was asked as it did then.
struct CubeState {
    private let model: CostModel
    /// Of everything besides the rows of the day and the prices: the job's own keys, and the snapshots that lookups need.
    private let fixed: [String]
    private let parts: [Day: [Part]]
    private let prices: PriceAnswers

    static let madeFrom = "vesper.made_from"
    static let asked = "vesper.prices"
    static let mark = "vesper.mark"

    init(_ model: CostModel, _ lake: Lake, _ period: Period) throws {
        self.model = model
        let days = lakeDays(of: period, in: model.zone)
        parts = Dictionary(grouping: try lake.parts(job: model.job, log: .usage, from: days.first, to: days.last), by: \.day)
        let snapshots = model.lookups.isEmpty ? "" : Lake.digest(of: try lake.parts(job: model.job, log: .snapshots)).hex
        fixed = [model.job] + model.definition + [snapshots]
        prices = PriceAnswers(model)
    }

    /// What a day's figures depend on besides prices; its ends are among it, for a zone's rules change.
    func rowsDigest(_ day: Day, _ more: [String] = []) -> Digest {
        let ends = [day, day + 1].map { String(model.zone.start(of: $0).microseconds) }
        let days = lakeDays(of: Period(first: day, last: day), in: model.zone)
        let rows = Period(first: days.first, last: max(days.first, days.last)).days.flatMap { parts[$0] ?? [] }
        return Digest.of(parts: fixed + ends + [Lake.digest(of: rows).hex] + more)
    }

    func isCurrent(costs metadata: [String: String], _ day: Day) -> Bool {
        metadata[CubeState.madeFrom] == rowsDigest(day).hex && answers(to: metadata, day) == metadata[CubeState.asked]
    }

    func isCurrent(users metadata: [String: String], _ day: Day, by dimensions: [String], _ marks: Set<UserRegistry.Mark>) -> Bool {
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
        return self.text(items.map { PriceQuestion(PriceQuestion.dimensions.map { name in $0[name]?.string }) }, day)
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

/// What the book says to a question on some days, as a digest of the prices that may apply: what else the book holds is left out.
final class PriceAnswers {
    private let model: CostModel
    private var candidates: [PriceQuestion: [PriceRow]] = [:]

    init(_ model: CostModel) { self.model = model }

    func answer(_ question: PriceQuestion, from first: Day, to last: Day) -> String {
        let rows = candidates[question] ?? found(question)
        let days = Period(first: first, last: max(first, last)).days
        let relevant = days.map { day in rows.filter { $0.holds(on: day) }.map(\.definition) }
        return Digest.of(parts: relevant.flatMap { [""] + $0 }).short
    }

    private func found(_ question: PriceQuestion) -> [PriceRow] {
        let rows = model.book.candidates(
            provider: question.texts[0], model: question.texts[1], tier: question.texts[2], knownAsOf: model.knownAsOf)
        candidates[question] = rows
        return rows
    }
}
