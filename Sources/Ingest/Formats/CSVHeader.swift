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
                "The header has none of the columns that the job reads here. It has \(few(names.map { String(decoding: $0, as: UTF8.self) })); the job reads \(few(wanted)). Map its columns in the job, or say which format the file has.",
                at: Place(path: path, line: 1))
        }
        self.slots = slots
        kept = found.filter { name, _ in found.keys.contains { name.hasPrefix($0 + ".") } }.map(\.value).sorted()
    }
}

/// The first names of a list as a sentence has them.
private func few(_ names: [String]) -> String {
    let most = 12
    guard names.count > most else { return listed(names) }
    return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}
