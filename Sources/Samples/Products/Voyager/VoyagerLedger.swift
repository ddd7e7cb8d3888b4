import Common

/// What comes in and what is paid: Stripe's events, the vendors' bills, and the gauges of the operation.
extension VoyagerWorld {
    var ledgerFiles: [Export] { stripeFiles + billFiles + meterFiles }

    // MARK: - Stripe

    /// Every event that Stripe sent, in the order of time.
    var payments: [VoyagerPayment] {
        var random = Random(seed: order.seed, stream: "voyager payments")
        var payments: [VoyagerPayment] = []
        func add(_ type: VoyagerPayment.Kind, _ user: Int, _ plan: VoyagerPlan, _ cents: Int?, at: Instant, live: Bool = true) {
            guard span.contains(at.dayUTC) else { return }
            // A refund does not bring the fee back.
            let fee = cents.map { $0 > 0 ? ($0 * 29 + 500) / 1000 : 0 }
            payments.append(
                VoyagerPayment(
                    id: "evt_1Q" + stripeTail(&random), type: type, user: user, plan: plan, cents: cents, fee: fee, isLive: live,
                    at: Instant(microseconds: at.microseconds / 1_000_000 * 1_000_000)))
        }
        for (index, user) in users.enumerated() {
            for (place, paid) in user.plans.enumerated() {
                guard paid.plan != .free else {
                    add(.subscriptionEnded, index, user.plans[max(0, place - 1)].plan, nil, at: paid.since)
                    continue
                }
                add(.subscriptionBegan, index, paid.plan, nil, at: paid.since)
                let end = place + 1 < user.plans.count ? user.plans[place + 1].since : Instant(microseconds: .max)
                for day in span.days where Self.isDue(day, since: paid.since.dayUTC) && (day + 1).startUTC <= end {
                    let clock = paid.since.microseconds - paid.since.dayUTC.startUTC.microseconds
                    let at = Instant(microseconds: day.startUTC.microseconds + clock)
                    if index == 4, day >= VoyagerStory.cancellation {
                        // The first attempt fails, and the next one succeeds.
                        add(.paymentFailed, index, paid.plan, paid.plan.cents, at: at + -7200)
                    }
                    add(.paid, index, paid.plan, paid.plan.cents, at: at)
                }
            }
        }
        add(.refunded, 5, .pro, -VoyagerPlan.pro.cents, at: VoyagerStory.refund.startUTC + 40_000)
        add(.paid, 6, .pro, VoyagerPlan.pro.cents, at: VoyagerStory.testPayment.startUTC + 36_000, live: false)
        return payments.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    /// The same day of every month; who came on the 31st pays on the last one.
    private static func isDue(_ day: Day, since first: Day) -> Bool {
        guard day >= first else { return false }
        return day.civil.day == first.civil.day || ((day + 1).civil.day == 1 && day.civil.day < first.civil.day)
    }

    private func stripeTail(_ random: inout Random) -> String {
        let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789")
        return String((0..<16).map { _ in random.pick(letters) })
    }

    /// One JSON array a week, over eight days.
    private var stripeFiles: [Export] {
        span.windowDumps("stripe_events", payments.map(paymentRow)).map { export in
            Export(path: export.path.replacing(".jsonl.gz", with: ".json.gz"), lines: export.lines, isArray: true)
        }
    }

    private func paymentRow(_ payment: VoyagerPayment) -> DumpRow {
        let reading =
            payment.moves
            ? .row("payments", id: payment.id, at: payment.at, amounts: ["gross": payment.gross, "fee": payment.paidFee])
            : Reading(log: "payments", kind: nil, fate: .filtered)
        return DumpRow(
            at: payment.at,
            row: .fields([
                "id": .string(payment.id), "type": .string(payment.type.rawValue), "customer": .string(users[payment.user].id),
                "plan": .string(payment.plan.rawValue), "amount": payment.cents.map { .int($0) } ?? .null,
                "currency": .string("usd"),
                "fee": payment.fee.map { .int($0) } ?? .null, "livemode": .bool(payment.isLive),
                "created": .int(payment.at.microseconds / 1_000_000),
            ]),
            readings: [reading])
    }

    // MARK: - Bills

    /// Flat fees are billed when a month begins, what is metered when it is over. Two vendors' numbers differ in a leading zero only.
    var billFiles: [Export] {
        span.months.enumerated().map { place, month in
            var lines = [
                billLine("0071\(place)04", "vercel", "flat", "1", "20.00", month),
                billLine("071\(place)04", "neon", "flat", "1", "19.00", month),
                billLine("00093\(place)1", "upstash", "flat", "1", "10.00", month),
                billLine("004417\(place)", "sentry", "flat", "1", "0.00", month),
            ]
            if month.isOver(in: span) {
                let calls = messages.filter { month.contains($0.created) }.compactMap(\.call)
                let tokens = calls.reduce(0) { $0 + $1.context + $1.output }
                let millions = Money(units: Int128(tokens) * 1_000_000).text(places: 2)
                lines += [
                    billLine("0071\(place)05", "vercel", "invocations", "412880", "0.00", month),
                    billLine("0071\(place)06", "vercel", "bandwidth", "38.4", "0.00", month),
                    billLine("071\(place)05", "neon", "compute hours", "61.25", "9.80", month),
                    billLine("071\(place)06", "neon", "storage GB", "18.5", "2.22", month),
                    billLine("0300012\(place)", "aws", "storage GB", "3.1", "0.06", month),
                    billLine("000000\(place + 7)", "anthropic", "tokens", millions, calls.total(\.cost).text(places: 2), month),
                ]
            }
            return Export(
                path: "vendor_bills/vendor_bills-\(month.name).csv.gz", header: "number,vendor,meter,quantity,amount,period",
                lines: lines)
        }
    }

    private func billLine(
        _ number: String, _ vendor: String, _ meter: String, _ quantity: String, _ amount: String, _ month: SampleMonth
    ) -> ExportLine {
        let period = JSON.fields(["start": .string(month.first.description), "end": .string(month.next.description)])
        return ExportLine(
            copied: .fields([
                "number": .string(number), "vendor": .string(vendor), "meter": .string(meter), "quantity": .number(quantity),
                "amount": .number(amount), "period": period,
            ]), [.row("invoices", id: number, at: month.first.startUTC, amounts: ["amount": Money(amount) ?? .zero])])
    }

    // MARK: - Meters

    /// One reading a day of each gauge, in tenths: the usual, and how far it strays.
    private static let gauges: [(metric: String, usual: Int, spread: Int)] = [
        ("db_connections_pct", 340, 250), ("query_p95_ms", 3600, 180), ("write_p95_ms", 840, 250), ("read_load_pct", 290, 250),
        ("db_cpu_pct", 260, 300), ("api_error_rate", 4, 500), ("function_ms", 5600, 300),
    ]

    private var meterFiles: [Export] {
        var random = Random(seed: order.seed, stream: "voyager meters")
        var rows: [DumpRow] = []
        for day in span.days {
            for gauge in Self.gauges {
                let tenths = random.around(gauge.usual, spread: gauge.spread)
                if gauge.metric == VoyagerStory.silentMetric, VoyagerStory.silentDays.contains(day) { continue }
                let value = Money(units: Int128(tenths) * 100_000_000_000)
                rows.append(
                    DumpRow(
                        at: day.startUTC,
                        row: .fields([
                            "day": .string(day.description), "metric": .string(gauge.metric),
                            "value": .number(value.text(places: 1)),
                        ]),
                        readings: [.row("meters", id: nil, at: day.startUTC, amounts: ["value": value])]))
            }
        }
        return span.windowDumps("meters", rows)
    }
}

/// One event of Stripe's.
struct VoyagerPayment {
    let id: String
    let type: Kind
    let user: Int
    let plan: VoyagerPlan
    let cents: Int?
    let fee: Int?
    let isLive: Bool
    let at: Instant

    enum Kind: String {
        case paid = "invoice.paid"
        case refunded = "charge.refunded"
        case paymentFailed = "invoice.payment_failed"
        case subscriptionBegan = "customer.subscription.created"
        case subscriptionEnded = "customer.subscription.deleted"
    }

    var gross: Money { Money(cents: cents ?? 0) }
    var paidFee: Money { Money(cents: fee ?? 0) }
}
