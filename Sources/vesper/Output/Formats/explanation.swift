import Common
import Economics

// MARK: - For people

/// A figure from its sum down to the calls, for people.
func readable(_ told: Explanation, job: String) -> String {
    var lines = [heading(told, job), "  cost \(told.currency)  \(shown(told.cost))", "  requests  \(grouped(told.requests))"]
    for (meter, count) in zip(Meter.allCases, told.tokens) where count > 0 {
        lines.append("  \(meter.column)  \(grouped(count))")
    }
    for (unit, quantity) in told.quantities {
        lines.append("  quantity  \(separated(Money(units: quantity).description)) \(unit.isEmpty ? "(no unit)" : visible(unit))")
    }
    if told.cost.shadowHigh > .zero {
        lines.append("  not charged yet, else  \(span(told.cost.shadowLow, told.cost.shadowHigh))")
    }
    for filter in told.filters where filter.values != [filter.asked] {
        lines.append(
            "  \(filter.dimension)=\(visible(filter.asked)) is the book's name for \(listed(filter.values.map(visible)))")
    }
    lines += section("Prices", prices(told))
    let sum = told.prices.filter { !$0.row.isMocked }
    if sum.count > 1 {
        let (low, high) = (sum.reduce(.zero) { $0 + $1.low }, sum.reduce(.zero) { $0 + $1.high })
        lines.append("  together = \(span(low, high))")
    }
    lines += section("Without a price: unknown, not zero", told.unpriced.map(line))
    lines += section("Looked up", told.lookups.map(line))
    lines += section(
        "Parts of the lake",
        told.parts.map { "\($0.path): \(grouped($0.rows)) of its \(counted($0.of, "row"))" })
    lines += section(
        "Source files", told.files.map { "\(visible($0.source)) \(visible($0.file)): \(counted($0.rows, "record"))" })
    lines += section("The first records", told.records.flatMap { entry($0, told) })
    return lines.joined(separator: "\n") + "\n"
}

private func heading(_ told: Explanation, _ job: String) -> String {
    ([job, told.period.description]
        + told.filters.map { "\($0.dimension)=\($0.asked.isEmpty ? "(not said)" : visible($0.asked))" }).joined(separator: ", ")
}

private func section(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["", title] + lines.map { "  " + $0 }
}

private func shown(_ cost: Cost) -> String {
    cost.isComplete
        ? span(cost.low, cost.high)
        : "≥ \(separated(cost.low.description)), for \(counted(cost.unpricedRequests, "request")) "
            + "with \(grouped(cost.unpricedTokens)) tokens without a price"
}

private func span(_ low: Money, _ high: Money) -> String {
    low == high ? separated(low.description) : "\(separated(low.description)) – \(separated(high.description))"
}

/// Prices of one model that are written in one place stand under one heading.
private func prices(_ told: Explanation) -> [String] {
    var lines: [String] = []
    var last: [String] = []
    for (index, use) in told.prices.enumerated() {
        let heading = heading(use, told.currency)
        if heading != last { lines += heading }
        last = heading
        lines += entry(use, number: index + 1, told.currency)
    }
    return lines
}

private func heading(_ use: PriceUse, _ currency: String) -> [String] {
    let row = use.row
    var name = "\(visible(row.provider)) \(visible(row.subject.description)), \(visible(row.tier))"
    if row.aboveInputTokens >= 0 { name += ", above \(grouped(row.aboveInputTokens)) tokens of input" }
    name += ": valid from \(row.validFrom)" + (row.validTo.map { " to \($0)" } ?? " on") + ", known since \(row.knownFrom)"
    if row.revision > 0 { name += ", revision \(row.revision)" }
    if row.isApproximate { name += ", approximate" }
    var lines = [name, "  source: \(visible(row.source))"]
    if use.models != [row.subject.description], !use.models.isEmpty {
        lines.append("  calls say \(listed(use.models.map(visible)))")
    }
    if row.currency != currency { lines.append("  one \(row.currency) is \(factor(use.exchange)) \(currency)") }
    return lines
}

private func entry(_ use: PriceUse, number: Int, _ currency: String) -> [String] {
    let row = use.row
    let rate = use.rates.low == use.rates.high ? "\(use.rates.low)" : "\(use.rates.low) – \(use.rates.high)"
    var name = "  \(number). \(row.counted): \(rate) \(row.currency) per \(row.per)"
    if row.bands.count > 1 { name += ", from \(row.bands[use.band].from) \(row.per.unit.plural) of a month on" }
    if let increment = row.increment { name += ", in whole steps of \(increment)" }
    if row.isMocked { name += ", not charged yet" }
    var lines = [name + " (\(row.place))", arithmetic(use, use.rates.low, use.low, use.lowArithmetic, currency)]
    if use.rates.low != use.rates.high { lines.append(arithmetic(use, use.rates.high, use.high, use.highArithmetic, currency)) }
    return lines
}

/// `153 calls: 45,000 tokens × 1 ÷ 1,000,000 = 0.045`
private func arithmetic(
    _ use: PriceUse, _ rate: ExactDecimal, _ sum: Money, _ worked: PriceUse.Arithmetic?, _ currency: String
) -> String {
    let (count, unit, per) = use.counted
    var text = "     \(counted(use.calls, "call")): \(separated(count.description)) \(unit.plural) × \(rate)"
    if per != 1 { text += " ÷ \(grouped(per))" }
    if use.row.currency != currency { text += " × \(factor(use.exchange))" }
    guard let worked else { return text + " = \(separated(sum.description))" }
    text += " = \(separated(worked.product.description))"
    guard worked.rounding != .zero else { return text }
    return text + "; rounded call by call \(separated(sum.description)), by \(worked.rounding)"
}

private func factor(_ exchange: Fraction) -> String {
    var (top, scale) = (exchange.numerator, 0)
    while top % exchange.denominator != 0, scale < 18 { (top, scale) = (top * 10, scale + 1) }
    return top % exchange.denominator == 0
        ? ExactDecimal(mantissa: top / exchange.denominator, scale: scale)?.description ?? ""
        : "\(exchange.numerator) ÷ \(exchange.denominator)"
}

private func line(_ use: UnpricedUse) -> String {
    let name = [use.provider, use.model, use.tier].map { $0.map(visible) ?? "-" }.joined(separator: " ")
    let amount =
        switch use.what {
        case "nothing": ""
        case "quantity": " of \(separated(Money(units: use.quantity).description))"
        default: " of \(grouped(use.tokens)) tokens"
        }
    return "\(name), \(use.what)\(amount) in \(counted(use.requests, "request")): \(visible(use.reason))."
}

private func line(_ use: Explanation.LookupUse) -> String {
    var parts: [String] = []
    if use.said > 0 { parts.append("\(counted(use.said, "call")) \(use.said == 1 ? "says" : "say") it") }
    if use.found > 0 { parts.append("for \(counted(use.found, "call")) it was found") }
    if use.missing > 0 { parts.append("for \(counted(use.missing, "call")) nothing was found") }
    return "\(use.column): \(listed(parts)); it is the \(visible(use.rule))."
}

private func entry(_ record: ExplainedRecord, _ told: Explanation) -> [String] {
    let counts = zip(Meter.allCases, record.tokens).compactMap { meter, count in count.map { "\(meter.rawValue) \(grouped($0))" }
    }
    let quantity = record.quantity.map { ["\(separated(Money(units: $0).description)) \(visible(record.unit ?? ""))"] } ?? []
    var lines = [
        "\(visible(record.file)):\(record.record) (\(visible(record.source))) \(record.time)",
        "   \(visible(record.provider ?? "-")) \(visible(record.model ?? "-")) \(visible(record.tier ?? "standard")): "
            + (counts + quantity).joined(separator: ", ")
            + (record.above >= 0 ? "; input of \(grouped(record.input)) is above \(grouped(record.above))" : ""),
    ]
    lines += record.atoms.map { atom in
        let use = told.prices[atom.price]
        let one = use.one(atom)
        let worked = arithmetic(one, use.rates.low, atom.low, one.lowArithmetic, told.currency)
        let text = worked.replacing("     1 call: ", with: "   price \(atom.price + 1): ")
        return atom.low == atom.high ? text : text + " – \(separated(atom.high.description))"
    }
    lines += record.unpriced.map { "   without a price, \($0.what): \(visible($0.reason))" }
    return lines
}

// MARK: - For programs

extension Explanation {
    /// One object; money, rates and quantities are texts that keep every digit.
    func json(job: String) -> JSON {
        .fields([
            "schema": .string("vesper.explanation/1"), "job": .string(job),
            "from": .string("\(period.first)"), "to": .string("\(period.last)"),
            "selection": .array(
                filters.map {
                    .fields([
                        "dimension": .string($0.dimension), "value": .string($0.asked),
                        "values": .array($0.values.map(JSON.string)),
                    ])
                }),
            "currency": .string(currency), "figure": figure, "prices": .array(prices.map(object)),
            "unpriced": .array(unpriced.map(object)),
            "lookups": .array(
                lookups.map {
                    .fields([
                        "column": .string($0.column), "said": .int($0.said), "found": .int($0.found), "missing": .int($0.missing),
                        "rule": .string($0.rule),
                    ])
                }),
            "parts": .array(
                parts.map {
                    .fields(["path": .string($0.path), "day": .string("\($0.day)"), "rows": .int($0.rows), "of": .int($0.of)])
                }),
            "files": .array(
                files.map { .fields(["source": .string($0.source), "file": .string($0.file), "rows": .int($0.rows)]) }),
            "records": .array(records.map(object)),
        ])
    }

    private var figure: JSON {
        .fields([
            "low": .string(cost.low.description), "high": .string(cost.high.description), "is_complete": .bool(cost.isComplete),
            "requests": .int(requests), "unpriced_requests": .int(cost.unpricedRequests),
            "unpriced_tokens": .int(cost.unpricedTokens), "shadow_low": .string(cost.shadowLow.description),
            "shadow_high": .string(cost.shadowHigh.description),
            "tokens": .object(zip(Meter.allCases, tokens).map { JSON.Member($0.rawValue, .int($1)) }),
            "quantities": .object(quantities.map { JSON.Member($0.unit, .string(Money(units: $0.quantity).description)) }),
        ])
    }

    private func object(_ use: PriceUse) -> JSON {
        let row = use.row
        let (count, unit, per) = use.counted
        func range(_ low: String?, _ high: String?) -> JSON { .fields(["low": .optional(low), "high": .optional(high)]) }
        return .fields([
            "provider": .string(row.provider), "model": .string(row.subject.description),
            "models_of_calls": .array(use.models.map(JSON.string)), "tier": .string(row.tier),
            "counted": .string(row.counted.description),
            "above_input_tokens": row.aboveInputTokens < 0 ? .null : .int(row.aboveInputTokens),
            "band_from": row.bands.count > 1 ? .string(row.bands[use.band].from.description) : .null,
            "rate": range(use.rates.low.description, use.rates.high.description), "per": .string(row.per.description),
            "increment": .optional(row.increment?.description), "currency": .string(row.currency),
            "exchange": .fields([
                "numerator": .string("\(use.exchange.numerator)"), "denominator": .string("\(use.exchange.denominator)"),
            ]),
            "is_mocked": .bool(row.isMocked), "is_approximate": .bool(row.isApproximate),
            "valid_from": .string("\(row.validFrom)"), "valid_to": .optional(row.validTo.map { "\($0)" }),
            "known_from": .string("\(row.knownFrom)"), "revision": .int(row.revision), "source": .string(row.source),
            "place": .string("\(row.place)"), "calls": .int(use.calls), "count": .string(count.description),
            "unit": .string(unit.rawValue), "per_count": .string("\(per)"),
            "product": range(use.lowArithmetic?.product.description, use.highArithmetic?.product.description),
            "rounding": range(use.lowArithmetic?.rounding.description, use.highArithmetic?.rounding.description),
            "sum": range(use.low.description, use.high.description),
        ])
    }

    private func object(_ use: UnpricedUse) -> JSON {
        .fields([
            "provider": .optional(use.provider), "model": .optional(use.model), "tier": .optional(use.tier),
            "what": .string(use.what), "requests": .int(use.requests), "tokens": .int(use.tokens),
            "quantity": .string(Money(units: use.quantity).description), "reason": .string(use.reason),
        ])
    }

    private func object(_ record: ExplainedRecord) -> JSON {
        .fields([
            "source": .string(record.source), "file": .string(record.file), "record": .int(record.record),
            "ts": .string("\(record.time)"), "provider": .optional(record.provider), "model": .optional(record.model),
            "tier": .optional(record.tier),
            "tokens": .object(zip(Meter.allCases, record.tokens).map { JSON.Member($0.rawValue, $1.map { .int($0) } ?? .null) }),
            "quantity": .optional(record.quantity.map { Money(units: $0).description }), "unit": .optional(record.unit),
            "input": .int(record.input), "above_input_tokens": record.above < 0 ? .null : .int(record.above),
            "atoms": .array(
                record.atoms.map { atom in
                    let one = prices[atom.price].one(atom)
                    return .fields([
                        "price": .int(atom.price), "count": .string(one.counted.count.description),
                        "unit": .string(one.counted.unit.rawValue), "low": .string(atom.low.description),
                        "high": .string(atom.high.description),
                    ])
                }), "unpriced": .array(record.unpriced.map(object)),
        ])
    }

    /// The prices as rows: what a spreadsheet takes.
    var priceTable: Table {
        let columns: [Table.Column] =
            [
                "provider", "model", "tier", "counted", "above_input_tokens", "rate_low", "rate_high", "per", "currency",
                "valid_from",
            ]
            .map { .init($0, $0) }
            + ["valid_to", "known_from", "source", "place", "calls", "count", "unit", "sum_low", "sum_high"].map { .init($0, $0) }
        let rows = prices.map { use -> [Table.Cell] in
            let row = use.row
            var cells: [Table.Cell] = [
                .text(row.provider), .text(row.subject.description), .text(row.tier), .text("\(row.counted)"),
            ]
            cells += [row.aboveInputTokens < 0 ? .blank : .int(Int(row.aboveInputTokens))]
            cells += [.decimal(use.rates.low), .decimal(use.rates.high), .text("\(row.per)"), .text(row.currency)]
            cells += [.text("\(row.validFrom)"), row.validTo.map { .text("\($0)") } ?? .blank, .text("\(row.knownFrom)")]
            cells += [.text(row.source), .text("\(row.place)"), .int(use.calls), .decimal(use.counted.count)]
            cells += [.text(use.counted.unit.rawValue), .money(use.low), .money(use.high)]
            return cells
        }
        return Table(name: "explanation", columns: columns, rows: rows)
    }
}
