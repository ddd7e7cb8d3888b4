import Common

/// A kindergarten, with everything about it that changes over time.
struct NeniTenant {
    let role: NeniRole
    let id: String
    let created: Instant
    let branches: [String]
    let staff: [String]
    var children: [NeniChild] = []

    /// Counted at a moment, over all branches.
    func active(at moment: Instant) -> Int { children.count { $0.isActive(at: moment) } }
    var parents: Int { children.reduce(0) { $0 + $1.links.count } }

    /// Whether anybody works with the product on a day.
    func works(on day: Day) -> Bool {
        created < day.startUTC + 86_400 && day.weekday <= 5 && (role != .paused || day < NeniStory.paused)
    }
}

struct NeniChild {
    let id: String
    let joined: Instant
    var left: Instant?
    /// The branch, and the one before a move.
    var branch: Int
    var moved: (from: Int, at: Instant)?
    var links: [NeniLink] = []

    func isActive(at moment: Instant) -> Bool { joined <= moment && left.map { moment < $0 } ?? true }
    func branch(at moment: Instant) -> Int { moved.map { moment < $0.at ? $0.from : branch } ?? branch }
}

/// A parent of a child; a parent is known by an id alone.
struct NeniLink {
    let id: String
    let parent: String
    let created: Instant
}

/// Draws the seven kindergartens, their children and parents.
struct NeniTenants {
    private let order: SampleOrder
    private let span: SampleSpan
    private var random: Random
    private var cuids: Cuids

    static func drawn(_ order: SampleOrder, span: SampleSpan, cuids: inout Cuids) -> [NeniTenant] {
        var draw = NeniTenants(order: order, span: span, random: Random(seed: order.seed, stream: "neni tenants"), cuids: cuids)
        defer { cuids = draw.cuids }
        return NeniRole.allCases.map { draw.tenant($0) }
    }

    private func scaled(_ count: Int) -> Int { max(3, count * order.users / 200) }

    private mutating func tenant(_ role: NeniRole) -> NeniTenant {
        let created: Instant
        switch role {
        case .trial: created = NeniStory.trialStart(in: span).startUTC + Int64(random.between(4 * 3600...5 * 3600))
        default: created = (span.first - random.between(220...700)).startUTC + Int64(random.between(4 * 3600...12 * 3600))
        }
        let id = cuids.next(at: created)
        let branches = (0..<(role == .growing ? 2 : 1)).map { _ in cuids.next(at: created + 60) }
        let staff = (0..<max(2, role.habits.children / 30)).map { _ in cuids.next(at: created + 120) }
        var tenant = NeniTenant(role: role, id: id, created: created, branches: branches, staff: staff)
        // A group is brought in as a whole, by a list of its names.
        for index in 0..<scaled(role.habits.children) { add(to: &tenant, joined: created + 600, number: index) }
        switch role {
        case .growing: grow(&tenant)
        case .heavyChat, .custom: replaceSome(&tenant)
        default: break
        }
        // Some had left long before, and still occupy storage.
        for index in 0..<(tenant.children.count / 25) where role != .trial {
            add(to: &tenant, joined: created + 600, number: index)
            tenant.children[tenant.children.count - 1].left = (span.first - random.between(10...150)).startUTC + 36_000
        }
        return tenant
    }

    private mutating func add(to tenant: inout NeniTenant, joined: Instant, number: Int) {
        let id = cuids.next(at: joined)
        var child = NeniChild(id: id, joined: joined, branch: number % tenant.branches.count)
        for _ in 0..<(1 + random.weighted([31, 59, 10])) {
            let linked = tenant.role == .trial ? joined + Int64(random.between(3600...6 * 86_400)) : joined + 900
            child.links.append(NeniLink(id: cuids.next(at: linked), parent: cuids.next(at: linked), created: linked))
        }
        tenant.children.append(child)
    }

    /// One child joins on every second day; then a whole group begins at midnight by the clock in Tashkent.
    private mutating func grow(_ tenant: inout NeniTenant) {
        guard span.contains(NeniStory.bandChange) else { return }
        let singles = scaled(16)
        let days = max(1, NeniStory.bandChange - span.first - 1)
        for index in 0..<singles {
            let day = span.first + days * index / singles
            add(to: &tenant, joined: day.startUTC + Int64(random.between(4 * 3600...9 * 3600)), number: index)
        }
        for index in 0..<scaled(5) { add(to: &tenant, joined: (NeniStory.bandChange - 1).startUTC + 19 * 3600, number: index) }
        for index in 0..<scaled(6) where NeniStory.bandChange + index + 1 <= span.last {
            add(to: &tenant, joined: (NeniStory.bandChange + index + 1).startUTC + 5 * 3600, number: index)
        }
        // A move from one branch to the other must not make two children of one.
        for index in [3, 8] where index < tenant.children.count {
            let from = tenant.children[index].branch
            tenant.children[index].branch = 1 - from
            tenant.children[index].moved = (from, (span.first + 17).startUTC + 28_800)
        }
    }

    /// Every week one child leaves and another takes its place.
    private mutating func replaceSome(_ tenant: inout NeniTenant) {
        for (index, week) in span.weeks.enumerated() where index < tenant.children.count {
            let moment = (week.monday + 2).startUTC + 32_400
            tenant.children[index].left = moment
            add(to: &tenant, joined: moment, number: index)
        }
    }
}

extension NeniStory {
    /// In weeks that lack the planned day the trial begins with the sample.
    static func trialStart(in span: SampleSpan) -> Day { span.contains(trialStarts) ? trialStarts : span.first }
}
