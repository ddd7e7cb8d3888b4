/// The kinds of page that Vesper writes. Numbers of the format, frozen.
enum PageKind: Int32, Sendable {
    case data = 0
    case dictionary = 2

    init(number: Int32?) throws {
        guard let kind = number.flatMap(PageKind.init(rawValue:)) else {
            throw ParquetDamage("it has a page of kind \(number ?? -1), which Vesper does not write")
        }
        self = kind
    }
}

/// What stands before every page.
struct PageHeader {
    let kind: PageKind
    /// The bytes of the page, without this header.
    let size: Int
    let valueCount: Int
    let encoding: ParquetEncoding

    /// The PageHeader structure, with data page version 1, which every engine reads.
    func bytes() -> [UInt8] {
        var thrift = ThriftWriter()
        thrift.element { page in
            page.i32(1, kind.rawValue)
            page.i32(2, Int32(size))
            page.i32(3, Int32(size))
            switch kind {
            case .data:
                page.structure(5) {
                    $0.i32(1, Int32(valueCount))
                    $0.i32(2, encoding.rawValue)
                    $0.i32(3, ParquetEncoding.rle.rawValue)  // definition levels
                    $0.i32(4, ParquetEncoding.rle.rawValue)  // repetition levels, of which a flat schema has none
                }
            case .dictionary:
                page.structure(7) {
                    $0.i32(1, Int32(valueCount))
                    $0.i32(2, encoding.rawValue)
                }
            }
        }
        return thrift.bytes
    }

    static func read(from thrift: inout ThriftReader) throws -> PageHeader {
        var (kind, levels, encoding): (Int32?, Int32?, Int32?)
        var (size, packedSize, valueCount): (Int?, Int?, Int?)
        try thrift.structure { thrift, field in
            switch field.id {
            case 1: kind = try thrift.i32(field)
            case 2: size = try thrift.size(field)
            case 3: packedSize = try thrift.size(field)
            case 5 where field.kind == .structure, 7 where field.kind == .structure:
                // Both kinds of header begin with the number of values and their encoding.
                let isData = field.id == 5
                try thrift.structure { thrift, field in
                    switch field.id {
                    case 1: valueCount = try thrift.size(field)
                    case 2: encoding = try thrift.i32(field)
                    case 3 where isData: levels = try thrift.i32(field)
                    default: try thrift.skip(field)
                    }
                }
            default: try thrift.skip(field)
            }
        }
        let known = try PageKind(number: kind)
        guard let size, size == packedSize, size <= Int(Int32.max), let valueCount,
            known != .data || levels == ParquetEncoding.rle.rawValue
        else {
            throw ParquetDamage("the header of a page is impossible")
        }
        return PageHeader(kind: known, size: size, valueCount: valueCount, encoding: try ParquetEncoding(number: encoding))
    }
}
