import Common

/// What a command line comes to.
enum Parsed {
    case run(Invocation)
    /// The path begins with the program's name, as `helpText` takes it.
    case help(Command, path: [String])
    case version
}

/// Reads a command line (without the program's own name) and refuses what the command does not take, before any work.
///
///     try parse(["costs", "kalei", "--week=2026-W46"], root: vesper, globals: globals)
///
/// `--option=value` and `--option value` are the same; options stand before or after operands, global ones also before the verb;
/// `--` ends them. `-h`, `--help` and the word `help` before a verb ask for help, and so does no argument at all.
func parse(_ arguments: [String], root: Command, globals: [Option]) throws -> Parsed {
    let mayBeOptions = arguments.prefix { $0 != "--" }
    var wantsHelp = arguments.isEmpty || mayBeOptions.contains("--help") || mayBeOptions.contains("-h")
    if !wantsHelp, mayBeOptions.contains("--version") { return .version }

    var reading = Reading(command: root, path: [root.name], globals: globals, rest: arguments[...])
    var ended = false
    while let argument = reading.rest.popFirst() {
        if !ended, argument.hasPrefix("-"), argument != "-" {
            ended = argument == "--"
            // Whoever asks for help is not told off; an option only has to be read so that its value is not taken for a verb.
            if !ended { do { try reading.option(argument) } catch  where wantsHelp {} }
        } else if reading.command.subcommands.isEmpty {
            reading.operands.append(argument)
        } else if reading.path.count == 1, argument == "help" {
            wantsHelp = true
        } else {
            try reading.route(argument)
        }
    }
    if wantsHelp { return .help(reading.command, path: reading.path) }
    try reading.checkOperands()
    return .run(
        Invocation(command: reading.command, path: reading.path, operands: reading.operands, given: reading.given))
}

/// A command line half read: the command so far, and what was given to it.
private struct Reading {
    var command: Command
    var path: [String]
    let globals: [Option]
    var rest: ArraySlice<String>
    var given: [String: [String]] = [:]
    var operands: [String] = []

    mutating func route(_ word: String) throws {
        guard let next = command.subcommands.first(where: { $0.name == word }) else {
            let place = path.count == 1 ? "" : " in \(path.joined(separator: " "))"
            throw refusal(
                "There is no command \"\(visible(word))\"\(place).", didYouMean: word, of: command.subcommands.map(\.name))
        }
        command = next
        path.append(next.name)
    }

    mutating func option(_ argument: String) throws {
        let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let known = command.options + globals + [.help, .version]
        guard let option = known.first(where: { halves[0] == "--" + $0.name || halves[0] == $0.short.map { "-\($0)" } }) else {
            let place = command.subcommands.isEmpty ? "" : " before the command; its own options follow its name"
            throw refusal(
                "There is no option \(visible(halves[0]))\(place).", didYouMean: halves[0], of: known.map { "--" + $0.name })
        }
        let name = "--" + option.name
        var value = halves.count > 1 ? halves[1] : nil
        if let form = option.value {
            func isValue(_ word: String) -> Bool {
                option.usual == nil ? word == "-" || !word.hasPrefix("-") : Int(word) != nil
            }
            if value == nil, let next = rest.first, isValue(next) { value = rest.removeFirst() }
            value = value ?? option.usual
            guard value?.isEmpty == false else { throw refusal("\(name) needs a value: \(name)=\(form).") }
        } else if value != nil {
            throw refusal("\(name) takes no value.")
        }
        guard given[option.name] == nil || option.repeats else { throw refusal("\(name) may be given only once.") }
        try check(value ?? "", of: name, against: option.completion)
        given[option.name, default: []].append(value ?? "")
    }

    func checkOperands() throws {
        let verb = path.joined(separator: " ")
        guard command.subcommands.isEmpty else {
            throw refusal("\(verb) needs a command: \(listed(command.subcommands.map(\.name))).")
        }
        let expected = command.operands
        if operands.count < expected.count, !expected[operands.count].optional {
            throw refusal("\(expected[operands.count].name) is missing: \(verb) \(command.usage).")
        }
        for (index, text) in operands.enumerated() {
            guard let operand = index < expected.count ? expected[index] : expected.last,
                index < expected.count || operand.repeats
            else {
                let limit = expected.isEmpty ? "no arguments" : "only \(expected.map(\.label).joined(separator: " "))"
                throw refusal("\"\(visible(text))\" is one too many: \(verb) takes \(limit).")
            }
            try check(text, of: operand.name, against: operand.completes)
        }
    }

    private func check(_ value: String, of name: String, against completion: Completion) throws {
        guard case .words(let words) = completion, !words.contains(value) else { return }
        throw refusal(
            "\(name) is one of \(listed(words)), not \"\(visible(value))\".", didYouMean: value, of: words)
    }

    private func refusal(_ sentence: String, didYouMean typed: String = "", of offered: [String] = []) -> Failure {
        let near = suggest(typed, from: offered).map { " Did you mean \($0)?" } ?? ""
        let what = command.subcommands.isEmpty ? "options" : "commands"
        return Failure("\(sentence)\(near) Run \"\(path.joined(separator: " ")) --help\" to see its \(what).", kind: .usage)
    }
}
