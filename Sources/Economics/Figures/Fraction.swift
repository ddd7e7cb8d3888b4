import Common

/// An exact fraction: what sums, products and shares of figures are made of, so that they are rounded once, where they are shown.
///
///     try Fraction(ExactDecimal("25")!) / Fraction(ExactDecimal("9.20")!)   // 125/46
///
/// Arithmetic that does not fit in 128 bits, and division by zero, throw a sentence.
public struct Fraction: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In lowest terms.
    public let numerator: Int128
    /// Greater than zero.
    public let denominator: Int128

    public static let zero = Fraction(0)

    public init(_ whole: Int128) { (numerator, denominator) = (whole, 1) }

    public init(_ decimal: ExactDecimal) throws {
        guard let divisor = ExactDecimal(mantissa: 1, scale: -decimal.scale)?.units(places: 0) else { throw Fraction.tooLarge }
        self.init(decimal.mantissa, over: divisor)
    }

    public init(_ money: Money) throws {
        guard let decimal = ExactDecimal(mantissa: money.units, scale: Money.places) else { throw Fraction.tooLarge }
        try self.init(decimal)
    }

    private init(_ numerator: Int128, over denominator: Int128) {
        let divisor = Fraction.common(numerator, denominator) * (denominator < 0 ? -1 : 1)
        (self.numerator, self.denominator) = (numerator / divisor, denominator / divisor)
    }

    public static func + (a: Fraction, b: Fraction) throws -> Fraction {
        let shared = common(a.denominator, b.denominator)
        let left = try product(a.numerator, b.denominator / shared)
        let (sum, overflow) = left.addingReportingOverflow(try product(b.numerator, a.denominator / shared))
        guard !overflow else { throw tooLarge }
        return Fraction(sum, over: try product(a.denominator / shared, b.denominator))
    }

    public static func - (a: Fraction, b: Fraction) throws -> Fraction { try a + Fraction(-b.numerator, over: b.denominator) }

    public static func * (a: Fraction, b: Fraction) throws -> Fraction {
        let (first, second) = (common(a.numerator, b.denominator), common(b.numerator, a.denominator))
        return Fraction(
            try product(a.numerator / first, b.numerator / second), over: try product(a.denominator / second, b.denominator / first))
    }

    public static func / (a: Fraction, b: Fraction) throws -> Fraction {
        guard b.numerator != 0 else { throw Failure("A figure is divided by zero, which has no result.") }
        return try a * Fraction(b.denominator, over: b.numerator)
    }

    public static func < (a: Fraction, b: Fraction) -> Bool {
        // What overflows in one word is compared in two.
        let left = a.numerator.multipliedFullWidth(by: b.denominator)
        let right = b.numerator.multipliedFullWidth(by: a.denominator)
        return (left.high, left.low) < (right.high, right.low)
    }

    public var isNegative: Bool { numerator < 0 }

    /// The least whole number that is not below it: how many subscribers cover a cost.
    public var roundedUp: Fraction {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        return Fraction(remainder > 0 ? quotient + 1 : quotient)
    }

    /// To a number of places, halves to the even neighbour; nil where it does not fit.
    public func rounded(places: Int) -> ExactDecimal? {
        guard let scale = ExactDecimal(mantissa: 1, scale: -places)?.units(places: 0) else { return nil }
        let (scaled, overflow) = numerator.multipliedReportingOverflow(by: scale)
        return overflow ? nil : ExactDecimal(mantissa: dividedHalfToEven(scaled, by: denominator), scale: places)
    }

    /// As a decimal where it is one of at most twelve places, otherwise as a fraction: `0.65968`, `25/46`.
    public var description: String {
        if let decimal = rounded(places: Money.places), let whole = try? Fraction(decimal), whole == self {
            return decimal.description
        }
        return "\(numerator)/\(denominator)"
    }

    private static let tooLarge = Failure("A figure is too large to reckon with. Look for a mistyped number in the figures file.")

    private static func product(_ a: Int128, _ b: Int128) throws -> Int128 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        guard !overflow else { throw tooLarge }
        return product
    }

    /// The greatest common divisor, at least 1.
    private static func common(_ a: Int128, _ b: Int128) -> Int128 {
        var (a, b) = (a.magnitude, b.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        return a == 0 ? 1 : Int128(a)
    }
}
