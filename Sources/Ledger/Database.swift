import CSQLite
import Common

/// A value as SQLite stores it.
public enum SQLValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    public static func optional(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }
    public static func count(_ number: some BinaryInteger) -> SQLValue { .integer(Int64(number)) }
}

/// One row of an answer, read by position.
public struct SQLRow: Sendable {
    let values: [SQLValue]

    public func text(_ column: Int) -> String { optionalText(column) ?? "" }
    public func optionalText(_ column: Int) -> String? { if case .text(let value) = values[column] { value } else { nil } }
    public func integer(_ column: Int) -> Int64 { optionalInteger(column) ?? 0 }
    public func optionalInteger(_ column: Int) -> Int64? { if case .integer(let value) = values[column] { value } else { nil } }
    public func int(_ column: Int) -> Int { Int(integer(column)) }
}

/// A thin wrapper over one SQLite connection, for use by one thread.
///
///     try database.rows("SELECT count(*) FROM receipts WHERE job = ?", [.text("kalei")]).first?.int(0)
public final class Database {
    public let path: String
    private let handle: OpaquePointer
    private var prepared: [String: OpaquePointer] = [:]
    private var depth = 0
    /// Within `reading`.
    public private(set) var isReading = false

    /// A reader never creates the file and never writes.
    public init(path: String, readOnly: Bool) throws {
        self.path = path
        var opened: OpaquePointer?
        let flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let status = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard status == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close(opened)
            throw Failure(
                "The ledger could not be opened: \(reason). Check the folder's owner, mode and free space.", at: Place(path: path)
            )
        }
        handle = opened
        sqlite3_busy_timeout(handle, 10_000)
        try execute("PRAGMA foreign_keys = ON")
        if !readOnly {
            try execute("PRAGMA journal_mode = WAL")
            try execute("PRAGMA synchronous = FULL")
        }
    }

    deinit {
        for statement in prepared.values { sqlite3_finalize(statement) }
        sqlite3_close(handle)
    }

    public func execute(_ sql: String, _ values: [SQLValue] = []) throws { _ = try rows(sql, values) }

    /// How many rows the last statement changed.
    public var changes: Int { Int(sqlite3_changes(handle)) }

    public func rows(_ sql: String, _ values: [SQLValue] = []) throws -> [SQLRow] {
        let statement = try prepare(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            let status =
                switch value {
                case .null: sqlite3_bind_null(statement, position)
                case .integer(let number): sqlite3_bind_int64(statement, position, number)
                // SQLITE_TRANSIENT: SQLite copies the text before the call returns.
                case .text(let text):
                    sqlite3_bind_text(statement, position, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
                }
            guard status == SQLITE_OK else { throw failure(sql) }
        }
        var rows: [SQLRow] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append(SQLRow(values: (0..<sqlite3_column_count(statement)).map { value(statement, $0) }))
            case SQLITE_DONE: return rows
            default: throw failure(sql)
            }
        }
    }

    /// Runs `body` so that all of its changes are kept, or, where it throws, none. May be nested: the outermost decides.
    public func transaction<T>(_ body: () throws -> T) throws -> T {
        if depth > 0 { return try body() }
        try execute("BEGIN IMMEDIATE")
        depth += 1
        defer { depth -= 1 }
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            try? execute("ROLLBACK")
            throw error
        }
    }

    /// Runs `body` so that all its questions are answered as of one moment, whatever is committed meanwhile.
    public func reading<T>(_ body: () throws -> T) throws -> T {
        try execute("BEGIN")
        isReading = true
        defer {
            isReading = false
            try? execute("ROLLBACK")
        }
        return try body()
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        if let statement = prepared[sql] { return statement }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw failure(sql) }
        prepared[sql] = statement
        return statement
    }

    private func value(_ statement: OpaquePointer, _ column: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
        case SQLITE_NULL: .null
        default: .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
        }
    }

    private func failure(_ sql: String) -> Failure {
        let reason = String(cString: sqlite3_errmsg(handle))
        let hint =
            switch sqlite3_errcode(handle) {
            case SQLITE_FULL: "The disk is full; free some room and run again."
            // Without room for its shared memory SQLite speaks of input and output only.
            case SQLITE_IOERR where hasNoRoom(path): "The disk is full; free some room and run again."
            case SQLITE_IOERR: "The disk could not be read or written; look at the system's log."
            case SQLITE_BUSY: "Another program holds it; try again."
            case SQLITE_READONLY, SQLITE_PERM: "It is read-only; check its owner and mode."
            // Readers need its shared memory too, which stands beside it.
            case SQLITE_CANTOPEN:
                "Who reads a home must be able to write to its folder; copy the home to where you can, and give that as --home."
            case SQLITE_CORRUPT, SQLITE_NOTADB: "It is damaged; restore it from a backup."
            default: "While running: \(sql.prefix(80))"
            }
        return Failure("The ledger answered \"\(reason)\". \(hint)", at: Place(path: path))
    }
}
