import Common
import Lake
import Ledger

/// How a job's costs come about: everything besides the rows themselves.
public struct CostModel: Sendable {
    public let job: String
    public let zone: Zone
    public let book: PriceBook
    public let planLookup: PlanLookup?
    /// The job's own columns, which may be grouped by under their names.
    public let jobColumns: [ColumnSpec]
    /// Prices learned after this day are not used; nil for all that is known.
    public let knownAsOf: Day?

    public init(job: String, zone: Zone, book: PriceBook, planLookup: PlanLookup?, jobColumns: [ColumnSpec], knownAsOf: Day? = nil) {
        (self.job, self.zone, self.book, self.planLookup) = (job, zone, book, planLookup)
        (self.jobColumns, self.knownAsOf) = (jobColumns, knownAsOf)
    }

    /// Raised when the same rows and prices would give another figure.
    private static let version = 1

    var definition: [String] {
        ["costs \(CostModel.version)", zone.name, book.digest.hex, planLookup?.definition ?? "", knownAsOf?.description ?? ""]
    }

    /// Text columns of the usage log that costs can be grouped by, and the job's own by their short names.
    public var dimensions: [String] {
        Log.usage.columns.filter { $0.type == .text && !["id", "session", "fingerprint", "unit", "currency"].contains($0.name) }.map(\.name)
            + ["source", "source_file"] + jobColumns.filter { $0.type == .text }.map { String($0.name.dropFirst(2)) }
    }

    func column(_ dimension: String) -> String {
        jobColumns.contains { $0.name == "x_" + dimension } ? "x_" + dimension : dimension
    }
}

/// What to add up: over which local days, by what, and of which rows.
public struct CostQuery: Sendable {
    public let period: Period
    public let grain: Grain
    public let dimensions: [String]
    public let filters: [(dimension: String, value: String)]
    public let countsUsers: Bool

    public init(
        period: Period, every grain: Grain, by dimensions: [String], where filters: [(dimension: String, value: String)] = [],
        countsUsers: Bool = false
    ) {
        (self.period, self.grain, self.dimensions) = (period, grain, dimensions)
        (self.filters, self.countsUsers) = (filters, countsUsers)
    }
}

/// Prices every request of a period and adds up, by stretch of local days and the wanted dimensions; sorted by time, then keys.
///
/// With `countsUsers` the rows also hold the distinct users of the stretch and combination.
public func rollUpCosts(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws -> [CostRow] {
    var grouping = try Grouping(query, model, lake)
    let buckets = query.grain.buckets(of: query.period)
    let bounds = buckets.map { model.zone.start(of: $0.first).microseconds } + [model.zone.start(of: query.period.last + 1).microseconds]
    let days = lakeDays(of: query.period, in: model.zone)
    try lake.scan(job: model.job, log: .usage, from: days.first, to: days.last, columns: grouping.columns) { _, batch in
        try grouping.add(batch, bounds: bounds)
    }
    return grouping.result(buckets)
}

/// The lake days whose rows may fall on these local days.
public func lakeDays(of period: Period, in zone: Zone) -> (first: Day, last: Day) {
    (zone.start(of: period.first).dayUTC, Instant(microseconds: zone.start(of: period.last + 1).microseconds - 1).dayUTC)
}

private struct Grouping {
    let columns: [ColumnSpec]
    private let query: CostQuery
    private let model: CostModel
    private let plans: PlanHistory?
    /// Texts of each dimension, shared over all batches.
    private var interners: [TextInterner]
    private var userInterner = TextInterner()
    private var groups: [GroupKey: Int] = [:]
    private var keys: [GroupKey] = []
    private var measures: [Measures] = []
    private var users: [Set<Int32>] = []
    private var tariffs: [[String?]: Tariff] = [:]

    private struct GroupKey: Hashable {
        let bucket: Int32
        let codes: [Int32]
    }

    init(_ query: CostQuery, _ model: CostModel, _ lake: Lake) throws {
        (self.query, self.model) = (query, model)
        let tokens = Meter.allCases.map { ColumnSpec($0.column, .int64) }
        let texts = Set(["provider", "model", "service_tier", "plan", "user"] + (query.dimensions + query.filters.map(\.dimension)).map(model.column))
        columns = [ColumnSpec("ts", .timestamp)] + tokens + texts.sorted().map { ColumnSpec($0, .text) }
        interners = query.dimensions.map { _ in TextInterner() }
        let usesPlan = query.dimensions.contains("plan") || query.filters.contains { $0.dimension == "plan" }
        plans =
            usesPlan
            ? try model.planLookup.map { try PlanHistory($0, try lake.newestSnapshots(job: model.job, kind: $0.kind)) }
            : nil
    }

    mutating func add(_ batch: Batch, bounds: [Int64]) throws {
        guard case .integers(let times, _)? = batch["ts"] else { return }
        let plan = resolvedPlans(batch, times)
        func text(_ dimension: String) -> Column? { dimension == "plan" ? plan : batch[model.column(dimension)] }
        // An empty value asks for the rows that do not say.
        let filters = query.filters.map { filter -> (codes: [Int32], wanted: [Bool], wantsNull: Bool) in
            guard case .text(let codes, let dictionary)? = text(filter.dimension) else { return ([], [], false) }
            return (codes, dictionary.matches(filter.value), filter.value.isEmpty)
        }
        var dimensionCodes: [[Int32]] = []
        for (index, dimension) in query.dimensions.enumerated() {
            dimensionCodes.append(shared(text(dimension), count: batch.count, &interners[index]))
        }
        let userCodes = query.countsUsers ? shared(batch["user"], count: batch.count, &userInterner) : []
        let tokens = Meter.allCases.map { batch[$0.column] }
        let pricing = combinations(batch)

        var bucket = 0
        var codes = [Int32](repeating: 0, count: dimensionCodes.count)
        var lastKey = GroupKey(bucket: -1, codes: [])
        var group = -1
        for row in 0..<batch.count {
            let time = times[row]
            guard time >= bounds[0], time < bounds[bounds.count - 1] else { continue }
            let isWanted = filters.allSatisfy { filter in
                guard !filter.codes.isEmpty else { return false }
                let code = filter.codes[row]
                return code < 0 ? filter.wantsNull : filter.wanted[Int(code)]
            }
            if !isWanted { continue }
            while time < bounds[bucket] { bucket -= 1 }
            while time >= bounds[bucket + 1] { bucket += 1 }
            for index in codes.indices { codes[index] = dimensionCodes[index][row] }
            if lastKey.bucket != Int32(bucket) || lastKey.codes != codes {
                lastKey = GroupKey(bucket: Int32(bucket), codes: codes)
                group = groupIndex(lastKey)
            }
            try price(row, time, tokens, pricing.tariffs[Int(pricing.codes[row])], &measures[group])
            if query.countsUsers, userCodes[row] >= 0 { users[group].insert(userCodes[row]) }
        }
    }

    private mutating func groupIndex(_ key: GroupKey) -> Int {
        if let known = groups[key] { return known }
        groups[key] = keys.count
        keys.append(key)
        measures.append(Measures())
        users.append([])
        return keys.count - 1
    }

    /// One event × one meter is the atom: priced and rounded once; everything above it is integer addition (promise 3).
    private func price(_ row: Int, _ time: Int64, _ tokens: [Column?], _ tariff: Tariff, _ into: inout Measures) throws {
        var counts = [Int64?](repeating: nil, count: tokens.count)
        for meter in counts.indices { counts[meter] = tokens[meter]?.integer(at: row) }
        into.requests += 1
        let day = Instant(microseconds: time).dayUTC
        var (input, isTooLarge) = (Int64(0), false)
        for meter in counts.indices {
            let count = counts[meter] ?? 0
            let (sum, overflow) = into.tokens[meter].addingReportingOverflow(count)
            into.tokens[meter] = sum
            let (whole, wholeOverflow) = input.addingReportingOverflow(meter <= 3 ? count : 0)
            input = whole
            isTooLarge = isTooLarge || overflow || wholeOverflow
        }
        guard !isTooLarge else { throw Failure("A count of tokens is too large to add up. Look for a damaged row on \(day) in the usage log.") }
        let threshold = tariff.threshold(input: input, on: day)
        // Reasoning tokens are part of the output: priced at their own row where the book has one, else as output.
        let reasoning = Meter.allCases.count - 1
        let output = reasoning - 1
        if let thinking = counts[reasoning], tariff.row(reasoning, on: day, above: threshold) != nil {
            counts[output] = max(0, (counts[output] ?? 0) - thinking)
        } else {
            counts[reasoning] = nil
        }
        var unpriced: Int64 = 0
        for meter in counts.indices {
            guard let count = counts[meter], count > 0 else { continue }
            guard let rate = tariff.row(meter, on: day, above: threshold) else {
                unpriced += count
                continue
            }
            guard let low = Money.product(of: Int128(count), at: rate.low, per: rate.per),
                let high = rate.low == rate.high ? low : Money.product(of: Int128(count), at: rate.high, per: rate.per)
            else { throw Failure("A cost is too large for this price: \(count) tokens at \(rate.high).", at: rate.place) }
            into.cost.low += low
            into.cost.high += high
        }
        // Tokens that were not exported are unknown, not zero.
        let nothingExported = counts.allSatisfy { $0 == nil }
        if unpriced > 0 || nothingExported {
            into.cost.unpricedRequests += 1
            into.cost.unpricedTokens += unpriced
        }
    }

    /// For each row the code of its provider, model and tier, and what each such combination costs.
    private mutating func combinations(_ batch: Batch) -> (codes: [Int32], tariffs: [Tariff]) {
        let columns = ["provider", "model", "service_tier"].map { batch[$0] }
        var known: [[Int32]: Int32] = [:]
        var list: [Tariff] = []
        var codes = [Int32](repeating: 0, count: batch.count)
        for row in 0..<batch.count {
            let key = columns.map { column -> Int32 in if case .text(let codes, _)? = column { codes[row] } else { -1 } }
            if let code = known[key] {
                codes[row] = code
                continue
            }
            let texts = columns.map { $0?.text(at: row) }
            let tariff =
                tariffs[texts]
                ?? Tariff(model.book.candidates(provider: texts[0], model: texts[1], tier: texts[2], knownAsOf: model.knownAsOf))
            tariffs[texts] = tariff
            codes[row] = Int32(list.count)
            known[key] = codes[row]
            list.append(tariff)
        }
        return (codes, list)
    }

    /// The plan that stands on the event, or the one its user had at the time.
    private func resolvedPlans(_ batch: Batch, _ times: [Int64]) -> Column? {
        guard let plans, case .text(let own, let ownNames)? = batch["plan"], case .text(let users, let userNames)? = batch["user"] else {
            return batch["plan"]
        }
        var interner = TextInterner()
        let names = (0..<Int32(userNames.count)).map { userNames[$0] }
        let codes = (0..<batch.count).map { row -> Int32 in
            if own[row] >= 0 { return interner.code(of: ownNames[own[row]]) }
            guard users[row] >= 0, let plan = plans.plan(of: names[Int(users[row])], at: Instant(microseconds: times[row])) else { return -1 }
            return interner.code(of: plan)
        }
        return .text(codes, interner.dictionary)
    }

    /// A column's codes in a dictionary that is shared over all batches.
    private func shared(_ column: Column?, count: Int, _ interner: inout TextInterner) -> [Int32] {
        guard case .text(let codes, let dictionary)? = column else { return [Int32](repeating: -1, count: count) }
        var translated = [Int32](repeating: -1, count: dictionary.count)
        return codes.map { code in
            if code < 0 { return -1 }
            if translated[Int(code)] < 0 { translated[Int(code)] = interner.code(of: dictionary[code]) }
            return translated[Int(code)]
        }
    }

    func result(_ buckets: [Period]) -> [CostRow] {
        keys.indices.map { index in
            CostRow(
                period: buckets[Int(keys[index].bucket)],
                keys: keys[index].codes.enumerated().map { $0.element < 0 ? nil : interners[$0.offset].dictionary[$0.element] },
                measures: measures[index], users: query.countsUsers ? users[index].count : nil)
        }.sorted { ($0.period, $0.sortKey) < ($1.period, $1.sortKey) }
    }
}
