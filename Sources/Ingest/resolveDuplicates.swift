import Common
import Lake

/// What becomes of rows that were just read, once rows with the same id are taken together (promise 2).
struct Resolution {
    enum Fate: UInt8 { case accepted, duplicate, reused }
    /// One for each new row.
    var fates: [Fate]
    /// Stored rows that must leave because a new row goes before them, by part.
    var displaced: [Part: Set<Int>] = [:]
    /// Where each displaced row came from, and what it became: duplicate or reused.
    var displacedOrigins: [(source: String, file: String, record: Int64, day: Day, fate: Fate)] = []
}

/// Finds rows with the same id in the same scope, among the new rows and against the stored ones, and decides which stays.
///
/// Same id and same values: the least (time, source file, record) stays, the others are duplicates. Same id, other values: the least
/// stays and the others are refused as reused; or, where the source says `keep: last`, the greatest (output tokens, time, source
/// file, record) stays and the others are duplicates. Two different ids are never merged.
func resolveDuplicates(
    _ new: Batch, log: Log, sources: [String: Source], stored: [(part: Part, file: ParquetFile)]
) throws -> Resolution {
    let identity = log.identity
    var resolution = Resolution(fates: [Resolution.Fate](repeating: .accepted, count: new.count))
    let keys = RowKeys(new, identity: identity, sources: sources)

    // Rows with equal keys form chains: `last[key]` is the newest of them, `earlier` leads back.
    var last = [RowKey: Int32](minimumCapacity: new.count)
    var earlier = [Int32](repeating: -1, count: new.count)
    for row in 0..<new.count {
        if let before = last.updateValue(Int32(row), forKey: keys[row]) { earlier[row] = before }
    }

    // The stored rows that have one of these keys.
    var hits: [RowKey: [RowRef]] = [:]
    let keySpecs = log.columns.filter { identity.contains($0.name) } + [ColumnSpec("source", .text)]
    for (part, file) in stored {
        var found: [(row: Int, key: RowKey)] = []
        var start = 0
        for group in file.groups.indices {
            let batch = try file.read(group: group, columns: keySpecs)
            let storedKeys = RowKeys(batch, identity: identity, sources: sources)
            for row in 0..<batch.count where last[storedKeys[row]] != nil { found.append((start + row, storedKeys[row])) }
            start += batch.count
        }
        guard !found.isEmpty else { continue }
        let whole = StoredPart(part: part, batch: try file.readAll(columns: new.specs))
        for (row, key) in found { hits[key, default: []].append(RowRef(batch: whole.batch, row: row, part: part)) }
    }

    for row in 0..<new.count where last[keys[row]] == Int32(row) && (earlier[row] >= 0 || hits[keys[row]] != nil) {
        var chain: [RowRef] = []
        var at = Int32(row)
        while at >= 0 {
            chain.append(RowRef(batch: new, row: Int(at), part: nil))
            at = earlier[Int(at)]
        }
        // A key is a hash: rows whose ids are not really equal are told apart here.
        for rows in Dictionary(grouping: (hits[keys[row]] ?? []) + chain, by: { $0.identity(identity, sources) }).values where rows.count > 1 {
            decide(rows, log: log, sources: sources, &resolution)
        }
    }
    return resolution
}

private func decide(_ rows: [RowRef], log: Log, sources: [String: Source], _ resolution: inout Resolution) {
    let keepLast = rows.contains { sources[$0.source]?.keepLast ?? false }
    let ordered = rows.sorted { a, b in
        let (first, second) = (a.order(log, byTokens: keepLast), b.order(log, byTokens: keepLast))
        if first != second { return keepLast ? second < first : first < second }
        return a.part != nil && b.part == nil  // the very same record, read again: what is stored stays
    }
    guard let winner = ordered.first else { return }
    for row in ordered.dropFirst() {
        let fate: Resolution.Fate = keepLast || row.hasSameValues(as: winner) ? .duplicate : .reused
        if let part = row.part {
            resolution.displaced[part, default: []].insert(row.row)
            resolution.displacedOrigins.append((row.source, row.file, row.record, part.day, fate))
        } else {
            resolution.fates[row.row] = fate
        }
    }
}

private struct StoredPart {
    let part: Part
    let batch: Batch
}

/// A row, new or stored.
private struct RowRef {
    let batch: Batch
    let row: Int
    /// nil for a new row.
    let part: Part?

    var source: String { batch["source"]?.text(at: row) ?? "" }
    var file: String { batch["source_file"]?.text(at: row) ?? "" }
    var record: Int64 { batch["source_record"]?.integer(at: row) ?? 0 }

    func identity(_ columns: [String], _ sources: [String: Source]) -> [String] {
        [sources[source]?.idScope ?? source] + columns.map { name in
            guard let column = batch[name] else { return "" }
            return column.text(at: row) ?? column.integer(at: row).map(String.init) ?? ""
        }
    }

    func order(_ log: Log, byTokens: Bool) -> RowOrder {
        let tokens = byTokens ? batch["output_tokens"]?.integer(at: row) ?? 0 : 0
        return RowOrder(tokens: tokens, time: batch[log.timeColumn]?.integer(at: row) ?? 0, file: file, record: record)
    }

    /// Whether all columns but those of the origin agree.
    func hasSameValues(as other: RowRef) -> Bool {
        let origin = Set(Log.originColumns.map(\.name))
        return batch.specs.allSatisfy { spec in
            if origin.contains(spec.name) { return true }
            guard let mine = batch[spec.name], let theirs = other.batch[spec.name] else { return false }
            return mine.text(at: row) == theirs.text(at: other.row) && mine.integer(at: row) == theirs.integer(at: other.row)
                && mine.decimal(at: row) == theirs.decimal(at: other.row) && mine.bool(at: row) == theirs.bool(at: other.row)
        }
    }
}

private struct RowOrder: Comparable {
    let tokens: Int64
    let time: Int64
    let file: String
    let record: Int64

    static func < (a: RowOrder, b: RowOrder) -> Bool {
        if a.tokens != b.tokens { return a.tokens < b.tokens }
        if a.time != b.time { return a.time < b.time }
        if a.file != b.file { return a.file.utf8.lexicographicallyPrecedes(b.file.utf8) }
        return a.record < b.record
    }
}

/// A hash of scope and id; equal ids have equal keys, and the few false friends are told apart afterwards.
private struct RowKey: Hashable {
    let a: UInt64
    let b: UInt64
}

private struct RowKeys {
    private let keys: [RowKey]

    subscript(row: Int) -> RowKey { keys[row] }

    init(_ batch: Batch, identity: [String], sources: [String: Source]) {
        guard case .text(let sourceCodes, let sourceNames)? = batch["source"] else {
            keys = []
            return
        }
        let scopes = (0..<Int32(sourceNames.count)).map { code in
            let name = sourceNames[code]
            return (sources[name]?.idScope ?? name).withContiguousUTF8 { mix($0, into: RowKey(a: 0x9E37_79B9_7F4A_7C15, b: 0xC2B2_AE3D_27D4_EB4F)) }
        }
        var keys = sourceCodes.map { scopes[Int($0)] }
        for name in identity {
            switch batch[name] {
            case .text(let codes, let dictionary)?:
                dictionary.bytes.withUnsafeBufferPointer { bytes in
                    for row in keys.indices where codes[row] >= 0 {
                        let range = Int(dictionary.offsets[Int(codes[row])])..<Int(dictionary.offsets[Int(codes[row]) + 1])
                        keys[row] = mix(UnsafeBufferPointer(rebasing: bytes[range]), into: keys[row])
                    }
                }
            case .integers(let values, _)?:
                for row in keys.indices {
                    withUnsafeBytes(of: values[row]) { keys[row] = mix($0.bindMemory(to: UInt8.self), into: keys[row]) }
                }
            default: break
            }
        }
        self.keys = keys
    }
}

private func mix(_ bytes: UnsafeBufferPointer<UInt8>, into key: RowKey) -> RowKey {
    var a = (key.a ^ UInt64(bytes.count)) &* 0xff51_afd7_ed55_8ccd
    var b = (key.b ^ UInt64(bytes.count)) &* 0xc4ce_b9fe_1a85_ec53
    let raw = UnsafeRawBufferPointer(bytes)
    var at = 0
    while at < raw.count {
        var word: UInt64 = 0
        if at + 8 <= raw.count {
            word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        } else {
            for index in at..<raw.count { word = word << 8 | UInt64(raw[index]) }
        }
        a = (a ^ word) &* 0x9FB2_1C65_1E98_DF25
        a ^= a >> 29
        b = (b &+ word) &* 0xD6E8_FEB8_6659_FD93
        b ^= b >> 32
        at += 8
    }
    return RowKey(a: a ^ (a >> 31), b: b ^ (b >> 28))
}
