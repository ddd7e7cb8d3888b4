import Common

/// What is paid every month, week or year, or once, however much is used: a server, a seat, a domain.
public struct FixedCost: Sendable {
    public let name: String
    public let category: String
    public let provider: String?
    public let price: Price
    /// So many of it: seats, hosts, terabytes.
    public let quantity: ExactDecimal
    public let from: Day
    /// The last day; nil while it goes on. What is paid once has one always: the end of its stretch.
    public let to: Day?
    public let environment: String?
    public let share: Allocation?
    public let place: Place

    public enum Price: Equatable, Sendable {
        /// Looked up in the price book, so that it changes when the vendor's price does.
        case service(String, every: Every?)
        case amount(low: ExactDecimal, high: ExactDecimal, currency: String, every: Every)
    }

    /// How often it is paid.
    public enum Every: String, CaseIterable, Sendable { case day, week, month, year, once }

    public static let schema = ConfigSchema(
        name: "fixed cost",
        keys: [
            ConfigKey(name: "name", kind: "text", required: true, about: "What it is, as reports call it."),
            ConfigKey(
                name: "category", kind: "text", required: true,
                about: "The category it is added up under, such as infrastructure."),
            ConfigKey(name: "provider", kind: "text", about: "Who is paid; with service, the provider of the price book."),
            ConfigKey(
                name: "service", kind: "text",
                about: "The service of the price book whose dated price is paid; or give an amount."),
            ConfigKey(name: "amount", kind: "decimal or [low, high]", about: "What is paid, where no price book says."),
            ConfigKey(name: "currency", kind: "currency code", about: "The amount's currency; by default the job's."),
            ConfigKey(
                name: "per", kind: "one of \(listed(Every.allCases.map(\.rawValue)))",
                about:
                    "How often the amount is paid; with a service that is charged by the piece, how often the quantity is used up."
            ),
            ConfigKey(
                name: "quantity", kind: "decimal", about: "So many units of the service: seats, hosts, terabytes; by default one."
            ),
            ConfigKey(name: "from", kind: "day", required: true, about: "The first day that bears a part of it."),
            ConfigKey(
                name: "to", kind: "day",
                about: "The last day; without it the cost goes on. What is paid once is spread over these days."),
            ConfigKey(
                name: "months", kind: "whole number",
                about: "What is paid once is spread over so many months; by default its first day bears it all."),
            ConfigKey(name: "environment", kind: "text", about: "Where it is used, such as staging."),
            ConfigKey(name: "share", kind: "object with over and by", about: "How each day's part is shared out."),
        ])

    /// - Parameter currency: that of an amount that names none.
    public init(_ object: ConfigObject, _ book: PriceBook, currency: String) throws {
        (name, category) = (try object.text("name"), try object.text("category"))
        (provider, environment) = (try object.optionalText("provider"), try object.optionalText("environment"))
        place = object.place
        quantity = try object.optionalDecimal("quantity") ?? ExactDecimal(1)
        guard !quantity.isNegative else { throw object.failure("A quantity is not negative.", at: "quantity") }
        from = try object.day("from")
        price = try FixedCost.price(object, book, provider: provider, currency: currency)
        to = try FixedCost.end(object, from: from, isOnce: try FixedCost.every(price, provider: provider, book) == .once)
        share = try object.object("share", Allocation.schema).map(Allocation.init)
    }

    private static func price(_ object: ConfigObject, _ book: PriceBook, provider: String?, currency: String) throws -> Price {
        let every = try object.optionalChoice("per", of: Every.self)
        if let service = try object.optionalText("service") {
            for key in ["amount", "currency"] where object.node(key) != nil {
                throw object.failure(
                    "A service has its price in the price book. Leave \(key) out, or leave service out.", at: key)
            }
            guard let provider else {
                throw object.failure("Say whose service it is: add provider, as the price book names it.", at: "service")
            }
            let rows = book.rows.filter { $0.provider == provider && $0.subject == .service(service) }
            guard let row = rows.first else {
                throw object.failure(unknown(service, of: provider, in: book), at: "service")
            }
            // What is free by the piece is free for any quantity.
            let pieces = rows.first { recurrence($0.per.unit) == nil && $0.bands.contains { $0.high != .zero } }
            if let pieces, every == nil || object.node("quantity") == nil {
                throw object.failure(
                    "\"\(service)\" of \(provider) is charged per \(pieces.per), so a fixed cost of it needs a quantity and per: so many a month.",
                    at: "service")
            }
            if recurrence(row.per.unit) != nil, every != nil {
                throw object.failure("\"\(service)\" of \(provider) is charged per \(row.per) already. Leave per out.", at: "per")
            }
            return .service(service, every: every)
        }
        guard let node = object.node("amount") else {
            throw object.failure("A fixed cost has a service of the price book, or an amount with per. Give one of them.")
        }
        guard let every else {
            throw object.failure("Say how often the amount is paid: add per, such as \"month\".", at: "amount")
        }
        var ends = [node]
        if case .array(let items) = node.value { ends = items }
        let amounts = try ends.map { try $0.decimal("the amount") }
        guard let low = amounts.first, let high = amounts.last, amounts.count <= 2 else {
            throw node.failure("A range has two ends: [low, high].")
        }
        guard !low.isNegative, !(high < low) else {
            throw node.failure("An amount is not negative, and the low end of a range comes first. What comes in is no cost.")
        }
        let own = try object.optionalText("currency") ?? currency
        guard isCurrency(own) else {
            throw object.failure("A currency is three capital letters (ISO 4217), such as USD, not \"\(own)\".", at: "currency")
        }
        return .amount(low: low, high: high, currency: own, every: every)
    }

    private static func unknown(_ service: String, of provider: String, in book: PriceBook) -> String {
        let services = book.rows.compactMap { row -> (provider: String, name: String)? in
            if case .service(let name) = row.subject { (row.provider, name) } else { nil }
        }
        let own = Set(services.filter { $0.provider == provider }.map(\.name)).sorted()
        guard own.isEmpty else {
            return
                "The price book has no service \"\(service)\" of \(provider).\(didYouMean(service, from: own)) Its services are \(listed(own))."
        }
        let providers = Set(services.map(\.provider)).sorted()
        let known = providers.isEmpty ? "It has no services at all." : "Providers with services are \(listed(providers))."
        return
            "The price book has no service of \(provider).\(didYouMean(provider, from: providers)) \(known) Add the price, or give an amount."
    }

    private static func every(_ price: Price, provider: String?, _ book: PriceBook) throws -> Every {
        switch price {
        case .amount(_, _, _, let every): return every
        case .service(let name, let every):
            let row = book.rows.first { $0.provider == provider && $0.subject == .service(name) }
            return every ?? row.flatMap { recurrence($0.per.unit) } ?? .month
        }
    }

    private static func end(_ object: ConfigObject, from: Day, isOnce: Bool) throws -> Day? {
        let to = try object.optionalDay("to")
        if let to, to < from { throw object.failure("The cost ends on \(to), before it begins on \(from).", at: "to") }
        guard let months = try object.optionalInt("months", in: 1...1200) else { return to ?? (isOnce ? from : nil) }
        guard isOnce else {
            throw object.failure("Only what is paid once is spread over months. Leave months out.", at: "months")
        }
        guard to == nil else { throw object.failure("Give either months or to: both say where the stretch ends.", at: "months") }
        return FixedCost.day(from, plusMonths: months) - 1
    }

    /// The same day of a later month; the month's last where it has no such day.
    private static func day(_ day: Day, plusMonths months: Int) -> Day {
        let (year, month, number) = day.civil
        let index = year * 12 + month - 1 + months
        let candidates = (0...3).lazy.compactMap { Day(year: index / 12, month: index % 12 + 1, day: number - $0) }
        return candidates.first ?? day
    }

    /// How often something is paid that is charged in this unit; nil for what is charged by the piece.
    static func recurrence(_ unit: PriceUnit) -> Every? {
        switch unit {
        case .month, .seatMonth, .hostMonth, .replicaMonth, .gigabyteMonth, .gibibyteMonth, .terabyteMonth: .month
        case .year: .year
        case .once: .once
        default: nil
        }
    }

    /// Everything that can change a cost.
    var definition: String {
        let days = "\(from)…\(to?.description ?? "")"
        return
            "\(name)|\(category)|\(provider ?? "")|\(price)|\(quantity)|\(days)|\(environment ?? "")|\(share?.definition ?? "")"
    }

    func holds(on day: Day) -> Bool { from <= day && day <= to ?? day }
}

extension [FixedCost] {
    /// One thing listed twice for one day would be paid twice.
    public func refuseDoubles() throws {
        for (index, cost) in enumerated() {
            for other in self[..<index]
            where (other.name, other.environment, other.provider) == (cost.name, cost.environment, cost.provider)
                && cost.from <= other.to ?? cost.from && other.from <= cost.to ?? other.from
            {
                throw Failure(
                    "\"\(cost.name)\" stands at \(other.place) already, for some of the same days. End the earlier one with \"to\", or give one of them a name of its own.",
                    at: cost.place, kind: .usage)
            }
        }
    }
}

/// How long a month is, where an amount of a month is divided by its days.
public enum MonthLength: String, CaseIterable, Sendable {
    /// As many days as it has.
    case calendar
    /// 30, whatever the calendar says: a month of 31 days then bears 31 thirtieths.
    case thirtyDays = "30 days"

    func days(ofMonthWith day: Day) -> Int {
        guard self == .calendar else { return 30 }
        let first = day - (day.civil.day - 1)
        let next = first + 31
        return next - (next.civil.day - 1) - first
    }
}
