import Common
import Lake

/// The rows of one log and day while a file is being read: columns that grow, filled value by value on raw memory.
///
/// A row's values are put where they belong, in any order; what is not put is null. Where one of them is refused, `drop` takes the
/// others back.
///
/// A value that refers to its memory, so that nothing is counted for each row; whoever has made it must free it.
struct RowBucket {
    let columns: UnsafeMutablePointer<GrowingColumn>
    private let width: Int
    private let rows: UnsafeMutablePointer<Rows>

    private struct Rows {
        var count = 0
        /// The number of each row's record, a column behind those of the log.
        var records: GrowingColumn
        var dropped = false
    }

    /// `expected` rows get their room at once.
    init(_ types: [ColumnType], expected: Int) {
        width = types.count
        columns = .allocate(capacity: types.count)
        for (index, type) in types.enumerated() { (columns + index).initialize(to: GrowingColumn(type, expected: expected)) }
        rows = .allocate(capacity: 1)
        rows.initialize(to: Rows(records: GrowingColumn(.int64, expected: expected)))
    }

    func free() {
        for index in 0..<width { columns[index].free() }
        rows.pointee.records.free()
        columns.deinitialize(count: width)
        rows.deinitialize(count: 1)
        columns.deallocate()
        rows.deallocate()
    }

    @inline(__always) var count: Int { rows.pointee.count }

    /// Makes what has been put a row.
    @inline(__always) func keep(record: Int64) {
        rows.pointee.records.put(record, row: count)
        rows.pointee.count &+= 1
    }

    /// Takes back what was put of a row that is not kept.
    func drop() {
        rows.pointee.dropped = true
        for index in 0..<width { columns[index].truncate(to: count) }
    }

    /// The rows so far, sorted by time and then record, with the origin columns behind their own.
    func batch(specs: [ColumnSpec], timeColumn: Int, source: String, file: String) -> Batch {
        // Most exports lack most columns: those share their nulls.
        var missing: [ColumnType: Column] = [:]
        var values = (0..<width).map { index -> Column in
            let type = columns[index].type
            if !columns[index].isMissing { return columns[index].column(count: count) }
            let column = missing[type] ?? .missing(type, count: count)
            missing[type] = column
            return column
        }
        // Texts of a dropped row may stand in a dictionary; nothing of a refused record may reach the lake.
        if rows.pointee.dropped { values = values.map { $0.compacted() } }
        let codes = [Int32](repeating: 0, count: count)
        values.append(.text(codes, TextDictionary([source])))
        values.append(.text(codes, TextDictionary([file])))
        values.append(rows.pointee.records.column(count: count))
        let batch = Batch(specs: specs + Log.originColumns, columns: values, count: count)
        guard case .integers(let times, _) = values[timeColumn], case .integers(let numbers, _) = values[values.count - 1] else {
            return batch
        }
        for row in times.indices.dropFirst() where times[row] < times[row - 1] {
            let order = (0..<Int32(count)).sorted { (times[Int($0)], numbers[Int($0)]) < (times[Int($1)], numbers[Int($1)]) }
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
    /// Rows up to the last value that was put; those behind it are null and cost nothing.
    private var count = 0
    private var nulls = 0
    private var texts: TextTable
    private let expected: Int

    init(_ type: ColumnType, expected: Int) {
        (self.type, self.expected) = (type, expected)
        stride =
            switch type {
            case .text: 4
            case .int64, .timestamp: 8
            case .decimal: 16
            case .bool: 1
            }
        // Room is made with the first value: most columns never get one.
        capacity = 0
        values = .allocate(byteCount: 1, alignment: 16)
        isNull = .allocate(capacity: 1)
        texts = TextTable()
    }

    func free() {
        values.deallocate()
        isNull.deallocate()
        texts.free()
    }

    @inline(__always) private mutating func put<T>(value: T, row: Int) {
        if count != row || row >= capacity { makeRoom(upTo: row) }
        values.storeBytes(of: value, toByteOffset: row &* stride, as: T.self)
        isNull[row] = false
        count = row &+ 1
    }

    @inline(__always) mutating func put(_ value: Int64, row: Int) { put(value: value, row: row) }
    @inline(__always) mutating func put(_ value: Int128, row: Int) { put(value: value, row: row) }
    @inline(__always) mutating func put(_ value: Bool, row: Int) { put(value: value, row: row) }
    @inline(__always) mutating func put(_ text: UnsafeBufferPointer<UInt8>, row: Int) {
        put(value: texts.code(of: text), row: row)
    }

    /// Writes down the nulls before a row, and sees that there is room for it.
    @inline(never) private mutating func makeRoom(upTo row: Int) {
        if row >= capacity { grow(to: max(2 * capacity, row + 1, expected, 256)) }
        guard count < row else { return }
        if type == .text {
            for index in count..<row { values.storeBytes(of: -1, toByteOffset: index * stride, as: Int32.self) }
        } else {
            (values + count * stride).initializeMemory(as: UInt8.self, repeating: 0, count: (row - count) * stride)
        }
        (isNull + count).update(repeating: true, count: row - count)
        nulls += row - count
        count = row
    }

    private mutating func grow(to room: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: room * stride, alignment: 16)
        larger.copyMemory(from: values, byteCount: count * stride)
        values.deallocate()
        let flags = UnsafeMutablePointer<Bool>.allocate(capacity: room)
        flags.update(from: isNull, count: count)
        isNull.deallocate()
        (values, isNull, capacity) = (larger, flags, room)
    }

    mutating func truncate(to rows: Int) {
        while count > rows {
            count -= 1
            if isNull[count] { nulls -= 1 }
        }
    }

    /// Whether nothing was ever put.
    var isMissing: Bool { count == nulls }

    func isNull(row: Int) -> Bool { row >= count || isNull[row] }

    /// Of a column of whole numbers; nil for a null.
    func integer(row: Int) -> Int64? {
        isNull(row: row) ? nil : values.load(fromByteOffset: row * 8, as: Int64.self)
    }

    /// A value as bytes, for a digest of the row: `nil` for a null.
    func withBytes<R>(row: Int, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        if isNull(row: row) { return body(nil) }
        if type == .text {
            return texts.withText(values.load(fromByteOffset: row * 4, as: Int32.self)) { body(UnsafeRawBufferPointer($0)) }
        }
        return body(UnsafeRawBufferPointer(start: values + row * stride, count: stride))
    }

    /// The first `rows` rows; those behind the last value are null.
    mutating func column(count rows: Int) -> Column {
        if isMissing { return .missing(type, count: rows) }
        makeRoom(upTo: rows)
        let flags = nulls == 0 ? Nulls.none : Nulls(isNull: Array(UnsafeBufferPointer(start: isNull, count: rows)))
        func array<T>(_ type: T.Type) -> [T] {
            Array(UnsafeBufferPointer(start: values.assumingMemoryBound(to: T.self), count: rows))
        }
        switch type {
        case .text: return .text(array(Int32.self), texts.dictionary())
        case .int64, .timestamp: return .integers(array(Int64.self), nulls: flags)
        case .decimal: return .decimals(array(Int128.self), nulls: flags)
        case .bool: return .bools(array(Bool.self), nulls: flags)
        }
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

    init() {
        (capacity, offsetCapacity, mask) = (1, 1, 0)
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
