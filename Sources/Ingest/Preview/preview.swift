import Common
import Lake

/// Maps the first records of one file of every source, and stores nothing.
///
/// Whether an id has been read before is not looked at: that takes the lake.
///
/// - Parameter most: how many records of a file are looked at.
public func preview(_ order: IngestOrder, records most: Int) throws -> [SourcePreview] {
    try order.sources.flatMap { source -> [SourcePreview] in
        let files = try order.files(of: source)
        if case .all = order.choice {
            guard let first = files.first else { return [SourcePreview(source: source.name, log: source.log, file: nil)] }
            return [previewed(source, first, order, most: most)]
        }
        return files.map { previewed(source, $0, order, most: most) }
    }
}

/// As many records have been looked at as were asked for.
struct EnoughRecords: Error {}

private func previewed(_ source: Source, _ file: String, _ order: IngestOrder, most: Int) -> SourcePreview {
    var found = SourcePreview(source: source.name, log: source.log, file: file)
    let path = order.location(of: file)
    do {
        var tree = FieldTree()
        let elements = source.each.map { ElementReader($0, wanting: source.paths, in: &tree) }
        let mapping = try Mapping(source, file: file) { elements?.slot(for: $0) ?? tree.slot(for: $0) }
        let places = Dictionary(
            uniqueKeysWithValues: Set(source.paths).map { ($0, elements?.slot(for: $0) ?? tree.slot(for: $0)) })
        func look(_ record: Record) throws {
            found.records.append(looked(at: record, mapping, places, order.range))
            if found.records.count == most { throw EnoughRecords() }
        }
        do {
            try readRecords(
                of: path, as: source.format(of: file), for: tree, size: FileSignature(of: path)?.size ?? 0,
                longest: order.longestRecord
            ) { record in
                if let elements { try elements.read(record) { try look($0) } } else { try look(record) }
            }
        } catch is EnoughRecords {}
        let sample = try sampleRecords(of: path, as: source.format(of: file), most: most, longest: order.longestRecord)
        found.unread = unread(sample.records, by: source)
    } catch let failure as Failure {
        found.problem = failure
    } catch {
        found.problem = Failure("\(error)", at: Place(path: path))
    }
    let filled = Set(found.records.flatMap { $0.cells.map(\.column) })
    if !filled.isEmpty { found.unfilled = source.columns.map(\.spec.name).filter { !filled.contains($0) } }
    return found
}

private func looked(at record: Record, _ mapping: Mapping, _ places: [String: Int], _ range: Range<Instant>) -> PreviewedRecord {
    func end(_ outcome: PreviewedRecord.Outcome, _ cells: [PreviewedCell] = [], length: Int? = nil) -> PreviewedRecord {
        PreviewedRecord(
            number: record.number, raw: Array(record.line.prefix(CutRecord.kept)), length: length ?? record.line.count,
            outcome: outcome, cells: cells)
    }
    if case .refused(let reason, let detail, let cut) = record.scan {
        return end(.quarantined(reason: reason, detail: detail), length: cut?.length)
    }
    if let unmet = mapping.unmet(record.bytes, record.values) {
        return end(.filtered(by: mapping.source.conditions[unmet].path))
    }
    let row = RowBucket(mapping.types, expected: 1)
    defer { row.free() }
    do {
        let time = try mapping.time(record.bytes, record.values)
        try mapping.write(record.bytes, record.values, time: time, to: row.columns, row: 0)
        row.keep(record: record.number)
        let batch = row.batch(specs: mapping.source.columns.map(\.spec), timeColumn: mapping.timeColumn, source: "", file: "")
        return end(range.contains(time) ? .accepted : .outOfRange, cells(of: batch, record, mapping, places))
    } catch {
        return end(.quarantined(reason: error.reason, detail: error.detail))
    }
}

private func cells(of row: Batch, _ record: Record, _ mapping: Mapping, _ places: [String: Int]) -> [PreviewedCell] {
    mapping.source.columns.enumerated().compactMap { index, column in
        if let value = row.columns[index].description(at: 0, column.spec.type) {
            return PreviewedCell(
                column: column.spec.name, value: value,
                origin: origin(of: column.rule, column.spec, record, mapping.source, places))
        }
        guard index == mapping.idColumn else { return nil }
        return PreviewedCell(column: column.spec.name, value: "row-…", origin: "made from the row's values")
    }
}

/// Which field gave a value, and what was done to it.
private func origin(
    of rule: ColumnRule, _ column: ColumnSpec, _ record: Record, _ source: Source, _ places: [String: Int]
) -> String {
    switch rule.origin {
    case .constant: return "constant"
    case .fileName(let pattern): return "file name, \(pattern)"
    case .object(let members):
        return members.map { $0.name == $0.path ? $0.path : "\($0.path) as \($0.name)" }.joined(separator: ", ")
    case .paths(let paths):
        let path = paths.first { path in
            guard let place = places[path] else { return false }
            return record.values[place].kind != .absent && record.values[place].kind != .null
        }
        var words = [path ?? (paths.first ?? "")]
        if let conversion = rule.conversion {
            if !conversion.values.isEmpty { words.append("by values") }
            if let scale = conversion.scale { words.append("times \(scale)") }
            if conversion.time != nil { words.append("counted") }
            if let zone = conversion.zone { words.append("in \(zone.name)") }
        }
        if source.inputIncludesCache, column.name == "input_tokens" { words.append("less cached tokens") }
        if source.outputExcludesReasoning, column.name == "output_tokens" { words.append("with reasoning_tokens") }
        return words.joined(separator: ", ")
    }
}

extension Column {
    /// A value as people and JSON have it; nil for a null.
    func description(at row: Int, _ type: ColumnType) -> String? {
        switch type {
        case .text: text(at: row)
        case .int64: integer(at: row).map { String($0) }
        case .timestamp: integer(at: row).map { Instant(microseconds: $0).description }
        case .decimal: decimal(at: row).map { Money(units: $0).description }
        case .bool: bool(at: row).map { String($0) }
        }
    }
}
