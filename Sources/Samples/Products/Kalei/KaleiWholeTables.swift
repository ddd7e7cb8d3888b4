import Common

/// The small tables, dumped whole every Monday, and what is not a table of the product: gauges and bills.
extension KaleiWorld {
    var wholeTables: [Export] {
        span.wholeDumps("users") { day, now in
            members.filter { $0.created < now }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
                .map { snapshot("user", $0.id, day, userRow($0, at: now)) }
        }
            + span.wholeDumps("subscriptions") { day, now in
                members.flatMap { member in member.subscriptions.map { (member, $0) } }
                    .filter { $0.1.started < now }.sorted { ($0.1.started, $0.1.id) < ($1.1.started, $1.1.id) }
                    .map { snapshot("subscription", $1.id, day, subscriptionRow($1, of: $0, at: now)) }
            }
            + span.wholeDumps("lens_goals") { day, now in
                members.flatMap { member in member.goals.map { (member, $0) } }
                    .filter { $0.1.created < now }.sorted { ($0.1.created, $0.1.id) < ($1.1.created, $1.1.id) }
                    .map { snapshot("goal", $1.id, day, goalRow($1, of: $0, at: now)) }
            }
    }

    private func snapshot(_ kind: String, _ id: String, _ day: Day, _ row: JSON) -> DumpRow {
        DumpRow(at: day.startUTC, row: row, readings: [.row("snapshots", kind, id: "\(id) \(day)", at: day.startUTC)])
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

    /// The gauges of the week before each Monday.
    var meterFiles: [Export] {
        var random = Random(seed: order.seed, stream: "kalei meters")
        return span.wholeDumps("meters") { dump, _ in
            (-7 ... -1).map { dump + $0 }.map { day in
                let (registered, connections) = (registered(on: day), 4 + members.count / 40 + random.below(6))
                func reading(_ metric: String, _ value: Int) -> Reading {
                    .row("meters", metric, id: nil, at: day.startUTC, counts: ["value": value])
                }
                return DumpRow(
                    at: day.startUTC,
                    row: .fields([
                        "day": .string(day.description), "registered_users": .int(registered),
                        "concurrent_connections_max": .int(connections),
                    ]),
                    readings: [
                        reading("registered_users", registered), reading("concurrent_connections_max", connections),
                    ])
            }
        }
    }

    /// Servers are billed when a month begins, model vendors when it is over; they cut their months in UTC.
    var invoiceFiles: [Export] {
        span.months.map { month in
            func line(_ vendor: String, _ item: String, _ amount: String, _ currency: String) -> ExportLine {
                ExportLine(
                    .fields([
                        "vendor": .string(vendor), "item": .string(item), "amount": .string(amount),
                        "currency": .string(currency),
                        "period": .fields(["start": .string(month.first.description), "end": .string(month.next.description)]),
                    ]),
                    [
                        .row(
                            "invoices", id: nil, at: month.first.startUTC,
                            amounts: ["amount_\(currency)": Money(amount) ?? .zero])
                    ])
            }
            func used(_ vendor: String, provider: String) -> ExportLine {
                let spent = meter.calls.filter { month.contains($0.ts) && $0.rate?.provider == provider }.total(\.cost)
                return line(vendor, "API usage", spent.text(places: 2), "USD")
            }
            var lines = [line("Netcup", "VPS 1000 G11", "8.45", "EUR"), line("Netcup", "Domain", "5.00", "EUR")]
            if month.isOver(in: span) {
                lines += [used("Anthropic", provider: "anthropic"), used("Groq", provider: "groq")]
            }
            return Export(path: "invoices/invoices-\(month.name).jsonl.gz", lines: lines)
        }
    }
}
