/// Bytes on their way from a file to whoever reads lines: what has been read and not yet used, and before it what a match may still
/// reach back to. One piece of memory that is moved along, so that no byte is copied twice.
public final class ByteWindow {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// The first byte that is not used yet, and the end of what has been read.
    public private(set) var start = 0
    public private(set) var end = 0

    /// A deflate match reaches back 32 KiB.
    static let history = 32_768
    private static let slack = Inflater.outputSlack + 32

    /// `chunk` is about how much is read at once.
    public init(chunk: Int = 1 << 18) {
        capacity = ByteWindow.history + chunk + ByteWindow.slack
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// What has been read and not yet used; valid until the next call of anything else.
    public var unused: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base + start, count: end - start) }

    /// Marks bytes as used.
    public func use(_ count: Int) { start += count }

    /// Moves what is still needed to the front, and grows where what is unused fills the window already.
    func makeRoom() {
        let kept = max(0, min(start, end - ByteWindow.history))
        if kept > 0 {
            base.update(from: base + kept, count: end - kept)
            start -= kept
            end -= kept
        }
        if capacity - end < capacity / 2 {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity)
            larger.update(from: base, count: end)
            base.deallocate()
            (base, capacity) = (larger, 2 * capacity)
        }
    }

    /// Where the next bytes go: from `base` on what stands there, then from `place` the room.
    func fill(_ body: (_ start: UnsafeMutablePointer<UInt8>, _ place: UnsafeMutablePointer<UInt8>, _ room: Int) throws -> Int)
        rethrows -> Int
    {
        let count = try body(base, base + end, capacity - end)
        end += count
        return count
    }

    /// Reads plain bytes into the window; how many.
    public func read(_ source: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
        makeRoom()
        return try fill { _, place, room in try source(UnsafeMutableRawBufferPointer(start: place, count: room)) }
    }

    /// Adds bytes that somebody else has read.
    public func append(_ bytes: [UInt8]) {
        makeRoom()
        var given = 0
        while given < bytes.count {
            if capacity == end { makeRoom() }
            given += fill { _, place, room in
                let count = min(room, bytes.count - given)
                bytes.withUnsafeBufferPointer { place.update(from: $0.baseAddress! + given, count: count) }
                return count
            }
        }
    }
}
