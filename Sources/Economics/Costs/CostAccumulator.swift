import Common
import Lake

/// Adds up the costs of many batches for one thread. Rows are sorted by time within a part, so a stretch of days is a run of rows.
final class CostAccumulator {
    private let plan: CostPlan
    private(set) var groups: [GroupKey: Int] = [:]
    private(set) var keys: [GroupKey] = []
    private(set) var measures: [Measures] = []
    private(set) var texts: [TextInterner]
    private(set) var users = Distinct()
    private(set) var tenants = Distinct()
    private(set) var latency: [ValueCounts] = []
    private(set) var firstToken: [ValueCounts] = []
    private var tariffs: [[String?]: Tariff] = [:]

    struct GroupKey: Hashable {
        let bucket: Int32
        let codes: [Int32]
    }

    init(_ plan: CostPlan) {
        self.plan = plan
        texts = plan.query.dimensions.map { _ in TextInterner() }
    }

    /// `bucket` is the stretch of days in which all rows lie, where that is known; then the batch need not hold their times.
    func add(_ batch: Batch, of day: Day, bucket known: Int?) throws {
        guard batch.count > 0 else { return }
        var times: [Int64] = []
        if case .integers(let values, _)? = batch["ts"] { times = values }
        let batch = plan.resolver.filled(batch, of: day)
        let columns = Columns { batch[self.plan.model.column($0)]?.asText }
        let wanted = filter(columns, count: batch.count)
        let cells = Cells(columns, plan.query.dimensions, count: batch.count)
        let counts = Counts(batch)
        let details = Details(batch, plan.query.details)
        if let known { return try add(0..<batch.count, Int32(known), day, details, cells, counts, wanted) }
        let bounds = plan.bounds
        var row = times.position(after: bounds[0] - 1)
        var bucket = row < batch.count ? bounds.position(after: times[row]) - 1 : 0
        while row < batch.count, bucket < plan.buckets.count {
            let end = times.position(after: bounds[bucket + 1] - 1)
            if end > row { try add(row..<end, Int32(bucket), day, details, cells, counts, wanted) }
            (row, bucket) = (max(row, end), bucket + 1)
        }
    }

    // MARK: - One stretch of rows

    /// Rows that fall on one stretch of days, and how they are priced.
    private struct Stretch {
        let rows: Range<Int>
        let day: Day
        let counts: Counts
        let slots: Slots
        /// Of each cell; nil where no row is meant.
        let prices: [DayPrices?]
        let groupOfCell: [Int32]
        let wanted: [Bool]?

        func isMeant(_ row: Int) -> Bool { wanted?[row] ?? true }
        func group(_ slot: Int) -> Int { Int(groupOfCell[slots.cell(slot)]) }
        func level(_ slot: Int) -> DayPrices.Level? { prices[slots.cell(slot)]?.levels[slots.level(slot)] }
    }

    private func add(
        _ rows: Range<Int>, _ bucket: Int32, _ day: Day, _ details: Details, _ cells: Cells, _ counts: Counts, _ wanted: [Bool]?
    ) throws {
        let rowsOfCell = cells.counts(rows, wanted)
        var prices = [DayPrices?](repeating: nil, count: cells.count)
        var groupOfCell = [Int32](repeating: -1, count: cells.count)
        for cell in rowsOfCell.indices where rowsOfCell[cell] > 0 {
            prices[cell] = tariff(cells, cell).prices(on: day)
            groupOfCell[cell] = Int32(group(bucket, cells, cell))
            measures[Int(groupOfCell[cell])].requests += rowsOfCell[cell]
        }
        let slots = try Slots(rows, cells, prices, counts, day)
        let stretch = Stretch(
            rows: rows, day: day, counts: counts, slots: slots, prices: prices, groupOfCell: groupOfCell, wanted: wanted)
        let sums = try counts.sums(rows, slots, wanted, day)
        let meters = Meter.allCases.count
        for slot in 0..<slots.count where stretch.group(slot) >= 0 {
            var own = Measures()
            own.tokens = Array(sums[slot * meters..<(slot + 1) * meters])
            if let level = stretch.level(slot), level.isLinear {
                for (meter, rate) in level.byMeter.enumerated() {
                    guard let rate, own.tokens[meter] > 0 else { continue }
                    let (low, high) = try rate.amount(tokens: own.tokens[meter])
                    own.cost.add(low, high, isMocked: rate.row.isMocked)
                }
            }
            try measures[stretch.group(slot)].add(own)
        }
        try countUnpriced(stretch, sums)
        try priceSingly(stretch)
        users.count(details.users, rows, cells, groupOfCell, wanted)
        tenants.count(details.tenants, rows, cells, groupOfCell, wanted)
        details.countOutcomes(rows, cells, groupOfCell, wanted, &measures)
        details.collect(details.latency, rows, cells, groupOfCell, wanted, &latency)
        details.collect(details.firstToken, rows, cells, groupOfCell, wanted, &firstToken)
    }

    /// Of what is priced by its sums: requests that have tokens on a meter without a price, and those tokens; and requests of which
    /// nothing was exported, which is unknown and not zero.
    private func countUnpriced(_ stretch: Stretch, _ sums: [Int64]) throws {
        let (rows, slots, tokens) = (stretch.rows, stretch.slots, stretch.counts.tokens)
        func sum(_ meter: Int, _ slot: Int) -> Int64 { sums[slot * tokens.count + meter] }
        let unpricedOfSlot = (0..<slots.count).map { slot -> [Int] in
            guard let level = stretch.level(slot), level.isLinear else { return [] }
            return level.unpriced.filter { sum($0, slot) > 0 }
        }
        let unknown = stretch.counts.unknown(rows)
        let meters = Set(unpricedOfSlot.joined()).sorted()
        guard !meters.isEmpty || unknown != nil else { return }
        var has = [Int64](repeating: 0, count: rows.count)
        for meter in meters {
            let lacks = unpricedOfSlot.map { $0.contains(meter) }
            // Mostly no slot with such tokens has a price for the meter.
            if lacks.indices.allSatisfy({ lacks[$0] || sum(meter, $0) == 0 }) {
                tokens[meter].add(rows, into: &has)
            } else {
                tokens[meter].add(rows, into: &has) { lacks[Int(slots.codes[$0])] }
            }
        }
        var requests = [Int](repeating: 0, count: slots.count)
        var unpriced = [Int64](repeating: 0, count: slots.count)
        var isTooLarge = false
        for row in rows where stretch.isMeant(row) {
            let tokens = has[row - rows.lowerBound]
            guard tokens != 0 || unknown?[row - rows.lowerBound] ?? false else { continue }
            let slot = Int(slots.codes[row])
            requests[slot] += 1
            let (sum, overflow) = unpriced[slot].addingReportingOverflow(tokens)
            unpriced[slot] = sum
            isTooLarge = isTooLarge || overflow || tokens < 0
        }
        guard !isTooLarge else { throw Measures.tooLarge(stretch.day) }
        for slot in 0..<slots.count where requests[slot] > 0 && stretch.level(slot)?.isLinear ?? false {
            var own = Measures()
            (own.cost.unpricedRequests, own.cost.unpricedTokens) = (requests[slot], unpriced[slot])
            try measures[stretch.group(slot)].add(own)
        }
    }

    /// Calls whose price depends on the call itself: by rounding, by reasoning tokens, or because they have a quantity.
    private func priceSingly(_ stretch: Stretch) throws {
        let (slots, counts) = (stretch.slots, stretch.counts)
        let isLinear = (0..<slots.count).map { stretch.level($0)?.isLinear ?? true }
        guard counts.hasQuantities || isLinear.contains(false) else { return }
        for row in stretch.rows where stretch.isMeant(row) {
            let slot = Int(slots.codes[row])
            let quantity = counts.quantity(row)
            guard quantity != nil || !isLinear[slot], let prices = stretch.prices[slots.cell(slot)] else { continue }
            let group = stretch.group(slot)
            var call = MeteredCall(tokens: counts.tokens.map { $0[row] }, quantity: quantity, unit: counts.unit(row))
            if let volumes = plan.volumes { call.chargedBefore = volumes.chargedBefore(counts.origin(of: row)) }
            if let quantity { measures[group].quantities[call.unit ?? "", default: 0] += quantity }
            guard isLinear[slot] else {
                try measures[group].cost.add(try prices.price(call))
                continue
            }
            // Its tokens are priced with their sums. A call counts as unpriced once.
            var price = CallPrice()
            try prices.addQuantity(of: call, to: &price)
            let wasCounted = stretch.level(slot)?.unpriced.contains { call.tokens[$0] ?? 0 > 0 } ?? false
            if wasCounted { price.quantityIsUnpriced = false }
            try measures[group].cost.add(price)
        }
    }

    private func group(_ bucket: Int32, _ cells: Cells, _ cell: Int) -> Int {
        let codes = plan.query.dimensions.indices.map { index in
            cells.text(index, of: cell).map { texts[index].code(of: $0) } ?? -1
        }
        let key = GroupKey(bucket: bucket, codes: codes)
        if let known = groups[key] { return known }
        groups[key] = keys.count
        keys.append(key)
        measures.append(Measures())
        users.addGroup()
        tenants.addGroup()
        latency.append(ValueCounts())
        firstToken.append(ValueCounts())
        return keys.count - 1
    }

    private func tariff(_ cells: Cells, _ cell: Int) -> Tariff {
        let names = (0..<3).map { cells.text(plan.query.dimensions.count + $0, of: cell) }
        if let known = tariffs[names] { return known }
        let tariff = plan.model.tariff(provider: names[0], model: names[1], tier: names[2])
        tariffs[names] = tariff
        return tariff
    }

    // MARK: - Rows that are meant

    private func filter(_ columns: Columns, count: Int) -> [Bool]? {
        guard !plan.query.filters.isEmpty else { return nil }
        var wanted = [Bool](repeating: true, count: count)
        for filter in plan.query.filters {
            // An empty value asks for the rows that do not say; of a column that was not there to be read none does.
            guard case .text(let codes, let dictionary)? = columns[filter.dimension] else {
                if filter.value.isEmpty { continue }
                return [Bool](repeating: false, count: count)
            }
            let matches = dictionary.matches(filter.value)
            for row in 0..<count where !(codes[row] < 0 ? filter.value.isEmpty : matches[Int(codes[row])]) { wanted[row] = false }
        }
        return wanted
    }
}
