import Common
import Lake

/// The first records of a file as a source would take them, for whoever writes its mapping.
public struct SourcePreview: Sendable {
    public let source: String
    public let log: Log
    /// nil where no file fits what the source names.
    public let file: String?
    public internal(set) var records: [PreviewedRecord] = []
    /// Columns that none of the rows has.
    public internal(set) var unfilled: [String] = []
    /// Fields of the records that nothing reads.
    public internal(set) var unread: [String] = []
    /// Why the file cannot be read, or not to the end of the records asked for.
    public internal(set) var problem: Failure?
}

/// One record and what it would become.
public struct PreviewedRecord: Sendable {
    public enum Outcome: Equatable, Sendable {
        case accepted
        case outOfRange
        /// It does not meet the condition on this field.
        case filtered(by: String)
        case quarantined(reason: String, detail: String)
    }

    public let number: Int64
    /// As it stands in the file, at most the first 64 KiB.
    public let raw: [UInt8]
    /// How many bytes it has.
    public let length: Int
    public let outcome: Outcome
    /// The columns that the row has, in their order; none of a record that becomes no row.
    public let cells: [PreviewedCell]

    public var isRow: Bool { outcome == .accepted || outcome == .outOfRange }

    /// Why it would be refused.
    public var refusal: String? { if case .quarantined(let reason, let detail) = outcome { "\(reason): \(detail)" } else { nil } }
}

public struct PreviewedCell: Equatable, Sendable {
    public let column: String
    public let value: String
    /// Where the value came from: a field, and how it was changed on its way.
    public let origin: String
}
