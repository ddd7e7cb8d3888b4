import Common
import Ingest
import Lake

/// A proposed job as JSON5; what was guessed from what, and what is left to do, stands in comments.
func jobText(_ name: String, starts: Day, _ sources: [ProposedSource], data: String?, isDated: Bool) -> String {
    let known = sources.filter { $0.log != nil }
    var lines = [
        "// Proposed by \"vesper init\" from a look at the first records of each export: a beginning, to be read and corrected.",
        "// Look at what it makes of them: vesper ingest <this file> --preview\(data.map { " --data \(inComment($0))" } ?? "")",
        "// Every key is explained in Jobs/README.md.", "{", "  job: \"\(name)\",",
        "  timezone: \"UTC\",  // days and weeks are cut here: put the zone in which the product's days end, such as \"Europe/Berlin\"",
        "  currency: \"USD\",  // of every cost in the reports",
        "  starts: \"\(starts)\",  // \(isDated ? "the week of the earliest record that was seen" : "no record says when something happened; this is the current week")",
    ]
    var columns: [(name: String, type: ColumnType)] = []
    for suggestion in known.flatMap(\.suggested) where !columns.contains(where: { $0.name == suggestion.name }) {
        columns.append(suggestion)
    }
    if !columns.isEmpty {
        let list = columns.map { "\($0.name): \"\($0.type.rawValue)\"" }.joined(separator: ", ")
        lines += [
            "", "  // Fields that no column takes may be kept as columns of the job's own, x_\(columns[0].name) and so on:",
        ]
        lines += wrapped("columns: { \(list) },", prefix: "  // ")
    }
    lines += ["", "  sources: ["]
    if known.count(where: { $0.log == .usage || $0.log == .charges }) > 1 {
        lines += wrapped(
            "Several entries hold tokens or costs. Usage is priced and charges are compared with it; of two usage entries that hold the same calls one has to go, or both need the same id_scope.",
            prefix: "    // ")
        lines.append("")
    }
    for source in sources {
        if source.log != nil { lines += entry(source) } else { lines += leftOut(source) }
    }
    lines += ["  ],", ""]
    let models = Set(known.flatMap(\.models)).sorted()
    lines.append(
        "  // Without a price book every cost is unknown. Jobs/README.md shows one; rates come from the vendor's price page.")
    if !models.isEmpty { lines += wrapped("The models seen: \(models.map(inComment).joined(separator: ", ")).", prefix: "  // ") }
    lines += ["  // prices: [\"Prices/\(name).json5\"],", ""]
    let stack = known.contains { $0.log == .usage && $0.columns.contains("feature") } ? "feature" : "model"
    lines += [
        "  report: [", "    { section: \"stacked-days\", by: \"\(stack)\" },",
        "    { section: \"table\", by: [\"provider\", \"model\"], measures: [\"requests\", \"active\", \"input_tokens\", \"output_tokens\", \"cost\", \"coverage\"] },",
        "    { section: \"data-quality\" },", "    { section: \"provenance\" },", "  ],", "}", "",
    ]
    return lines.joined(separator: "\n")
}

private let mostListed = 60

private func entry(_ source: ProposedSource) -> [String] {
    var lines = wrapped(
        "\(inComment(source.name)): \(source.log?.rawValue ?? ""), because \(inComment(source.reason)).", prefix: "    // ")
    let files =
        source.files.count == 1
        ? JSON.string(source.files[0]).text : "[\(source.files.map { JSON.string($0).text }.joined(separator: ", "))]"
    lines += ["    {", "      log: \"\(source.log?.rawValue ?? "")\", name: \(JSON.string(source.name).text), files: \(files),"]
    lines += source.keys.map { line($0, indent: 6) }
    if !source.map.isEmpty {
        lines.append("      map: {")
        lines += source.map.map { line($0, indent: 8) }
        lines.append("      },")
    }
    if !source.unread.isEmpty {
        let list = source.unread.prefix(mostListed).map { "\(inComment($0.path)) (\(inComment($0.what)))" }.joined(
            separator: ", ")
        let more = source.unread.count > mostListed ? " and \(grouped(source.unread.count - mostListed)) more" : ""
        lines += wrapped("Not read: \(list)\(more).", prefix: "      // ")
    }
    return lines + ["    },", ""]
}

private func leftOut(_ source: ProposedSource) -> [String] {
    let files = source.files.map(inComment).joined(separator: ", ")
    return wrapped("\(files): left out, because \(inComment(source.reason)).", prefix: "    // ") + [""]
}

private func line(_ key: ProposedKey, indent: Int) -> String {
    let name =
        key.name.utf8.allSatisfy { $0 == 0x5f || ($0 | 0x20) &- 0x61 <= 25 || $0 &- 0x30 <= 9 }
        ? key.name : JSON.string(key.name).text
    return String(repeating: " ", count: indent) + "\(name): \(key.value)," + (key.remark.map { "  // \(inComment($0))" } ?? "")
}

/// A text of an export that cannot end the comment it stands in, nor act on a terminal.
private func inComment(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
                default: scalar
                }
            }))
}

/// Broken at spaces into lines of at most 130 characters, each after a prefix.
private func wrapped(_ text: String, prefix: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
        if let last = lines.last, last.count + 1 + word.count <= 130 {
            lines[lines.count - 1] = "\(last) \(word)"
        } else {
            lines.append(prefix + word)
        }
    }
    return lines
}
