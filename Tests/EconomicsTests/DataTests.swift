import Common
import Testing

@testable import Economics

/// What the products state and nothing computes: each stands in a price book, a plan or a figures file, with the value they state.
@Suite struct DataTests {
    struct Fact: Sendable, CustomTestStringConvertible {
        let id: String
        let job: String
        let place: String
        let name: String
        let part: String
        let expected: String

        var testDescription: String { "\(id) \(place) \(name) \(part)" }
    }

    static let facts: [Fact] = ((try? requirementTable("data.csv")) ?? []).compactMap { row in
        guard let id = row["id"], let job = row["job"], let place = row["place"], let name = row["name"], let part = row["part"],
            let expected = row["expected"]
        else { return nil }
        return Fact(id: id, job: job, place: place, name: name, part: part, expected: expected)
    }

    @Test("Every stated fact is found where it belongs, with its value, unit and date", arguments: facts)
    func fact(_ fact: Fact) throws {
        let data = try ProductData.of(fact.job)
        let found =
            switch fact.place {
            case "price": try DataTests.price(try data.prices(fact.name), fact.part)
            case "label": try label(try data.prices(fact.name).flatMap(\.labels), fact.part)
            case "book": try every(data.book.rows.filter { fact.name.isEmpty || $0.provider == fact.name }, fact.part)
            case "figure": try figure(try data.figures.figure(fact.name), fact.part)
            case "fixed": try fixed(try #require(data.fixed.first { $0.name == fact.name }))
            case "plan": try plan(try data.plan(fact.name), fact.part)
            default: throw Failure("\(fact.place) is no place for facts")
            }
        #expect(found == fact.expected)
    }

    struct Computed: Sendable, CustomTestStringConvertible {
        let id: String
        let job: String
        let call: String
        let expected: String

        var testDescription: String { "\(id) \(call)" }
    }

    static let results: [Computed] = ((try? requirementTable("computed.csv")) ?? []).compactMap { row in
        guard let id = row["id"], let job = row["job"], let call = row["call"], let expected = row["expected"] else { return nil }
        return Computed(id: id, job: job, call: call, expected: expected)
    }

    @Test("What requirements ask to be computed follows from the facts", arguments: results)
    func computed(_ one: Computed) throws {
        let value = try GoldenCalls(data: try ProductData.of(one.job)).value(one.call)
        #expect("\(value)" == one.expected)
    }

    @Test("What coverage calls data is in the table of facts, and the other way round")
    func whole() throws {
        let covered = try requirementTable("coverage.csv").filter { ($0["evidence"] ?? "").contains("DataTests/fact") }.map {
            $0["id"]
        }
        #expect(Set(covered) == Set(DataTests.facts.map(\.id)))
        let data = try requirementTable("coverage.csv").filter { $0["status"] == "data" }.map { $0["id"] }
        #expect(Set(data).isSubset(of: covered))
        #expect(DataTests.facts.count == (try requirementTable("data.csv")).count)
        let computed = try requirementTable("coverage.csv").filter { ($0["evidence"] ?? "").contains("DataTests/computed") }
        #expect(Set(computed.map { $0["id"] }) == Set(DataTests.results.map(\.id)))
    }

    @Test("Labels are read by nobody: a book with other labels is the same book")
    func labels() throws {
        func book(_ labels: String) throws -> PriceBook {
            try priceBook([Price("input: \"1\"", more: "labels: { quality: \"\(labels)\" },")])
        }
        #expect(try book("high").digest == book("low").digest)
        #expect(try book("high").rows[0].labels == [.init(name: "quality", text: "high")])
    }

    /// `1 USD per 1M tokens`, `about 50 to 70 USD per year`; a part names the tier, the meter or both.
    static func price(_ rows: [PriceRow], _ part: String) throws -> String {
        let words = part.split(separator: " ").map(String.init)
        let meter = words.last.flatMap { Meter(rawValue: $0) }
        let tier = words.first { Meter(rawValue: $0) == nil } ?? "standard"
        let fitting = rows.filter { $0.tier == tier && $0.counted == (meter.map { .tokens($0) } ?? .quantity) }
        _ = try #require(fitting.first, "\(fitting.count) prices fit")
        #expect(fitting.count == 1, "\(fitting.count) prices fit")
        let row = fitting[0]
        let rate = row.bands.map { band in
            (band.from == .zero ? "" : "from \(band.from) ")
                + (band.low == band.high ? "\(band.low)" : "\(band.low) to \(band.high)")
        }.joined(separator: ", ")
        let unit = row.valueUnit.map { " of \($0.plural)" } ?? ""
        return (row.isMocked ? "mocked " : "") + (row.isApproximate ? "about " : "")
            + "\(rate) \(row.currency) per \(row.per)\(unit)"
            + (row.increment.map { " in steps of \($0)" } ?? "")
    }

    private func label(_ labels: [PriceRow.Label], _ name: String) throws -> String {
        Set(labels.filter { $0.name == name }.map(\.text)).sorted().joined(separator: ", ")
    }

    /// What all rows have in common: their days, or the names of providers on a route.
    private func every(_ rows: [PriceRow], _ part: String) throws -> String {
        switch part {
        case "known_from": Set(rows.map(\.knownFrom.description)).sorted().joined(separator: ", ")
        case "valid_from": Set(rows.map(\.validFrom.description)).sorted().joined(separator: ", ")
        default:
            Set(rows.filter { $0.labels.contains { $0.text == part } }.map(\.provider)).sorted().joined(separator: ", ")
        }
    }

    /// `line:column`, `sum`, `stated`, `months`, `users`, `from` or a label of a figure.
    private func figure(_ figure: StatedFigure, _ part: String) throws -> String {
        switch part {
        case "sum": return "\(try figure.sum()) \(figure.columns[0].unit)" + (figure.per.map { " per \($0.rawValue)" } ?? "")
        case "stated": return "\(try figure.statedSum()) \(figure.columns[0].unit)"
        case "months": return figure.months.map { "months \($0)" } ?? ""
        case "users": return figure.users.map { "\($0) users" } ?? ""
        case "from": return figure.from?.description ?? ""
        case let part where part.hasPrefix("label "): return try label(figure.labels, String(part.dropFirst(6)))
        default: break
        }
        let parts = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let line = parts.first.flatMap { $0.isEmpty ? nil : $0 }
        switch try figure.cell(line, parts.count > 1 ? parts[1] : nil) {
        case .none: return "does not occur"
        case .notStated: return "not stated"
        case .value(let spread, let unit, let isApproximate):
            return (isApproximate ? "about " : "") + "\(spread) \(unit)" + (figure.per.map { " per \($0.rawValue)" } ?? "")
        }
    }

    /// `netcup/VPS 1000 G12 from 2026-09-28`, with the amount where no book says, the quantity, the end and how it is shared.
    private func fixed(_ cost: FixedCost) throws -> String {
        let what =
            switch cost.price {
            case .service(let name, _): "\(cost.provider ?? "")/\(name)"
            case .amount(let low, let high, let currency, let every):
                (low == high ? "\(low)" : "\(low) to \(high)") + " \(currency) per \(every.rawValue)"
            }
        let often = cost.quantity == ExactDecimal(1) ? "" : "\(cost.quantity) × "
        let share = cost.share.map { " for each \($0.over) by \($0.by.rawValue) \($0.metric ?? "")" } ?? ""
        return "\(often)\(what) from \(cost.from)" + (cost.to.map { " to \($0)" } ?? "") + share
    }

    /// `month USD`, `year USD`, `month USD ai_pack child`, `size`, or `includes` and a name.
    private func plan(_ plan: Plan, _ part: String) throws -> String {
        let words = part.split(separator: " ").map(String.init)
        if words[0] == "includes" { return try label(plan.includes, words[1]) }
        if words[0] == "size" { return try #require(plan.size).description }
        let interval = try #require(PlanPrice.Interval(rawValue: words[0]))
        let each = words.last == "child" ? "child" : nil
        let price = try #require(
            plan.price(interval, currency: words[1], for: words.first { $0 == "ai_pack" }, each: each))
        return "\(price.amount) \(price.currency) per \(interval.rawValue)" + (price.from.map { " from \($0)" } ?? "")
    }
}
