import Common

extension SampleProduct {
    /// Software for kindergartens: the tenant is a kindergarten, and costs are wanted for each of its children.
    static let neni = SampleProduct(
        name: "neni",
        make: { order in
            let world = try NeniWorld(order)
            let gateway = NeniGateway(world)
            let exports = gateway.files.files + world.eventTables + world.wholeTables
            return Sample(
                exports: exports + gateway.files.lateFiles,
                truth: world.truth(of: exports, late: gateway.files.lateFiles, gateway))
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

/// The call log of the gateway to the models, with its faults.
struct NeniGateway {
    let files: DayFiles
    let stories: FaultStories
    /// The calls whose rows the main files hold and an ingest accepts.
    let accepted: [NeniCall]
    let late: [NeniCall]
    let missing: [NeniCall]

    init(_ world: NeniWorld) {
        let calls = world.days.calls
        var cuids = world.cuids
        var broken: [Day: ExportLine] = [:]
        /// A call of its own that the export spoils; it is part of nobody's sums.
        func spoil(_ day: Day, _ reason: String, _ spoiled: (JSON) -> String) {
            guard let like = calls.first(where: { $0.ts.dayUTC == day }) else { return }
            let extra = NeniCall(
                id: cuids.next(at: like.ts), ts: like.ts, tenant: like.tenant, staff: like.staff, turn: like.turn,
                step: like.step,
                prompt: like.prompt, completion: like.completion)
            broken[day] = ExportLine(broken: spoiled(NeniGateway.row(extra, world)), log: "usage", reason: reason)
        }
        spoil(NeniStory.brokenJSON, "bad_json") { String($0.text.dropLast(60)) }
        spoil(NeniStory.brokenTime, "missing_ts") { row in
            JSON.object((row.members ?? []).filter { $0.key != "ts" }).text
        }
        let faults = DayFaults(
            copied: NeniStory.copiedDay, twice: NeniStory.twiceExportedDay, broken: broken, missingHour: NeniStory.missingHour,
            lateDay: NeniStory.lateDay, lateRows: NeniStory.lateRows)
        files = DayFiles(
            "ai_gateway", .lines,
            calls.map { call in
                let row = SampleRow(
                    id: call.id, ts: call.ts, counts: ["input_tokens": call.prompt, "output_tokens": call.completion])
                return DumpRow(
                    at: call.ts, row: NeniGateway.row(call, world), readings: [Reading(log: "usage", kind: nil, fate: .row(row))])
            }, faults)
        stories = FaultStories(name: "ai_gateway", files: files, faults: faults)
        accepted = files.kept.map { calls[$0] }
        late = files.late.map { calls[$0] }
        missing = files.missing.map { calls[$0] }
    }

    private static func row(_ call: NeniCall, _ world: NeniWorld) -> JSON {
        .fields([
            "id": .string(call.id),
            "ts": .string(call.ts.exportedByPrisma),
            "kindergartenId": world.id(call.tenant),
            "staffId": .string(call.staff),
            "chatTurnId": .string(call.turn),
            "step": .int(call.step),
            "model": .string(call.model),
            "promptTokens": .int(call.prompt),
            "completionTokens": .int(call.completion),
        ])
    }
}
