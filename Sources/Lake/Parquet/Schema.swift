import Common

// How Vesper's columns are stored. The words in capitals are those of
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

/// Parquet's physical types, those that Vesper uses. Numbers of the format, frozen.
enum PhysicalType: Int32 {
    case boolean = 0
    case int64 = 2
    case byteArray = 6
    case fixedLenByteArray = 7
}

extension ColumnType {
    /// "DECIMAL: FIXED_LEN_BYTE_ARRAY of n bytes can store floor(log_10(2^(8*n - 1) - 1)) base-10 digits": 16 hold 38.
    static let (decimalBytes, decimalPrecision, decimalScale): (Int32, Int32, Int32) = (16, 38, 12)

    var physical: PhysicalType {
        switch self {
        case .text: .byteArray
        case .int64, .timestamp: .int64
        case .bool: .boolean
        case .decimal: .fixedLenByteArray
        }
    }

    /// The ConvertedType, which says the same as the LogicalType to older readers. Numbers of the format, frozen.
    var converted: Int32? {
        switch self {
        case .text: 0  // UTF8
        case .decimal: 5  // DECIMAL
        case .timestamp: 10  // TIMESTAMP_MICROS
        case .int64, .bool: nil
        }
    }
}

extension ColumnSpec {
    private static let optional: Int32 = 1  // FieldRepetitionType.OPTIONAL

    /// One leaf of the schema.
    func write(to thrift: inout ThriftWriter) {
        thrift.i32(1, type.physical.rawValue)
        if type == .decimal { thrift.i32(2, ColumnType.decimalBytes) }
        thrift.i32(3, ColumnSpec.optional)
        thrift.binary(4, name.utf8)
        if let converted = type.converted { thrift.i32(6, converted) }
        if type == .decimal {
            thrift.i32(7, ColumnType.decimalScale)
            thrift.i32(8, ColumnType.decimalPrecision)
        }
        switch type {
        case .text: thrift.structure(10) { $0.structure(1) { _ in } }  // STRING
        case .decimal:
            thrift.structure(10) { logical in
                logical.structure(5) {  // DECIMAL
                    $0.i32(1, ColumnType.decimalScale)
                    $0.i32(2, ColumnType.decimalPrecision)
                }
            }
        case .timestamp:
            thrift.structure(10) { logical in
                logical.structure(8) {  // TIMESTAMP
                    $0.bool(1, true)  // isAdjustedToUTC
                    $0.structure(2) { $0.structure(2) { _ in } }  // unit: MICROS
                }
            }
        case .int64, .bool: break
        }
    }

    /// nil for the root, which is the only element with children.
    static func read(from thrift: inout ThriftReader) throws -> ColumnSpec? {
        var name = ""
        var (physical, length, repetition, converted, scale, precision): (Int32?, Int32?, Int32?, Int32?, Int32?, Int32?)
        var isRoot = false
        try thrift.structure { thrift, field in
            switch field.id {
            case 1: physical = try thrift.i32(field)
            case 2: length = try thrift.i32(field)
            case 3: repetition = try thrift.i32(field)
            case 4: name = try thrift.text(field)
            case 5:
                isRoot = true
                try thrift.skip(field)
            case 6: converted = try thrift.i32(field)
            case 7: scale = try thrift.i32(field)
            case 8: precision = try thrift.i32(field)
            default: try thrift.skip(field)  // the LogicalType repeats what the ConvertedType says
            }
        }
        if isRoot { return nil }
        guard repetition == optional else {
            throw ParquetDamage("column \"\(name)\" is not optional, as every column of Vesper is")
        }
        let type = ColumnType.allCases.first { $0.physical.rawValue == physical && $0.converted == converted }
        guard let type else { throw ParquetDamage("column \"\(name)\" has a type that Vesper does not write") }
        let isFitting =
            length == ColumnType.decimalBytes && scale == ColumnType.decimalScale && precision == ColumnType.decimalPrecision
        guard type != .decimal || isFitting else { throw ParquetDamage("column \"\(name)\" is no decimal(38,12)") }
        return ColumnSpec(name, type)
    }
}
