import Common
import Lake

/// An entry of `sources` that is proposed for some files, with the reasons.
public struct ProposedSource: Sendable {
    public internal(set) var name: String
    /// nil where nothing could be proposed; `reason` says why.
    public let log: Log?
    public let reason: String
    public internal(set) var files: [String]
    /// Keys and their values as they stand in a job file, each with a remark.
    public internal(set) var keys: [ProposedKey] = []
    /// The same of `map`.
    public internal(set) var map: [ProposedKey] = []
    /// The columns that a field of the export fills.
    public internal(set) var columns: [String] = []
    /// Fields that nothing reads, and what they hold.
    public internal(set) var unread: [(path: String, what: String)] = []
    /// Columns of the job's own that such fields could fill, with their types.
    public internal(set) var suggested: [(name: String, type: ColumnType)] = []
    /// The models that the sample names.
    public internal(set) var models: [String] = []
    /// Of what happened; nil for versions of things, which may be old.
    public internal(set) var earliest: Instant?
}

public struct ProposedKey: Sendable {
    public let name: String
    /// In JSON5.
    public let value: String
    public let remark: String?

    init(_ name: String, _ value: String, _ remark: String? = nil) {
        (self.name, self.value, self.remark) = (name, value, remark)
    }
    init(_ name: String, text: String, _ remark: String? = nil) { self.init(name, JSON.string(text).text, remark) }
}
