/// An option of a command; `value` names what follows the `=`, nil for a switch.
///
///     Option(name: "week", value: "W", about: "The ISO week to report, such as 2026-W46.")
struct Option: Sendable {
    let name: String
    let value: String?
    let about: String
    /// The only values it takes; anything else is refused with this list.
    var choices: [String] = []
    var repeats = false
    var short: Character?
    /// The value where none is given; then only a number behind it is taken for one.
    var usual: String?
    var completes: Completion = .none

    static let help = Option(name: "help", value: nil, about: "Show this help.", short: "h")
    static let version = Option(name: "version", value: nil, about: "Show the version.")

    /// As it is typed: `-q, --quiet` or `--week=W`.
    var label: String {
        (short.map { "-\($0), " } ?? "") + "--\(name)" + (value.map { usual == nil ? "=" + $0 : "[=\($0)]" } ?? "")
    }
    var completion: Completion { choices.isEmpty ? completes : .words(choices) }
}

/// A positional argument; only the last ones may be optional, and only the last one may repeat.
struct Operand: Sendable {
    let name: String
    let about: String
    var optional = false
    var repeats = false
    var completes: Completion = .none

    /// As a usage line has it: `JOB`, `JOB…`, `[FILE…]`.
    var label: String { (optional ? "[" : "") + name + (repeats ? "…" : "") + (optional ? "]" : "") }
}

/// What a shell offers in the place of a value.
enum Completion: Equatable, Sendable {
    case none
    /// A name found in `Jobs/`, a job file or a folder of them.
    case job
    case file, folder
    /// One of these words; the parser refuses anything else.
    case words([String])
}

/// One verb of the program; a command with `subcommands` only routes, every other one runs.
struct Command: Sendable {
    let name: String
    /// A full sentence for the list of commands.
    let summary: String
    /// A paragraph for its own help.
    let about: String
    var operands: [Operand] = []
    var options: [Option] = []
    let examples: [(line: String, about: String)]
    var subcommands: [Command] = []
    /// The heading in the list above it; neighbours with the same heading stand together.
    var group = "Commands"
    /// Does the work and returns the exit code.
    var run: (@Sendable (Invocation) throws -> Int32)?

    var usage: String {
        let operands = subcommands.isEmpty ? operands.map(\.label) : ["COMMAND"]
        return (operands + ["[options]"]).joined(separator: " ")
    }
}

/// Names what a reader of the help would miss: a command without summary, about or example, an option or operand without a sentence.
func undocumented(_ root: Command, globals: [Option] = []) -> [String] {
    func isSentence(_ text: String) -> Bool { text.count > 1 && text.hasSuffix(".") }
    func gaps(_ options: [Option], of path: String) -> [String] {
        options.filter { !isSentence($0.about) }.map { "\(path) --\($0.name): no sentence" }
    }
    func gaps(_ command: Command, _ path: String) -> [String] {
        var found = gaps(command.options, of: path)
        if !isSentence(command.summary) { found.append("\(path): no summary") }
        if !isSentence(command.about) { found.append("\(path): no about") }
        if command.examples.isEmpty { found.append("\(path): no example") }
        found += command.examples.filter { !isSentence($0.about) }.map { "\(path): no sentence for the example \"\($0.line)\"" }
        found += command.operands.filter { !isSentence($0.about) }.map { "\(path) \($0.name): no sentence" }
        if command.subcommands.isEmpty == (command.run == nil) { found.append("\(path): must either run or have subcommands") }
        return found + command.subcommands.flatMap { gaps($0, "\(path) \($0.name)") }
    }
    return gaps(globals, of: root.name) + gaps(root, root.name)
}
