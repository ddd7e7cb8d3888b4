import Common
import Glibc

/// Some rows of a table, column by column: what passes between the lake and whoever reads or fills it.
///
///     batch["model"]?.text(at: 0)   // "claude-haiku-4-5-20251001"
public struct Batch: Sendable {
    public let specs: [ColumnSpec]
    public var columns: [Column]
    public let count: Int

    public init(specs: [ColumnSpec], columns: [Column], count: Int) {
        precondition(specs.count == columns.count && columns.allSatisfy { $0.count == count }, "columns of unequal length")
        (self.specs, self.columns, self.count) = (specs, columns, count)
    }

    /// The column of this name, if it was read.
    public subscript(name: String) -> Column? { specs.firstIndex { $0.name == name }.map { columns[$0] } }

    /// The rows at these positions, in this order.
    public func rows(at order: [Int32]) -> Batch {
        Batch(specs: specs, columns: columns.map { $0.rows(at: order) }, count: order.count)
    }
}

/// The values of one column. Text is kept as codes into a dictionary, so that grouping and comparing touch no characters.
public enum Column: Sendable {
    /// int64 and timestamp (microseconds). A null holds 0.
    case integers([Int64], nulls: Nulls)
    /// In units of 1e-12. A null holds 0.
    case decimals([Int128], nulls: Nulls)
    case bools([Bool], nulls: Nulls)
    /// A null is the code -1.
    case text([Int32], TextDictionary)

    public var count: Int {
        switch self {
        case .integers(let values, _): values.count
        case .decimals(let values, _): values.count
        case .bools(let values, _): values.count
        case .text(let codes, _): codes.count
        }
    }

    /// A column of nulls only: what an older part answers for a column that it lacks.
    public static func missing(_ type: ColumnType, count: Int) -> Column {
        let nulls = Nulls(isNull: [Bool](repeating: true, count: count))
        return switch type {
        case .text: .text([Int32](repeating: -1, count: count), TextDictionary())
        case .int64, .timestamp: .integers([Int64](repeating: 0, count: count), nulls: nulls)
        case .bool: .bools([Bool](repeating: false, count: count), nulls: nulls)
        case .decimal: .decimals([Int128](repeating: 0, count: count), nulls: nulls)
        }
    }

    public func isNull(at row: Int) -> Bool {
        switch self {
        case .integers(_, let nulls), .decimals(_, let nulls), .bools(_, let nulls): nulls.contains(row)
        case .text(let codes, _): codes[row] < 0
        }
    }

    public func text(at row: Int) -> String? {
        guard case .text(let codes, let dictionary) = self, codes[row] >= 0 else { return nil }
        return dictionary[codes[row]]
    }

    public func integer(at row: Int) -> Int64? {
        guard case .integers(let values, let nulls) = self, !nulls.contains(row) else { return nil }
        return values[row]
    }

    public func decimal(at row: Int) -> Int128? {
        guard case .decimals(let values, let nulls) = self, !nulls.contains(row) else { return nil }
        return values[row]
    }

    public func bool(at row: Int) -> Bool? {
        guard case .bools(let values, let nulls) = self, !nulls.contains(row) else { return nil }
        return values[row]
    }

    func rows(at order: [Int32]) -> Column {
        switch self {
        case .integers(let values, let nulls): .integers(order.map { values[Int($0)] }, nulls: nulls.rows(at: order))
        case .decimals(let values, let nulls): .decimals(order.map { values[Int($0)] }, nulls: nulls.rows(at: order))
        case .bools(let values, let nulls): .bools(order.map { values[Int($0)] }, nulls: nulls.rows(at: order))
        case .text(let codes, let dictionary): .text(order.map { codes[Int($0)] }, dictionary)
        }
    }
}

/// Which rows of a column are null; costs nothing where none is.
public struct Nulls: Equatable, Sendable {
    /// One flag a row, or empty where no row is null.
    public let isNull: [Bool]

    public static let none = Nulls(isNull: [])

    public init(isNull: [Bool]) { self.isNull = isNull.contains(true) ? isNull : [] }

    public func contains(_ row: Int) -> Bool { !isNull.isEmpty && isNull[row] }

    func rows(at order: [Int32]) -> Nulls { isNull.isEmpty ? .none : Nulls(isNull: order.map { isNull[Int($0)] }) }
}

/// The distinct texts of a column, addressed by code. In a column read from plain pages every row may have its own code.
public struct TextDictionary: Sendable, Equatable {
    /// All texts one after another, as UTF-8.
    public private(set) var bytes: [UInt8] = []
    /// Where each text begins; one more entry than there are texts.
    public private(set) var offsets: [Int32] = [0]

    public init() {}

    public init(bytes: [UInt8], offsets: [Int32]) { (self.bytes, self.offsets) = (bytes, offsets) }

    public init(_ texts: some Sequence<String>) { for text in texts { text.withContiguousUTF8 { append($0) } } }

    public var count: Int { offsets.count - 1 }

    public mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: text)
        offsets.append(Int32(bytes.count))
    }

    public subscript(code: Int32) -> String { String(decoding: utf8(code), as: UTF8.self) }

    public func utf8(_ code: Int32) -> ArraySlice<UInt8> { bytes[Int(offsets[Int(code)])..<Int(offsets[Int(code) + 1])] }

    /// For each code its place among the texts in byte order, so that rows can be sorted without comparing characters.
    public var ranks: [Int32] {
        let order = (0..<Int32(count)).sorted { utf8($0).lexicographicallyPrecedes(utf8($1)) }
        var ranks = [Int32](repeating: 0, count: count)
        for (rank, code) in order.enumerated() { ranks[Int(code)] = Int32(rank) }
        return ranks
    }

    /// For each code whether it stands for this text, which several may: for filters, once a batch.
    public func matches(_ text: String) -> [Bool] {
        text.withContiguousUTF8 { wanted in (0..<Int32(count)).map { equals($0, wanted) } }
    }
}

extension String {
    /// The text's UTF-8 in one piece.
    public func withContiguousUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        var copy = self
        return try copy.withUTF8(body)
    }
}

/// Gives equal texts equal codes while a dictionary is being filled.
public struct TextInterner: Sendable {
    public private(set) var dictionary = TextDictionary()
    /// The upper half of a text's hash, which also says where to look, beside its code + 1; 0 where a slot is free. Most other texts
    /// are told apart by it, and none is hashed again when there are more slots.
    var slots = [UInt64](repeating: 0, count: 64)

    public init() {}

    public mutating func code(of text: String) -> Int32 { text.withContiguousUTF8 { code(of: $0) } }

    public mutating func code(of text: UnsafeBufferPointer<UInt8>) -> Int32 {
        let tag = fastHash(text) & 0xffff_ffff_0000_0000
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: tag >> 32) & mask
        while slots[slot] != 0 {
            if slots[slot] ^ tag < 1 << 32 {
                let code = Int32(truncatingIfNeeded: slots[slot] & 0xffff_ffff) &- 1
                if dictionary.equals(code, text) { return code }
            }
            slot = (slot + 1) & mask
        }
        let code = Int32(dictionary.count)
        dictionary.append(text)
        slots[slot] = tag | UInt64(code + 1)
        if dictionary.count * 2 > slots.count { grow() }
        return code
    }

    mutating func grow() {
        let old = slots
        let mask = old.count * 4 - 1
        slots = [UInt64](repeating: 0, count: mask + 1)
        for entry in old where entry != 0 {
            var slot = Int(truncatingIfNeeded: entry >> 32) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = entry
        }
    }
}

extension TextDictionary {
    public func withUTF8<R>(_ code: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        bytes.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[Int(offsets[Int(code)])..<Int(offsets[Int(code) + 1])]))
        }
    }

    func equals(_ code: Int32, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = Int(offsets[Int(code)])
        guard Int(offsets[Int(code) + 1]) - start == text.count else { return false }
        guard let wanted = text.baseAddress, !text.isEmpty else { return true }
        return bytes.withUnsafeBytes { bytes in bytes.baseAddress.map { memcmp($0 + start, wanted, text.count) == 0 } ?? false }
    }
}

/// A fast hash of bytes for tables in memory; never stored.
@inlinable @inline(__always) public func fastHash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var value: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(text.count)
    let raw = UnsafeRawBufferPointer(text)
    var at = 0
    while at + 8 <= raw.count {
        value = (value ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0xff51_afd7_ed55_8ccd
        value ^= value >> 32
        at += 8
    }
    while at < raw.count {
        value = (value ^ UInt64(raw[at])) &* 0x0000_0100_0000_01b3
        at += 1
    }
    value = (value ^ (value >> 29)) &* 0xc4ce_b9fe_1a85_ec53
    return value ^ (value >> 32)
}
