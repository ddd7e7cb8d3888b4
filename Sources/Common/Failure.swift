/// What ends a command: one sentence that says what is wrong, where, and what to do next.
///
///     throw Failure("The file is empty.", at: .init(path: "Jobs/kalei.json5", line: 1))
///     // Jobs/kalei.json5:1: The file is empty.
public struct Failure: Error, CustomStringConvertible, Equatable, Sendable {
    /// Who can mend it, which decides the exit code.
    public enum Kind: Sendable {
        /// Something went wrong while working: exit 1.
        case failed
        /// The command line or a job file is not usable; no work was begun: exit 64.
        case usage
        /// Another run holds the home's lock: exit 5.
        case locked
    }

    public let kind: Kind
    public let message: String
    public let place: Place?

    public init(_ message: String, at place: Place? = nil, kind: Kind = .failed) {
        self.kind = kind
        self.message = message
        self.place = place
    }

    public var description: String { place.map { "\($0): \(message)" } ?? message }
}

/// A position in a text file; lines and columns count from 1.
public struct Place: Equatable, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let line: Int?
    public let column: Int?

    public init(path: String, line: Int? = nil, column: Int? = nil) {
        self.path = path
        self.line = line
        self.column = column
    }

    public var description: String {
        [path, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
    }
}

/// What can be survived but should be said: printed on the error stream, never part of a result.
public struct Diagnostic: Equatable, Sendable, CustomStringConvertible {
    public enum Severity: String, Sendable { case note, warning }
    public let severity: Severity
    public let message: String
    public let place: Place?

    public init(_ severity: Severity, _ message: String, at place: Place? = nil) {
        self.severity = severity
        self.message = message
        self.place = place
    }

    public var description: String {
        (place.map { "\($0): " } ?? "") + "\(severity.rawValue): \(message)"
    }
}

/// Where the core's talk goes: the command line passes one in, tests collect.
public struct Talk: Sendable {
    public var diagnostic: @Sendable (Diagnostic) -> Void
    /// How far a piece of work has come, in bytes; called often, shown on a terminal only.
    public var progress: @Sendable (_ what: String, _ done: Int64, _ total: Int64) -> Void

    public init(
        diagnostic: @escaping @Sendable (Diagnostic) -> Void,
        progress: @escaping @Sendable (String, Int64, Int64) -> Void = { _, _, _ in }
    ) {
        self.diagnostic = diagnostic
        self.progress = progress
    }

    /// Says nothing.
    public static let silent = Talk(diagnostic: { _ in })

    public func warn(_ message: String, at place: Place? = nil) { diagnostic(Diagnostic(.warning, message, at: place)) }
    public func note(_ message: String, at place: Place? = nil) { diagnostic(Diagnostic(.note, message, at: place)) }
}
