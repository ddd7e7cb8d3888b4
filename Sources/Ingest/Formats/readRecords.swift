import Common

/// One record of a file; everything in it is valid during the call only that hands it over.
struct Record {
    /// Of its line in a file of JSON lines, otherwise its own among the file's records; from 1.
    let number: Int64
    /// As it stands in the file; only the beginning of a record that was cut.
    let line: UnsafeBufferPointer<UInt8>
    /// A pointer, so that handing over a record that can be read, as nearly all can, counts no references.
    private let refusal: UnsafePointer<ScanResult>?
    /// Where the wanted values stand in `bytes`.
    let values: UnsafePointer<RawValue>
    /// The line, and behind it texts that do not stand in the file as they are.
    let bytes: UnsafeBufferPointer<UInt8>

    var scan: ScanResult { refusal?.pointee ?? .whole }

    /// A record that can be read.
    init(number: Int64, line: UnsafeBufferPointer<UInt8>, values: UnsafePointer<RawValue>, bytes: UnsafeBufferPointer<UInt8>) {
        (self.number, self.line, refusal, self.values, self.bytes) = (number, line, nil, values, bytes)
    }

    private init(_ record: Record, _ refusal: UnsafePointer<ScanResult>) {
        (number, line, self.refusal, values, bytes) = (record.number, record.line, refusal, record.values, record.bytes)
    }

    /// Hands the record over with what a reader says of it.
    func hand(_ scan: ScanResult, to body: (Record) throws -> Void) throws {
        if case .whole = scan { return try body(self) }
        try withUnsafePointer(to: scan) { try body(Record(self, $0)) }
    }
}

/// What a reader says of a record.
enum ScanResult {
    case whole
    /// It cannot be read: why, and what the whole of it was where it was cut.
    case refused(reason: String, detail: String, cut: CutRecord?)

    static func damaged(_ problem: JSONScanner.Problem, cut: CutRecord? = nil) -> ScanResult {
        .refused(reason: "bad_json", detail: "the record \(problem.what), at byte \(problem.byte)", cut: cut)
    }

    static func tooLong(_ cut: CutRecord, longest: Int) -> ScanResult {
        .refused(
            reason: "too_long", detail: "the record has \(grouped(cut.length)) bytes; at most \(grouped(longest)) are read",
            cut: cut)
    }
}

/// Hands over the records of a file, plain or gzip by its first bytes, with the places of the values that a tree of paths wants.
///
///     try readRecords(of: "calls.csv", as: .csv(CSVForm()), for: tree, size: size, longest: 16 << 20) { record in … }
///
/// - Parameters:
///   - format: nil where the content decides: a list in brackets is JSON, everything else is lines.
///   - longest: a longer record is refused, of which only the beginning is handed over, so that memory stays bounded.
@discardableResult
func readRecords(
    of path: String, as format: RecordFormat?, for tree: FieldTree, size: Int64, longest: Int, ahead: Bool = false,
    _ advance: @escaping (Int64) -> Void = { _ in }, _ body: (Record) throws -> Void
) throws -> FileReading {
    let input = try RecordInput(path, size: size, ahead: ahead, advance)
    defer { input.stop() }
    let slots = RecordSlots(tree)
    func hand(_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws {
        try slots.hand(number, line, scan, to: body)
    }
    // Content that says nothing yet may say something when there is more of it.
    let found = try format ?? input.looksLike()
    let read: (records: Int64, endsWhole: Bool)
    switch found ?? .jsonl {
    case .jsonl:
        let (tree, values) = (slots.tree, slots.values)
        read = try readLines(input, longest: longest) { number, line, cut in
            // A blank line is no record.
            guard cut != nil || line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
            values.update(repeating: RawValue(), count: tree.slotCount)
            slots.forgetTexts()
            if let cut { return try hand(number, line, .tooLong(cut, longest: longest)) }
            if let problem = JSONScanner.scan(line, for: tree, into: values) { return try hand(number, line, .damaged(problem)) }
            // Most jobs want nothing below a text, and have no more to do.
            guard tree.inner.isEmpty else { return try hand(number, line, .whole) }
            try body(Record(number: number, line: line, values: UnsafePointer(values), bytes: line))
        }
    case .json: read = try readValues(input, longest: longest, slots, hand)
    case .csv(let form): read = try readRows(input, path: path, form, longest: longest, slots, hand)
    }
    return FileReading(
        records: read.records, endsWhole: read.endsWhole && found != nil, format: found ?? .jsonl, digest: input.digest())
}
