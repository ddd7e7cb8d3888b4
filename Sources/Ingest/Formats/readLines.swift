import Common
import Glibc

/// Hands over the lines of a file, plain or gzip by its first bytes, without their line ends; the buffer is valid during the call only.
///
/// - Parameters:
///   - size: how many bytes of the file to read, as fixed when the run began; a file that grows meanwhile is read up to here.
///   - longest: of a longer line only the beginning is handed over, with what the whole of it was, so that memory stays bounded.
/// - Returns: what was read, for the ledger.
@discardableResult
func readLines(
    of path: String, size: Int64, longest: Int = 16 << 20,
    _ body: (_ number: Int64, _ line: UnsafeBufferPointer<UInt8>, _ cut: CutLine?) throws -> Void
) throws -> FileReading {
    let file = try InputFile(path, as: "export")
    var source = try ByteSource(file: file, size: size)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var filled = 0
    var number: Int64 = 0
    // Of a line that is too long: how many bytes were let go, and the digest of all its bytes so far.
    var letGo = 0
    var hash = SHA256()
    func mark(_ bytes: some Collection<UInt8>) -> Int { bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0 }
    func emit(_ slice: UnsafeBufferPointer<UInt8>) throws {
        number += 1
        var line = slice
        if line.last == 0x0d, letGo == 0 || line.count > CutLine.kept { line = .init(rebasing: line.dropLast()) }
        if letGo > 0 { hash.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[CutLine.kept...])) }
        if number == 1 { line = .init(rebasing: line[mark(line)...]) }
        try body(number, line, letGo > 0 ? CutLine(length: line.count + letGo, digest: hash.finish()) : nil)
        if letGo > 0 { (letGo, hash) = (0, SHA256()) }
    }
    while true {
        if filled == buffer.count {
            if buffer.count < longest {
                buffer.append(contentsOf: repeatElement(0, count: buffer.count))
            } else {
                // Only the beginning of a line this long is kept; it will be refused.
                let from = letGo > 0 ? CutLine.kept : number == 0 ? mark(buffer) : 0
                buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[from..<filled])) }
                letGo += filled - CutLine.kept
                filled = CutLine.kept
            }
        }
        let count = try buffer.withUnsafeMutableBytes { try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
        if count == 0 { break }
        filled += count
        var start = 0
        try buffer.withUnsafeBufferPointer { bytes in
            var from = filled - count
            while let newline = firstNewline(bytes, from, filled) {
                try emit(UnsafeBufferPointer(rebasing: bytes[start..<newline]))
                start = newline + 1
                from = start
            }
        }
        if start > 0 {
            buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0)[start..<filled])) }
            filled -= start
        }
    }
    if filled > 0 { try buffer.withUnsafeBufferPointer { try emit(UnsafeBufferPointer(rebasing: $0[0..<filled])) } }
    return FileReading(lines: number, endsWithNewline: filled == 0, digest: source.digest())
}

/// The whole of a line of which only the beginning was handed over.
struct CutLine {
    let length: Int
    let digest: Digest

    /// How many bytes of it are handed over at least.
    static let kept = 65_536
}

/// What reading a file brought to light.
struct FileReading: Equatable {
    let lines: Int64
    let endsWithNewline: Bool
    /// Of the file's bytes as they stand on disk.
    let digest: Digest
}

/// The digest of a file's first bytes; nil where it is shorter than that.
func digestOfPrefix(_ path: String, size: Int64) throws -> Digest? {
    let file = try InputFile(path, as: "export")
    guard file.size >= size else { return nil }
    var hash = SHA256()
    var left = size
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while left > 0 {
        let count = try chunk.withUnsafeMutableBytes { try file.read(into: .init(rebasing: $0[0..<min($0.count, Int(left))])) }
        if count == 0 { return nil }
        chunk.withUnsafeBytes { hash.update(.init(rebasing: $0[0..<count])) }
        left -= Int64(count)
    }
    return hash.finish()
}

private func firstNewline(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int) -> Int? {
    guard from < to, let found = memchr(bytes.baseAddress! + from, 0x0a, to - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
}

/// The bytes of a file after decompression, and the digest of those before it.
private struct ByteSource: ~Copyable {
    private let file: InputFile
    private var left: Int64
    private var hash = SHA256()
    private var gzip: GzipReader?
    private var input = [UInt8](repeating: 0, count: 1 << 18)
    private var inputStart = 0
    private var inputEnd = 0
    private var looked = false

    init(file: InputFile, size: Int64) throws { (self.file, left) = (file, size) }

    mutating func read(into out: UnsafeMutableRawBufferPointer) throws -> Int {
        if !looked {
            looked = true
            try refill()
            // RFC 1952: a gzip member begins with 1f 8b.
            if inputEnd >= 2, input[0] == 0x1f, input[1] == 0x8b { gzip = try GzipReader(path: file.path) }
        }
        while true {
            if inputStart == inputEnd { try refill() }
            let waiting = inputEnd - inputStart
            if gzip == nil {
                let count = min(waiting, out.count)
                input.withUnsafeBytes { out.copyMemory(from: .init(rebasing: $0[inputStart..<inputStart + count])) }
                inputStart += count
                return count
            }
            let (taken, made) = try input.withUnsafeBytes {
                try gzip!.read(from: .init(rebasing: $0[inputStart..<inputEnd]), into: out, atEnd: left == 0)
            }
            inputStart += taken
            if made > 0 || (waiting == 0 && left == 0) { return made }
        }
    }

    consuming func digest() -> Digest { hash.finish() }

    private mutating func refill() throws {
        (inputStart, inputEnd) = (0, 0)
        while inputEnd < 2, left > 0 {
            let wanted = min(input.count - inputEnd, Int(left))
            let count = try input.withUnsafeMutableBytes { try file.read(into: .init(rebasing: $0[inputEnd..<inputEnd + wanted])) }
            if count == 0 {
                left = 0
                break
            }
            input.withUnsafeBytes { hash.update(.init(rebasing: $0[inputEnd..<inputEnd + count])) }
            inputEnd += count
            left -= Int64(count)
        }
    }
}
