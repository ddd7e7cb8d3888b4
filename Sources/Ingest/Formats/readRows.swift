import Common

/// Hands over the rows of a CSV file behind its header, which says where the wanted fields stand.
///
/// A field without quotes that is empty is null, one with quotes is an empty text. A row that is damaged ends with the line on which its
/// damaged field begins, and reading goes on behind it: a quote that is never closed takes one line with it and not the file.
func readRows(
    _ input: RecordInput, path: String, _ form: CSVForm, longest: Int, _ slots: RecordSlots,
    _ hand: (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws -> Void
) throws -> (records: Int64, endsWhole: Bool) {
    try input.skipByteOrderMark()
    var reader = RowReader(input: input, path: path, form: form, longest: longest, slots: slots)
    try reader.readAll(hand)
    return (reader.number, reader.endsWhole)
}

private struct RowReader {
    typealias Hand = (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws -> Void

    let input: RecordInput
    let path: String
    let form: CSVForm
    let longest: Int
    let slots: RecordSlots
    private var header: CSVHeader?
    private(set) var number: Int64 = 0
    private(set) var endsWhole = true
    private var atEnd = false
    /// Of the row that was scanned last: how many fields it has, and the wanted ones in which quotes are doubled.
    private var fields = 0
    private var doubled: [(slot: Int, place: Range<Int>)] = []
    /// A quote that is open at the end of the file may be closed when there is more of it, and its rows are others then.
    private var isUnsettled = false

    init(input: RecordInput, path: String, form: CSVForm, longest: Int, slots: RecordSlots) {
        (self.input, self.path, self.form, self.longest, self.slots) = (input, path, form, longest, slots)
    }

    mutating func readAll(_ hand: Hand) throws {
        while try !isDone() {
            if try skipBlankLine() { continue }
            let bytes = input.bytes
            // The limit is the same wherever a read happened to end; two bytes more are those of a line end.
            let part = UnsafeBufferPointer(rebasing: bytes[0..<min(bytes.count, longest + 2)])
            let isLast = atEnd && part.count == bytes.count
            let mayGrow = !atEnd && part.count < longest + 2
            guard let header else {
                try readHeader(part, isLast: isLast, mayGrow: mayGrow)
                continue
            }
            switch scan(part, header, isLast: isLast) {
            case .row(let end, let next) where end <= longest:
                try row(UnsafeBufferPointer(rebasing: part[0..<end]), header, hand)
                endsWhole = part[next - 1] == 0x0a
                input.use(next)
            case .open where mayGrow: try readOn(to: 2 * bytes.count)
            case .damaged(let damage): try refuse(damage, hand)
            case .open(let opened?):
                let what = "has a quote that is not closed within \(grouped(longest)) bytes, and no more are read"
                try refuse(.init(what: what, byte: opened, opened: opened), hand)
            case .row, .open: try refuseLong(from: 0, hand)
            }
        }
        if isUnsettled { endsWhole = false }
    }

    private mutating func isDone() throws -> Bool {
        if input.bytes.isEmpty { try readOn(to: 1) }
        return input.bytes.isEmpty
    }

    private mutating func readOn(to count: Int) throws {
        while input.bytes.count < count, !atEnd { atEnd = try !input.more() }
    }

    /// A blank line is no record.
    private mutating func skipBlankLine() throws -> Bool {
        if input.bytes[0] == 0x0d { try readOn(to: 2) }
        let bytes = input.bytes
        let length = bytes[0] == 0x0a ? 1 : bytes[0] != 0x0d ? 0 : bytes.count == 1 ? 1 : bytes[1] == 0x0a ? 2 : 0
        if length > 0 { endsWhole = bytes[length - 1] == 0x0a }
        input.use(length)
        return length > 0
    }

    private mutating func readHeader(_ part: UnsafeBufferPointer<UInt8>, isLast: Bool, mayGrow: Bool) throws {
        func refusal(_ what: String) -> Failure {
            Failure("The header \(what). Export the file again, or say which format it has.", at: Place(path: path))
        }
        var names: [[UInt8]] = []
        let scan = scanRow(part, delimiter: form.delimiter, isLast: isLast) { start, end, style in
            let raw = UnsafeBufferPointer(rebasing: part[start..<end])
            names.append(style == .doubled ? undoubled(raw) : Array(raw))
        }
        switch scan {
        case .row(let end, let next) where end <= longest:
            if let (what, byte) = textProblem(UnsafeBufferPointer(rebasing: part[0..<end])) {
                throw refusal("\(what), at byte \(byte)")
            }
            let header = try CSVHeader(names, slots.tree, path: path)
            slots.kept = header.kept
            self.header = header
            endsWhole = part[next - 1] == 0x0a
            input.use(next)
        case .open where mayGrow: try readOn(to: 2 * part.count)
        case .damaged(let damage): throw refusal("\(damage.what), at byte \(damage.byte)")
        case .row, .open: throw refusal("has more than \(grouped(longest)) bytes, which is the most that are read")
        }
    }

    // MARK: - One row

    private mutating func scan(_ part: UnsafeBufferPointer<UInt8>, _ header: CSVHeader, isLast: Bool) -> RowScan {
        slots.clear()
        doubled.removeAll(keepingCapacity: true)
        var fields = 0
        defer { self.fields = fields }
        return header.slots.withUnsafeBufferPointer { wanted in
            scanRow(part, delimiter: form.delimiter, isLast: isLast) { start, end, style in
                let slot = fields < wanted.count ? wanted[fields] : -1
                fields &+= 1
                guard slot >= 0 else { return }
                var isNull = false
                switch style {
                case .plain: isNull = start == end || (!form.nulls.isEmpty && isNullText(part[start..<end]))
                case .quoted: isNull = start == end && form.emptyTextIsNull
                case .doubled: doubled.append((slot, start..<end))
                }
                slots.values[slot] = RawValue(kind: isNull ? .null : .string, start: start, end: end)
            }
        }
    }

    private func isNullText(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool { form.nulls.contains { text.elementsEqual($0) } }

    private mutating func row(_ line: UnsafeBufferPointer<UInt8>, _ header: CSVHeader, _ hand: Hand) throws {
        number += 1
        if fields != header.count {
            let detail = "the record has \(counted(fields, "field")); the header has \(grouped(header.count))"
            return try hand(number, line, .refused(reason: "bad_csv", detail: detail, cut: nil))
        }
        if let (what, byte) = textProblem(line) {
            return try hand(
                number, line, .refused(reason: "bad_csv", detail: "the record \(what), at byte \(byte)", cut: nil))
        }
        for (slot, place) in doubled {
            let text = undoubled(UnsafeBufferPointer(rebasing: line[place]))
            let stands = text.withUnsafeBufferPointer { slots.append($0, to: line) }
            slots.values[slot] = RawValue(kind: .string, start: stands.lowerBound, end: stands.upperBound)
        }
        try hand(number, line, .whole)
    }

    // MARK: - Damage

    /// Refuses a row up to the end of the line on which its damaged field begins.
    private mutating func refuse(_ damage: RowScan.Damage, _ hand: Hand) throws {
        let bytes = input.bytes
        let newline = firstNewline(bytes, damage.opened)
        if newline == nil, !atEnd, bytes.count < longest + 2 { return try readOn(to: 2 * bytes.count) }
        let line = withoutReturn(UnsafeBufferPointer(rebasing: bytes[0..<(newline ?? bytes.count)]))
        guard line.count <= longest, newline != nil || atEnd else { return try refuseLong(from: damage.opened, hand) }
        if damage.isOpenAtEnd { isUnsettled = true }
        number += 1
        slots.clear()
        try hand(
            number, line,
            .refused(reason: "bad_csv", detail: "the record \(damage.what), at byte \(damage.byte)", cut: nil))
        endsWhole = newline != nil
        input.use(newline.map { $0 + 1 } ?? bytes.count)
    }

    /// Refuses a row that is too long to be held, up to the first line end from a place on.
    private mutating func refuseLong(from start: Int, _ hand: Hand) throws {
        var long = LongRecord(UnsafeBufferPointer(start: nil, count: 0))
        var searched = start
        var newline = firstNewline(input.bytes, searched)
        while newline == nil, !atEnd {
            // The last byte may be half of a line end.
            let passed = max(0, input.bytes.count - 1)
            long.append(UnsafeBufferPointer(rebasing: input.bytes[0..<passed]))
            input.use(passed)
            atEnd = try !input.more()
            searched = max(0, searched - passed)
            newline = firstNewline(input.bytes, searched)
        }
        let rest = input.bytes.count
        long.append(withoutReturn(UnsafeBufferPointer(rebasing: input.bytes[0..<(newline ?? rest)])))
        number += 1
        slots.clear()
        try long.finish { try hand(number, $0, .tooLong($1, longest: longest)) }
        endsWhole = newline != nil
        input.use(newline.map { $0 + 1 } ?? rest)
    }
}

private func withoutReturn(_ line: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    line.last == 0x0d ? UnsafeBufferPointer(rebasing: line.dropLast()) : line
}
