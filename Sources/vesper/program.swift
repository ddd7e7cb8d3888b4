import Common
import Glibc

/// The version that `--version` prints.
let programVersion = "0.1.0"

/// The whole command line, as data: parser, help and completions are all made from it.
let program = Command(
    name: "vesper",
    summary: "Turns exported usage logs into exact costs, insights and reports.",
    about:
        "Vesper reads exported session and usage logs into an open lake, prices every event, rolls costs up by day, asks providers "
        + "for weekly insights in bulk files, and writes compressed reports.",
    examples: [
        ("vesper run kalei", "Does everything that is missing for the job of that name in Jobs/."),
        ("vesper costs kalei --from 2026-11-09 --to 2026-11-15 --by plan,model", "A week's cost by plan and model."),
    ],
    subcommands: [
        runCommand, planCommand, ingestCommand, statusCommand, costsCommand, explainCommand, pricesCommand, reportCommand,
        batchCommand, sourceCommand,
        verifyCommand, initCommand, synthCommand, completionsCommand,
    ])

/// Options that work with every command.
enum Global {
    static let home = Option(
        name: "home", value: "DIR", about: "Where lake, ledger and reports live; vesper-data unless given.", completes: .folder)
    static let data = Option(
        name: "data", value: "DIR",
        about: "Where source paths begin: DIR/<job> if that exists, else DIR; the job file's folder unless given.",
        completes: .folder)
    static let now = Option(name: "now", value: "TIME", about: "A fixed clock, such as 2026-11-17T12:00:00Z.")
    static let quiet = Option(name: "quiet", value: nil, about: "Say warnings and errors only.", short: "q")
    static let log = Option(
        name: "log", value: "FORM", about: "The form of messages: text, or one JSON object a line.",
        choices: LogFormat.allCases.map(\.rawValue))
    static let colour = Option(
        name: "color", value: "WHEN", about: "When to use colour; NO_COLOR goes before it.",
        choices: ColourChoice.allCases.map(\.rawValue))
    static let format = Option(
        name: "format", value: "FORM", about: "How rows are printed.", choices: OutputFormat.allCases.map(\.rawValue))

    static let all = [home, data, now, format, quiet, log, colour]
}

/// Parses, runs, and turns whatever happens into an exit code; the only place that does.
func perform(_ arguments: [String]) -> Int32 {
    var printer = TalkPrinter(log: .text, quiet: false, progress: false)
    do {
        switch try parse(arguments, root: program, globals: Global.all) {
        case .help(let command, let path):
            try put(helpText(for: command, path: path, globals: Global.all))
            return 0
        case .version:
            try put("vesper \(programVersion)\n")
            return 0
        case .run(let invocation):
            printer = try messages(for: invocation)
            defer { printer.erase() }
            return try invocation.command.run?(invocation) ?? 0
        }
    } catch let failure as Failure {
        printer.say(failure)
        return failure.kind.exitCode.rawValue
    } catch {
        printer.say(Failure("\(error)"))
        return ExitCode.failed.rawValue
    }
}

extension Failure.Kind {
    var exitCode: ExitCode {
        switch self {
        case .failed: .failed
        case .usage: .usage
        case .locked: .locked
        }
    }
}

/// How this command may talk.
func messages(for invocation: Invocation) throws -> TalkPrinter {
    let log: LogFormat = try invocation.choice(Global.log) ?? .text
    let quiet = invocation.has(Global.quiet)
    return TalkPrinter(log: log, quiet: quiet, progress: try terminal(for: invocation).progress)
}

/// What the two streams may show for this command.
func terminal(for invocation: Invocation) throws -> Terminal {
    Terminal(
        noColor: environment("NO_COLOR"), choice: try invocation.choice(Global.colour),
        log: try invocation.choice(Global.log) ?? .text,
        quiet: invocation.has(Global.quiet), outputIsTerminal: isatty(1) == 1, errorIsTerminal: isatty(2) == 1)
}

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Prints rows as the user asked for them.
func show(_ table: Table, _ invocation: Invocation) throws {
    try put(table.rendered(as: try invocation.choice(Global.format) ?? .table, colour: try terminal(for: invocation).colour))
}
