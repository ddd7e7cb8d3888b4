/// One function per command, each with the specifications that zsh's own `_arguments` reads.
func zshCompletions(_ nodes: [CommandNode], globals: [Option]) -> String {
    let program = nodes[0].command.name
    func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
    func action(_ completion: Completion) -> String {
        switch completion {
        case .none: " "
        case .job: "__\(program)_jobs"
        case .file: "_files"
        case .folder: "_files -/"
        case .words(let words): "(\(words.joined(separator: " ")))"
        }
    }
    func specifications(_ option: Option) -> [String] {
        let names = ["--" + option.name] + (option.short.map { ["-\($0)"] } ?? [])
        let about = "[\(escaping("[]:\\", in: firstSentence(option.about)))]"
        let exclusion = names.count > 1 && !option.repeats ? "(\(names.joined(separator: " ")))" : ""
        return names.map { name in
            let equals = option.value == nil ? "" : name.hasPrefix("--") ? "=" : "+"
            let value = option.value.map { ":\(escaping(":\\", in: $0)):\(action(option.completion))" } ?? ""
            return quoted((option.repeats ? "*" : exclusion) + name + equals + about + value)
        }
    }
    func specification(_ operand: Operand, at index: Int) -> String {
        let place = operand.repeats ? "*:" : "\(index + 1):\(operand.optional ? ":" : "")"
        return quoted("\(place)\(escaping(":\\", in: operand.name)):\(action(operand.completes))")
    }
    func function(_ path: [String]) -> String { "_" + path.joined(separator: "_") }

    func body(_ node: CommandNode) -> String {
        let options = node.command.options.flatMap(specifications)
        guard !node.verbs.isEmpty else {
            let all = options + node.command.operands.enumerated().map { specification($1, at: $0) }
            return "    _arguments -S " + (all + ["$globals"]).joined(separator: " \\\n        ") + "\n"
        }
        let verbs = node.verbs.map { "        " + quoted("\($0.name):\(firstSentence($0.about))") }.joined(separator: "\n")
        let cases = node.command.subcommands.map { "        \($0.name)) \(function(node.path + [$0.name])) ;;\n" }.joined()
        let help = node.path.count == 1 ? "        help) words[1]=\(program) && \(function(node.path)) ;;\n" : ""
        let arguments = (options + ["$globals", "'1: :->verb'", "'*:: :->rest'"]).joined(separator: " ")
        return """
                local context state state_descr line
                typeset -A opt_args
                local -a verbs=(
            \(verbs)
                )
                _arguments -C -S -A '-*' \(arguments)
                case $state in
                verb) _describe command verbs ;;
                rest)
                    case $words[1] in
            \(cases)\(help)        esac
                    ;;
                esac

            """
    }
    let functions = nodes.map { "\(function($0.path))() {\n\($0.path.count == 1 ? head : "")\(body($0))}\n" }.joined()
    var head: String {
        "    local -a globals=(\n" + globals.flatMap(specifications).map { "        \($0)\n" }.joined() + "    )\n"
    }
    return """
        #compdef \(program)
        # zsh completions of \(program); write them to a file named _\(program) in a folder of $fpath.
        __\(program)_jobs() {
            local -a jobs=(Jobs/*.json5(N:t:r))
            compadd -a jobs
            _files
        }
        \(functions)if [[ $funcstack[1] == _\(program) ]]; then
            _\(program) "$@"
        else
            compdef _\(program) \(program)
        fi

        """
}
