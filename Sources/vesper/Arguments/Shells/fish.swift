/// One `complete` line per verb, option and operand, each shown only where it may stand.
func fishCompletions(_ nodes: [CommandNode], globals: [Option]) -> String {
    let program = nodes[0].command.name
    func quoted(_ text: String) -> String { "'" + escaping("'\\", in: text) + "'" }
    func offers(_ completion: Completion) -> String {
        switch completion {
        case .none: " -f"
        case .job: " -F -a '(__\(program)_jobs)'"
        case .file: " -F"
        case .folder: " -f -a '(__fish_complete_directories)'"
        case .words(let words): " -f -a \(quoted(words.joined(separator: " ")))"
        }
    }
    func line(at place: String?, _ rest: String, _ about: String) -> String {
        let condition = place.map { " -n \(quoted("__\(program)_at \($0)"))" } ?? ""
        return "complete -c \(program)\(condition)\(rest) -d \(quoted(firstSentence(about)))\n"
    }
    func option(_ option: Option, at place: String?) -> String {
        let short = option.short.map { " -s \($0)" } ?? ""
        return line(
            at: place, " -l \(option.name)\(short)\(option.value == nil ? "" : " -r\(offers(option.completion))")", option.about)
    }
    func taking(_ options: [Option], _ prefix: String) -> [String] {
        options.filter { $0.value != nil }.map { quoted("\(prefix)--\($0.name)") }
    }
    let lines = nodes.flatMap { node in
        let place = "\"\(node.words)\""
        return node.verbs.map { line(at: place, " -a \($0.name)", $0.about) }
            + node.command.options.map { option($0, at: place) }
            + node.command.operands.enumerated().filter { $1.completes != .none }.map { index, operand in
                line(at: "\(place) \(operand.repeats ? ">=" : "=") \(index)", offers(operand.completes), operand.about)
            }
    }
    let withValue = taking(globals, "") + nodes.flatMap { taking($0.command.options, $0.words + " ") }
    return """
        # fish completions of \(program); load them with: \(program) completions fish | source
        function __\(program)_jobs
            for job in Jobs/*.json5
                string replace -r '^Jobs/(.*)\\.json5$' '$1' $job
            end
        end
        function __\(program)_at --description 'Is the cursor behind this command, at this operand?'
            set -l path \(program)
            set -l count 0
            set -l words (commandline -opc)
            set -l pending 0
            set -l ended 0
            for word in $words[2..-1]
                if test $pending = 1
                    set pending 0
                else if test $ended = 0; and string match -q -- '-?*' $word
                    test $word = --; and set ended 1
                    contains -- "$path $word" $__\(program)_with_value; or contains -- $word $__\(program)_with_value; and set pending 1
                else if contains -- "$path $word" $__\(program)_paths
                    set path "$path $word"
                else if test "$path $word" != '\(program) help'
                    set count (math $count + 1)
                end
            end
            test $path = $argv[1]; or return 1
            switch "$argv[2]"
                case '='
                    test $count = $argv[3]
                case '>='
                    test $count -ge $argv[3]
            end
        end
        set -g __\(program)_paths \(nodes.dropFirst().map { quoted($0.words) }.joined(separator: " "))
        set -g __\(program)_with_value \(withValue.joined(separator: " "))
        complete -c \(program) -f
        \(globals.map { option($0, at: nil) }.joined())\(lines.joined())
        """
}
