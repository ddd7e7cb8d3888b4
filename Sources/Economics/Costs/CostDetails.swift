import Common
import Lake

/// The columns of a batch that only some queries ask for; nil where one is not asked for.
struct Details {
    let users: Column?
    let tenants: Column?
    /// nil in it where no row of the batch has a value.
    let latency: Column??
    let firstToken: Column??
    private let attempts: Column?
    private let statuses: Column?
    private let counts: Set<CostDetail>

    init(_ batch: Batch, _ details: Set<CostDetail>) {
        counts = details
        users = details.contains(.users) ? batch["user"] : nil
        tenants = details.contains(.tenants) ? batch["tenant"] : nil
        latency = details.contains(.latency) ? .some(batch["latency_ms"]) : nil
        firstToken = details.contains(.firstToken) ? .some(batch["first_token_ms"]) : nil
        attempts = details.contains(.outcomes) ? batch["attempt"] : nil
        statuses = details.contains(.outcomes) ? batch["status"] : nil
    }

    func countOutcomes(
        _ rows: Range<Int>, _ cells: Cells, _ groupOfCell: [Int32], _ wanted: [Bool]?, _ measures: inout [Measures]
    ) {
        func add(_ isMeant: (Int) -> Bool, to path: WritableKeyPath<Measures, Int>) {
            var found = [Int](repeating: 0, count: cells.count)
            for row in rows where isMeant(row) && wanted?[row] ?? true { found[Int(cells.codes[row])] += 1 }
            for cell in found.indices where found[cell] > 0 { measures[Int(groupOfCell[cell])][keyPath: path] += found[cell] }
        }
        if case .integers(let attempts, _)? = attempts { add({ attempts[$0] > 1 }, to: \.retries) }
        if case .text(let codes, let words)? = statuses {
            let isError = (0..<Int32(words.count)).map { !CubeDeclaration.successWords.contains(words[$0].lowercased()) }
            add({ codes[$0] >= 0 }, to: \.withStatus)
            add({ codes[$0] >= 0 && isError[Int(codes[$0])] }, to: \.errors)
        }
    }

    func collect(
        _ column: Column??, _ rows: Range<Int>, _ cells: Cells, _ groupOfCell: [Int32], _ wanted: [Bool]?,
        _ values: inout [ValueCounts]
    ) {
        guard let column else { return }
        for row in rows where wanted?[row] ?? true {
            values[Int(groupOfCell[Int(cells.codes[row])])].add(column?.integer(at: row))
        }
    }
}

/// Who stands in each group, by the codes of `names`; one may stand several times.
struct Distinct {
    private(set) var members: [[Int32]] = []
    /// How many stretches of rows each group's members come from: with at most one, each stands once.
    private(set) var stretches: [Int] = []
    private(set) var names = TextInterner()
    /// The codes in `names` of the dictionary that was looked at last: the row groups of a part often share one.
    private var last = (dictionary: TextDictionary(), codes: [Int32]())
    /// Whether that dictionary holds a text twice, as plain pages do; and for each of `names` the number of the last that had it.
    private var holdsTwice = false
    private var dictionaries: Int32 = 0
    private var heldBy: [Int32] = []

    /// Each once for each group of a stretch of rows: a bit says who was there already.
    mutating func count(_ column: Column?, _ rows: Range<Int>, _ cells: Cells, _ groupOfCell: [Int32], _ wanted: [Bool]?) {
        guard case .text(let codes, let dictionary)? = column else { return }
        if last.dictionary != dictionary {
            last = (dictionary, [Int32](repeating: -1, count: dictionary.count))
            (holdsTwice, dictionaries) = (false, dictionaries + 1)
        }
        let present = Array(Set(groupOfCell.filter { $0 >= 0 })).sorted()
        var position = [Int32: Int](minimumCapacity: present.count)
        for (index, group) in present.enumerated() { position[group] = index }
        let lineOfCell = groupOfCell.map { $0 < 0 ? -1 : position[$0] ?? -1 }
        let width = (dictionary.count + 63) / 64
        guard present.count * width <= 1 << 22 else {
            // Very many groups: the lists hold repetitions, which are left out at the end.
            var isThere = [UInt64](repeating: 0, count: width)
            for row in rows where codes[row] >= 0 && (wanted?[row] ?? true) {
                isThere[Int(codes[row]) >> 6] |= 1 << UInt64(codes[row] & 63)
            }
            name(isThere)
            for row in rows where codes[row] >= 0 && (wanted?[row] ?? true) {
                let group = Int(groupOfCell[Int(cells.codes[row])])
                members[group].append(last.codes[Int(codes[row])])
                stretches[group] += 1
            }
            return
        }
        var bits = [UInt64](repeating: 0, count: present.count * width)
        bits.withUnsafeMutableBufferPointer { bits in
            for row in rows where codes[row] >= 0 && (wanted?[row] ?? true) {
                let code = Int(codes[row])
                bits[lineOfCell[Int(cells.codes[row])] &* width &+ code >> 6] |= 1 << UInt64(truncatingIfNeeded: code & 63)
            }
        }
        name((0..<width).map { word in present.indices.reduce(0) { $0 | bits[$1 * width + word] } })
        for (line, group) in present.enumerated() {
            stretches[Int(group)] += holdsTwice ? 2 : 1
            Distinct.eachBit(bits[line * width..<(line + 1) * width]) { members[Int(group)].append(last.codes[$0]) }
        }
    }

    mutating func addGroup() {
        members.append([])
        stretches.append(0)
    }

    /// Gives codes of `names` to those of the dictionary that are there.
    private mutating func name(_ isThere: [UInt64]) {
        var fresh: [Int32] = []
        Distinct.eachBit(isThere[...]) { if last.codes[$0] < 0 { fresh.append(Int32($0)) } }
        guard !fresh.isEmpty else { return }
        names.assign(fresh, of: last.dictionary, to: &last.codes)
        heldBy += [Int32](repeating: 0, count: names.dictionary.count - heldBy.count)
        for code in fresh {
            let name = Int(last.codes[Int(code)])
            holdsTwice = holdsTwice || heldBy[name] == dictionaries
            heldBy[name] = dictionaries
        }
    }

    @inline(__always)
    private static func eachBit(_ words: ArraySlice<UInt64>, _ body: (Int) -> Void) {
        for (word, bits) in words.enumerated() {
            var left = bits
            while left != 0 {
                body(word * 64 + left.trailingZeroBitCount)
                left &= left &- 1
            }
        }
    }
}

extension Column {
    /// Flags and counts as text, so that they can be dimensions.
    var asText: Column {
        var interner = TextInterner()
        func texts(_ count: Int, _ text: (Int) -> String) -> Column {
            let codes = (0..<count).map { row in isNull(at: row) ? -1 : interner.code(of: text(row)) }
            return .text(codes, interner.dictionary)
        }
        switch self {
        case .text: return self
        case .integers(let values, _): return texts(values.count) { String(values[$0]) }
        case .bools(let values, _): return texts(values.count) { String(values[$0]) }
        case .decimals(let values, _): return texts(values.count) { Money(units: values[$0]).description }
        }
    }
}
