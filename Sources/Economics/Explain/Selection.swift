import Common

/// Which figure is meant, as one types it: `day=2026-11-09,model=claude-haiku-4-5`.
///
/// A value with a comma stands in quotes, in which a quote is written twice; an empty one means the rows that do not say.
public struct Selection: Equatable, Sendable {
    public struct Term: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    /// Names of dimensions with their values.
    public private(set) var filters: [Term] = []
    /// The days that `day`, `week`, `month` or `hour` names.
    public private(set) var period: Period?
    /// When the hour begins that `hour` names, as tables print it: `2026-10-25T02:00+01:00`.
    public private(set) var hour: Instant?

    public init(_ text: String) throws {
        for term in try Selection.terms(text) {
            if Selection.times.contains(term.name) {
                guard period == nil else {
                    throw Selection.refusal("\"\(term.name)\" names the days a second time. Name them once.")
                }
                period = try Selection.period(term)
                if term.name == "hour" { hour = Selection.hour(term.value) }
            } else {
                filters.append(term)
            }
        }
    }

    /// The names that stand for days and hours.
    public static let times = ["hour", "day", "week", "month"]

    private static func hour(_ text: String) -> Instant? {
        text.count > 16 ? Instant(text.prefix(16) + ":00" + text.dropFirst(16)) : nil
    }

    private static func refusal(_ message: String) -> Failure { Failure(message, kind: .usage) }

    private static func terms(_ text: String) throws -> [Term] {
        var terms: [Term] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "="), !rest[..<equals].contains(",") else {
                throw refusal(
                    "A selection is a list such as day=2026-11-09,model=claude-haiku-4-5: NAME=VALUE, with commas between.")
            }
            let name = rest[..<equals].trimmed
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let quote = rest.firstIndex(of: "\"") else {
                        throw refusal("The value of \(name) begins with a quote that is not closed.")
                    }
                    value += rest[..<quote]
                    rest = rest[rest.index(after: quote)...]
                    guard rest.first == "\"" else { break }
                    value += "\""
                    rest.removeFirst()
                }
                guard rest.isEmpty || rest.first == "," else {
                    throw refusal("Behind the quoted value of \(name) stands more. Put a comma between two of a selection.")
                }
            } else {
                let comma = rest.firstIndex(of: ",") ?? rest.endIndex
                value = String(rest[..<comma])
                rest = rest[comma...]
            }
            if rest.first == "," {
                rest.removeFirst()
                guard !rest.isEmpty else {
                    throw refusal("The selection ends with a comma. Take it away, or add what is missing.")
                }
            }
            terms.append(Term(name, value))
        }
        return terms
    }

    /// Days as tables print them: `2026-11-09`, `2026-W46`, `2026-11`, or two days with `_` between.
    private static func period(_ term: Term) throws -> Period {
        let ends = term.value.split(separator: "_").compactMap { Day($0) }
        if ends.count == 2, ends[0] <= ends[1], ends[1] - ends[0] < 3660 { return Period(first: ends[0], last: ends[1]) }
        switch term.name {
        case "hour":
            if hour(term.value) != nil, let day = Day(term.value.prefix(10)) { return Period(first: day, last: day) }
        case "week": if let week = Week(term.value) { return Period(week) }
        case "month":
            if let first = Day(term.value + "-01") {
                let (year, month, _) = first.civil
                let next = month == 12 ? Day(year: year + 1, month: 1, day: 1) : Day(year: year, month: month + 1, day: 1)
                if let next { return Period(first: first, last: next - 1) }
            }
        default: if let day = Day(term.value) { return Period(first: day, last: day) }
        }
        let example =
            ["hour": "2026-11-09T14:00+01:00", "day": "2026-11-09", "week": "2026-W46", "month": "2026-11"][term.name] ?? ""
        throw refusal("\"\(term.value)\" is no \(term.name). Write it like \(example).")
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
