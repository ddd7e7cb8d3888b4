import Common
import Testing

@testable import Samples

/// The committed sample as a reader finds it: parsed from the compressed bytes, with nothing known from its making.
struct KaleiSample: Sendable {
    let truth: JSON
    let sizes: [String: Int]
    private let lines: [String: [JSON]]
    let berlin: Zone

    /// Made once for all tests.
    static let made = Result { try KaleiSample(SampleOrder(product: "kalei")) }

    init(_ order: SampleOrder) throws {
        let sample = try SampleProduct.kalei.make(order)
        truth = sample.truth
        var sizes: [String: Int] = [:]
        var lines: [String: [JSON]] = [:]
        for export in sample.exports {
            let bytes = try export.compressed()
            sizes[export.path] = bytes.count
            lines[export.path] = parsedLines(try gunzipped(bytes, path: export.path))
        }
        (self.sizes, self.lines) = (sizes, lines)
        berlin = try Zone(named: "Europe/Berlin")
    }

    func story(_ name: String) -> JSON { truth["stories"]?[name] ?? .null }

    /// All parsable records of a table, file by file in the order of their names.
    func records(of table: String) -> [JSON] {
        lines.keys.filter { $0.hasPrefix(table + "/") }.sorted().flatMap { lines[$0] ?? [] }
    }

    func count(_ path: String) -> Int { lines[path]?.count ?? 0 }

    /// Each id once: the first by time.
    func distinct(_ table: String, by time: String) -> [JSON] {
        var seen: Set<String> = []
        return records(of: table).filter { $0[time]?.string != nil }
            .sorted { ($0[time]?.string ?? "") < ($1[time]?.string ?? "") }
            .filter { seen.insert($0["id"]?.string ?? "").inserted }
    }

    /// The calls that an ingest accepts, in the order of time.
    var calls: [JSON] {
        distinct("api_usage", by: "ts").filter { $0["input_tokens"]?.int != nil && $0["ts"]?.string?.hasPrefix("2062") == false }
    }

    func moment(_ row: JSON, _ column: String = "ts") -> Instant {
        row[column]?.string.flatMap { Instant($0) } ?? Instant(microseconds: 0)
    }

    func day(_ row: JSON, _ column: String = "ts") -> Day { berlin.day(of: moment(row, column)) }
    func week(_ row: JSON, _ column: String = "ts") -> Week { Week(of: day(row, column)) }

    /// By a price list of the test's own, in dollars per million tokens; nil without a price.
    func cost(_ call: JSON) -> Money? {
        guard let model = call["model"]?.string else { return .zero }
        let rates: [String]
        switch (model, call["service_tier"]?.string) {
        case ("claude-haiku-4-5-20251001", "standard"): rates = ["1.00", "5.00", "0.10", "1.25"]
        case ("claude-haiku-4-5-20251001", "batch"): rates = ["0.50", "2.50", "0.05", "0.625"]
        case ("claude-sonnet-4-5-20250929", "standard"): rates = ["3", "15", "0.30", "3.75"]
        case ("qwen3-32b", "standard"): rates = ["0.29", "0.39", "0", "0"]
        default: return nil
        }
        let columns = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
        return zip(columns, rates).reduce(into: .zero) { total, pair in
            guard let tokens = call[pair.0]?.int, let rate = ExactDecimal(pair.1) else { return }
            total += Money.product(of: Int128(tokens), at: rate, per: 1_000_000) ?? .zero
        }
    }

    func cost(_ calls: some Sequence<JSON>) -> Money { calls.reduce(into: .zero) { $0 += cost($1) ?? .zero } }

    /// A member's plan at a moment, by the last dump of the subscriptions.
    func plan(of user: String?, at moment: Instant) -> String {
        let all = lines["subscriptions/subscriptions-2026-11-16.jsonl.gz"] ?? []
        let row = all.first {
            $0["user_id"]?.string == user && self.moment($0, "started_at") <= moment
                && ($0["ends_at"]?.string == nil || moment < self.moment($0, "ends_at"))
        }
        return row?["plan"]?.string ?? "free"
    }

    var lastUsers: [JSON] { lines["users/users-2026-11-16.jsonl.gz"] ?? [] }
    var lastGoals: [JSON] { lines["lens_goals/lens_goals-2026-11-16.jsonl.gz"] ?? [] }
}

extension JSON {
    var strings: [String] { array?.compactMap(\.string) ?? [] }
}
