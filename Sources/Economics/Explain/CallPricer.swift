import Common
import Lake

/// Prices calls one by one, by the function by which costs are added up (`DayPrices.price`): the sum over calls is the cost.
final class CallPricer {
    private let model: CostModel
    private let volumes: MonthVolumes?
    private var tariffs: [[String?]: Tariff] = [:]

    /// - Parameter volumes: where a price has volume tiers, those of every month that calls will be of.
    init(_ model: CostModel, _ volumes: MonthVolumes?) { (self.model, self.volumes) = (model, volumes) }

    /// What a row must be read with to be priced, besides its dimensions.
    static let texts = ["provider", "model", "service_tier", "unit", "source", "source_file"]
    static let others =
        Meter.allCases.map { ColumnSpec($0.column, .int64) } + [
            ColumnSpec("quantity", .decimal), ColumnSpec("source_record", .int64),
        ]

    /// - Parameter dimensions: how many columns of the cells stand before provider, model and tier.
    func prices(of batch: Batch, _ cells: Cells, after dimensions: Int) -> BatchPrices {
        let tariffs = (0..<cells.count).map { cell in
            let names = (0..<3).map { cells.text(dimensions + $0, of: cell) }
            if let known = self.tariffs[names] { return known }
            let tariff = model.tariff(provider: names[0], model: names[1], tier: names[2])
            self.tariffs[names] = tariff
            return tariff
        }
        return BatchPrices(counts: Counts(batch), cells: cells, tariffs: tariffs, volumes: volumes)
    }
}

/// The calls of a batch with their prices.
struct BatchPrices {
    let counts: Counts
    let cells: Cells
    let tariffs: [Tariff]
    let volumes: MonthVolumes?

    func call(_ row: Int) -> MeteredCall {
        var call = MeteredCall(tokens: counts.tokens.map { $0[row] }, quantity: counts.quantity(row), unit: counts.unit(row))
        if let volumes { call.chargedBefore = volumes.chargedBefore(counts.origin(of: row)) }
        return call
    }

    func prices(_ row: Int, on day: Day) -> DayPrices { tariffs[Int(cells.codes[row])].prices(on: day) }

    func price(_ row: Int, on day: Day) throws -> CallPrice { try prices(row, on: day).price(call(row)) }
}
