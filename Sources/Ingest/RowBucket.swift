import Common
import Lake

/// The rows of one log and day while a file is being read: columns that grow, filled value by value on raw memory.
///
/// A row is written column by column; where one of its values is refused, `drop` takes the part that stands back.
final class RowBucket {
    private(set) var count = 0
    let columns: UnsafeMutablePointer<GrowingColumn>
    private let types: [ColumnType]
    private(set) var records: [Int64] = []
    private var dropped = false

    init(_ types: [ColumnType]) {
        self.types = types
        columns = .allocate(capacity: types.count)
        for (index, type) in types.enumerated() { (columns + index).initialize(to: GrowingColumn(type)) }
    }

    deinit {
        for index in types.indices { columns[index].free() }
        columns.deinitialize(count: types.count)
        columns.deallocate()
    }

    /// Makes the row whose values stand in all columns a row.
    func keep(record: Int64) {
        count += 1
        records.append(record)
    }

    /// Takes back what stands of a row that is not kept.
    func drop() {
        dropped = true
        for index in types.indices { columns[index].truncate(to: count) }
    }

    /// The rows so far, sorted by time and then record, with the origin columns behind their own.
    func batch(specs: [ColumnSpec], timeColumn: Int, source: String, file: String) -> Batch {
        var values = types.indices.map { columns[$0].column() }
        // Texts of a dropped row may stand in a dictionary; nothing of a refused record may reach the lake.
        if dropped { values = values.map { $0.compacted() } }
        let codes = [Int32](repeating: 0, count: count)
        values.append(.text(codes, TextDictionary([source])))
        values.append(.text(codes, TextDictionary([file])))
        values.append(.integers(records, nulls: .none))
        let batch = Batch(specs: specs + Log.originColumns, columns: values, count: count)
        guard case .integers(let times, _) = values[timeColumn] else { return batch }
        for row in times.indices.dropFirst() where times[row] < times[row - 1] {
            let order = (0..<Int32(count)).sorted { (times[Int($0)], records[Int($0)]) < (times[Int($1)], records[Int($1)]) }
            return batch.rows(at: order)
        }
        return batch
    }
}

/// A column on raw memory, which grows by doubling. Whoever has made it must free it.
struct GrowingColumn {
    let type: ColumnType
    private let stride: Int
    private var values: UnsafeMutableRawPointer
    private var isNull: UnsafeMutablePointer<Bool>
    private var capacity: Int
    private var count = 0
    private var nulls = 0
    private var texts: TextTable

    init(_ type: ColumnType) {
        self.type = type
        stride =
            switch type {
            case .text: 4
            case .int64, .timestamp: 8
            case .decimal: 16
            case .bool: 1
            }
        capacity = 256
        values = .allocate(byteCount: capacity * stride, alignment: 16)
        isNull = .allocate(capacity: capacity)
        texts = TextTable(empty: type != .text)
    }

    func free() {
        values.deallocate()
        isNull.deallocate()
        texts.free()
    }

    @inline(__always) private mutating func append<T>(_ value: T) {
        if count == nulls, count > 0 { storeNulls() }
        if count == capacity { grow() }
        values.storeBytes(of: value, toByteOffset: count &* stride, as: T.self)
        isNull[count] = false
        count &+= 1
    }

    @inline(__always) mutating func appendInteger(_ value: Int64) { append(value) }
    @inline(__always) mutating func appendDecimal(_ value: Int128) { append(value) }
    @inline(__always) mutating func appendBool(_ value: Bool) { append(value) }
    @inline(__always) mutating func appendText(_ text: UnsafeBufferPointer<UInt8>) { append(texts.code(of: text)) }

    /// A column in which every row is null so far costs no memory: most exports lack most columns.
    @inline(__always) mutating func appendNull() {
        if count != nulls { storeNull() }
        count &+= 1
        nulls &+= 1
    }

    private mutating func storeNull() {
        if count == capacity { grow() }
        if type == .text {
            values.storeBytes(of: -1, toByteOffset: count * stride, as: Int32.self)
        } else {
            (values + count * stride).initializeMemory(as: UInt8.self, repeating: 0, count: stride)
        }
        isNull[count] = true
    }

    /// The first value comes: the nulls before it are written down.
    private mutating func storeNulls() {
        let all = count
        count = 0
        while count < all {
            storeNull()
            count += 1
        }
    }

    mutating func truncate(to rows: Int) {
        if count == nulls {
            (count, nulls) = (min(count, rows), min(nulls, rows))
            return
        }
        while count > rows {
            count -= 1
            if isNull[count] { nulls -= 1 }
        }
    }

    /// Whether the value of the row being written is null; asked right after it was appended.
    var lastIsNull: Bool { count == nulls || isNull[count - 1] }

    /// A value as bytes, for a digest of the row: `nil` for a null.
    func withLastBytes<R>(_ body: (UnsafeRawBufferPointer?) -> R) -> R {
        if lastIsNull { return body(nil) }
        if type == .text {
            return texts.withText(values.load(fromByteOffset: (count - 1) * 4, as: Int32.self)) {
                body(UnsafeRawBufferPointer($0))
            }
        }
        return body(UnsafeRawBufferPointer(start: values + (count - 1) * stride, count: stride))
    }

    /// Puts a text in the place of the null that was appended last.
    mutating func replaceLastNull(by text: UnsafeBufferPointer<UInt8>) {
        truncate(to: count - 1)
        appendText(text)
    }

    private mutating func grow() {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: 2 * capacity * stride, alignment: 16)
        larger.copyMemory(from: values, byteCount: count * stride)
        values.deallocate()
        let flags = UnsafeMutablePointer<Bool>.allocate(capacity: 2 * capacity)
        flags.update(from: isNull, count: count)
        isNull.deallocate()
        (values, isNull, capacity) = (larger, flags, 2 * capacity)
    }

    func column() -> Column {
        if count == nulls { return .missing(type, count: count) }
        let flags = nulls == 0 ? Nulls.none : Nulls(isNull: Array(UnsafeBufferPointer(start: isNull, count: count)))
        switch type {
        case .text: return .text(array(Int32.self), texts.dictionary())
        case .int64, .timestamp: return .integers(array(Int64.self), nulls: flags)
        case .decimal: return .decimals(array(Int128.self), nulls: flags)
        case .bool: return .bools(array(Bool.self), nulls: flags)
        }
    }

    private func array<T>(_ type: T.Type) -> [T] {
        Array(UnsafeBufferPointer(start: values.assumingMemoryBound(to: T.self), count: count))
    }
}

/// The texts of a growing column. Equal texts get equal codes while that pays; a column of mostly distinct texts, such as ids, soon
/// gets a code for every row and no look-up.
private struct TextTable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var offsets: UnsafeMutablePointer<Int32>
    private var offsetCapacity: Int
    private var count = 0
    private var slots: UnsafeMutablePointer<Int32>
    private var mask: Int
    private var asked = 0
    private var looksUp = true
    private var lastCode: Int32 = -1

    init(empty: Bool) {
        (capacity, offsetCapacity, mask) = empty ? (1, 1, 0) : (4096, 256, 255)
        bytes = .allocate(capacity: capacity)
        offsets = .allocate(capacity: offsetCapacity + 1)
        offsets[0] = 0
        slots = .allocate(capacity: mask + 1)
        slots.update(repeating: -1, count: mask + 1)
    }

    func free() {
        bytes.deallocate()
        offsets.deallocate()
        slots.deallocate()
    }

    mutating func code(of text: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard looksUp else { return append(text) }
        // Neighbouring rows often say the same.
        if lastCode >= 0, equals(lastCode, text) { return lastCode }
        asked &+= 1
        if asked & 0xfff == 0, count > asked / 2 {
            looksUp = false
            return append(text)
        }
        var slot = Int(truncatingIfNeeded: fastHash(text)) & mask
        while slots[slot] >= 0 {
            if equals(slots[slot], text) {
                lastCode = slots[slot]
                return lastCode
            }
            slot = (slot &+ 1) & mask
        }
        lastCode = append(text)
        slots[slot] = lastCode
        if count &* 2 > mask { rehash() }
        return lastCode
    }

    @inline(__always) private func equals(_ code: Int32, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = Int(offsets[Int(code)])
        return Int(offsets[Int(code) + 1]) &- start == text.count
            && sameBytes(bytes + start, text.baseAddress ?? UnsafePointer(bytes), text.count)
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) -> Int32 {
        let end = Int(offsets[count])
        if end &+ text.count > capacity {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * (capacity + text.count))
            larger.update(from: bytes, count: end)
            bytes.deallocate()
            (bytes, capacity) = (larger, 2 * (capacity + text.count))
        }
        if count == offsetCapacity {
            let larger = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * offsetCapacity + 1)
            larger.update(from: offsets, count: count + 1)
            offsets.deallocate()
            (offsets, offsetCapacity) = (larger, 2 * offsetCapacity)
        }
        if let base = text.baseAddress { (bytes + end).update(from: base, count: text.count) }
        count &+= 1
        offsets[count] = Int32(end &+ text.count)
        return Int32(truncatingIfNeeded: count &- 1)
    }

    private mutating func rehash() {
        slots.deallocate()
        mask = (mask + 1) * 4 - 1
        slots = .allocate(capacity: mask + 1)
        slots.update(repeating: -1, count: mask + 1)
        for code in 0..<Int32(count) {
            var slot = Int(truncatingIfNeeded: withText(code) { fastHash($0) }) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = code
        }
    }

    func withText<R>(_ code: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let start = Int(offsets[Int(code)])
        return body(UnsafeBufferPointer(start: bytes + start, count: Int(offsets[Int(code) + 1]) - start))
    }

    func dictionary() -> TextDictionary {
        TextDictionary(
            bytes: Array(UnsafeBufferPointer(start: bytes, count: Int(offsets[count]))),
            offsets: Array(UnsafeBufferPointer(start: offsets, count: count + 1)))
    }
}
