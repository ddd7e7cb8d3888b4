import Common

/// Where a request enters the gateway, with its usual tokens.
enum AspendosEndpoint: String, CaseIterable, Sendable {
    case chat = "/v1/chat"
    case documents = "/v1/documents"
    case compare = "/v1/compare"
    case voice = "/v1/voice"
    /// In the background, and able to wait for a batch.
    case summaries = "/v1/summaries"
    case memory = "/v1/memory"

    /// The feature as cost_logs and usage_logs name it.
    var feature: String {
        switch self {
        case .chat: "chat"
        case .documents: "documents"
        case .compare: "comparison"
        case .voice: "voice"
        case .summaries: "summary"
        case .memory: "memory"
        }
    }

    /// Tokens at the head of every prompt, the same each time; vendors cache them from 1,024 on.
    var prefixTokens: Int {
        switch self {
        case .chat, .compare: 420
        case .documents: 1536
        case .voice: 260
        case .summaries: 300
        case .memory: 240
        }
    }

    var output: Int {
        switch self {
        case .chat: 330
        case .documents: 520
        case .compare: 410
        case .voice: 70
        case .summaries: 190
        case .memory: 60
        }
    }
}

/// A request as the client sends it, before the gateway has chosen a model.
struct AspendosAsk {
    /// How much of it is settled by what the member has spent.
    enum Size {
        case fixed
        /// Grows and shrinks so that the day ends just above the member's budget.
        case untilBlocked
        /// The same, but the day ends with a few cents left, which only the cheapest model may spend.
        case untilDegraded
    }

    var ts: Instant
    let member: Int
    let endpoint: AspendosEndpoint
    let conversation: Int
    /// Tokens that the client estimates; with the endpoint's own they are the prompt.
    var tokens: Int
    var reasoning = false
    var output: Int
    var requested = "auto"
    /// The models of a comparison.
    var compared: [AspendosModel] = []
    var document: String?
    var temperature = "0.7"
    var topP = "1.0"
    /// Equal prompts have equal hashes.
    var prompt: String
    var size = Size.fixed
    /// Belongs to a story, so chance leaves it alone.
    var isPlanted = false
    /// The voice turn that it answers.
    var turn: Int?
    /// Answered from the cache, and written to the cost logs with others at this moment.
    var flushed: Instant?
}

/// One line of the gateway's request log.
struct AspendosRequest {
    let id: String
    var group: String?
    let ts: Instant
    let ask: AspendosAsk
    /// nil where nothing was asked of any model.
    let model: AspendosModel?
    /// What the member had spent on this day before, in millionths of a dollar.
    let spent: Int
    var fallback: String?
    var prompt = 0
    var cached = 0
    var completion = 0
    var cache = "none"
    var firstToken: Int?
    var latency = 0
    var status = "ok"

    var prefix: String {
        String(Digest.of("prefix \(ask.endpoint.rawValue) \(ask.document ?? "")").hex.prefix(16))
    }

    /// Two requests with one key would get one answer.
    var cacheKey: String { "\(model?.name ?? "") \(ask.prompt) \(ask.temperature) \(ask.topP)" }

    /// What is known of its cost: tokens without a price are left out.
    var cost: Money {
        guard let model else { return .zero }
        let billionths =
            (prompt - cached) * (model.input ?? 0) + cached * (model.cached ?? 0) + completion * (model.output ?? 0)
        return Money(units: Int128(billionths) * 1000)
    }

    var unpricedTokens: Int {
        guard let model else { return 0 }
        return (model.input == nil ? prompt - cached : 0) + (model.cached == nil ? cached : 0)
            + (model.output == nil ? completion : 0)
    }

    /// What the product itself books: nothing for a model it has no price for, and one price for both ways of the cheapest.
    var booked: Int {
        model == .deepseek ? Money(units: Int128((prompt + completion) * 550) * 1000).millionths : cost.millionths
    }
}

/// A row of cost_logs, and of usage_logs too.
struct AspendosCharge {
    let id: String
    let member: Int
    let model: String
    let provider: String
    let feature: String
    let millionths: Int
    let tokens: Int
    let ts: Instant
}

struct AspendosConversation {
    let id: String
    let member: Int
    var title: String
    let created: Instant
    let isVoice: Bool
    /// Of its first answer.
    var model: String
}

/// Somebody says something and hears an answer.
struct AspendosTurn {
    let conversation: Int
    let member: Int
    let ts: Instant
    let language: Language
    /// Hundredths.
    let confidence: Int
    let captured: Int
    let billed: Int
    let heard: AspendosSpeech
    let hearing: Int
    let said: AspendosSpeech
    let saying: Int
    let characters: Int
    let interrupted: Bool
    let user: String
    var assistant: String
    /// False where the handler wrote the dialogue and nothing else.
    var isLogged = true
}

struct AspendosMediaJob {
    let id: String
    let member: Int
    let kind: String
    let model: String
    let submitted: Instant
    let finished: Instant
    let failed: Bool
}
