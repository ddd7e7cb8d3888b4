// The Thrift compact protocol, as far as Parquet's headers and footer need it.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/// What is wrong with a part, before it is known which file it is.
struct ParquetDamage: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

/// The kinds of a field or of a list's elements, under the numbers of the compact protocol.
enum ThriftKind: UInt8 {
    case yes = 1, no, i8, i16, i32, i64, double, binary, list, set, map, structure, uuid
}

/// Writes structures field by field; ids must rise within a structure.
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    private var last: Int16 = 0

    mutating func i32(_ id: Int16, _ value: Int32) {
        begin(id, .i32)
        zigzag(Int64(value))
    }

    mutating func i64(_ id: Int16, _ value: Int) {
        begin(id, .i64)
        zigzag(Int64(value))
    }

    mutating func bool(_ id: Int16, _ value: Bool) { begin(id, value ? .yes : .no) }

    mutating func binary(_ id: Int16, _ value: some Collection<UInt8>) {
        begin(id, .binary)
        element(value)
    }

    mutating func structure(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
        begin(id, .structure)
        element(body)
    }

    mutating func list<Items: Collection>(
        _ id: Int16, of kind: ThriftKind, _ items: Items, _ write: (inout ThriftWriter, Items.Element) -> Void
    ) {
        begin(id, .list)
        // "Short form: 4 bits of size and 4 bits of element type, for up to 14 elements; long form: 1111 and a varint size."
        if items.count < 15 {
            bytes.append(UInt8(items.count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xf0 | kind.rawValue)
            varint(UInt64(items.count))
        }
        for item in items { write(&self, item) }
    }

    /// A structure that stands in a list, or the outermost one.
    mutating func element(_ body: (inout ThriftWriter) -> Void) {
        let outer = last
        last = 0
        body(&self)
        bytes.append(0)  // "a stop field"
        last = outer
    }

    /// A binary or string that stands in a list.
    mutating func element(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// An integer or enum that stands in a list.
    mutating func element(_ value: Int32) { zigzag(Int64(value)) }

    private mutating func begin(_ id: Int16, _ kind: ThriftKind) {
        // "Short form: 4 bits of field id delta, for 1 to 15, and 4 bits of type; long form: the type, then the id as zigzag."
        let delta = id - last
        if delta > 0 && delta <= 15 {
            bytes.append(UInt8(delta) << 4 | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            zigzag(Int64(id))
        }
        last = id
    }

    private mutating func zigzag(_ value: Int64) { bytes.appendZigzag(value) }
    private mutating func varint(_ value: UInt64) { bytes.appendVarint(value) }
}

extension [UInt8] {
    /// ULEB-128: seven bits a byte, the lowest first, the top bit set on all but the last.
    mutating func appendVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }

    /// The same of a number with a sign, which moves to the lowest bit.
    mutating func appendZigzag(_ value: Int64) { appendVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }
}

extension UnsafeRawBufferPointer {
    /// What `appendVarint` wrote.
    func varint(at position: inout Int) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < count else { throw ParquetDamage("a number in it is cut off") }
            let next = self[position]
            position += 1
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        throw ParquetDamage("a number in it does not end")
    }

    /// What `appendZigzag` wrote.
    func zigzag(at position: inout Int) throws -> Int64 {
        let value = try varint(at: &position)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}

/// Reads structures from bytes that nobody vouches for: every length is checked before it is used.
struct ThriftReader {
    struct Field {
        let id: Int16
        let kind: ThriftKind
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Calls for every field of a structure; whoever does not use one skips it.
    mutating func structure(_ field: (inout ThriftReader, Field) throws -> Void) throws {
        var last: Int16 = 0
        while let next = try header(after: last) {
            try field(&self, next)
            last = next.id
        }
    }

    mutating func i32(_ field: Field) throws -> Int32 {
        guard field.kind == .i32, let value = Int32(exactly: try zigzag()) else { throw unexpected(field) }
        return value
    }

    /// A size, a count or an offset: never negative.
    mutating func size(_ field: Field) throws -> Int {
        guard field.kind == .i32 || field.kind == .i64 else { throw unexpected(field) }
        let value = try zigzag()
        guard value >= 0 else { throw ParquetDamage("a size in its metadata is negative") }
        return Int(value)
    }

    mutating func binary(_ field: Field) throws -> [UInt8] {
        guard field.kind == .binary else { throw unexpected(field) }
        return try binary()
    }

    mutating func text(_ field: Field) throws -> String { String(decoding: try binary(field), as: UTF8.self) }

    /// Calls for every element of a list of this kind.
    mutating func list(_ field: Field, of kind: ThriftKind, _ element: (inout ThriftReader) throws -> Void) throws {
        guard field.kind == .list else { throw unexpected(field) }
        let (count, found) = try listHeader()
        guard count == 0 || found == kind else { throw unexpected(field) }
        for _ in 0..<count { try element(&self) }
    }

    /// A binary or string that stands in a list.
    mutating func binary() throws -> [UInt8] {
        let count = try varint()
        guard count <= UInt64(bytes.count - position) else { throw ParquetDamage("a text in its metadata is cut off") }
        defer { position += Int(count) }
        return [UInt8](bytes[position..<position + Int(count)])
    }

    /// An integer or enum that stands in a list.
    mutating func element() throws -> Int32 { Int32(truncatingIfNeeded: try zigzag()) }

    mutating func skip(_ field: Field) throws { try skip(field.kind, depth: 0) }

    private func unexpected(_ field: Field) -> ParquetDamage {
        ParquetDamage("field \(field.id) of its metadata is not what the format says")
    }

    private mutating func header(after last: Int16) throws -> Field? {
        let byte = try byte()
        if byte == 0 { return nil }
        guard let kind = ThriftKind(rawValue: byte & 15) else {
            throw ParquetDamage("its metadata holds an unknown kind of field")
        }
        let id = byte >> 4 == 0 ? try zigzag() : Int64(last) + Int64(byte >> 4)
        guard let id = Int16(exactly: id) else { throw ParquetDamage("its metadata holds an impossible field number") }
        return Field(id: id, kind: kind)
    }

    private mutating func listHeader() throws -> (count: Int, kind: ThriftKind) {
        let byte = try byte()
        let count = byte >> 4 == 15 ? try varint() : UInt64(byte >> 4)
        // Every element takes a byte at least, so a count beyond the rest is damage and not a reason to loop.
        guard let kind = ThriftKind(rawValue: byte & 15), count <= UInt64(bytes.count - position) else {
            throw ParquetDamage("a list in its metadata is cut off")
        }
        return (Int(count), kind)
    }

    private mutating func skip(_ kind: ThriftKind, depth: Int, inList: Bool = false) throws {
        guard depth < 32 else { throw ParquetDamage("its metadata is nested too deeply") }
        switch kind {
        case .yes, .no: if inList { _ = try byte() }
        case .i8: _ = try byte()
        case .i16, .i32, .i64: _ = try varint()
        case .double: for _ in 0..<8 { _ = try byte() }
        case .uuid: for _ in 0..<16 { _ = try byte() }
        case .binary: _ = try binary()
        case .list, .set:
            let (count, kind) = try listHeader()
            for _ in 0..<count { try skip(kind, depth: depth + 1, inList: true) }
        case .structure:
            try structure { try $0.skip($1.kind, depth: depth + 1) }
        case .map: throw ParquetDamage("its metadata holds a map, which Parquet does not use")
        }
    }

    private mutating func byte() throws -> UInt8 {
        guard position < bytes.count else { throw ParquetDamage("its metadata is cut off") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func varint() throws -> UInt64 { try bytes.varint(at: &position) }
    private mutating func zigzag() throws -> Int64 { try bytes.zigzag(at: &position) }
}
