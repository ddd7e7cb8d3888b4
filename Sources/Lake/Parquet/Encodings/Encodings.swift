// https://github.com/apache/parquet-format/blob/master/Encodings.md

/// How the values of a page are laid out. Numbers of the format, frozen.
enum ParquetEncoding: Int32, Sendable {
    case plain = 0
    case rle = 3
    case deltaBinaryPacked = 5
    case deltaLengthByteArray = 6
    case deltaByteArray = 7
    case rleDictionary = 8

    init(number: Int32?) throws {
        guard let encoding = number.flatMap(ParquetEncoding.init(rawValue:)) else {
            throw ParquetDamage("a page uses encoding \(number ?? -1), which Vesper does not read")
        }
        self = encoding
    }
}

/// The present values of one chunk, ready to be laid out page by page.
struct ChunkEncoder {
    let encoding: ParquetEncoding
    /// What all values take in one page, together with their dictionary.
    let size: Int
    /// The page that must stand before the others.
    var dictionary: (page: [UInt8], count: Int)?
    /// How many values from this one on go into one page at most.
    var longestPage: (_ start: Int) -> Int = { _ in .max }
    let page: (_ values: Range<Int>) -> [UInt8]
    /// The least and greatest of all values, for the statistics.
    let bounds: () -> ColumnStatistics.Bounds?
}

// The ways to store a chunk; nil does not pay or does not fit. How a page in each of them is read stands in ChunkReader.swift.

func encoder(of values: [Int64]) -> ChunkEncoder {
    let simple = smallest(.plain(values), .delta(values))
    return smallest(simple, .dictionary(values, smallerThan: simple.size))
}

func encoder(of values: [Int128]) -> ChunkEncoder {
    let plain = ChunkEncoder.plain(values)
    return smallest(plain, .dictionary(values, smallerThan: plain.size / 2))
}

func encoder(of codes: [Int32], _ dictionary: TextDictionary) -> ChunkEncoder {
    let plain = ChunkEncoder.plain(codes, of: dictionary)
    let repeated = ChunkEncoder.dictionary(codes, of: dictionary, smallerThan: plain.size / 2)
    // Texts alone, without any length, may be larger already.
    if let repeated, repeated.size < plain.size - 4 * codes.count { return repeated }
    return smallest(smallest(plain, .deltaLengths(codes, of: dictionary)), repeated)
}

func encoder(of values: [Bool]) -> ChunkEncoder { .plain(values) }

/// The one that takes the least room, the first among equals.
private func smallest(_ first: ChunkEncoder, _ second: ChunkEncoder?) -> ChunkEncoder {
    if let second, second.size < first.size { second } else { first }
}

/// Bytes that may be read beyond the end of a chunk in memory, so that hot loops load whole words.
let readableSlack = 64
