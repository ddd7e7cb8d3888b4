import Common
import Lake

/// Everything that the files of a run held, before rows with the same id are taken together.
struct Reading {
    var rows: [Log: Rows] = [:]
    var refusals: [Refusal] = []
    /// Records that are already decided: refused, filtered or out of range.
    var counts: [CountKey: Counts] = [:]
    var files: [String: FileReading] = [:]
    /// Rows that came to a lake day or left it, once rows with the same id have been taken together.
    var storedDays: [CountKey: [Day: Int]] = [:]
}

/// A record longer than this is refused.
let longestRecord = 16 << 20

/// Reads each file once, for all source entries that want it.
func readFiles(_ pending: [PendingFile], _ order: IngestOrder, _ talk: Talk) throws -> Reading {
    var reading = Reading()
    let total = Dictionary(pending.map { ($0.path, $0.signature.size) }) { first, _ in first }.values.reduce(0, +)
    var done: Int64 = 0
    for (path, entries) in Dictionary(grouping: pending, by: \.path).sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        talk.progress("reading \(order.job)", done, total)
        let sources = entries.compactMap { entry in
            order.sources.first { $0.name == entry.source }.map { (source: $0, linesRead: entry.linesRead) }
        }
        let size = entries.map(\.signature.size).min() ?? 0
        try readFile(path, size: size, for: sources, order, &reading)
        done += size
    }
    talk.progress("reading \(order.job)", total, total)
    return reading
}

private func readFile(
    _ path: String, size: Int64, for sources: [(source: Source, linesRead: Int64)], _ order: IngestOrder, _ reading: inout Reading
) throws {
    var tree = FieldTree()
    var lanes = try sources.map { Lane(mapping: try Mapping($0.source, file: path, tree: &tree), linesRead: $0.linesRead) }
    for log in Set(sources.map(\.source.log)) where reading.rows[log] == nil { reading.rows[log] = Rows(log: log, specs: order.specs(log)) }
    let nodes = tree.nodes
    var slots = [RawValue](repeating: RawValue(), count: max(tree.slotCount, 1))
    reading.files[path] = try readLines(of: joined(order.data, path), size: size, longest: longestRecord) { number, line, cut in
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }  // a blank line is no record
        for index in slots.indices { slots[index] = RawValue() }
        let problem =
            cut != nil
            ? nil
            : nodes.withUnsafeBufferPointer { nodes in
                slots.withUnsafeMutableBufferPointer { JSONScanner.scan(line, for: nodes.baseAddress!, into: $0.baseAddress!) }
            }
        for index in lanes.indices {
            let source = lanes[index].mapping.source
            guard number > lanes[index].linesRead else {
                // Read by an earlier run: nothing is counted or stored again, but equal rows without ids go on being numbered.
                guard problem == nil, cut == nil else { continue }
                slots.withUnsafeMutableBufferPointer {
                    lanes[index].passOver(line, $0.baseAddress!, &reading.rows[source.log]!, accepting: order.range)
                }
                continue
            }
            let key = CountKey(source: source.name, log: source.log.rawValue, file: path)
            func refuse(_ reason: String, _ detail: String) {
                reading.counts[key, default: Counts()].quarantined[reason, default: 0] += 1
                reading.refusals.append(
                    Refusal(source: source.name, file: path, record: number, reason: reason, detail: detail, line: line, cut: cut))
            }
            if let cut {
                refuse("too_long", "the record has \(grouped(cut.length)) bytes; at most \(grouped(longestRecord)) are read")
            } else if let problem {
                refuse("bad_json", "the record \(problem.what), at byte \(problem.byte)")
            } else {
                let outcome = slots.withUnsafeMutableBufferPointer {
                    lanes[index].mapping.row(of: line, $0.baseAddress!, into: &reading.rows[source.log]!, accepting: order.range)
                }
                switch outcome {
                case .filtered: reading.counts[key, default: Counts()].filtered += 1
                case .outOfRange: reading.counts[key, default: Counts()].outOfRange += 1
                case .refused(let reason, let detail): refuse(reason, detail)
                case .row(let cells, _): lanes[index].append(cells, file: path, record: number, to: &reading.rows[source.log]!)
                }
            }
        }
    }
}

/// One source entry's way through one file.
private struct Lane {
    let mapping: Mapping
    let linesRead: Int64
    /// How often each content has occurred, among rows without an id.
    private var occurrences: [Digest: Int] = [:]

    init(mapping: Mapping, linesRead: Int64) { (self.mapping, self.linesRead) = (mapping, linesRead) }

    /// A row without an id gets one from its values and its ordinal among identical rows of the file, so that the same file, or
    /// another export of the same rows, gives the same ids.
    mutating func append(_ cells: [Cell], file: String, record: Int64, to rows: inout Rows) {
        var cells = cells
        if let column = mapping.idColumn, cells[column] == .null {
            let (content, ordinal) = numbered(cells, rows)
            let id = "row-" + Digest.of(parts: [content.hex, String(ordinal)]).hex.prefix(32)
            cells[column] = .text(id.withContiguousUTF8 { rows.code(of: $0, column: column) })
        }
        rows.append(cells, source: mapping.source.name, file: file, record: record)
    }

    /// A record that an earlier run has stored takes its ordinal, so that the rows after it have those of a file read at once.
    mutating func passOver(
        _ line: UnsafeBufferPointer<UInt8>, _ slots: UnsafeMutablePointer<RawValue>, _ rows: inout Rows, accepting range: Range<Instant>
    ) {
        guard let column = mapping.idColumn, case .row(let cells, _) = mapping.row(of: line, slots, into: &rows, accepting: range),
            cells[column] == .null
        else { return }
        _ = numbered(cells, rows)
    }

    private mutating func numbered(_ cells: [Cell], _ rows: Rows) -> (content: Digest, ordinal: Int) {
        let content = rows.digest(of: cells)
        let ordinal = occurrences[content, default: 0]
        occurrences[content] = ordinal + 1
        return (content, ordinal)
    }
}

extension Rows {
    /// Of a row's values, column by column.
    fileprivate func digest(of cells: [Cell]) -> Digest {
        Digest.of(
            parts: cells.enumerated().map { index, cell in
                switch cell {
                case .null: "n"
                case .integer(let value): "i\(value)"
                case .decimal(let value): "d\(value)"
                case .bool(let value): "b\(value)"
                case .text(let code): "t" + text(code, column: index)
                }
            })
    }
}
