import Common
import Testing

@testable import Samples

/// The committed sample as a reader finds it: parsed from the compressed bytes, with nothing known from its making.
struct AspendosSample: Sendable {
    let truth: JSON
    let sizes: [String: Int]
    private let records: [String: [JSON]]
    /// The gateway's rows that an ingest accepts, once each, in the order of time.
    let requests: [JSON]

    /// Made once for all tests.
    static let made = Result { try AspendosSample(SampleOrder(product: "aspendos")) }

    init(_ order: SampleOrder) throws {
        let sample = try SampleProduct.aspendos.make(order)
        truth = sample.truth
        var sizes: [String: Int] = [:]
        var records: [String: [JSON]] = [:]
        for export in sample.exports {
            let bytes = try export.compressed()
            sizes[export.path] = bytes.count
            let text = try gunzipped(bytes, path: export.path)
            records[export.path] = export.path.hasSuffix(".csv.gz") ? parsedCSV(text) : parsedLines(text)
        }
        (self.sizes, self.records) = (sizes, records)
        let rows = records.keys.filter { $0.hasPrefix("requests/") }.sorted().flatMap { records[$0] ?? [] }
        requests = AspendosSample.once(rows, by: "request_id").filter { $0["prompt_tokens"]?.int != nil }
            .sorted {
                ($0["ts"]?.string ?? "", $0["request_id"]?.string ?? "") < (
                    $1["ts"]?.string ?? "", $1["request_id"]?.string ?? ""
                )
            }
    }

    static func once(_ rows: [JSON], by id: String) -> [JSON] {
        var seen: Set<String> = []
        return rows.filter { seen.insert($0[id]?.string ?? "").inserted }
    }

    func story(_ name: String) -> JSON { truth["stories"]?[name] ?? .null }

    /// All readable records of a table, file by file in the order of their names.
    func records(of table: String) -> [JSON] {
        records.keys.filter { $0.hasPrefix(table + "/") }.sorted().flatMap { records[$0] ?? [] }
    }

    func file(_ path: String) -> [JSON] { records[path] ?? [] }
    var paths: [String] { records.keys.sorted() }

    /// Each row of a table once, by one of its fields or by all that it says.
    func distinct(_ table: String, by id: String? = nil) -> [JSON] {
        guard let id else {
            var seen: Set<String> = []
            return records(of: table).filter { seen.insert($0.text).inserted }
        }
        return AspendosSample.once(records(of: table), by: id)
    }

    /// By a price list of the test's own, in dollars per million tokens: what is known, and whether that is all.
    func cost(_ request: JSON) -> (known: Money, isAll: Bool) {
        let rates: [String?]
        switch "\(request["api_provider"]?.string ?? "")/\(request["model"]?.string ?? "")" {
        case "openai/gpt-5": rates = ["100", "50", "400"]
        case "openai/gpt-4o": rates = ["5", "2.5", "15"]
        case "openai/gpt-4o-mini": rates = ["0.15", "0.075", "0.6"]
        case "anthropic/claude-3-5-sonnet-20241022": rates = ["3", nil, "15"]
        case "anthropic/claude-3-opus": rates = ["15", nil, "45"]
        case "anthropic/claude-3-haiku": rates = ["0.8", nil, "4"]
        case "google/gemini-2.0-flash": rates = ["0.075", nil, "0.3"]
        case "google/gemini-1.5-pro": rates = ["1.25", nil, "5"]
        case "openrouter/deepseek-chat": rates = ["0.55", nil, nil]
        default: rates = [nil, nil, nil]
        }
        let cached = request.figure("cached_tokens")
        var (known, isAll) = (Money.zero, true)
        for (tokens, rate) in zip([request.figure("prompt_tokens") - cached, cached, request.figure("completion_tokens")], rates)
        where tokens > 0 {
            guard let rate = rate.flatMap({ ExactDecimal($0) }) else {
                isAll = false
                continue
            }
            known += Money.product(of: Int128(tokens), at: rate, per: 1_000_000) ?? .zero
        }
        return (known, isAll)
    }

    func cost(_ requests: some Sequence<JSON>) -> Money { requests.reduce(into: .zero) { $0 += cost($1).known } }

    /// Users with a payment that is real.
    var paying: Set<String> {
        Set(
            records(of: "payments").filter { $0.says("status") == "paid" && $0.says("sandbox") == "f" }.map { $0.says("user_id") }
        )
    }
}

extension JSON {
    func says(_ key: String) -> String { self[key]?.string ?? "" }
    func figure(_ key: String) -> Int { self[key]?.int ?? 0 }
    /// A number, whether it stands in JSON or in CSV.
    func amount(_ key: String) -> Money { (self[key]?.number ?? self[key]?.string).flatMap { Money($0) } ?? .zero }
    /// The first ten characters of a time.
    func day(_ key: String) -> String { String(says(key).prefix(10)) }
    func moment(_ key: String) -> Instant { Instant(says(key)) ?? Instant(microseconds: 0) }
}
