import Common
import Testing

@testable import Economics

/// The recomputed truth of the products' own tables: each check is computed here, is a matter of the document alone, or waits for the
/// module that will compute it. goldens.csv says which; the values stand in the checks themselves.
@Suite struct GoldenTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        let id: String
        let kind: String
        /// What the document itself says: right, wrong, contradicts, unclear, silent.
        let document: String
        let call: String
        /// Places to which the check's value is printed.
        let places: Int
        /// The value where the check prints it in words only.
        let printed: String
        let note: String

        var testDescription: String {
            switch document {
            case "wrong": "\(id), where the document's own figure is wrong"
            case "contradicts": "\(id), where the document contradicts itself or another"
            default: id
            }
        }

        var job: String {
            switch id.first {
            case "N": "neni"
            case "T": "talentprompt"
            case "A": "aspendos"
            case "V": "voyager"
            default: "kalei"
            }
        }
    }

    static let goldens: [Golden] = ((try? requirementTable("goldens.csv")) ?? []).compactMap { row in
        guard let id = row["id"], let kind = row["kind"], let document = row["document"], let call = row["call"],
            let places = Int(row["places"] ?? ""), let printed = row["printed"], let note = row["note"]
        else { return nil }
        return Golden(id: id, kind: kind, document: document, call: call, places: places, printed: printed, note: note)
    }

    /// The checks by id; nil where the reference is not at hand.
    static let checks: [String: JSON]? = {
        let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let path = joined(repository, "../shared/reference/products-checks.json")
        guard let bytes = try? readFile(path, as: "checks"), let file = try? parseJSON(bytes, path: path) else { return nil }
        return Dictionary(
            (file["checks"]?.array ?? []).map { ($0["id"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }()

    static let absent: Comment = "the reference beside the repository is not at hand"

    @Test(
        "What the products' tables should say is what Vesper computes from their data", .enabled(if: checks != nil, absent),
        arguments: goldens.filter { $0.kind == "computed" })
    func golden(_ golden: Golden) throws {
        let check = try #require(GoldenTests.checks?[golden.id])
        let calls = GoldenCalls(data: try ProductData.of(golden.job))
        let written = try #require(check["expected"])
        let expected = try golden.printed.isEmpty ? GoldenTests.values(written) : printed(golden, check)
        var found: [String: [Spread]] = [:]
        for entry in golden.call.split(separator: ";") {
            let (key, texts) = GoldenTests.entry(entry)
            found[key, default: []] += try texts.split(separator: "|").map { try calls.value($0.trimmed) }
        }
        if golden.note.isEmpty { #expect(Set(found.keys) == Set(expected.keys)) }
        for (key, spreads) in found {
            let values = try #require(expected[key], "the check has no \(key)")
            // A range stands for two values, its ends.
            let isRange = spreads.count == 1 && values.count == 2
            let ends = isRange ? [spreads[0].low, try spreads[0].highest().low] : spreads.map(\.low)
            #expect(isRange || spreads.allSatisfy(\.isExact))
            try #require(ends.count == values.count)
            for (end, value) in zip(ends, values) {
                let off = try max(end - value, value - end) * Fraction(2) * Fraction(powerOfTen(golden.places))
                #expect(off <= .one, "\(key) \(end) is not \(value) to \(golden.places) places")
            }
        }
    }

    @Test("Every check has its place, and what is not computed says why or by whom", .enabled(if: checks != nil, absent))
    func whole() throws {
        let checks = try #require(GoldenTests.checks)
        #expect(Set(GoldenTests.goldens.map(\.id)) == Set(checks.keys))
        #expect(GoldenTests.goldens.count == checks.count && checks.count == 409)
        for golden in GoldenTests.goldens {
            switch golden.kind {
            case "computed": #expect(!golden.call.isEmpty)
            case "document-only", "later": #expect(golden.call.isEmpty && !golden.note.isEmpty, "\(golden.id) says no reason")
            default: Issue.record("\(golden.id) is \(golden.kind), which is no kind")
            }
            let verdict = checks[golden.id]?["verdict"]?.string ?? ""
            #expect(golden.document == GoldenTests.document[verdict], "\(golden.id) is \(verdict)")
        }
        let kinds = Dictionary(grouping: GoldenTests.goldens, by: \.kind).mapValues(\.count).sorted { $0.key < $1.key }
        print("Goldens: " + kinds.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    }

    private static let document = [
        "match": "right", "approx": "right", "MISMATCH": "wrong", "conflict": "contradicts", "ambiguous": "unclear",
        "convention": "unclear", "model gap": "unclear", "derived": "silent",
    ]

    /// Values by key; the key of a check with one list or value is empty.
    private static func values(_ expected: JSON) throws -> [String: [Fraction]] {
        func numbers(_ json: JSON) throws -> [Fraction] {
            try (json.array ?? [json]).map { Fraction(try #require($0.string.flatMap { ExactDecimal($0) })) }
        }
        guard let members = expected.members else { return ["": try numbers(expected)] }
        return Dictionary(uniqueKeysWithValues: try members.map { ($0.key, try numbers($0.value)) })
    }

    /// What the table repeats from the words of a check has to stand in them.
    private func printed(_ golden: Golden, _ check: JSON) throws -> [String: [Fraction]] {
        let words = ["what", "stated", "recomputed"].map { check[$0]?.string ?? "" }.joined(separator: " ").replacing(
            ",", with: "")
        var values: [String: [Fraction]] = [:]
        for entry in golden.printed.split(separator: ";") {
            let (key, numbers) = GoldenTests.entry(entry)
            for number in numbers.split(separator: "|").map(\.trimmed) {
                #expect(words.contains(number), "\(number) is not in \"\(words)\"")
                values[key, default: []].append(Fraction(try #require(ExactDecimal(number))))
            }
        }
        return values
    }

    /// `key=what` or `what`.
    private static func entry(_ text: Substring) -> (String, Substring) {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("(") else { return ("", text) }
        return (text[..<equals].trimmed, text[text.index(after: equals)...])
    }
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
