import Common

let completionsCommand = Command(
    name: "completions", summary: "Prints completions for a shell.",
    about: "Prints a script that completes commands, options and their values in bash, zsh or fish.",
    operands: [Operand(name: "SHELL", about: "The shell.", completes: .words(Shell.allCases.map(\.rawValue)))],
    examples: [("source <(vesper completions bash)", "For the present bash session.")], group: "Housekeeping",
    run: performCompletions)

@Sendable private func performCompletions(_ invocation: Invocation) throws -> Int32 {
    guard let shell = Shell(rawValue: invocation.operands[0]) else {
        throw Failure("There are completions for \(listed(Shell.allCases.map(\.rawValue))).", kind: .usage)
    }
    try put(completions(for: shell, root: program, globals: Global.all))
    return 0
}
