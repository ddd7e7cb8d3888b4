import Common
import Lake

/// The costs of a day as the rows of a Parquet file: a column for each dimension and measure, and one for each unit that was counted in.
enum CubeRows {
    private static let quantity = "quantity_"

    static func batch(_ rows: [CostRow]) -> Batch {
        let texts = CubeDeclaration.dimensions.indices.map { index -> Column in
            var interner = TextInterner()
            let codes = rows.map { row in row.keys[index].map { interner.code(of: $0) } ?? -1 }
            return .text(codes, interner.dictionary)
        }
        let measures = CubeMeasure.all.map { measure -> Column in
            measure.type == .decimal
                ? .decimals(rows.map { measure.value($0.measures) }, nulls: .none)
                : .integers(rows.map { Int64(measure.value($0.measures)) }, nulls: .none)
        }
        let units = Set(rows.flatMap(\.measures.quantities.keys)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let quantities = units.map { unit in
            Column.decimals(
                rows.map { $0.measures.quantities[unit] ?? 0 },
                nulls: Nulls(isNull: rows.map { $0.measures.quantities[unit] == nil }))
        }
        let specs =
            CubeDeclaration.dimensions.map { ColumnSpec($0, .text) } + CubeMeasure.all.map(\.spec)
            + units.map { ColumnSpec(quantity + $0, .decimal) }
        return Batch(specs: specs, columns: texts + measures + quantities, count: rows.count)
    }

    /// The measures of every row of a file, with some of its dimensions.
    static func each(
        _ file: ParquetFile, dimensions: [String], outcomes: Bool,
        _ body: (_ keys: [String?], _ measures: Measures) throws -> Void
    ) throws {
        let units = file.specs.filter { $0.name.hasPrefix(quantity) }
        let measures = CubeMeasure.all.filter { outcomes || !$0.isOutcome }
        let batch = try file.readAll(columns: dimensions.map { ColumnSpec($0, .text) } + measures.map(\.spec) + units)
        let (texts, rest) = (batch.columns.prefix(dimensions.count), batch.columns.dropFirst(dimensions.count))
        for row in 0..<batch.count {
            var own = Measures()
            for (measure, column) in zip(measures, rest) {
                switch column {
                case .integers(let values, _): measure.add(&own, Int128(values[row]))
                case .decimals(let values, _): measure.add(&own, values[row])
                case .bools, .text: break
                }
            }
            for (spec, column) in zip(units, rest.dropFirst(measures.count)) {
                if let value = column.decimal(at: row) { own.quantities[String(spec.name.dropFirst(quantity.count))] = value }
            }
            try body(texts.map { $0.text(at: row) }, own)
        }
    }
}
