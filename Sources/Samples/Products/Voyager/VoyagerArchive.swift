import Common

/// The conversations from before the sample's weeks: idle ones, archived ones, and those that still rest or go on.
struct VoyagerArchive {
    let span: SampleSpan
    let users: [VoyagerUser]
    private(set) var conversations: [VoyagerConversation] = []
    /// Where each user may go on.
    private(set) var recent: [[Int]]
    private(set) var archived: [Int] = []
    /// All conversations that the last dump is to hold.
    let planned: Int
    private(set) var cuids: Cuids
    private var random: Random
    private var titles: VoyagerTexts

    /// Before the first message that it holds.
    static func opened(_ span: SampleSpan) -> Day { min(civil(2025, 3, 1), span.first - 480) }

    init(_ order: SampleOrder, span: SampleSpan, users: [VoyagerUser], cuids: Cuids) {
        (self.span, self.users, self.cuids) = (span, users, cuids)
        random = Random(seed: order.seed, stream: "voyager archive")
        titles = VoyagerTexts(seed: order.seed, stream: "voyager titles")
        recent = users.map { _ in [] }
        planned = order.users * 900 / 200
        func scaled(_ count: Int) -> Int { max(2, count * order.users / 200) }
        let last = VoyagerStory.idleSince
        // Most fell silent in 2025, on one of forty days; every fourth within the weeks in which the sample's cut-offs move.
        let quiet = last - 60 - VoyagerArchive.opened(span)
        let days = (0..<40).map { last - ($0 < 10 ? 1 + random.below(45) : 60 + random.below(quiet)) }
        for _ in 0..<scaled(VoyagerStory.qualifying) {
            idle(at: moment(random.pick(days)), views: random.weighted([5, 4, 3, 2, 1]))
        }
        for _ in 0..<scaled(VoyagerStory.lookedAt) { idle(at: moment(random.pick(days)), views: random.between(6...60)) }
        for _ in 0..<scaled(VoyagerStory.eachBoundary) {
            idle(at: last.startUTC, views: random.below(3))
            idle(at: moment(random.pick(days)), views: VoyagerStory.fewViews)
            idle(at: moment(random.pick(days)), views: VoyagerStory.fewViews - 1)
            let viewed = moment(VoyagerStory.viewed)
            conversations[conversations.count - 1].views.append((viewed, VoyagerStory.fewViews + random.below(3)))
        }
        for _ in 0..<scaled(VoyagerStory.archived) { archive() }
        for _ in 0..<(planned * 35 / 100) { rest(goesOn: true) }
    }

    /// Last touched by its one answer, half a year ago or more.
    private mutating func idle(at last: Instant, views: Int) {
        add(created: last + -Int64(random.between(60...7200)), updated: last, views: views)
    }

    /// Whoever archived it, updated it.
    private mutating func archive() {
        let at = moment(span.first - random.between(8...56))
        add(created: at + -Int64(random.between(240...330)) * 86_400, updated: at, views: random.below(4))
        archived.append(conversations.count - 1)
        conversations[conversations.count - 1].archived = at
    }

    /// Had its last message since the middle of May, and before the sample begins.
    mutating func rest(goesOn: Bool = false) {
        let since = max(1, min(130, span.first - VoyagerStory.idleSince - 1))
        let last = moment(span.first - random.between(1...since))
        let created = last + -Int64(random.between(600...20 * 86_400))
        add(created: created, updated: last, views: random.weighted([6, 5, 4, 3, 2, 2, 1, 1, 1]))
        let index = conversations.count - 1
        if random.chance(150) { conversations[index].publicity = [(created, true)] }
        conversations[index].context = random.between(1500...9000)
        if goesOn { recent[conversations[index].user].append(index) }
        if random.chance(25) {
            let deleted = moment(span.first + random.below(span.last - span.first + 1))
            if !goesOn {
                conversations[index].deleted = deleted
                conversations[index].updates.append(deleted)
            }
        }
    }

    private mutating func add(created: Instant, updated: Instant, views: Int) {
        var user = random.below(users.count)
        while users[user].isHeavy || users[user].created + 86_400 > created { user = (user + 1) % users.count }
        let home = users[user].community(at: created)
        conversations.append(
            VoyagerConversation(
                id: cuids.next(at: created), user: user, community: random.chance(800) ? home : nil,
                title: titles.title(users[user].language), created: created, updates: [updated], publicity: [],
                views: [(created, views)]))
    }

    private mutating func moment(_ day: Day) -> Instant {
        span.moment(day, random.between(7 * 3600...22 * 3600), microsecond: 1000 * random.below(1000))
    }
}
