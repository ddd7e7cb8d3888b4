import Common

/// Hands over the elements of a list as records, each with what its path names in the element and around it.
final class ElementReader {
    private let path: ElementPath
    /// Where the first list stands among the values that all sources of the file share.
    private let first: Int
    /// What is wanted of the record around the lists: where it stands there, and here.
    private var around: [(from: Int, to: Int)] = []
    private var levels: [Level] = []
    private var places: [String: Int] = [:]
    private let values: UnsafeMutablePointer<RawValue>
    private let valueCount: Int
    private var number: Int64 = 0

    /// What is wanted of the elements of one list.
    private struct Level {
        let tree: CompiledTree
        /// Where its values begin.
        let start: Int
        /// Where the next list stands among them.
        let list: Int?
    }

    /// - Parameter paths: what will be asked for, written from the whole record on.
    init(_ path: ElementPath, wanting paths: [String], in tree: inout FieldTree) {
        self.path = path
        first = tree.slot(for: path.lists[0])
        var trees = path.lists.map { _ in FieldTree() }
        var found: [(path: String, level: Int, slot: Int)] = []
        for wanted in Set(paths).sorted() {
            let (level, rest) = path.place(of: wanted)
            if level == 0 {
                places[wanted] = around.count
                around.append((tree.slot(for: rest), around.count))
            } else {
                found.append((wanted, level - 1, rest.isEmpty ? trees[level - 1].slotOfAll() : trees[level - 1].slot(for: rest)))
            }
        }
        let lists = path.lists.dropFirst().enumerated().map { trees[$0.offset].slot(for: $0.element) }
        var start = max(1, around.count)
        for (level, tree) in trees.enumerated() {
            levels.append(Level(tree: CompiledTree(tree), start: start, list: level < lists.count ? lists[level] : nil))
            start += levels[level].tree.slotCount
        }
        valueCount = start
        values = .allocate(capacity: valueCount)
        for (wanted, level, slot) in found { places[wanted] = levels[level].start + slot }
    }

    deinit { values.deallocate() }

    /// Where the value of a path that was wanted stands in the records handed over.
    func slot(for path: String) -> Int {
        guard let place = places[path] else { preconditionFailure("the path \(path) was not wanted") }
        return place
    }

    /// Hands over the elements that a record holds; a record that is refused is handed on as it is.
    func read(_ record: Record, _ body: (Record) throws -> Void) throws {
        func whole(_ scan: ScanResult) throws {
            number += 1
            try Record(number: number, line: record.line, values: UnsafePointer(values), bytes: record.bytes).hand(scan, to: body)
        }
        guard case .whole = record.scan else { return try whole(record.scan) }
        let list = record.values[first]
        if list.kind == .absent || list.kind == .null { return }
        guard list.kind == .array else {
            return try whole(noList(path.lists[0], list.kind))
        }
        values.update(repeating: RawValue(), count: valueCount)
        for (from, to) in around { values[to] = record.values[from] }
        try elements(list, level: 0, record, body)
    }

    private func noList(_ name: String, _ kind: RawValue.Kind) -> ScanResult {
        .refused(reason: "bad_value", detail: "\(name) is \(kind.phrase), which is no list", cut: nil)
    }

    private func elements(_ list: RawValue, level: Int, _ record: Record, _ body: (Record) throws -> Void) throws {
        func hand(_ element: Range<Int>, _ scan: ScanResult) throws {
            number += 1
            try Record(
                number: number, line: UnsafeBufferPointer(rebasing: record.bytes[element]), values: UnsafePointer(values),
                bytes: record.bytes
            ).hand(scan, to: body)
        }
        let here = levels[level]
        let slots = values + here.start
        var at = list.start + 1
        while true {
            // The scanner has found the list whole, so that a comma or its end follows every element.
            while at < list.end, isSpace(record.bytes[at]) || record.bytes[at] == 0x2c { at += 1 }
            guard at < list.end - 1 else { return }
            slots.update(repeating: RawValue(), count: here.tree.slotCount)
            let (end, _) = JSONScanner.scanValue(record.bytes, at..<list.end - 1, for: here.tree, into: slots)
            guard end > at else { return }
            switch here.list.map({ slots[$0] }) {
            case nil: try hand(at..<end, .whole)
            case let list? where list.kind == .array: try elements(list, level: level + 1, record, body)
            case let list? where list.kind == .absent || list.kind == .null: break
            case let list?: try hand(at..<end, noList(path.lists[level + 1], list.kind))
            }
            at = end
        }
    }
}
