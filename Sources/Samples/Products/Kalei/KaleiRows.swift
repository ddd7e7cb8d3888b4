import Common

/// A Mirror: somebody writes, and the app answers.
struct MirrorSession {
    let id: String
    let member: Int
    let started: Instant
    var ended: Instant
    let entry: String?
    var reflection: String?
    let crisis: Bool
}

/// A thinking pattern found in a Mirror's entry.
struct MirrorFragment {
    let id: String
    let session: String
    let member: Int
    let created: Instant
    var pattern: String
    let quote: String
    var intensity: Int
    var reframe: (text: String, style: String, resonated: Bool?)?
}

/// A turn of the Kaleidoscope: one thought seen in three ways.
struct KaleiTurn {
    let id: String
    let member: Int
    let created: Instant
    let fragment: String?
    var input: String
    let style: String
    let perspectives: [String]
    let chosen: Int?
    let saved: Bool
}

/// An affirmation shown by Lens for one goal on one day.
struct LensShow {
    let goal: String
    let shownOn: Day
    let text: String
    /// Says instead when no model is asked.
    let template: String
    var fromTemplate = false
}

/// One weekly Spectrum of the product's own runs.
struct SpectrumAnalysis {
    let id: String
    let member: Int
    let week: Week
    let input: Int
    let output: Int
    let result: JSON
    let created: Instant
}

/// The features that call a model, with their usual tokens.
enum KaleiFeature: String, CaseIterable, Sendable {
    case crisisCheck = "crisis_check"
    case fragments = "mirror_fragments"
    case reframe = "mirror_reframe"
    case reflection = "mirror_reflection"
    case turn = "kaleidoscope_turn"
    case lens = "lens_affirmation"
    case spectrum = "spectrum_weekly"

    /// The system prompt, which is the same for every member and may come from the cache; what is fresh; what comes out.
    var tokens: (prompt: Int, fresh: Int, output: Int) {
        switch self {
        case .crisisCheck: (300, 380, 24)
        case .fragments: (800, 400, 520)
        case .reframe: (600, 200, 155)
        case .reflection: (700, 300, 410)
        case .turn: (600, 300, 460)
        case .lens: (400, 200, 105)
        case .spectrum: (0, 2000, 3000)
        }
    }

    var promptVersion: String {
        switch self {
        case .crisisCheck: "crisis-3"
        case .fragments: "fragments-11"
        case .reframe: "reframe-8"
        case .reflection: "reflection-6"
        case .turn: "turn-14"
        case .lens: "lens-5"
        case .spectrum: "spectrum-weekly-4"
        }
    }
}

/// One metered call, as drafted by what members do and settled by `KaleiMeter`.
struct KaleiCall {
    let id: String
    var ts: Instant
    let member: Int
    let session: String?
    let feature: KaleiFeature
    var fresh: Int
    var output: Int
    var latency: Int
    var failed = false
    /// The affirmation that this call is for.
    var show: Int?

    // Settled by the meter.
    var rate: KaleiRate?
    var model: String?
    var input = 0
    var cacheRead = 0
    var cacheWrite = 0
    var route = "primary"

    var cost: Money? {
        model == nil ? .zero : rate?.cost(input: input, cacheRead: cacheRead, cacheWrite: cacheWrite, output: output)
    }
}

/// What Kalei's vendors charge, in thousandths of a dollar per million tokens.
struct KaleiRate: Sendable {
    let provider: String
    let model: String
    let tier: String
    let input: Int
    let output: Int
    let cacheRead: Int
    let cacheWrite: Int

    static let haiku = KaleiRate(
        provider: "anthropic", model: "claude-haiku-4-5-20251001", tier: "standard", input: 1000, output: 5000, cacheRead: 100,
        cacheWrite: 1250)
    static let haikuBatch = KaleiRate(
        provider: "anthropic", model: haiku.model, tier: "batch", input: 500, output: 2500, cacheRead: 50, cacheWrite: 625)
    static let sonnet = KaleiRate(
        provider: "anthropic", model: "claude-sonnet-4-5-20250929", tier: "standard", input: 3000, output: 15000, cacheRead: 300,
        cacheWrite: 3750)
    static let qwen = KaleiRate(
        provider: "groq", model: "qwen3-32b", tier: "standard", input: 290, output: 390, cacheRead: 0, cacheWrite: 0)

    /// Exact: a thousandth of a dollar per million tokens is 1e-9 for each token.
    func cost(input: Int, cacheRead: Int, cacheWrite: Int, output: Int) -> Money {
        let billionths = input * self.input + cacheRead * self.cacheRead + cacheWrite * self.cacheWrite + output * self.output
        return Money(units: Int128(billionths) * 1000)
    }
}
