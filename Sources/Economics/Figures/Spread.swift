import Common

/// A figure that may be a range. Sums and shares of ranges are ranges: from the least to the most that they can be.
///
///     try Spread(low, high) + Spread(ten)   // both ends grow by ten
public struct Spread: Hashable, Sendable, CustomStringConvertible {
    public let low: Fraction
    /// nil where the source names no upper end.
    public let high: Fraction?

    public init(_ exact: Fraction) { (low, high) = (exact, exact) }

    /// The low end comes first.
    public init(_ low: Fraction, _ high: Fraction?) { (self.low, self.high) = (low, high) }

    public static let zero = Spread(.zero)

    public var isExact: Bool { low == high }

    public static func + (a: Spread, b: Spread) throws -> Spread {
        guard let end = a.high, let other = b.high else { return Spread(try a.low + b.low, nil) }
        return Spread(try a.low + b.low, try end + other)
    }

    public static func - (a: Spread, b: Spread) throws -> Spread {
        guard let other = b.high else { throw noUpperEnd }
        return Spread(try a.low - other, try a.high.map { try $0 - b.low })
    }

    public static func * (a: Spread, b: Spread) throws -> Spread {
        guard let end = a.high, let other = b.high else {
            guard !a.low.isNegative, !b.low.isNegative else { throw noUpperEnd }
            return Spread(try a.low * b.low, nil)
        }
        return try between([a.low * b.low, a.low * other, end * b.low, end * other])
    }

    public static func / (a: Spread, b: Spread) throws -> Spread {
        guard let end = a.high, let other = b.high else { throw noUpperEnd }
        guard b.low.isNegative == other.isNegative else {
            throw Failure("A figure is divided by a range that holds zero, which has no result.")
        }
        return try between([a.low / b.low, a.low / other, end / b.low, end / other])
    }

    /// How much of a whole it is, in percent.
    public func percent(of whole: Spread) throws -> Spread { try self / whole * Spread(Fraction(100)) }

    /// What remains of it after a cost, in percent of it; it is one amount, while the cost may be a range.
    ///
    ///     try price.margin(after: cost)   // 4.99 after 0.63: 87.37…
    public func margin(after cost: Spread) throws -> Spread {
        guard isExact else {
            throw Failure("A margin needs one price, not a range: take its low end, its middle or its high end.")
        }
        return try (self - cost).percent(of: self)
    }

    /// The number half way between both ends.
    public func middle() throws -> Spread {
        guard let high else { throw Spread.noUpperEnd }
        return Spread(try (low + high) / Fraction(2))
    }

    public func lowest() -> Spread { Spread(low) }

    public func highest() throws -> Spread {
        guard let high else { throw Spread.noUpperEnd }
        return Spread(high)
    }

    /// Whole numbers that suffice for it.
    public var roundedUp: Spread { Spread(low.roundedUp, high?.roundedUp) }

    /// `0.25`, `90 to 100`, `3000 or more`.
    public var description: String {
        guard let high else { return "\(low) or more" }
        return isExact ? low.description : "\(low) to \(high)"
    }

    private static func between(_ ends: [Fraction]) throws -> Spread {
        guard let low = ends.min(), let high = ends.max() else { throw noUpperEnd }
        return Spread(low, high)
    }

    private static let noUpperEnd = Failure("A range without an upper end can only be added up or multiplied.")
}

extension Spread {
    /// Reads a number, `[low, high]`, or `[low, null]` where there is no upper end.
    init(_ node: ConfigNode, _ what: String) throws {
        guard case .array(let ends) = node.value else {
            self.init(try Fraction(try node.decimal(what)))
            return
        }
        guard ends.count == 2 else { throw node.failure("A range has two ends: [low, high], or [low, null] without an upper end.") }
        let low = try ends[0].decimal("the low end of \(what)")
        let high = ends[1].value == .null ? nil : try ends[1].decimal("the high end of \(what)")
        if let high, high < low {
            throw node.failure("The low end of a range comes first: write [\(high), \(low)] if that is meant.")
        }
        self.init(try Fraction(low), try high.map { try Fraction($0) })
    }
}
