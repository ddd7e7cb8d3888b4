import Common
import Lake

extension SpendTable {
    /// A row of the comparison while it is being put together; -2 stands for all values of a dimension.
    private struct RowKey: Hashable {
        let bucket: Int32
        let keys: [Int32]
    }

    private static let allValues: Int32 = -2

    /// The cells of each row, by provider and model as far as the view says them.
    private typealias Rows = [RowKey: [[Int32]: ComparedCell]]

    func comparison() throws -> SpendComparison {
        var rows: [SpendRow] = []
        for index in sources.indices { rows += rowsOfCharges(index) }
        if sources.isEmpty { rows += rowsWithout(.charges, source: nil, reason: "not exported") }
        let names = Set(files.bills.map(\.source)).union(query.invoices).sorted()
        for name in names { rows += try rowsOfBills(name) }
        if names.isEmpty { rows += rowsWithout(.invoices, source: nil, reason: "not exported") }
        return SpendComparison(
            rows: rows.sorted { $0.order.utf8.lexicographicallyPrecedes($1.order.utf8) }, silences: silences, exchanged: exchanged
        )
    }

    private func keys(_ codes: [Int32]) -> [SpendRow.Key] {
        codes.map { $0 == SpendTable.allValues ? .all : texts[$0].map { .value($0) } ?? .unsaid }
    }

    /// The codes of the dimensions, with those left out that a view never says.
    private func collapsed(_ codes: some Sequence<Int32>, _ says: Set<String>) -> [Int32] {
        zip(query.dimensions, codes).map { says.contains($0) ? $1 : SpendTable.allValues }
    }

    private func row(
        _ period: Period, _ keys: [Int32], _ log: Log, _ source: String?, _ cells: some Collection<ComparedCell>
    ) -> SpendRow? {
        var sum = ComparedCell()
        var variance = Variance()
        for cell in cells {
            sum += cell
            variance += cell.variance
        }
        var calls = sum.calls
        calls += sum.callsWithoutCharges
        // What costs nothing and is not charged has nothing to be compared.
        if sum.rows == 0, calls.whole.high == .zero, calls.whole.isComplete { return nil }
        return SpendRow(
            period: period, keys: self.keys(keys), log: log, source: source, rows: sum.rows, reported: sum.total,
            currency: currency,
            calls: calls.count, computed: calls.whole, metered: calls.metered, fixed: calls.fixed, variance: variance, reason: nil
        )
    }

    // MARK: - Charges

    private func rowsOfCharges(_ index: Int) -> [SpendRow] {
        let source = sources[index]
        let count = query.dimensions.count
        // Meters and fixed costs know no models: a provider without calls is compared over all of them.
        func inner(_ codes: [Int32]) -> [Int32] {
            let provider = source.says.contains("provider") ? codes[count] : SpendTable.allValues
            let hasModels = source.says.contains("model") && (provider < -1 || !usageHours[provider].isEmpty)
            return [provider, hasModels ? codes[count + 1] : SpendTable.allValues]
        }
        var rows: Rows = [:]
        for (key, cell) in charges where key.source == index {
            let place = RowKey(bucket: key.bucket, keys: collapsed(key.codes, source.says))
            let own = inner(key.codes)
            var (used, standing) = (cell, ComparedCell())
            (used.fixed, standing.fixed) = (.zero, cell.fixed)
            rows[place, default: [:]][own, default: ComparedCell()] += used
            rows[place, default: [:]][[own[0], SpendTable.allValues], default: ComparedCell()] += standing
        }
        let exported = Set(charges.keys.filter { $0.source == index }.map(\.bucket))
        var found: [SpendRow] = []
        let named =
            source.says.contains("provider")
            ? Set(charges.keys.filter { $0.source == index }.map { $0.codes[query.dimensions.count] }) : []
        let others = others.filter { named.contains($0.key.codes[query.dimensions.count]) }
        for (key, calls) in Array(calls) + Array(others) where exported.contains(key.bucket) {
            let place = RowKey(bucket: key.bucket, keys: collapsed(key.codes, source.says))
            let own = inner(key.codes)
            var (used, standing) = (ComparedCell(), ComparedCell())
            var caused = calls
            (caused.fixed, standing.calls.fixed) = (Cost(), calls.fixed)
            if key.heard & (1 << UInt64(index & 63)) != 0 { used.calls = caused } else { used.callsWithoutCharges = caused }
            rows[place, default: [:]][own, default: ComparedCell()] += used
            rows[place, default: [:]][[own[0], SpendTable.allValues], default: ComparedCell()] += standing
        }
        found += rows.compactMap { row(buckets[Int($0.bucket)], $0.keys, .charges, source.name, $1.values) }
        var amounts: [ForeignKey: (rows: Int, amount: Money)] = [:]
        for (key, value) in foreign where key.key.source == index {
            let place = ChargeKey(source: index, bucket: key.key.bucket, codes: collapsed(key.key.codes, source.says))
            let known = amounts[ForeignKey(key: place, currency: key.currency)] ?? (0, .zero)
            amounts[ForeignKey(key: place, currency: key.currency)] = (known.rows + value.rows, known.amount + value.amount)
        }
        found += amounts.map { key, value in
            SpendRow(
                period: buckets[Int(key.key.bucket)], keys: keys(key.key.codes), log: .charges, source: source.name,
                rows: value.rows,
                reported: value.amount, currency: key.currency, calls: 0, computed: nil, variance: nil,
                reason: noRate(key.currency))
        }
        let filters = query.filters.map { "\($0.dimension)=\($0.value)" }.joined(separator: ", ")
        let silent = Set(buckets.indices.map(Int32.init)).subtracting(exported).subtracting(amounts.keys.map(\.key.bucket))
        return found
            + rowsWithout(
                .charges, source: source.name, reason: filters.isEmpty ? "not exported" : "no row with \(filters)", in: silent)
    }

    private func noRate(_ currency: String) -> String { "no rate from \(currency) to \(self.currency)" }

    /// Rows that say of a view that there is nothing to compare with.
    private func rowsWithout(_ log: Log, source: String?, reason: String, in wanted: Set<Int32>? = nil) -> [SpendRow] {
        var sums: [RowKey: SpendCalls] = [:]
        // Of charges nobody knows which metered and fixed costs they would show; bills would show all.
        for (key, calls) in Array(calls) + (log == .invoices ? Array(others) : []) where wanted?.contains(key.bucket) ?? true {
            sums[RowKey(bucket: key.bucket, keys: Array(key.codes.prefix(query.dimensions.count))), default: SpendCalls()] +=
                calls
        }
        return sums.map { key, calls in
            SpendRow(
                period: buckets[Int(key.bucket)], keys: keys(key.keys), log: log, source: source, rows: 0, reported: nil,
                currency: currency, calls: calls.count, computed: calls.whole, metered: calls.metered, fixed: calls.fixed,
                variance: nil, reason: reason)
        }
    }

    // MARK: - Bills

    private func rowsOfBills(_ source: String) throws -> [SpendRow] {
        let lines = files.bills.filter { $0.source == source }
        guard !lines.isEmpty else { return rowsWithout(.invoices, source: source, reason: "not exported") }
        let says = Set(
            query.dimensions.indices.filter { index in lines.contains { $0.keys[index] != nil } }.map { query.dimensions[$0] })
        var facts = ChargeSource(name: source)
        for line in lines { facts.note(line.amount, line.currency) }
        var computed: [BillKey: SpendCalls] = [:]
        for (key, calls) in callsOfBills {
            computed[BillKey(time: key.time, codes: [key.codes.last ?? -1]), default: SpendCalls()] += calls
        }
        var providers: [Int32] = []
        var rows: Rows = [:]
        var found: [SpendRow] = []
        for line in lines {
            let provider = texts.provider(texts.code(of: line.vendor))
            providers.append(provider)
            let keys = collapsed(
                query.dimensions.indices.map { query.dimensions[$0] == "provider" ? provider : texts.code(of: line.keys[$0]) },
                says)
            guard query.filters.allSatisfy({ $0.dimension != "provider" || $0.value == texts[provider] ?? "" }) else { continue }
            let amount = try converted(line.amount, line.currency, line.start.microseconds)
            guard let times = line.times, let time = billTimes.firstIndex(of: times), let amount else {
                let reason = line.times == nil ? "the bill says no end of its time" : noRate(line.currency)
                found.append(
                    SpendRow(
                        period: line.times.map(period) ?? Period(first: line.start.dayUTC, last: line.start.dayUTC),
                        keys: self.keys(keys), log: .invoices, source: source, rows: 1, reported: line.amount,
                        currency: line.currency, calls: 0, computed: nil, variance: nil, reason: reason))
                continue
            }
            if line.currency != currency { exchanged[line.currency, default: 0] += 1 }
            var cell = ComparedCell()
            cell.rows = 1
            let own = computed[BillKey(time: time, codes: [provider])]
            let isUsed = own?.isUsed ?? false
            if line.isBase || (own != nil && !isUsed) {
                cell.fixed = amount
            } else if !isUsed {
                cell.withoutUsage = amount
            } else {
                (cell.comparedRows, cell.reported) = (1, amount)
                cell.bound = try converted(facts.halfPlace(line.currency), line.currency, line.start.microseconds) ?? .zero
            }
            rows[RowKey(bucket: Int32(time), keys: keys), default: [:]][[provider], default: ComparedCell()] += cell
        }
        addCalls(to: &rows, lines, providers, says)
        for (key, cells) in rows {
            let period = period(billTimes[Int(key.bucket)])
            if cells.values.allSatisfy({ $0.rows == 0 }) {
                let calls = cells.values.reduce(into: SpendCalls()) { $0 += $1.callsWithoutCharges }
                guard calls.whole.high != .zero || !calls.whole.isComplete else { continue }
                found.append(
                    SpendRow(
                        period: period, keys: keys(key.keys), log: .invoices, source: source, rows: 0, reported: nil,
                        currency: currency, calls: calls.count, computed: calls.whole, metered: calls.metered, fixed: calls.fixed,
                        variance: nil, reason: "no bill"))
            } else if let row = row(period, key.keys, .invoices, source, cells.values) {
                found.append(row)
            }
        }
        return summed(found)
    }

    /// Calls of the times of bills; those of a provider that is billed for other times there are left out.
    private func addCalls(to rows: inout Rows, _ lines: [Bill], _ providers: [Int32], _ says: Set<String>) {
        for (key, calls) in callsOfBills {
            let provider = key.codes.last ?? -1
            let place = RowKey(bucket: Int32(key.time), keys: collapsed(key.codes, says))
            let isBilled = (rows[place]?[[provider]]?.comparedRows ?? 0) > 0
            if !isBilled, rows[place]?[[provider]] == nil {
                let times = billTimes[key.time]
                let isBilledOtherwise = zip(lines, providers).contains { line, other in
                    other == provider && line.times.map { $0 != times && $0.overlaps(times) } ?? false
                }
                if isBilledOtherwise || !lines.contains(where: { $0.times == times }) { continue }
            }
            var cell = ComparedCell()
            if isBilled { cell.calls = calls } else { cell.callsWithoutCharges = calls }
            rows[place, default: [:]][[provider], default: ComparedCell()] += cell
        }
    }

    /// Lines that cannot be compared, added up where they are of one time, key, currency and reason.
    private func summed(_ rows: [SpendRow]) -> [SpendRow] {
        var sums: [String: SpendRow] = [:]
        for row in rows {
            let key = row.order + "\u{1}" + (row.reason ?? "")
            guard let known = sums[key], let a = known.reported, let b = row.reported else {
                sums[key] = row
                continue
            }
            sums[key] = SpendRow(
                period: row.period, keys: row.keys, log: row.log, source: row.source, rows: known.rows + row.rows,
                reported: a + b,
                currency: row.currency, calls: 0, computed: nil, variance: nil, reason: row.reason)
        }
        return Array(sums.values)
    }

    /// The days of a bill: in UTC where it begins and ends at midnight there, as most vendors' bills do, else in the job's zone.
    func period(_ times: Range<Int64>) -> Period {
        let (first, last) = (Instant(microseconds: times.lowerBound), Instant(microseconds: times.upperBound - 1))
        let isUTC = first == first.dayUTC.startUTC && times.upperBound == (last.dayUTC + 1).startUTC.microseconds
        return isUTC
            ? Period(first: first.dayUTC, last: last.dayUTC)
            : Period(first: model.zone.day(of: first), last: model.zone.day(of: last))
    }

    // MARK: - Silence

    private var silences: [SpendComparison.Silence] {
        sources.flatMap { source -> [SpendComparison.Silence] in
            let known = source.hours.byProvider.keys.filter { usageHours.byProvider[$0] != nil }
            let saysProvider = source.says.contains("provider")
            let charged = saysProvider ? known.reduce(into: Set()) { $0.formUnion(source.hours[$1]) } : source.hours.all
            let used = saysProvider ? known.reduce(into: Set()) { $0.formUnion(usageHours[$1]) } : usageHours.all
            let slots = ChargeSource.Slots(charged)
            let heard = slots.like(used)
            func silence(_ isUsage: Bool, _ missing: Set<Int32>) -> SpendComparison.Silence? {
                guard !missing.isEmpty else { return nil }
                let step: Int64 = slots.areDays ? 86_400_000_000 : 3_600_000_000
                return SpendComparison.Silence(
                    source: source.name, isUsage: isUsage, areDays: slots.areDays,
                    starts: missing.sorted().map { Instant(microseconds: Int64($0) * step) })
            }
            return [silence(true, slots.slots.subtracting(heard)), silence(false, heard.subtracting(slots.slots))].compactMap {
                $0
            }
        }
    }
}
