import Common

/// Draws the users and communities: who they are, what they pay, where they belong, and which story they are part of.
struct VoyagerPeople {
    private(set) var users: [VoyagerUser] = []
    private(set) var communities: [VoyagerCommunity] = []
    private let span: SampleSpan
    private var random: Random

    /// The first user pays nothing and writes most.
    static let heavy = 0

    init(_ order: SampleOrder, span: SampleSpan, cuids: inout Cuids) {
        self.span = span
        random = Random(seed: order.seed, stream: "voyager people")
        let payers = max(6, order.users * 11 / 200)
        for index in 0..<order.users { users.append(user(index, of: order.users, payers: payers, cuids: &cuids)) }
        for (index, name) in ["Slow Readers", "Lab Notes", "Gartenfreunde", "Yozuvchilar"].enumerated() {
            let moment = (VoyagerArchive.opened(span) - (96 - 4 * index)).startUTC + Int64(30_000 + 7001 * index)
            let owner = users[payers + index + 1].id
            communities.append(
                VoyagerCommunity(id: cuids.next(at: moment), name: name, owner: owner, kept: [(moment, "0.70")]))
        }
        communities[VoyagerStory.sharingCommunity].kept.append((VoyagerStory.shareChange.startUTC, "0.60"))
        for index in users.indices { join(index, of: order.users) }
    }

    private mutating func user(_ index: Int, of count: Int, payers: Int, cuids: inout Cuids) -> VoyagerUser {
        // A third has been there since the archive opened; one in twenty comes while the sample runs.
        let isOld = index <= payers + 4 || index % 3 == 0
        let isNew = !isOld && index % 20 == 7
        let day =
            isOld
            ? VoyagerArchive.opened(span) - random.between(30...80)
            : isNew ? span.first + random.below(span.last - span.first + 1) : span.first - random.between(10...400)
        let language = Language.allCases[random.weighted([70, 14, 9, 7])]
        let created = moment(day)
        let names = ["mira", "owen", "jonas", "lena", "elif", "deniz", "aziza", "timur", "nell", "ada", "emil", "leo"]
        var user = VoyagerUser(
            id: cuids.next(at: created), email: "\(random.pick(names)).\(index)@example.com", language: language,
            created: created,
            eagerness: 500 + random.below(1000))
        switch index {
        case VoyagerPeople.heavy: user.isHeavy = true
        case 1: user.plans = [(moment(span.first - 80), .max)]
        case 2: user.plans = [(moment(VoyagerStory.upgrade), .pro)]
        case 3: user.plans = [(moment(span.first - 40), .pro), (moment(VoyagerStory.cancellation), .free)]
        case ...payers: user.plans = [(moment(span.first - random.between(15...140)), .pro)]
        default: break
        }
        return user
    }

    /// A quarter belongs to no community; the payers are spread so that each community has some.
    private mutating func join(_ index: Int, of count: Int) {
        let home = index < 12 ? [0, 2, 1, 2, 0, 1, 2, 3, 4, 0, 1, 2][index] : random.weighted([60, 45, 30, 15, 50])
        guard home < communities.count else { return }
        let created = users[index].created
        users[index].memberships = [(moment(monday(after: created.dayUTC)), home)]
        // A few move on to another community while the sample runs.
        if index > 20, index % 31 == 0 {
            let moved = moment(monday(after: span.first + random.below(span.last - span.first + 1)))
            if moved > created + 8 * 86_400 { users[index].memberships.append((moved, (home + 1) % communities.count)) }
        }
    }

    /// Communities let people in on Mondays.
    private func monday(after day: Day) -> Day { Week(of: day).monday + 7 }

    /// Some time between eight and eight on a day.
    private mutating func moment(_ day: Day) -> Instant {
        span.moment(day, random.between(8 * 3600...20 * 3600), microsecond: 1000 * random.below(1000))
    }
}
