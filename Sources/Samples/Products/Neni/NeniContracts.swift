import Common

/// What a kindergarten has agreed to pay, as its row stands at a moment.
struct NeniSubscription {
    let id: String
    let tenant: Int
    let plan: NeniPlan
    let currency: String
    let status: String
    let trialEnds: Instant?
    let period: (start: Day, end: Day)
    let endsWithPeriod: Bool
    let override: Int?
    let isAnnual: Bool
    let code: String?
}

/// Neni's own bill to a kindergarten.
struct NeniInvoice {
    let id: String
    let subscription: String
    let tenant: Int
    let net: Int
    let vat: Int
    let currency: String
    let processor: String
    let issued: Instant
    let paid: Instant
}

/// Subscriptions and their bills, with the changes that the weeks bring.
struct NeniContracts {
    private(set) var invoices: [NeniInvoice] = []
    private(set) var cuids: Cuids
    private let span: SampleSpan
    private let tenants: [NeniTenant]
    private var ids: [String] = []

    init(span: SampleSpan, tenants: [NeniTenant], cuids: Cuids) {
        (self.span, self.tenants, self.cuids) = (span, tenants, cuids)
        ids = tenants.map { self.cuids.next(at: $0.created + 300) }
        for day in span.days {
            for tenant in tenants.indices where tenants[tenant].created < day.startUTC { bill(tenant, on: day) }
        }
    }

    func rows(at now: Instant) -> [NeniSubscription] {
        tenants.indices.filter { tenants[$0].created < now }.map { subscription($0, at: now) }
    }

    func trialEnd(_ tenant: Int) -> Instant { tenants[tenant].created + Int64(NeniStory.trialDays) * 86_400 }

    func subscription(_ tenant: Int, at now: Instant) -> NeniSubscription {
        let role = tenants[tenant].role
        let today = now.dayUTC
        func row(
            _ plan: Int, _ currency: String = "USD", status: String = "ACTIVE", trialEnds: Instant? = nil, override: Int? = nil,
            isAnnual: Bool = false, code: String? = nil
        ) -> NeniSubscription {
            let ends = role == .leaving && span.contains(NeniStory.departed - 1)
            var period = (today - (today.civil.day - 1), NeniContracts.nextMonth(today))
            if ends { period = (civil(2026, 10, 16), NeniStory.departed) }
            if isAnnual { period = NeniContracts.year(around: today) }
            return NeniSubscription(
                id: ids[tenant], tenant: tenant, plan: NeniPlan.all[plan], currency: currency, status: status,
                trialEnds: trialEnds,
                period: period, endsWithPeriod: ends && today >= NeniStory.cancellation, override: override, isAnnual: isAnnual,
                code: code)
        }
        switch role {
        case .trial:
            let isOver = now >= trialEnd(tenant)
            return row(isOver ? 0 : 1, status: isOver ? "ACTIVE" : "TRIAL", trialEnds: trialEnd(tenant), code: "PILOT30")
        case .leaving:
            return row(1, status: today >= NeniStory.departed && span.contains(NeniStory.departed - 1) ? "CANCELED" : "ACTIVE")
        case .billedInUZS: return row(2, "UZS", code: NeniStory.hostileCode)
        case .growing: return row(3)
        case .heavyChat:
            let isLate = NeniStory.pastDue <= today && today < NeniStory.paidAtLast
            return row(4, status: isLate ? "PAST_DUE" : "ACTIVE", override: 716_400, isAnnual: true)
        case .custom: return row(6, "UZS", override: 1_384_000_000)
        case .paused: return row(1, status: today >= NeniStory.paused ? "PAUSED" : "ACTIVE")
        }
    }

    // MARK: - Bills

    /// List prices in sums are the middle of the list, and hold the tax of twelve percent; on dollars it comes on top.
    private mutating func bill(_ tenant: Int, on day: Day) {
        let agreed = subscription(tenant, at: day.startUTC)
        guard agreed.period.start == day, ["ACTIVE", "PAST_DUE"].contains(agreed.status), tenants[tenant].role != .trial else {
            return
        }
        let issued = day.startUTC + 7200
        var paid = issued + Int64(tenant + 1) * 4000
        if agreed.isAnnual, NeniStory.paidAtLast > day { paid = NeniStory.paidAtLast.startUTC + -50_000 }
        let listed = agreed.currency == "UZS" ? 210_000_000 : agreed.plan.fee
        let price = agreed.override ?? listed
        let net = agreed.currency == "UZS" ? Int(dividedHalfToEven(Int128(price) * 100, by: 112)) : price
        let vat = agreed.currency == "UZS" ? price - net : Int(dividedHalfToEven(Int128(price) * 12, by: 100))
        invoices.append(
            NeniInvoice(
                id: cuids.next(at: issued), subscription: agreed.id, tenant: tenant, net: net, vat: vat,
                currency: agreed.currency,
                processor: agreed.currency == "UZS" ? "payme" : "stripe", issued: issued, paid: paid))
    }

    private static func nextMonth(_ day: Day) -> Day {
        let later = day - (day.civil.day - 1) + 31
        return later - (later.civil.day - 1)
    }

    /// Years of this agreement begin with November.
    private static func year(around day: Day) -> (start: Day, end: Day) {
        let year = day.civil.month >= 11 ? day.civil.year : day.civil.year - 1
        return (civil(year, 11, 1), civil(year + 1, 11, 1))
    }
}
