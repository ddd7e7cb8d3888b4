import Common

/// Lets the users live through the weeks: which conversations they begin and go on with, and what is said.
struct VoyagerDiary {
    private(set) var conversations: [VoyagerConversation]
    private(set) var messages: [VoyagerMessage] = []
    private(set) var accesses: [ArchiveAccess] = []
    private let span: SampleSpan
    private let users: [VoyagerUser]
    private var archive: VoyagerArchive
    private var recent: [[Int]]
    private var cuids: Cuids
    private var random: Random
    private var texts: VoyagerTexts
    /// What is owed to Sonnet, in thousandths of an answer: of everybody, and of the heavy user.
    private var owed = [0, 0]

    init(_ order: SampleOrder, archive: VoyagerArchive) {
        self.archive = archive
        (span, users, conversations, recent) = (archive.span, archive.users, archive.conversations, archive.recent)
        cuids = archive.cuids
        random = Random(seed: order.seed, stream: "voyager days")
        texts = VoyagerTexts(seed: order.seed, stream: "voyager texts")
    }

    mutating func live() {
        recallIdle()
        for day in span.days {
            for user in users.indices { live(user, through: day) }
            if day == VoyagerStory.faults.missingHour.dayUTC { chatInMissingHour() }
        }
        openArchived()
        fillUp()
        look()
        plantChanges()
        plantHostileStrings()
    }

    // MARK: - A day

    private mutating func live(_ user: Int, through day: Day) {
        if users[user].isHeavy { return liveHeavily(user, through: day) }
        // Whoever signs up begins once a dump of the users knows them.
        let known = span.dumps.first { $0.startUTC > users[user].created } ?? span.last + 1
        guard users[user].created < span.first.startUTC || day >= known else { return }
        let paying = users[user].plan(at: day.startUTC) != .free
        let usual = (paying ? 260 : 70) * users[user].eagerness / 1000 * (day.weekday > 5 ? 85 : 106) / 100
        guard random.chance(usual) else { return }
        let at = moment(day, random.between(6 * 3600...22 * 3600))
        chat(user, at: at, exchanges: 1 + random.weighted([2, 4, 4, 2, 1]))
    }

    /// Nine answers a day, each from far behind, so that nothing is left in the cache.
    private mutating func liveHeavily(_ user: Int, through day: Day) {
        if recent[user].isEmpty || (day.weekday == 1 && day > span.first) {
            begin(user, at: moment(day, 5 * 3600))
        }
        for hour in [7, 13, 19] { chat(user, at: moment(day, hour * 3600 + random.below(3600)), exchanges: 3, minutes: 8...20) }
    }

    /// Some chat in the hour whose answers are lost.
    private mutating func chatInMissingHour() {
        let some = users.indices.filter { users[$0].plan(at: VoyagerStory.faults.missingHour) == .free && !users[$0].isHeavy }
            .prefix(5)
        for (index, user) in some.enumerated() where users[user].created < span.first.startUTC {
            chat(user, at: VoyagerStory.faults.missingHour + Int64(240 + 500 * index), exchanges: 3)
        }
    }

    private mutating func begin(_ user: Int, at moment: Instant) {
        let home = users[user].community(at: moment)
        var conversation = VoyagerConversation(
            id: cuids.next(at: moment), user: user, community: random.chance(800) ? home : nil,
            title: texts.title(users[user].language), created: moment, updates: [], publicity: [], views: [(moment, 0)])
        if random.chance(160) { conversation.publicity = [(moment, true)] }
        if conversation.community != nil, !users[user].isHeavy, random.chance(110) { conversation.space = cuids.next(at: moment) }
        conversation.context = random.between(700...2500)
        recent[user].append(conversations.count)
        conversations.append(conversation)
    }

    private mutating func chat(_ user: Int, at start: Instant, exchanges: Int, minutes: ClosedRange<Int> = 0...3) {
        let heavy = users[user].isHeavy
        let begins = recent[user].isEmpty || (!heavy && random.chance(330))
        if begins { begin(user, at: start + -120) }
        let index = begins || heavy ? recent[user][recent[user].count - 1] : random.pick(recent[user])
        let isSonnet = isSonnet(exchanges, heavy: heavy, at: start)
        // Long conversations are sent to Sonnet, but the longest to Haiku.
        var context = conversations[index].context + 5200
        if heavy { context = isSonnet ? random.between(56_000...68_000) : random.between(122_000...160_000) }
        if !heavy, isSonnet { context += random.between(20_000...38_000) }
        if conversations[index].space != nil { poll(in: index, by: user, before: start) }
        var now = start
        var cached = 0
        for _ in 0..<exchanges {
            context += random.around(90)
            var question = message(index, user, .user, at: now)
            if random.chance(12) { forget(&question) }
            messages.append(question)
            let output = random.around(heavy ? 420 : 360)
            now = now.after(milliseconds: 900 + output * 9 + random.below(700))
            var answer = message(index, user, .assistant, at: now)
            answer.call = VoyagerCall(context: context, cached: cached, output: output, isSonnet: isSonnet)
            if random.chance(8) { forget(&answer) }
            messages.append(answer)
            conversations[index].updates.append(now)
            // Within five minutes the next answer finds in the cache what this one has read.
            cached = heavy ? 0 : context
            context += output
            conversations[index].context = min(14_000, conversations[index].context + output / 3)
            now = now.after(milliseconds: random.between(20_000...55_000) + 60_000 * random.between(minutes))
        }
    }

    /// Whether the share of answers that is Sonnet's still lacks these.
    private mutating func isSonnet(_ exchanges: Int, heavy: Bool, at moment: Instant) -> Bool {
        let side = heavy ? 1 : 0
        owed[side] += exchanges * VoyagerStory.sonnetShare * (moment >= VoyagerStory.sonnetDoubles.startUTC ? 2 : 1)
        guard owed[side] >= exchanges * 500 else { return false }
        owed[side] -= exchanges * 1000
        return true
    }

    /// A group space asks every five seconds whether somebody has written; the product stores that like a message.
    private mutating func poll(in index: Int, by user: Int, before start: Instant) {
        for step in 1...random.between(2...6) {
            var poll = message(index, user, .user, at: start + -Int64(5 * step))
            (poll.content, poll.isPoll) = ("", true)
            messages.append(poll)
        }
    }

    private mutating func message(_ index: Int, _ user: Int, _ role: VoyagerMessage.Role, at moment: Instant) -> VoyagerMessage {
        let language = users[user].language
        return VoyagerMessage(
            id: cuids.next(at: moment), conversation: index, user: user, role: role,
            content: role == .user ? texts.question(language) : texts.answer(language), created: moment)
    }

    /// Taken back within the same day, so that every dump that holds the row holds it so.
    private mutating func forget(_ message: inout VoyagerMessage) {
        let deleted = message.created.after(milliseconds: random.between(5_000...900_000))
        if deleted.dayUTC == message.created.dayUTC { message.deleted = deleted }
    }

    private mutating func moment(_ day: Day, _ second: Int) -> Instant {
        span.moment(day, second, microsecond: 1000 * random.below(1000))
    }

    // MARK: - Before and beside the days

    /// The idle conversations have one exchange each, from before tokens were recorded. What is archived has left the table.
    private mutating func recallIdle() {
        for index in conversations.indices where conversations[index].archived == nil {
            guard let last = conversations[index].updates.last, last <= VoyagerStory.idleSince.startUTC else { continue }
            let user = conversations[index].user
            messages.append(message(index, user, .user, at: last.after(milliseconds: -random.between(2_000...9_000))))
            messages.append(message(index, user, .assistant, at: last))
        }
    }

    /// Two archived conversations are wanted again and again.
    private mutating func openArchived() {
        let length = span.last - span.first + 1
        for (place, index) in archive.archived.enumerated() {
            let times = place < 2 ? VoyagerStory.openings : random.weighted([5, 3, 2, 1])
            for _ in 0..<times {
                accesses.append(
                    ArchiveAccess(conversation: index, at: moment(span.first + random.below(length), random.below(86_000))))
            }
        }
        accesses.sort { ($0.at, $0.conversation) < ($1.at, $1.conversation) }
    }

    /// Conversations that rest fill the table up to its planned size.
    private mutating func fillUp() {
        let first = archive.conversations.count
        for _ in 0..<max(0, archive.planned - conversations.count) { archive.rest() }
        conversations += archive.conversations[first...]
    }

    /// Views of what is not idle grow from week to week.
    private mutating func look() {
        for index in conversations.indices
        where conversations[index].updated(at: span.last.startUTC) > VoyagerStory.idleSince.startUTC {
            guard conversations[index].archived == nil else { continue }
            for week in span.weeks where random.chance(120) {
                let at = moment(week.monday + random.below(7), random.below(86_000))
                guard at > conversations[index].created, let before = conversations[index].views.last?.count else { continue }
                conversations[index].views.append((at, before + random.between(1...4)))
            }
        }
    }

    // MARK: - Stories

    /// One public conversation becomes private, another is deleted, both a week after they were talked in.
    private mutating func plantChanges() {
        let week = Week(of: VoyagerStory.madePrivate.dayUTC) - 1
        guard span.weeks.contains(week) else { return }
        let active = Set(messages.filter { Week(of: $0.created.dayUTC) == week && !users[$0.user].isHeavy }.map(\.conversation))
            .sorted()
        guard
            let deleted = active.last(where: { (conversations[$0].updates.last ?? VoyagerStory.deleted) < VoyagerStory.deleted }),
            let madePrivate = active.last(where: { $0 != deleted })
        else { return }
        conversations[deleted].publicity = [(conversations[deleted].created, true)]
        conversations[deleted].deleted = VoyagerStory.deleted
        conversations[deleted].updates.append(VoyagerStory.deleted)
        conversations[madePrivate].publicity = [
            (conversations[madePrivate].created, true), (VoyagerStory.madePrivate, false),
        ]
        conversations[madePrivate].updates = (conversations[madePrivate].updates + [VoyagerStory.madePrivate]).sorted()
    }

    private mutating func plantHostileStrings() {
        let asked = messages.indices.filter { index in
            let message = messages[index]
            return message.created.dayUTC == VoyagerStory.hostile && message.role == .user && !message.isPoll
                && message.deleted == nil && conversations[message.conversation].publicity.count < 2
                && !users[message.user].isHeavy
        }
        guard let first = asked.first, let last = asked.last else { return }
        messages[first].content += " " + VoyagerHostile.text
        let (one, other) = (messages[first].conversation, messages[last].conversation)
        conversations[one].title = VoyagerHostile.title
        conversations[one].publicity = [(conversations[one].created, true)]
        if other != one { conversations[other].title = VoyagerHostile.formula }
    }
}
