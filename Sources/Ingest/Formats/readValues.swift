import Common

/// Hands over the values of a JSON file, one by one: the elements of lists, and what stands outside of one. Memory is bounded by a record.
///
/// Brackets and commas of a list are held to the grammar: where a record, a comma or the end of the list is missing, a refused record
/// says so. A damaged element ends where its brackets do, or where the next line begins as its own did.
func readValues(
    _ input: RecordInput, longest: Int, _ slots: RecordSlots,
    _ hand: (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws -> Void
) throws -> (records: Int64, endsWhole: Bool) {
    try input.skipByteOrderMark()
    var reader = ValueReader(input: input, longest: longest, slots: slots)
    try reader.readAll(hand)
    // A list has its end behind its last record: a file that has grown is another file.
    return (reader.number, false)
}

private struct ValueReader {
    typealias Hand = (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws -> Void

    let input: RecordInput
    let longest: Int
    let slots: RecordSlots
    private(set) var number: Int64 = 0
    private var atEnd = false
    private var place = Place.outside
    /// The white space before whatever comes next on its line; nil where something stands there already.
    private var indent: Int? = 0

    private enum Place {
        case outside
        /// Within a list: behind its bracket, behind a comma, behind a record, behind a record whose end had to be guessed.
        case begun, comma, record, guessed
    }

    init(input: RecordInput, longest: Int, slots: RecordSlots) {
        (self.input, self.longest, self.slots) = (input, longest, slots)
    }

    mutating func readAll(_ hand: Hand) throws {
        while let next = try nextByte() {
            switch (place, next) {
            case (.outside, 0x5b): mark(.begun)
            case (.begun, 0x5d), (.record, 0x5d), (.guessed, 0x5d): mark(.outside)
            case (.comma, 0x5d):
                try refuse("is missing between a comma and the end of the list", hand)
                mark(.outside)
            case (.record, 0x2c), (.guessed, 0x2c): mark(.comma)
            case (.begun, 0x2c), (.comma, 0x2c):
                try refuse("is missing before a comma", hand)
                mark(.comma)
            default: try value(beginsWith: next, hand)
            }
        }
        if place != .outside {
            try refuse("is missing: the list is not closed before the file ends, so that more of it may be missing", hand)
        }
    }

    /// The next byte that is no space, which is not used yet; nil at the end.
    private mutating func nextByte() throws -> UInt8? {
        while true {
            let bytes = input.bytes
            var at = 0
            while at < bytes.count, isSpace(bytes[at]) {
                indent = bytes[at] == 0x0a ? 0 : indent.map { $0 + 1 }
                at += 1
            }
            let next = at < bytes.count ? bytes[at] : nil
            input.use(at)
            if let next { return next }
            guard try input.more() else { return nil }
        }
    }

    /// Uses a bracket or a comma.
    private mutating func mark(_ next: Place) {
        input.use(1)
        place = next
    }

    /// For a record that is not there.
    private mutating func refuse(_ what: String, _ hand: Hand) throws {
        number += 1
        slots.clear()
        try hand(
            number, UnsafeBufferPointer(start: nil, count: 0),
            .refused(reason: "bad_json", detail: "the record \(what)", cut: nil))
    }

    // MARK: - One value

    private mutating func value(beginsWith first: UInt8, _ hand: Hand) throws {
        number += 1
        let lacksComma = place == .record
        while true {
            let bytes = input.bytes
            // The limit is the same wherever a read happened to end.
            let part = 0..<min(bytes.count, longest + ValueReader.lookAhead)
            slots.clear()
            let (end, problem) = JSONScanner.scanValue(bytes, part, for: slots.tree, into: slots.values)
            let isOpen = first != 0x7b && first != 0x5b && first != 0x22 && end == part.upperBound
            let mayGoOn = problem.map { $0.byte + ValueReader.lookAhead > part.upperBound } ?? isOpen
            if mayGoOn, part.upperBound == bytes.count, bytes.count < longest + ValueReader.lookAhead, !atEnd {
                try readOn(to: 2 * bytes.count)
                continue
            }
            if problem == nil, end <= longest {
                let scan: ScanResult =
                    lacksComma
                    ? .refused(reason: "bad_json", detail: "a comma is missing before the record", cut: nil) : .whole
                try hand(number, UnsafeBufferPointer(rebasing: bytes[0..<end]), scan)
                input.use(end)
                (place, indent) = (place == .outside ? .outside : .record, nil)
                return
            }
            let isTooLong = problem == nil || (mayGoOn && part.upperBound > longest)
            return try skip(first, isTooLong ? nil : problem, hand)
        }
    }

    /// So far beyond the place of a problem the scanner may have looked: a pair of escaped surrogates has 12 bytes.
    private static let lookAhead = 16

    private mutating func readOn(to count: Int) throws {
        while input.bytes.count < count, !atEnd { atEnd = try !input.more() }
    }

    /// Refuses a value that is damaged, or too long, and goes to where the next one may begin.
    private mutating func skip(_ first: UInt8, _ problem: JSONScanner.Problem?, _ hand: Hand) throws {
        var search = RecordEnd(first, indent: indent, inList: place != .outside)
        var long: LongRecord?
        var searched = 0
        var found: Int?
        while true {
            let bytes = input.bytes
            found = search.find(in: bytes, from: searched)
            searched = found ?? bytes.count
            if searched > longest || long != nil {
                let passed = UnsafeBufferPointer(rebasing: bytes[0..<searched])
                if long == nil { long = LongRecord(passed) } else { long?.append(passed) }
                input.use(searched)
                searched = 0
            }
            if found != nil || atEnd { break }
            atEnd = try !input.more()
        }
        slots.clear()
        if let long {
            try long.finish { try hand(number, $0, refusal(problem, $1, search, isLast: found == nil)) }
        } else {
            var line = UnsafeBufferPointer(rebasing: input.bytes[0..<searched])
            while let last = line.last, isSpace(last) || (search.isGuessed && place != .outside && last == 0x2c) {
                line = .init(rebasing: line.dropLast())
            }
            try hand(number, line, refusal(problem, nil, search, isLast: found == nil))
            input.use(searched)
        }
        indent = search.margin
        if place != .outside { place = found == nil ? .outside : search.isGuessed ? .guessed : .record }
    }

    private func refusal(_ problem: JSONScanner.Problem?, _ cut: CutRecord?, _ search: RecordEnd, isLast: Bool) -> ScanResult {
        if let cut, problem == nil { return .tooLong(cut, longest: longest) }
        guard let problem else {
            return .refused(
                reason: "bad_json", detail: "the record is not closed before a line that begins as its own does", cut: cut)
        }
        // Where a file ends in the middle of a record, nothing else is lost with it.
        let rest =
            isLast && !problem.what.hasPrefix("ends")
            ? "; where the next one begins is not clear, so the rest of the file is refused with it" : ""
        return .refused(reason: "bad_json", detail: "the record \(problem.what), at byte \(problem.byte)\(rest)", cut: cut)
    }
}

/// Looks for the end of a value that is damaged or too long to be held, piece by piece.
///
/// It ends with its last bracket, or before a line that begins as its own line does: with the same bracket, no deeper than it. Lists
/// are mostly written with a record on each line, or with the lines of each record indented.
private struct RecordEnd {
    private let first: UInt8
    private let indent: Int?
    private let inList: Bool
    /// The brackets that are open.
    private var open: [UInt8] = []
    /// Brackets that do not fit say nothing more about where the value ends.
    private var isTangled = false
    private var inText = false
    private var isEscaped = false
    /// The white space so far on a line that has nothing else yet but a comma.
    private(set) var margin: Int?
    /// Whether the end follows from how the lines are laid out.
    private(set) var isGuessed = false
    private var isBegun = false

    init(_ first: UInt8, indent: Int?, inList: Bool) {
        (self.first, self.indent, self.inList) = (first, indent, inList)
    }

    /// Where the value ends; where that is a guess, the next one may begin there. nil where it is not among these bytes.
    mutating func find(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x0a {
                // JSON has no line ends in texts: a text that was left open ends here.
                (inText, isEscaped) = (false, false)
                if isScalar || first == 0x22 {
                    isGuessed = true
                    return at
                }
                margin = indent == nil ? nil : 0
            } else if let width = margin {
                if byte == first, width <= indent ?? 0 {
                    isGuessed = true
                    return at
                }
                margin = isSpace(byte) ? width + 1 : byte == 0x2c ? width : nil
            }
            if isScalar {
                if isBegun, byte == 0x7b || byte == 0x5b || (inList && (byte == 0x2c || byte == 0x5d)) { return at }
            } else if inText {
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5c {
                    isEscaped = true
                } else if byte == 0x22 {
                    inText = false
                }
                if !inText, first == 0x22 { return at + 1 }
            } else {
                switch byte {
                case 0x22: inText = true
                case 0x7b, 0x5b:
                    if open.count > JSONScanner.deepest { isTangled = true } else { open.append(byte) }
                case 0x7d, 0x5d:
                    // In ASCII a bracket that closes stands two behind the one that opens.
                    if open.popLast() != byte - 2 { isTangled = true }
                    if open.isEmpty, !isTangled {
                        margin = nil
                        return at + 1
                    }
                default: break
                }
            }
            isBegun = true
            at += 1
        }
        return nil
    }

    private var isScalar: Bool { first != 0x7b && first != 0x5b && first != 0x22 }
}
