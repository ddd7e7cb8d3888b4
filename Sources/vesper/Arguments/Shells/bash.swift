/// Works without the bash-completion package. Bash hands over `--format=csv` as three words, since `=` breaks words there.
func bashCompletions(_ nodes: [CommandNode], globals: [Option]) -> String {
    let program = nodes[0].command.name
    func asks(_ completion: Completion) -> String {
        switch completion {
        case .none: "text"
        case .job: "job"
        case .file: "file"
        case .folder: "folder"
        case .words(let words): "words " + words.joined(separator: " ")
        }
    }
    func value(_ option: Option, _ prefix: String) -> String? {
        guard option.value != nil else { return nil }
        let patterns = ["--" + option.name, option.short.map { "-\($0)" }].compactMap { $0 }.map { "'\(prefix)\($0)'" }
        return "    \(patterns.joined(separator: " | "))) asks='\(asks(option.completion))' ;;\n"
    }
    func flags(_ options: [Option]) -> String {
        options.flatMap { ["--" + $0.name] + ($0.short.map { ["-\($0)"] } ?? []) }.joined(separator: " ")
    }
    let ofGlobals = globals.compactMap { value($0, "") }.joined()
    let ofOptions = nodes.flatMap { node in node.command.options.compactMap { value($0, node.words + " ") } }.joined()
    let ofOperands = nodes.flatMap { node in
        node.command.operands.enumerated().map { index, operand in
            "    '\(node.words) '\(operand.repeats ? "*" : String(index))) asks='\(asks(operand.completes))' ;;\n"
        }
    }.joined()
    let ofPaths = nodes.map { node in
        "    '\(node.words)') verbs='\(node.verbs.map(\.name).joined(separator: " "))' flags='\(flags(node.command.options))' ;;\n"
    }.joined()
    return #"""
        # bash completions of \#(program); load them with: source <(\#(program) completions bash)
        _\#(program)_value() { # sets asks to what the option $2 of the command $1 takes; to nothing for a switch
            asks=
            case $2 in
        \#(ofGlobals)    esac
            case "$1 $2" in
        \#(ofOptions)    esac
        }
        _\#(program)_path() { # sets what may follow the command $1
            case $1 in
        \#(ofPaths)    esac
        }
        _\#(program)() {
            local word cur=${COMP_WORDS[COMP_CWORD]} path=\#(program) asks= count=0 ended= i verbs= flags= job
            COMPREPLY=()
            _\#(program)_path "$path"
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ $word == [=:] ]]; then
                    [[ $asks ]] || i=$((i + 1)) # the same argument goes on
                elif [[ $asks ]]; then
                    asks=
                elif [[ ! $ended && $word == -- ]]; then
                    ended=1
                elif [[ ! $ended && $word == -?* ]]; then
                    _\#(program)_value "$path" "$word"
                elif [[ $path == \#(program) && $word == help ]]; then
                    :
                elif [[ " $verbs " == *" $word "* ]]; then
                    path+=" $word"
                    _\#(program)_path "$path"
                else
                    count=$((count + 1))
                fi
            done
            [[ $cur == [=:] ]] && cur=
            if [[ ! $asks && ! $ended && $cur == -* ]]; then
                asks="words $flags \#(flags(globals))"
            elif [[ ! $asks && $verbs ]]; then
                asks="words $verbs"
            elif [[ ! $asks ]]; then
                case "$path $count" in
        \#(ofOperands)        esac
            fi
            case $asks in
            words\ *) mapfile -t COMPREPLY < <(compgen -W "${asks#words }" -- "$cur") ;;
            file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
            folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
            job)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                for job in Jobs/*.json5; do
                    job=${job##*/}
                    [[ $job != '*.json5' && $job == "$cur"* ]] && COMPREPLY+=("${job%.json5}")
                done
                ;;
            esac
            [[ $asks == file || $asks == folder || $asks == job ]] && compopt -o filenames 2>/dev/null
            return 0
        }
        complete -F _\#(program) \#(program)

        """#
}
