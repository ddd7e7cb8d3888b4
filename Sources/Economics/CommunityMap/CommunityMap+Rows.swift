import Common

extension CommunityMap {
    /// The entries as prices, each with its place in the map: what a book made of them says.
    public func rows(knownFrom: Day, validFrom: Day, source: String) -> [PriceRow] {
        entries.flatMap { entry in
            entry.charges.compactMap { charge -> PriceRow? in
                let (counted, per): (PriceRow.Counted, UnitAmount?) =
                    switch charge.counted {
                    case .tokens(let meter): (.tokens(meter), UnitAmount(1, .token))
                    case .quantity(let word): (.quantity, UnitAmount(word))
                    }
                return per.map { per in
                    PriceRow(
                        provider: entry.provider, subject: .model(entry.names[0]), tier: charge.tier, counted: counted,
                        aboveInputTokens: charge.aboveInputTokens, bands: [PriceBand(low: charge.low, high: charge.high)],
                        currency: "USD", per: per, validFrom: validFrom, knownFrom: knownFrom, source: source, place: entry.place)
                }
            }
        }
    }
}
