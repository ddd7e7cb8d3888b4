import Common
import Lake

/// Adds up the costs of many batches for one thread. Rows are sorted by time within a part, so a stretch of days is a run of rows.
final class CostAccumulator {
    private let plan: CostPlan
    private(set) var groups: [GroupKey: Int] = [:]
    private(set) var keys: [GroupKey] = []
    private(set) var measures: [Measures] = []
    /// Each group's users, by the codes of `users`; one may stand several times.
    private(set) var members: [[Int32]] = []
    private(set) var texts: [TextInterner]
    private(set) var users = TextInterner()
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
        let columns = Columns { batch[self.plan.model.column($0)] }
        let wanted = filter(columns, count: batch.count)
        let cells = Cells(columns, plan.query.dimensions, count: batch.count)
        let tokens = Meter.allCases.map { TokenColumn(batch[$0.column]) }
        if let known { return try add(0..<batch.count, Int32(known), day, columns, cells, tokens, wanted) }
        let bounds = plan.bounds
        var row = firstRow(times, atLeast: bounds[0])
        var bucket = 0
        while row < batch.count, bucket < plan.buckets.count {
            let end = firstRow(times, atLeast: bounds[bucket + 1])
            if end > row { try add(row..<end, Int32(bucket), day, columns, cells, tokens, wanted) }
            (row, bucket) = (max(row, end), bucket + 1)
        }
    }

    private func firstRow(_ times: [Int64], atLeast bound: Int64) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: - One stretch of rows

    private func add(
        _ rows: Range<Int>, _ bucket: Int32, _ day: Day, _ columns: Columns, _ cells: Cells, _ tokens: [TokenColumn],
        _ wanted: [Bool]?
    ) throws {
        let counts = cells.counts(rows, wanted)
        let sums = try tokens.map { try $0.sums(rows, cells, wanted, day) }
        var groupOfCell = [Int32](repeating: -1, count: cells.count)
        // How each cell is priced: by its sums; by its sums but for meters without a price; or event by event.
        var unpricedOfCell: [Int: [Int]] = [:]
        var tariffOfCell: [Int: Tariff] = [:]
        // Reasoning tokens alone say nothing of the output that they are a part of.
        let mayBeUnknown = tokens.dropLast().allSatisfy(\.hasNulls)
        for cell in counts.indices where counts[cell] > 0 {
            let group = self.group(bucket, cells, cell)
            groupOfCell[cell] = Int32(group)
            var own = Measures()
            own.requests = counts[cell]
            own.tokens = sums.map { $0[cell] }
            let tariff = self.tariff(cells, cell)
            if !mayBeUnknown, let prices = UnitPrices(tariff, on: day) {
                for meter in sums.indices.dropLast() {
                    guard let price = prices.byMeter[meter] else { continue }
                    own.cost.low += try price.amount(price.low, sums[meter][cell])
                    own.cost.high += try price.amount(price.high, sums[meter][cell])
                }
                if prices.unpriced.contains(where: { sums[$0][cell] > 0 }) { unpricedOfCell[cell] = prices.unpriced }
            } else {
                tariffOfCell[cell] = tariff
            }
            try measures[group].add(own)
        }
        if !unpricedOfCell.isEmpty { try countUnpriced(rows, day, cells, tokens, sums, wanted, unpricedOfCell, groupOfCell) }
        if !tariffOfCell.isEmpty {
            for row in rows where wanted?[row] ?? true {
                let cell = Int(cells.codes[row])
                guard let tariff = tariffOfCell[cell] else { continue }
                try price(row, day, tokens, tariff, &measures[Int(groupOfCell[cell])].cost)
            }
        }
        if plan.query.countsUsers { countUsers(rows, columns, cells, groupOfCell, wanted) }
    }

    /// Requests that have tokens on a meter without a price, and those tokens.
    private func countUnpriced(
        _ rows: Range<Int>, _ day: Day, _ cells: Cells, _ tokens: [TokenColumn], _ sums: [[Int64]], _ wanted: [Bool]?,
        _ unpricedOfCell: [Int: [Int]], _ groupOfCell: [Int32]
    ) throws {
        let meters = Set(unpricedOfCell.values.joined()).sorted()
        var isUnpriced = [Bool](repeating: false, count: cells.count * meters.count)
        for (cell, own) in unpricedOfCell {
            for (index, meter) in meters.enumerated() { isUnpriced[cell * meters.count + index] = own.contains(meter) }
        }
        var requests = [Int](repeating: 0, count: cells.count)
        var unpriced = [Int64](repeating: 0, count: cells.count)
        var isTooLarge = false
        var has = [Int64](repeating: 0, count: rows.count)
        for (index, meter) in meters.enumerated() {
            // Mostly no cell with such tokens has a price for the meter.
            let isUniform = groupOfCell.indices.allSatisfy {
                groupOfCell[$0] < 0 || sums[meter][$0] == 0 || isUnpriced[$0 * meters.count + index]
            }
            if isUniform {
                tokens[meter].add(rows, into: &has)
            } else {
                tokens[meter].add(rows, into: &has) { isUnpriced[Int(cells.codes[$0]) &* meters.count &+ index] }
            }
        }
        for row in rows where has[row - rows.lowerBound] != 0 && (wanted?[row] ?? true) {
            let cell = Int(cells.codes[row])
            requests[cell] += 1
            let (sum, overflow) = unpriced[cell].addingReportingOverflow(has[row - rows.lowerBound])
            unpriced[cell] = sum
            isTooLarge = isTooLarge || overflow || has[row - rows.lowerBound] < 0
        }
        guard !isTooLarge else { throw Measures.tooLarge(day) }
        for cell in unpricedOfCell.keys {
            var own = Measures()
            (own.cost.unpricedRequests, own.cost.unpricedTokens) = (requests[cell], unpriced[cell])
            try measures[Int(groupOfCell[cell])].add(own)
        }
    }

    /// One event × one meter is the atom: priced and rounded once; everything above it is integer addition (promise 3).
    private func price(_ row: Int, _ day: Day, _ tokens: [TokenColumn], _ tariff: Tariff, _ cost: inout Cost) throws {
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

    private func group(_ bucket: Int32, _ cells: Cells, _ cell: Int) -> Int {
        let codes = plan.query.dimensions.indices.map { index in
            cells.text(index, of: cell).map { texts[index].code(of: $0) } ?? -1
        }
        let key = GroupKey(bucket: bucket, codes: codes)
        if let known = groups[key] { return known }
        groups[key] = keys.count
        keys.append(key)
        measures.append(Measures())
        members.append([])
        return keys.count - 1
    }

    private func tariff(_ cells: Cells, _ cell: Int) -> Tariff {
        let names = (0..<3).map { cells.text(plan.query.dimensions.count + $0, of: cell) }
        if let known = tariffs[names] { return known }
        let rows = plan.model.book.candidates(
            provider: names[0], model: names[1], tier: names[2], knownAsOf: plan.model.knownAsOf)
        let tariff = Tariff(rows)
        tariffs[names] = tariff
        return tariff
    }

    // MARK: - Users

    /// Each user once for each group of the stretch: a bit says who was there already.
    private func countUsers(_ rows: Range<Int>, _ columns: Columns, _ cells: Cells, _ groupOfCell: [Int32], _ wanted: [Bool]?) {
        guard case .text(let codes, let dictionary)? = columns["user"] else { return }
        let present = Array(Set(groupOfCell.filter { $0 >= 0 })).sorted()
        var position = [Int32: Int](minimumCapacity: present.count)
        for (index, group) in present.enumerated() { position[group] = index }
        let lineOfCell = groupOfCell.map { $0 < 0 ? -1 : position[$0] ?? -1 }
        let width = (dictionary.count + 63) / 64
        var global = [Int32](repeating: -1, count: dictionary.count)
        func name(_ code: Int) -> Int32 {
            if global[code] < 0 { global[code] = users.code(of: dictionary[Int32(code)]) }
            return global[code]
        }
        guard present.count * width <= 1 << 22 else {
            // Very many groups: the lists hold repetitions, which are left out at the end.
            for row in rows where codes[row] >= 0 && (wanted?[row] ?? true) {
                members[Int(groupOfCell[Int(cells.codes[row])])].append(name(Int(codes[row])))
            }
            return
        }
        var bits = [UInt64](repeating: 0, count: present.count * width)
        bits.withUnsafeMutableBufferPointer { bits in
            for row in rows where codes[row] >= 0 && (wanted?[row] ?? true) {
                let code = Int(codes[row])
                bits[lineOfCell[Int(cells.codes[row])] &* width &+ code >> 6] |= 1 << UInt64(truncatingIfNeeded: code & 63)
            }
        }
        for (line, group) in present.enumerated() {
            for word in 0..<width {
                var left = bits[line * width + word]
                while left != 0 {
                    members[Int(group)].append(name(word * 64 + left.trailingZeroBitCount))
                    left &= left &- 1
                }
            }
        }
    }

    // MARK: - Rows that are meant

    private func filter(_ columns: Columns, count: Int) -> [Bool]? {
        guard !plan.query.filters.isEmpty else { return nil }
        var wanted = [Bool](repeating: true, count: count)
        for filter in plan.query.filters {
            guard case .text(let codes, let dictionary)? = columns[filter.dimension] else {
                return [Bool](repeating: false, count: count)
            }
            let matches = dictionary.matches(filter.value)
            // An empty value asks for the rows that do not say.
            for row in 0..<count where !(codes[row] < 0 ? filter.value.isEmpty : matches[Int(codes[row])]) { wanted[row] = false }
        }
        return wanted
    }
}
