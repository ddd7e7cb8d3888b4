/// The paths that a set of mappings wants from a record, as a tree that the scanner walks while it reads.
///
///     var tree = FieldTree()
///     tree.slot(for: "usage.input_tokens")   // 0
struct FieldTree: Sendable {
    struct Node: Sendable {
        var names: [[UInt8]] = []
        var children: [Int32] = []
        /// Where the value goes, or -1 where nobody wants the value itself.
        var slot: Int32 = -1
    }

    private(set) var nodes = [Node()]
    private(set) var slotCount = 0

    /// The place where the value at a dotted path will be found; the same path gets the same place.
    mutating func slot(for path: String) -> Int {
        var node = 0
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            let bytes = Array(name.utf8)
            if let known = nodes[node].names.firstIndex(of: bytes) {
                node = Int(nodes[node].children[known])
            } else {
                nodes.append(Node())
                nodes[node].names.append(bytes)
                nodes[node].children.append(Int32(nodes.count - 1))
                node = nodes.count - 1
            }
        }
        if nodes[node].slot < 0 {
            nodes[node].slot = Int32(slotCount)
            slotCount += 1
        }
        return Int(nodes[node].slot)
    }
}

/// Where in a record's bytes a wanted value stands; for strings without the quotes.
struct RawValue {
    enum Kind: UInt8 { case absent, null, no, yes, number, string, escapedString, array, object }
    var kind = Kind.absent
    var start = 0
    var end = 0
}
