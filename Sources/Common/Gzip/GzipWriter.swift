import CZlib

/// Compresses to one gzip member without time or name, so that the same bytes always give the same file.
public func gzipped(_ bytes: [UInt8], level: Int32 = 6) throws -> [UInt8] {
    var out: [UInt8] = []
    var writer = try GzipWriter(level: level)
    try bytes.withUnsafeBytes { try writer.write($0, to: &out) }
    try writer.finish(to: &out)
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
