import Common
import Lake

/// Holds charges and invoices against the computed cost of usage, and takes each difference apart.
///
/// Each source of charges or invoices is a view by itself, for two may be two exports of one spend: nothing is added over sources. A
/// dimension that no row of a source says is compared over all its values together. Computed are the calls of the usage log, what meters
/// counted, and fixed costs; the last two are held against a source of charges only for providers that it names. Charges are held against the calls of the same
/// stretch of days; a bill against the calls of its own time, whatever stretch is asked for. Amounts in another currency are compared
/// only where the model knows the rate of their day.
public func compareSpend(_ query: SpendQuery, _ model: CostModel, _ lake: Lake) throws -> SpendComparison {
    let files = try lake.consistently { try SpendFiles(query, model, lake) }
    let table = SpendTable(query, model, files)
    try table.listen()
    try table.addUsage()
    table.addLines()
    try table.addCharges()
    return try table.comparison()
}

/// What is being added up; its parts are written beside this file.
final class SpendTable {
    let query: SpendQuery
    let model: CostModel
    let files: SpendFiles
    /// The ends of the stretches of days, in microseconds.
    let bounds: [Int64]
    let buckets: [Period]
    var texts: SpendTexts
    var exchanged: [String: Int] = [:]

    var usageHours = Hours()
    /// Whether every call names a tenant.
    var everyCallHasTenant = true
    var hasCalls = false
    var sources: [ChargeSource] = []
    var calls: [UsageKey: SpendCalls] = [:]
    /// Metered and fixed costs, likewise; and on which local days meters have a row of a provider.
    var others: [UsageKey: SpendCalls] = [:]
    var meteredDays: [Int32: Set<Day>] = [:]
    /// Providers that are paid by the month.
    var fixedProviders: Set<Int32> = []
    var callsOfBills: [BillKey: SpendCalls] = [:]
    var charges: [ChargeKey: ComparedCell] = [:]
    var foreign: [ForeignKey: (rows: Int, amount: Money)] = [:]
    /// The distinct times of bills.
    let billTimes: [Range<Int64>]

    struct UsageKey: Hashable {
        let bucket: Int32
        /// A bit for each source of charges that has rows of the provider in the hour.
        let heard: UInt64
        /// The dimensions, the provider and the model.
        let codes: [Int32]
    }

    struct BillKey: Hashable {
        let time: Int
        let codes: [Int32]
    }

    struct ChargeKey: Hashable {
        let source: Int
        let bucket: Int32
        let codes: [Int32]
    }

    struct ForeignKey: Hashable {
        let key: ChargeKey
        let currency: String
    }

    init(_ query: SpendQuery, _ model: CostModel, _ files: SpendFiles) {
        (self.query, self.model, self.files) = (query, model, files)
        buckets = query.grain.buckets(of: query.period)
        bounds = (buckets.map(\.first) + [query.period.last + 1]).map { model.zone.start(of: $0).microseconds }
        texts = SpendTexts(query.names, model.book)
        sources = query.charges.map { ChargeSource(name: $0) }
        billTimes = Set(files.bills.compactMap(\.times)).sorted {
            ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
        }
    }

    var currency: String { model.currency }
    var asked: Range<Int64> { bounds[0]..<bounds[bounds.count - 1] }

    func bucket(of time: Int64) -> Int32 { Int32(bounds.position(after: time) - 1) }

    /// An amount in the report's currency; nil where no rate is known.
    func converted(_ amount: Money, _ own: String, _ time: Int64) throws -> Money? {
        if own == currency { return amount }
        let day = model.zone.day(of: Instant(microseconds: time))
        return try model.exchange.converted(amount, from: own, to: currency, on: day)?.0
    }
}

extension Bill {
    var times: Range<Int64>? {
        end.flatMap { $0.microseconds > start.microseconds ? start.microseconds..<$0.microseconds : nil }
    }
}

/// The hours (UTC) in which a log has rows, by provider.
struct Hours {
    private(set) var byProvider: [Int32: Set<Int32>] = [:]

    static func hour(_ time: Int64) -> Int32 {
        Int32((time - ((time % 3_600_000_000) + 3_600_000_000) % 3_600_000_000) / 3_600_000_000)
    }
    static func day(_ hour: Int32) -> Int32 { (hour - ((hour % 24) + 24) % 24) / 24 }

    mutating func insert(_ hour: Int32, _ provider: Int32) { byProvider[provider, default: []].insert(hour) }

    subscript(provider: Int32) -> Set<Int32> { byProvider[provider] ?? [] }

    var all: Set<Int32> { byProvider.values.reduce(into: []) { $0.formUnion($1) } }
}

/// A source of charges, and what is known of it before anything is compared.
struct ChargeSource {
    let name: String
    var hours = Hours()
    /// The local days of its rows, by provider.
    var days: [Int32: Set<Day>] = [:]
    /// The dimensions, and `tenant`, that some row says.
    var says: Set<String> = []
    /// Digits after the point of the amount that has most, by currency.
    var places: [String: Int] = [:]

    init(name: String) { self.name = name }

    /// When two logs are held against each other for a provider (nil: for all together): by the hour, or by the day where the source
    /// writes within one hour of each day only.
    struct Slots {
        let slots: Set<Int32>
        let areDays: Bool

        init(_ hours: Set<Int32>) {
            let days = Set(hours.map(Hours.day))
            areDays = days.count == hours.count
            slots = areDays ? days : hours
        }

        func contains(_ hour: Int32) -> Bool { slots.contains(areDays ? Hours.day(hour) : hour) }
        /// Of another log's hours those that count here.
        func like(_ hours: Set<Int32>) -> Set<Int32> { areDays ? Set(hours.map(Hours.day)) : hours }
    }

    /// Half of the last decimal that it writes in a currency.
    func halfPlace(_ currency: String) -> Money {
        let places = places[currency] ?? 0
        guard places < Money.places else { return .zero }
        return Money(units: 5 * powerOfTen(Money.places - places - 1))
    }

    mutating func note(_ amount: Money, _ currency: String) {
        var (units, zeros) = (amount.units, 0)
        while zeros < Money.places, units % 10 == 0 { (units, zeros) = (units / 10, zeros + 1) }
        places[currency] = max(places[currency] ?? 0, Money.places - zeros)
    }
}
