import Common
import Testing

@testable import Samples

/// The committed sample as a reader finds it: parsed from the compressed bytes, with nothing known from its making.
struct VoyagerSample: Sendable {
    let truth: JSON
    let sizes: [String: Int]
    private let records: [String: [JSON]]
    /// Every message that an ingest accepts, once, in the order of time.
    let messages: [JSON]
    /// The answers among them that have tokens.
    let calls: [JSON]
    private let homes: [String: JSON]
    /// By dump and user.
    private let plans: [String: [String: String]]

    /// Made once for all tests.
    static let made = Result { try VoyagerSample(SampleOrder(product: "voyager")) }

    init(_ order: SampleOrder) throws {
        let sample = try SampleProduct.voyager.make(order)
        truth = sample.truth
        var sizes: [String: Int] = [:]
        var records: [String: [JSON]] = [:]
        for export in sample.exports {
            let bytes = try export.compressed()
            sizes[export.path] = bytes.count
            let text = try gunzipped(bytes, path: export.path)
            if export.path.hasSuffix(".csv.gz") {
                records[export.path] = parsedCSV(text)
            } else if export.path.hasSuffix(".json.gz") {
                // One array over several lines, of which the reader of lines takes one.
                records[export.path] = parsedLines(text.filter { $0 != 0x0a }).first?.array ?? []
            } else {
                records[export.path] = parsedLines(text)
            }
        }
        (self.sizes, self.records) = (sizes, records)
        var seen: Set<String> = []
        func isFirst(_ row: JSON) -> Bool { seen.insert(row["id"]?.string ?? "").inserted }
        messages = records.keys.filter { $0.hasPrefix("message/") }.sorted().flatMap { records[$0] ?? [] }
            .filter { $0["createdAt"]?.string != nil && isFirst($0) }
            .sorted { ($0["createdAt"]?.string ?? "") < ($1["createdAt"]?.string ?? "") }
        calls = messages.filter {
            $0["role"]?.string == "assistant" && $0["model"]?.string != nil && $0.count("inputTokens") != nil
        }
        let last = records["conversation/conversation-2026-11-16.jsonl.gz"] ?? []
        homes = Dictionary(last.map { ($0["id"]?.string ?? "", $0) }) { one, _ in one }
        plans = Dictionary(
            uniqueKeysWithValues: Self.dumps.map { day in
                let rows = records["user/user-\(day).csv.gz"] ?? []
                return (day, Dictionary(rows.map { ($0.text("id"), $0.text("plan")) }) { one, _ in one })
            })
    }

    static let dumps = [
        "2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16",
    ]

    func story(_ name: String) -> JSON { truth["stories"]?[name] ?? .null }
    func count(_ path: String) -> Int { records[path]?.count ?? 0 }

    /// All parsable records of a table, file by file in the order of their names.
    func records(of table: String) -> [JSON] {
        records.keys.filter { $0.hasPrefix(table + "/") }.sorted().flatMap { records[$0] ?? [] }
    }

    /// A table as one dump holds it.
    func dump(_ table: String, _ day: String) -> [JSON] {
        records.keys.sorted().first { $0.hasPrefix("\(table)/\(table)-\(day).") }.flatMap { records[$0] } ?? []
    }

    /// The conversations of a dump, by their ids.
    func conversations(_ day: String) -> [String: JSON] {
        Dictionary(dump("conversation", day).map { ($0["id"]?.string ?? "", $0) }) { one, _ in one }
    }

    /// Where a message belongs: to its conversation's community.
    func community(of message: JSON) -> String {
        homes[message["conversationId"]?.string ?? ""]?["communityId"]?.string ?? ""
    }

    /// What the newest dump at a moment says of a user's plan.
    func plan(of user: String?, at moment: String) -> String? {
        guard let day = Self.dumps.last(where: { $0 <= moment.prefix(10) }) else { return nil }
        return plans[day]?[user ?? ""]
    }

    /// The community that a user had joined last before a moment.
    func membership(of user: String?, at moment: String) -> String {
        dump("membership", "2026-11-16").filter { $0["userId"]?.string == user && ($0["joinedAt"]?.string ?? "") < moment }
            .max { ($0["joinedAt"]?.string ?? "") < ($1["joinedAt"]?.string ?? "") }?["communityId"]?.string ?? ""
    }

    /// Stripe's events, each once.
    var payments: [JSON] {
        var seen: Set<String> = []
        return records(of: "stripe_events").filter { seen.insert($0["id"]?.string ?? "").inserted }
    }

    /// By a price list of the test's own, in dollars per million tokens; nil without a price.
    func cost(_ call: JSON) -> Money? {
        let columns = ["inputTokens", "cacheReadTokens", "outputTokens"]
        let tokens = columns.map { call.count($0) ?? 0 }
        let rates: [String]
        switch call["model"]?.string {
        case "claude-haiku-5-5" where tokens[0] + tokens[1] > 100_000: rates = ["0.50", "0.05", "2.50"]
        case "claude-haiku-5-5": rates = ["0.10", "0.01", "0.50"]
        case "claude-sonnet-4-5-20250929": rates = ["3", "0.30", "15"]
        default: return nil
        }
        return zip(tokens, rates).reduce(into: .zero) { total, pair in
            guard let rate = ExactDecimal(pair.1) else { return }
            total += Money.product(of: Int128(pair.0), at: rate, per: 1_000_000) ?? .zero
        }
    }

    func cost(_ calls: some Sequence<JSON>) -> Money { calls.reduce(into: .zero) { $0 += cost($1) ?? .zero } }
}

extension JSON {
    /// A whole number, as JSON has it or as the text of one.
    func count(_ field: String) -> Int? { self[field].flatMap { $0.int ?? $0.string.flatMap { Int($0) } } }

    /// The text of a field, where it has one.
    func text(_ field: String) -> String { self[field]?.string ?? "" }
}
