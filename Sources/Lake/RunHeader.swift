import Common

/// What a run begins with: where each division starts, and checksums by which changed bytes are noticed before they are believed.
///
/// Frozen: magic, 65 starts, two checksums for each of 64 divisions (of its hashes, of its days), and one of all of these.
struct RunHeader {
    /// One more than there are divisions.
    let starts: [Int]
    let sums: [Sums]

    typealias Sums = (hashes: UInt32, days: UInt32)

    private static let magic: UInt64 = 0x0032_5844_4956_5350  // "PSVIDX2"
    private static let sumsAt = 8 + 8 * (DedupeIndex.divisions + 1)
    private static let endsAt = sumsAt + 8 * DedupeIndex.divisions
    static let bytes = endsAt + 8

    var count: Int { starts[DedupeIndex.divisions] }

    init(starts: [Int], sums: [Sums]) { (self.starts, self.sums) = (starts, sums) }

    /// nil for bytes that are no header, or not as they were written.
    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count == RunHeader.bytes, raw.load(as: UInt64.self) == RunHeader.magic,
            raw.load(fromByteOffset: RunHeader.endsAt, as: UInt32.self)
                == checksum(UnsafeRawBufferPointer(rebasing: raw[..<RunHeader.endsAt]))
        else { return nil }
        starts = (0...DedupeIndex.divisions).map {
            Int(truncatingIfNeeded: raw.load(fromByteOffset: 8 + 8 * $0, as: UInt64.self))
        }
        sums = (0..<DedupeIndex.divisions).map {
            (
                raw.load(fromByteOffset: RunHeader.sumsAt + 8 * $0, as: UInt32.self),
                raw.load(fromByteOffset: RunHeader.sumsAt + 8 * $0 + 4, as: UInt32.self)
            )
        }
    }

    func encoded() -> [UInt8] {
        var out: [UInt8] = []
        func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { out += $0 } }
        put(RunHeader.magic)
        for start in starts { put(UInt64(start)) }
        for sum in sums {
            put(sum.hashes)
            put(sum.days)
        }
        put(out.withUnsafeBytes { checksum($0) })
        put(UInt32(0))
        return out
    }
}
