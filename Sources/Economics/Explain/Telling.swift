import Common
import Lake

/// What is kept of the calls of a figure while they are priced.
final class Telling {
    private let model: CostModel
    private let lookups: [Lookup]
    private let most: Int
    private(set) var requests = 0
    private var cost = Cost()
    private var tokens = [Int64](repeating: 0, count: Meter.allCases.count)
    private var quantities: [String: Int128] = [:]
    private var uses: [Use] = []
    private var useOfRate: [RateBand: Int] = [:]
    private var useOfPrice: [String: Int] = [:]
    private var unpriced: [UnpricedKey: UnpricedUse] = [:]
    private var looked: [(said: Int, found: Int, missing: Int)]
    private var parts: [Explanation.PartUse] = []
    private var files: [Origin: Int] = [:]
    private var records: [ExplainedRecord] = []
    /// Calls after this are not among the first records.
    private var latest = Int64.max

    private struct Use {
        let row: PriceRow
        let band: Int
        let exchange: Fraction
        var calls = 0
        var count: Int128 = 0
        var low = Money.zero
        var high = Money.zero
        var models: Set<String> = []
    }

    private struct RateBand: Hashable {
        let rate: ObjectIdentifier
        let band: Int
    }

    private struct UnpricedKey: Hashable {
        let names: [String?]
        let part: UnpricedPart
        let reason: String
    }

    private struct Origin: Hashable {
        let source: String
        let file: String
    }

    init(_ model: CostModel, _ lookups: [Lookup], records most: Int) {
        (self.model, self.lookups, self.most) = (model, lookups, most)
        looked = lookups.map { _ in (0, 0, 0) }
    }

    // MARK: - Calls

    func add(_ rows: RowReader.Rows, _ prices: BatchPrices) throws {
        let day = rows.part.day
        var count = 0
        try rows.forEach { row in
            count += 1
            try add(row, rows, prices, on: day)
        }
        requests += count
        guard count > 0 else { return }
        // The row groups of a part follow each other.
        if let last = parts.last, last.path == rows.part.path {
            parts[parts.count - 1] = Explanation.PartUse(path: last.path, day: day, rows: last.rows + count, of: last.of)
        } else {
            parts.append(Explanation.PartUse(path: rows.part.path, day: day, rows: count, of: rows.part.rows))
        }
    }

    private func add(_ row: Int, _ rows: RowReader.Rows, _ prices: BatchPrices, on day: Day) throws {
        let batch = rows.batch
        func text(_ name: String) -> String? { batch[name]?.text(at: row) }
        let names = ["provider", "model", "service_tier"].map(text)
        let call = prices.call(row)
        let price = try prices.prices(row, on: day).price(call)
        var own = Cost()
        try own.add(price)
        guard !cost.unpricedTokens.addingReportingOverflow(own.unpricedTokens).overflow else { throw Measures.tooLarge(day) }
        cost += own
        for (meter, count) in call.tokens.enumerated() {
            let (sum, overflow) = tokens[meter].addingReportingOverflow(count ?? 0)
            guard !overflow else { throw Measures.tooLarge(day) }
            tokens[meter] = sum
        }
        if let quantity = call.quantity { quantities[call.unit ?? "", default: 0] += quantity }
        for index in lookups.indices {
            let column = lookups[index].column
            if rows.raw[column]?.text(at: row) != nil {
                looked[index].said += 1
            } else if text(column) != nil {
                looked[index].found += 1
            } else {
                looked[index].missing += 1
            }
        }
        let origin = Origin(source: text("source") ?? "", file: text("source_file") ?? "")
        files[origin, default: 0] += 1
        let atoms = try price.atoms.flatMap { try self.atoms(of: $0, after: call.chargedBefore, names[1]) }
        let lacking = unpricedParts(of: price, call).map { part, tokens, quantity in
            let reason = whyUnpriced(part, provider: names[0], model: names[1], tier: names[2], on: day, model)
            return (
                UnpricedKey(names: names, part: part, reason: reason),
                UnpricedUse(
                    provider: names[0], model: names[1], tier: names[2], what: part.name, reason: reason, requests: 1,
                    tokens: tokens,
                    quantity: quantity)
            )
        }
        for (key, use) in lacking {
            guard var known = unpriced[key] else {
                unpriced[key] = use
                continue
            }
            known.requests += 1
            known.tokens += use.tokens
            known.quantity += use.quantity
            unpriced[key] = known
        }
        guard most > 0, rows.times[row] <= latest else { return }
        keep(
            ExplainedRecord(
                source: origin.source, file: origin.file, record: batch["source_record"]?.integer(at: row) ?? 0,
                time: Instant(microseconds: rows.times[row]), provider: names[0], model: names[1], tier: names[2],
                tokens: call.tokens,
                quantity: call.quantity, unit: call.unit, input: call.tokens[0...3].reduce(0) { $0 + ($1 ?? 0) },
                above: price.above,
                atoms: atoms, unpriced: lacking.map(\.1), cost: own))
    }

    private func unpricedParts(of price: CallPrice, _ call: MeteredCall) -> [(UnpricedPart, Int64, Int128)] {
        if price.isUnknown { return [(.nothing, 0, 0)] }
        var parts = price.unpriced.map { (UnpricedPart.tokens($0.meter, above: price.above), $0.tokens, Int128(0)) }
        if price.quantityIsUnpriced, let quantity = call.quantity {
            parts.append((.quantity(unit: call.unit, isNegative: quantity < 0), 0, quantity))
        }
        return parts
    }

    /// Counts an atom for its price; of one that lies in several volume tiers each takes what the atom grows by there, so that they add
    /// up to it.
    private func atoms(of atom: CallPrice.Atom, after before: Int128, _ name: String?) throws -> [ExplainedRecord.Atom] {
        guard atom.rate.row.bands.count > 1 else {
            return [count(atom.rate, 0, atom.count, atom.low, atom.high, name)]
        }
        var told = (low: Money.zero, high: Money.zero)
        return try atom.rate.pieces(of: atom.count, after: before).map { band, begin, count in
            let whole = try atom.rate.amount(charged: begin + count - before, after: before)
            defer { told = whole }
            return self.count(atom.rate, band, count, whole.low - told.low, whole.high - told.high, name)
        }
    }

    private func count(_ rate: Rate, _ band: Int, _ count: Int128, _ low: Money, _ high: Money, _ name: String?)
        -> ExplainedRecord.Atom
    {
        let place = index(of: rate, band)
        uses[place].calls += 1
        uses[place].count += count
        uses[place].low += low
        uses[place].high += high
        if let name { uses[place].models.insert(name) }
        return ExplainedRecord.Atom(price: place, count: count, low: low, high: high)
    }

    /// The same row of the book at the same exchange rate is one price, on whichever day it was used.
    private func index(of rate: Rate, _ band: Int) -> Int {
        let key = RateBand(rate: ObjectIdentifier(rate), band: band)
        if let known = useOfRate[key] { return known }
        let text = "\(rate.row.definition)|\(rate.row.place)|\(band)|\(rate.exchange.numerator)/\(rate.exchange.denominator)"
        let place = useOfPrice[text] ?? uses.count
        if place == uses.count { uses.append(Use(row: rate.row, band: band, exchange: rate.exchange)) }
        (useOfRate[key], useOfPrice[text]) = (place, place)
        return place
    }

    /// Keeps the first records; now and then those that will not be among them are let go.
    private func keep(_ record: ExplainedRecord) {
        records.append(record)
        guard records.count >= 2 * most + 256 else { return }
        records = firstRecords
        latest = records.last?.time.microseconds ?? latest
    }

    private var firstRecords: [ExplainedRecord] { Array(records.sorted { $0.order < $1.order }.prefix(most)) }

    // MARK: - As it is told

    func explanation(of period: Period, _ filters: [Explanation.Filter]) -> Explanation {
        // Prices by what they are for, however the calls came.
        let order = uses.indices.sorted { sortKey(uses[$0]) < sortKey(uses[$1]) }
        var place = [Int](repeating: 0, count: uses.count)
        for (index, use) in order.enumerated() { place[use] = index }
        let prices = order.map { index in
            let use = uses[index]
            return PriceUse(
                row: use.row, band: use.band, exchange: use.exchange, calls: use.calls, count: use.count, low: use.low,
                high: use.high,
                models: use.models.sorted())
        }
        return Explanation(
            period: period, filters: filters, currency: model.currency, requests: requests, cost: cost, tokens: tokens,
            quantities: quantities.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, prices: prices,
            unpriced: unpriced.values.sorted { sortKey($0) < sortKey($1) },
            lookups: zip(lookups, looked).map { lookup, count in
                Explanation.LookupUse(
                    column: lookup.column, said: count.said, found: count.found, missing: count.missing, rule: lookup.inWords)
            }, parts: parts,
            files: files.map { Explanation.FileUse(source: $0.key.source, file: $0.key.file, rows: $0.value) }
                .sorted { ($0.source, $0.file) < ($1.source, $1.file) },
            records: firstRecords.map { $0.renumbered(place) })
    }

    private func sortKey(_ use: Use) -> String {
        let counted =
            switch use.row.counted {
            case .tokens(let meter): "\(meter.index)"
            case .quantity: "9"
            }
        return [
            use.row.provider, use.row.subject.description, use.row.tier, padded(Int(clamping: use.row.aboveInputTokens + 1), 12),
            counted,
            "\(use.row.validFrom)", padded(use.band, 3), "\(use.row.place)", "\(use.exchange)",
        ].joined(separator: "\u{1}")
    }

    private func sortKey(_ use: UnpricedUse) -> String {
        [use.provider, use.model, use.tier, use.what, use.reason].map { $0.map { "1" + $0 } ?? "0" }.joined(separator: "\u{1}")
    }
}

extension ExplainedRecord {
    fileprivate func renumbered(_ place: [Int]) -> ExplainedRecord {
        ExplainedRecord(
            source: source, file: file, record: record, time: time, provider: provider, model: model, tier: tier, tokens: tokens,
            quantity: quantity, unit: unit, input: input, above: above,
            atoms: atoms.map { Atom(price: place[$0.price], count: $0.count, low: $0.low, high: $0.high) }, unpriced: unpriced,
            cost: cost)
    }
}

extension Lookup {
    /// `what the subscription says whose parent is the row's user, from started_at to ends_at; else free`.
    var inWords: String {
        let key = match == .id ? "id" : match.rawValue
        let when =
            starts.map { "from its \($0)\(ends.map { " to its \($0)" } ?? " on")" }
            ?? "of the version that held then\(reachesBack ? ", the first also before it was dumped" : "")"
        return "\(take) of the \(kind) whose \(key) is the row's \(by), at the time of the call, \(when)"
            + (otherwise.map { "; else \($0)" } ?? "")
    }
}
