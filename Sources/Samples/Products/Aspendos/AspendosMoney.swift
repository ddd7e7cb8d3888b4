import Common

/// One event of the payment provider.
struct AspendosPayment {
    let id: String
    let user: String
    let tier: AspendosMember.Tier
    let currency: String
    let region: String
    /// Hundredths of the currency.
    let gross: Int
    let status: String
    let isSandbox: Bool
    let at: Instant

    /// The processor keeps five hundredths of what is paid.
    var fee: Int { status == "paid" ? (gross * 5 + 50) / 100 : 0 }
    /// Turkish prices hold 18 % VAT; elsewhere the processor settles it.
    var tax: Int { status == "failed" || region != "TR" ? 0 : (gross * 18 + 59) / 118 }
}

/// What members paid, month by month, and the rates at which it counts in dollars.
struct AspendosMoney {
    private(set) var payments: [AspendosPayment] = []
    /// By day: lira for a dollar and dollars for a euro, in ten-thousandths.
    private(set) var rates: [(day: Day, lira: Int, euro: Int)] = []
    private let span: SampleSpan
    private var identifiers: Identifiers

    init(_ order: SampleOrder, span: SampleSpan, members: [AspendosMember], identifiers: Identifiers) {
        (self.span, self.identifiers) = (span, identifiers)
        for (index, member) in members.enumerated() { bill(member, number: index) }
        for day in AspendosStory.sandbox where span.contains(day) {
            let at = span.moment(day, 9 * 3600 + 1234)
            pay(user: self.identifiers.next(at: at), .pro, .us, at, gross: 4900, isSandbox: true)
        }
        payments.sort { ($0.at, $0.id) < ($1.at, $1.id) }
        var random = Random(seed: order.seed, stream: "aspendos rates")
        var (lira, euro) = (329_500, 10_889)
        for day in Period(first: span.first - 8, last: span.last).days {
            lira += random.between(-250...680)
            euro += random.between(-26...26)
            if day != AspendosStory.dayWithoutRates { rates.append((day, lira, euro)) }
        }
    }

    /// Hundredths of the market's currency; in lira PRO alone is sold, at a price that is set anew.
    static func price(_ tier: AspendosMember.Tier, _ market: AspendosMember.Market, on day: Day) -> Int {
        switch (tier, market) {
        case (.pro, .turkey): day < AspendosStory.newTurkishPrice ? 149_900 : 154_900
        case (.pro, .europe): 4500
        case (.pro, .us): 4900
        case (.ultra, .europe): 11_900
        case (.ultra, _): 12_900
        }
    }

    private mutating func bill(_ member: AspendosMember, number: Int) {
        guard let first = member.paysFrom else { return }
        for month in 0... {
            let day = AspendosMoney.later(first, months: month)
            guard day <= span.last else { break }
            let at = span.moment(day, member.market.hours.lowerBound * 3600 + 7300 + 61 * number, microsecond: 1000 * number + 17)
            let gross = AspendosMoney.price(member.tier, member.market, on: day)
            func pay(_ status: String = "paid", at moment: Instant) {
                self.pay(user: member.id, member.tier, member.market, moment, gross: gross, status: status)
            }
            switch day {
            case AspendosStory.failedPayment where !payments.contains { $0.status == "failed" }:
                pay("failed", at: at)
                pay(at: at + 86_400)
            case AspendosStory.refundedPayment where !payments.contains { $0.status == "refunded" }:
                // Charged twice by mistake, and given back two days later.
                pay(at: at)
                pay(at: at + 4)
                pay("refunded", at: at + 2 * 86_400)
            case AspendosStory.repeatedWebhook:
                pay(at: at)
                if let again = payments.last { payments.append(again) }
            default: pay(at: at)
            }
        }
    }

    private mutating func pay(
        user: String, _ tier: AspendosMember.Tier, _ market: AspendosMember.Market, _ at: Instant, gross: Int,
        status: String = "paid", isSandbox: Bool = false
    ) {
        payments.append(
            AspendosPayment(
                id: identifiers.next(at: at), user: user, tier: tier, currency: market.currency, region: market.rawValue,
                gross: gross, status: status, isSandbox: isSandbox, at: at))
    }

    /// The same day some months later, or the last of a shorter month.
    static func later(_ day: Day, months: Int) -> Day {
        let count = day.civil.month - 1 + months
        let (year, month) = (day.civil.year + count / 12, count % 12 + 1)
        return Day(year: year, month: month, day: day.civil.day) ?? civil(year, month + 1, 1) - 1
    }
}
