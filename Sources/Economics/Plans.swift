import Common

/// What a product sells: a plan's price and what it entitles its members to.
public struct Plan: Sendable {
    public let name: String
    public let price: ExactDecimal?
    public let currency: String?
    /// Names of insights that its members get.
    public let entitles: [String]

    public static let schema = ConfigSchema(
        name: "plan",
        keys: [
            ConfigKey(name: "price", kind: "decimal", about: "What a member pays; left out where it is free."),
            ConfigKey(name: "currency", kind: "currency code", about: "What the price is in."),
            ConfigKey(name: "per", kind: "one of month and year", about: "What the price is for; by default month."),
            ConfigKey(name: "entitles", kind: "list of text", about: "The insights that members get."),
        ])

    private enum Interval: String, CaseIterable { case month, year }

    public init(name: String, _ object: ConfigObject) throws {
        self.name = name
        price = try object.optionalDecimal("price")
        currency = try object.optionalText("currency")
        entitles = try object.texts("entitles")
        _ = try object.choice("per", of: Interval.self, default: .month)
        if price != nil, currency == nil { throw object.failure("A price needs its currency. Add currency, such as \"USD\".") }
    }
}
