/// A value of a job file that knows where it is written.
public struct ConfigNode: Equatable, Sendable {
    /// What is written.
    public let value: Value
    /// Where its first character stands.
    public let place: Place

    /// A value at its place.
    public init(_ value: Value, at place: Place) { (self.value, self.place) = (value, place) }

    /// What is written; numbers keep their digits as a JSON number has them, so hexadecimal has become decimal.
    public enum Value: Equatable, Sendable {
        case null
        case bool(Bool)
        case number(String)
        case string(String)
        case array([ConfigNode])
        case object([ConfigMember])
    }

    /// The same value without its places.
    public var json: JSON {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let text): .number(text)
        case .string(let text): .string(text)
        case .array(let items): .array(items.map(\.json))
        case .object(let members): .object(members.map { JSON.Member($0.key, $0.value.json) })
        }
    }
}

/// One key of an object and its value, in the order of the file.
public struct ConfigMember: Equatable, Sendable {
    /// Without quotes and escapes.
    public let key: String
    /// Where the key, not its value, stands.
    public let keyPlace: Place
    /// What stands behind the colon.
    public let value: ConfigNode

    /// A key at its place, and its value.
    public init(_ key: String, at keyPlace: Place, _ value: ConfigNode) {
        (self.key, self.keyPlace, self.value) = (key, keyPlace, value)
    }
}

// Readings of one value, each refused with a sentence. `what` names the value in it: `"currency" in job`.
extension ConfigNode {
    /// The text written here.
    ///
    ///     try node.text("\"currency\" in job")   // "USD", or: "currency" in job must be text, not a number. Write it in quotes.
    public func text(_ what: String) throws -> String {
        guard case .string(let text) = value else { throw mismatch(what, "text", wantsQuotes) }
        return text
    }

    /// A decimal, written as a number or as text that holds one; its digits are kept exactly.
    public func decimal(_ what: String) throws -> ExactDecimal {
        let text: String
        switch value {
        case .number(let digits): text = digits
        case .string(let digits): text = digits
        default: throw mismatch(what, "a decimal such as 9.99")
        }
        guard let decimal = ExactDecimal(text) else {
            throw failure("\(what) must be a decimal such as 9.99, not \(shown(text)). Use a point and at most 38 digits.")
        }
        return decimal
    }

    /// A whole number within a range.
    public func int(_ what: String, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
        let expected =
            switch (range.lowerBound, range.upperBound) {
            case (.min, .max): "a whole number"
            case (let low, .max): "a whole number of at least \(low)"
            case (.min, let high): "a whole number of at most \(high)"
            case (let low, let high): "a whole number from \(low) to \(high)"
            }
        guard case .number(let text) = value else { throw mismatch(what, expected, unquoted { Int($0) != nil }) }
        guard let units = ExactDecimal(text)?.units(places: 0), let whole = Int(exactly: units), range.contains(whole) else {
            throw failure("\(what) must be \(expected), not \(text).")
        }
        return whole
    }

    /// `true` or `false`.
    public func bool(_ what: String) throws -> Bool {
        guard case .bool(let flag) = value else {
            throw mismatch(what, "true or false", unquoted { $0 == "true" || $0 == "false" })
        }
        return flag
    }

    /// A day, written as text in the form `YYYY-MM-DD`.
    public func day(_ what: String) throws -> Day {
        guard case .string(let text) = value else { throw mismatch(what, "a day such as \"2026-09-28\"", wantsQuotes) }
        guard let day = Day(text) else {
            throw failure(
                "\(what) must be a day such as \"2026-09-28\", not \(shown(text)). Write year, month and day, as the calendar has them."
            )
        }
        return day
    }

    /// One of the values of an enumeration, by its raw value.
    public func choice<T: RawRepresentable & CaseIterable>(_ what: String, of type: T.Type) throws -> T
    where T.RawValue == String {
        let offered = T.allCases.map(\.rawValue)
        guard case .string(let text) = value else { throw mismatch(what, "one of \(listed(offered))", wantsQuotes) }
        guard let choice = T(rawValue: text) else {
            throw failure(
                "\(what) cannot be \(shown(text)).\(didYouMean(text, from: offered)) Its values are \(listed(offered)).")
        }
        return choice
    }

    /// A list of texts.
    public func texts(_ what: String) throws -> [String] {
        guard case .array(let items) = value else { throw mismatch(what, "a list of texts", "Put it in [ ].") }
        return try items.enumerated().map { try $0.element.text("element \($0.offset + 1) of \(what)") }
    }

    /// The members of an object whose keys are free, in file order.
    public func members(_ what: String) throws -> [ConfigMember] {
        guard case .object(let members) = value else { throw mismatch(what, "an object in { }") }
        return members
    }

    /// A refusal of this value, at its place.
    public func failure(_ message: String) -> Failure { Failure(message, at: place, kind: .usage) }

    /// The sentence for a value of another kind than the one expected.
    func mismatch(_ what: String, _ expected: String, _ advice: String? = nil) -> Failure {
        let (actual, ownAdvice): (String, String?) =
            switch value {
            case .null: ("null", "Leave the key out where there is nothing to say.")
            case .bool(let flag): (String(flag), advice)
            case .number: ("a number", advice)
            case .string: ("text", advice)
            case .array: ("a list", advice)
            case .object: ("an object", advice)
            }
        return failure("\(what) must be \(expected), not \(actual).\(ownAdvice.map { " " + $0 } ?? "")")
    }

    /// The advice for a value that quotes would make the text it was probably meant as.
    private var wantsQuotes: String? {
        switch value {
        case .bool, .number: "Write it in quotes."
        default: nil
        }
    }

    private func unquoted(if mend: (String) -> Bool) -> String? {
        if case .string(let text) = value, mend(text) { "Remove the quotes." } else { nil }
    }
}

/// A key or value of a job file as a message shows it: in quotes, on one line, cut where it is long.
func shown(_ text: String) -> String {
    let line = String(
        String.UnicodeScalarView(
            text.unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    return "\"\(line)\(text.unicodeScalars.count > 60 ? "…" : "")\""
}
