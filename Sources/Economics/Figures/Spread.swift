import Common

/// A figure that may be a range. Sums and shares of ranges are ranges: from the least to the most that they can be.
///
///     try Spread(low, high) + Spread(ten)   // both ends grow by ten
///
/// Nothing is rounded on the way. What cannot be reckoned exactly is refused with a sentence.
public struct Spread: Hashable, Sendable, CustomStringConvertible {
    public let low: Fraction
    /// nil where the source names no upper end.
    public let high: Fraction?

    public static let zero = Spread(.zero)

    public init(_ exact: Fraction) { (low, high) = (exact, exact) }

    /// The low end comes first.
    public init(_ low: Fraction, _ high: Fraction?) { (self.low, self.high) = (low, high) }

    public var isExact: Bool { low == high }

    public static func + (a: Spread, b: Spread) throws -> Spread {
        try exactly {
            guard let end = a.high, let other = b.high else { return Spread(try a.low + b.low, nil) }
            return Spread(try a.low + b.low, try end + other)
        }
    }

    public static func - (a: Spread, b: Spread) throws -> Spread {
        guard let other = b.high else { throw noUpperEnd }
        return try exactly { Spread(try a.low - other, try a.high.map { try $0 - b.low }) }
    }

    public static func * (a: Spread, b: Spread) throws -> Spread {
        try exactly {
            guard let end = a.high, let other = b.high else {
                guard a.low >= .zero, b.low >= .zero else { throw noUpperEnd }
                return Spread(try a.low * b.low, nil)
            }
            return between([try a.low * b.low, try a.low * other, try end * b.low, try end * other])
        }
    }

    public static func / (a: Spread, b: Spread) throws -> Spread {
        guard let end = a.high, let other = b.high else { throw noUpperEnd }
        guard b.low > .zero else {
            throw Failure("A figure is divided by \(b), which has no result: only what is above zero divides.")
        }
        return try exactly {
            between([try a.low / b.low, try a.low / other, try end / b.low, try end / other])
        }
    }

    /// How much of a whole it is, in percent.
    public func percent(of whole: Spread) throws -> Spread { try self / whole * Spread(Fraction(100)) }

    /// What so many percent of it are.
    public func percent(_ share: Spread) throws -> Spread { try self * share / Spread(Fraction(100)) }

    /// What remains of it after a cost, or what a lower cost saves of it, in percent; it is one amount, while the cost may be a range.
    ///
    ///     try price.margin(after: cost)   // 4.99 after 0.63: 87.37…
    public func margin(after cost: Spread) throws -> Spread {
        guard isExact else {
            throw Failure("A margin needs one price, not a range: take its low end, its middle or its high end.")
        }
        return try (self - cost).percent(of: self)
    }

    /// The net amount within it, where a tax of so many percent was added to the net amount.
    public func net(ofTax percent: Spread) throws -> Spread {
        try self * Spread(Fraction(100)) / (Spread(Fraction(100)) + percent)
    }

    /// The number half way between both ends.
    public func middle() throws -> Spread {
        guard let high else { throw Spread.noUpperEnd }
        return try Spread.exactly { Spread(try (low + high) / Fraction(2)) }
    }

    public func lowest() -> Spread { Spread(low) }

    public func highest() throws -> Spread {
        guard let high else { throw Spread.noUpperEnd }
        return Spread(high)
    }

    /// The whole numbers that suffice for it: how many subscribers cover a cost.
    public var roundedUp: Spread { Spread(Spread.roundedUp(low), high.map(Spread.roundedUp)) }

    private static func roundedUp(_ end: Fraction) -> Fraction {
        let (quotient, remainder) = end.numerator.quotientAndRemainder(dividingBy: end.denominator)
        return Fraction(remainder > 0 ? quotient + 1 : quotient)
    }

    /// How many whole numbers lie in it, both ends counted: the months 4 to 6 are three.
    public func count() throws -> Spread {
        guard let high else { throw Spread.noUpperEnd }
        return try Spread.exactly { Spread(try high - low + Fraction(1)) }
    }

    /// A part of it, where it is for `whole` and the part is `share` of that: what a thousand cost, where it is what a million cost.
    public func portion(_ share: Spread, of whole: Spread) throws -> Spread { try self * share / whole }

    /// An amount of one currency in another, at the rate that two prices of one thing imply.
    public func exchanged(at price: Spread, _ same: Spread) throws -> Spread { try self * same / price }

    /// `0.25`, `90 to 100`, `3000 or more`; further than twelve places it is rounded.
    public var description: String {
        guard let high else { return "\(low) or more" }
        return isExact ? low.description : "\(low) to \(high)"
    }

    private static func between(_ ends: [Fraction]) -> Spread {
        Spread(ends.dropFirst().reduce(ends[0]) { min($0, $1) }, ends.dropFirst().reduce(ends[0]) { max($0, $1) })
    }

    private static func exactly(_ work: () throws -> Spread) throws -> Spread {
        do { return try work() } catch is Fraction.TooLarge {
            throw Failure("A figure has more digits than can be reckoned with. Look for a mistyped number in the figures file.")
        }
    }

    private static let noUpperEnd = Failure("A range without an upper end can only be added up or multiplied.")
}

extension Spread {
    /// Reads a number, `[low, high]`, or `[low, null]` where there is no upper end.
    init(_ node: ConfigNode, _ what: String) throws {
        guard case .array(let ends) = node.value else {
            self.init(Fraction(try node.decimal(what)))
            return
        }
        guard ends.count == 2 else {
            throw node.failure("A range has two ends: [low, high], or [low, null] without an upper end.")
        }
        let low = try ends[0].decimal("the low end of \(what)")
        let high = ends[1].value == .null ? nil : try ends[1].decimal("the high end of \(what)")
        if let high, high < low {
            throw node.failure("The low end of a range comes first: write [\(high), \(low)] if that is meant.")
        }
        self.init(Fraction(low), high.map { Fraction($0) })
    }
}
