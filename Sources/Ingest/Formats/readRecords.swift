import Common

/// One record of a file; everything in it is valid during the call only that hands it over.
struct Record {
    /// Of its line in a file of JSON lines, otherwise its own among the file's records; from 1.
    let number: Int64
    /// As it stands in the file; only the beginning of a record that was cut.
    let line: UnsafeBufferPointer<UInt8>
    /// Where the wanted values stand in `bytes`.
    let values: UnsafePointer<RawValue>
    /// The line, and behind it texts that do not stand in the file as they are.
    let bytes: UnsafeBufferPointer<UInt8>
}

/// What a reader says of a record.
enum ScanResult {
    case whole
    /// It cannot be read: why, and what the whole of it was where it was cut. Indirect, so that a record that can be read costs nothing.
    indirect case refused(reason: String, detail: String, cut: CutRecord?)

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
///     try readRecords(of: "calls.csv", as: .csv(CSVForm()), for: tree, size: size, longest: 16 << 20) { record, scan in … }
///
/// - Parameters:
///   - format: nil where the content decides: a list in brackets is JSON, everything else is lines.
///   - longest: a longer record is refused, of which only the beginning is handed over, so that memory stays bounded.
@discardableResult
func readRecords(
    of path: String, as format: RecordFormat?, for tree: FieldTree, size: Int64, longest: Int, ahead: Bool = false,
    _ advance: @escaping (Int64) -> Void = { _ in }, _ body: (Record, ScanResult) throws -> Void
) throws -> FileReading {
    let input = try RecordInput(path, size: size, ahead: ahead, advance)
    defer { input.stop() }
    let slots = RecordSlots(tree)
    func hand(_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ scan: ScanResult) throws {
        var scan = scan
        if case .whole = scan, let (path, problem) = slots.readTexts(in: line) {
            scan = .refused(
                reason: "bad_json", detail: "the JSON in the text of \(path) \(problem.what), at byte \(problem.byte) of it",
                cut: nil)
        }
        try body(
            Record(number: number, line: line, values: UnsafePointer(slots.values), bytes: slots.bytes(of: line)), scan)
    }
    // Content that says nothing yet may say something when there is more of it.
    let found = try format ?? input.looksLike()
    let read: (records: Int64, endsWhole: Bool)
    switch found ?? .jsonl {
    case .jsonl:
        let (tree, values) = (slots.tree, slots.values)
        // Most jobs want nothing below a text.
        let mayReadTexts = !tree.inner.isEmpty
        read = try readLines(input, longest: longest) { number, line, cut in
            // A blank line is no record.
            guard cut != nil || line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
            values.update(repeating: RawValue(), count: tree.slotCount)
            var scan = ScanResult.whole
            if let cut {
                scan = .tooLong(cut, longest: longest)
            } else if let problem = JSONScanner.scan(line, for: tree, into: values) {
                scan = .damaged(problem)
            }
            if mayReadTexts {
                slots.forgetTexts()
                return try hand(number, line, scan)
            }
            try body(Record(number: number, line: line, values: UnsafePointer(values), bytes: line), scan)
        }
    case .json: read = try readValues(input, longest: longest, slots, hand)
    case .csv(let form): read = try readRows(input, path: path, form, longest: longest, slots, hand)
    }
    return FileReading(
        records: read.records, endsWhole: read.endsWhole && found != nil, format: found ?? .jsonl, digest: input.digest())
}
