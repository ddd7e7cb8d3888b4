import Common

extension StatedFigure {
    public static let schema = ConfigSchema(
        name: "figure",
        keys: [
            ConfigKey(
                name: "kind", kind: "one of \(listed(Kind.allCases.map(\.rawValue)))", required: true,
                about: "What the figure is for."),
            ConfigKey(name: "name", kind: "text", required: true, about: "Its name, once in a job: small letters, digits and _."),
            ConfigKey(name: "about", kind: "text", required: true, about: "What it says, in one sentence."),
            ConfigKey(
                name: "unit", kind: "currency code, unit of a price, or one of \(listed(FigureUnit.things))",
                about: "What its numbers count, unless it has columns."),
            ConfigKey(
                name: "per", kind: "one of \(listed(Interval.allCases.map(\.rawValue)))", about: "What its numbers are for."),
            ConfigKey(
                name: "columns", kind: "object: name → unit", about: "What each line has a number for; by default one column."),
            ConfigKey(
                name: "value", kind: "number, [low, high], [low, null] or null",
                about: "The one number; null where the source names none, and null as the high end where it names none."),
            ConfigKey(
                name: "lines", kind: "object: name → value, list of values, or { value, unit, approximate }",
                about: "Its numbers by name, one for each column; \"-\" where a line does not occur in a column."),
            ConfigKey(
                name: "stated", kind: "value or list of values",
                about: "What the source prints as the sum; it is compared, never used."),
            ConfigKey(name: "approximate", kind: "true or false", about: "Whether the source calls it about so much."),
            ConfigKey(
                name: "months", kind: "[first, last] or [first, null]", about: "Months since the launch in which it holds."),
            ConfigKey(name: "users", kind: "[low, high] or [low, null]", about: "Numbers of users for which it holds."),
            ConfigKey(name: "from", kind: "day", about: "The first day on which it holds."),
            ConfigKey(name: "to", kind: "day", about: "The last day on which it holds."),
            ConfigKey(name: "labels", kind: "object: name → text", about: "What else the source says; nothing reckons with it."),
            ConfigKey(name: "source", kind: "text", required: true, about: "Where it is written, with section, line and date."),
        ])

    public static let cellSchema = ConfigSchema(
        name: "value",
        keys: [
            ConfigKey(name: "value", kind: "number, [low, high] or [low, null]", required: true, about: "The number."),
            ConfigKey(name: "unit", kind: "as in a figure", about: "What it counts, where that is not what its column counts."),
            ConfigKey(name: "approximate", kind: "true or false", about: "Whether the source calls it about so much."),
        ])

    public init(_ object: ConfigObject) throws {
        kind = try object.choice("kind", of: Kind.self)
        name = try object.text("name")
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 == 0x5f || $0 &- 0x30 <= 9 || $0 &- 0x61 <= 25 }) else {
            throw object.failure("A figure's name has small letters, digits and _ only.", at: "name")
        }
        about = try object.text("about")
        per = try object.optionalChoice("per", of: Interval.self)
        months = try object.node("months").map { try Spread($0, "\"months\" in figure") }
        users = try object.node("users").map { try Spread($0, "\"users\" in figure") }
        (from, to) = (try object.optionalDay("from"), try object.optionalDay("to"))
        if let from, let to, to < from {
            throw object.failure("The figure ends on \(to), before it begins on \(from).", at: "to")
        }
        labels = try object.named("labels").map { .init(name: $0.name, text: try $0.node.text("the label \($0.name)")) }
        source = try object.text("source")
        place = object.place

        let named = try object.named("columns").map { name, _, node in Column(name: name, unit: try StatedFigure.unit(node)) }
        guard named.isEmpty != (object.node("unit") == nil) else {
            throw object.failure("A figure has either a unit or columns, each with its unit.", at: "unit")
        }
        let columns = try object.node("unit").map { [Column(name: "", unit: try StatedFigure.unit($0))] } ?? named
        self.columns = columns
        let isApproximate = try object.bool("approximate", default: false)
        guard (object.node("value") == nil) != (object.node("lines") == nil) else {
            throw object.failure("A figure has either a value or lines.", at: object.node("lines") == nil ? "value" : "lines")
        }
        let figure = "The figure \"\(name)\""
        func cells(_ node: ConfigNode) throws -> [Cell] {
            guard !named.isEmpty else { return [try StatedFigure.cell(node, columns[0], isApproximate)] }
            guard case .array(let items) = node.value, items.count == columns.count else {
                throw node.failure(
                    "\(figure) has \(columns.count) columns, so this is a list of \(columns.count) values, in the order \(listed(columns.map(\.name)))."
                )
            }
            return try zip(items, columns).map { try StatedFigure.cell($0, $1, isApproximate) }
        }
        if let value = object.node("value") {
            lines = [Line(name: "", cells: try cells(value))]
        } else {
            lines = try object.named("lines").map { name, _, node in Line(name: name, cells: try cells(node)) }
        }
        stated = try object.node("stated").map(cells) ?? []
        guard !lines.isEmpty else { throw object.failure("\(figure) has no lines.", at: "lines") }
    }

    private static func unit(_ node: ConfigNode) throws -> FigureUnit {
        let word = try node.text("a unit")
        guard let unit = FigureUnit(word) else {
            let offered = FigureUnit.things + PriceUnit.allCases.map(\.rawValue)
            throw node.failure(
                "unknown unit \"\(word)\".\(didYouMean(word, from: offered)) Units are currencies such as EUR, \(listed(offered))."
            )
        }
        return unit
    }

    private static func cell(_ node: ConfigNode, _ column: Column, _ isApproximate: Bool) throws -> Cell {
        switch node.value {
        case .null: return .notStated
        case .string("-"): return .none
        case .object:
            let object = try ConfigObject(node, cellSchema)
            let unit = try object.node("unit").map(StatedFigure.unit) ?? column.unit
            guard let value = object.node("value") else { return .notStated }
            return .value(
                try Spread(value, "a figure's value"), unit,
                isApproximate: try object.bool("approximate", default: isApproximate))
        default: return .value(try Spread(node, "a figure's value"), column.unit, isApproximate: isApproximate)
        }
    }
}

/// All figures of a job, by name.
public struct FigureBook: Sendable {
    /// In the order of the files.
    public let figures: [StatedFigure]
    private let byName: [String: Int]

    public static let schema = ConfigSchema(
        name: "figures file",
        keys: [
            ConfigKey(
                name: "figures", kind: "list of figures", required: true,
                about: "Budgets, allowances, projections and whatever else an owner has stated.")
        ])

    /// Reads a job's figures files as one book.
    public init(files: [String]) throws {
        var figures: [StatedFigure] = []
        var byName: [String: Int] = [:]
        for path in files {
            let file = try ConfigObject(try parseJSON5(try readFile(path, as: "figures file"), path: path), FigureBook.schema)
            for entry in try file.objects("figures", StatedFigure.schema) {
                let figure = try StatedFigure(entry)
                if let other = byName[figure.name] {
                    throw entry.failure(
                        "The figure \"\(figure.name)\" stands at \(figures[other].place) already. Give one of them another name.",
                        at: "name")
                }
                byName[figure.name] = figures.count
                figures.append(figure)
            }
        }
        (self.figures, self.byName) = (figures, byName)
    }

    /// The figure of a name; refused where the job has none.
    public func figure(_ name: String) throws -> StatedFigure {
        guard let index = byName[name] else {
            throw Failure("The job has no figure \"\(name)\".\(didYouMean(name, from: figures.map(\.name)))", kind: .usage)
        }
        return figures[index]
    }
}
