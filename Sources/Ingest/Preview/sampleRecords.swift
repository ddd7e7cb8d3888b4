import Common

/// The first records of a file before any mapping: JSON as it is, rows of CSV as objects of texts.
struct FileSample {
    let format: RecordFormat
    var records: [JSON] = []
    /// How many could not be read.
    var refused = 0
}

/// - Parameter format: nil where the content decides.
func sampleRecords(
    of path: String, as format: RecordFormat?, most: Int, longest: Int = IngestOrder.defaultLongestRecord
) throws -> FileSample {
    let size = FileSignature(of: path)?.size ?? 0
    var tree = FieldTree()
    var names: [String] = []
    if case .csv(let form) = format {
        names = try csvHeader(of: path, form, size: size, longest: longest)
        for name in names { _ = tree.slot(for: name) }
    } else {
        _ = tree.slotOfAll()
    }
    let places = names.map { (name: $0, slot: tree.slot(for: $0)) }
    var sample = FileSample(format: format ?? .jsonl)
    do {
        let reading = try readRecords(of: path, as: format, for: tree, size: size, longest: longest) { record in
            switch record.scan {
            case .refused: sample.refused += 1
            case .whole where places.isEmpty:
                // The scanner takes a key twice and the parser does not; such a record shows nothing of itself.
                if let value = try? parseJSON(Array(record.line), path: path) { sample.records.append(value) }
            case .whole: sample.records.append(.object(places.map { JSON.Member($0.name, text(record.values[$0.slot], record)) }))
            }
            if sample.records.count + sample.refused >= most { throw EnoughRecords() }
        }
        sample = FileSample(format: reading.format, records: sample.records, refused: sample.refused)
    } catch is EnoughRecords {}
    return sample
}

private func text(_ value: RawValue, _ record: Record) -> JSON {
    guard value.kind == .string else { return .null }
    return .string(String(decoding: UnsafeBufferPointer(rebasing: record.bytes[value.start..<value.end]), as: UTF8.self))
}

/// The names in the first row of a CSV file; none where it has no row.
func csvHeader(of path: String, _ form: CSVForm, size: Int64, longest: Int = IngestOrder.defaultLongestRecord) throws -> [String]
{
    let input = try RecordInput(path, size: size, ahead: false) { _ in }
    defer { input.stop() }
    try input.skipByteOrderMark()
    var atEnd = false
    while true {
        let blank = input.bytes.prefix { $0 == 0x0a || $0 == 0x0d }.count
        input.use(blank)
        var names: [String] = []
        let bytes = input.bytes
        let scan = scanRow(bytes, delimiter: form.delimiter, isLast: atEnd) { start, end, style in
            let raw = UnsafeBufferPointer(rebasing: bytes[start..<end])
            names.append(String(decoding: style == .doubled ? undoubled(raw) : Array(raw), as: UTF8.self))
        }
        switch scan {
        case .row where !bytes.isEmpty: return names
        // What is wrong with it is told by whoever reads the rows.
        case .damaged: return []
        default:
            if atEnd || bytes.count > longest { return [] }
            atEnd = try !input.more()
        }
    }
}
