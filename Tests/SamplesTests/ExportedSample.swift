import Common
import Testing

@testable import Samples

/// A product's sample as a reader finds it: parsed from the compressed bytes, with nothing known from its making.
struct ExportedSample: Sendable {
    let truth: JSON
    let sizes: [String: Int]
    let texts: [String: [UInt8]]
    private let rows: [String: [JSON]]

    init(_ product: SampleProduct, _ order: SampleOrder) throws {
        let sample = try product.make(order)
        truth = sample.truth
        var (sizes, texts, rows) = ([String: Int](), [String: [UInt8]](), [String: [JSON]]())
        for export in sample.exports {
            let bytes = try export.compressed()
            sizes[export.path] = bytes.count
            let text = try gunzipped(bytes, path: export.path)
            texts[export.path] = text
            rows[export.path] = export.path.hasSuffix(".csv.gz") ? parsedCSV(text) : parsedLines(text)
        }
        (self.sizes, self.texts, self.rows) = (sizes, texts, rows)
    }

    func story(_ name: String) -> JSON { truth["stories"]?[name] ?? .null }

    /// All readable records of a table, file by file in the order of their names.
    func records(of table: String) -> [JSON] {
        rows.keys.filter { $0.hasPrefix(table + "/") }.sorted().flatMap { rows[$0] ?? [] }
    }

    /// A table as its last dump has it.
    func last(_ table: String) -> [JSON] {
        rows.keys.filter { $0.hasPrefix(table + "/") }.max().flatMap { rows[$0] } ?? []
    }

    func file(_ path: String) -> [JSON] { rows[path] ?? [] }

    /// Each id once, as the newest file has it.
    func newest(_ table: String) -> [JSON] {
        var found: [String: JSON] = [:]
        for row in records(of: table) { found[row["id"]?.string ?? ""] = row }
        return found.keys.sorted().compactMap { found[$0] }
    }

    /// Whether `SampleData/` holds exactly this; another zlib may compress otherwise, what is inside must be the same.
    func expectCommitted(as product: String) throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let folder = root + "/SampleData/" + product
        #expect(try readText(folder + "/truth.json", as: "truth") == truth.sorted.prettyText)
        #expect(try files(below: folder) == (texts.keys + ["truth.json"]).sorted())
        for (path, text) in texts {
            #expect(try gunzipped(readFile(joined(folder, path), as: "sample"), path: path) == text, "\(path)")
        }
    }
}

extension JSON {
    /// A whole number, printed as such or as text.
    var whole: Int? { int ?? string.flatMap { Int($0) } }
    var moment: Instant? { string.flatMap { Instant($0) } }
}
