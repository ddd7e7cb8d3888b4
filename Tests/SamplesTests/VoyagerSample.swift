import Common
import Testing

@testable import Samples

/// Voyager's committed sample.
struct VoyagerSample: ReadSample {
    let exported: ExportedSample
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
        let read = try ExportedSample(order)
        exported = read
        messages = read.records(of: "message").filter { $0["createdAt"]?.string != nil }.once { $0.says("id") }
            .sorted { $0.says("createdAt") < $1.says("createdAt") }
        calls = messages.filter {
            $0.says("role") == "assistant" && $0["model"]?.string != nil && $0["inputTokens"]?.whole != nil
        }
        homes = Dictionary(read.last("conversation").map { ($0.says("id"), $0) }) { one, _ in one }
        plans = Dictionary(
            uniqueKeysWithValues: Self.dumps.map { day in
                let rows = read.dump("user", day)
                return (day, Dictionary(rows.map { ($0.says("id"), $0.says("plan")) }) { one, _ in one })
            })
    }

    static let dumps = [
        "2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16",
    ]

    /// The conversations of a dump, by their ids.
    func conversations(_ day: String) -> [String: JSON] {
        Dictionary(dump("conversation", day).map { ($0.says("id"), $0) }) { one, _ in one }
    }

    /// Where a message belongs: to its conversation's community.
    func community(of message: JSON) -> String {
        homes[message.says("conversationId")]?["communityId"]?.string ?? ""
    }

    /// What the newest dump at a moment says of a user's plan.
    func plan(of user: String?, at moment: String) -> String? {
        guard let day = Self.dumps.last(where: { $0 <= moment.prefix(10) }) else { return nil }
        return plans[day]?[user ?? ""]
    }

    /// The community that a user had joined last before a moment.
    func membership(of user: String?, at moment: String) -> String {
        dump("membership", "2026-11-16").filter { $0["userId"]?.string == user && $0.says("joinedAt") < moment }
            .max { $0.says("joinedAt") < $1.says("joinedAt") }?["communityId"]?.string ?? ""
    }

    /// Stripe's events, each once.
    var payments: [JSON] { distinct("stripe_events", by: "id") }

    /// By a price list of the test's own, in dollars per million tokens; nil without a price.
    func cost(_ call: JSON) -> Money? {
        let columns = ["inputTokens", "cacheReadTokens", "outputTokens"]
        let tokens = columns.map(call.figure)
        let rates: [String]
        switch call["model"]?.string {
        case "claude-haiku-5-5" where tokens[0] + tokens[1] > 100_000: rates = ["0.50", "0.05", "2.50"]
        case "claude-haiku-5-5": rates = ["0.10", "0.01", "0.50"]
        case "claude-sonnet-4-5-20250929": rates = ["3", "0.30", "15"]
        default: return nil
        }
        return price(tokens, at: rates)
    }

    func cost(_ calls: some Sequence<JSON>) -> Money { calls.total(cost) }
}
