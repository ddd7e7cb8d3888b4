import Common

/// A rate so far from its neighbours that it is probably written in another unit.
public struct UnusualPrice: Sendable {
    public let row: PriceRow
    public let neighbour: PriceRow
    public let relation: Relation
    /// How many times the one is the other, rounded down.
    public let times: Int128

    /// What the neighbour is to the rate.
    public enum Relation: Sendable {
        /// The price of the same thing that it follows or replaces.
        case before
        /// Another meter of the same model, tier and threshold.
        case otherMeter
        /// The nearest price of the same meter for another model of the provider.
        case otherModel
    }

    /// Without its place.
    public var sentence: String {
        let what = "\(row.counted == .quantity ? "price" : "\(row.counted) rate") of \(row.subject)"
        let other =
            switch relation {
            case .before: "the one that it follows"
            case .otherMeter: "that of \(neighbour.counted)"
            case .otherModel: "that of \(neighbour.subject), the nearest one of \(row.provider)"
            }
        return
            "The \(what), \(row.high) per \(row.per), is \(grouped(times)) times \(row.costsLess(than: neighbour) ? "less than " : "")\(other), \(neighbour.high) per \(neighbour.per) at \(neighbour.place). Check the unit of both."
    }
}

/// Those of some rows whose rates are far off their neighbours, among them or in a book. Rates of zero have no size, and are left alone.
public func unusualPrices(_ rows: [PriceRow], in book: PriceBook) -> [UnusualPrice] {
    let neighbours = Neighbours(book.standing(knownAsOf: nil) + rows)
    var found = rows.map { row in row.high == .zero ? nil : neighbours.before(row) ?? neighbours.input(row) }
    // An input rate that is wrong puts every other meter of its model in the wrong too; one finding is enough.
    let blamed = Set(zip(rows, found).filter { $0.1 != nil }.map { Neighbours.Model($0.0) })
    for (index, row) in rows.enumerated() where row.high != .zero && found[index] == nil {
        found[index] = (blamed.contains(Neighbours.Model(row)) ? nil : neighbours.otherMeter(row)) ?? neighbours.otherModel(row)
    }
    return found.compactMap(\.self)
}

/// Prices by what they are held against.
private struct Neighbours {
    private let rows: [PriceRow]
    // By their positions: a book may have very many.
    private let byQuestion: [PriceRow.Question: [Int]]
    private let byModel: [Model: [Int]]
    private let byMeter: [Meters: [Int]]

    /// Whose meters are held against each other.
    struct Model: Hashable {
        let provider: String
        let subject: PriceRow.Subject
        let tier: String
        let above: Int64
        let currency: String

        init(_ row: PriceRow) {
            (provider, subject, tier) = (row.provider, row.subject, row.tier)
            (above, currency) = (row.aboveInputTokens, row.currency)
        }
    }

    /// Which models are held against each other.
    private struct Meters: Hashable {
        let provider: String
        let tier: String
        let counted: PriceRow.Counted
        let currency: String

        init(_ row: PriceRow) { (provider, tier, counted, currency) = (row.provider, row.tier, row.counted, row.currency) }
    }

    init(_ rows: [PriceRow]) {
        self.rows = rows
        byQuestion = Dictionary(grouping: rows.indices) { rows[$0].question }
        byModel = Dictionary(grouping: rows.indices) { Model(rows[$0]) }
        byMeter = Dictionary(grouping: rows.indices) { Meters(rows[$0]) }
    }

    private func those(_ positions: [Int]?) -> some Sequence<PriceRow> { (positions ?? []).lazy.map { rows[$0] } }

    /// Vendors cut prices to a fifth, hardly ever to a hundredth.
    func before(_ row: PriceRow) -> UnusualPrice? {
        let earlier = those(byQuestion[row.question]).filter {
            $0.validFrom <= row.validFrom
                && ($0.knownFrom, $0.revision, $0.validFrom) < (row.knownFrom, row.revision, row.validFrom)
        }
        let last = earlier.max { ($0.validFrom, $0.knownFrom, $0.revision) < ($1.validFrom, $1.knownFrom, $1.revision) }
        return last.flatMap { last in
            row.times(last).flatMap { $0 < 100 ? nil : UnusualPrice(row: row, neighbour: last, relation: .before, times: $0) }
        }
    }

    /// An input rate that no other meter of its model fits.
    func input(_ row: PriceRow) -> UnusualPrice? {
        guard row.counted == .tokens(.input) else { return nil }
        let others = those(byModel[Model(row)]).filter {
            $0.counted != row.counted && $0.counted != .quantity && $0.high != .zero
        }
        let held = others.map { Neighbours.farOff($0, from: row) }
        guard !held.contains(where: { $0 == nil }), let other = others.first, let times = held.first ?? nil else { return nil }
        return UnusualPrice(row: row, neighbour: other, relation: .otherMeter, times: times)
    }

    func otherMeter(_ row: PriceRow) -> UnusualPrice? {
        guard row.counted != .tokens(.input), row.counted != .quantity else { return nil }
        let input = those(byModel[Model(row)]).first { $0.counted == .tokens(.input) && $0.high != .zero }
        return input.flatMap { input in
            Neighbours.farOff(row, from: input).map { UnusualPrice(row: row, neighbour: input, relation: .otherMeter, times: $0) }
        }
    }

    /// A provider's models differ a hundredfold; one that is five hundred times off the nearest is in another unit.
    func otherModel(_ row: PriceRow) -> UnusualPrice? {
        guard row.counted != .quantity else { return nil }
        var nearest: (row: PriceRow, times: Int128)?
        for other in those(byMeter[Meters(row)]) where other.subject != row.subject {
            guard let times = row.times(other) else { continue }
            if times < 500 { return nil }
            if nearest.map({ times < $0.times }) ?? true { nearest = (other, times) }
        }
        return nearest.map { UnusualPrice(row: row, neighbour: $0.row, relation: .otherModel, times: $0.times) }
    }

    /// How many times a meter's rate is the input's, where no vendor has such a gap: with room, those that LiteLLM's map 1.110.2 has
    /// for all its models (checked 2026-11-25: output 0.03 to 120, cache reads 0.008 to 1, writes 0.06 to 9, reasoning as output).
    private static func farOff(_ row: PriceRow, from input: PriceRow) -> Int128? {
        guard let times = row.times(input) else { return nil }
        let isLess = row.costsLess(than: input)
        let most: Int128
        switch row.counted {
        case .tokens(.cacheRead): most = isLess ? 200 : 5
        case .tokens(.cacheWrite5m), .tokens(.cacheWrite1h): most = isLess ? 50 : 15
        case .tokens(.output), .tokens(.reasoning): most = isLess ? 50 : 150
        case .tokens(.input), .quantity: return nil
        }
        return times > most ? times : nil
    }
}

extension PriceRow {
    /// How many times one rate is the other, either way, rounded down; nil where they cannot be compared.
    fileprivate func times(_ other: PriceRow) -> Int128? {
        guard let (own, their) = inOneUnit(with: other), own > 0, their > 0 else { return nil }
        return max(own, their) / min(own, their)
    }

    fileprivate func costsLess(than other: PriceRow) -> Bool { inOneUnit(with: other).map { $0 < $1 } ?? false }

    /// Both rates as whole numbers of one smallest amount, for one unit.
    private func inOneUnit(with other: PriceRow) -> (Int128, Int128)? {
        guard currency == other.currency, per.unit.dimension == other.per.unit.dimension else { return nil }
        let scale = max(high.scale, other.high.scale)
        guard let own = high.units(places: scale)?.multipliedReportingOverflow(by: other.per.size),
            let their = other.high.units(places: scale)?.multipliedReportingOverflow(by: per.size), !own.overflow, !their.overflow
        else { return nil }
        return (own.partialValue, their.partialValue)
    }
}
