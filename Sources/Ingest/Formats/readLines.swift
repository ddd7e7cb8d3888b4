import Common
import Glibc

/// Hands over the lines of a file, plain or gzip by its first bytes, without their line ends; the buffer is valid during the call only.
///
/// - Parameters:
///   - size: how many bytes of the file to read, as fixed when the run began; a file that grows meanwhile is read up to here.
///   - longest: of a longer line only the beginning is handed over, with what the whole of it was, so that memory stays bounded.
///   - ahead: whether a thread of its own decompresses, while this one goes through the lines.
///   - advance: is told how many bytes of the file have been read since it was last told.
/// - Returns: what was read, for the ledger.
@discardableResult
func readLines(
    of path: String, size: Int64, longest: Int = 16 << 20, ahead: Bool = false, _ advance: (Int64) -> Void = { _ in },
    _ body: (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ cut: CutLine?) throws -> Void
) throws -> FileReading {
    let source = try ByteSource(try InputFile(path, as: "export"), size: size, ahead: ahead)
    defer { source.stop() }
    let window = ByteWindow()
    var number: Int64 = 0
    var searched = 0  // bytes of the unused ones that are known to hold no newline
    var long: LongLine?
    func emit(_ slice: UnsafeBufferPointer<UInt8>) throws {
        number += 1
        var line = slice
        if line.last == 0x0d { line = .init(rebasing: line.dropLast()) }
        if let kept = long {
            long = nil
            return try kept.emit(number, line, body)
        }
        if number == 1 { line = .init(rebasing: line[byteOrderMark(line)...]) }
        // The limit is the same wherever a read happened to end.
        if line.count > longest { return try LongLine(line).emit(number, .init(start: nil, count: 0), body) }
        try body(number, line, nil)
    }
    var left = size
    while try source.read(into: window) {
        advance(left - source.left)
        left = source.left
        let bytes = window.unused
        var start = 0
        var from = searched
        while let newline = firstNewline(bytes, from, bytes.count) {
            try emit(UnsafeBufferPointer(rebasing: bytes[start..<newline]))
            start = newline + 1
            from = start
        }
        window.use(start)
        searched = bytes.count - start
        if searched > longest || (long != nil && searched > 1) {
            // Only the beginning of a line this long is kept; it will be refused. Its last byte may be half of a line end.
            let rest = UnsafeBufferPointer(rebasing: window.unused.dropLast())
            if long == nil {
                long = LongLine(UnsafeBufferPointer(rebasing: rest[(number == 0 ? byteOrderMark(rest) : 0)...]))
            } else {
                long?.append(rest)
            }
            window.use(searched - 1)
            searched = 1
        }
    }
    let rest = window.unused
    if !rest.isEmpty || long != nil { try emit(rest) }
    return FileReading(lines: number, endsWithNewline: rest.isEmpty, digest: source.digest())
}

/// The whole of a line of which only the beginning was handed over.
struct CutLine {
    let length: Int
    let digest: Digest

    /// How many bytes of it are handed over at most.
    static let kept = 65_536
}

/// A line that is too long to be held: its beginning, and the digest of all of it so far.
private struct LongLine {
    private var beginning: [UInt8]
    private var length: Int
    private var hash = SHA256()

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        beginning = Array(bytes.prefix(CutLine.kept))
        length = bytes.count
        hash.update(UnsafeRawBufferPointer(bytes))
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        length += bytes.count
        hash.update(UnsafeRawBufferPointer(bytes))
    }

    func emit(
        _ number: Int64, _ end: UnsafeBufferPointer<UInt8>, _ body: (Int64, UnsafeBufferPointer<UInt8>, CutLine?) throws -> Void
    ) throws {
        var whole = self
        whole.append(end)
        let cut = CutLine(length: whole.length, digest: whole.hash.finish())
        try beginning.withUnsafeBufferPointer { try body(number, $0, cut) }
    }
}

private func byteOrderMark(_ bytes: UnsafeBufferPointer<UInt8>) -> Int { bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0 }

/// What reading a file brought to light.
struct FileReading: Equatable {
    let lines: Int64
    let endsWithNewline: Bool
    /// Of the file's bytes as they stand on disk.
    let digest: Digest
}

private func firstNewline(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int) -> Int? {
    guard from < to, let found = memchr(bytes.baseAddress! + from, 0x0a, to - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
}
