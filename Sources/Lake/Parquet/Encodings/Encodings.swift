// https://github.com/apache/parquet-format/blob/master/Encodings.md

/// How the values of a page are laid out. Numbers of the format, frozen.
enum ParquetEncoding: Int32, Sendable {
    case plain = 0
    case rle = 3
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
    /// What all pages take together, or a little more.
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

func encoder(of values: [some StoredInteger]) -> ChunkEncoder {
    smallest(.plain(values), .dictionary(values))
}

func encoder(of codes: [Int32], _ dictionary: TextDictionary) -> ChunkEncoder {
    smallest(.plain(codes, of: dictionary), .dictionary(codes, of: dictionary))
}

func encoder(of values: [Bool]) -> ChunkEncoder { .plain(values) }

/// The one that takes the least room, the first among equals.
private func smallest(_ plain: ChunkEncoder, _ others: ChunkEncoder?...) -> ChunkEncoder {
    others.compactMap { $0 }.reduce(plain) { $1.size < $0.size ? $1 : $0 }
}

/// Bytes that may be read beyond the end of a chunk in memory, so that hot loops load whole words.
let readableSlack = 64
