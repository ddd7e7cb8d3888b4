import Common

/// What the user typed, checked against the command: every option exists, every operand has its place.
///
///     try invocation.day(.from)   // 2026-11-09; nil where --from was not given
struct Invocation: Sendable {
    let command: Command
    /// The program's name and the verbs: `["vesper", "batch", "list"]`.
    let path: [String]
    let operands: [String]
    private let given: [String: [String]]

    init(command: Command, path: [String], operands: [String], given: [String: [String]]) {
        (self.command, self.path, self.operands, self.given) = (command, path, operands, given)
    }

    func has(_ option: Option) -> Bool { given[option.name] != nil }
    func value(_ option: Option) -> String? { given[option.name]?.last }
    func values(_ option: Option) -> [String] { given[option.name] ?? [] }

    // MARK: - Values of a form; what does not have it is refused with the form and an example

    func day(_ option: Option) throws -> Day? {
        try read(option, "a day such as 2026-11-09") { Day($0) }
    }

    func week(_ option: Option) throws -> Week? {
        try read(option, "an ISO week such as 2026-W46") { Week($0) }
    }

    func instant(_ option: Option) throws -> Instant? {
        try read(option, "a time with its offset such as 2026-11-09T00:30:00+01:00") { Instant($0) }
    }

    /// In seconds: `6h` is 21600.
    func duration(_ option: Option) throws -> Int? {
        try read(option, "a duration such as 90s, 15m, 6h or 2d") { text in
            let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), (0...1_000_000).contains(count)
            else { return nil }
            return count * unit
        }
    }

    func count(_ option: Option, in range: ClosedRange<Int>) throws -> Int? {
        let upTo =
            range.upperBound == .max
            ? "\(grouped(range.lowerBound)) up" : "\(grouped(range.lowerBound)) to \(grouped(range.upperBound))"
        return try read(option, "a whole number from \(upTo), such as \(max(range.lowerBound, min(10, range.upperBound)))") {
            text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func choice<Choice: CaseIterable & RawRepresentable<String>>(_ option: Option, as: Choice.Type = Choice.self) throws
        -> Choice?
    {
        try read(option, "one of " + listed(Choice.allCases.map(\.rawValue))) { Choice(rawValue: $0) }
    }

    /// The parts between commas, of all its occurrences in order: `--by plan,model`.
    func names(_ option: Option) throws -> [String] {
        try readEach(option, "names between commas such as plan,model") { text -> [String]? in
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            return names.contains("") ? nil : names
        }.flatMap { $0 }
    }

    /// One `name=value` of each occurrence: `--where plan=prism`. The value may hold further equals signs.
    func pairs(_ option: Option) throws -> [(name: String, value: String)] {
        try readEach(option, "a name and a value such as plan=prism") { text in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    private func read<Value>(_ option: Option, _ form: String, _ read: (String) -> Value?) throws -> Value? {
        try readEach(option, form, read).last
    }

    private func readEach<Value>(_ option: Option, _ form: String, _ read: (String) -> Value?) throws -> [Value] {
        try values(option).map { text in
            guard let value = read(text) else {
                throw Failure("--\(option.name) takes \(form), not \"\(visible(text))\".", kind: .usage)
            }
            return value
        }
    }
}
