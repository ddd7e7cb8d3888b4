import Common

/// The first row of a CSV file: how many fields a row has, and which of them are wanted.
struct CSVHeader {
    let count: Int
    /// For each column the slot of its value, or -1.
    let slots: [Int]
    /// Slots that a column of its own fills, although a path into another column's JSON leads there too.
    let kept: [Int]

    /// A name is compared as a whole, dots included; a path may also begin with a column's name and go on in its JSON.
    init(_ names: [[UInt8]], _ tree: CompiledTree, path: String) throws {
        count = names.count
        var slots = [Int](repeating: -1, count: names.count)
        var found: [String: Int] = [:]
        for (name, slot) in tree.paths {
            let columns = names.indices.filter { names[$0].elementsEqual(name.utf8) }
            guard columns.count < 2 else {
                throw Failure(
                    "The header has the column \"\(name)\" twice, so that it is not clear which is meant. Rename one of them.",
                    at: Place(path: path, line: 1))
            }
            if let column = columns.first { (slots[column], found[name]) = (slot, slot) }
        }
        guard !found.isEmpty || tree.wantedCount == 0 else {
            let wanted = tree.paths.filter { $0.slot < tree.wantedCount }.map(\.path).sorted()
            throw Failure(
                "The header has none of the columns that the job reads here. It has \(CSVHeader.words(for: names)); the job reads \(few(wanted)). \(CSVHeader.advice(names))",
                at: Place(path: path, line: 1))
        }
        self.slots = slots
        kept = found.filter { name, _ in found.keys.contains { name.hasPrefix($0 + ".") } }.map(\.value).sorted()
    }
}

extension CSVHeader {
    /// The names themselves only where all look like names: in a file without a header they are somebody's data.
    private static func words(for names: [[UInt8]]) -> String {
        func isPlain(_ name: [UInt8]) -> Bool {
            guard let first = name.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7a || first == 0x5f, name.count <= 40 else {
                return false
            }
            return name.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || $0 &- 0x30 <= 9 || $0 == 0x5f || $0 == 0x2e }
        }
        return names.allSatisfy(isPlain) ? few(names.map { String(decoding: $0, as: UTF8.self) }) : counted(names.count, "column")
    }

    private static func advice(_ names: [[UInt8]]) -> String {
        let others: [(byte: UInt8, text: String)] = [(0x3b, ";"), (0x09, "\\t"), (0x7c, "|"), (0x2c, ",")]
        if names.count == 1, let other = others.first(where: { names[0].contains($0.byte) }) {
            return "Its fields seem to be divided by \"\(other.text)\": say delimiter: \"\(other.text)\" in the source."
        }
        return "Map its columns in the job, or say which format the file has."
    }
}

/// The first names of a list as a sentence has them.
private func few(_ names: [String]) -> String {
    let most = 12
    guard names.count > most else { return listed(names) }
    return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}
