/// A decimal number exactly as written: `mantissa × 10^-scale`. Never a `Double`.
///
///     ExactDecimal("1.250")! == ExactDecimal("1.25")!   // true
public struct ExactDecimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Without trailing zeros after the point, so that equal numbers have equal parts.
    public let mantissa: Int128
    public let scale: Int

    public static let zero = ExactDecimal(0)

    public init(_ integer: Int) { (mantissa, scale) = (Int128(integer), 0) }

    /// nil where the scale is negative beyond what fits.
    public init?(mantissa: Int128, scale: Int) {
        var (mantissa, scale) = (mantissa, scale)
        while scale < 0 {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            (mantissa, scale) = (product, scale + 1)
        }
        while scale > 0, mantissa % 10 == 0 { (mantissa, scale) = (mantissa / 10, scale - 1) }
        guard scale <= 38 else { return nil }
        (self.mantissa, self.scale) = (mantissa, scale)
    }

    /// Reads a JSON number (sign, digits, fraction, exponent), also with leading zeros; nil for anything else and for what has
    /// over 38 digits.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let parsed = bytes.withUnsafeBufferPointer({ ExactDecimal.parse($0) }) else { return nil }
        self = parsed
    }

    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> ExactDecimal? {
        var position = 0
        let negative = bytes.first == 0x2d
        if negative { position = 1 }
        var mantissa: Int128 = 0
        var scale = 0
        var digits = 0
        var seenPoint = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte &- 0x30 <= 9 {
                if mantissa >= 17_014_118_346_046_923_173_168_730_371_588_410_572 { return nil }  // Int128.max / 10
                mantissa = mantissa * 10 + Int128(byte &- 0x30)
                if seenPoint { scale += 1 }
                digits += 1
            } else if byte == 0x2e, !seenPoint, digits > 0 {
                seenPoint = true
            } else {
                break
            }
            position += 1
        }
        guard digits > 0, bytes[position - 1] != 0x2e else { return nil }
        if position < bytes.count {
            guard bytes[position] | 0x20 == 0x65 else { return nil }
            position += 1
            var sign = 1
            if position < bytes.count, bytes[position] == 0x2d || bytes[position] == 0x2b {
                sign = bytes[position] == 0x2d ? -1 : 1
                position += 1
            }
            guard position < bytes.count else { return nil }
            var exponent = 0
            while position < bytes.count {
                guard bytes[position] &- 0x30 <= 9 else { return nil }
                exponent = min(exponent * 10 + Int(bytes[position] &- 0x30), 100_000)
                position += 1
            }
            scale -= sign * exponent
        }
        if mantissa == 0 { return .zero }
        guard scale > -39, scale <= 76 else { return nil }
        return ExactDecimal(mantissa: negative ? -mantissa : mantissa, scale: scale)
    }

    /// As an integer of 10^-`places`; nil where digits would be lost or it does not fit.
    public func units(places: Int) -> Int128? {
        guard scale <= places else { return nil }
        var value = mantissa
        for _ in scale..<places {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return value
    }

    /// The exact product; nil where it has over 38 digits.
    public func multiplied(by other: ExactDecimal) -> ExactDecimal? {
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: other.mantissa)
        return overflow ? nil : ExactDecimal(mantissa: product, scale: scale + other.scale)
    }

    public var isNegative: Bool { mantissa < 0 }

    public var description: String {
        guard scale > 0 else { return String(mantissa) }
        let digits = String(mantissa.magnitude)
        let whole = digits.count > scale ? String(digits.dropLast(scale)) : "0"
        let fraction = String(repeating: "0", count: max(0, scale - digits.count)) + digits.suffix(scale)
        return "\(mantissa < 0 ? "-" : "")\(whole).\(fraction)"
    }

    public static func < (a: ExactDecimal, b: ExactDecimal) -> Bool {
        // Compared by aligning scales; what does not fit is decided by its sign and size.
        let places = max(a.scale, b.scale)
        switch (a.units(places: places), b.units(places: places)) {
        case (let x?, let y?): return x < y
        case (nil, _): return a.isNegative
        case (_, nil): return !b.isNegative
        }
    }
}
