import Common
import Lake

extension SpendTable {
    /// What a filter asks of charges: providers and models may be spelled otherwise there, so they are looked at by themselves.
    private var filtersOfCharges: [RowFilter] {
        query.rowFilters.filter { !["provider", "model"].contains($0.dimension) }
    }

    /// From the first to the last moment that anything is compared for.
    private var whole: Range<Int64> {
        let ends = billTimes + [asked]
        return (ends.map(\.lowerBound).min() ?? asked.lowerBound)..<(ends.map(\.upperBound).max() ?? asked.upperBound)
    }

    /// Hears who has rows when, before anything is added up.
    func listen() throws {
        for line in files.lines {
            guard let name = line.provider else { continue }
            if texts.used[name.lowercased()] == nil { texts.used[name.lowercased()] = name }
            let provider = texts.code(of: name)
            if line.part == .fixed {
                fixedProviders.insert(provider)
            } else {
                meteredDays[provider, default: []].insert(line.day)
            }
        }
        try files.usageReader.each(files.usage, in: whole, where: query.rowFilters) { rows in
            let batch = rows.batch
            let providers = texts.codes(batch["provider"], count: batch.count)
            let tenants = texts.codes(batch["tenant"], count: batch.count)
            rows.forEach { row in
                let provider = providers[row]
                if let name = texts[provider], texts.used[name.lowercased()] == nil { texts.used[name.lowercased()] = name }
                guard asked.contains(rows.times[row]) else { return }
                usageHours.insert(Hours.hour(rows.times[row]), provider)
                hasCalls = true
                if tenants[row] < 0 { everyCallHasTenant = false }
            }
        }
        try eachCharge { row in
            for (index, name) in query.dimensions.enumerated() where row.codes[index] >= 0 {
                sources[row.source].says.insert(name)
            }
            if row.provider >= 0 { sources[row.source].says.insert("provider") }
            if row.model >= 0 { sources[row.source].says.insert("model") }
            if row.hasTenant { sources[row.source].says.insert("tenant") }
            sources[row.source].note(row.amount, row.currency)
            if try converted(row.amount, row.currency, row.time) != nil {
                sources[row.source].hours.insert(Hours.hour(row.time), row.provider)
                sources[row.source].days[row.provider, default: []].insert(localDay(row.time))
            }
        }
    }

    // MARK: - Usage

    /// Prices every call and adds it to its stretch of days and to the bills of its time.
    func addUsage() throws {
        let slots = sources.map(SourceSlots.init)
        let cuts = Set(bounds + billTimes.flatMap { [$0.lowerBound, $0.upperBound] }).sorted()
        let dimensions = query.dimensions
        let pricer = CallPricer(model, files.volumes)
        try files.usageReader.each(files.usage, in: whole, where: query.rowFilters) { rows in
            let (batch, times, range) = (rows.batch, rows.times, rows.range)
            let cells = Cells(Columns { batch[self.model.column($0)] }, dimensions, count: batch.count)
            let prices = pricer.prices(of: batch, cells, after: dimensions.count)
            var codes = [[Int32]?](repeating: nil, count: cells.count)
            var sums = [SpendCalls](repeating: SpendCalls(), count: cells.count)
            var present: [Int] = []
            var row = range.lowerBound
            while row < range.upperBound {
                // A stretch in which neither the hour nor anything that is asked for changes.
                let begin = times[row]
                let hour = Hours.hour(begin)
                let nextCut = cuts.first { $0 > begin } ?? Int64.max
                let end = min((Int64(hour) + 1) * 3_600_000_000, nextCut)
                while row < range.upperBound, times[row] < end {
                    if rows.isWanted?[row] ?? true {
                        let cell = Int(cells.codes[row])
                        if sums[cell].count == 0 { present.append(cell) }
                        sums[cell].count += 1
                        try sums[cell].cost.add(try prices.price(row, on: rows.part.day))
                    }
                    row += 1
                }
                let bills = billTimes.indices.filter { billTimes[$0].contains(begin) }
                for cell in present {
                    let own = codes[cell] ?? self.codes(cells, cell)
                    codes[cell] = own
                    let provider = own[dimensions.count]
                    if asked.contains(begin) {
                        var heard: UInt64 = 0
                        for (index, slot) in slots.enumerated() where slot.hears(provider, in: hour) {
                            heard |= 1 << UInt64(index & 63)
                        }
                        calls[UsageKey(bucket: bucket(of: begin), heard: heard, codes: own), default: SpendCalls()] += sums[cell]
                    }
                    for bill in bills {
                        callsOfBills[BillKey(time: bill, codes: own.dropLast()), default: SpendCalls()] += sums[cell]
                    }
                    sums[cell] = SpendCalls()
                }
                present.removeAll(keepingCapacity: true)
            }
        }
    }

    /// The dimensions, the provider and the model of a cell, with models by the book's names.
    private func codes(_ cells: Cells, _ cell: Int) -> [Int32] {
        let count = query.dimensions.count
        var codes = (0..<count + 2).map { texts.code(of: cells.text($0, of: cell)) }
        codes[count + 1] = texts.model(codes[count + 1], of: codes[count])
        for index in 0..<count where query.dimensions[index] == "model" { codes[index] = codes[count + 1] }
        return codes
    }

    private func localDay(_ time: Int64) -> Day { model.zone.day(of: Instant(microseconds: time)) }

    // MARK: - Metered and fixed costs

    /// Adds what no call causes, to its stretch of days and to the bills of its days.
    func addLines() {
        let billDays = billTimes.map(period)
        for line in files.lines {
            var one = SpendCalls()
            if line.part == .fixed { one.fixed = Cost(line) } else { (one.metered, one.readings) = (Cost(line), 1) }
            let provider = texts.code(of: line.provider)
            let keys = query.dimensions.map { texts.code(of: line.value(of: $0)) } + [provider]
            if query.period.contains(line.day) {
                var heard: UInt64 = 0
                for (index, source) in sources.enumerated() where source.days[provider]?.contains(line.day) ?? false {
                    heard |= 1 << UInt64(index & 63)
                }
                let bucket = bucket(of: model.zone.start(of: line.day).microseconds)
                others[UsageKey(bucket: bucket, heard: heard, codes: keys + [-1]), default: SpendCalls()] += one
            }
            for (bill, days) in billDays.enumerated() where days.contains(line.day) {
                callsOfBills[BillKey(time: bill, codes: keys), default: SpendCalls()] += one
            }
        }
    }

    // MARK: - Charges

    /// A row of charges, with provider and model by the names of usage and book.
    struct Charge {
        let source: Int
        let time: Int64
        let provider: Int32
        let model: Int32
        let hasTenant: Bool
        let amount: Money
        let currency: String
        /// In the order of the dimensions.
        let codes: [Int32]
    }

    private func eachCharge(_ body: (Charge) throws -> Void) throws {
        var indices = Dictionary(sources.enumerated().map { (texts.code(of: $1.name), $0) }) { first, _ in first }
        let places = (provider: query.dimensions.firstIndex(of: "provider"), model: query.dimensions.firstIndex(of: "model"))
        let asksFor = { name in self.query.filters.filter { $0.dimension == name }.map(\.value) }
        let (wantedProviders, wantedModels) = (asksFor("provider"), asksFor("model"))
        try files.chargesReader.each(files.charges, in: asked, where: filtersOfCharges) { rows in
            let batch = rows.batch
            guard case .decimals(let amounts, _)? = batch["amount"] else { return }
            func codes(_ name: String) -> [Int32] { texts.codes(batch[model.column(name)], count: batch.count) }
            let (names, providers, models) = (codes("source"), codes("provider"), codes("model"))
            let (tenants, currencies) = (codes("tenant"), codes("currency"))
            let columns = query.dimensions.map(codes)
            try rows.forEach { row in
                let provider = texts.provider(providers[row])
                let model = texts.model(models[row], of: provider)
                guard wantedProviders.allSatisfy({ texts[provider] ?? "" == $0 }),
                    wantedModels.allSatisfy({ [texts[model] ?? "", texts[models[row]] ?? ""].contains($0) })
                else { return }
                let source: Int
                if let known = indices[names[row]] {
                    source = known
                } else {
                    // Of a source that the job no longer has.
                    source = sources.count
                    sources.append(ChargeSource(name: texts[names[row]] ?? ""))
                    indices[names[row]] = source
                }
                var own = columns.map { $0[row] }
                if let place = places.provider { own[place] = provider }
                if let place = places.model { own[place] = model }
                try body(
                    Charge(
                        source: source, time: rows.times[row], provider: provider, model: model, hasTenant: tenants[row] >= 0,
                        amount: Money(units: amounts[row]), currency: texts[currencies[row]] ?? "", codes: own))
            }
        }
    }

    /// Adds every charge to its cell, in the part that the row itself decides.
    func addCharges() throws {
        let slots = sources.map(SourceSlots.init)
        try eachCharge { row in
            let source = sources[row.source]
            let key = ChargeKey(
                source: row.source, bucket: bucket(of: row.time), codes: row.codes + [row.provider, row.model])
            guard let amount = try converted(row.amount, row.currency, row.time) else {
                let foreignKey = ForeignKey(key: key, currency: row.currency)
                let known = foreign[foreignKey] ?? (0, .zero)
                foreign[foreignKey] = (known.rows + 1, known.amount + row.amount)
                return
            }
            if row.currency != currency { exchanged[row.currency, default: 0] += 1 }
            var cell = ComparedCell()
            cell.rows = 1
            let isShared = !row.hasTenant && source.says.contains("tenant")
            let isMetered = meteredDays[row.provider] != nil
            let isFixed = fixedProviders.contains(row.provider) && source.says.contains("provider")
            if isFixed, isShared || (!isMetered && usageHours[row.provider].isEmpty) {
                cell.fixed = amount
            } else if isShared, hasCalls, everyCallHasTenant {
                cell.withoutTenant = amount
            } else if !slots[row.source].isUsed(row.provider, in: Hours.hour(row.time), usageHours),
                !(meteredDays[row.provider]?.contains(localDay(row.time)) ?? false)
            {
                cell.withoutUsage = amount
            } else {
                (cell.comparedRows, cell.reported) = (1, amount)
                cell.bound = try converted(source.halfPlace(row.currency), row.currency, row.time) ?? .zero
            }
            charges[key, default: ComparedCell()] += cell
        }
    }
}

/// When a source of charges has rows of a provider; where it never says the provider, of all of them together.
final class SourceSlots {
    private let source: ChargeSource
    private var known: [Int32: ChargeSource.Slots] = [:]
    private var used: [Int32: Set<Int32>] = [:]

    init(_ source: ChargeSource) { self.source = source }

    private var saysProvider: Bool { source.says.contains("provider") }

    private func slots(_ provider: Int32) -> ChargeSource.Slots {
        let provider = saysProvider ? provider : -2
        if let slots = known[provider] { return slots }
        let slots = ChargeSource.Slots(saysProvider ? source.hours[provider] : source.hours.all)
        known[provider] = slots
        return slots
    }

    /// Whether the source has a row of the provider in the hour, or on its day.
    func hears(_ provider: Int32, in hour: Int32) -> Bool { slots(provider).contains(hour) }

    /// Whether the usage log has one in the hour of a charge, or on its day.
    func isUsed(_ provider: Int32, in hour: Int32, _ usage: Hours) -> Bool {
        let slots = slots(provider)
        let provider = saysProvider ? provider : -2
        if used[provider] == nil { used[provider] = slots.like(saysProvider ? usage[provider] : usage.all) }
        return used[provider]?.contains(slots.areDays ? Hours.day(hour) : hour) ?? false
    }
}
