import Common
import Testing

@testable import Samples

@Suite struct TalentPromptStoryTests {
    private static let made = Result { try ExportedSample(SampleOrder(product: "talentprompt")) }
    private let sample: ExportedSample

    init() throws { sample = try TalentPromptStoryTests.made.get() }

    // MARK: - Reading

    /// The requests that an ingest accepts: each id once, with whole tokens.
    private var calls: [JSON] { sample.newest("llm_requests").filter { $0["prompt_tokens"]?.int != nil } }
    private var production: [JSON] { calls.filter { $0["environment"]?.string == "prod" } }
    private var embeddings: [JSON] { sample.newest("embedding_calls") }
    private func story(_ name: String, _ key: String) -> JSON { sample.story(name)[key] ?? .null }
    private func day(_ row: JSON) -> String { String(row["created_at"]?.string?.prefix(10) ?? "") }
    private func tokens(_ call: JSON) -> Int { call.figure("prompt_tokens") + call.figure("completion_tokens") }

    /// Dollars for a thousand tokens; nil for a model without a price.
    private func cost(_ call: JSON) -> Money? {
        let rates = ["gpt-3.5-turbo": "0.002", "gpt-4-turbo": "0.01", "o4-mini": "0.15"]
        return rates[call.says("model")].map { price([tokens(call)], at: [$0], per: 1000) }
    }

    private func cost(_ calls: [JSON]) -> Money { calls.total(cost) }
    private func spend(_ day: String) -> Money { cost(production.filter { self.day($0) == day }) }

    private func bills(_ month: String) -> [JSON] { sample.file("invoices/invoices-\(month).csv.gz") }
    private func amount(_ rows: [JSON]) -> Money {
        rows.total { $0.amount("amount") }
    }

    // MARK: - The whole

    @Test("The truth of every log adds up, and the files hold what it counts")
    func addsUp() throws {
        try expectTruthAddsUp(sample.truth, logs: ["usage", "sessions", "meters", "invoices"])
        let usage = sample.truth["usage"]
        #expect(usage?["reasons"] == .fields(["bad_json": .int(1), "bad_value": .int(1)]))
        #expect(sample.truth["sessions"]?["reasons"] == .fields(["bad_csv": .int(1)]))
        #expect(calls.count == usage?["by_kind"]?["llm"]?["accepted"]?.int)
        #expect(sample.records(of: "llm_requests").count + 1 == usage?["by_kind"]?["llm"]?["records"]?.int)
        #expect(embeddings.count == usage?["by_kind"]?["embedding"]?["accepted"]?.int)
        let embedded = embeddings.reduce(0) { $0 + $1.figure("tokens") }
        #expect(calls.reduce(0) { $0 + $1.figure("prompt_tokens") } + embedded == usage?["sums"]?["input_tokens"]?.int)
        #expect(calls.reduce(0) { $0 + $1.figure("completion_tokens") } == usage?["sums"]?["output_tokens"]?.int)
        #expect(sample.newest("searches").count == sample.truth["sessions"]?["accepted"]?.int)
        #expect(sample.records(of: "searches").count + 1 == sample.truth["sessions"]?["records"]?.int)
        #expect(sample.records(of: "service_meters").count == sample.truth["meters"]?["accepted"]?.int)
        #expect(amount(sample.records(of: "invoices")).description == sample.truth["invoices"]?["sums"]?["amount_USD"]?.string)
    }

    @Test("Rows look as PostgreSQL prints them")
    func shapes() {
        let ids = calls.compactMap { $0["id"]?.string } + embeddings.compactMap { $0["id"]?.string }
        #expect(ids.allSatisfy { $0.utf8.count == 36 } && Set(ids).count == ids.count)
        #expect(embeddings.allSatisfy { $0["created_at"]?.string?.hasSuffix("+00") == true && $0["created_at"]?.moment != nil })
        #expect(Set(sample.newest("searches").map { $0["clicked"]?.string }) == ["t", "f"])
        #expect(embeddings.contains { $0["batch_id"] == .null && $0["batch_size"]?.string == "1" })
    }

    // MARK: - Money

    @Test("Only the outage costs more than twenty dollars, and one day costs exactly that")
    func days() {
        let all = Set(production.map(day)).sorted()
        #expect(all.count == 49)
        let told = Dictionary(
            uniqueKeysWithValues: (story("daily_spend", "by_day").members ?? []).map { ($0.key, $0.value.string) })
        for day in all { #expect(spend(day).description == told[day], "\(day)") }
        #expect(spend("2026-11-03").description == "21.4")
        #expect(spend("2026-11-11").description == "20")
        #expect(all.filter { spend($0).units > 20_000_000_000_000 } == ["2026-11-03"])
        #expect(cost(calls).description == story("costs", "total_cost").string)
        let unpriced = calls.filter { cost($0) == nil }
        #expect(unpriced.count == story("costs", "unpriced_requests").int)
    }

    @Test("AI costs 2.3 times the mean of four weeks on the 5th of November, and no other day but the dear ones stands out")
    func spike() {
        let all = Set(production.map(day)).sorted()
        let spent = all.map { spend($0) }
        for (window, least) in [(7, 15), (14, 15), (28, 22)] {
            var over: [String] = []
            for index in window..<all.count {
                let mean = spent[(index - window)..<index].reduce(into: Int128(0)) { $0 += $1.units }
                if spent[index].units * Int128(window) * 10 > mean * 15 { over.append(all[index]) }
                guard all[index] == "2026-11-05" else { continue }
                #expect(spent[index].units * Int128(window) * 10 > mean * Int128(least))
                if window == 28 {
                    // To the price of one token of the cheapest model.
                    #expect(abs(spent[index].units * 280 - mean * 23) < 280 * 2_000_000)
                    #expect(spent[index].units < 20_000_000_000_000)
                }
            }
            #expect(over == ["2026-11-03", "2026-11-05", "2026-11-11"], "\(window)")
        }
    }

    @Test("In the outage the second vendor answers, and what follows has no class and the dearest model")
    func outage() {
        let day = production.filter { self.day($0) == "2026-11-03" }
        let moved = day.filter { $0["reason"]?.string == "outage" }
        #expect(moved.count == story("outage", "calls_to_second_vendor").int && moved.count >= 5)
        #expect(
            moved.allSatisfy {
                $0["provider"]?.string == "anthropic" && ["09", "10"].contains($0["created_at"]?.string?.dropFirst(11).prefix(2))
            })
        #expect(!calls.contains { $0["reason"]?.string == "outage" && self.day($0) != "2026-11-03" })
        let unclassed = day.filter { $0["complexity"] == .null && $0["provider"]?.string == "openai" }
        #expect(unclassed.allSatisfy { $0["model"]?.string == "o4-mini" } && cost(unclassed).units > 10_000_000_000_000)
    }

    @Test("October comes to 417 dollars, and the model vendor's bill agrees with its calls")
    func october() {
        let rows = bills("2026-10")
        #expect(amount(rows).description == "417")
        #expect(amount(rows.filter { $0["part"]?.string == "base" }).description == "175")
        let categories = Dictionary(grouping: rows) { $0.says("category") }
        #expect(categories.keys.sorted() == ["ai", "compute", "databases", "supporting"])
        for (name, rows) in categories { #expect(story("october", "by_category")[name]?.string == amount(rows).description) }
        let staging = amount(rows.filter { $0["environment"]?.string == "staging" })
        #expect(staging.units >= 30_000_000_000_000 && staging.units <= 50_000_000_000_000)
        let computed = cost(calls.filter { day($0).hasPrefix("2026-10") })
        #expect(amount(rows.filter { $0["service"]?.string == "gpt" }).description == computed.text(places: 2))
        #expect(bills("2026-11").allSatisfy { $0["part"]?.string == "base" })
    }

    // MARK: - Use

    @Test("Staging stands in the same tables and apart from production")
    func staging() {
        let staging = calls.filter { $0["environment"]?.string == "staging" }
        #expect(staging.count == story("staging", "requests").int && staging.count > 200)
        #expect(cost(staging).description == story("staging", "cost").string)
        #expect(staging.contains { day($0) == "2026-11-11" })
        #expect(embeddings.count { $0["environment"]?.string == "staging" } == story("staging", "embeddings").int)
    }

    @Test("140 documents are embedded twice without a change")
    func embeddedTwice() {
        let groups = Dictionary(grouping: embeddings) { "\($0.says("document_id")) \($0.says("content_hash"))" }
        let twice = groups.values.filter { $0.count > 1 }
        #expect(twice.count == 140 && twice.allSatisfy { $0.count == 2 })
        let documents = Dictionary(grouping: embeddings) { $0["document_id"]?.string }
        #expect(documents.values.contains { Set($0.map { $0["content_hash"]?.string }).count == 2 })
        #expect(twice.reduce(0) { $0 + ($1[0]["tokens"]?.whole ?? 0) } == story("embedded_twice", "wasted_tokens").int)
        for (batch, rows) in Dictionary(grouping: embeddings, by: { $0["batch_id"]?.string }) where batch != nil {
            #expect(rows.allSatisfy { $0["batch_size"]?.whole == rows.count })
        }
        #expect(
            embeddings.count { $0["batch_size"]?.whole == 1 && $0["batch_id"] == .null }
                == story("embedded_twice", "calls_of_one").int)
    }

    @Test("Vectors stand at 83 percent and reach the limit in nine weeks")
    func vectors() throws {
        let counted = sample.records(of: "service_meters").filter { $0["metric"]?.string == "vectors" }.compactMap {
            $0["value"]?.int
        }
        #expect(counted.count == 49 && counted.last == 830_000 && counted == counted.sorted())
        let (first, last) = (try #require(counted.first), try #require(counted.last))
        // A straight line: below the limit after 62 days, at it after 63.
        #expect(last * 48 + 62 * (last - first) < 1_000_000 * 48 && last * 48 + 63 * (last - first) >= 1_000_000 * 48)
        #expect(story("vectors", "days_to_limit").int == 63)
    }

    @Test("Classes, wrong models, repeated questions and the second vendor are counted")
    func use() {
        let models = ["simple": "gpt-3.5-turbo", "medium": "gpt-4-turbo", "complex": "o4-mini"]
        let wrong = production.filter {
            cost($0) != nil && $0["model"]?.string != models[$0["complexity"]?.string ?? "complex"]
        }
        #expect(wrong.count == 6 && Set(wrong.compactMap { $0["id"]?.string }) == Set(story("misrouted", "ids").strings))
        for name in models.keys {
            let own = production.filter { ($0["complexity"]?.string ?? "complex") == name }
            #expect(story("complexity", "by_class")[name]?["requests"]?.int == own.count)
            #expect(story("complexity", "by_class")[name]?["cost"]?.string == cost(own).description)
        }
        let hits = production.filter { $0["cache_hit"]?.bool == true }
        #expect(hits.allSatisfy { tokens($0) == 0 } && hits.count == story("cache", "hits").int && hits.count > 300)
        let paid = Dictionary(grouping: production.filter { cost($0).map { $0.units > 0 } ?? false }) { $0["cache_key"]?.string }
        #expect(paid.values.reduce(0) { $0 + $1.count - 1 } == story("cache", "repeated_without_hit").int)
        let second = Dictionary(grouping: production.filter { $0["provider"]?.string == "anthropic" }) {
            $0.says("reason")
        }
        #expect(second.keys.sorted() == ["experiment", "outage", "specialised"])
        for (reason, rows) in second { #expect(story("second_vendor", "by_reason")[reason]?.int == rows.count) }
    }

    // MARK: - Files

    @Test("The general faults are there")
    func faults() {
        let first = "llm_requests/llm_requests-2026-10-14"
        #expect(
            sample.texts[first + "-copy.jsonl.gz"] == sample.texts[first + ".jsonl.gz"]
                && sample.texts[first + ".jsonl.gz"] != nil)
        let parts = ["", "-again"].map { Set(sample.file("llm_requests/llm_requests-2026-10-22\($0).jsonl.gz").map(\.text)) }
        #expect(parts[0].intersection(parts[1]).count == story("overlapping_day", "duplicates").int)
        #expect(!parts[0].isSubset(of: parts[1]) && !parts[1].isSubset(of: parts[0]))
        let late = sample.records(of: "late")
        #expect(
            late.count == 25 && Set(late.compactMap { $0["id"]?.string }).isDisjoint(with: calls.compactMap { $0["id"]?.string }))
        #expect(cost(late).description == story("late_file", "added_cost").string)
        #expect(calls.count { $0["model"]?.string == "o5-mini-preview" } == 6)
        let hour = "2026-11-09 14"
        #expect(!calls.contains { $0["created_at"]?.string?.hasPrefix(hour) == true })
        let searches = sample.newest("searches").count { $0["created_at"]?.string?.hasPrefix(hour) == true }
        #expect(searches > 0 && searches == story("missing_hour", "siblings")["searches"]?.int)
        #expect(calls.count { $0["arm"]?.string == "<script>alert(1)</script>" } == 2)
        #expect(bills("2026-10").contains { $0["number"]?.string == "=HYPERLINK(\"http://x\")" })
        #expect(sample.records(of: "service_meters").count { $0["service"]?.string == "ci\u{1b}[31m" } == 1)
        let commas = sample.texts["searches/searches-2026-10-26.csv.gz"]?.split(separator: 0x0a).map { $0.count { $0 == 0x2c } }
        #expect(commas?.count { $0 != 6 } == 1)
    }

    @Test("Consecutive dumps overlap by one day, and rows come back unchanged")
    func overlaps() {
        var seen: [String: JSON] = [:]
        var again = 0
        for row in sample.records(of: "searches") {
            guard let before = seen.updateValue(row, forKey: row.says("id")) else { continue }
            #expect(before == row)
            #expect(row["created_at"]?.moment?.dayUTC.weekday == 7)
            again += 1
        }
        #expect(again == sample.truth["sessions"]?["duplicate"]?.int)
    }
}
