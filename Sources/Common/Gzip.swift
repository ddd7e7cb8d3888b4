import CZlib

/// Compresses to one gzip member without time or name, so that the same bytes always give the same file.
public func gzipped(_ bytes: [UInt8], level: Int32 = 6) throws -> [UInt8] {
    var out: [UInt8] = []
    var writer = try GzipWriter(level: level)
    try bytes.withUnsafeBytes { try writer.write($0, to: &out) }
    try writer.finish(to: &out)
    return out
}

/// Decompresses every member of a whole gzip file held in memory.
public func gunzipped(_ bytes: [UInt8], path: String) throws -> [UInt8] {
    var reader = try GzipReader(path: path)
    var out: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    try bytes.withUnsafeBytes { input in
        var left = input
        while true {
            let (taken, made) = try chunk.withUnsafeMutableBytes { try reader.read(from: left, into: $0, atEnd: true) }
            out.append(contentsOf: chunk[0..<made])
            left = UnsafeRawBufferPointer(rebasing: left[taken...])
            if made == 0 && left.isEmpty { break }
        }
    }
    return out
}

/// Writes one gzip member (RFC 1952) piece by piece.
public struct GzipWriter: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    public init(level: Int32 = 6) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard vesper_deflate_init(stream, level) == Z_OK else { throw Failure("zlib could not start compressing.") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    public mutating func write(_ buffer: UnsafeRawBufferPointer, to out: inout [UInt8]) throws {
        try deflate(buffer, flush: Z_NO_FLUSH, to: &out)
    }

    public mutating func finish(to out: inout [UInt8]) throws {
        try deflate(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH, to: &out)
    }

    private func deflate(_ buffer: UnsafeRawBufferPointer, flush: Int32, to out: inout [UInt8]) throws {
        stream.pointee.next_in = UnsafeMutablePointer(mutating: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(buffer.count)
        var status = Z_OK
        repeat {
            try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 15) { chunk in
                stream.pointee.next_out = chunk.baseAddress
                stream.pointee.avail_out = UInt32(chunk.count)
                status = CZlib.deflate(stream, flush)
                guard status != Z_STREAM_ERROR else { throw Failure("zlib failed while compressing.") }
                out.append(contentsOf: chunk[0..<(chunk.count - Int(stream.pointee.avail_out))])
            }
        } while stream.pointee.avail_out == 0 || (flush == Z_FINISH && status != Z_STREAM_END)
    }
}

/// Reads gzip members one after another; a truncated or damaged stream is an error that names file and byte.
public struct GzipReader: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private let path: String
    private var consumed: Int64 = 0
    private var inMember = false
    private var members = 0

    public init(path: String) throws {
        self.path = path
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard vesper_inflate_init(stream) == Z_OK else { throw Failure("zlib could not start decompressing \(path).") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Takes some of `input` and fills some of `out`; at the end of the file, (0, 0) says that everything came through.
    public mutating func read(
        from input: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, atEnd: Bool
    ) throws -> (taken: Int, made: Int) {
        var taken = 0
        var made = 0
        while made < out.count {
            if !inMember {
                guard taken < input.count else { break }
                if members > 0 {
                    // Zero padding after the last member is allowed (RFC 1952 is silent, gzip(1) accepts it).
                    if input[taken] == 0 {
                        taken += 1
                        continue
                    }
                    inflateReset(stream)
                }
                inMember = true
            }
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: (input.baseAddress! + taken).assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(min(input.count - taken, 1 << 30))
            stream.pointee.next_out = (out.baseAddress! + made).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(min(out.count - made, 1 << 30))
            let (inBefore, outBefore) = (stream.pointee.avail_in, stream.pointee.avail_out)
            let status = inBefore == 0 ? Z_BUF_ERROR : inflate(stream, Z_NO_FLUSH)
            taken += Int(inBefore - stream.pointee.avail_in)
            made += Int(outBefore - stream.pointee.avail_out)
            if status == Z_STREAM_END {
                inMember = false
                members += 1
                continue
            }
            guard status == Z_OK || status == Z_BUF_ERROR else {
                let byte = consumed + Int64(taken)
                throw Failure(
                    "The gzip stream is damaged near byte \(grouped(byte)). Export the file again, or move it away.",
                    at: Place(path: path))
            }
            if inBefore == stream.pointee.avail_in, outBefore == stream.pointee.avail_out { break }
            if taken == input.count, stream.pointee.avail_out > 0 { break }
        }
        consumed += Int64(taken)
        // A file of no bytes at all is no gzip file either: the smallest has twenty.
        if atEnd, inMember || members == 0, taken == input.count, made < out.count {
            throw Failure(
                "The gzip stream ends in the middle, at byte \(grouped(consumed)). The file is truncated: export or copy it again.",
                at: Place(path: path))
        }
        return (taken, made)
    }
}
