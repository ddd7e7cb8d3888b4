import Common

/// The help of a command, wrapped at a width. `path` begins with the program's name.
///
///     print(helpText(for: costs, path: ["vesper", "costs"], globals: globals), terminator: "")
func helpText(for command: Command, path: [String], globals: [Option], width: Int = 80) -> String {
    let isRoot = path.count == 1
    var sections: [(title: String, rows: [(label: String, text: String)])] = []
    for subcommand in command.subcommands {
        if sections.last?.title != subcommand.group { sections.append((subcommand.group, [])) }
        sections[sections.count - 1].rows.append((subcommand.name, subcommand.summary))
    }
    sections.append(("Arguments", command.operands.map { ($0.label, $0.about + sentence(about: $0.completes)) }))
    sections.append(("Options", command.options.map(row)))
    sections.append(("Global options", (globals + [.help, .version]).map(row)))
    let codes = isRoot ? ExitCode.allCases.map { (String($0.rawValue), $0.about) } : []

    // One column for all sections; a label that is too long for it stands on a line of its own.
    let column = min(26, (sections.flatMap(\.rows).map { displayWidth($0.label) }.max() ?? 0) + 4)
    func block(_ title: String, _ rows: [(label: String, text: String)]) -> String {
        "\(title):\n" + rows.map { entry($0.label, $0.text, column: column, width: width) }.joined(separator: "\n")
    }

    var blocks = [wrapped(command.about, width: width), "Usage: \(path.joined(separator: " ")) \(command.usage)"]
    blocks += sections.filter { !$0.rows.isEmpty }.map { block($0.title, $0.rows) }
    if !command.examples.isEmpty {
        let examples = command.examples.map { "  \($0.line)\n" + wrapped($0.about, width: width, indent: 6) }
        blocks.append("Examples:\n" + examples.joined(separator: "\n"))
    }
    if isRoot {
        blocks.append(block("Exit codes", codes))
        blocks.append("Run \"\(path[0]) help COMMAND\" to read about a command.")
    }
    return blocks.joined(separator: "\n\n") + "\n"
}

private func row(_ option: Option) -> (label: String, text: String) {
    (option.label, option.about + sentence(about: option.completion) + (option.repeats ? " May be repeated." : ""))
}

private func sentence(about completion: Completion) -> String {
    if case .words(let words) = completion { " One of \(listed(words))." } else { "" }
}

private func entry(_ label: String, _ text: String, column: Int, width: Int) -> String {
    let body = wrapped(text, width: width, indent: column)
    guard displayWidth(label) + 4 <= column else { return "  \(label)\n\(body)" }
    return "  " + padded(label, to: column - 2) + body.dropFirst(column)
}
