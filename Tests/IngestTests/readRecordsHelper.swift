import Common
import Testing

@testable import Ingest

/// What a reader makes of some bytes: for each record its number and its wanted values with bars between them, or why it is refused.
///
func records(_ bytes: [UInt8], _ format: RecordFormat?, longest: Int = 16 << 20, _ paths: [String]) throws -> [String] {
    var found: [String] = []
    var reading: FileReading?
    try withBench { bench in
        try bench.put("file", bytes)
        var tree = FieldTree()
        let slots = paths.map { tree.slot(for: $0) }
        reading = try readRecords(
            of: bench.data + "/file", as: format, for: tree, size: Int64(bytes.count), longest: longest
        ) { record in
            switch record.scan {
            case .whole: found.append("\(record.number): " + slots.map { shown(record.values[$0], record) }.joined(separator: "|"))
            case .refused(let reason, let detail, let cut):
                let raw = cut.map { "\($0.length) bytes" } ?? String(decoding: record.line, as: UTF8.self)
                found.append("\(record.number): \(reason): \(detail): \(raw)")
            }
        }
    }
    #expect(reading?.digest == Digest.of(bytes))
    return found
}

///     try records("id,n\n1,x\n", .csv(CSVForm()), "id", "n")   // ["1: 1|x"]
func records(_ text: String, _ format: RecordFormat?, longest: Int = 16 << 20, _ paths: String...) throws -> [String] {
    try records(Array(text.utf8), format, longest: longest, paths)
}

private func shown(_ value: RawValue, _ record: Record) -> String {
    switch value.kind {
    case .absent: return "absent"
    case .null: return "null"
    default:
        let raw = UnsafeBufferPointer(rebasing: record.bytes[value.start..<value.end])
        return String(decoding: value.kind == .escapedString ? unescaped(raw) : Array(raw), as: UTF8.self)
    }
}
