import Common

extension CommunityMap {
    /// The entries as prices, each with its place in the map: what a book made of them says.
    func rows(knownFrom: Day, validFrom: Day, source: String, provider: String? = nil) -> [PriceRow] {
        entries.filter { $0.provider == provider ?? $0.provider }.flatMap { entry in
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

    /// Rates that are far off their neighbours, which are all of one provider: so one provider after the other.
    public func unusual(on day: Day) -> [UnusualPrice] {
        Set(entries.map(\.provider)).sorted().flatMap { provider in
            unusualPrices(rows(knownFrom: day, validFrom: day, source: "", provider: provider), in: PriceBook([]))
        }
    }
}
