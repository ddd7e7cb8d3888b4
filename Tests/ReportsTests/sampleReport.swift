import Common
import Economics

@testable import Reports

/// A week of Kalei as an owner gets it: seven features, three plans, one run of Spectrum insights. The figures are made up.
func sampleReport() throws -> Report {
    let days = Period(try known(Week("2026-W46")))
    var sections = [
        Section(id: "tiles", title: "The week in figures", body: .tiles(try sampleTiles())),
        Section(
            id: "spend-by-day", title: "Spend by day and feature",
            notes: [
                "Computed from the usage log with the price book of 1 November; days are cut in Europe/Berlin.",
                "spectrum_weekly holds two calls by members on Prism, whom their plan does not entitle.",
            ],
            body: .stackedDays(try sampleDays(days.days))),
        Section(
            id: "cost-by-plan", title: "Cost by plan",
            notes: [
                "A member who changed plan during the week counts in both, so the plans’ members do not add up to the total."
            ],
            body: .table(try samplePlans())),
        Section(id: "cost-per-event", title: "Cost per event, measured against the model", body: .table(try sampleEvents())),
    ]
    sections.append(
        Section(
            id: "spectrum-run", title: "Spectrum run",
            notes: [
                "Answered by the built-in template: nothing was spent. The bulk file would have cost 0.0765 USD at half price."
            ],
            body: .funnel(sampleFunnel())))
    sections.append(
        Section(
            id: "one-spectrum", title: "One Spectrum, shown whole", notes: ["A synthetic member; the text is the template’s."],
            body: .sample(sampleSpectrum())))
    sections.append(
        Section(
            id: "patterns", title: "Patterns across members",
            body: .missing("No group has ten members with a pattern this week, and smaller groups are not shown.")))
    sections.append(
        Section(
            id: "reconciliation", title: "Reconciliation",
            body: .missing("No invoice of November 2026 has been exported. A file invoices-2026-11*.csv would fill this section.")
        ))
    sections.append(Section(id: "data-quality", title: "Data quality", body: .facts(sampleCounts())))
    sections.append(Section(id: "provenance", title: "Provenance", body: .facts(sampleProvenance())))
    return Report(
        job: "kalei", period: days, zone: "Europe/Berlin", currency: "USD", provisional: false, revision: 1,
        verdict:
            "Model spend was at least 3.32 USD, 5.2 % above the week before; the month stands at 46 % of its cap, all 9 Spectrum "
            + "insights were delivered, and no decision is waiting.",
        sections: sections)
}

struct NotKnown: Error {}

/// A literal that a test relies on.
func known<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw NotKnown() }
    return value
}

func costing(_ low: String, _ high: String? = nil, unpriced: Int = 0, tokens: Int64 = 0) throws -> Cost {
    var cost = Cost()
    cost.low = try known(Money(low))
    cost.high = try high.map { try known(Money($0)) } ?? cost.low
    (cost.unpricedRequests, cost.unpricedTokens) = (unpriced, tokens)
    return cost
}

private func money(_ text: String) throws -> Money { try known(Money(text)) }
private func share(_ text: String) throws -> ExactDecimal { try known(ExactDecimal(text)) }

private func sampleTiles() throws -> [Tile] {
    [
        Tile(
            label: "Model spend", value: .cost(try costing("3.316549", unpriced: 3, tokens: 4_212)),
            before: .cost(try costing("3.152609")), usual: .cost(try costing("3.0180465"))),
        Tile(
            label: "Month to date against the cap of 15", value: .share(try share("0.4612")), before: .share(try share("0.2265")),
            usual: .share(try share("0.6108"))),
        Tile(
            label: "Forecast to month end", value: .cost(try costing("13.42108", "14.8872")),
            before: .cost(try costing("14.201533"))),
        Tile(
            label: "Cost per active member, month", value: .money(try money("0.27114")), before: .money(try money("0.2689")),
            usual: .money(try money("0.2541"))),
        Tile(label: "Spectrum delivered of 12 entitled", value: .count(9), before: .count(9), usual: .count(10)),
        Tile(label: "Saved by batch", value: .unknown("The template answered: there is no batch price to compare with.")),
    ]
}

/// In millionths of a dollar, by feature and day.
private let spentByFeature: [(String, [Int])] = [
    ("kaleidoscope_turn", [182_410, 171_904, 214_377, 198_266, 160_925, 143_518, 152_730]),
    ("mirror_fragments", [121_350, 133_782, 126_441, 140_915, 108_267, 91_204, 97_338]),
    ("mirror_reframe", [84_216, 92_547, 88_310, 95_122, 73_409, 60_885, 66_172]),
    ("mirror_reflection", [61_934, 66_120, 64_405, 70_238, 55_716, 47_059, 49_383]),
    ("lens_affirmation", [28_116, 27_448, 29_305, 28_790, 26_637, 25_912, 26_205]),
    ("crisis_check", [13_022, 14_190, 13_657, 15_208, 11_744, 9_836, 10_451]),
    ("spectrum_weekly", [0, 17_085, 0, 0, 0, 0, 0]),
]

private func sampleDays(_ days: [Day]) throws -> StackedDays {
    StackedDays(
        days: days,
        series: try spentByFeature.map { name, spent in
            var costs = try spent.map { try costing("\($0)e-6") }
            if name == "mirror_reframe" { (costs[3].unpricedRequests, costs[3].unpricedTokens) = (3, 4_212) }
            return (name, costs)
        })
}

private func samplePlans() throws -> ReportTable {
    ReportTable(
        columns: ["Plan", "Members", "Requests", "Cost", "Cost per member", "Price a week", "Share of cost"],
        rows: [
            [
                .text("free"), .count(31), .count(1_204), .cost(try costing("1.103482", unpriced: 3, tokens: 4_212)),
                .cost(try costing("0.035596193548", unpriced: 3, tokens: 4_212)), .unknown("Free has no price."),
                .share(try share("0.3327")),
            ],
            [
                .text("prism"), .count(11), .count(987), .cost(try costing("1.031904")), .cost(try costing("0.093809454545")),
                .money(try money("1.1475")), .share(try share("0.3111")),
            ],
            [
                .text("prism_plus"), .count(12), .count(1_116), .cost(try costing("1.181163")), .cost(try costing("0.09843025")),
                .money(try money("2.2975")), .share(try share("0.3561")),
            ],
        ],
        totals: [
            .text("All plans"), .count(53), .count(3_307), .cost(try costing("3.316549", unpriced: 3, tokens: 4_212)),
            .cost(try costing("0.062576396226", unpriced: 3, tokens: 4_212)),
            .unknown("Prices of different plans do not add up."),
            .share(try share("1")),
        ])
}

private func sampleEvents() throws -> ReportTable {
    func row(_ name: String, _ count: Int, _ measured: String, _ model: String, _ ratio: String) throws -> [Figure] {
        [.text(name), .count(count), .money(try money(measured)), .money(try money(model)), .share(try share(ratio))]
    }
    return ReportTable(
        columns: ["Event", "Events", "Measured", "Model", "Measured of model"],
        rows: [
            try row("Kaleidoscope turn", 469, "0.002610085288", "0.00261", "1.00003268"),
            try row("Mirror session", 218, "0.00643818", "0.00623", "1.0334"),
            try row("Lens affirmation", 262, "0.000734400763", "0.00074", "0.992433"),
            [
                .text("Spectrum, in batch"), .count(0), .unknown("No Spectrum was asked of a model this week."),
                .money(try money("0.0085")),
                .unknown("No Spectrum was asked of a model this week."),
            ],
        ])
}

private func sampleFunnel() -> [FunnelStep] {
    [
        FunnelStep(name: "Entitled", count: 12),
        FunnelStep(name: "With consent", count: 11, lost: [.init("no consent to insights", 1)]),
        FunnelStep(name: "Active enough", count: 10, lost: [.init("fewer than 3 sessions in the week", 1)]),
        FunnelStep(name: "Not in crisis", count: 9, lost: [.init("crisis flag: the supportive template was given instead", 1)]),
        FunnelStep(name: "Sent", count: 9),
        FunnelStep(name: "Answered", count: 9),
        FunnelStep(name: "Valid", count: 9),
    ]
}

private func sampleSpectrum() -> [JSON.Member] {
    func pattern(_ name: String, _ times: Int, _ change: String) -> JSON {
        .fields(["pattern": .string(name), "times": .int(times), "against_four_weeks": .string(change)])
    }
    return [
        .init(
            "week_in_a_sentence",
            .string("A full week in which evenings were heavier than mornings, and one worry came back less often.")),
        .init(
            "strongest_patterns",
            .array([
                pattern("all-or-nothing thinking", 6, "two more than usual"), pattern("mind reading", 4, "as usual"),
                pattern("catastrophising", 2, "three fewer than usual"),
            ])),
        .init("times_of_day", .array([.string("Mostly between 20:00 and 23:00"), .string("Sunday afternoon, once")])),
        .init("reframe_that_landed", .string("Compassionate: chosen in five of seven turns.")),
        .init("streak_days", .int(5)),
        .init("gentle_focus", .string("When a day feels lost, name one small thing that went as it should.")),
        .init("written_by_hand", .bool(false)),
        .init("growth_line", .null),
    ]
}

private func sampleCounts() -> [(label: String, value: String)] {
    [
        ("Records read", "9,412"), ("Accepted", "8,155"), ("Duplicate", "1,249"), ("Out of range", "1"), ("Quarantined", "7"),
        ("Filtered", "0"), ("Strings seen and kept harmless", "<script>alert(1)</script> and =HYPERLINK(\"x\") and a\u{202e}b"),
    ]
}

private func sampleProvenance() -> [(label: String, value: String)] {
    [
        ("Price book", "kalei, known since 1 November 2026"), ("Job digest", "2b1f6c0de9a47713"),
        ("Inputs", "23 files, the last from 16 November 2026, 00:10 UTC"),
    ]
}
