/// A shell whose completions can be written.
enum Shell: String, CaseIterable { case bash, zsh, fish }

/// A script that completes the program's verbs, options and their values in a shell.
///
///     source <(vesper completions bash)
func completions(for shell: Shell, root: Command, globals: [Option]) -> String {
    let nodes = nodes(below: root, path: [])
    let globals = globals + [.help, .version]
    return switch shell {
    case .bash: bashCompletions(nodes, globals: globals)
    case .zsh: zshCompletions(nodes, globals: globals)
    case .fish: fishCompletions(nodes, globals: globals)
    }
}

/// A command and the words that lead to it.
struct CommandNode {
    let path: [String]
    let command: Command

    var words: String { path.joined(separator: " ") }
    /// The verbs that may follow; the root also answers to `help`.
    var verbs: [(name: String, about: String)] {
        command.subcommands.map { ($0.name, $0.summary) } + (path.count == 1 ? [("help", "Show the help of a command.")] : [])
    }
}

private func nodes(below command: Command, path: [String]) -> [CommandNode] {
    let path = path + [command.name]
    return [CommandNode(path: path, command: command)] + command.subcommands.flatMap { nodes(below: $0, path: path) }
}

/// What a menu has room for: the first sentence, without its full stop.
func firstSentence(_ about: String) -> String {
    var result = ""
    for word in about.split(separator: " ") {
        result += (result.isEmpty ? "" : " ") + word
        if word.hasSuffix(".") { break }
    }
    return result.hasSuffix(".") ? String(result.dropLast()) : result
}

/// Each listed character behind a backslash.
func escaping(_ special: String, in text: String) -> String {
    text.reduce(into: "") { $0 += (special.contains($1) ? "\\" : "") + String($1) }
}
