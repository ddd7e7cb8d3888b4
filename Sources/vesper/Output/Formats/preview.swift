import Common
import Ingest

/// The previews of a job's sources for people: each record as it stands in the file, and below it the columns of its row.
func readable(_ previews: [SourcePreview]) -> String {
    previews.map { readable($0) }.joined(separator: "\n")
}

private func readable(_ preview: SourcePreview) -> String {
    var lines = ["\(visible(preview.source)) → \(preview.log.rawValue): \(preview.file.map(visible) ?? "no file fits its files")"]
    for record in preview.records {
        lines.append("  record \(grouped(record.number)): \(visible(words(for: record.outcome)))")
        lines.append("    \(beginning(of: record))")
        let names = record.cells.map { displayWidth($0.column) }.max() ?? 0
        let values = record.cells.map { cut(visible($0.value), to: 48) }
        let width = values.map(displayWidth).max() ?? 0
        for (cell, value) in zip(record.cells, values) {
            lines.append("    \(padded(cell.column, to: names))  \(padded(value, to: width))  ← \(visible(cell.origin))")
        }
    }
    if let problem = preview.problem { lines.append("  cannot be read: \(visible(problem.description))") }
    if preview.file != nil, preview.records.isEmpty, preview.problem == nil { lines.append("  it holds no record") }
    for (title, names) in [("not filled", preview.unfilled), ("not read", preview.unread)] where !names.isEmpty {
        lines.append(wrapped("\(title): " + names.map(visible).joined(separator: ", "), width: 118, indent: 2))
    }
    return lines.joined(separator: "\n") + "\n"
}

private func words(for outcome: PreviewedRecord.Outcome) -> String {
    switch outcome {
    case .accepted: "accepted"
    case .outOfRange: "out of range, before accept_from or more than a day ahead"
    case .filtered(let path): "filtered, for \(path) does not meet where"
    case .quarantined(let reason, let detail): "quarantined as \(reason), for \(detail)"
    }
}

/// As much of a record as fits on a line or two.
private func beginning(of record: PreviewedRecord) -> String {
    let text = visible(String(decoding: record.raw.prefix(1000), as: UTF8.self))
    let short = cut(text, to: 200)
    return record.length > record.raw.prefix(1000).count || short != text ? "\(short) (\(grouped(record.length)) bytes)" : short
}

private func cut(_ text: String, to width: Int) -> String { text.count <= width ? text : text.prefix(width - 1) + "…" }

/// The same for programs.
func previewJSON(_ previews: [SourcePreview], job: String) -> String {
    let sources = previews.map { preview -> JSON in
        .fields([
            "source": .string(preview.source), "log": .string(preview.log.rawValue), "file": .optional(preview.file),
            "records": .array(preview.records.map(object)), "not_filled": .array(preview.unfilled.map(JSON.string)),
            "not_read": .array(preview.unread.map(JSON.string)), "problem": .optional(preview.problem?.description),
        ])
    }
    let value: JSON = .fields(["schema": .string("vesper.preview/1"), "job": .string(job), "sources": .array(sources)])
    return harmless(value.text) + "\n"
}

private func object(_ record: PreviewedRecord) -> JSON {
    let (outcome, reason, detail): (String, String?, String?) =
        switch record.outcome {
        case .accepted: ("accepted", nil, nil)
        case .outOfRange: ("out_of_range", nil, nil)
        case .filtered(let path): ("filtered", path, nil)
        case .quarantined(let reason, let detail): ("quarantined", reason, detail)
        }
    return .fields([
        "record": .int(record.number), "outcome": .string(outcome), "reason": .optional(reason), "detail": .optional(detail),
        "bytes": .int(record.length), "raw": .string(String(decoding: record.raw, as: UTF8.self)),
        "row": .object(
            record.cells.map { cell in
                JSON.Member(cell.column, .fields(["value": .string(cell.value), "from": .string(cell.origin)]))
            }),
    ])
}
