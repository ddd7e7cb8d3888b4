/// An amount of the report's currency in units of 1e-12, so that adding is integer addition and any grouping gives one total.
///
///     Money("0.0026")! + Money("0.0001")!   // 0.0027
public struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var units: Int128

    /// The places after the point that are kept: 1e-12.
    public static let places = 12
    public static let zero = Money(units: 0)

    public init(units: Int128) { self.units = units }

    /// nil where the text is no decimal or has more than twelve places.
    public init?(_ text: some StringProtocol) {
        guard let units = ExactDecimal(text)?.units(places: Money.places) else { return nil }
        self.units = units
    }

    /// `quantity` × `rate` ÷ `per`, rounded once, half to even, to 1e-12; nil where it does not fit in 128 bits.
    ///
    ///     Money.product(of: 812, at: ExactDecimal("1.25")!, per: 1_000_000)   // 0.001015
    public static func product(of quantity: Int128, at rate: ExactDecimal, per: Int128) -> Money? {
        let (product, overflow) = quantity.multipliedReportingOverflow(by: rate.mantissa)
        guard !overflow else { return nil }
        if rate.scale <= places {
            let (scaled, overflow) = product.multipliedReportingOverflow(by: powerOfTen(places - rate.scale))
            return overflow ? nil : Money(units: dividedHalfToEven(scaled, by: per))
        }
        let (divisor, tooLarge) = per.multipliedReportingOverflow(by: powerOfTen(rate.scale - places))
        return tooLarge ? nil : Money(units: dividedHalfToEven(product, by: divisor))
    }

    /// Day `index` of `count` of a fixed cost: ⌊T(i+1)/n⌋ − ⌊Ti/n⌋, which adds up to T exactly.
    public func share(_ index: Int, of count: Int) -> Money {
        Money(units: floorDivide(units * Int128(index + 1), Int128(count)) - floorDivide(units * Int128(index), Int128(count)))
    }

    /// With all its digits and no trailing zeros: 0.0027.
    public var description: String { text(places: Money.places, trimmed: true) }

    /// Rounded half to even to a number of places, for reading: `text(places: 2)` is "12.40".
    public func text(places: Int, trimmed: Bool = false) -> String {
        let rounded = dividedHalfToEven(units, by: powerOfTen(Money.places - places))
        let digits = String(rounded.magnitude)
        let whole = digits.count > places ? String(digits.dropLast(places)) : "0"
        var fraction = String((String(repeating: "0", count: max(0, places - digits.count)) + digits).suffix(places))
        if trimmed { while fraction.hasSuffix("0") { fraction.removeLast() } }
        return (rounded < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// For sentences: to two places, or to six where two would hide a small amount.
    public var readable: String { text(places: units != 0 && units.magnitude < 100_000_000_000 ? 6 : 2) }

    public static func + (a: Money, b: Money) -> Money { Money(units: a.units + b.units) }
    public static func - (a: Money, b: Money) -> Money { Money(units: a.units - b.units) }
    public static func += (a: inout Money, b: Money) { a.units += b.units }
    public static func < (a: Money, b: Money) -> Bool { a.units < b.units }

    /// The share of this in another amount, in whole units of 10^-`places`; nil where the other is zero.
    public func ratio(to whole: Money, places: Int) -> ExactDecimal? {
        guard whole.units != 0 else { return nil }
        let (scaled, overflow) = units.multipliedReportingOverflow(by: powerOfTen(places))
        guard !overflow else { return nil }
        let sign: Int128 = whole.units < 0 ? -1 : 1
        return ExactDecimal(mantissa: dividedHalfToEven(scaled * sign, by: whole.units * sign), scale: places)
    }

    /// This amount divided among a count, rounded half to even to 1e-12.
    public func divided(by count: Int) -> Money? {
        count > 0 ? Money(units: dividedHalfToEven(units, by: Int128(count))) : nil
    }
}

/// Integer division that rounds halves to the even neighbour; the divisor is positive.
public func dividedHalfToEven(_ value: Int128, by divisor: Int128) -> Int128 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    let rest = remainder.magnitude
    let other = divisor.magnitude - rest
    if rest > other || (rest == other && quotient & 1 != 0) { return quotient + (value < 0 ? -1 : 1) }
    return quotient
}

public func powerOfTen(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<exponent { value *= 10 }
    return value
}

private func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    return remainder < 0 ? quotient - 1 : quotient
}
