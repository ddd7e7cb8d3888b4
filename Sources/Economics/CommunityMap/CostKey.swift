import Common

/// What a key of the community map says by its name.
///
///     CostKey("cache_creation_input_token_cost_above_1hr_above_200k_tokens_batches")
///     // tokens of 1-hour cache writes, at batch rates, of requests with over 200,000 input tokens
///
/// A name is its base, then how long a cache lives, then a threshold of the context, then a service tier: the order in which
/// LiteLLM 1.109.1 and 1.110.2 build them (litellm/litellm_core_utils/llm_cost_calc/utils.py). What does not parse so is no key that
/// we understand.
struct CostKey: Equatable {
    enum Meaning: Equatable {
        /// A rate for one token of a meter.
        case tokens(Meter)
        /// A rate for one of a unit.
        case quantity(Quantity)
        /// Another name of a rate that stands beside it.
        case alias(of: String)
        /// Rates by ranges of the input, each an object.
        case tiers
        /// We know what it says, and have nothing to apply it to; the reason is for people.
        case notApplied(String)
    }

    let meaning: Meaning
    let tier: String
    let aboveInputTokens: Int64

    /// What a model's quantity is charged by, in the order in which one is taken where an entry has several in one unit.
    enum Quantity: Int, CaseIterable {
        case inputSeconds, outputSeconds, seconds, videoSeconds
        case inputCharacters, outputCharacters
        case pages, sessions, requests, queries, outputImages, inputImages, messages, inputAudioSeconds, inputVideoSeconds,
            searches

        /// As price books write it.
        var unit: String {
            switch self {
            case .inputSeconds, .outputSeconds, .seconds, .videoSeconds, .inputAudioSeconds, .inputVideoSeconds: "second"
            case .inputCharacters, .outputCharacters: "character"
            case .pages: "page"
            case .sessions: "session"
            case .requests: "request"
            case .queries: "query"
            case .outputImages, .inputImages: "image"
            case .messages: "message"
            case .searches: "search"
            }
        }

        /// Seconds and characters are written for input and output, and are one charge: a file has one length.
        var charge: Int {
            switch self {
            case .inputSeconds, .outputSeconds, .seconds: Quantity.inputSeconds.rawValue
            case .inputCharacters, .outputCharacters: Quantity.inputCharacters.rawValue
            default: rawValue
            }
        }
    }

    /// nil where we do not understand the name.
    init?(_ name: String) {
        var rest = name[...]
        var tier = "standard"
        if let suffix = CostKey.tiers.first(where: { rest.hasSuffix("_" + $0.suffix) }) {
            (tier, rest) = (suffix.tier, rest.dropLast(suffix.suffix.count + 1))
        }
        var above: Int64 = -1
        if rest.hasSuffix("k_tokens"), let start = rest.ranges(of: "_above_").last,
            let thousands = Int64(rest[start.upperBound...].dropLast("k_tokens".count)), (1...1_000_000).contains(thousands)
        {
            (above, rest) = (thousands * 1000, rest[..<start.lowerBound])
        }
        guard let meaning = CostKey.meaning(of: String(rest)) else { return nil }
        (self.meaning, self.tier, aboveInputTokens) = (meaning, tier, above)
    }

    /// The service tiers that LiteLLM 1.110.2 writes behind a rate (checked 2026-11-25), and their names in our books.
    private static let tiers = [
        (suffix: "batches", tier: "batch"), (suffix: "flex", tier: "flex"), (suffix: "priority", tier: "priority"),
        (suffix: "ultrafast", tier: "ultrafast"), (suffix: "balanced", tier: "balanced"),
        (suffix: "decisions", tier: "decisions"),
    ]

    private static let bases: [String: Meaning] = [
        "input_cost_per_token": .tokens(.input),
        "output_cost_per_token": .tokens(.output),
        "output_cost_per_reasoning_token": .tokens(.reasoning),
        "cache_read_input_token_cost": .tokens(.cacheRead),
        // Of five minutes (Anthropic) or half an hour (OpenAI): what a write costs that asks for nothing longer.
        "cache_creation_input_token_cost": .tokens(.cacheWrite5m),
        "cache_creation_input_token_cost_above_1hr": .tokens(.cacheWrite1h),
        "cache_creation_input_token_cost_above_12hr": .notApplied("there is no meter for cache writes of 12 hours"),
        "input_cost_per_token_cache_hit": .alias(of: "cache_read_input_token_cost"),
        "explicit_cache_read_input_token_cost": .notApplied("usage does not tell explicit cache reads from others"),
        "citation_cost_per_token": .notApplied("usage does not tell tokens of citations"),
        "input_cost_per_second": .quantity(.inputSeconds),
        "output_cost_per_second": .quantity(.outputSeconds),
        "cost_per_second": .quantity(.seconds),
        "output_cost_per_video_per_second": .quantity(.videoSeconds),
        "input_cost_per_audio_per_second": .quantity(.inputAudioSeconds),
        "input_cost_per_video_per_second": .quantity(.inputVideoSeconds),
        "input_cost_per_character": .quantity(.inputCharacters),
        "output_cost_per_character": .quantity(.outputCharacters),
        "input_cost_per_image": .quantity(.inputImages),
        "output_cost_per_image": .quantity(.outputImages),
        "input_cost_per_query": .quantity(.queries),
        "input_cost_per_request": .quantity(.requests),
        "input_cost_per_text_message": .quantity(.messages),
        "ocr_cost_per_page": .quantity(.pages),
        "code_interpreter_cost_per_session": .quantity(.sessions),
        "search_context_cost_per_query": .quantity(.searches),
        "annotation_cost_per_page": .notApplied("a page has one price; annotations are charged beside it"),
        "google_maps_grounding_cost_per_query": .notApplied("usage does not tell grounding by maps from search"),
        "ocr_cost_per_credit": .notApplied("credits are no unit of a price book"),
        "guardrail_cost_per_unit": .notApplied("guardrail units are no unit of a price book"),
        "input_dbu_cost_per_token": .notApplied("it is in Databricks units, not in USD"),
        "output_dbu_cost_per_token": .notApplied("it is in Databricks units, not in USD"),
        "tiered_pricing": .tiers,
        "off_peak_pricing": .notApplied("a price book has no hours of the day"),
        "provider_specific_entry": .notApplied("a multiplier by region or speed; usage does not tell which"),
        "regional_endpoint_uplift_multiplier": .notApplied("a multiplier by region; usage does not tell which endpoint"),
        "regional_processing_uplift_multiplier_eu": .notApplied("a multiplier by region; usage does not tell which"),
        "regional_processing_uplift_multiplier_us": .notApplied("a multiplier by region; usage does not tell which"),
        "fedramp_uplift_multiplier": .notApplied("a multiplier of one contract; give such a price a book of its own"),
        "search_free_requests": .notApplied("a free allowance by the day; bands of a price book are by the month"),
        "web_search_billing_unit": .notApplied("it says what a search is counted by, and is no price"),
    ]

    private static func meaning(of base: String) -> Meaning? {
        if let known = bases[base] { return known }
        // A size that the log does not tell: the price lies between those of all sizes.
        for (prefix, quantity) in [
            ("output_cost_per_second_", Quantity.outputSeconds), ("output_cost_per_image_", .outputImages),
        ]
        where base.hasPrefix(prefix) {
            let size = base.dropFirst(prefix.count)
            let digits = size.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            if !digits.isEmpty, ["", "p", "k", "K"].contains(size.dropFirst(digits.count)) {
                return .quantity(quantity)
            }
        }
        if base.contains("_per_pixel") { return .notApplied("pixels are no unit of a price book") }
        for modality in ["audio", "image", "video"] where modalityKeys(modality).contains(base) {
            return .notApplied("usage does not tell tokens of \(modality) from others")
        }
        if base.hasPrefix("input_cost_per_video_per_second_above_"), base.hasSuffix("s_interval") {
            return .notApplied("usage does not tell how often a video is looked at")
        }
        return nil
    }

    private static func modalityKeys(_ modality: String) -> [String] {
        [
            "input_cost_per_\(modality)_token", "output_cost_per_\(modality)_token", "cache_read_input_\(modality)_token_cost",
            "cache_creation_input_\(modality)_token_cost",
        ]
    }
}

/// The keys of a map, each read once: the same few stand in every entry.
struct CostKeys {
    private var read: [String: Reading] = [:]

    private struct Reading {
        let key: CostKey?
        let isOfMoney: Bool
        let isKnownNumber: Bool
    }

    /// What a key says; nil where it is none of money. A key that may be of money and is not understood has a nil within.
    ///
    /// `holdsNumber` says whether its value is a number or has one in it: a number that nobody knows may be a price.
    mutating func key(_ name: String, holdsNumber: () -> Bool) -> CostKey?? {
        let reading = self.reading(name)
        if let key = reading.key { return .some(key) }
        return reading.isOfMoney || (!reading.isKnownNumber && holdsNumber()) ? .some(nil) : nil
    }

    private mutating func reading(_ name: String) -> Reading {
        if let known = read[name] { return known }
        let reading = Reading(
            key: CostKey(name), isOfMoney: CostKeys.words.contains(where: name.contains),
            isKnownNumber: CostKeys.numbers.contains { name == $0 || ($0.hasSuffix("_") && name.hasPrefix($0)) })
        // Only a file that is no price map has so many.
        if read.count < 10_000 { read[name] = reading }
        return reading
    }

    private static let words = ["cost", "pric", "multiplier", "uplift", "fee_", "charge", "discount", "billing"]

    /// Numbers of LiteLLM 1.110.2 that are no money: limits and sizes.
    private static let numbers = [
        "max_", "rpm", "tpm", "rpd", "output_vector_size", "prompt_cache_min_tokens", "token_count_", "metadata", "rules",
    ]
}
