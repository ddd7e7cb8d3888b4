import Common
import Lake

/// The columns of a batch by the names of dimensions.
struct Columns {
    private let find: (String) -> Column?

    init(_ find: @escaping (String) -> Column?) { self.find = find }
    subscript(dimension: String) -> Column? { find(dimension) }
}

/// For each row of a batch the number of its combination of dimensions and of what decides the price.
struct Cells {
    let codes: [Int32]
    let count: Int
    /// Where each dimension asked for stands among `columns`, and then provider, model and service tier.
    private let places: [Int]
    private let columns: [Column?]
    /// For each cell the code in each column, -1 for none.
    private let parts: [[Int32]]

    init(_ source: Columns, _ dimensions: [String], count rows: Int) {
        let wanted = dimensions + ["provider", "model", "service_tier"]
        var names: [String] = []
        for name in wanted where !names.contains(name) { names.append(name) }
        places = wanted.map { name in names.firstIndex(of: name) ?? 0 }
        columns = names.map { source[$0] }
        var codes = [Int32](repeating: 0, count: rows)
        var parts: [[Int32]] = [[]]
        var left = columns[...]
        while !left.isEmpty {
            // As many columns at once as their values make a table of combinations that stays in the cache.
            var taken: [(own: [Int32], width: Int)] = []
            var size = parts.count
            let before = left.count
            while let column = left.first, taken.isEmpty || size <= Cells.fewCells {
                guard case .text(let own, let dictionary)? = column else {
                    if !taken.isEmpty { break }
                    parts = parts.map { $0 + [-1] }
                    left = left.dropFirst()
                    break
                }
                let (next, overflow) = size.multipliedReportingOverflow(by: dictionary.count + 1)
                if !taken.isEmpty, overflow || next > Cells.fewCells { break }
                size = overflow ? Int.max : next
                taken.append((own, dictionary.count + 1))
                left = left.dropFirst()
            }
            precondition(left.count < before, "every turn takes a column")
            if !taken.isEmpty { parts = Cells.combined(&codes, parts, taken, size: size) }
        }
        (self.codes, self.parts, count) = (codes, parts, parts.count)
    }

    private static let fewCells = 1 << 14

    /// Numbers the combinations of cells so far and further columns by what occurs.
    private static func combined(_ codes: inout [Int32], _ parts: [[Int32]], _ taken: [(own: [Int32], width: Int)], size: Int)
        -> [[Int32]]
    {
        var next: [[Int32]] = []
        guard size <= 1 << 20 else {
            // Too many for a table: only one column was taken.
            var number: [Int: Int32] = [:]
            for row in codes.indices {
                let pair = Int(codes[row]) * taken[0].width + Int(taken[0].own[row] + 1)
                if let known = number[pair] {
                    codes[row] = known
                } else {
                    number[pair] = Int32(next.count)
                    next.append(parts[Int(codes[row])] + [taken[0].own[row]])
                    codes[row] = Int32(next.count - 1)
                }
            }
            return next
        }
        var places = [Int32](repeating: 0, count: codes.count)
        places.withUnsafeMutableBufferPointer { places in
            codes.withUnsafeBufferPointer { codes in for row in codes.indices { places[row] = codes[row] } }
            for (own, width) in taken {
                let width = Int32(width)
                own.withUnsafeBufferPointer { own in
                    for row in places.indices { places[row] = places[row] &* width &+ own[row] &+ 1 }
                }
            }
        }
        var number = [Int32](repeating: -1, count: size)
        number.withUnsafeMutableBufferPointer { number in
            codes.withUnsafeMutableBufferPointer { codes in
                for row in places.indices {
                    let place = Int(places[row])
                    if number[place] < 0 {
                        number[place] = Int32(next.count)
                        next.append(parts[Int(codes[row])] + taken.map { $0.own[row] })
                    }
                    codes[row] = number[place]
                }
            }
        }
        return next
    }

    /// How many rows each cell has.
    func counts(_ rows: Range<Int>, _ wanted: [Bool]?) -> [Int] {
        var counts = [Int](repeating: 0, count: count)
        codes.withUnsafeBufferPointer { codes in
            counts.withUnsafeMutableBufferPointer { counts in
                for row in rows where wanted?[row] ?? true { counts[Int(codes[row])] &+= 1 }
            }
        }
        return counts
    }

    func text(_ dimension: Int, of cell: Int) -> String? {
        let column = places[dimension]
        guard case .text(_, let dictionary)? = columns[column], parts[cell][column] >= 0 else { return nil }
        return dictionary[parts[cell][column]]
    }
}
