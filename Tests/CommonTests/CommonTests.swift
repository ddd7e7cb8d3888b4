import Testing

@testable import Common

/// One row of a table of cases, shown under its name where it fails.
struct Case<Input: Sendable, Expected: Sendable>: Sendable, CustomTestStringConvertible {
    let name: String
    let input: Input
    let expected: Expected

    init(_ name: String, _ input: Input, _ expected: Expected) {
        (self.name, self.input, self.expected) = (name, input, expected)
    }

    var testDescription: String { name }
}

/// The sentence a piece of work is refused with; nil where it succeeds.
func sentence(_ work: () throws -> Void) -> String? {
    do {
        try work()
        return nil
    } catch {
        return "\(error)"
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Bytes that look like noise but are the same in every run.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
