import Common

/// When Neni's planted stories happen. A story is told where its day lies within the sample's weeks.
enum NeniStory {
    /// The product cuts its days here; its kindergartens live five hours ahead.
    static let zone = "UTC"
    /// A kindergarten opens its account on this day, on trial for thirty days.
    static let trialStarts = civil(2026, 10, 5)
    static let trialDays = 30
    /// At midnight of this day the two branches have more than 249 children for the first time.
    static let bandChange = civil(2026, 11, 2)
    static let paused = civil(2026, 10, 19)
    static let cancellation = civil(2026, 10, 20)
    /// The day on which the leaving kindergarten takes its data along; its last paid day is the sample's last.
    static let departure = civil(2026, 11, 12)
    static let departed = civil(2026, 11, 16)
    /// The year's bill is not paid at once.
    static let pastDue = civil(2026, 11, 4)
    static let paidAtLast = civil(2026, 11, 11)
    /// At this midnight the counting of children and bytes did not run.
    static let missingMidnight = civil(2026, 10, 28)
    static let refusedMetric = civil(2026, 11, 3)
    static let refusedName = "SMS_SENT"

    /// Of a hundred decided face suggestions, so many are rejected.
    static func rejected(_ role: NeniRole) -> Int { role == .billedInUZS ? 38 : 9 }
    /// Of a hundred media files, so many have no size.
    static let withoutSize = 6

    static let faults = DayFaults(
        copied: civil(2026, 10, 14), twice: civil(2026, 10, 22), missingHour: civil(2026, 11, 4, hour: 6),
        lateDay: civil(2026, 11, 5), lateRows: 30)

    static let unknownModel = "gpt-4o-nano-preview"
    static let unknownModelRows = 6
    static let unknownModelFrom = civil(2026, 11, 12, hour: 7)

    static let brokenJSON = civil(2026, 10, 8)
    static let brokenTime = civil(2026, 11, 12)
    static let raggedDump = civil(2026, 10, 26)

    static let hostilePlan = "Growth <script>alert(1)</script>"
    static let hostileCode = "=HYPERLINK(\"http://x\")"
    static let hostileQueue = "notifications\u{1b}[31m"
    static let hostileJob = civil(2026, 11, 10)
}

/// Which of the seven kindergartens one is; each has a story.
enum NeniRole: CaseIterable {
    case trial, leaving, billedInUZS, growing, heavyChat, custom, paused

    /// How a kindergarten of the sample's usual size lives.
    var habits: NeniHabits {
        switch self {
        case .trial:
            NeniHabits(children: 41, fee: 160_000_000, photos: 340, kilobytes: 1130, views: 46, turns: 2, faces: 4, speech: 0)
        case .leaving:
            NeniHabits(children: 88, fee: 180_000_000, photos: 310, kilobytes: 980, views: 40, turns: 3, faces: 3, speech: 0)
        case .billedInUZS:
            NeniHabits(children: 163, fee: 220_000_000, photos: 450, kilobytes: 1050, views: 52, turns: 4, faces: 9, speech: 14)
        case .growing:
            NeniHabits(children: 231, fee: 150_000_000, photos: 420, kilobytes: 1010, views: 48, turns: 5, faces: 6, speech: 0)
        case .heavyChat:
            NeniHabits(children: 340, fee: 240_000_000, photos: 510, kilobytes: 1090, views: 55, turns: 21, faces: 7, speech: 55)
        case .custom:
            NeniHabits(children: 812, fee: 300_000_000, photos: 380, kilobytes: 1060, views: 50, turns: 8, faces: 10, speech: 90)
        case .paused:
            NeniHabits(children: 57, fee: 170_000_000, photos: 260, kilobytes: 900, views: 35, turns: 2, faces: 2, speech: 0)
        }
    }
}

/// What a kindergarten does on a usual working day.
struct NeniHabits {
    let children: Int
    /// What parents pay each month, in hundredths of a sum.
    let fee: Int
    /// For a hundred children.
    let photos: Int
    let kilobytes: Int
    /// How often a photo is looked at, in tenths.
    let views: Int
    /// Conversations with the assistant.
    let turns: Int
    /// Face suggestions asked for.
    let faces: Int
    /// Minutes of speech.
    let speech: Int
}

/// The plans as the database was set up with them, so that their ids are the same everywhere.
struct NeniPlan {
    let code: String
    let id: String
    let name: String
    let children: (min: Int, max: Int?)
    /// The middle of the list price's range, in cents.
    let fee: Int
    var archived: Instant?

    static let all = [
        NeniPlan(code: "starter", id: "cmb1x0q7k0000pl4n8w2v5h3d", name: "Starter", children: (0, 49), fee: 6900),
        NeniPlan(code: "growth", id: "cmb1x0q7k0001pl4n8w2v5h3d", name: "Growth", children: (50, 99), fee: 15900),
        NeniPlan(code: "scale", id: "cmb1x0q7k0002pl4n8w2v5h3d", name: "Scale", children: (100, 199), fee: 28400),
        NeniPlan(code: "pro", id: "cmb1x0q7k0003pl4n8w2v5h3d", name: "Pro", children: (200, 249), fee: 39900),
        NeniPlan(code: "chain", id: "cmb1x0q7k0004pl4n8w2v5h3d", name: "Chain", children: (250, 499), fee: 66400),
        NeniPlan(code: "network", id: "cmb1x0q7k0005pl4n8w2v5h3d", name: "Network", children: (500, 799), fee: 102_400),
        NeniPlan(code: "custom", id: "cmb1x0q7k0006pl4n8w2v5h3d", name: "Custom", children: (800, nil), fee: 0),
        NeniPlan(
            code: "growth-2025", id: "cmb1x0q7k0007pl4n8w2v5h3d", name: NeniStory.hostilePlan, children: (50, 99), fee: 14900,
            archived: civil(2026, 1, 1).startUTC),
    ]

    /// The public plan in whose band a number of children lies.
    static func band(_ count: Int) -> NeniPlan? {
        all.first { plan in plan.archived == nil && count >= plan.children.min && plan.children.max.map { count <= $0 } ?? true }
    }
}
