// "The values are packed from the least significant bit of each byte to the most significant bit."

/// Packing stores whole words: so many bytes may be written behind the last packed one.
let packingSlack = 8

/// Packs values; what is left of the last word is filled with zeros.
@inline(__always)
func pack(count: Int, width: Int, to target: UnsafeMutableRawPointer, _ value: (Int) -> UInt64) {
    var (word, bits, at): (UInt64, Int, Int) = (0, 0, 0)
    for index in 0..<count {
        let value = value(index)
        word |= value &<< UInt64(bits)
        bits &+= width
        if bits >= 64 {
            target.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
            at &+= 8
            bits &-= 64
            word = bits == 0 ? 0 : value &>> UInt64(width &- bits)
        }
    }
    if bits > 0 { target.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self) }
}

/// Unpacks exactly this many values; behind the packed ones lie `readableSlack` bytes that may be read.
func unpack<Value: FixedWidthInteger & BitwiseCopyable>(
    _ bits: UnsafeRawBufferPointer, count: Int, width: Int, into values: UnsafeMutablePointer<Value>
) {
    guard let source = bits.baseAddress, width > 0 else { return values.update(repeating: 0, count: count) }
    let groups = count / 8
    unpack(source, groups: groups, width: width, into: values)
    if count % 8 == 0 { return }
    withUnsafeTemporaryAllocation(of: Value.self, capacity: 8) { last in
        unpack(source + groups * width, groups: 1, width: width, into: last.baseAddress!)
        for index in 0..<count % 8 { values[groups * 8 + index] = last[index] }
    }
}

/// Unpacks groups of eight; a width known when compiling makes every shift and mask a constant.
private func unpack<Value: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, groups: Int, width: Int, into values: UnsafeMutablePointer<Value>
) {
    switch width {
    case 1: unpackGroups(source, groups, 1, values)
    case 2: unpackGroups(source, groups, 2, values)
    case 3: unpackGroups(source, groups, 3, values)
    case 4: unpackGroups(source, groups, 4, values)
    case 5: unpackGroups(source, groups, 5, values)
    case 6: unpackGroups(source, groups, 6, values)
    case 7: unpackGroups(source, groups, 7, values)
    case 8: unpackGroups(source, groups, 8, values)
    case 9: unpackGroups(source, groups, 9, values)
    case 10: unpackGroups(source, groups, 10, values)
    case 11: unpackGroups(source, groups, 11, values)
    case 12: unpackGroups(source, groups, 12, values)
    case 13: unpackGroups(source, groups, 13, values)
    case 14: unpackGroups(source, groups, 14, values)
    case 15: unpackGroups(source, groups, 15, values)
    case 16: unpackGroups(source, groups, 16, values)
    case 17...57: unpackGroups(source, groups, width, values)
    default: unpackWide(source, groups, width, values)
    }
}

@inline(__always)
private func unpackGroups<Value: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ groups: Int, _ width: Int, _ values: UnsafeMutablePointer<Value>
) {
    let mask = (UInt64(1) << UInt64(width)) &- 1
    for group in 0..<groups {
        let bits = source + group &* width
        let target = values + group &* 8
        // A value begins at most 7 bits into a byte and is 57 bits long at most, so that one load holds all of it.
        @inline(__always) func value(_ index: Int) -> Value {
            let word = UInt64(littleEndian: bits.loadUnaligned(fromByteOffset: index &* width / 8, as: UInt64.self))
            return Value(truncatingIfNeeded: (word &>> UInt64(index &* width % 8)) & mask)
        }
        target[0] = value(0)
        target[1] = value(1)
        target[2] = value(2)
        target[3] = value(3)
        target[4] = value(4)
        target[5] = value(5)
        target[6] = value(6)
        target[7] = value(7)
    }
}

/// Values of up to 64 bits, which may reach into a ninth byte.
private func unpackWide<Value: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ groups: Int, _ width: Int, _ values: UnsafeMutablePointer<Value>
) {
    let mask = (UInt64(1) << UInt64(width)) &- 1
    for index in 0..<groups * 8 {
        let (byte, shift) = (index * width / 8, UInt64(index * width % 8))
        let low = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: byte, as: UInt64.self)) >> shift
        let high = UInt64(source.load(fromByteOffset: byte + 8, as: UInt8.self)) << (64 - shift)
        values[index] = Value(truncatingIfNeeded: (low | high) & mask)
    }
}
