import Common
import Testing

@testable import Economics

/// The closed vocabulary in which goldens.csv says what Vesper computes for a check: `times(growth.month_3:payers, plan(prism))`.
///
/// A bare name is a figure of the product, with `.line` and `:column` where it has several. Every word calls a function of Sources over
/// data of Jobs; there are no operators, and numbers stand only where a price book is asked about a given quantity.
struct GoldenCalls {
    let data: ProductData
    /// A day on which every price that is not yet over holds.
    static let day = Day(number: 20_770)

    private typealias Words = [String]

    func value(_ text: String) throws -> Spread {
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return try figure(text) }
        let words = GoldenCalls.arguments(text[text.index(after: open)..<text.index(before: text.endIndex)])
        switch text[..<open] {
        // Figures.
        case "sum": return try named(words[0]) { try $0.sum($1, lines: words.count > 1 ? Array(words.dropFirst()) : nil) }
        case "mean": return try named(words[0]) { try $0.mean($1) }
        case "stated": return try named(words[0]) { try $0.statedSum($1) }
        case "at_par": return try data.figures.figure(words[0]).sum(rates: ["USD": try value("at_par").low])
        case "exchanged_sum": return try exchangedSum(words)
        // Ranges.
        case "add": return try fold(words) { try $0 + $1 }
        case "less": return try fold(words) { try $0 - $1 }
        case "times": return try fold(words) { try $0 * $1 }
        case "over": return try fold(words) { try $0 / $1 }
        case "percent": return try value(words[0]).percent(of: value(words[1]))
        case "part": return try value(words[0]).percent(value(words[1]))
        case "margin", "saving": return try value(words[0]).margin(after: value(words[1]))
        case "net": return try value(words[0]).net(ofTax: value(words[1]))
        case "between": return Spread(try value(words[0]).low, try value(words[1]).high)
        case "middle": return try value(words[0]).middle()
        case "low": return try value(words[0]).lowest()
        case "high": return try value(words[0]).highest()
        case "whole": return try value(words[0]).roundedUp
        case "count": return try value(words[0]).count()
        // Units and currencies.
        case "unit": return try value(words[0]) * Spread(GoldenCalls.factor(words[1])) / Spread(GoldenCalls.factor(words[2]))
        case "per": return try value(words[0]).portion(Spread(GoldenCalls.amount(words[2])), of: value(words[1]))
        case "exchanged": return try exchanged(words)
        case "days_in": return Spread(Fraction(Int128((Week(of: GoldenCalls.day) + 1).monday - Week(of: GoldenCalls.day).monday)))
        // Plans and prices.
        case "plan": return try plan(words).amount
        case "monthly": return try plan(words).monthly()
        case "size": return try #require(try data.plan(words[0]).size)
        case "rate": return try rate(words)
        case "per_month": return try perMonth(words)
        case "yearly": return try value(words[0]) * Spread(Fraction(try #require(StatedFigure.Interval.year.months)))
        case "charge": return try charge(words)
        // Use of models.
        case "event": return try data.figures.cost(ofEvent: words[0], on: choice(words))
        case "month": return try data.figures.cost(ofMonth: words[0], lines: lines(words), on: choice(words))
        case "weighed":
            return try data.figures.weighedInput(of: { try data.figures.cost(ofEvent: words[0], on: $0) }, on: choice(words))
        case "weighed_month":
            return try data.figures.weighedInput(
                of: { try data.figures.cost(ofMonth: words[0], lines: lines(words), on: $0) }, on: choice(words))
        // Another product's data.
        case "in": return try GoldenCalls(data: .of(words[0])).value(words[1])
        case let word: throw Failure("\"\(word)\" is no word of the goldens")
        }
    }

    // MARK: - Figures

    private func figure(_ reference: String) throws -> Spread {
        let (name, column) = GoldenCalls.split(reference, at: ":")
        let (figure, line) = GoldenCalls.split(name, at: ".")
        return try data.figures.figure(figure).value(line, column)
    }

    private func named(_ reference: String, _ work: (StatedFigure, String?) throws -> Spread) throws -> Spread {
        let (name, column) = GoldenCalls.split(reference, at: ":")
        return try work(data.figures.figure(name), column)
    }

    /// A figure's lines in one currency, at the rate that two prices of one thing imply.
    private func exchangedSum(_ words: Words) throws -> Spread {
        let rate = try Spread(Fraction(1)).exchanged(at: value(words[1] + ":usd"), value(words[1] + ":eur"))
        return try data.figures.figure(words[0]).sum(rates: ["USD": rate.low])
    }

    private func exchanged(_ words: Words) throws -> Spread {
        try value(words[0]).exchanged(at: value("\(words[1]):\(words[2])"), value("\(words[1]):\(words[3])"))
    }

    private func fold(_ words: Words, _ work: (Spread, Spread) throws -> Spread) throws -> Spread {
        try words.dropFirst().reduce(value(words[0])) { try work($0, value($1)) }
    }

    // MARK: - Plans and prices

    /// A plan's price: by the month in dollars for itself, unless a word says otherwise.
    private func plan(_ words: Words) throws -> PlanPrice {
        var (interval, currency, day, addOn, each): (PlanPrice.Interval, String, Day?, String?, String?) = (
            .month, "USD", nil, nil, nil
        )
        for word in words.dropFirst() {
            if let known = PlanPrice.Interval(rawValue: word) {
                interval = known
            } else if isCurrency(word) {
                currency = word
            } else if let known = Day(word) {
                day = known
            } else if word == "child" {
                each = word
            } else {
                addOn = word
            }
        }
        let price = try data.plan(words[0]).price(interval, currency: currency, on: day, for: addOn, each: each)
        return try #require(price, "no such price of \(words)")
    }

    private func row(_ words: Words) throws -> PriceRow {
        let meter = words.dropFirst().lazy.compactMap { Meter(rawValue: $0) }.first
        let tier = words.contains("batch") ? "batch" : "standard"
        let rows = try data.prices(words[0]).filter {
            $0.tier == tier && $0.counted == (meter.map { .tokens($0) } ?? .quantity) && $0.holds(on: GoldenCalls.day)
        }
        try #require(rows.count == 1, "\(rows.count) prices of \(words)")
        return rows[0]
    }

    /// What the book says for its own unit, or for another amount of it.
    private func rate(_ words: Words) throws -> Spread {
        let row = try row(words)
        let rate = Spread(Fraction(row.low), Fraction(row.high))
        guard let amount = words.dropFirst().lazy.compactMap({ UnitAmount($0) }).first else { return rate }
        return try rate.portion(Spread(Fraction(amount.size)), of: Spread(Fraction(row.per.size)))
    }

    /// What a service costs in a month; what is paid once is spread over so many.
    private func perMonth(_ words: Words) throws -> Spread {
        let row = try row(words)
        let months = words.count > 1 ? Int128(words[1]) : StatedFigure.Interval(rawValue: row.per.unit.rawValue)?.months
        return try Spread(Fraction(row.low), Fraction(row.high)) / Spread(Fraction(try #require(months)))
    }

    /// What the book charges for a quantity, given or computed.
    private func charge(_ words: Words) throws -> Spread {
        let row = try #require(try data.prices(words[0]).first)
        let quantity = try ExactDecimal(words[1]).map { Spread(Fraction($0)) } ?? value(words[1])
        let exact = try #require(ExactDecimal(mantissa: try quantity.low.units(), scale: Money.places))
        return try data.book.estimate(
            exact, try #require(PriceUnit(word: words[2])), of: row.subject, provider: row.provider, on: GoldenCalls.day)
    }

    // MARK: - Use of models

    private func choice(_ words: Words) throws -> FigureBook.ModelChoice {
        let parts = words[1].split(separator: "/", maxSplits: 1).map(String.init)
        let meters: Set<Meter>? = words.contains("prompt") ? [.input, .cacheRead] : words.contains("output") ? [.output] : nil
        return FigureBook.ModelChoice(
            data.book, provider: parts[0], model: parts[1], on: GoldenCalls.day,
            tier: words.contains("standard") ? "standard" : nil,
            isCached: !words.contains("uncached"), meters: meters)
    }

    private func lines(_ words: Words) -> [String]? {
        let lines = words.dropFirst(2).filter { !["prompt", "output", "standard", "uncached"].contains($0) }
        return lines.isEmpty ? nil : lines
    }

    // MARK: - Words

    private static func factor(_ word: String) throws -> Fraction { Fraction(try #require(PriceUnit(word: word)).factor) }

    private static func amount(_ text: String) throws -> Fraction { Fraction(try #require(UnitAmount(text)).size) }

    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        let parts = text.split(separator: separator, maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : nil)
    }

    /// What stands between the commas that are in no brackets of their own.
    static func arguments(_ text: Substring) -> [String] {
        var (words, word, depth): ([String], String, Int) = ([], "", 0)
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                words.append(word)
                word = ""
            } else if character != " " || !word.isEmpty {
                word.append(character)
            }
        }
        return words + [word]
    }
}
