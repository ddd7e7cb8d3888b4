import Common
import Lake
import Ledger

/// Everything about a cost query that is the same for all rows, shared by the threads that add them up.
final class CostPlan: Sendable {
    let query: CostQuery
    let model: CostModel
    let columns: [ColumnSpec]
    /// Where each stretch begins, in microseconds, and where the last one ends.
    let bounds: [Int64]
    let buckets: [Period]
    /// Finds what rows do not carry.
    let resolver: Resolver

    init(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws {
        (self.query, self.model) = (query, model)
        buckets = query.grain.buckets(of: query.period)
        bounds =
            buckets.map { model.zone.start(of: $0.first).microseconds } + [
                model.zone.start(of: query.period.last + 1).microseconds
            ]
        var texts = Set(
            ["provider", "model", "service_tier"] + (query.dimensions + query.filters.map(\.dimension)).map(model.column))
        if query.countsUsers { texts.insert("user") }
        resolver = try Resolver(model.lookups, for: texts, job: model.job, lake)
        texts.formUnion(resolver.columns)
        columns  // The time comes first: it is left out where nobody needs it.
        =
            [ColumnSpec("ts", .timestamp)] + Meter.allCases.map { ColumnSpec($0.column, .int64) }
            + texts.sorted().map { ColumnSpec($0, .text) }
    }

    /// The one stretch in which all of these moments lie, if there is one.
    func bucket(of times: ClosedRange<Int64>) -> Int? {
        let after = bounds.firstIndex { $0 > times.lowerBound } ?? bounds.count
        return after > 0 && after < bounds.count && times.upperBound < bounds[after] ? after - 1 : nil
    }
}

/// The prices of one provider, model and tier on one day, as whole units of 1e-12 for one token, where they are that simple.
///
/// Then a cost is tokens × units without rounding, so a group's tokens may be added up first: the same figure to the last digit as
/// pricing every event by itself.
struct UnitPrices {
    /// nil where there is no price.
    let byMeter: [UnitPrice?]

    struct UnitPrice {
        let low: Int128
        let high: Int128
        let row: PriceRow

        /// What so many tokens cost at one end of the price.
        func amount(_ units: Int128, _ tokens: Int64) throws -> Money {
            let (amount, overflow) = units.multipliedReportingOverflow(by: Int128(tokens))
            guard !overflow else { throw row.tooLarge(tokens) }
            return Money(units: amount)
        }
    }

    /// Meters whose tokens have no price; reasoning tokens without a row of their own are priced as output.
    var unpriced: [Int] { byMeter.indices.dropLast().filter { byMeter[$0] == nil } }

    /// nil where the price depends on the request: on its size, or by rounding.
    init?(_ tariff: Tariff, on day: Day) {
        guard !tariff.hasThresholds else { return nil }
        var prices: [UnitPrice?] = []
        for meter in Meter.allCases.indices {
            guard let row = tariff.row(meter, on: day, above: -1) else {
                prices.append(nil)
                continue
            }
            if meter == Meter.allCases.count - 1 { return nil }  // reasoning tokens come off the output, event by event
            guard let low = UnitPrices.units(row.low, per: row.per), let high = UnitPrices.units(row.high, per: row.per) else {
                return nil
            }
            prices.append(UnitPrice(low: low, high: high, row: row))
        }
        byMeter = prices
    }

    private static func units(_ rate: ExactDecimal, per: Int128) -> Int128? {
        guard let units = rate.units(places: Money.places) else { return nil }
        return units % per == 0 ? units / per : nil
    }
}

extension PriceRow {
    func tooLarge(_ tokens: Int64) -> Failure {
        Failure("A cost is too large for this price: \(tokens) tokens at \(high).", at: place)
    }
}
