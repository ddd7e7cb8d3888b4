import CZlib

/// Reads gzip members (RFC 1952) one after another; a truncated or damaged stream is an error that names file and byte.
public final class GzipReader {
    private let path: String
    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    private var inflater = Inflater()
    private let input: UnsafeMutablePointer<UInt8>
    private var at = 0
    private var end = 0
    private var atEnd = false
    /// Bytes of the file before the input buffer.
    private var passed: Int64 = 0
    private var members = 0
    private var inMember = false
    private var checksum: UInt32 = 0
    private var length: UInt32 = 0

    private static let chunk = 1 << 18

    /// `source` fills a buffer with the file's next bytes; 0 is the end.
    public init(path: String, source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
        (self.path, self.source) = (path, source)
        input = .allocate(capacity: GzipReader.chunk + 1024 + Inflater.inputSlack)
    }

    deinit { input.deallocate() }

    /// Decompresses some more into the window; false at the end of the file.
    public func read(into window: ByteWindow) throws -> Bool {
        window.makeRoom()
        while true {
            if !inMember, try !beginMember() { return false }
            var ended = false
            let made = try window.fill { start, place, room in
                var output = place
                while true {
                    var from = UnsafePointer(input) + at
                    let status = inflater.run(&from, input + end, isLast: atEnd, &output, start, place + room)
                    at = from - UnsafePointer(input)
                    switch status {
                    case .needsInput:
                        // Whole bytes in the bit buffer go back, so that the input can be moved.
                        var unread = UnsafePointer(input) + at
                        inflater.giveBack(&unread)
                        at = unread - UnsafePointer(input)
                        if output > place { break }
                        try refill()
                        continue
                    case .needsRoom: break
                    case .ended:
                        var unread = UnsafePointer(input) + at
                        inflater.giveBack(&unread)
                        at = unread - UnsafePointer(input)
                        if at > end { throw truncated() }
                        ended = true
                    case .damaged:
                        if atEnd, at >= end - 8 { throw truncated() }
                        throw damaged()
                    }
                    break
                }
                let made = output - place
                checksum = vesper_crc32(checksum, place, made)
                length &+= UInt32(truncatingIfNeeded: made)
                return made
            }
            if ended { try endMember() }
            if made > 0 { return true }
            if !ended { try refill() }
        }
    }

    // MARK: - Around the deflate stream

    /// Reads a member's header (RFC 1952 §2.3); false where the file has ended.
    private func beginMember() throws -> Bool {
        if members > 0 {
            // Zero padding after the last member is allowed (RFC 1952 is silent, gzip(1) accepts it).
            while true {
                if at == end { try refill() }
                if at == end { return false }
                if input[at] != 0 { break }
                at += 1
            }
        }
        func byte() throws -> UInt8 {
            if at == end { try refill() }
            guard at < end else { throw truncated() }
            at += 1
            return input[at - 1]
        }
        func skipText() throws { while try byte() != 0 {} }
        let start = passed + Int64(at)
        let first = try byte()
        // Of a member that was cut off one byte may be left.
        let second = members > 0 && first != 0x1f ? 0 : try byte()
        if members > 0, first != 0x1f || second != 0x8b {
            throw Failure(
                "Something that is not gzip follows the gzip data, from byte \(grouped(start)) on. Cut it off there, or export the file again.",
                at: Place(path: path))
        }
        let (method, flags) = (try byte(), try byte())
        guard first == 0x1f, second == 0x8b, method == 8, flags & 0xe0 == 0 else { throw damaged() }
        for _ in 0..<6 { _ = try byte() }  // time, extra flags, system
        if flags & 4 != 0 {
            let size = Int(try byte()) | Int(try byte()) << 8
            for _ in 0..<size { _ = try byte() }
        }
        if flags & 8 != 0 { try skipText() }
        if flags & 16 != 0 { try skipText() }
        if flags & 2 != 0 { for _ in 0..<2 { _ = try byte() } }
        inflater.reset()
        (inMember, checksum, length) = (true, 0, 0)
        return true
    }

    /// Checks a member's trailer: the checksum and length of what came out.
    private func endMember() throws {
        func word() throws -> UInt32 {
            var word: UInt32 = 0
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                if at == end { try refill() }
                guard at < end else { throw truncated() }
                word |= UInt32(input[at]) << shift
                at += 1
            }
            return word
        }
        guard try word() == checksum, try word() == length else { throw damaged() }
        members += 1
        inMember = false
    }

    private func refill() throws {
        if atEnd, at < end { return }
        input.update(from: input + at, count: end - at)
        passed += Int64(at)
        (at, end) = (0, end - at)
        while end < GzipReader.chunk, !atEnd {
            let count = try source(UnsafeMutableRawBufferPointer(start: input + end, count: GzipReader.chunk - end))
            if count == 0 { atEnd = true }
            end += count
            if count > 0 { break }
        }
        (input + end).update(repeating: 0, count: Inflater.inputSlack)
    }

    private func truncated() -> Failure {
        Failure(
            "The gzip stream ends in the middle, at byte \(grouped(passed + Int64(end))). The file is truncated: export or copy it again.",
            at: Place(path: path))
    }

    private func damaged() -> Failure {
        Failure(
            "The gzip stream is damaged near byte \(grouped(passed + Int64(min(at, end)))). Export the file again, or move it away.",
            at: Place(path: path))
    }
}

/// Decompresses every member of a whole gzip file held in memory.
public func gunzipped(_ bytes: [UInt8], path: String) throws -> [UInt8] {
    var given = 0
    let reader = GzipReader(path: path) { room in
        let count = min(room.count, bytes.count - given)
        bytes.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[given..<given + count])) }
        given += count
        return count
    }
    let window = ByteWindow(chunk: 1 << 16)
    var out: [UInt8] = []
    while try reader.read(into: window) {
        out.append(contentsOf: window.unused)
        window.use(window.unused.count)
    }
    return out
}
