import Common

/// A model at a provider, with what its owner says it costs.
struct AspendosModel: Hashable, Sendable {
    let name: String
    let provider: String
    /// Billionths of a dollar per token; nil where no price is stated.
    var input: Int?
    var cached: Int?
    var output: Int?

    static let gpt5 = AspendosModel(name: "gpt-5", provider: "openai", input: 100_000, cached: 50_000, output: 400_000)
    static let gpt4o = AspendosModel(name: "gpt-4o", provider: "openai", input: 5000, cached: 2500, output: 15_000)
    static let mini = AspendosModel(name: "gpt-4o-mini", provider: "openai", input: 150, cached: 75, output: 600)
    static let sonnet = AspendosModel(name: "claude-3-5-sonnet-20241022", provider: "anthropic", input: 3000, output: 15_000)
    static let routedSonnet = AspendosModel(name: sonnet.name, provider: "openrouter")
    static let opus = AspendosModel(name: "claude-3-opus", provider: "anthropic", input: 15_000, output: 45_000)
    static let haiku = AspendosModel(name: "claude-3-haiku", provider: "anthropic", input: 800, output: 4000)
    static let flash = AspendosModel(name: "gemini-2.0-flash", provider: "google", input: 75, output: 300)
    static let geminiPro = AspendosModel(name: "gemini-1.5-pro", provider: "google", input: 1250, output: 5000)
    static let deepseek = AspendosModel(name: "deepseek-chat", provider: "openrouter", input: 550)
    static let mistral = AspendosModel(name: "mistral-large", provider: "openrouter")
    static let llama = AspendosModel(name: "llama-3.1-70b", provider: "openrouter")
    static let unknown = AspendosModel(name: AspendosStory.unknownModel, provider: "openai")

    /// Those that an ULTRA member may ask for by name.
    static let choices = [gpt5, gpt4o, sonnet, haiku, flash, geminiPro]
    static let compared = [[gpt5, sonnet, flash], [gpt4o, sonnet, geminiPro], [gpt5, geminiPro, haiku]]
}

/// How the gateway chooses: their section 3.5, comparisons strict as stated.
enum AspendosRule {
    enum Complexity: String, CaseIterable { case simple, medium, complex }

    static func complexity(tokens: Int, reasoning: Bool) -> Complexity {
        if reasoning && tokens > 1000 { return .complex }
        return tokens > 500 ? .medium : .simple
    }

    /// Millionths of a dollar that a member may spend on a day.
    static func budget(_ tier: AspendosMember.Tier) -> Int { tier == .ultra ? 30_000_000 : 10_000_000 }

    static func isDegraded(_ tier: AspendosMember.Tier, spent: Int) -> Bool { budget(tier) - spent < 500_000 }

    static func model(_ tier: AspendosMember.Tier, tokens: Int, reasoning: Bool, spent: Int) -> AspendosModel {
        if isDegraded(tier, spent: spent) { return .deepseek }
        switch complexity(tokens: tokens, reasoning: reasoning) {
        case .complex: return budget(tier) - spent > 2_000_000 ? .sonnet : .gpt4o
        case .medium: return tier == .ultra ? .gpt5 : .gpt4o
        case .simple: return .mini
        }
    }
}

/// Speech to text and text to speech, with the prices that their section 3.4 states.
struct AspendosSpeech: Hashable, Sendable {
    let model: String
    let provider: String
    /// Dollars, for so many of the unit that the log counts: milliseconds heard, or characters said.
    let rate: String
    let per: Int
    /// Milliseconds to which the provider rounds up.
    var increment = 1

    static let whisper = AspendosSpeech(model: "whisper-1", provider: "openai", rate: "0.02", per: 60_000, increment: 1000)
    static let google = AspendosSpeech(model: "google-speech", provider: "google", rate: "0.024", per: 15_000, increment: 15_000)
    static let tts = AspendosSpeech(model: "tts-1", provider: "openai", rate: "0.015", per: 1000)
    static let elevenLabs = AspendosSpeech(model: "elevenlabs", provider: "elevenlabs", rate: "0.30", per: 1000)
    static let googleVoice = AspendosSpeech(model: "google-tts", provider: "google", rate: "16", per: 1_000_000)

    func cost(_ quantity: Int) -> Money {
        ExactDecimal(rate).flatMap { Money.product(of: Int128(quantity), at: $0, per: Int128(per)) } ?? .zero
    }
}

extension Money {
    /// As the product's own six decimals hold it, halves up.
    var millionths: Int { Int((units + 500_000) / 1_000_000) }

    init(millionths: Int) { self.init(units: Int128(millionths) * 1_000_000) }
}
