import Common

/// What a provider took, as the product wrote it down: in whole cents, so that many a small event costs nothing.
struct NeniCost {
    let id: String
    /// nil where the cost belongs to all kindergartens together.
    let tenant: Int?
    let provider: String
    let cents: Int
    let at: Instant
    var refType: String?
    var ref: String?
    /// What it came to before it was cut to whole cents.
    let exact: Money
}

/// The provider costs of the weeks, oldest first.
struct NeniCosts {
    private(set) var costs: [NeniCost] = []
    private let days: NeniDays
    private let meters: NeniMeters
    var cuids: Cuids

    /// A provider's price by the product's planning document: `0.0004` for each mail.
    static let mail = Money(units: 400_000_000)
    static let faceSearch = Money(units: 1_000_000_000)
    static let speechMinute = Money(units: 6_000_000_000)
    private static let gibibyte = 1_073_741_824

    init(_ days: NeniDays, _ meters: NeniMeters) {
        (self.days, self.meters, cuids) = (days, meters, meters.cuids)
        for code in days.codes { add(code.tenant, "telegram", exact: Money(cents: code.cents), code.at) }
        for guess in days.suggestions {
            add(
                guess.tenant, "rekognition", exact: .zero, guess.created.after(milliseconds: 900), "FaceRecognitionSuggestion",
                guess.id)
        }
        for job in days.jobs where job.queue == "speech-to-text" {
            add(job.tenant, "whisper", exact: .zero, job.started + Int64(job.seconds), "JobLog", job.id)
        }
        let calls = Dictionary(grouping: days.calls) { $0.ts.dayUTC }
        for day in days.span.days {
            let night = day.startUTC + 86_100
            for tenant in days.tenants.indices {
                let mails = meters.mails[tenant][day] ?? 0
                if mails > 0 { add(tenant, "resend", exact: Money(units: NeniCosts.mail.units * Int128(mails)), night) }
                let own = (calls[day] ?? []).filter { $0.tenant == tenant }
                if !own.isEmpty { add(tenant, "vercel-ai", exact: own.total(\.listCost), night + 20) }
                if let bytes = meters.storage[tenant][day] {
                    let exact = NeniCosts.objects(stored: bytes, read: meters.egress[tenant][day] ?? 0)
                    add(tenant, "s3", exact: exact, night + 40)
                }
            }
            if day.civil.day == 1 { add(nil, "supabase", exact: Money(cents: 2500), day.startUTC + 600) }
        }
        costs.sort { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    /// 0.023 dollars for a gibibyte and month of thirty days, and 0.09 for one that is read.
    private static func objects(stored: Int, read: Int) -> Money {
        let storage = Int128(stored) * 23_000_000_000 / Int128(30 * gibibyte)
        return Money(units: storage + Int128(read) * 90_000_000_000 / Int128(gibibyte))
    }

    private mutating func add(
        _ tenant: Int?, _ provider: String, exact: Money, _ at: Instant, _ refType: String? = nil, _ ref: String? = nil
    ) {
        costs.append(
            NeniCost(
                id: cuids.next(at: at), tenant: tenant, provider: provider, cents: Int(exact.units / 10_000_000_000), at: at,
                refType: refType, ref: ref, exact: exact))
    }
}
