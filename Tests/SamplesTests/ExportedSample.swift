import Common
import Testing

@testable import Samples

/// A sample as a reader finds it: parsed from the compressed bytes, with nothing known from its making.
struct ExportedSample: Sendable {
    let truth: JSON
    let sizes: [String: Int]
    let texts: [String: [UInt8]]
    fileprivate let rows: [String: [JSON]]

    init(_ order: SampleOrder) throws {
        let product = try #require(products.first { $0.name == order.product })
        let sample = try product.make(order)
        truth = sample.truth
        var (sizes, texts, rows) = ([String: Int](), [String: [UInt8]](), [String: [JSON]]())
        for export in sample.exports {
            let bytes = try export.compressed()
            sizes[export.path] = bytes.count
            let text = try gunzipped(bytes, path: export.path)
            texts[export.path] = text
            if export.path.hasSuffix(".csv.gz") {
                rows[export.path] = parsedCSV(text)
            } else if export.path.hasSuffix(".json.gz") {
                // One array over several lines, of which the reader of lines takes one.
                rows[export.path] = parsedLines(text.filter { $0 != 0x0a }).first?.array ?? []
            } else {
                rows[export.path] = parsedLines(text)
            }
        }
        (self.sizes, self.texts, self.rows) = (sizes, texts, rows)
    }

    /// Whether `SampleData/` holds exactly this; another zlib may compress otherwise, what is inside must be the same.
    func expectCommitted(as product: String) throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let folder = root + "/SampleData/" + product
        // Compared beforehand: a test that shows how large files differ takes minutes.
        let isTrue = try readText(folder + "/truth.json", as: "truth") == truth.sorted.prettyText
        #expect(isTrue)
        #expect(try files(below: folder) == (texts.keys + ["truth.json"]).sorted())
        for (path, text) in texts {
            let isSame = try gunzipped(readFile(joined(folder, path), as: "sample"), path: path) == text
            #expect(isSame, "\(path)")
        }
    }
}

extension ExportedSample: ReadSample {
    var exported: ExportedSample { self }
}

/// A product's sample, with what the product's tests ask of it again and again.
protocol ReadSample: Sendable {
    var exported: ExportedSample { get }
}

extension ReadSample {
    var truth: JSON { exported.truth }
    var paths: [String] { exported.rows.keys.sorted() }
    func story(_ name: String) -> JSON { truth["stories"]?[name] ?? .null }

    func file(_ path: String) -> [JSON] { exported.rows[path] ?? [] }

    /// All readable records of a table, file by file in the order of their names.
    func records(of table: String) -> [JSON] { paths.filter { $0.hasPrefix(table + "/") }.flatMap(file) }

    /// A table as one dump holds it.
    func dump(_ table: String, _ day: String) -> [JSON] {
        paths.first { $0.hasPrefix("\(table)/\(table)-\(day).") }.map(file) ?? []
    }

    /// A table as its last dump has it.
    func last(_ table: String) -> [JSON] { paths.last { $0.hasPrefix(table + "/") }.map(file) ?? [] }

    /// Each row of a table once, as the first file has it, by one of its fields or by all that it says.
    func distinct(_ table: String, by id: String? = nil) -> [JSON] {
        records(of: table).once { row in id.map(row.says) ?? row.text }
    }

    /// Each id once, as the newest file has it, in the order of the ids.
    func newest(_ table: String) -> [JSON] {
        records(of: table).reversed().once { $0.says("id") }.sorted { $0.says("id") < $1.says("id") }
    }
}

/// Expects that what is told of each group's cost is what its rows cost.
func expectCosts(_ told: JSON, of rows: [JSON], _ cost: ([JSON]) -> Money, by parts: KeyValuePairs<String, (JSON) -> String>) {
    for (part, name) in parts {
        let groups = Dictionary(grouping: rows, by: name).mapValues { cost($0).description }
        #expect(
            groups == Dictionary(uniqueKeysWithValues: (told[part]?.members ?? []).map { ($0.key, $0.value.string ?? "") }),
            "\(part)")
    }
}

/// Expects that texts hold as much that must be redacted as the story tells, and more than a little.
func expectPersonalData(_ story: JSON, in texts: [String], phone: String, card: String) {
    for (name, mark) in [("e_mail", "@example.org"), ("phone", phone), ("card", card), ("link", "https://")] {
        #expect(texts.count { $0.contains(mark) } == story[name]?.int, "\(name)")
        #expect((story[name]?.int ?? 0) > 3, "\(name)")
    }
}

/// What tokens cost by a price list of the test's own.
func price(_ tokens: [Int], at rates: [String], per unit: Int128 = 1_000_000) -> Money {
    zip(tokens, rates).total { tokens, rate in
        ExactDecimal(rate).flatMap { Money.product(of: Int128(tokens), at: $0, per: unit) }
    }
}

extension Sequence {
    func once(by key: (Element) -> String) -> [Element] {
        var seen: Set<String> = []
        return filter { seen.insert(key($0)).inserted }
    }
}

extension JSON {
    /// A whole number, printed as such or as text.
    var whole: Int? { int ?? string.flatMap { Int($0) } }
    var moment: Instant? { string.flatMap { Instant($0) } }
    var strings: [String] { array?.compactMap(\.string) ?? [] }

    /// The text of a field, where it has one.
    func says(_ key: String) -> String { self[key]?.string ?? "" }
    func figure(_ key: String) -> Int { self[key]?.whole ?? 0 }
    /// A number, whether it stands in JSON or in CSV.
    func amount(_ key: String) -> Money { (self[key]?.number ?? self[key]?.string).flatMap { Money($0) } ?? .zero }
    /// The first ten characters of a time.
    func day(_ key: String) -> String { String(says(key).prefix(10)) }
    func moment(_ key: String) -> Instant { self[key]?.moment ?? Instant(microseconds: 0) }
}
