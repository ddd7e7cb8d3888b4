import Common

/// A rate so far from its neighbours that it is probably written in another unit.
public struct UnusualPrice: Sendable {
    public let row: PriceRow
    public let neighbour: PriceRow
    /// What the neighbour is to it.
    public let relation: Relation
    /// How many times the one is the other, rounded down.
    public let times: Int128

    public enum Relation: Sendable {
        /// The price of the same thing that it follows or replaces.
        case before
        /// Another meter of the same model, tier and threshold.
        case otherMeter
        /// The nearest price of the same meter for another model of the provider.
        case otherModel
    }

    /// A sentence without its place.
    public var sentence: String {
        let what = "\(row.counted == .quantity ? "price" : "\(row.counted) rate") of \(row.subject)"
        let of =
            switch relation {
            case .before: "the one that it follows"
            case .otherMeter: "that of \(neighbour.counted)"
            case .otherModel: "that of \(neighbour.subject), the nearest of \(row.provider)"
            }
        return
            "The \(what), \(row.high) per \(row.per), is \(grouped(times)) times \(row.isGreater(than: neighbour) ? "" : "less than ")\(of), \(neighbour.high) per \(neighbour.per) at \(neighbour.place). Check its unit."
    }
}

/// Those of some rows whose rates are hundreds of times off their neighbours, among them or in a book.
///
/// The widest gaps that vendors have, a cached token against a fresh one, are of 125 times (LiteLLM's map 1.110.2, of all models);
/// a thousand tokens taken for a million are a thousand. Rates of zero have no size, and are left alone.
public func unusualPrices(_ rows: [PriceRow], in book: PriceBook) -> [UnusualPrice] {
    let all = book.standing(knownAsOf: nil) + rows
    let byQuestion = Dictionary(grouping: all, by: \.question)
    let byModel = Dictionary(grouping: all) { Neighbourhood($0, counted: nil) }
    let byMeter = Dictionary(grouping: all) { Neighbourhood($0, counted: $0.counted) }
    return rows.compactMap { row -> UnusualPrice? in
        guard row.high != .zero else { return nil }
        let before = byQuestion[row.question, default: []]
            .filter { $0.knownFrom <= row.knownFrom && $0.validFrom <= row.validFrom && !$0.isSame(as: row) }
            .max { ($0.validFrom, $0.knownFrom, $0.revision) < ($1.validFrom, $1.knownFrom, $1.revision) }
        if let before, let times = farOff(row, before) {
            return UnusualPrice(row: row, neighbour: before, relation: .before, times: times)
        }
        guard case .tokens(let meter) = row.counted else { return nil }
        // Everything is held against the input, and the input against the output, so that one wrong rate is one finding.
        let beside = byModel[Neighbourhood(row, counted: nil), default: []].first {
            $0.subject == row.subject && $0.aboveInputTokens == row.aboveInputTokens && $0.counted == .tokens(meter == .input ? .output : .input)
                && $0.high != .zero
        }
        if let beside, let times = farOff(row, beside), meter != .input || isFarFromOthers(row, byModel) {
            return UnusualPrice(row: row, neighbour: beside, relation: .otherMeter, times: times)
        }
        let others = byMeter[Neighbourhood(row, counted: row.counted), default: []].filter { $0.subject != row.subject && $0.high != .zero }
        let nearest = others.map { (row: $0, times: farOff(row, $0)) }
        guard !nearest.contains(where: { $0.times == nil }), let closest = nearest.min(by: { $0.times ?? 0 < $1.times ?? 0 }) else {
            return nil
        }
        return UnusualPrice(row: row, neighbour: closest.row, relation: .otherModel, times: closest.times ?? 0)
    }
}

/// Whether an input rate is far from every other meter of its model: otherwise it is the output that is wrong.
private func isFarFromOthers(_ row: PriceRow, _ byModel: [Neighbourhood: [PriceRow]]) -> Bool {
    byModel[Neighbourhood(row, counted: nil), default: []].allSatisfy {
        $0.subject != row.subject || $0.aboveInputTokens != row.aboveInputTokens || $0.counted == row.counted || $0.high == .zero
            || farOff(row, $0) != nil
    }
}

/// Whose prices are held against each other.
private struct Neighbourhood: Hashable {
    let provider: String
    let tier: String
    let currency: String
    let dimension: PriceUnit.Dimension
    let counted: PriceRow.Counted?
    let kind: Int

    init(_ row: PriceRow, counted: PriceRow.Counted?) {
        (provider, tier, currency) = (row.provider, row.tier, row.currency)
        dimension = row.per.unit.dimension
        self.counted = counted
        kind =
            switch row.subject {
            case .model: 0
            case .metric: 1
            case .service: 2
            }
    }
}

/// How many times one rate is the other, either way, where that is a factor of 500 or more; nil where it is less or cannot be said.
private func farOff(_ a: PriceRow, _ b: PriceRow) -> Int128? {
    guard a.currency == b.currency, a.per.unit.dimension == b.per.unit.dimension, b.high != .zero else { return nil }
    // a.high / a.per against b.high / b.per, as whole numbers over one denominator.
    let scale = max(a.high.scale, b.high.scale)
    guard let x = a.high.units(places: scale)?.multipliedReportingOverflow(by: b.per.size),
        let y = b.high.units(places: scale)?.multipliedReportingOverflow(by: a.per.size), !x.overflow, !y.overflow,
        x.partialValue > 0, y.partialValue > 0
    else { return nil }
    let times = max(x.partialValue, y.partialValue) / min(x.partialValue, y.partialValue)
    return times >= 500 ? times : nil
}

extension PriceRow {
    fileprivate func isGreater(than other: PriceRow) -> Bool {
        guard let left = ExactDecimal(mantissa: other.per.size, scale: 0).flatMap({ high.multiplied(by: $0) }),
            let right = ExactDecimal(mantissa: per.size, scale: 0).flatMap({ other.high.multiplied(by: $0) })
        else { return true }
        return right < left
    }

    fileprivate func isSame(as other: PriceRow) -> Bool { place == other.place && definition == other.definition }
}
