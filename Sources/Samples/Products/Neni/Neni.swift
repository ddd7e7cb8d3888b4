import Common

extension SampleProduct {
    /// Software for kindergartens: the tenant is a kindergarten, and costs are wanted for each of its children.
    static let neni = SampleProduct(
        name: "neni",
        make: { order in
            let world = try NeniWorld(order)
            let gateway = world.gatewayLog
            let exports = gateway.files + world.eventTables + world.wholeTables
            return Sample(
                order, world.span, exports, late: gateway.lateFiles,
                logs: ["usage", "sessions", "meters", "charges", "payments", "snapshots"],
                stories: NeniStories(world: world, gateway: gateway, exports: exports).told)
        },
        makeEvents: nil)
}

/// Neni's weeks, before anything is exported.
struct NeniWorld {
    let order: SampleOrder
    let span: SampleSpan
    let tenants: [NeniTenant]
    let days: NeniDays
    let meters: NeniMeters
    let costs: NeniCosts
    let contracts: NeniContracts
    /// Ids for what the exports add, after all others.
    let cuids: Cuids

    init(_ order: SampleOrder) throws {
        self.order = order
        span = try SampleSpan(order, zone: NeniStory.zone)
        var cuids = Cuids(seed: order.seed)
        tenants = NeniTenants.drawn(order, span: span, cuids: &cuids)
        days = NeniDays(order, span: span, tenants: tenants, cuids: cuids)
        meters = NeniMeters(order, days)
        costs = NeniCosts(days, meters)
        contracts = NeniContracts(span: span, tenants: tenants, cuids: costs.cuids)
        self.cuids = contracts.cuids
    }

    func id(_ tenant: Int) -> JSON { .string(tenants[tenant].id) }
    func tenant(_ role: NeniRole) -> Int { tenants.firstIndex { $0.role == role } ?? 0 }
}

extension NeniWorld {
    /// The call log of the gateway to the models, with its faults.
    var gatewayLog: DayFiles<NeniCall> {
        var cuids = cuids
        var faults = NeniStory.faults
        /// A call of its own that the export spoils; it is part of nobody's sums.
        func spoil(_ day: Day, _ reason: String, _ spoiled: (JSON) -> String) {
            guard let like = days.calls.first(where: { $0.ts.dayUTC == day }) else { return }
            let extra = NeniCall(
                id: cuids.next(at: like.ts), ts: like.ts, tenant: like.tenant, staff: like.staff, turn: like.turn,
                step: like.step, prompt: like.prompt, completion: like.completion)
            faults.broken[day] = ExportLine(broken: spoiled(row(extra)), log: "usage", reason: reason)
        }
        spoil(NeniStory.brokenJSON, "bad_json") { String($0.text.dropLast(60)) }
        spoil(NeniStory.brokenTime, "missing_ts") { $0.replacing("ts", with: nil).text }
        return DayFiles("ai_gateway", days.calls, faults) { call in
            DumpRow(
                at: call.ts, row: row(call),
                readings: [
                    .row(
                        "usage", id: call.id, at: call.ts,
                        counts: ["input_tokens": call.prompt, "output_tokens": call.completion])
                ])
        }
    }

    private func row(_ call: NeniCall) -> JSON {
        .fields([
            "id": .string(call.id),
            "ts": .string(call.ts.exportedByPrisma),
            "kindergartenId": id(call.tenant),
            "staffId": .string(call.staff),
            "chatTurnId": .string(call.turn),
            "step": .int(call.step),
            "model": .string(call.model),
            "promptTokens": .int(call.prompt),
            "completionTokens": .int(call.completion),
        ])
    }
}
