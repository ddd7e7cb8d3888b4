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
            rows[export.path] = export.path.hasSuffix(".csv.gz") ? copiedRows(text) : parsedLines(text)
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

    /// Whether every log's outcomes add up, over its files and kinds too.
    func expectTruthAddsUp(_ logs: [String]) throws {
        for log in logs {
            let truth = try #require(truth[log])
            func outcomes(_ value: JSON) -> [Int] {
                ["accepted", "duplicate", "out_of_range", "quarantined", "filtered"].map { value[$0]?.int ?? -1 }
            }
            #expect(outcomes(truth).reduce(0, +) == truth["records"]?.int, "\(log)")
            for part in ["by_file", "by_kind"] {
                guard let members = truth[part]?.members else { continue }
                let summed = members.reduce([0, 0, 0, 0, 0]) { sums, member in zip(sums, outcomes(member.value)).map { $0 + $1 } }
                #expect(summed == outcomes(truth), "\(log) \(part)")
            }
            let days = try #require(truth["days"]?.members)
            #expect(days.reduce(0) { $0 + ($1.value["rows"]?.int ?? 0) } == truth["accepted"]?.int, "\(log)")
            let reasons = truth["reasons"]?.members ?? []
            #expect(reasons.reduce(0) { $0 + ($1.value.int ?? 0) } == truth["quarantined"]?.int, "\(log)")
        }
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

/// Reads what `COPY … CSV HEADER` writes, with a reader of the test's own; records of another width than the header are left out.
func copiedRows(_ bytes: [UInt8]) -> [JSON] {
    var records: [[JSON]] = []
    var fields: [JSON] = []
    var (field, isQuoted, wasQuoted) = ([UInt8](), false, false)
    func value() -> JSON { field.isEmpty && !wasQuoted ? .null : .string(String(decoding: field, as: UTF8.self)) }
    for byte in bytes {
        switch byte {
        case 0x22:
            // A doubled quote ends and begins again: then a quote belongs to the text.
            if !isQuoted, wasQuoted { field.append(byte) }
            (isQuoted, wasQuoted) = (!isQuoted, true)
        case 0x2c where !isQuoted, 0x0a where !isQuoted:
            fields.append(value())
            (field, wasQuoted) = ([], false)
            if byte == 0x0a {
                records.append(fields)
                fields = []
            }
        default: field.append(byte)
        }
    }
    let names = records.first?.compactMap(\.string) ?? []
    return records.dropFirst().filter { $0.count == names.count }.map { .object(zip(names, $0).map { .init($0, $1) }) }
}
