import CZlib
import Common

/// Reads one JSON record (RFC 8259, strictly) and notes where the wanted values stand, without building anything.
///
/// The record must be one value, whole: a truncated or damaged one is refused with the byte where it went wrong.
/// Of a key that stands twice the last value counts.
struct JSONScanner {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private var at = 0
    private let tree: UnsafePointer<CompiledTree.Entry>
    private let orders: UnsafeMutablePointer<KeyOrder>
    private let slots: UnsafeMutablePointer<RawValue>
    private var problem: Problem?

    /// What is wrong with a record, for the quarantine; never quotes the record.
    struct Problem: Error, Equatable {
        let what: String
        let byte: Int
    }

    /// Deeper nesting is refused: nobody's log needs it, and it would overflow the stack.
    static let deepest = 512

    /// Fills `slots` (which the caller has cleared) from `record`. nil is success.
    static func scan(
        _ record: UnsafeBufferPointer<UInt8>, for tree: CompiledTree, into slots: UnsafeMutablePointer<RawValue>
    ) -> Problem? {
        guard let base = record.baseAddress else { return Problem(what: "is empty", byte: 0) }
        var scanner = JSONScanner(base: base, end: record.count, tree: tree, slots: slots)
        scanner.skipSpace()
        scanner.value(node: 0, depth: 0)
        scanner.skipSpace()
        if scanner.problem == nil, scanner.at < scanner.end { scanner.fail("has something after its end") }
        return scanner.problem
    }

    /// Reads the one value that a part of some bytes begins with, for the paths below a node of the tree; what follows it there is left.
    ///
    /// - Returns: where the value ends. A place in `problem` counts from the beginning of the bytes, as those of the values do.
    static func scanValue(
        _ bytes: UnsafeBufferPointer<UInt8>, _ part: Range<Int>, node: Int32 = 0, for tree: CompiledTree,
        into slots: UnsafeMutablePointer<RawValue>
    ) -> (end: Int, problem: Problem?) {
        guard let base = bytes.baseAddress else { return (0, Problem(what: "is empty", byte: 0)) }
        var scanner = JSONScanner(base: base, end: part.upperBound, tree: tree, slots: slots)
        scanner.at = part.lowerBound
        scanner.skipSpace()
        scanner.value(node: node, depth: 0)
        return (scanner.at, scanner.problem)
    }

    private init(base: UnsafePointer<UInt8>, end: Int, tree: CompiledTree, slots: UnsafeMutablePointer<RawValue>) {
        (self.base, self.end, self.tree, orders, self.slots) = (base, end, UnsafePointer(tree.entries), tree.orders, slots)
    }

    private mutating func fail(_ what: String) {
        if problem == nil { problem = Problem(what: what, byte: at) }
        at = end
    }

    @inline(__always) private mutating func skipSpace() {
        // Most records hold none.
        while at < end, base[at] <= 0x20, base[at] == 0x20 || base[at] == 0x0a || base[at] == 0x0d || base[at] == 0x09 {
            at &+= 1
        }
    }

    /// Reads one value; `node` is its place in the tree, or -1 where nothing below is wanted.
    @inline(__always) private mutating func value(node: Int32, depth: Int) {
        guard at < end else { return fail("ends in the middle") }
        let start = at
        var kind = RawValue.Kind.absent
        switch base[at] {
        case 0x7b:
            kind = .object
            object(node: node, depth: depth)
        case 0x5b:
            kind = .array
            array(node: node, depth: depth)
        case 0x22:
            let escaped = string()
            if node >= 0 { note(node, escaped ? .escapedString : .string, start + 1, at - 1) }
            return
        case 0x74:
            kind = .yes
            word("true")
        case 0x66:
            kind = .no
            word("false")
        case 0x6e:
            kind = .null
            word("null")
        default:
            kind = .number
            number()
        }
        if node >= 0 { note(node, kind, start, at) }
    }

    @inline(__always) private func note(_ node: Int32, _ kind: RawValue.Kind, _ start: Int, _ end: Int) {
        let slot = tree[Int(node)].slot
        if slot >= 0 { slots[Int(slot)] = RawValue(kind: kind, start: start, end: end) }
    }

    private mutating func object(node: Int32, depth: Int) {
        guard depth < JSONScanner.deepest else { return fail("is nested too deeply") }
        at += 1
        skipSpace()
        if at < end, base[at] == 0x7d {
            at += 1
            return
        }
        let firstChild = node >= 0 ? tree[Int(node)].firstChild : 0
        let childCount = node >= 0 ? tree[Int(node)].childCount : 0
        // Of an object in which nothing is wanted no order is kept.
        let order = childCount > 0 ? orders + Int(node) : nil
        var expected = 0
        while true {
            var child: Int32 = -1
            if let order, expected < order.pointee.count, isNext(order.pointee.keys[expected]) {
                child = order.pointee.keys[expected].child
                at &+= order.pointee.keys[expected].length
                expected &+= 1
            } else {
                guard at < end, base[at] == 0x22 else { return fail(at < end ? "lacks a key in quotes" : "ends in the middle") }
                let start = at + 1
                let escaped = string()
                if problem != nil { return }
                if let order {
                    child = find(firstChild, childCount, start, at - 1, escaped: escaped)
                    expected = order.pointee.place(
                        after: UnsafeBufferPointer(start: base + start, count: at - 1 - start), child: child)
                }
                skipSpace()
                guard at < end, base[at] == 0x3a else { return fail(at < end ? "lacks a colon" : "ends in the middle") }
                at += 1
            }
            skipSpace()
            // Only a nested value can leave something behind that its second appearance does not overwrite.
            if child >= 0, tree[Int(child)].childCount > 0 { forget(child) }
            value(node: child, depth: depth &+ 1)
            if problem != nil { return }
            skipSpace()
            guard at < end else { return fail("ends in the middle") }
            if base[at] == 0x7d {
                at += 1
                return
            }
            guard base[at] == 0x2c else { return fail("lacks a comma") }
            at &+= 1
            skipSpace()
        }
    }

    /// A key that stands twice: what the first one brought no longer counts.
    private func forget(_ node: Int32) {
        let entry = tree[Int(node)]
        if entry.slot >= 0 { slots[Int(entry.slot)].kind = .absent }
        for child in entry.firstChild..<entry.firstChild + entry.childCount { forget(child) }
    }

    /// Whether this very key stands here, from its quote to the colon.
    @inline(__always) private func isNext(_ key: KeyOrder.Key) -> Bool {
        end &- at >= key.length && sameBytes(base + at, key.bytes, key.length)
    }

    /// The child whose name is the key at these bytes, or -1.
    private func find(_ first: Int32, _ count: Int32, _ start: Int, _ stop: Int, escaped: Bool) -> Int32 {
        if escaped {
            let key = unescaped(UnsafeBufferPointer(start: base + start, count: stop - start))
            return (first..<first + count).first {
                key.elementsEqual(UnsafeBufferPointer(start: tree[Int($0)].name, count: Int(tree[Int($0)].length)))
            } ?? -1
        }
        for child in first..<first &+ count {
            let entry = tree[Int(child)]
            if Int(entry.length) == stop &- start, sameBytes(entry.name, base + start, stop &- start) { return child }
        }
        return -1
    }

    private mutating func array(node: Int32, depth: Int) {
        guard depth < JSONScanner.deepest else { return fail("is nested too deeply") }
        at += 1
        skipSpace()
        if at < end, base[at] == 0x5d {
            at += 1
            return
        }
        // A path names an element by its number: `choices.0.text`.
        let wantsElements = node >= 0 && tree[Int(node)].childCount > 0
        var number = 0
        while true {
            value(node: wantsElements ? element(number, of: tree[Int(node)]) : -1, depth: depth + 1)
            number += 1
            if problem != nil { return }
            skipSpace()
            guard at < end else { return fail("ends in the middle") }
            if base[at] == 0x5d {
                at += 1
                return
            }
            guard base[at] == 0x2c else { return fail("lacks a comma") }
            at += 1
            skipSpace()
        }
    }

    private func element(_ number: Int, of list: CompiledTree.Entry) -> Int32 {
        var digits = String(number)
        return digits.withUTF8 { digits in
            (list.firstChild..<list.firstChild + list.childCount).first { child in
                digits.elementsEqual(UnsafeBufferPointer(start: tree[Int(child)].name, count: Int(tree[Int(child)].length)))
            } ?? -1
        }
    }

    private mutating func word(_ word: StaticString) {
        let length = word.utf8CodeUnitCount
        guard end - at >= length else { return fail("ends in the middle") }
        for index in 0..<length where base[at + index] != word.utf8Start[index] { return fail("holds an unknown word") }
        at += length
    }

    @inline(__always) private mutating func number() {
        if base[at] == 0x2d { at += 1 }
        guard at < end, base[at] &- 0x30 <= 9 else { return fail("holds neither a value nor a number") }
        if base[at] == 0x30 { at += 1 } else { digits() }
        if at < end, base[at] == 0x2e {
            at += 1
            guard at < end, base[at] &- 0x30 <= 9 else { return fail("holds a number that ends with a point") }
            digits()
        }
        if at < end, base[at] | 0x20 == 0x65 {
            at += 1
            if at < end, base[at] == 0x2b || base[at] == 0x2d { at += 1 }
            guard at < end, base[at] &- 0x30 <= 9 else { return fail("holds a number whose exponent is empty") }
            digits()
        }
        if at < end, base[at] &- 0x30 <= 9 { fail("holds a number with a leading zero") }
    }

    @inline(__always) private mutating func digits() {
        while at < end, base[at] &- 0x30 <= 9 { at += 1 }
    }

    /// Reads a string from its opening to past its closing quote; says whether it holds escapes.
    @inline(__always) private mutating func string() -> Bool {
        at += 1
        var escaped = false
        while at < end {
            // Sixteen characters at a time: none below 0x20, none above 0x7f, no quote, no backslash.
            while at &+ 16 <= end {
                let plain = Int(vesper_plain_text(base + at))
                at &+= plain
                if plain < 16 { break }
            }
            guard at < end else { break }
            let byte = base[at]
            if byte == 0x22 {
                at += 1
                return escaped
            }
            if byte == 0x5c {
                escaped = true
                escape()
            } else if byte < 0x20 {
                fail("holds a bare control character in a string")
            } else if byte < 0x80 {
                at += 1
            } else {
                let length = sequenceLength(base + at, end - at)
                if length == 0 { fail("is not UTF-8") } else { at += length }
            }
            if problem != nil { return escaped }
        }
        fail("ends in the middle of a string")
        return escaped
    }

    private mutating func escape() {
        guard at + 1 < end else { return fail("ends in the middle of a string") }
        switch base[at + 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: at += 2
        case 0x75:
            guard let unit = fourHex(at + 2) else { return fail("holds a broken \\u escape") }
            if unit & 0xf800 != 0xd800 {
                at += 6
            } else if unit < 0xdc00, at + 7 < end, base[at + 6] == 0x5c, base[at + 7] == 0x75, let low = fourHex(at + 8),
                low & 0xfc00 == 0xdc00
            {
                at += 12
            } else {
                fail("holds half of a surrogate pair")
            }
        default: fail("holds an unknown escape")
        }
    }

    private func fourHex(_ start: Int) -> UInt32? {
        guard start + 4 <= end else { return nil }
        return hexUnit(base + start)
    }
}

/// The bytes of a string's content with its escapes resolved; the scanner has checked them.
func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    var at = 0
    while at < raw.count {
        let byte = raw[at]
        guard byte == 0x5c, at + 1 < raw.count else {
            out.append(byte)
            at += 1
            continue
        }
        at += 2
        switch raw[at - 1] {
        case 0x62: out.append(0x08)
        case 0x66: out.append(0x0c)
        case 0x6e: out.append(0x0a)
        case 0x72: out.append(0x0d)
        case 0x74: out.append(0x09)
        case 0x75:
            var scalar = hexUnit(raw.baseAddress! + at) ?? 0xfffd
            at += 4
            if scalar & 0xfc00 == 0xd800, at + 6 <= raw.count, let low = hexUnit(raw.baseAddress! + at + 2) {
                scalar = 0x10000 + (scalar & 0x3ff) << 10 + (low & 0x3ff)
                at += 6
            }
            out.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8)
        default: out.append(raw[at - 1])
        }
    }
    return out
}

private func hexUnit(_ digits: UnsafePointer<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    for index in 0..<4 {
        let byte = digits[index]
        switch byte {
        case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
        case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
        case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
        default: return nil
        }
    }
    return value
}

/// The length of the well-formed UTF-8 sequence that begins here (Unicode 15, table 3-7), or 0.
func sequenceLength(_ bytes: UnsafePointer<UInt8>, _ left: Int) -> Int {
    func continues(_ index: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xbf) -> Bool {
        index < left && bytes[index] >= low && bytes[index] <= high
    }
    switch bytes[0] {
    case 0xc2...0xdf: return continues(1) ? 2 : 0
    case 0xe0: return continues(1, 0xa0) && continues(2) ? 3 : 0
    case 0xed: return continues(1, 0x80, 0x9f) && continues(2) ? 3 : 0
    case 0xe1...0xef: return continues(1) && continues(2) ? 3 : 0
    case 0xf0: return continues(1, 0x90) && continues(2) && continues(3) ? 4 : 0
    case 0xf1...0xf3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xf4: return continues(1, 0x80, 0x8f) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
}
