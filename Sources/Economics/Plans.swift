import Common

/// What a product sells: a plan's prices, what it includes and what it entitles its members to.
public struct Plan: Sendable {
    public let name: String
    /// What it costs by currency, interval and time, and what its add-ons cost; empty where it is free or negotiated.
    public let prices: [PlanPrice]
    /// For how many of what a plan counts it is meant, such as children; nil where it is for anybody.
    public let size: Spread?
    /// What members may do: a number, a word, or true and false, as written.
    public let includes: [PriceRow.Label]
    /// Names of insights that its members get.
    public let entitles: [String]

    public static let schema = ConfigSchema(
        name: "plan",
        keys: [
            ConfigKey(
                name: "price", kind: "decimal",
                about: "What a member pays; left out where it is free or there are several prices."),
            ConfigKey(name: "currency", kind: "currency code", about: "What the price is in."),
            ConfigKey(name: "per", kind: "one of month and year", about: "What the price is for; by default month."),
            ConfigKey(
                name: "prices", kind: "list of plan prices",
                about: "Instead of one price: one for each currency, interval and time."),
            ConfigKey(
                name: "size", kind: "[least, most] or [least, null]",
                about: "For how many of what the product counts, such as children, the plan is; both ends belong to it."),
            ConfigKey(
                name: "includes", kind: "object: name → text, number, true or false",
                about: "What members may do, and how much of it."),
            ConfigKey(name: "entitles", kind: "list of text", about: "The insights that members get."),
        ])

    public init(name: String, _ object: ConfigObject) throws {
        self.name = name
        size = try object.node("size").map { try Spread($0, "\"size\" in plan") }
        includes = try object.named("includes").map { name, _, node in
            switch node.value {
            case .string(let text), .number(let text): .init(name: name, text: text)
            case .bool(let flag): .init(name: name, text: String(flag))
            default: throw node.failure("What a plan includes is text, a number, true or false.")
            }
        }
        entitles = try object.texts("entitles")
        var prices = try object.objects("prices", PlanPrice.schema).map { try PlanPrice($0) }
        let interval = try object.choice("per", of: PlanPrice.Interval.self, default: .month)
        if let price = object.node("price") {
            guard prices.isEmpty else { throw object.failure("A plan has either a price or prices.", at: "price") }
            guard let currency = try object.optionalText("currency") else {
                throw object.failure("A price needs its currency. Add currency, such as \"USD\".")
            }
            prices = [PlanPrice(amount: try PlanPrice.amount(price), currency: currency, interval: interval)]
        }
        self.prices = prices
    }

    /// The price in a currency on a day, by the month or the year; nil where the plan has none.
    public func price(
        _ interval: PlanPrice.Interval = .month, currency: String, on day: Day? = nil, for addOn: String? = nil,
        each: String? = nil
    ) -> PlanPrice? {
        prices.last { price in
            price.interval == interval && price.currency == currency && price.addOn == addOn && price.each == each
                && (day.map { price.holds(on: $0) } ?? (price.to == nil))
        }
    }
}

/// One price of a plan, or of something that can be had on top.
public struct PlanPrice: Sendable {
    public enum Interval: String, CaseIterable, Sendable {
        case month, year

        /// How many months one payment is for.
        public var months: Int128 { self == .month ? 1 : 12 }
    }

    public let amount: Spread
    public let currency: String
    public let interval: Interval
    /// What can be had on top of the plan; nil for the plan itself.
    public let addOn: String?
    /// What it is multiplied by, such as children; nil where it is one sum.
    public let each: String?
    public let from: Day?
    public let to: Day?

    public static let schema = ConfigSchema(
        name: "plan price",
        keys: [
            ConfigKey(name: "price", kind: "decimal or [low, high]", required: true, about: "What is paid."),
            ConfigKey(name: "currency", kind: "currency code", required: true, about: "What the price is in."),
            ConfigKey(name: "per", kind: "one of month and year", about: "What the price is for; by default month."),
            ConfigKey(name: "for", kind: "text", about: "What can be had on top, such as ai_pack; by default the plan itself."),
            ConfigKey(name: "each", kind: "text", about: "What the price is multiplied by, such as child."),
            ConfigKey(name: "from", kind: "day", about: "The first day on which it is asked."),
            ConfigKey(name: "to", kind: "day", about: "The last day on which it is asked."),
        ])

    init(
        amount: Spread, currency: String, interval: Interval, addOn: String? = nil, each: String? = nil, from: Day? = nil,
        to: Day? = nil
    ) {
        (self.amount, self.currency, self.interval) = (amount, currency, interval)
        (self.addOn, self.each, self.from, self.to) = (addOn, each, from, to)
    }

    init(_ object: ConfigObject) throws {
        guard let price = object.node("price") else { throw object.failure("A price is missing.") }
        self.init(
            amount: try PlanPrice.amount(price), currency: try object.text("currency"),
            interval: try object.choice("per", of: Interval.self, default: .month), addOn: try object.optionalText("for"),
            each: try object.optionalText("each"), from: try object.optionalDay("from"), to: try object.optionalDay("to"))
        if let from, let to, to < from { throw object.failure("The price ends on \(to), before it begins on \(from).", at: "to") }
    }

    fileprivate static func amount(_ node: ConfigNode) throws -> Spread {
        let amount = try Spread(node, "a plan's price")
        guard amount.low >= .zero else { throw node.failure("A price is not negative.") }
        return amount
    }

    public func holds(on day: Day) -> Bool { from ?? day <= day && day <= to ?? day }

    /// What it comes to in a month: a twelfth of what is paid by the year.
    public func monthly() throws -> Spread { try amount / Spread(Fraction(interval.months)) }
}
