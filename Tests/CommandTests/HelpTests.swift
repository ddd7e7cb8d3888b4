import Common
import Testing
@testable import vesper

/// Every command of the program with the words that lead to it.
private func everyCommand(_ command: Command = program, below path: [String] = []) -> [(words: [String], command: Command)] {
    let words = path + [command.name]
    return [(words, command)] + command.subcommands.flatMap { everyCommand($0, below: words) }
}

@Suite struct HelpTests {
    @Test func `every command, argument and option is explained, and every command has an example`() {
        #expect(undocumented(program, globals: Global.all) == [])
    }

    @Test func `every example in the help is a line that the program takes`() throws {
        for (words, command) in everyCommand() {
            for example in command.examples {
                // A line may call the program within one of the shell's: source <(vesper completions bash).
                let line = example.line.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
                let typed = (line.isEmpty ? example.line[...] : line).split(separator: " ").map(String.init)
                #expect(typed.first == "vesper", "\(example.line)")
                guard case .run(let invocation) = try parse(Array(typed.dropFirst()), root: program, globals: Global.all) else {
                    Issue.record("\(example.line) only asks for help")
                    continue
                }
                #expect(Array(invocation.path.prefix(words.count)) == words, "\(example.line) belongs to another command")
            }
        }
    }

    @Test func `the binary prints the help of every command and is done`() throws {
        for (words, command) in everyCommand() {
            let asked = try call(builtProgram, Array(words.dropFirst()) + ["--help"])
            #expect(asked.code == 0 && asked.talk.isEmpty)
            #expect(asked.output == helpText(for: command, path: words, globals: Global.all))
        }
        #expect(try vesper().output == vesper("--help").output)
        #expect(try vesper("--version").output == "vesper \(programVersion)\n")
    }

    @Test(arguments: Shell.allCases) func `the binary prints the completions`(for shell: Shell) throws {
        #expect(try vesper("completions", shell.rawValue).output == completions(for: shell, root: program, globals: Global.all))
    }
}
