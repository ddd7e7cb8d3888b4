import Common
import Testing

@testable import Samples

/// Kalei's committed sample.
struct KaleiSample: ReadSample {
    let exported: ExportedSample
    let berlin: Zone

    /// Made once for all tests.
    static let made = Result { try KaleiSample(SampleOrder(product: "kalei")) }

    init(_ order: SampleOrder) throws {
        exported = try ExportedSample(order)
        berlin = try Zone(named: "Europe/Berlin")
    }

    /// Each id once: the first by time.
    func events(_ table: String, by time: String) -> [JSON] {
        records(of: table).filter { $0[time]?.string != nil }.sorted { $0.says(time) < $1.says(time) }.once { $0.says("id") }
    }

    /// The calls that an ingest accepts, in the order of time.
    var calls: [JSON] {
        events("api_usage", by: "ts").filter { $0["input_tokens"]?.int != nil && $0["ts"]?.string?.hasPrefix("2062") == false }
    }

    func day(_ row: JSON, _ column: String = "ts") -> Day { berlin.day(of: row.moment(column)) }
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
        return price(columns.map(call.figure), at: rates)
    }

    func cost(_ calls: some Sequence<JSON>) -> Money { calls.total(cost) }

    /// A member's plan at a moment, by the last dump of the subscriptions.
    func plan(of user: String?, at moment: Instant) -> String {
        let row = last("subscriptions").first {
            $0["user_id"]?.string == user && $0.moment("started_at") <= moment
                && ($0["ends_at"]?.string == nil || moment < $0.moment("ends_at"))
        }
        return row?["plan"]?.string ?? "free"
    }

    var lastUsers: [JSON] { last("users") }
    var lastGoals: [JSON] { last("lens_goals") }
}
