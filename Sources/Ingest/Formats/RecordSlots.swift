import Common

/// Where the wanted values of one record stand: in its own bytes, or behind them where a text had to be resolved first.
///
/// The same object serves one record after another.
final class RecordSlots {
    let tree: CompiledTree
    let values: UnsafeMutablePointer<RawValue>
    /// Values that texts which are JSON do not replace: a column of its own goes before a path into another column.
    var kept: [Int] = []
    /// The record, and behind it what was resolved; nothing of both while no text was.
    private var resolved: UnsafeMutablePointer<UInt8>
    private var capacity = 4096
    private var count = 0

    init(_ tree: FieldTree) {
        self.tree = CompiledTree(tree)
        values = .allocate(capacity: self.tree.slotCount)
        resolved = .allocate(capacity: capacity)
        clear()
    }

    deinit {
        values.deallocate()
        resolved.deallocate()
    }

    func clear() {
        values.update(repeating: RawValue(), count: tree.slotCount)
        forgetTexts()
    }

    func forgetTexts() { count = 0 }

    /// What the values' places count in.
    @inline(__always) func bytes(of record: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        count == 0 ? record : UnsafeBufferPointer(start: resolved, count: count)
    }

    /// Hands a record over, once its values are found.
    func hand(
        _ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult, to body: (Record) throws -> Void
    ) throws {
        var scan = scan
        if case .whole = scan, let (path, problem) = readTexts(in: line) {
            scan = .refused(
                reason: "bad_json", detail: "the JSON in the text of \(path) \(problem.what), at byte \(problem.byte) of it",
                cut: nil)
        }
        try Record(number: number, line: line, values: UnsafePointer(values), bytes: bytes(of: line)).hand(scan, to: body)
    }

    /// Puts a text behind the record; where it stands there.
    func append(_ text: UnsafeBufferPointer<UInt8>, to record: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        if count == 0 { put(record) }
        let start = count
        put(text)
        return start..<count
    }

    private func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        if count + bytes.count > capacity {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * (capacity + bytes.count))
            larger.update(from: resolved, count: count)
            resolved.deallocate()
            (resolved, capacity) = (larger, 2 * (capacity + bytes.count))
        }
        if let base = bytes.baseAddress { (resolved + count).update(from: base, count: bytes.count) }
        count += bytes.count
    }

    /// Reads on below texts that are JSON themselves, where a wanted path leads there: `payload.model`.
    ///
    /// A text that does not look like an object or a list is a text, and has nothing below it; one that does must be whole. nil is success.
    func readTexts(in record: UnsafeBufferPointer<UInt8>) -> (path: String, problem: JSONScanner.Problem)? {
        for inner in tree.inner {
            let value = values[inner.slot]
            guard value.kind == .string || value.kind == .escapedString else { continue }
            var place = value.start..<value.end
            // Most texts are seen to be none at once; the first character may also be an escape.
            guard let first = bytes(of: record)[place].first(where: { !isSpace($0) }), [0x7b, 0x5b, 0x5c].contains(first) else {
                continue
            }
            if value.kind == .escapedString {
                place = unescaped(UnsafeBufferPointer(rebasing: bytes(of: record)[place])).withUnsafeBufferPointer {
                    append($0, to: record)
                }
            }
            guard looksLikeJSON(UnsafeBufferPointer(rebasing: bytes(of: record)[place])) else { continue }
            let before = kept.map { values[$0] }
            let (end, problem) = JSONScanner.scanValue(bytes(of: record), place, node: inner.node, for: tree, into: values)
            if let problem {
                return (inner.path, JSONScanner.Problem(what: problem.what, byte: problem.byte - place.lowerBound))
            }
            if let rest = bytes(of: record)[end..<place.upperBound].firstIndex(where: { !isSpace($0) }) {
                return (inner.path, JSONScanner.Problem(what: "has something after its end", byte: rest - place.lowerBound))
            }
            values[inner.slot] = value
            for (slot, value) in zip(kept, before) { values[slot] = value }
        }
        return nil
    }
}

/// Whether a text begins as an object with a key does, or as a list of objects or lists; `{name}` and `[draft]` do not.
private func looksLikeJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let marks = text.lazy.filter { !isSpace($0) }.prefix(2)
    switch marks.first {
    case 0x7b: return marks.dropFirst().first.map { $0 == 0x22 || $0 == 0x7d } ?? true
    case 0x5b: return marks.dropFirst().first.map { $0 == 0x7b || $0 == 0x5b || $0 == 0x5d } ?? true
    default: return false
    }
}
