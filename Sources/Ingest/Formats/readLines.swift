import Common
import Glibc

/// Hands over the lines of a file without their line ends; the buffer is valid during the call only.
///
/// - Parameter longest: of a longer line only the beginning is handed over, with what the whole of it was, so that memory stays bounded.
/// - Returns: how many lines there were, and whether the last one has a line end.
func readLines(
    _ input: RecordInput, longest: Int,
    _ body: (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ cut: CutRecord?) throws -> Void
) throws -> (records: Int64, endsWhole: Bool) {
    var number: Int64 = 0
    var searched = 0  // bytes of the unused ones that are known to hold no newline
    var long: LongRecord?
    func emit(_ slice: UnsafeBufferPointer<UInt8>) throws {
        number += 1
        var line = slice
        if line.last == 0x0d { line = .init(rebasing: line.dropLast()) }
        if var whole = long {
            long = nil
            whole.append(line)
            return try whole.finish { try body(number, $0, $1) }
        }
        if number == 1 { line = .init(rebasing: line[byteOrderMark(line)...]) }
        // The limit is the same wherever a read happened to end.
        if line.count > longest { return try LongRecord(line).finish { try body(number, $0, $1) } }
        try body(number, line, nil)
    }
    while try input.more() {
        let bytes = input.bytes
        var start = 0
        var from = searched
        while let newline = firstNewline(bytes, from) {
            try emit(UnsafeBufferPointer(rebasing: bytes[start..<newline]))
            start = newline + 1
            from = start
        }
        input.use(start)
        searched = bytes.count - start
        // A mark at the beginning and half of a line end are no part of it.
        if searched > longest + 4 || (long != nil && searched > 1) {
            // Only the beginning of a line this long is kept; it will be refused. Its last byte may be half of a line end.
            let rest = UnsafeBufferPointer(rebasing: input.bytes.dropLast())
            if long == nil {
                long = LongRecord(UnsafeBufferPointer(rebasing: rest[(number == 0 ? byteOrderMark(rest) : 0)...]))
            } else {
                long?.append(rest)
            }
            input.use(searched - 1)
            searched = 1
        }
    }
    let rest = input.bytes
    if !rest.isEmpty || long != nil { try emit(rest) }
    return (number, rest.isEmpty)
}

/// Where the first line end stands in these bytes, from a place on.
func firstNewline(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int) -> Int? {
    guard from < bytes.count, let found = memchr(bytes.baseAddress! + from, 0x0a, bytes.count - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
}
