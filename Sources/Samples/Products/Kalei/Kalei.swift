import Common

extension SampleProduct {
    /// A mental-wellness app: Mirror, Kaleidoscope, Lens, and a weekly Spectrum for those who pay most.
    static let kalei = SampleProduct(
        name: "kalei",
        make: { order in
            let world = try KaleiWorld(order)
            let log = world.usageLog
            let exports = log.files + world.tableFiles
            return Sample(
                order, world.span, exports, late: log.lateFiles,
                logs: ["usage", "sessions", "texts", "snapshots", "meters", "invoices"],
                stories: KaleiStories(world, log, exports).told)
        },
        makeEvents: makeKaleiEvents)
}

/// Kalei's weeks, before anything is exported.
struct KaleiWorld {
    let order: SampleOrder
    let span: SampleSpan
    let members: [KaleiMember]
    let diary: KaleiDiary
    let meter: KaleiMeter
    /// Ids for what the exports add, after all others.
    let identifiers: Identifiers

    init(_ order: SampleOrder) throws {
        self.order = order
        span = try SampleSpan(order, zone: KaleiStory.zone)
        var identifiers = Identifiers(seed: order.seed)
        members = KaleiPeople.drawn(order, span: span, identifiers: &identifiers)
        diary = KaleiDiary(order, span: span, members: members, identifiers: identifiers)
        meter = KaleiMeter(diary, users: order.users)
        self.identifiers = diary.identifiers
    }
}
