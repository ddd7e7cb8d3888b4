import Common
import Glibc
import Testing

@testable import Ingest

/// What a reader makes of a text: for each record its number and its wanted values with bars between them, or why it is refused.
///
///     try records("id,n\n1,x\n", .csv(CSVForm()), "id", "n")   // ["1: 1|x"]
func records(_ text: String, _ format: RecordFormat?, longest: Int = 16 << 20, _ paths: String...) throws -> [String] {
    try records(Array(text.utf8), format, longest: longest, paths)
}

/// The same for bytes. Of a record that was cut its length stands for its bytes, and their digest if asked for.
func records(
    _ bytes: [UInt8], _ format: RecordFormat?, longest: Int = 16 << 20, _ paths: [String], withDigests: Bool = false
) throws -> [String] {
    var template = Array("\(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")/vesper-records-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    try writeNew(bytes, to: folder + "/file")
    var tree = FieldTree()
    let slots = paths.map { tree.slot(for: $0) }
    var found: [String] = []
    let reading = try readRecords(of: folder + "/file", as: format, for: tree, size: Int64(bytes.count), longest: longest) {
        record, scan in
        switch scan {
        case .whole: found.append("\(record.number): " + slots.map { shown(record.values[$0], record) }.joined(separator: "|"))
        case .refused(let reason, let detail, let cut):
            var raw = cut.map { "\($0.length) bytes" } ?? String(decoding: record.line, as: UTF8.self)
            if withDigests, let cut { raw += " \(cut.digest.short) \(String(decoding: record.line, as: UTF8.self))" }
            found.append("\(record.number): \(reason): \(detail): \(raw)")
        }
    }
    #expect(reading.digest == Digest.of(bytes))
    return found
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
