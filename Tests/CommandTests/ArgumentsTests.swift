import Common
import Glibc
import Testing
@testable import vesper

private let week = Option(name: "week", value: "W", about: "The ISO week, such as 2026-W46.")
private let from = Option(name: "from", value: "D", about: "The first day, in the job's zone.")
private let top = Option(name: "top", value: "N", about: "Only the first rows.")
private let by = Option(name: "by", value: "NAMES", about: "The dimensions to group by, such as plan,model.", repeats: true)
private let keep = Option(name: "where", value: "NAME=VALUE", about: "Only rows with this value.", repeats: true)
private let format = Option(
    name: "format", value: "FORMAT", about: "How the rows are printed.", choices: OutputFormat.allCases.map(\.rawValue))
private let noCache = Option(name: "no-cache", value: nil, about: "Reads the lake and not the cache.")
private let home = Option(
    name: "home", value: "DIR", about: "Where lake, ledger and reports live: [vesper-data] unless given.", completes: .folder)
private let wait = Option(name: "wait", value: "TIME", about: "How long to wait: it's six hours unless given.")
private let quiet = Option(name: "quiet", value: nil, about: "Says warnings only.", short: "q")
private let globals = [home, quiet]

private let job = Operand(name: "JOB", about: "A job file, a folder of them, or a name found in Jobs/.", completes: .job)
private let costs = Command(
    name: "costs", summary: "Prints what usage cost.",
    about:
        "Prints what the usage of a job cost, by day, plan, model or any other dimension. Figures are exact; what has no price is "
        + "counted apart.",
    operands: [job], options: [week, from, top, by, keep, format, noCache],
    examples: [("vesper costs kalei --by plan,model", "The costs of every plan and model.")], group: "Reading", run: { _ in 0 })
private let sample = Command(
    name: "vesper", summary: "Vesper.", about: "Vesper prices logs and writes reports.",
    examples: [("vesper run kalei", "Does what is missing.")],
    subcommands: [
        Command(
            name: "run", summary: "Does what is missing.", about: "Does what is missing.",
            operands: [Operand(name: "JOB", about: "The jobs.", repeats: true, completes: .job)], options: [wait],
            examples: [("vesper run kalei", "Does what is missing.")], group: "Working", run: { _ in 0 }),
        Command(
            name: "ingest", summary: "Reads exports into the lake.", about: "Reads exports into the lake.",
            operands: [job, Operand(name: "FILE", about: "Files.", optional: true, repeats: true, completes: .file)],
            examples: [("vesper ingest kalei", "Reads every source.")], group: "Working", run: { _ in 0 }),
        costs,
        Command(
            name: "batch", summary: "Shows and moves batches.", about: "Shows and moves batches.",
            examples: [("vesper batch list", "Every batch.")],
            subcommands: [
                Command(
                    name: "list", summary: "Lists batches.", about: "Lists batches.",
                    examples: [("vesper batch list", "Every batch.")],
                    run: { _ in 0 }),
                Command(
                    name: "show", summary: "Shows a batch.", about: "Shows a batch.",
                    operands: [Operand(name: "ID", about: "The batch.")],
                    examples: [("vesper batch show 7", "One batch.")], run: { _ in 0 }),
            ], group: "Reading"),
        Command(
            name: "completions", summary: "Prints completions for a shell.", about: "Prints completions for a shell.",
            operands: [Operand(name: "SHELL", about: "The shell.", completes: .words(["bash", "zsh", "fish"]))],
            examples: [("source <(vesper completions bash)", "For this session.")], group: "Housekeeping", run: { _ in 0 }),
    ])

private func invocation(_ line: String) throws -> Invocation {
    guard case .run(let invocation) = try parse(words(line), root: sample, globals: globals) else {
        throw Failure("\(line) does not run")
    }
    return invocation
}

/// The words of a line; ∅ stands for an empty one.
private func words(_ line: String) -> [String] { line.split(separator: " ").map { $0 == "∅" ? "" : String($0) } }

private func refusal(of line: String, _ use: (Invocation) throws -> Void = { _ in }) -> String? {
    do {
        try use(try invocation(line))
        return nil
    } catch {
        let failure = error as? Failure
        #expect(failure?.kind == .usage)
        return failure?.description
    }
}

@Suite struct `The argument parser` {
    @Test(arguments: [
        ("an option with an equals sign", "costs kalei --week=2026-W46", "week: 2026-W46"),
        ("an option and its value apart", "costs kalei --week 2026-W46", "week: 2026-W46"),
        ("options before operands", "costs --week 2026-W46 --no-cache kalei", "week: 2026-W46 no-cache"),
        ("a global option before the verb", "--home data costs kalei", "home: data"),
        ("a global option behind the verb", "costs kalei --home=data", "home: data"),
        ("a short switch", "costs -q kalei", "quiet"),
        ("a value that holds an equals sign", "costs kalei --where=plan=prism --where plan=free", "where: plan=prism,plan=free"),
        ("a choice", "costs kalei --format csv", "format: csv"),
        ("a dash as a value", "costs kalei --by -", "by: -"),
    ]) func `reads`(_ name: String, _ line: String, _ expected: String) throws {
        let invocation = try invocation(line)
        let options = [home, week, by, keep, format].filter(invocation.has).map {
            "\($0.name): \(invocation.values($0).joined(separator: ","))"
        }
        let switches = [noCache, quiet].filter(invocation.has).map(\.name)
        #expect((options + switches).joined(separator: " ") == expected)
        #expect(invocation.path == ["vesper", "costs"])
        #expect(invocation.operands == ["kalei"])
    }

    @Test(arguments: [
        ("after a double dash", "ingest kalei -- --week -q", ["kalei", "--week", "-q"]),
        ("a single dash", "ingest - --home=d a", ["-", "a"]),
        ("a repeated last one left out", "ingest kalei", ["kalei"]),
        ("of a verb below another", "batch show 7", ["7"]),
    ]) func `reads operands`(_ name: String, _ line: String, _ expected: [String]) throws {
        #expect(try invocation(line).operands == expected)
    }

    @Test(arguments: [
        ("costs kalei --wek=1", "There is no option --wek. Did you mean --week? Run \"vesper costs --help\" to see its options."),
        ("costs kalei --we=1", "There is no option --we. Run \"vesper costs --help\" to see its options."),
        ("costs kalei -week", "There is no option -week. Did you mean --week? Run \"vesper costs --help\" to see its options."),
        (
            "--week=1 costs kalei",
            "There is no option --week before the command; its own options follow its name. "
                + "Run \"vesper --help\" to see its commands."
        ),
        (
            "batch --week=1 show 7",
            "There is no option --week before the command; its own options follow its name. "
                + "Run \"vesper batch --help\" to see its commands."
        ),
        ("cots kalei", "There is no command \"cots\". Did you mean costs? Run \"vesper --help\" to see its commands."),
        (
            "batch lst",
            "There is no command \"lst\" in vesper batch. Did you mean list? Run \"vesper batch --help\" to see its commands."
        ),
        ("batch", "vesper batch needs a command: list and show. Run \"vesper batch --help\" to see its commands."),
        ("costs", "JOB is missing: vesper costs JOB [options]. Run \"vesper costs --help\" to see its options."),
        ("run -q", "JOB is missing: vesper run JOB… [options]. Run \"vesper run --help\" to see its options."),
        (
            "costs kalei neni",
            "\"neni\" is one too many: vesper costs takes only JOB. Run \"vesper costs --help\" to see its options."
        ),
        (
            "batch list 7",
            "\"7\" is one too many: vesper batch list takes no arguments. Run \"vesper batch list --help\" to see its options."
        ),
        ("costs kalei --week", "--week needs a value: --week=W. Run \"vesper costs --help\" to see its options."),
        ("costs kalei --week --no-cache", "--week needs a value: --week=W. Run \"vesper costs --help\" to see its options."),
        ("costs kalei --week=", "--week needs a value: --week=W. Run \"vesper costs --help\" to see its options."),
        ("costs kalei --week ∅", "--week needs a value: --week=W. Run \"vesper costs --help\" to see its options."),
        ("costs kalei --no-cache=yes", "--no-cache takes no value. Run \"vesper costs --help\" to see its options."),
        ("--home a costs kalei --home b", "--home may be given only once. Run \"vesper costs --help\" to see its options."),
        (
            "costs kalei --format=jsn",
            "--format is one of table, json and csv, not \"jsn\". Did you mean json? Run \"vesper costs --help\" to see its options."
        ),
        (
            "completions tcsh\u{1b}[2J",
            "SHELL is one of bash, zsh and fish, not \"tcsh\\u{1b}[2J\". Run \"vesper completions --help\" to see its options."
        ),
    ]) func `refuses with a sentence`(_ line: String, _ expected: String) {
        #expect(refusal(of: line) == expected)
    }

    @Test(arguments: [
        ("", "help vesper"), ("--help", "help vesper"), ("help", "help vesper"), ("costs kalei --wek -h", "help vesper costs"),
        ("--home batch costs --help", "help vesper costs"), ("help batch show", "help vesper batch show"),
        ("batch --help", "help vesper batch"), ("costs --version", "version"), ("costs -- --version", "run"),
        ("costs --version -h", "help vesper costs"),
    ]) func `answers help and version anywhere`(_ line: String, _ expected: String) throws {
        let answer =
            switch try parse(words(line), root: sample, globals: globals) {
            case .help(let command, let path):
                command.name == path.last ? "help " + path.joined(separator: " ") : "the help of another command"
            case .version: "version"
            case .run: "run"
            }
        #expect(answer == expected)
    }

    @Test func `gives values their types`() throws {
        let read = try invocation(
            "costs kalei --from 2026-11-09 --week 2026-W46 --top 20 --format json --by plan,model --by day --where a=b=c")
        #expect(try read.day(from) == Day("2026-11-09"))
        #expect(try read.week(week) == Week("2026-W46"))
        #expect(try read.count(top, in: 1...1000) == 20)
        #expect(try read.choice(format, as: OutputFormat.self) == .json)
        #expect(try read.names(by) == ["plan", "model", "day"])
        #expect(try read.pairs(keep).map { [$0.name, $0.value] } == [["a", "b=c"]])
        #expect(try invocation("run kalei --wait 6h").duration(wait) == 21_600)
        #expect(try invocation("costs kalei").day(from) == nil)
    }

    @Test func `refuses values of another form with an example`() {
        #expect(
            refusal(of: "costs kalei --from 09.11.2026") { _ = try $0.day(from) }
                == "--from takes a day such as 2026-11-09, not \"09.11.2026\".")
        #expect(
            refusal(of: "costs kalei --week 2026-W54") { _ = try $0.week(week) }
                == "--week takes an ISO week such as 2026-W46, not \"2026-W54\".")
        #expect(
            refusal(of: "costs kalei --top 0") { _ = try $0.count(top, in: 1...1000) }
                == "--top takes a whole number from 1 to 1,000, such as 10, not \"0\".")
        #expect(
            refusal(of: "costs kalei --by plan,,model") { _ = try $0.names(by) }
                == "--by takes names between commas such as plan,model, not \"plan,,model\".")
        #expect(
            refusal(of: "costs kalei --where plan") { _ = try $0.pairs(keep) }
                == "--where takes a name and a value such as plan=prism, not \"plan\".")
        #expect(
            refusal(of: "run kalei --wait soon") { _ = try $0.duration(wait) }
                == "--wait takes a duration such as 90s, 15m, 6h or 2d, not \"soon\".")
        #expect(
            refusal(of: "run kalei --wait 9h") { _ = try $0.instant(wait) }
                == "--wait takes a time with its offset such as 2026-11-09T00:30:00+01:00, not \"9h\".")
    }
}

@Suite struct `The help` {
    @Test func `of a command tells usage, arguments, options and examples`() {
        #expect(
            helpText(for: costs, path: ["vesper", "costs"], globals: globals) == """
                Prints what the usage of a job cost, by day, plan, model or any other dimension.
                Figures are exact; what has no price is counted apart.

                Usage: vesper costs JOB [options]

                Arguments:
                  JOB                 A job file, a folder of them, or a name found in Jobs/.

                Options:
                  --week=W            The ISO week, such as 2026-W46.
                  --from=D            The first day, in the job's zone.
                  --top=N             Only the first rows.
                  --by=NAMES          The dimensions to group by, such as plan,model. May be
                                      repeated.
                  --where=NAME=VALUE  Only rows with this value. May be repeated.
                  --format=FORMAT     How the rows are printed. One of table, json and csv.
                  --no-cache          Reads the lake and not the cache.

                Global options:
                  --home=DIR          Where lake, ledger and reports live: [vesper-data] unless
                                      given.
                  -q, --quiet         Says warnings only.
                  -h, --help          Show this help.
                  --version           Show the version.

                Examples:
                  vesper costs kalei --by plan,model
                      The costs of every plan and model.

                """)
    }

    @Test func `of the program lists its commands in groups, and its exit codes`() {
        #expect(
            helpText(for: sample, path: ["vesper"], globals: [], width: 60) == """
                Vesper prices logs and writes reports.

                Usage: vesper COMMAND [options]

                Working:
                  run          Does what is missing.
                  ingest       Reads exports into the lake.

                Reading:
                  costs        Prints what usage cost.
                  batch        Shows and moves batches.

                Housekeeping:
                  completions  Prints completions for a shell.

                Global options:
                  -h, --help   Show this help.
                  --version    Show the version.

                Examples:
                  vesper run kalei
                      Does what is missing.

                Exit codes:
                  0            Done.
                  1            Failed; the message says why.
                  2            Done, with more quarantined rows than the
                               job's quarantine_at_most.
                  3            Stopped by the budget.
                  4            Waiting for a provider.
                  5            Another run holds the lock.
                  64           The command line or a job file cannot be
                               used; nothing was begun.

                Run "vesper help COMMAND" to read about a command.

                """)
    }

    @Test func `puts a long label on a line of its own and breaks at the width`() {
        let option = Option(name: "a-very-long-name-of-an-option", value: "V", about: "Says it in a few words.")
        let command = Command(name: "c", summary: "C.", about: "C.", options: [option], examples: [])
        let lines = helpText(for: command, path: ["v", "c"], globals: [], width: 40).split(separator: "\n")
        #expect(lines[3] == "  --a-very-long-name-of-an-option=V")
        #expect(lines[4] == "                          Says it in a")
    }

    @Test func `is demanded of every command`() {
        #expect(undocumented(sample, globals: globals) == [])
        let bare = Command(
            name: "bare", summary: "No stop", about: "", operands: [Operand(name: "X", about: "")],
            options: [Option(name: "o", value: nil, about: "no stop")], examples: [])
        let root = Command(name: "v", summary: "V.", about: "V.", examples: [("v", "Says V.")], subcommands: [bare])
        #expect(
            undocumented(root) == [
                "v bare --o: no sentence", "v bare: no summary", "v bare: no about", "v bare: no example",
                "v bare X: no sentence",
                "v bare: must either run or have subcommands",
            ])
    }

    @Test(arguments: [
        ([ExitCode](), ExitCode.done), ([.done, .quarantined], .quarantined), ([.waiting, .budget], .budget),
        ([.budget, .locked], .locked),
        ([.locked, .failed, .done], .failed),
    ]) func `ranks exit codes of several jobs`(_ codes: [ExitCode], _ expected: ExitCode) {
        #expect(ExitCode.worst(codes) == expected)
    }
}

@Suite struct `Shell completions` {
    @Test(arguments: [
        ("", "run ingest costs batch completions help"), ("co", "costs completions"), ("batch ", "list show"),
        ("help ba", "batch"),
        ("help batch s", "show"), ("costs --f", "--from --format"), ("costs kalei --no", "--no-cache"),
        ("--home x batch l", "list"),
        ("costs --format ", "table json csv"), ("costs --format = c", "csv"), ("costs --format =", "table json csv"),
        ("completions ", "bash zsh fish"), ("completions bash ", ""),
        ("batch list -", "--home --quiet -q --help -h --version"),
        ("costs ", "Jobs kalei"), ("run kalei --wait 6h ka", "kalei"), ("run kalei Jo", "Jobs"), ("--home Jo", "Jobs"),
        ("ingest kalei -- --f", ""), ("ingest kalei Jobs/k", "Jobs/kalei.json5"), ("costs --where plan = x --by ", ""),
    ]) func `of bash complete`(_ line: String, _ expected: String) throws {
        var typed = line.split(separator: " ", omittingEmptySubsequences: false).map { "'\($0)'" }
        typed.insert("vesper", at: 0)
        let answer = try run(
            .bash,
            "COMP_WORDS=(\(typed.joined(separator: " "))); COMP_CWORD=\(typed.count - 1); _vesper; echo \"${COMPREPLY[*]}\"")
        #expect(answer == expected + "\n")
    }

    @Test(
        .enabled(if: exists("/usr/bin/fish")),
        arguments: [
            ("co", "completions costs"), ("batch ", "list show"), ("help batch s", "show"), ("costs --f", "--format --from"),
            ("--home x batch l", "list"), ("costs --format ", "csv json table"), ("costs --format=c", "--format=csv"),
            ("completions ", "bash fish zsh"), ("completions bash ", ""), ("run kalei --wait 6h ka", "kalei"),
            ("costs ka", "kalei"),
            ("costs kalei ka", ""), ("--home Jo", "Jobs/"), ("ingest kalei Jobs/k", "Jobs/kalei.json5"),
        ]) func `of fish complete`(_ line: String, _ expected: String) throws
    {
        let answer = try run(.fish, "complete -C 'vesper \(line)'")
        #expect(answer.split(separator: "\n").map { $0.prefix { $0 != "\t" } }.sorted().joined(separator: " ") == expected)
    }

    @Test(.enabled(if: exists("/usr/bin/zsh"))) func `of zsh are read without complaint`() throws {
        #expect(try run(.zsh, "autoload -U compinit; compinit -D; source ../_vesper; echo $_comps[vesper]") == "_vesper\n")
    }

    /// Runs a line in a shell that has loaded the sample's completions, in a folder with one job.
    private func run(_ shell: Shell, _ line: String) throws -> String {
        var template = Array("/tmp/vesper-completions-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { try? removeTree(folder) }
        try makeFolder(folder + "/home/Jobs")
        try writeNew([], to: folder + "/home/Jobs/kalei.json5")
        try writeNew(Array(completions(for: shell, root: sample, globals: globals).utf8), to: "\(folder)/_vesper")
        let load = shell == .zsh ? "" : "source ../_vesper"
        try writeNew(Array("cd \(folder)/home\n\(load)\n\(line)\n".utf8), to: "\(folder)/line")
        let quick = ["bash": "--norc", "zsh": "-f", "fish": "--no-config"][shell.rawValue] ?? ""
        let pipe = try #require(popen("HOME=\(folder) \(shell.rawValue) \(quick) \(folder)/line 2>&1", "r"))
        defer { pclose(pipe) }
        var answer: [UInt8] = []
        while case let byte = fgetc(pipe), byte != EOF { answer.append(UInt8(byte)) }
        return String(decoding: answer, as: UTF8.self)
    }
}
