import Common

extension CommunityMap {
    /// The entries as a price book file (JSON5), byte for byte the same for the same map and choice.
    ///
    /// `source` says where the map is from; the page that an entry names stands behind it.
    public func bookText(knownFrom: Day, validFrom: Day, source: String, provider renamed: String? = nil) -> String {
        var out = "// \(commented(source)): what it says, digit for digit. Made by vesper prices import.\n"
        out += "{\n  currency: \"USD\",\n  prices: [\n"
        for entry in entries {
            var charges = entry.charges[...]
            while let first = charges.first {
                // The rates of one tier and threshold are one entry; a price by quantity is one of its own.
                let rest = charges.dropFirst().prefix {
                    !first.isQuantity && !$0.isQuantity && $0.tier == first.tier && $0.aboveInputTokens == first.aboveInputTokens
                }
                let own = [first] + rest
                charges = charges.dropFirst(own.count)
                let models = entry.names.map(JSON.string)
                var head = "provider: \(JSON.string(renamed ?? entry.provider).text), "
                head += "model: \(models.count == 1 ? models[0].text : "[\(models.map(\.text).joined(separator: ", "))]")"
                if first.tier != "standard" { head += ", tier: \(JSON.string(first.tier).text)" }
                if first.aboveInputTokens >= 0 { head += ", above_input_tokens: \(first.aboveInputTokens)" }
                let page = entry.page.map { " (\($0))" } ?? ""
                out += "    {\n      \(head),\n      \(rates(own)),\n"
                out += "      valid_from: \"\(validFrom)\", known_from: \"\(knownFrom)\",\n"
                out += "      source: \(JSON.string("\(source), \(entry.names[0])\(page)").text),\n    },\n"
            }
        }
        return out + "  ],\n}\n"
    }

    /// Rates of tokens per million, by moving the point: the digits stay.
    private func rates(_ charges: [Charge]) -> String {
        if case .quantity(let unit)? = charges.first?.counted {
            return "rate: \(rate(charges[0].low, charges[0].high)), per: \"\(unit)\""
        }
        let rates = charges.compactMap { charge -> String? in
            guard case .tokens(let meter) = charge.counted, let low = perMillion(charge.low), let high = perMillion(charge.high)
            else { return nil }
            return "\(meter.rawValue): \(rate(low, high))"
        }
        return "rates: { \(rates.joined(separator: ", ")) }, per: \"1M tokens\""
    }

    private func perMillion(_ rate: ExactDecimal) -> ExactDecimal? { rate.multiplied(by: ExactDecimal(1_000_000)) }

    private func rate(_ low: ExactDecimal, _ high: ExactDecimal) -> String {
        low == high ? "\"\(low)\"" : "[\"\(low)\", \"\(high)\"]"
    }

    /// What stands in a comment ends with its line.
    private func commented(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}

extension CommunityMap.Charge {
    fileprivate var isQuantity: Bool { if case .quantity = counted { true } else { false } }
}
