import Common

/// Prices of many vendors, as the LiteLLM community keeps them in one JSON file (model_prices_and_context_window.json): the entries
/// that were asked for, and what became of each of their cost keys.
public struct CommunityMap: Sendable {
    public let entries: [Entry]
    /// Every cost key of these entries, by name.
    public let keys: [KeyUse]

    /// One model as a provider sells it.
    public struct Entry: Sendable {
        /// The map's own name first, then others under which logs may know it.
        public let names: [String]
        public let provider: String
        public let charges: [Charge]
        /// The page that the map names as its source.
        public let page: String?
        public let place: Place
    }

    /// A rate for one token or one of a unit; a range where it depends on what the usage log does not tell.
    public struct Charge: Equatable, Sendable {
        public enum Counted: Hashable, Sendable {
            case tokens(Meter)
            /// The unit's word in price books.
            case quantity(String)
        }

        public let counted: Counted
        public let tier: String
        /// -1 without a threshold.
        public let aboveInputTokens: Int64
        public let low: ExactDecimal
        public let high: ExactDecimal

        /// Standard rates first, then the other tiers by name; within one from the lowest threshold up, tokens by meter before quantities.
        var order: (String, Int64, Int, String) {
            let tier = tier == "standard" ? "" : tier
            switch counted {
            case .tokens(let meter): return (tier, aboveInputTokens, Meter.allCases.firstIndex(of: meter) ?? 0, "")
            case .quantity(let unit): return (tier, aboveInputTokens, Meter.allCases.count, unit)
            }
        }
    }

    /// What became of a key: of so many entries that bear it, one of them by name.
    public struct KeyUse: Equatable, Sendable {
        public enum State: String, Sendable {
            /// It is a rate of the book.
            case priced
            /// It repeats a rate that stands beside it.
            case same = "same charge"
            case notApplied = "not applied"
            case unknown = "not understood"
        }

        public let key: String
        public let state: State
        /// Why it is not applied; what a rate prices.
        public let reason: String
        public let entries: Int
        public let example: String
    }
}

/// Which entries of the map are meant.
public struct CommunityChoice: Sendable {
    /// Providers as the map names them; a * at the end stands for any end.
    public let providers: [String]
    /// Names of models, likewise; empty for all.
    public let models: [String]

    public init(providers: [String], models: [String] = []) { (self.providers, self.models) = (providers, models) }

    func holds(provider: String) -> Bool { providers.contains { fits(provider, $0) } }
    func holds(model names: [String]) -> Bool {
        models.isEmpty || models.contains { pattern in names.contains { fits($0, pattern) } }
    }

    private func fits(_ name: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
}
