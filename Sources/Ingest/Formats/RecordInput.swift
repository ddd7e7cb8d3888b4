import Common

/// The bytes of a file, decompressed, on their way to whoever divides them into records.
final class RecordInput {
    private let source: ByteSource
    private let window = ByteWindow()
    private let advance: (Int64) -> Void
    private let path: String
    private var left: Int64
    private var isPeeked = false
    private var isBegun = false

    /// - Parameters:
    ///   - size: how many bytes of the file to read, as fixed when the run began; a file that grows meanwhile is read up to here.
    ///   - ahead: whether a thread of its own decompresses.
    ///   - advance: is told how many bytes of the file have been read since it was last told.
    init(_ path: String, size: Int64, ahead: Bool, _ advance: @escaping (Int64) -> Void) throws {
        source = try ByteSource(try InputFile(path, as: "export"), size: size, ahead: ahead)
        (left, self.path, self.advance) = (size, path, advance)
    }

    private func readOn() throws -> Bool {
        guard try source.read(into: window) else { return false }
        if !isBegun {
            isBegun = true
            try ByteSource.refuseOthers(beginning: window.unused, path: path, isContent: true)
        }
        return true
    }

    /// What has been read and not yet used; valid until the next call of anything else.
    var bytes: UnsafeBufferPointer<UInt8> { window.unused }

    func use(_ count: Int) { window.use(count) }

    /// Reads on; false at the end of the file.
    func more() throws -> Bool {
        if isPeeked {
            isPeeked = false
        } else if try !readOn() {
            return false
        }
        advance(left - source.left)
        left = source.left
        return true
    }

    /// What the content looks like, without using it; nil where it begins with nothing but spaces.
    func looksLike() throws -> RecordFormat? {
        while true {
            let rest = UnsafeBufferPointer(rebasing: bytes[byteOrderMark(bytes)...])
            if let first = rest.first(where: { !isSpace($0) }) { return first == 0x5b ? .json : .jsonl }
            guard bytes.count < RecordInput.mostLookedAt, try readOn() else { return nil }
            isPeeked = true
        }
    }

    private static let mostLookedAt = 1 << 16

    /// Uses up the mark that some programs put at the beginning of a text.
    func skipByteOrderMark() throws {
        while bytes.count < 3, try more() {}
        use(byteOrderMark(bytes))
    }

    /// Of the file's bytes as they stand on disk; asked when all have been read.
    func digest() -> Digest { source.digest() }

    func stop() { source.stop() }
}

/// The length of U+FEFF at the beginning of these bytes, or 0.
func byteOrderMark(_ bytes: UnsafeBufferPointer<UInt8>) -> Int { bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0 }

/// What may stand between JSON values (RFC 8259 §2).
@inline(__always)
func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

/// What reading a file brought to light.
struct FileReading: Equatable {
    /// The number of the last record: of a line, or of a record where records are not lines.
    let records: Int64
    /// Whether the file ended behind a whole record, so that what is added to it later begins a new one.
    let endsWhole: Bool
    /// As what it was read.
    let format: RecordFormat
    /// Of the file's bytes as they stand on disk.
    let digest: Digest
}
