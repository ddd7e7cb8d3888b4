import Common
import Lake

/// Prices calls one by one, by the rows and roundings by which costs are added up.
final class CallPricer {
    private let model: CostModel
    private var tariffs: [[String?]: Tariff] = [:]

    init(_ model: CostModel) { self.model = model }

    func prices(of batch: Batch, _ cells: Cells, after dimensions: Int) -> BatchPrices {
        let tariffs = (0..<cells.count).map { cell in
            let names = (0..<3).map { cells.text(dimensions + $0, of: cell) }
            if let known = self.tariffs[names] { return known }
            let tariff = Tariff(
                model.book.candidates(provider: names[0], model: names[1], tier: names[2], knownAsOf: model.knownAsOf))
            self.tariffs[names] = tariff
            return tariff
        }
        return BatchPrices(tokens: Meter.allCases.map { TokenColumn(batch[$0.column]) }, tariffs: tariffs)
    }
}

struct BatchPrices {
    let tokens: [TokenColumn]
    let tariffs: [Tariff]

    func add(_ row: Int, _ cell: Int, on day: Day, to cost: inout Cost) throws {
        try priceCall(row, day, tokens, tariffs[cell], &cost)
    }
}

/// One event × one meter is the atom: priced and rounded once; everything above it is integer addition (promise 3).
func priceCall(_ row: Int, _ day: Day, _ tokens: [TokenColumn], _ tariff: Tariff, _ cost: inout Cost) throws {
    var counts = tokens.map { $0[row] }
    var input: Int64 = 0
    for count in counts[0...3] {
        let (sum, overflow) = input.addingReportingOverflow(count ?? 0)
        guard !overflow else { throw Measures.tooLarge(day) }
        input = sum
    }
    let threshold = tariff.threshold(input: input, on: day)
    // Reasoning tokens are part of the output: priced at their own row where the book has one, else as output.
    let reasoning = Meter.allCases.count - 1
    let output = reasoning - 1
    if let thinking = counts[reasoning], tariff.row(reasoning, on: day, above: threshold) != nil {
        counts[output] = max(0, (counts[output] ?? 0) - thinking)
    } else {
        counts[reasoning] = nil
    }
    // Tokens that were not exported are unknown, not zero.
    let nothingExported = counts.allSatisfy { $0 == nil }
    var unpriced: Int64 = 0
    for meter in counts.indices {
        guard let count = counts[meter], count > 0 else { continue }
        guard let rate = tariff.row(meter, on: day, above: threshold) else {
            let (sum, overflow) = unpriced.addingReportingOverflow(count)
            guard !overflow else { throw Measures.tooLarge(day) }
            unpriced = sum
            continue
        }
        guard let low = Money.product(of: Int128(count), at: rate.low, per: rate.per),
            let high = rate.low == rate.high ? low : Money.product(of: Int128(count), at: rate.high, per: rate.per)
        else { throw rate.tooLarge(count) }
        cost.low += low
        cost.high += high
    }
    if unpriced > 0 || nothingExported {
        cost.unpricedRequests += 1
        let (sum, overflow) = cost.unpricedTokens.addingReportingOverflow(unpriced)
        guard !overflow else { throw Measures.tooLarge(day) }
        cost.unpricedTokens = sum
    }
}
