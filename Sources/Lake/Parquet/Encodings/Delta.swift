// "Delta encoding (DELTA_BINARY_PACKED = 5): a header followed by blocks of delta encoded values binary packed. Each block is made of
// miniblocks, each of them binary packed with its own bit width."

/// "The block size is a multiple of 128; the number of values in a miniblock is a multiple of 32": the least of both.
private let (blockSize, miniblockSize) = (128, 32)

extension ChunkEncoder {
    static func delta(_ values: [Int64]) -> ChunkEncoder {
        let layout = DeltaLayout(values)
        return ChunkEncoder(
            encoding: .deltaBinaryPacked, size: layout.size,
            page: { page in
                if page == values.indices { return layout.bytes(of: values) }
                let part = Array(values[page])
                return DeltaLayout(part).bytes(of: part)
            },
            bounds: { values.storedBounds })
    }
}

/// How numbers are laid out as deltas: found before anything is written, because other encodings may be smaller.
struct DeltaLayout {
    private struct Block {
        let least: Int64
        /// The width of each miniblock.
        var widths: SIMD4<UInt8> = .zero
    }

    private var blocks: [Block] = []
    private let header: [UInt8]
    /// The bytes that all of it takes.
    private(set) var size: Int

    /// "Subtractions may incur signed arithmetic overflow, which should be handled as wrapping around in 2's complement notation."
    init(_ values: [Int64]) {
        // "<block size in values> <number of miniblocks in a block> <total value count> <first value>"
        var header: [UInt8] = []
        header.appendVarint(UInt64(blockSize))
        header.appendVarint(UInt64(blockSize / miniblockSize))
        header.appendVarint(UInt64(values.count))
        header.appendZigzag(values.first ?? 0)
        (self.header, size) = (header, header.count)
        blocks.reserveCapacity(values.count / blockSize + 1)
        values.withUnsafeBufferPointer { values in
            for start in stride(from: 1, to: values.count, by: blockSize) {
                // The greatest delta of a miniblock tells its width; the least is that of the block.
                var least = Int64.max
                var greatest = SIMD4<Int64>(repeating: .min)
                let miniblocks = (min(blockSize, values.count - start) + miniblockSize - 1) / miniblockSize
                for miniblock in 0..<miniblocks {
                    let first = start + miniblock * miniblockSize
                    var most = Int64.min
                    for index in first..<min(first + miniblockSize, values.count) {
                        let delta = values[index] &- values[index - 1]
                        least = min(least, delta)
                        most = max(most, delta)
                    }
                    greatest[miniblock] = most
                }
                var block = Block(least: least)
                size += varintSize(zigzag(least)) + blockSize / miniblockSize
                for miniblock in 0..<miniblocks {
                    let range = UInt64(bitPattern: greatest[miniblock] &- least)
                    block.widths[miniblock] = UInt8(64 - range.leadingZeroBitCount)
                    size += miniblockSize / 8 * Int(block.widths[miniblock])
                }
                blocks.append(block)
            }
        }
    }

    /// The numbers that it was made from.
    func bytes(of values: [Int64]) -> [UInt8] {
        values.withUnsafeBufferPointer { values in
            [UInt8](unsafeUninitializedCapacity: size + packingSlack) { out, filled in
                let target = UnsafeMutableRawPointer(out.baseAddress!)
                target.copyMemory(from: header, byteCount: header.count)
                filled = header.count
                for (index, block) in blocks.enumerated() {
                    // "<min delta> <list of bitwidths of miniblocks> <miniblocks>"
                    var rest = zigzag(block.least)
                    while rest >= 0x80 {
                        target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: filled, as: UInt8.self)
                        rest >>= 7
                        filled += 1
                    }
                    target.storeBytes(of: UInt8(rest), toByteOffset: filled, as: UInt8.self)
                    target.storeBytes(of: block.widths, toByteOffset: filled + 1, as: SIMD4<UInt8>.self)
                    filled += 5
                    for miniblock in 0..<blockSize / miniblockSize where block.widths[miniblock] > 0 {
                        let first = 1 + index * blockSize + miniblock * miniblockSize
                        let width = Int(block.widths[miniblock])
                        packMiniblock(block, first, values, width: width, to: target + filled)
                        filled += miniblockSize / 8 * width
                    }
                }
            }
        }
    }

    private func packMiniblock(
        _ block: Block, _ first: Int, _ values: UnsafeBufferPointer<Int64>, width: Int, to target: UnsafeMutableRawPointer
    ) {
        @inline(__always) func delta(_ index: Int) -> UInt64 {
            UInt64(bitPattern: values[first &+ index] &- values[first &+ index &- 1] &- block.least)
        }
        let count = values.count - first
        if count >= miniblockSize { return pack(count: miniblockSize, width: width, to: target, delta) }
        // "We pad the miniblock so that its length is always the number of values in a full miniblock multiplied by the bit width."
        target.initializeMemory(as: UInt8.self, repeating: 0, count: miniblockSize / 8 * width)
        pack(count: count, width: width, to: target, delta)
    }
}

private func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }
private func varintSize(_ value: UInt64) -> Int { max(1, (64 - value.leadingZeroBitCount + 6) / 7) }

/// Reads exactly this many numbers, and returns how many bytes they took; `readableSlack` bytes follow them in memory.
func decodeDelta(_ bytes: UnsafeRawBufferPointer, count: Int, into values: UnsafeMutablePointer<Int64>) throws -> Int {
    // Of no value some write a header, and some nothing.
    if count == 0 && bytes.isEmpty { return 0 }
    var position = 0
    let (size, miniblocks) = (try bytes.varint(at: &position), try bytes.varint(at: &position))
    guard size > 0, size % 128 == 0, size <= UInt64(RowGroup.maximumRows), miniblocks > 0, size % miniblocks == 0,
        size / miniblocks % 32 == 0
    else { throw ParquetDamage("a page of deltas has impossible blocks") }
    guard try bytes.varint(at: &position) == UInt64(count) else {
        throw ParquetDamage("a page holds more or fewer deltas than it says")
    }
    var value = try bytes.zigzag(at: &position)
    if count == 0 { return position }
    values[0] = value
    let (perBlock, perMiniblock) = (Int(miniblocks), Int(size / miniblocks))
    var filled = 1
    while filled < count {
        let least = try bytes.zigzag(at: &position)
        guard perBlock <= bytes.count - position else { throw ParquetDamage("a page of deltas is cut off") }
        let widths = position
        position += perBlock
        // "If, in the last block, less miniblocks are needed, the bytes storing the bit widths of the unneeded miniblocks are still
        // present; there are no additional padding bytes for the miniblock bodies."
        for miniblock in 0..<min(perBlock, (count - filled + perMiniblock - 1) / perMiniblock) {
            let width = Int(bytes[widths + miniblock])
            guard width <= 64, perMiniblock / 8 * width <= bytes.count - position else {
                throw ParquetDamage("a page of deltas is cut off")
            }
            let present = min(perMiniblock, count - filled)
            let target = values + filled
            unpack(
                UnsafeRawBufferPointer(rebasing: bytes[position..<position + perMiniblock / 8 * width]), count: present,
                width: width,
                into: target)
            for index in 0..<present {
                value = value &+ (target[index] &+ least)
                target[index] = value
            }
            position += perMiniblock / 8 * width
            filled += present
        }
    }
    return position
}
