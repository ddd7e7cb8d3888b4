import Common
import Testing

@testable import Samples

@Suite struct AspendosStoryTests {
    private let sample: AspendosSample

    init() throws { sample = try AspendosSample.made.get() }

    private func hour(_ text: String, hours: Int64 = 1) -> Range<Instant> {
        let start = Instant(text) ?? Instant(microseconds: 0)
        return start..<(start + 3600 * hours)
    }

    // MARK: - Routes and prices

    @Test("The known cost is a lower bound, and about ninety-seven of a hundred requests are priced")
    func costs() throws {
        let story = sample.story("costs")
        #expect(sample.cost(sample.requests).description == story["at_least"]?.string)
        let open = sample.requests.filter { !sample.cost($0).isAll }
        #expect(open.count == story["coverage"]?["unpriced_requests"]?.int)
        let permille = (sample.requests.count - open.count) * 1000 / sample.requests.count
        #expect((965...980).contains(permille))
        for model in ["mistral-large", "llama-3.1-70b"] { #expect(open.contains { $0.says("model") == model }) }
        for (part, name) in [
            ("by_day", { $0.day("ts") }), ("by_tier", { $0.says("tier") }), ("by_endpoint", { $0.says("endpoint") }),
        ] as [(String, (JSON) -> String)] {
            let groups = Dictionary(grouping: sample.requests, by: name).mapValues { sample.cost($0).description }
            let told = story[part]?.members ?? []
            #expect(groups == Dictionary(uniqueKeysWithValues: told.map { ($0.key, $0.value.string ?? "") }), "\(part)")
        }
        #expect(story["by_day"]?.members?.count == 49)
    }

    @Test("The rule that the gateway states explains nearly all of what it did, from what each row says")
    func routing() {
        var (agree, degraded, days) = (0, 0, Set<String>())
        let judged = sample.requests.filter {
            $0["model"] != .null && $0["fallback_reason"] == .null && $0.says("endpoint") != "/v1/compare"
        }
        for request in judged {
            let ultra = request.says("tier") == "ULTRA"
            let left = (Money(ultra ? "30" : "10") ?? .zero) - request.amount("spent_today")
            let tokens = request.figure("est_tokens")
            var expected = "gpt-4o-mini"
            if left < (Money("0.50") ?? .zero) {
                expected = "deepseek-chat"
                degraded += 1
                days.insert(request.day("ts") + request.says("user_id"))
            } else if request["requires_reasoning"]?.bool == true, tokens > 1000 {
                expected = left > (Money("2.00") ?? .zero) ? "claude-3-5-sonnet-20241022" : "gpt-4o"
            } else if tokens > 500 {
                expected = ultra ? "gpt-5" : "gpt-4o"
            }
            if request.says("model") == expected { agree += 1 }
        }
        let story = sample.story("routing")
        #expect(judged.count == story["requests"]?.int)
        #expect(agree == story["agree"]?.int)
        #expect(agree * 100 / judged.count >= 95 && agree < judged.count)
        #expect(degraded == story["degraded_requests"]?.int && degraded > 3)
        #expect(days.count == 1 && story["degraded_user_days"]?.int == 1)
        for limit in [500, 1000] { #expect(judged.contains { $0.figure("est_tokens") == limit }) }
    }

    @Test("One PRO user passes ten dollars on the sixth of November, and is turned away")
    func overBudget() throws {
        var booked: [String: Money] = [:]
        for charge in sample.distinct("cost_logs", by: "id") {
            booked["\(charge.day("timestamp")) \(charge.says("user_id"))", default: .zero] += charge.amount("cost_usd")
        }
        let above = booked.filter { $0.value > Money(millionths: 10_000_000) }
        let story = sample.story("over_budget")
        #expect(above.map(\.key) == ["2026-11-06 \(story["user"]?.string ?? "")"])
        #expect(above.values.first?.text(places: 6) == story["booked"]?.string)
        let blocked = sample.requests.filter { $0.says("status") == "blocked" }
        #expect(blocked.count == 3)
        #expect(blocked.allSatisfy { $0["user_id"] == story["user"] && $0.says("tier") == "PRO" && $0.day("ts") == "2026-11-06" })
    }

    @Test("Fourteen comparisons by ULTRA, one by PRO, each of three models")
    func comparisons() {
        let groups = Dictionary(grouping: sample.requests.filter { $0.says("endpoint") == "/v1/compare" }) { $0.says("group_id") }
        let tiers = groups.values.map { $0[0].says("tier") }
        #expect(tiers.count { $0 == "ULTRA" } == 14 && tiers.count { $0 == "PRO" } == 1)
        #expect(groups.values.allSatisfy { rows in rows.count == 3 && Set(rows.map { $0.says("model") }).count == 3 })
        let hidden = groups.values.map { rows in
            sample.cost(rows)
                - (rows.min { $0.figure("latency_ms") < $1.figure("latency_ms") }.map { sample.cost($0).known } ?? .zero)
        }
        #expect(hidden.reduce(.zero, +).description == sample.story("comparisons")["cost_not_shown"]?.string)
    }

    @Test("For two hours OpenAI answers nothing, Llama does, and the hours are cheap")
    func outage() {
        let hours = hour("2026-11-04T10:00:00Z", hours: 2)
        let during = sample.requests.filter { hours.contains($0.moment("ts")) }
        let failed = during.filter { $0.says("status") == "unavailable" }
        let instead = during.filter { $0.says("fallback_reason") == "unavailable" }
        #expect(
            failed.count >= 12 && failed.allSatisfy { $0.says("api_provider") == "openai" && $0.figure("prompt_tokens") == 0 })
        #expect(instead.allSatisfy { $0.says("model") == "llama-3.1-70b" && $0.says("api_provider") == "openrouter" })
        #expect(failed.map { $0.says("group_id") }.sorted() == instead.map { $0.says("group_id") }.sorted())
        #expect(
            !during.contains {
                $0.says("api_provider") == "openai" && $0.says("status") == "ok" && $0.says("cache") != "response"
            })
        let story = sample.story("outage")
        #expect(sample.cost(during).description == story["known_cost"]?.string)
        let usual = story["mean_cost_of_the_same_hours_in_the_week_before"]?.string.flatMap { Money($0) } ?? .zero
        #expect(sample.cost(during) + sample.cost(during) < usual)
    }

    @Test("Nine of a hundred prompts were sent before within a day, and the cache caught some of them lately")
    func repeats() {
        var last: [String: Instant] = [:]
        var repeated = 0
        for request in sample.requests where request["model"] != .null {
            let parts =
                ["temperature", "top_p"].map { request[$0]?.number ?? "" } + [request.says("model"), request.says("prompt_hash")]
            let (key, now) = (parts.joined(separator: " "), request.moment("ts"))
            if let before = last[key], now.microseconds - before.microseconds <= 86_400_000_000 { repeated += 1 }
            last[key] = now
        }
        #expect(repeated == sample.story("repeated_prompts")["repeated"]?.int)
        #expect((86...94).contains(repeated * 1000 / sample.requests.count))
        let cached = sample.requests.filter { $0.says("cache") == "response" }
        #expect(cached.count == sample.story("repeated_prompts")["answered_from_cache"]?.int && cached.count > 20)
        #expect(
            cached.allSatisfy { $0.day("ts") >= "2026-10-26" && $0.figure("prompt_tokens") + $0.figure("completion_tokens") == 0 }
        )
    }

    @Test("The rare models are there, and no more of them")
    func rareModels() {
        func count(_ provider: String, _ model: String) -> Int {
            sample.requests.count { $0.says("api_provider") == provider && $0.says("model") == model }
        }
        #expect(count("openai", "gpt-5.1-preview") == 6)
        #expect(count("openrouter", "claude-3-5-sonnet-20241022") == 8)
        #expect(count("anthropic", "claude-3-5-sonnet-20241022") > 100)
        #expect(count("anthropic", "claude-3-opus") == 2)
    }

    // MARK: - Voice and pictures

    @Test("Forty voice turns have their words and nothing else")
    func unlogged() {
        let turns = sample.distinct("transcripts", by: "timestamp")
        let logged = sample.distinct("voice_calls", by: "id")
        let starts = Set(logged.filter { $0.says("stage") == "stt" }.map { $0.says("session_id") + $0.says("ts") })
        let silent = turns.filter { !starts.contains($0.says("session_id") + $0.says("timestamp")) }
        #expect(silent.count == 40)
        #expect(silent.allSatisfy { $0.day("timestamp") >= "2026-11-03" && $0.day("timestamp") <= "2026-11-09" })
        #expect(turns.count - 40 == sample.story("voice")["logged_turns"]?.int)
        for stage in ["stt", "llm", "tts"] { #expect(logged.count { $0.says("stage") == stage } == turns.count - 40) }
        // None of their sessions but the last has a request or a booked cost.
        let asked = Set(sample.requests.filter { $0.says("endpoint") == "/v1/voice" }.map { $0.says("conversation_id") })
        #expect(Set(silent.map { $0.says("session_id") }).intersection(asked).count <= 1)
        #expect(sample.distinct("cost_logs", by: "id").count { $0.says("feature_name") == "voice" } == 3 * (turns.count - 40))
    }

    @Test("Speech is billed in the provider's steps, and costs what its price list says")
    func speech() {
        let calls = sample.distinct("voice_calls", by: "id")
        func sum(_ field: String) -> Int { calls.reduce(0) { $0 + $1.figure(field) } }
        let story = sample.story("voice")
        for field in ["captured_ms", "billed_ms", "characters"] { #expect(sum(field) == story[field]?.int, "\(field)") }
        #expect(sum("billed_ms") < sum("captured_ms"))
        let steps = calls.filter { $0.says("model") == "google-speech" }.map { $0.figure("billed_ms") }
        #expect(steps.allSatisfy { $0 % 15_000 == 0 && $0 > 0 })
        let google = Money(millionths: 24_000 * steps.reduce(0) { $0 + $1 / 15_000 })
        #expect(google.description == story["speech"]?["google/google-speech"]?["cost"]?.string)
        #expect(
            calls.count { $0["interrupted"]?.bool == true } == story["interrupted"]?.int && story["interrupted"]?.int ?? 0 > 20)
        #expect(Set(calls.map { $0.says("language") }) == ["en", "de", "tr"])
    }

    @Test("One PRO account is over fifty conversations, one has two voice sessions on a day, one has a video")
    func limits() {
        let tiers = Dictionary(sample.records(of: "users").map { ($0.says("id"), $0.says("tier")) }) { one, _ in one }
        let own = sample.distinct("conversations", by: "id").filter { tiers[$0.says("user_id")] == "PRO" }
        let months = Dictionary(grouping: own) { $0.says("user_id") + $0.says("created_at").prefix(7) }.mapValues(\.count)
        #expect(months.values.filter { $0 > 50 } == [53])
        let spoken = Set(sample.records(of: "transcripts").map { $0.says("session_id") })
        let days = Dictionary(grouping: own.filter { spoken.contains($0.says("id")) }) {
            $0.says("user_id") + $0.day("created_at")
        }
        #expect(days.filter { $0.value.count > 1 }.map { $0.key.suffix(10) } == ["2026-11-10"])
        let videos = sample.distinct("media_jobs", by: "id").filter {
            $0.says("kind") == "video_5s" && tiers[$0.says("user_id")] == "PRO"
        }
        #expect(videos.map { $0.day("submitted_at") } == ["2026-10-28"])
    }
}
