/// Pages of texts are cut at this size, unless one text alone is longer.
private let pageSize = 8 << 20

extension ChunkEncoder {
    static func plain(_ codes: [Int32], of dictionary: TextDictionary) -> ChunkEncoder {
        let size = 4 * codes.count + dictionary.byteCount(of: codes[...])
        return ChunkEncoder(
            encoding: .plain, size: size, longestPage: longestPage(codes, of: dictionary, size: size),
            page: { dictionary.plainPage(codes[$0]) }, bounds: { dictionary.bounds(of: codes) })
    }

    static func longestPage(_ codes: [Int32], of dictionary: TextDictionary, size: Int) -> (_ start: Int) -> Int {
        { start in
            if size <= pageSize { return .max }
            var (end, room) = (start, pageSize)
            while end < codes.count {
                room -= 4 + dictionary.utf8(codes[end]).count
                if room < 0 { break }
                end += 1
            }
            return max(1, end - start)
        }
    }
}

extension TextDictionary {
    /// What these texts take without their lengths.
    func byteCount(of codes: ArraySlice<Int32>) -> Int {
        offsets.withUnsafeBufferPointer { offsets in
            codes.withUnsafeBufferPointer { codes in
                var sum = 0
                for code in codes { sum &+= Int(offsets[Int(code) &+ 1] &- offsets[Int(code)]) }
                return sum
            }
        }
    }

    /// "BYTE_ARRAY: length in 4 bytes little endian followed by the bytes contained in the array."
    func plainPage(_ codes: ArraySlice<Int32>) -> [UInt8] {
        let size = 4 * codes.count + byteCount(of: codes)
        return bytes.withUnsafeBytes { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                codes.withUnsafeBufferPointer { codes in
                    [UInt8](unsafeUninitializedCapacity: size) { out, filled in
                        let target = UnsafeMutableRawBufferPointer(out)
                        var at = 0
                        for code in codes {
                            let (start, end) = (Int(offsets[Int(code)]), Int(offsets[Int(code) + 1]))
                            target.storeBytes(of: UInt32(end - start).littleEndian, toByteOffset: at, as: UInt32.self)
                            UnsafeMutableRawBufferPointer(rebasing: target[(at + 4)...])
                                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                            at += 4 + end - start
                        }
                        filled = at
                    }
                }
            }
        }
    }
}

/// Copies a text by whole words; both sides have `readableSlack` bytes of room behind it.
@inline(__always)
func copyText(_ source: UnsafeRawPointer, _ length: Int, to target: UnsafeMutableRawPointer) {
    if length > readableSlack { return target.copyMemory(from: source, byteCount: length) }
    var at = 0
    while at < length {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self), toByteOffset: at, as: SIMD16<UInt8>.self)
        at += 16
    }
}
