import Common

/// The small tables, dumped whole every Monday, and what is not a table of the product: gauges and bills.
extension KaleiWorld {
    /// The same ids come back each week, some of them changed.
    var wholeTables: [Export] {
        span.dumps.flatMap { day in
            let now = day.startUTC
            func snapshot(_ kind: String, _ id: String) -> [Reading] {
                [Reading(log: "snapshots", kind: kind, fate: .row(SampleRow(id: "\(id) \(day)", ts: now)))]
            }
            let users = members.filter { $0.created < now }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
            let subscriptions = members.flatMap { member in member.subscriptions.map { (member, $0) } }
                .filter { $0.1.started < now }.sorted { ($0.1.started, $0.1.id) < ($1.1.started, $1.1.id) }
            let goals = members.flatMap { member in member.goals.map { (member, $0) } }
                .filter { $0.1.created < now }.sorted { ($0.1.created, $0.1.id) < ($1.1.created, $1.1.id) }
            return [
                Export(
                    path: "users/users-\(day).jsonl.gz",
                    lines: users.map { ExportLine(userRow($0, at: now), snapshot("user", $0.id)) }),
                Export(
                    path: "subscriptions/subscriptions-\(day).jsonl.gz",
                    lines: subscriptions.map { ExportLine(subscriptionRow($1, of: $0, at: now), snapshot("subscription", $1.id)) }
                ),
                Export(
                    path: "lens_goals/lens_goals-\(day).jsonl.gz",
                    lines: goals.map { ExportLine(goalRow($1, of: $0, at: now), snapshot("goal", $1.id)) }),
            ]
        }
    }

    private func userRow(_ member: KaleiMember, at now: Instant) -> JSON {
        let deleted = member.deleted.flatMap { $0 < now ? $0 : nil }
        let consent = member.consents.last { $0.since < now }
        return .fields([
            "id": .string(member.id),
            "email": deleted == nil ? .string(member.email) : .null,
            "plan": .string(member.plan(at: now).rawValue),
            "locale": .string(member.language.rawValue),
            "time_zone": .string(member.timeZone),
            "consent_insights": .bool(consent?.given ?? false),
            "consent_changed_at": .optional(consent?.since.exported),
            "created_at": .string(member.created.exported),
            "deleted_at": .optional(deleted?.exported),
        ])
    }

    private func subscriptionRow(_ subscription: KaleiSubscription, of member: KaleiMember, at now: Instant) -> JSON {
        let known = (subscription.canceled ?? subscription.ends).map { $0 < now } ?? false
        let over = subscription.ends.map { $0 < now } ?? false
        return .fields([
            "id": .string(subscription.id),
            "user_id": .string(member.id),
            "plan": .string(subscription.plan.rawValue),
            "interval": .string(subscription.yearly ? "year" : "month"),
            "price": .string(subscription.price),
            "currency": .string("USD"),
            "store": .string(subscription.store),
            "status": .string(over ? "ended" : known ? "canceled" : "active"),
            "started_at": .string(subscription.started.exported),
            "ends_at": .optional(known ? subscription.ends?.exported : nil),
        ])
    }

    private func goalRow(_ goal: KaleiGoal, of member: KaleiMember, at now: Instant) -> JSON {
        .fields([
            "id": .string(goal.id),
            "user_id": .string(member.id),
            "created_at": .string(goal.created.exported),
            "area": .string(goal.area),
            "goal_text": .string(goal.text),
            "active": .bool(goal.isActive(at: now)),
        ])
    }

    /// Accounts at the end of a UTC day.
    func registered(on day: Day) -> Int { members.count { $0.exists(at: (day + 1).startUTC) } }

    var meterFiles: [Export] {
        var random = Random(seed: order.seed, stream: "kalei meters")
        return span.dumps.map { dump in
            let lines = (1...7).map { back in
                let day = dump - (8 - back)
                let (registered, connections) = (registered(on: day), 4 + members.count / 40 + random.below(6))
                func reading(_ metric: String, _ value: Int) -> Reading {
                    Reading(
                        log: "meters", kind: metric, fate: .row(SampleRow(id: nil, ts: day.startUTC, counts: ["value": value])))
                }
                return ExportLine(
                    .fields([
                        "day": .string(day.description), "registered_users": .int(registered),
                        "concurrent_connections_max": .int(connections),
                    ]),
                    [reading("registered_users", registered), reading("concurrent_connections_max", connections)])
            }
            return Export(path: "meters/meters-\(dump).jsonl.gz", lines: lines)
        }
    }

    /// Servers are billed when a month begins, model vendors when it is over.
    var invoiceFiles: [Export] {
        Set(span.days.filter { $0.civil.day == 1 }).sorted().map { first in
            let next = Period(first: first, last: first + 31).days.dropFirst().first { $0.civil.day == 1 } ?? first + 31
            var lines = [
                invoiceLine("Netcup", "VPS 1000 G11", "8.45", "EUR", first, next),
                invoiceLine("Netcup", "Domain", "5.00", "EUR", first, next),
            ]
            if next - 1 <= span.last {
                for (vendor, item, amount) in vendorBills(from: first, until: next) {
                    lines.append(invoiceLine(vendor, item, amount.text(places: 2), "USD", first, next))
                }
            }
            return Export(path: "invoices/invoices-\(first.month).jsonl.gz", lines: lines)
        }
    }

    /// Model vendors cut their months in UTC.
    private func vendorBills(from first: Day, until next: Day) -> [(String, String, Money)] {
        func spend(_ provider: String) -> Money {
            meter.calls.filter { first.startUTC <= $0.ts && $0.ts < next.startUTC && $0.rate?.provider == provider }
                .reduce(into: .zero) { $0 += $1.cost ?? .zero }
        }
        return [("Anthropic", "API usage", spend("anthropic")), ("Groq", "API usage", spend("groq"))]
    }

    private func invoiceLine(_ vendor: String, _ item: String, _ amount: String, _ currency: String, _ first: Day, _ next: Day)
        -> ExportLine
    {
        let row = SampleRow(
            id: nil, ts: first.startUTC,
            amounts: currency == "EUR" ? ["amount_EUR": Money(amount) ?? .zero] : ["amount_USD": Money(amount) ?? .zero])
        return ExportLine(
            .fields([
                "vendor": .string(vendor), "item": .string(item), "amount": .string(amount), "currency": .string(currency),
                "period": .fields(["start": .string(first.description), "end": .string(next.description)]),
            ]),
            [Reading(log: "invoices", kind: nil, fate: .row(row))])
    }
}
