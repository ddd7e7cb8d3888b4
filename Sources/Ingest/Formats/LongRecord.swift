import Common

/// The whole of a record of which only the beginning was handed over.
struct CutRecord {
    let length: Int
    let digest: Digest

    /// How many bytes of it are handed over at most.
    static let kept = 65_536
}

/// A record that is too long to be held: its beginning, and the digest of all of it so far.
struct LongRecord {
    private var beginning: [UInt8] = []
    private var length = 0
    private var hash = SHA256()

    init(_ bytes: UnsafeBufferPointer<UInt8>) { append(bytes) }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        beginning += bytes.prefix(CutRecord.kept - beginning.count)
        length += bytes.count
        hash.update(UnsafeRawBufferPointer(bytes))
    }

    /// Hands over the beginning, and what the whole was.
    consuming func finish(_ body: (UnsafeBufferPointer<UInt8>, CutRecord) throws -> Void) rethrows {
        let cut = CutRecord(length: length, digest: hash.finish())
        try beginning.withUnsafeBufferPointer { try body($0, cut) }
    }
}
