import Lake

/// Names under which exports print what a column holds, in the order in which they are preferred.
struct FieldAlias {
    let column: String
    let names: [String]
    /// Where the names are written down.
    let source: String
    /// What the names say about how tokens are counted.
    var counts: TokenCounting?

    enum TokenCounting { case inputIncludesCache, outputExcludesReasoning }

    init(_ column: String, _ names: [String], _ source: String, counts: TokenCounting? = nil) {
        (self.column, self.names, self.source, self.counts) = (column, names, source, counts)
    }
}

/// Names are compared by their letters and digits alone, so that `promptTokens` is `prompt_tokens`; one with a dot is a whole path.
let fieldAliases: [FieldAlias] = [
    // Tokens
    FieldAlias(
        "input_tokens", ["prompt_tokens"],
        "OpenAI API reference, usage of a chat completion: cached tokens are among those of the prompt",
        counts: .inputIncludesCache),
    FieldAlias(
        "input_tokens", ["promptTokenCount"], "Gemini API reference, UsageMetadata: includes the cached content",
        counts: .inputIncludesCache),
    FieldAlias(
        "input_tokens", ["gen_ai.usage.input_tokens"],
        "OpenTelemetry semantic conventions, gen_ai attributes: should include cached tokens", counts: .inputIncludesCache),
    FieldAlias("input_tokens", ["inputTokens", "inputTokenCount"], "Amazon Bedrock, TokenUsage and model invocation logs"),
    FieldAlias("input_tokens", ["tokens_prompt"], "OpenRouter API reference, generation"),
    FieldAlias("input_tokens", ["tokens_in", "input_token_count", "num_input_tokens"], common),
    FieldAlias("output_tokens", ["completion_tokens"], "OpenAI API reference, usage of a chat completion"),
    FieldAlias(
        "output_tokens", ["candidatesTokenCount"], "Gemini API reference, UsageMetadata: thoughts are counted apart",
        counts: .outputExcludesReasoning),
    FieldAlias("output_tokens", ["gen_ai.usage.output_tokens"], "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias("output_tokens", ["outputTokens", "outputTokenCount"], "Amazon Bedrock, TokenUsage and model invocation logs"),
    FieldAlias("output_tokens", ["tokens_completion"], "OpenRouter API reference, generation"),
    FieldAlias("output_tokens", ["tokens_out", "output_token_count", "num_output_tokens", "generated_tokens"], common),
    FieldAlias("cache_read_tokens", ["cache_read_input_tokens"], "Anthropic API reference, usage of a message"),
    FieldAlias("cache_read_tokens", ["cached_tokens"], "OpenAI API reference, prompt_tokens_details"),
    FieldAlias("cache_read_tokens", ["cachedContentTokenCount"], "Gemini API reference, UsageMetadata"),
    FieldAlias(
        "cache_read_tokens", ["gen_ai.usage.cache_read.input_tokens"], "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias(
        "cache_read_tokens", ["input_cached_tokens", "cached_input_tokens"], "OpenAI API reference, usage of an organization"),
    FieldAlias(
        "cache_write_5m_tokens", ["ephemeral_5m_input_tokens", "cache_creation_input_tokens"],
        "Anthropic API reference, usage of a message"),
    FieldAlias("cache_write_5m_tokens", ["cacheWriteInputTokens"], "Amazon Bedrock, TokenUsage"),
    FieldAlias(
        "cache_write_5m_tokens", ["gen_ai.usage.cache_creation.input_tokens"],
        "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias("cache_write_1h_tokens", ["ephemeral_1h_input_tokens"], "Anthropic API reference, usage of a message"),
    FieldAlias("reasoning_tokens", ["thoughtsTokenCount"], "Gemini API reference, UsageMetadata"),
    FieldAlias("reasoning_tokens", ["thinking_tokens"], common),
    FieldAlias("tokens", ["total_tokens", "token_count", "tokens_used"], common),

    // Of a call
    FieldAlias(
        "model", ["gen_ai.request.model", "gen_ai.response.model"], "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias("model", ["modelId", "model_name"], common),
    FieldAlias("provider", ["gen_ai.provider.name", "gen_ai.system"], "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias("provider", ["custom_llm_provider"], "LiteLLM docs, spend logs"),
    FieldAlias("provider", ["provider_name", "api_provider", "llm_provider"], common),
    FieldAlias("feature", ["feature_name", "endpoint", "operation", "use_case"], common),
    FieldAlias("feature", ["call_type"], "LiteLLM docs, spend logs"),
    FieldAlias("reported_cost", ["cost_usd", "total_cost", "usd_cost", "cost"], common),
    FieldAlias("reported_cost", ["spend"], "LiteLLM docs, spend logs"),
    FieldAlias("latency_ms", ["duration_ms", "response_time_ms", "elapsed_ms"], common),
    FieldAlias("first_token_ms", ["ttft_ms", "time_to_first_token_ms"], common),
    FieldAlias("fingerprint", ["prompt_hash"], common),
    FieldAlias("document", ["document_id"], common),
    FieldAlias("group", ["group_id"], common),
    FieldAlias("environment", ["env"], common),

    // Who and where
    FieldAlias("user", ["user_id", "member_id", "customer_id", "end_user", "uid"], common),
    FieldAlias("tenant", ["tenant_id", "organization_id", "org_id", "team_id", "workspace_id", "company_id"], common),
    FieldAlias("session", ["session_id", "conversation_id", "thread_id", "chat_id"], common),
    FieldAlias("session", ["gen_ai.conversation.id"], "OpenTelemetry semantic conventions, gen_ai attributes"),
    FieldAlias("plan", ["plan_name", "tier", "subscription_tier"], common),
    FieldAlias("parent", ["user_id", "owner_id", "parent_id", "account_id", "customer_id"], common),

    // Of other logs
    FieldAlias("kind", ["type", "event_type", "event", "action"], common),
    FieldAlias("label", ["category", "topic"], common),
    FieldAlias("words", ["word_count"], common),
    FieldAlias("score", ["rating"], common),
    FieldAlias("outcome", ["result"], common),
    FieldAlias("crisis", ["crisis_flag", "is_crisis"], common),
    FieldAlias("public", ["is_public"], common),
    FieldAlias("text", ["content", "message", "body"], common),
    FieldAlias("role", ["sender", "speaker", "author"], common),
    FieldAlias("amount", ["cost_usd", "total_cost", "usd_cost", "cost", "price", "total", "amount_usd"], common),
    FieldAlias("amount", ["spend"], "LiteLLM docs, spend logs"),
    FieldAlias("gross", ["gross_amount", "amount", "total", "price"], common),
    FieldAlias("fee", ["fee_amount", "processing_fee"], common),
    FieldAlias("tax", ["tax_amount", "vat"], common),
    FieldAlias("region", ["country", "country_code"], common),
    FieldAlias("sandbox", ["is_test", "is_sandbox"], common),
    FieldAlias("service", ["item", "product", "description"], common),
    FieldAlias("vendor", ["supplier"], common),
    FieldAlias("status", ["state"], common),
    FieldAlias("currency", ["currency_code"], common),

    // Ids and times
    FieldAlias(
        "id", ["request_id", "event_id", "uuid", "message_id", "generation_id", "transaction_id", "call_id", "_id"], common),
    FieldAlias(
        "ts",
        [
            "timestamp", "time", "created_at", "created", "occurred_at", "event_time", "datetime", "started_at", "start_time",
            "submitted_at", "requested_at", "logged_at", "at", "when", "date", "day",
        ], common),
    FieldAlias("updated_at", ["modified_at", "last_modified", "changed_at", "created_at", "started_at", "at"], common),
    FieldAlias("period_start", ["period.start", "start_date", "start_time", "day", "date", "month", "start"], common),
    FieldAlias("period_end", ["period.end", "end_date", "end_time", "end"], common),
]

/// Words of no vendor, as the exports of many products have them.
private let common = "words that exports often use"

/// Tables whose rows are versions of a thing, by the last word of their name.
let entityNames: [String: String] = [
    "users": "user", "members": "user", "accounts": "account", "customers": "customer", "profiles": "user",
    "subscriptions": "subscription", "tenants": "tenant", "organizations": "tenant", "teams": "team", "workspaces": "workspace",
    "branches": "branch", "children": "child", "communities": "community", "conversations": "conversation",
    "threads": "conversation",
    "goals": "goal", "plans": "plan", "products": "product", "devices": "device", "contracts": "contract",
]

/// Fields that tell who somebody is, or what they wrote: kept nowhere unless a job asks for it.
let personalWords = [
    "email", "mail", "name", "phone", "address", "password", "secret", "token", "title", "text", "content", "message", "prompt",
    "quote", "uid", "ip", "birth", "answer", "note", "comment", "body", "perspective", "assistant",
]

/// The letters and digits of a name, in small letters.
func plainName(_ name: some StringProtocol) -> String {
    String(name.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil })
}
