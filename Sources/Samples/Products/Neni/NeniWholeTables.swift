import Common

/// Neni's small tables, dumped whole every Monday and once before the first week.
extension NeniWorld {
    var wholeTables: [Export] {
        whole("Kindergarten", "tenant", .csv(["id", "monthlyFeeCents", "currency", "createdAt"])) { now in
            tenants.filter { $0.created < now }.map { tenant in
                (
                    tenant.id,
                    .fields([
                        "id": .string(tenant.id), "monthlyFeeCents": .int(tenant.role.habits.fee), "currency": .string("UZS"),
                        "createdAt": .string(tenant.created.exportedByPrisma),
                    ])
                )
            }
        }
            + whole("Branch", "branch", .csv(["id", "kindergartenId"])) { now in
                tenants.filter { $0.created < now }.flatMap { tenant in
                    tenant.branches.map { ($0, .fields(["id": .string($0), "kindergartenId": .string(tenant.id)])) }
                }
            }
            + whole("Child", "child", .csv(["id", "kindergartenId", "branchId", "status", "archivedAt"]), children)
            + whole(
                "Plan", "plan",
                .csv([
                    "id", "code", "displayName", "childMin", "childMax", "baseFeeCents", "perChildOverageCents", "retentionDays",
                    "includesAi", "isPublic", "archivedAt",
                ]), plans)
            + whole("Subscription", "subscription", .lines, subscriptions)
            + invoiceFiles
    }

    private func whole(
        _ name: String, _ kind: String, _ format: DumpFormat, _ rows: (_ now: Instant) -> [(id: String, row: JSON)]
    ) -> [Export] {
        span.wholeDumps(name, as: format, opening: true) { day, now in
            rows(now).map { id, row in
                DumpRow(at: now, row: row, readings: [.row("snapshots", kind, id: "\(id) \(day)", at: now)])
            }
        }
    }

    private func children(at now: Instant) -> [(id: String, row: JSON)] {
        tenants.flatMap { tenant in
            tenant.children.filter { $0.joined < now }.map { child in
                let left = child.left.flatMap { $0 < now ? $0 : nil }
                return (
                    child.id,
                    .fields([
                        "id": .string(child.id), "kindergartenId": .string(tenant.id),
                        "branchId": .string(tenant.branches[child.branch(at: now)]),
                        "status": .string(left == nil ? "ACTIVE" : "ARCHIVED"), "archivedAt": .optional(left?.exportedByPrisma),
                    ])
                )
            }
        }
    }

    private func plans(at now: Instant) -> [(id: String, row: JSON)] {
        NeniPlan.all.map { plan in
            (
                plan.id,
                .fields([
                    "id": .string(plan.id), "code": .string(plan.code), "displayName": .string(plan.name),
                    "childMin": .int(plan.children.min), "childMax": plan.children.max.map { .int($0) } ?? .null,
                    "baseFeeCents": .int(plan.fee), "perChildOverageCents": .int(0), "retentionDays": .int(180),
                    "includesAi": .bool(false), "isPublic": .bool(plan.archived == nil && plan.code != "custom"),
                    "archivedAt": .optional(plan.archived?.exportedByPrisma),
                ])
            )
        }
    }

    private func subscriptions(at now: Instant) -> [(id: String, row: JSON)] {
        contracts.rows(at: now).map { agreed in
            (
                agreed.id,
                .fields([
                    "id": .string(agreed.id), "kindergartenId": id(agreed.tenant), "planId": .string(agreed.plan.id),
                    "currency": .string(agreed.currency), "status": .string(agreed.status),
                    "trialEndsAt": .optional(agreed.trialEnds?.exportedByPrisma),
                    "currentPeriodStart": .string(agreed.period.start.startUTC.exportedByPrisma),
                    "currentPeriodEnd": .string(agreed.period.end.startUTC.exportedByPrisma),
                    "cancelAtPeriodEnd": .bool(agreed.endsWithPeriod),
                    "priceOverrideCents": agreed.override.map { .int($0) } ?? .null,
                    "billingInterval": .string(agreed.isAnnual ? "ANNUAL" : "MONTHLY"), "promoCode": .optional(agreed.code),
                ])
            )
        }
    }

    /// A bill counts as a payment from the day on which it is paid.
    private var invoiceFiles: [Export] {
        span.wholeDumps("Invoice") { _, now in
            contracts.invoices.filter { $0.issued < now }.map { bill in
                let paid = bill.paid < now ? bill.paid : nil
                let row = JSON.fields([
                    "id": .string(bill.id), "subscriptionId": .string(bill.subscription), "netCents": .int(bill.net),
                    "vatCents": .int(bill.vat), "totalCents": .int(bill.net + bill.vat), "currency": .string(bill.currency),
                    "processor": .string(bill.processor), "status": .string(paid == nil ? "OPEN" : "PAID"),
                    "paidAt": .optional(paid?.exportedByPrisma),
                ])
                let reading = paid.map { paid in
                    Reading.row(
                        "payments", id: bill.id, at: paid,
                        amounts: [
                            "gross_\(bill.currency)": Money(cents: bill.net + bill.vat),
                            "tax_\(bill.currency)": Money(cents: bill.vat),
                        ])
                }
                return DumpRow(
                    at: bill.issued, row: row, readings: [reading ?? Reading(log: "payments", kind: nil, fate: .filtered)])
            }
        }
    }
}
