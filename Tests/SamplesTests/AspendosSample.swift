import Common
import Testing

@testable import Samples

/// Aspendos's sample, of which the committed one is made once for all tests.
struct AspendosSample: ReadSample {
    let exported: ExportedSample
    /// The gateway's rows that an ingest accepts, once each, in the order of time.
    let requests: [JSON]

    static let made = Result { try AspendosSample(SampleOrder(product: "aspendos")) }

    init(_ order: SampleOrder) throws {
        exported = try ExportedSample(order)
        requests = exported.distinct("requests", by: "request_id").filter { $0["prompt_tokens"]?.int != nil }
            .sorted { ($0.says("ts"), $0.says("request_id")) < ($1.says("ts"), $1.says("request_id")) }
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
        let tokens = [request.figure("prompt_tokens") - cached, cached, request.figure("completion_tokens")]
        return (price(tokens, at: rates.map { $0 ?? "0" }), zip(tokens, rates).allSatisfy { $0 == 0 || $1 != nil })
    }

    func cost(_ requests: some Sequence<JSON>) -> Money { requests.total { cost($0).known } }

    /// Users with a payment that is real.
    var paying: Set<String> {
        Set(
            records(of: "payments").filter { $0.says("status") == "paid" && $0.says("sandbox") == "f" }.map { $0.says("user_id") }
        )
    }
}
