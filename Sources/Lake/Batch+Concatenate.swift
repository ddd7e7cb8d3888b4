extension Batch {
    /// The rows of several batches under each other, in the given columns; a batch that lacks a column has nulls there.
    public static func concatenated(_ batches: [Batch], specs: [ColumnSpec]) -> Batch {
        let columns = specs.map { spec in
            Column.concatenated(batches.map { $0[spec.name] ?? .missing(spec.type, count: $0.count) }, type: spec.type)
        }
        return Batch(specs: specs, columns: columns, count: batches.reduce(0) { $0 + $1.count })
    }
}

extension Batch {
    /// The same rows with dictionaries that hold only what they use.
    public func compacted() -> Batch { Batch(specs: specs, columns: columns.map { $0.compacted() }, count: count) }
}

extension Column {
    static func concatenated(_ columns: [Column], type: ColumnType) -> Column {
        var isNull: [Bool] = []
        func note(_ nulls: Nulls, _ count: Int) {
            isNull.append(contentsOf: nulls.isNull.isEmpty ? [Bool](repeating: false, count: count) : nulls.isNull)
        }
        switch type {
        case .text:
            var interner = TextInterner()
            var codes: [Int32] = []
            for case .text(let own, let dictionary) in columns {
                var translated = [Int32](repeating: -1, count: dictionary.count)
                for code in own {
                    if code >= 0, translated[Int(code)] < 0 {
                        translated[Int(code)] = dictionary.withUTF8(code) { interner.code(of: $0) }
                    }
                    codes.append(code < 0 ? -1 : translated[Int(code)])
                }
            }
            return .text(codes, interner.dictionary)
        case .int64, .timestamp:
            var all: [Int64] = []
            for case .integers(let values, let nulls) in columns {
                all += values
                note(nulls, values.count)
            }
            return .integers(all, nulls: Nulls(isNull: isNull))
        case .decimal:
            var all: [Int128] = []
            for case .decimals(let values, let nulls) in columns {
                all += values
                note(nulls, values.count)
            }
            return .decimals(all, nulls: Nulls(isNull: isNull))
        case .bool:
            var all: [Bool] = []
            for case .bools(let values, let nulls) in columns {
                all += values
                note(nulls, values.count)
            }
            return .bools(all, nulls: Nulls(isNull: isNull))
        }
    }

    /// The same column with a dictionary that holds only what its rows use, in the order of first use: the form that is stored.
    public func compacted() -> Column {
        if case .text = self { Column.concatenated([self], type: .text) } else { self }
    }
}
