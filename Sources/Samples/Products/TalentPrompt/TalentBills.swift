import Common

/// A line of a vendor's bill for one month.
struct TalentBill {
    let vendor: String
    let service: String
    let category: String
    let part: String
    let amount: Money
    let month: SampleMonth
    var environment = "prod"
    let number: String

    /// AI, compute, databases and supporting are the plan's own categories.
    static func lines(_ calls: [TalentCall], month: SampleMonth, whole: Bool) -> [TalentBill] {
        func bill(
            _ vendor: String, _ service: String, _ category: String, _ part: String, cents: Int, environment: String = "prod"
        ) -> TalentBill {
            TalentBill(
                vendor: vendor, service: service, category: category, part: part,
                amount: Money(cents: cents), month: month, environment: environment,
                number: vendor == "Cloudflare" ? TalentStory.hostileNumber : "\(vendor.uppercased().prefix(3))-\(month.name)")
        }
        var bills = [
            bill("Railway", "team plan", "compute", "base", cents: 2000), bill("Railway", "api", "compute", "base", cents: 500),
            bill("Railway", "frontend", "compute", "base", cents: 500), bill("Railway", "workers", "compute", "base", cents: 500),
            bill("Supabase", "postgres", "databases", "base", cents: 2500),
            bill("Qdrant", "vectors", "databases", "base", cents: 9500),
            bill("Resend", "email", "supporting", "base", cents: 2000),
            bill("Cloudflare", "cdn", "supporting", "base", cents: 0),
        ]
        guard whole else { return bills }
        let calls = calls.filter { month.contains($0.at) }
        let second = calls.count { $0.provider == "anthropic" }
        bills += [
            bill("Railway", "api", "compute", "usage", cents: 2740), bill("Railway", "frontend", "compute", "usage", cents: 1385),
            bill("Railway", "workers", "compute", "usage", cents: 960),
            bill("Railway", "redis", "databases", "usage", cents: 1420),
            bill("OpenAI", "gpt", "ai", "usage", cents: Int(dividedHalfToEven(calls.total(\.cost).units, by: 10_000_000_000))),
            bill("OpenAI", "embeddings", "ai", "usage", cents: 2130),
            bill("Anthropic", "claude", "ai", "usage", cents: second * 9),
            bill("Backblaze", "backups", "supporting", "usage", cents: 600),
            bill("Cloudflare", "domain", "supporting", "usage", cents: 83),
        ]
        // Staging is half the size of production and costs thirty to fifty dollars.
        let rest = (TalentStory.octoberTotal - bills.total(\.amount)).units / 10_000_000_000
        bills.append(
            bill("Railway", "staging", "compute", "usage", cents: min(5000, max(3000, Int(rest))), environment: "staging"))
        return bills
    }
}

/// What a service measures of itself on one day.
struct TalentMeter {
    let day: Day
    let service: String
    let metric: String
    let value: Int

    static let gauges: Set<String> = ["vectors", "database_bytes", "storage_bytes", "redis_bytes", "backup_bytes"]

    /// All meters of the weeks; the vectors grow by the same number every day.
    static func all(_ order: SampleOrder, span: SampleSpan) -> [TalentMeter] {
        var random = Random(seed: order.seed, stream: "talentprompt meters")
        let days = 7 * TalentStory.weeksToLimit
        return span.days.flatMap { day in
            let ago = span.last - day
            let isWorking = day.weekday <= 5
            let grown = ((TalentStory.vectorLimit - TalentStory.vectors) * ago + days - 1) / days
            return [
                TalentMeter(day: day, service: "qdrant", metric: "vectors", value: TalentStory.vectors - grown),
                TalentMeter(
                    day: day, service: "supabase", metric: "database_bytes",
                    value: 3_340_000_000 - 8_100_000 * ago + random.below(900_000)),
                TalentMeter(
                    day: day, service: "supabase", metric: "storage_bytes",
                    value: 41_000_000_000 - 96_000_000 * ago + random.below(9_000_000)),
                TalentMeter(
                    day: day, service: "supabase", metric: "bandwidth_bytes",
                    value: random.around(isWorking ? 3_900_000_000 : 900_000_000)),
                TalentMeter(day: day, service: "railway", metric: "redis_bytes", value: 203_000_000 + random.below(60_000_000)),
                TalentMeter(
                    day: day, service: "cloudflare", metric: "requests", value: random.around(isWorking ? 46_000 : 12_000)),
                TalentMeter(day: day, service: "sentry", metric: "errors", value: random.around(isWorking ? 95 : 30)),
                TalentMeter(day: day, service: "resend", metric: "mails", value: random.around(isWorking ? 88 : 15)),
                TalentMeter(
                    day: day, service: day == TalentStory.exactDay ? TalentStory.hostileService : "ci", metric: "minutes",
                    value: isWorking ? random.around(64) : 0),
                TalentMeter(
                    day: day, service: "backblaze", metric: "backup_bytes", value: 702_000_000_000 - 1_300_000_000 * ago),
            ]
        }
    }
}
