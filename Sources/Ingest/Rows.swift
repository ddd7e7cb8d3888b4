import Common
import Lake

/// The rows of one log while they are being read: columns that grow, with where each row came from.
struct Rows {
    let log: Log
    let specs: [ColumnSpec]
    private(set) var count = 0
    private var columns: [GrowingColumn]

    /// `specs` are the log's own columns and the job's; origin columns are added behind them.
    init(log: Log, specs: [ColumnSpec]) {
        self.log = log
        self.specs = specs + Log.originColumns
        columns = self.specs.map { GrowingColumn(type: $0.type) }
    }

    mutating func code(of text: UnsafeBufferPointer<UInt8>, column: Int) -> Int32 { columns[column].interner.code(of: text) }

    func text(_ code: Int32, column: Int) -> String { columns[column].interner.dictionary[code] }

    /// Appends a row; one cell for each of the log's own and the job's columns.
    mutating func append(_ cells: [Cell], source: String, file: String, record: Int64) {
        for (index, cell) in cells.enumerated() { columns[index].append(cell) }
        let origin = cells.count
        columns[origin].append(.text(columns[origin].interner.code(of: source)))
        columns[origin + 1].append(.text(columns[origin + 1].interner.code(of: file)))
        columns[origin + 2].append(.integer(record))
        count += 1
    }

    func batch() -> Batch { Batch(specs: specs, columns: columns.map { $0.column() }, count: count) }
}

/// A value on its way into a column.
enum Cell: Equatable {
    case null
    case integer(Int64)
    case decimal(Int128)
    case bool(Bool)
    /// A code of the column's interner.
    case text(Int32)
}

private struct GrowingColumn {
    let type: ColumnType
    var interner = TextInterner()
    private var codes: [Int32] = []
    private var integers: [Int64] = []
    private var decimals: [Int128] = []
    private var bools: [Bool] = []
    private var isNull: [Bool] = []

    init(type: ColumnType) { self.type = type }

    mutating func append(_ cell: Cell) {
        switch type {
        case .text:
            if case .text(let code) = cell { codes.append(code) } else { codes.append(-1) }
            return
        case .int64, .timestamp: if case .integer(let value) = cell { integers.append(value) } else { integers.append(0) }
        case .decimal: if case .decimal(let value) = cell { decimals.append(value) } else { decimals.append(0) }
        case .bool: if case .bool(let value) = cell { bools.append(value) } else { bools.append(false) }
        }
        isNull.append(cell == .null)
    }

    func column() -> Column {
        switch type {
        case .text: .text(codes, interner.dictionary)
        case .int64, .timestamp: .integers(integers, nulls: Nulls(isNull: isNull))
        case .decimal: .decimals(decimals, nulls: Nulls(isNull: isNull))
        case .bool: .bools(bools, nulls: Nulls(isNull: isNull))
        }
    }
}
