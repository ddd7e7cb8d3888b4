import Common

/// Reads what `COPY … CSV HEADER` wrote with a reader of the test's own: each record as an object of texts, where a field with nothing
/// in it is null and one with two quotes is empty. Records that do not have the header's fields are left out.
func parsedCSV(_ bytes: [UInt8]) -> [JSON] {
    var records: [[JSON]] = []
    var (fields, field, isQuoted, wasQuoted) = ([JSON](), [UInt8](), false, false)
    func ended() -> JSON { field.isEmpty && !wasQuoted ? .null : .string(String(decoding: field, as: UTF8.self)) }
    for byte in bytes {
        switch byte {
        case 0x22:
            // The second of two quotes within a field opens it again, and stands for one.
            if wasQuoted, !isQuoted { field.append(byte) }
            isQuoted.toggle()
            wasQuoted = true
        case 0x2c where !isQuoted:
            fields.append(ended())
            (field, wasQuoted) = ([], false)
        case 0x0a where !isQuoted:
            records.append(fields + [ended()])
            (fields, field, wasQuoted) = ([], [], false)
        default: field.append(byte)
        }
    }
    guard let header = records.first?.map({ $0.string ?? "" }) else { return [] }
    return records.dropFirst().filter { $0.count == header.count }
        .map { record in .object(zip(header, record).map { JSON.Member($0, $1) }) }
}
