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

    /// The place where the whole record will be found.
    mutating func slotOfAll() -> Int { slot(of: 0) }

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
        return slot(of: node)
    }

    private mutating func slot(of node: Int) -> Int {
        if nodes[node].slot < 0 {
            nodes[node].slot = Int32(slotCount)
            slotCount += 1
        }
        return Int(nodes[node].slot)
    }
}

/// A tree of wanted paths on raw memory, as the scanner walks it.
final class CompiledTree {
    /// One place in the tree: its children stand one after another in `entries`.
    struct Entry {
        let name: UnsafePointer<UInt8>
        let length: Int32
        /// Where the value goes, or -1 where nobody wants the value itself.
        let slot: Int32
        let firstChild: Int32
        let childCount: Int32
    }

    let entries: UnsafeMutablePointer<Entry>
    /// For each entry, in which order the keys of its object came so far.
    let orders: UnsafeMutablePointer<KeyOrder>
    let slotCount: Int
    /// So many of the slots, the first ones, were asked for.
    let wantedCount: Int
    /// The dotted path of every place but the top, and where a value at it goes.
    let paths: [(path: String, slot: Int)]
    /// The places that paths lead through: a text there may be JSON, which is read on then. Those above come before those below.
    let inner: [(path: String, slot: Int, node: Int32)]
    private let count: Int
    private let names: UnsafeMutablePointer<UInt8>

    init(_ tree: FieldTree) {
        var slots = tree.slotCount
        var paths: [(path: String, slot: Int)] = []
        var inner: [(path: String, slot: Int, node: Int32)] = []
        wantedCount = slots
        count = tree.nodes.count
        entries = .allocate(capacity: count)
        orders = .allocate(capacity: count)
        for index in 0..<count { (orders + index).initialize(to: KeyOrder()) }
        names = .allocate(capacity: tree.nodes.reduce(1) { $0 + $1.names.reduce(0) { $0 + $1.count } })
        // Breadth first, so that the children of one node are neighbours.
        var order: [(node: Int32, name: [UInt8], above: String)] = [(0, [], "")]
        var nameEnd = 0
        var at = 0
        while at < order.count {
            let (number, name, above) = order[at]
            let node = tree.nodes[Int(number)]
            let path = above + String(decoding: name, as: UTF8.self)
            var slot = node.slot
            if at > 0 {
                if slot < 0 {
                    slot = Int32(slots)
                    slots += 1
                }
                paths.append((path, Int(slot)))
                if !node.children.isEmpty { inner.append((path, Int(slot), Int32(at))) }
            }
            (names + nameEnd).update(from: name, count: name.count)
            (entries + at).initialize(
                to: Entry(
                    name: UnsafePointer(names + nameEnd), length: Int32(name.count), slot: slot,
                    firstChild: Int32(order.count), childCount: Int32(node.children.count)))
            nameEnd += name.count
            order += zip(node.children, node.names).map { ($0, $1, at == 0 ? "" : path + ".") }
            at += 1
        }
        slotCount = max(slots, 1)
        (self.paths, self.inner) = (paths, inner)
    }

    deinit {
        for index in 0..<count { orders[index].free() }
        orders.deallocate()
        entries.deallocate()
        names.deallocate()
    }
}

/// The keys of an object in the order in which records have brought them, wanted or not: exports write every record alike, so that the
/// next key is known before it is read, quotes and colon included. A guess only; what does not fit is read in full.
struct KeyOrder {
    struct Key {
        /// The bytes from the opening quote to the colon.
        let bytes: UnsafeMutablePointer<UInt8>
        let length: Int
        /// Its place in the tree, or -1 where nobody wants it.
        let child: Int32
    }

    /// Objects with more keys than this use keys as data, and never come in an order.
    private static let most = 96
    private static let longest = 256

    private(set) var keys: UnsafeMutablePointer<Key>
    private(set) var count = 0

    init() { keys = .allocate(capacity: KeyOrder.most) }

    func free() {
        for index in 0..<count { keys[index].bytes.deallocate() }
        keys.deallocate()
    }

    /// Where to look for the key that follows this one, which did not stand where it was expected.
    mutating func place(after text: UnsafeBufferPointer<UInt8>, child: Int32) -> Int {
        let length = text.count + 3
        for index in 0..<count where keys[index].length == length {
            if text.elementsEqual(UnsafeBufferPointer(start: keys[index].bytes + 1, count: text.count)) { return index + 1 }
        }
        guard count < KeyOrder.most, length <= KeyOrder.longest else { return 0 }
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: length)
        bytes[0] = 0x22
        if let base = text.baseAddress { (bytes + 1).update(from: base, count: text.count) }
        (bytes[length - 2], bytes[length - 1]) = (0x22, 0x3a)
        (keys + count).initialize(to: Key(bytes: bytes, length: length, child: child))
        count += 1
        return count
    }
}

/// Where in a record's bytes a wanted value stands; for strings without the quotes.
struct RawValue {
    enum Kind: UInt8 { case absent, null, no, yes, number, string, escapedString, array, object }
    var kind = Kind.absent
    private var first: UInt32 = 0
    private var last: UInt32 = 0

    var start: Int { Int(first) }
    var end: Int { Int(last) }

    init() {}

    /// A record has less than 4 GiB, so that a value needs 12 bytes and clearing a record's values little time.
    @inline(__always) init(kind: Kind, start: Int, end: Int) {
        (self.kind, first, last) = (kind, UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: end))
    }
}
