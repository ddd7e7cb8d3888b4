import Common

/// The bytes of a file after decompression, and the digest of those before it.
final class ByteSource {
    private let raw: RawBytes
    private let gzip: GzipReader?
    private let readAhead: ReadAhead?

    /// With `ahead` a thread of its own decompresses.
    init(_ file: InputFile, size: Int64, ahead: Bool) throws {
        let raw = RawBytes(file, size: size)
        self.raw = raw
        var beginning = [UInt8](repeating: 0, count: Int(min(size, 8)))
        let there = try beginning.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        beginning.removeLast(beginning.count - there)
        try beginning.withUnsafeBufferPointer { try ByteSource.refuseOthers(beginning: $0, path: file.path, isContent: false) }
        // RFC 1952: a gzip member begins with 1f 8b.
        let isGzip = beginning.starts(with: [0x1f, 0x8b])
        let reader = isGzip ? GzipReader(path: file.path) { try raw.read(into: $0) } : nil
        readAhead = ahead ? reader.map(ReadAhead.init) : nil
        gzip = readAhead == nil ? reader : nil
    }

    /// Refuses what is no text by its first bytes; `isContent` where they have been decompressed.
    static func refuseOthers(beginning: UnsafeBufferPointer<UInt8>, path: String, isContent: Bool) throws {
        if isContent, beginning.starts(with: [0x1f, 0x8b]) {
            throw Failure(
                "The gzip file holds another one, which is not read. Decompress it once, or export it again.",
                at: Place(path: path))
        }
        if let other = others.first(where: { beginning.starts(with: $0.magic) }) {
            throw Failure("This is \(other.name), which is not read. \(other.advice)", at: Place(path: path))
        }
    }

    /// Forms that a name like export.gz may hide, by their first bytes: RFC 8878 §3.1.1, the .xz file format §2.1.1.1, what bzip2 writes
    /// at level 9, .ZIP APPNOTE 4.3.7, Parquet's own mark with the page header that follows it, and the byte order marks of UTF-16
    /// (RFC 2781 §3.2). No text in UTF-8 begins so.
    private static let others: [(magic: [UInt8], name: String, advice: String)] = {
        let decompress = "Decompress it; plain files and gzip are read."
        return [
            ([0x28, 0xb5, 0x2f, 0xfd], "a zstd file", decompress),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "an xz file", decompress),
            (Array("BZh".utf8) + [0x39, 0x31, 0x41, 0x59, 0x26], "a bzip2 file", decompress),
            ([0x50, 0x4b, 0x03, 0x04], "a zip file", "Unpack it; plain files and gzip are read."),
            (Array("PAR1".utf8) + [0x15], "a Parquet file", "Export it as JSON lines or CSV."),
            ([0xff, 0xfe], "text in UTF-16", "Export it as UTF-8."), ([0xfe, 0xff], "text in UTF-16", "Export it as UTF-8."),
        ]
    }()

    /// Adds bytes to the window; false at the end.
    func read(into window: ByteWindow) throws -> Bool {
        if let readAhead { return try readAhead.read(into: window) }
        if let gzip { return try gzip.read(into: window) }
        return try window.read { try raw.read(into: $0) } > 0
    }

    /// Bytes of the file that have not been read yet.
    var left: Int64 { raw.left }

    /// Of the file's bytes; asked when all have been read.
    func digest() -> Digest { raw.digest() }

    /// Ends the thread, if there is one; what it has not handed over is let go.
    func stop() { readAhead?.stop() }
}

/// A file's bytes as they stand on disk, up to the size that was fixed when the run began.
private final class RawBytes: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private let file: InputFile
    private var rest: Int64
    private var hash = SHA256()

    init(_ file: InputFile, size: Int64) { (self.file, rest) = (file, size) }

    var left: Int64 { lock.held { rest } }
    func digest() -> Digest { lock.held { hash }.finish() }

    func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
        try lock.held {
            let wanted = min(room.count, Int(rest))
            guard wanted > 0 else { return 0 }
            let count = try file.read(into: .init(rebasing: room[0..<wanted]))
            hash.update(.init(rebasing: room[0..<count]))
            rest = count == 0 ? 0 : rest - Int64(count)
            return count
        }
    }
}

/// Decompresses on a thread of its own, a few pieces ahead of whoever reads them.
private final class ReadAhead: @unchecked Sendable {
    // `unchecked`: the reader belongs to the thread, the queue is made for being shared.
    private let queue = BoundedQueue<Piece>(most: 4)
    private let thread: Thread

    private enum Piece {
        case bytes([UInt8])
        case end((any Error)?)
    }

    init(_ reader: GzipReader) {
        let queue = queue
        let box = Box(reader)
        thread = Thread {
            let window = ByteWindow()
            var failure: (any Error)?
            do {
                while try box.reader.read(into: window) {
                    let piece = Array(window.unused)
                    window.use(piece.count)
                    guard queue.put(.bytes(piece)) else { return }
                }
            } catch {
                failure = error
            }
            _ = queue.put(.end(failure))
        }
    }

    /// Lends the reader to the thread, which alone uses it from then on.
    private final class Box: @unchecked Sendable {
        let reader: GzipReader
        init(_ reader: GzipReader) { self.reader = reader }
    }

    func read(into window: ByteWindow) throws -> Bool {
        switch queue.take() {
        case .bytes(let piece)?:
            window.append(piece)
            return true
        case .end(let error?)?: throw error
        case .end(nil)?, nil: return false
        }
    }

    func stop() {
        queue.close()
        thread.join()
    }
}
