import Common

/// Aspendos's tables as they are dumped every Monday: small ones whole, tables of events with a window of eight days.
extension AspendosWorld {
    var tableFiles: [Export] {
        let charges = span.windowDumps("cost_logs", costLogs)
        let copies = span.windowDumps("usage_logs", usageLogs)
        let rollup = span.windowDumps("daily_costs", as: .csv(AspendosWorld.rollupColumns), dailyCosts)
        let turns = span.windowDumps("transcripts", diary.turns.map { transcript($0) })
        let media = span.windowDumps("media_jobs", diary.media.map { mediaJob($0) })
        let rates = span.windowDumps("fx_rates", as: .csv(["day", "base", "quote", "rate"]), fxRates)
        let audit = span.windowDumps("audit_logs", auditLogs)
        return charges + copies + rollup + turns + media + rates + audit + conversationFiles + wholeTables
    }

    func id(_ member: Int) -> JSON { .string(members[member].id) }

    // MARK: - Two logs of one spend, and their own sum of it

    private var costLogs: [DumpRow] {
        charges.map { charge in
            let row: JSON = .fields([
                "id": .string(charge.id), "user_id": id(charge.member), "model_name": .string(charge.model),
                "feature_name": .string(charge.feature), "cost_usd": .number(sixPlaces(charge.millionths)),
                "token_count": .int(charge.tokens), "timestamp": .string(charge.ts.exported),
                "api_provider": .string(charge.provider), "tier": .string(members[charge.member].tier.rawValue),
            ])
            return DumpRow(
                at: charge.ts, row: row,
                readings: [
                    .row(
                        "charges", "cost_logs", id: charge.id, at: charge.ts, counts: ["tokens": charge.tokens],
                        amounts: ["amount": Money(millionths: charge.millionths)])
                ])
        }
    }

    private var usageLogs: [DumpRow] {
        charges.map { charge in
            let row: JSON = .fields([
                "user_id": id(charge.member), "feature": .string(charge.feature),
                "cost": .number(sixPlaces(charge.millionths)), "timestamp": .string(charge.ts.exported),
            ])
            let amount = Money(millionths: charge.millionths)
            return DumpRow(
                at: charge.ts, row: row,
                readings: [.row("charges", "usage_logs", id: nil, at: charge.ts, amounts: ["amount": amount])])
        }
    }

    private static let rollupColumns = ["date", "model", "total_cost", "request_count", "total_tokens"]

    /// Rounded to cents by day and model: what their table says, mapped to nothing.
    var dailyCosts: [DumpRow] {
        Dictionary(grouping: charges) { "\($0.ts.dayUTC) \($0.model)" }.values.map { group in
            let day = group[0].ts.dayUTC
            let total = group.total { Money(millionths: $0.millionths) }
            return DumpRow(
                at: day.startUTC,
                row: .fields([
                    "date": .string(day.description), "model": .string(group[0].model),
                    "total_cost": .number(total.text(places: 2)), "request_count": .int(group.count),
                    "total_tokens": .int(group.reduce(0) { $0 + $1.tokens }),
                ]), readings: [])
        }
    }

    // MARK: - What members did

    private func transcript(_ turn: AspendosTurn) -> DumpRow {
        // A turn has no id; its time names it.
        let id = turn.ts.exported
        return DumpRow(
            at: turn.ts,
            row: .fields([
                "session_id": .string(conversations[turn.conversation].id), "user": .string(turn.user),
                "assistant": .string(turn.assistant), "timestamp": .string(id),
            ]),
            readings: [
                .row("sessions", "transcripts", id: id, at: turn.ts), .row("texts", "transcript_users", id: id, at: turn.ts),
                .row("texts", "transcript_assistants", id: id, at: turn.ts),
            ])
    }

    private func mediaJob(_ job: AspendosMediaJob) -> DumpRow {
        DumpRow(
            at: job.submitted,
            row: .fields([
                "id": .string(job.id), "user_id": id(job.member), "kind": .string(job.kind), "model": .string(job.model),
                "submitted_at": .string(job.submitted.exported), "finished_at": .string(job.finished.exported),
                "status": .string(job.failed ? "failed" : "done"),
            ]), readings: [.row("usage", "media_jobs", id: job.id, at: job.submitted)])
    }

    private var auditLogs: [DumpRow] {
        auditEvents.map { event in
            DumpRow(
                at: event.at,
                row: .fields([
                    "who": .string(event.who),
                    "what": .fields(["action": .string(event.action), "user_id": .optional(event.user)]),
                    "when": .string(event.at.exported), "why": .optional(event.why),
                ]), readings: [.row("sessions", "audit_logs", id: nil, at: event.at)])
        }
    }

    /// Gauges of two pairs; one day has none.
    private var fxRates: [DumpRow] {
        money.rates.flatMap { day, lira, euro in
            [("USD", "TRY", lira), ("EUR", "USD", euro)].map { base, quote, tenThousandths in
                let rate = "\(tenThousandths / 10_000).\(padded(tenThousandths % 10_000, 4))"
                return DumpRow(
                    at: day.startUTC,
                    row: .fields([
                        "day": .string(day.description), "base": .string(base), "quote": .string(quote), "rate": .number(rate),
                    ]),
                    readings: [.row("meters", "fx_rates", id: nil, at: day.startUTC, amounts: ["value": Money(rate) ?? .zero])])
            }
        }
    }
}

// MARK: - Snapshots and payments

extension AspendosWorld {
    /// A conversation goes with its member, so a dump no longer has those of an erased one.
    private var conversationFiles: [Export] {
        let columns = ["id", "user_id", "title", "model", "created_at"]
        let rows = conversations.map { conversation in
            let created = conversation.created
            let row = DumpRow(
                at: created,
                row: .fields([
                    "id": .string(conversation.id), "user_id": id(conversation.member), "title": .string(conversation.title),
                    "model": .string(conversation.model), "created_at": .string(created.exported),
                ]), readings: [.row("snapshots", "conversation", id: "\(conversation.id) \(created)", at: created)])
            return (member: members[conversation.member], row: row)
        }.sorted { ($0.row.at, $0.row.row.text) < ($1.row.at, $1.row.row.text) }
        return span.wholeDumps("conversations", as: .csv(columns)) { day, now in
            rows.filter { $0.member.exists(at: now) && span.window(before: day).contains($0.row.at) }.map(\.row)
        }.spoiled(AspendosStory.brokenCSV) { line in
            // Somebody mended this dump by hand and forgot the quotes around a title with a comma.
            let fields = line.text.split(separator: ",", omittingEmptySubsequences: false)
            let ragged = "0\(fields[0].dropFirst()),\(fields[1]),Rent, heating and water,gpt-4o,\(fields[fields.count - 1])"
            return ExportLine(broken: ragged, log: "snapshots", kind: "conversation", reason: "bad_csv")
        }
    }

    private var wholeTables: [Export] {
        span.wholeDumps("users", as: .csv(["id", "firebase_uid", "email", "tier", "created_at"])) { day, now in
            members.filter { $0.exists(at: now) }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }.map { member in
                DumpRow(
                    at: now,
                    row: .fields([
                        "id": .string(member.id), "firebase_uid": .string(member.firebase), "email": .string(member.email),
                        "tier": .string(member.tier.rawValue), "created_at": .string(member.created.exported),
                    ]),
                    readings: [.row("snapshots", "user", id: "\(member.id) \(day)", at: now)])
            }
        }
            + span.wholeDumps("consents", as: .csv(["user_id", "kind", "given", "at"])) { _, now in
                members.filter { $0.exists(at: now) }.flatMap { member in member.consents.map { (member, $0) } }
                    .filter { $0.1.at < now }.sorted { ($0.1.at, $0.0.id) < ($1.1.at, $1.0.id) }
                    .map { member, consent in consentRow(member, consent) }
            }
            + span.wholeDumps("payments", as: .csv(AspendosWorld.paymentColumns)) { _, now in
                money.payments.filter { $0.at < now }.map { paymentRow($0) }
            }
    }

    /// Three mappings read the file, one for each kind of consent.
    private func consentRow(_ member: AspendosMember, _ consent: (kind: AspendosMember.Consent, given: Bool, at: Instant))
        -> DumpRow
    {
        DumpRow(
            at: consent.at,
            row: .fields([
                "user_id": .string(member.id), "kind": .string(consent.kind.rawValue), "given": .bool(consent.given),
                "at": .string(consent.at.exported),
            ]),
            readings: AspendosMember.Consent.allCases.map { kind in
                let mapping = "consent_\(kind.rawValue)"
                return kind == consent.kind
                    ? .row("snapshots", mapping, id: "\(member.id) \(consent.at)", at: consent.at)
                    : Reading(log: "snapshots", kind: mapping, fate: .filtered)
            })
    }

    private static let paymentColumns = [
        "event_id", "user_id", "tier", "gross", "currency", "fee", "tax", "status", "sandbox", "region", "at",
    ]

    private func paymentRow(_ payment: AspendosPayment) -> DumpRow {
        func amount(_ cents: Int) -> JSON { .number("\(cents / 100).\(padded(cents % 100, 2))") }
        // Two currencies are never one sum.
        let amounts: KeyValuePairs = [
            "gross_\(payment.currency)": Money(cents: payment.gross), "fee_\(payment.currency)": Money(cents: payment.fee),
            "tax_\(payment.currency)": Money(cents: payment.tax),
        ]
        return DumpRow(
            at: payment.at,
            row: .fields([
                "event_id": .string(payment.id), "user_id": .string(payment.user), "tier": .string(payment.tier.rawValue),
                "gross": amount(payment.gross), "currency": .string(payment.currency), "fee": amount(payment.fee),
                "tax": amount(payment.tax), "status": .string(payment.status), "sandbox": .bool(payment.isSandbox),
                "region": .string(payment.region), "at": .string(payment.at.exported),
            ]), readings: [.row("payments", id: payment.id, at: payment.at, amounts: amounts)])
    }
}
