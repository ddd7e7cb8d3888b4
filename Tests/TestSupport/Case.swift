import Testing

/// One row of a table of cases, shown under its name where it fails.
public struct Case<Input: Sendable, Expected: Sendable>: Sendable, CustomTestStringConvertible {
    public let name: String
    public let input: Input
    public let expected: Expected

    public init(_ name: String, _ input: Input, _ expected: Expected) {
        (self.name, self.input, self.expected) = (name, input, expected)
    }

    public var testDescription: String { name }
}

/// The sentence a piece of work is refused with; nil where it succeeds.
public func sentence(_ work: () throws -> Void) -> String? {
    do {
        try work()
        return nil
    } catch {
        return "\(error)"
    }
}
