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
    private let columns: [Column?]
    /// For each cell the code in each column, -1 for none.
    private let parts: [[Int32]]

    init(_ source: Columns, _ dimensions: [String], count rows: Int) {
        columns = (dimensions + ["provider", "model", "service_tier"]).map { source[$0] }
        var codes = [Int32](repeating: 0, count: rows)
        var parts: [[Int32]] = [[]]
        for column in columns {
            guard case .text(let own, let dictionary)? = column else {
                parts = parts.map { $0 + [-1] }
                continue
            }
            // Cells so far × values of this column, numbered again by what occurs.
            let width = dictionary.count + 1
            var next: [[Int32]] = []
            if parts.count * width <= 1 << 20 {
                var number = [Int32](repeating: -1, count: parts.count * width)
                number.withUnsafeMutableBufferPointer { number in
                    for row in 0..<rows {
                        let pair = Int(codes[row]) &* width &+ Int(own[row] &+ 1)
                        if number[pair] < 0 {
                            number[pair] = Int32(next.count)
                            next.append(parts[Int(codes[row])] + [own[row]])
                        }
                        codes[row] = number[pair]
                    }
                }
            } else {
                var number: [Int: Int32] = [:]
                for row in 0..<rows {
                    let pair = Int(codes[row]) * width + Int(own[row] + 1)
                    if let known = number[pair] {
                        codes[row] = known
                    } else {
                        number[pair] = Int32(next.count)
                        next.append(parts[Int(codes[row])] + [own[row]])
                        codes[row] = Int32(next.count - 1)
                    }
                }
            }
            parts = next
        }
        (self.codes, self.parts, count) = (codes, parts, parts.count)
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

    func text(_ column: Int, of cell: Int) -> String? {
        guard case .text(_, let dictionary)? = columns[column], parts[cell][column] >= 0 else { return nil }
        return dictionary[parts[cell][column]]
    }
}
