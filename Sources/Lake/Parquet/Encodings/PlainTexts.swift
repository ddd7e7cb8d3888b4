/// Pages of texts are cut at this size, unless one text alone is longer.
private let pageSize = 8 << 20

extension ChunkEncoder {
    static func plain(_ codes: [Int32], of dictionary: TextDictionary) -> ChunkEncoder {
        let size = dictionary.storedSize(of: codes[...])
        return ChunkEncoder(
            encoding: .plain, size: size,
            longestPage: { start in
                if size <= pageSize { return .max }
                var (end, room) = (start, pageSize)
                while end < codes.count {
                    room -= 4 + dictionary.utf8(codes[end]).count
                    if room < 0 { break }
                    end += 1
                }
                return max(1, end - start)
            },
            page: { dictionary.plainPage(codes[$0]) }, bounds: { dictionary.bounds(of: codes) })
    }
}

extension TextDictionary {
    /// What these texts take with their lengths.
    func storedSize(of codes: ArraySlice<Int32>) -> Int {
        offsets.withUnsafeBufferPointer { offsets in
            codes.withUnsafeBufferPointer { codes in
                codes.reduce(4 * codes.count) { $0 + Int(offsets[Int($1) + 1]) - Int(offsets[Int($1)]) }
            }
        }
    }

    /// "BYTE_ARRAY: length in 4 bytes little endian followed by the bytes contained in the array."
    func plainPage(_ codes: ArraySlice<Int32>) -> [UInt8] {
        let size = storedSize(of: codes)
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

    /// Reads pages of texts one after another: a text's code is its position.
    init(plainPages pages: [(bytes: UnsafeRawBufferPointer, count: Int)]) throws {
        let count = pages.reduce(0) { $0 + $1.count }
        let room = pages.reduce(0) { $0 + $1.bytes.count }
        // Every text has a length of four bytes, so that the two arrays are never larger than the pages.
        guard pages.allSatisfy({ $0.count <= $0.bytes.count / 4 }), room - 4 * count <= Int(Int32.max) else {
            throw ParquetDamage("a page holds fewer texts than it says")
        }
        var bytes: [UInt8] = []
        let offsets = try [Int32](unsafeUninitializedCapacity: count + 1) { offsets, filledOffsets in
            offsets[0] = 0
            filledOffsets = 1
            bytes = try [UInt8](unsafeUninitializedCapacity: room - 4 * count + readableSlack) { bytes, filled in
                let target = UnsafeMutableRawBufferPointer(bytes)
                for page in pages {
                    var at = 0
                    for _ in 0..<page.count {
                        guard page.bytes.count - at >= 4 else { throw ParquetDamage("a page of texts is cut off") }
                        let length = Int(UInt32(littleEndian: page.bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
                        at += 4
                        guard length <= page.bytes.count - at, length <= room - 4 * count - filled else {
                            throw ParquetDamage("a text is longer than its page")
                        }
                        copyText(page.bytes.baseAddress! + at, length, to: target.baseAddress! + filled)
                        at += length
                        filled += length
                        offsets[filledOffsets] = Int32(truncatingIfNeeded: filled)
                        filledOffsets += 1
                    }
                    guard at == page.bytes.count else { throw ParquetDamage("a page holds more texts than it says") }
                }
            }
        }
        self.init(bytes: bytes, offsets: offsets)
    }
}

/// Copies a text by whole words; both sides have `readableSlack` bytes of room behind it.
@inline(__always)
private func copyText(_ source: UnsafeRawPointer, _ length: Int, to target: UnsafeMutableRawPointer) {
    if length > readableSlack { return target.copyMemory(from: source, byteCount: length) }
    var at = 0
    while at < length {
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self), toByteOffset: at, as: SIMD16<UInt8>.self)
        at += 16
    }
}
