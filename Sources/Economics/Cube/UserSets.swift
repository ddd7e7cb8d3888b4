import Common
import Lake

/// Users by their numbers in the registry, one bit each.
struct UserBits: Equatable, Sendable {
    private(set) var words: [UInt64] = []

    mutating func insert(_ number: Int) {
        if number >> 6 >= words.count { words += [UInt64](repeating: 0, count: (number >> 6) + 1 - words.count) }
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    mutating func formUnion(_ other: UserBits) {
        if other.words.count > words.count { words += [UInt64](repeating: 0, count: other.words.count - words.count) }
        for index in other.words.indices { words[index] |= other.words[index] }
    }

    /// Adds 64 users a row, as a file holds them; the blocks rise.
    mutating func formUnion(_ rows: Range<Int>, _ blocks: [Int64], _ bits: [Int64]) {
        guard let last = rows.last.map({ Int(blocks[$0]) }) else { return }
        if last >= words.count { words += [UInt64](repeating: 0, count: last + 1 - words.count) }
        for row in rows { words[Int(blocks[row])] |= UInt64(bitPattern: bits[row]) }
    }

    /// One more than the greatest number.
    var bound: Int {
        guard let last = words.indices.last(where: { words[$0] != 0 }) else { return 0 }
        return last * 64 + 64 - words[last].leadingZeroBitCount
    }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}

/// Who was there on one day, by some dimensions: a row of the file holds up to 64 users of one combination.
///
///     plan   feature  block  bits    block 2, bits 0b101: the users 128 and 130
enum UserSets {
    static func specs(_ dimensions: [String]) -> [ColumnSpec] {
        dimensions.map { ColumnSpec($0, .text) } + [ColumnSpec("block", .int64), ColumnSpec("bits", .int64)]
    }

    static func batch(_ sets: [[String?]: UserBits], by dimensions: [String]) -> Batch {
        let keys = sets.keys.sorted { CostRow.sortKey($0) < CostRow.sortKey($1) }
        var interners = dimensions.map { _ in TextInterner() }
        var codes = dimensions.map { _ in [Int32]() }
        var (blocks, bits): ([Int64], [Int64]) = ([], [])
        for key in keys {
            let own = key.enumerated().map { index, text in text.map { interners[index].code(of: $0) } ?? -1 }
            for (block, word) in (sets[key]?.words ?? []).enumerated() where word != 0 {
                for index in own.indices { codes[index].append(own[index]) }
                blocks.append(Int64(block))
                bits.append(Int64(bitPattern: word))
            }
        }
        let texts = zip(codes, interners).map { Column.text($0, $1.dictionary) }
        return Batch(
            specs: specs(dimensions), columns: texts + [.integers(blocks, nulls: .none), .integers(bits, nulls: .none)],
            count: blocks.count)
    }

    /// Hands over every stretch of rows with the same combination: its texts, and its blocks with their bits.
    static func each(
        _ batch: Batch, by dimensions: [String],
        _ body: (_ keys: [String?], _ rows: Range<Int>, _ blocks: [Int64], _ bits: [Int64]) throws -> Void
    ) rethrows {
        guard case .integers(let blocks, _)? = batch["block"], case .integers(let bits, _)? = batch["bits"] else { return }
        let columns = dimensions.map { batch[$0] }
        let codes = columns.map { column -> [Int32] in
            guard case .text(let codes, _)? = column else { return [] }
            return codes
        }
        var start = 0
        for row in 0...batch.count where row == batch.count || row > 0 && codes.contains(where: { $0[row] != $0[row - 1] }) {
            if row > start { try body(columns.map { $0?.text(at: start) }, start..<row, blocks, bits) }
            start = row
        }
    }
}
