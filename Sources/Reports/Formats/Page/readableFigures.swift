import Common
import Economics

/// For reading: two places from 1 on, below that four significant digits up to the sixth place. What is too small for that is
/// "<0.000001", never zero.
///
///     readable(Money("1234.5")!)      // 1,234.50
///     readable(Money("0.00261348")!)  // 0.002613
func readable(_ money: Money) -> String {
    let size = money.units.magnitude
    guard size > 0 else { return "0.00" }
    // Rounding may reach the next digit: 0.99996 is 1.00.
    let rounded = Money(money.text(places: readingPlaces(size)))?.units.magnitude ?? size
    let text = Money(units: Int128(clamping: size)).text(places: readingPlaces(rounded))
    if text.utf8.allSatisfy({ $0 == 0x30 || $0 == 0x2e }) { return money.units < 0 ? ">−0.000001" : "<0.000001" }
    let whole = text.prefix { $0 != "." }
    var fraction = text.dropFirst(whole.count + 1)
    // Zeros at the end are dropped where the amount has no more digits; else they say how exactly it is shown.
    let isExact = rounded == size
    while isExact, fraction.utf8.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(money.units < 0 ? "−" : "")\(grouped(Int128(whole) ?? 0)).\(fraction)"
}

private func readingPlaces(_ size: UInt128) -> Int {
    let one: UInt128 = 1_000_000_000_000
    return size >= one ? 2 : size >= one / 10 ? 4 : size >= one / 100 ? 5 : 6
}

/// "12.40", "11.20–13.90" for a range, and "at least" before it while some requests have no known price.
func readable(_ cost: Cost) -> String { (cost.isComplete ? "" : "at least ") + amount(cost) }

private func amount(_ cost: Cost) -> String {
    let (low, high) = (readable(cost.low), readable(cost.high))
    return low == high ? low : "\(low)–\(high)"
}

/// A share as a percentage with at most two places. It reads 0 % or 100 % only when it is exactly that.
func readable(share: ExactDecimal) -> String {
    let (value, isExact) = hundredths(ofPercent: share)
    if !isExact, value == 0 { return share.isNegative ? ">−0.01\u{a0}%" : "<0.01\u{a0}%" }
    if !isExact, value == 10_000 { return share < ExactDecimal(1) ? ">99.99\u{a0}%" : ">100\u{a0}%" }
    return trimmedHundredths(value) + "\u{a0}%"
}

/// In units of 1e-4 of one, rounded half to even, and whether nothing was lost by that.
private func hundredths(ofPercent share: ExactDecimal) -> (value: Int128, isExact: Bool) {
    if let exact = share.units(places: 4) { return (exact, true) }
    guard share.scale > 4 else { return (share.isNegative ? Int128.min + 1 : Int128.max, false) }
    let divisor = (4..<share.scale).reduce(Int128(1)) { power, _ in power * 10 }
    return (dividedHalfToEven(share.mantissa, by: divisor), false)
}

private func trimmedHundredths(_ value: Int128) -> String {
    let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: 100)
    let places = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : "." + padded(Int(rest), 2)
    return (value < 0 ? "−" : "") + grouped(whole) + places
}

/// By how much a figure changed, as "+9.6 %", or in points for shares; nil unless both are known exactly and the first is not zero.
func change(from old: Figure, to new: Figure) -> String? {
    if case .share(let a) = old, case .share(let b) = new {
        let (points, overflow) = hundredths(ofPercent: b).value.subtractingReportingOverflow(hundredths(ofPercent: a).value)
        if overflow { return nil }
        return points == 0 ? "no change" : "\(points > 0 ? "+" : "")\(trimmedHundredths(points)) points"
    }
    guard let a = exactUnits(old), let b = exactUnits(new), a.kind == b.kind, a.units > 0 else { return nil }
    if a.units == b.units { return "no change" }
    let (difference, tooLarge) = b.units.subtractingReportingOverflow(a.units)
    let (scaled, overflow) = difference.multipliedReportingOverflow(by: 1000)
    guard !tooLarge, !overflow else { return nil }
    let tenths = dividedHalfToEven(scaled, by: a.units)
    let sign = tenths == 0 ? "±" : tenths > 0 ? "+" : "−"
    return "\(sign)\(grouped(tenths.magnitude / 10)).\(tenths.magnitude % 10)\u{a0}%"
}

private func exactUnits(_ figure: Figure) -> (kind: Int, units: Int128)? {
    switch figure {
    case .count(let count): (0, Int128(count))
    case .money(let money): (1, money.units)
    case .cost(let cost): cost.isComplete && cost.low == cost.high ? (1, cost.low.units) : nil
    case .text, .share, .unknown: nil
    }
}

// MARK: - In a page

/// A figure as it stands in a page; of an unknown one only that it is unknown, for the reason stands elsewhere.
func figure(_ figure: Figure, currency: String) -> Markup {
    switch figure {
    case .text(let text): "<bdi>\(text)</bdi>"
    case .count(let count): "\(grouped(count))"
    case .money(let money): #"<span title="\#(money.description) \#(currency)">\#(readable(money))</span>"#
    case .cost(let cost):
        cost.isComplete
            ? #"<span title="\#(exact(cost, currency: currency))">\#(amount(cost))</span>"#
            : #"<span title="\#(exact(cost, currency: currency))"><span class="least">at least</span> \#(amount(cost))</span>"#
    case .share(let share): #"<span title="\#(share.description)">\#(readable(share: share))</span>"#
    case .unknown: #"<span class="unknown">not known</span>"#
    }
}

/// All digits of a cost, and what it leaves out.
func exact(_ cost: Cost, currency: String) -> String {
    let amount = cost.low == cost.high ? cost.low.description : "\(cost.low)–\(cost.high)"
    guard !cost.isComplete else { return "\(amount) \(currency)" }
    let requests = counted(cost.unpricedRequests, "request")
    return "at least \(amount) \(currency): \(requests) (\(grouped(cost.unpricedTokens)) tokens) without a known price"
}

extension Figure {
    var isNumber: Bool {
        switch self {
        case .count, .cost, .money, .share: true
        case .text, .unknown: false
        }
    }
    var isMoney: Bool {
        switch self {
        case .cost, .money: true
        case .text, .count, .share, .unknown: false
        }
    }
}
