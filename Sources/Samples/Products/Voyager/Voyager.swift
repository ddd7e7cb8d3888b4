import Common

extension SampleProduct {
    /// An archive of conversations with language models, kept by communities that share in the revenue.
    static let voyager = SampleProduct(
        name: "voyager",
        make: { order in
            let world = try VoyagerWorld(order)
            let files = world.messageFiles
            let exports = files.files + world.tableFiles + world.ledgerFiles
            return Sample(
                order, world.span, exports, late: files.lateFiles,
                logs: ["usage", "sessions", "texts", "snapshots", "meters", "payments", "invoices"],
                stories: VoyagerStories(world, files).told)
        },
        makeEvents: nil)
}

/// Voyager's weeks, before anything is exported.
struct VoyagerWorld {
    let order: SampleOrder
    let span: SampleSpan
    let users: [VoyagerUser]
    let communities: [VoyagerCommunity]
    let conversations: [VoyagerConversation]
    let accesses: [ArchiveAccess]
    /// In the order of time.
    private(set) var messages: [VoyagerMessage]

    init(_ order: SampleOrder) throws {
        self.order = order
        span = try SampleSpan(order, zone: VoyagerStory.zone)
        var cuids = Cuids(seed: order.seed)
        let people = VoyagerPeople(order, span: span, cuids: &cuids)
        (users, communities) = (people.users, people.communities)
        let archive = VoyagerArchive(order, span: span, users: users, cuids: cuids)
        var diary = VoyagerDiary(order, archive: archive)
        diary.live()
        (conversations, accesses) = (diary.conversations, diary.accesses)
        messages = diary.messages.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        messages = settled(messages, sonnetFactor: 1000)
        // What comes late or never does not depend on tokens, so the first export tells which answers October and November hold.
        messages = settled(messages, sonnetFactor: sonnetFactor(messageFiles.kept))
    }
}
