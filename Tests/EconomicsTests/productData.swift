import Common
import Testing

@testable import Economics

/// What one product's job file names: its price books, its figures, its plans and its fixed costs.
struct ProductData: Sendable {
    let book: PriceBook
    let figures: FigureBook
    let plans: [Plan]
    let fixed: [FixedCost]

    /// The five jobs, read once.
    static let all: [String: Result<ProductData, Failure>] = Dictionary(
        uniqueKeysWithValues: ["kalei", "neni", "talentprompt", "aspendos", "voyager"].map { job in
            (job, Result { try ProductData(job: job) }.mapError { $0 as? Failure ?? Failure("\($0)") })
        })

    static func of(_ job: String) throws -> ProductData {
        try #require(all[job], "there is no job \(job)").get()
    }

    private init(job: String) throws {
        let path = "\(jobsFolder)/\(job).json5"
        let members = try parseJSON5(try readFile(path, as: "job file"), path: path).members("job")
        func files(_ key: String) throws -> [String] {
            try members.first { $0.key == key }?.value.texts(key).map { joined(jobsFolder, $0) } ?? []
        }
        book = try PriceBook(files: files("prices"))
        figures = try FigureBook(files: files("figures"))
        plans =
            try members.first { $0.key == "plans" }?.value.members("plans").map {
                try Plan(name: $0.key, try ConfigObject($0.value, Plan.schema))
            } ?? []
        let book = book
        let costs = try members.first { $0.key == "fixed_costs" }.map { try #require(array($0.value)) } ?? []
        fixed = try costs.map { try FixedCost(try ConfigObject($0, FixedCost.schema), book, currency: "USD") }
    }

    /// A provider's rows for what stands behind the slash, whatever kind of thing it is: `netcup/VPS 1000 G12`.
    func prices(_ name: String) throws -> [PriceRow] {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        try #require(parts.count == 2, "\(name) is no provider/name")
        return book.rows.filter { $0.provider == parts[0] && "\($0.subject)" == parts[1] }
    }

    func plan(_ name: String) throws -> Plan { try #require(plans.first { $0.name == name }, "there is no plan \(name)") }
}

private func array(_ node: ConfigNode) -> [ConfigNode]? { if case .array(let items) = node.value { items } else { nil } }

/// The rows of a table in Tests/Requirements by the names of its columns.
func requirementTable(_ name: String) throws -> [[String: String]] {
    let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    let rows = parseCSV(String(decoding: try readFile("\(tests)/Requirements/\(name)", as: "table"), as: UTF8.self))
    let header = try #require(rows.first)
    return try rows.dropFirst().map { row in
        try #require(row.count == header.count, "\(name): \(row) has \(row.count) fields")
        return Dictionary(uniqueKeysWithValues: zip(header, row))
    }
}

private func parseCSV(_ text: String) -> [[String]] {
    var (rows, row, field, quoted): ([[String]], [String], String, Bool) = ([], [], "", false)
    for character in text {
        switch character {
        // A quote within quotes is written twice: closing and opening again adds it.
        case "\"":
            if !quoted, !field.isEmpty { field.append(character) }
            quoted.toggle()
        case "," where !quoted: (row, field) = (row + [field], "")
        case "\n" where !quoted: (rows, row, field) = (rows + [row + [field]], [], "")
        default: field.append(character)
        }
    }
    return rows
}
