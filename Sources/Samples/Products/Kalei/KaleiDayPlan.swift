import Common

/// How much a member means to do on one day: drawn by plan, or prescribed by a story.
struct KaleiDayPlan {
    var turns = 0
    var mirrors = 0
    var lens = false
    var crisis = false
    /// Seconds after local midnight, where a story prescribes them.
    var start: Int?
    var isRunaway = false
    private(set) var isPlanted = false

    init(_ member: KaleiMember, on day: Day, span: SampleSpan, random: inout Random) {
        draw(member, on: day, span: span, random: &random)
        if let planted = KaleiDayPlan(story: member.role, on: day) { self = planted }
    }

    private mutating func draw(_ member: KaleiMember, on day: Day, span: SampleSpan, random: inout Random) {
        let plan = member.plan(at: span.moment(day, 0))
        let usual =
            switch plan {
            case .free: 245
            case .prism: 450
            case .prismPlus: 480
            }
        guard random.chance(usual * member.eagerness / 1000 * (day.weekday > 5 ? 90 : 104) / 100) else { return }
        let free = member.isFree(within: span.moment(day, 0)..<span.moment(day + 1, 0))
        turns = free ? random.weighted([40, 19, 23, 18]) : random.weighted([38, 16, 20, 14, 8, 4])
        mirrors = random.chance(free ? 270 : 360) ? 1 : 0
        lens = random.chance(free ? 540 : 500) && !member.goals.isEmpty
        if turns == 0 && mirrors == 0 && !lens { turns = 1 }
    }

    /// nil where no story says anything about this member's day.
    private init?(story role: KaleiRole?, on day: Day) {
        let inFunnelWeek = Week(of: day) == KaleiStory.funnelWeek
        switch role {
        case .runaway where day == KaleiStory.runaway:
            (turns, start, isRunaway) = (KaleiStory.runawayTurns, 7 * 3600, true)
        case .manyTurns(day, let count):
            (turns, start) = (count, 13 * 3600)
        case .manyMirrors where inFunnelWeek:
            mirrors = [1, 3, 5, 6].contains(day.weekday) ? 1 : 0
        case .inMissingHour where day == KaleiStory.faults.missingHour.dayUTC:
            (mirrors, turns, start) = (1, 2, 15 * 3600 + 300)
        case .quiet where inFunnelWeek:
            (turns, lens) = (day.weekday == 2 ? 1 : 0, day.weekday == 4)
        case .crisis where day == KaleiStory.crisis:
            (mirrors, crisis) = (1, true)
        case .sent where inFunnelWeek && day.weekday == 2, .noConsent where inFunnelWeek && day.weekday == 2,
            .crisis where inFunnelWeek && day.weekday == 2:
            (mirrors, turns, lens) = (1, 2, true)
        default:
            return nil
        }
        isPlanted = true
    }
}
