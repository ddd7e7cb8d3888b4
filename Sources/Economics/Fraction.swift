import Common

/// An exact quotient in lowest terms: what stands between the data and the one rounding of an atom.
///
///     try Fraction(93_061_785_600, over: 1_000_000_000) * Fraction(1, over: 31)   // GB-months of one day
public struct Fraction: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let numerator: Int128
    /// Greater than zero.
    public let denominator: Int128

    public static let zero = Fraction(0)
    public static let one = Fraction(1)

    public init(_ whole: Int128) { (numerator, denominator) = (whole, 1) }

    /// - Parameter over: greater than zero.
    public init(_ numerator: Int128, over denominator: Int128) {
        precondition(denominator > 0, "a fraction of nothing")
        let common = Fraction.commonDivisor(numerator, denominator)
        (self.numerator, self.denominator) = (numerator / common, denominator / common)
    }

    public init(_ decimal: ExactDecimal) { self.init(decimal.mantissa, over: powerOfTen(decimal.scale)) }

    /// Of units of 1e-12, as money and decimal columns are kept.
    public init(units: Int128) { self.init(units, over: powerOfTen(Money.places)) }

    /// Thrown where 128 bits are not enough; whoever computes says with what.
    struct TooLarge: Error {}

    public static func * (a: Fraction, b: Fraction) throws -> Fraction {
        // Divided across before multiplying, so that only a result that is too large is refused.
        let (one, other) = (commonDivisor(a.numerator, b.denominator), commonDivisor(b.numerator, a.denominator))
        return Fraction(
            try product(a.numerator / one, b.numerator / other), over: try product(a.denominator / other, b.denominator / one))
    }

    public static func / (a: Fraction, b: Fraction) throws -> Fraction {
        precondition(b.numerator > 0, "divided by nothing")
        return try a * Fraction(b.denominator, over: b.numerator)
    }

    public static func + (a: Fraction, b: Fraction) throws -> Fraction {
        let common = commonDivisor(a.denominator, b.denominator)
        let (left, right) = (
            try product(a.numerator, b.denominator / common), try product(b.numerator, a.denominator / common)
        )
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow else { throw TooLarge() }
        return Fraction(sum, over: try product(a.denominator / common, b.denominator))
    }

    public static func - (a: Fraction, b: Fraction) throws -> Fraction {
        try a + Fraction(-b.numerator, over: b.denominator)
    }

    public static func < (a: Fraction, b: Fraction) -> Bool {
        let left = a.numerator.multipliedFullWidth(by: b.denominator)
        let right = b.numerator.multipliedFullWidth(by: a.denominator)
        return (left.high, left.low) < (right.high, right.low)
    }

    public var isWhole: Bool { denominator == 1 }

    /// In units of 1e-12, rounded half to even: the one rounding.
    public func units() throws -> Int128 { try times(powerOfTen(Money.places)) }

    /// So many times it, at least none, rounded half to even to a whole number.
    func times(_ count: Int128) throws -> Int128 {
        if isWhole {
            let (product, overflow) = numerator.multipliedReportingOverflow(by: count)
            guard !overflow else { throw TooLarge() }
            return product
        }
        let scaled = numerator.magnitude.multipliedFullWidth(by: count.magnitude)
        guard scaled.high < denominator.magnitude else { throw TooLarge() }
        var (units, rest) = denominator.magnitude.dividingFullWidth(scaled)
        let other = denominator.magnitude - rest
        if rest > other || (rest == other && units & 1 != 0) { units += 1 }
        guard let whole = Int128(exactly: units) else { throw TooLarge() }
        return numerator < 0 ? -whole : whole
    }

    /// As many digits as there are, up to twelve places; further ones are rounded.
    public var description: String { (try? units()).map { "\(Money(units: $0))" } ?? "\(numerator)/\(denominator)" }

    private static func product(_ a: Int128, _ b: Int128) throws -> Int128 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        guard !overflow else { throw TooLarge() }
        return product
    }

    private static func commonDivisor(_ a: Int128, _ b: Int128) -> Int128 {
        var (a, b) = (a.magnitude, b.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        return max(1, Int128(a))
    }

}

/// ⌊amount × part ÷ whole⌋ without a limit in between: the shares of a running sum add up to the amount exactly.
///
/// - Parameters:
///   - amount: at least zero.
///   - part: from zero to `whole`.
///   - whole: greater than zero.
func floorShare(_ amount: Int128, _ part: Int128, of whole: Int128) -> Int128 {
    precondition(amount >= 0 && part >= 0 && part <= whole && whole > 0, "a share of nothing")
    let product = amount.magnitude.multipliedFullWidth(by: part.magnitude)
    return Int128(whole.magnitude.dividingFullWidth(product).quotient)
}
