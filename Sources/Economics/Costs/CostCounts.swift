import Common
import Lake

/// What is counted in the rows of a batch: tokens by meter, and quantities in their units.
struct Counts {
    let tokens: [TokenColumn]
    let hasQuantities: Bool
    private let quantities: Column?
    private let units: Column?
    private let batch: Batch

    init(_ batch: Batch) {
        self.batch = batch
        tokens = Meter.allCases.map { TokenColumn(batch[$0.column]) }
        (quantities, units) = (batch["quantity"], batch["unit"])
        hasQuantities = quantities.map { column in (0..<column.count).contains { !column.isNull(at: $0) } } ?? false
    }

    /// In units of 1e-12.
    func quantity(_ row: Int) -> Int128? { hasQuantities ? quantities?.decimal(at: row) : nil }
    func unit(_ row: Int) -> String? { units?.text(at: row) }

    /// Each slot's sums by meter: slot × meters + meter. A null holds 0.
    func sums(_ rows: Range<Int>, _ slots: Slots, _ wanted: [Bool]?, _ day: Day) throws -> [Int64] {
        let meters = tokens.count
        var sums = [Int64](repeating: 0, count: slots.count * meters)
        var isTooLarge = false
        TokenColumn.withValues(of: tokens[...]) { columns in
            slots.codes.withUnsafeBufferPointer { codes in
                sums.withUnsafeMutableBufferPointer { sums in
                    // The columns of a row one after another, so that none waits for the sum that the row before has changed.
                    for row in rows where wanted?[row] ?? true {
                        let slot = Int(codes[row]) &* meters
                        for (meter, values) in columns {
                            let (sum, overflow) = sums[slot &+ meter].addingReportingOverflow(values[row])
                            sums[slot &+ meter] = sum
                            isTooLarge = isTooLarge || overflow
                        }
                    }
                }
            }
        }
        guard !isTooLarge else { throw Measures.tooLarge(day) }
        return sums
    }

    func origin(of row: Int) -> MonthVolumes.Origin { MonthVolumes.Origin(batch, row) }

    /// For each of some rows whether it says nothing of what was used; nil where every row says something. Reasoning tokens alone say
    /// nothing of the output that they are a part of.
    func unknown(_ rows: Range<Int>) -> [Bool]? {
        let telling = tokens.dropLast()
        guard telling.allSatisfy(\.hasNulls) else { return nil }
        return rows.map { row in telling.allSatisfy { $0.isNull(row) } && quantity(row) == nil }
    }
}

/// For each row of a stretch the number of its cell and of the context threshold that it exceeds: all tokens of a slot have one price.
struct Slots {
    let codes: [Int32]
    let count: Int
    private let cells: [Int32]
    private let levels: [Int32]

    /// - Parameter prices: of each cell; nil where no row of the stretch has it.
    init(_ rows: Range<Int>, _ own: Cells, _ prices: [DayPrices?], _ counts: Counts, _ day: Day) throws {
        let levelCounts = prices.map { Int32($0?.levels.count ?? 1) }
        guard levelCounts.contains(where: { $0 > 1 }) else {
            (codes, count) = (own.codes, own.count)
            (cells, levels) = ((0..<Int32(own.count)).map { $0 }, [])
            return
        }
        var (first, cells, levels): ([Int32], [Int32], [Int32]) = ([], [], [])
        for (cell, count) in levelCounts.enumerated() {
            first.append(Int32(cells.count))
            cells += [Int32](repeating: Int32(cell), count: Int(count))
            levels += 0..<count
        }
        // Thresholds compare the whole input, cache included.
        var input = [Int64](repeating: 0, count: rows.count)
        for meter in 0...3 { counts.tokens[meter].add(rows, into: &input) }
        var codes = own.codes
        for row in rows {
            let cell = Int(own.codes[row])
            guard levelCounts[cell] > 1, let prices = prices[cell] else {
                codes[row] = first[cell]
                continue
            }
            let tokens = input[row - rows.lowerBound]
            guard tokens >= 0 else { throw Measures.tooLarge(day) }
            codes[row] = first[cell] + Int32(prices.level(input: tokens))
        }
        (self.codes, count, self.cells, self.levels) = (codes, cells.count, cells, levels)
    }

    func cell(_ slot: Int) -> Int { Int(cells[slot]) }

    /// The number of the threshold among those of the cell's prices.
    func level(_ slot: Int) -> Int { levels.isEmpty ? 0 : Int(levels[slot]) }
}

/// The tokens of one meter.
struct TokenColumn {
    private let values: [Int64]
    private let nulls: Nulls
    let hasNulls: Bool

    init(_ column: Column?) {
        guard case .integers(let values, let nulls)? = column else {
            (self.values, nulls, hasNulls) = ([], .none, true)
            return
        }
        (self.values, self.nulls, hasNulls) = (values, nulls, !nulls.isNull.isEmpty)
    }

    /// The values of the columns that have some, with their places.
    static func withValues(
        of columns: ArraySlice<TokenColumn>, _ found: [(Int, UnsafeBufferPointer<Int64>)] = [],
        _ body: ([(Int, UnsafeBufferPointer<Int64>)]) -> Void
    ) {
        guard let column = columns.first else { return body(found) }
        let rest = columns.dropFirst()
        if column.values.isEmpty { return withValues(of: rest, found, body) }
        column.values.withUnsafeBufferPointer { withValues(of: rest, found + [(columns.startIndex, $0)], body) }
    }

    func isNull(_ row: Int) -> Bool { values.isEmpty || nulls.contains(row) }

    subscript(row: Int) -> Int64? { values.isEmpty || nulls.contains(row) ? nil : values[row] }

    /// Adds the values of some rows to a line that holds one sum for each row; one that is too large becomes negative and stays so.
    @inline(__always)
    func add(_ rows: Range<Int>, into line: inout [Int64], where isMeant: (Int) -> Bool = { _ in true }) {
        guard !values.isEmpty else { return }
        values.withUnsafeBufferPointer { values in
            line.withUnsafeMutableBufferPointer { line in
                for row in rows where isMeant(row) {
                    let (sum, overflow) = line[row &- rows.lowerBound].addingReportingOverflow(values[row])
                    line[row &- rows.lowerBound] = overflow ? Int64.min : sum
                }
            }
        }
    }
}
