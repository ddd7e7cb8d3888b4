import Common

/// When TalentPrompt's planted stories happen. A story is told where its day lies within the sample's weeks.
enum TalentStory {
    static let zone = "UTC"
    /// The main vendor is out in the morning; then requests of no known class go to the dearest model.
    static let outage = civil(2026, 11, 3)
    static let outageHours = 9..<11
    static let outageSpend = Money(units: 21_400_000_000_000)
    /// AI costs 2.3 times the mean of the four weeks before, and still less than twenty dollars.
    static let spike = civil(2026, 11, 5)
    static let spikeTenths = 23
    static let spikeWindow = 28
    /// An experiment brings the day to twenty dollars and no further.
    static let exactDay = civil(2026, 11, 11)
    static let exactSpend = Money(units: 20_000_000_000_000)
    static let limit = Money(units: 20_000_000_000_000)

    /// Documents that are embedded a second time although nothing in them changed.
    static let embeddedTwice = 140
    static let embeddedTwiceFrom = civil(2026, 10, 12)
    /// On the sample's last day; the limit is reached nine weeks later.
    static let vectors = 830_000
    static let vectorLimit = 1_000_000
    static let weeksToLimit = 9
    /// What all bills for October come to; staging takes what the others leave.
    static let octoberTotal = Money(units: 417_000_000_000_000)
    /// The next simple request of these days is answered by a model that is not meant for it.
    static let misrouted = [
        civil(2026, 10, 6), civil(2026, 10, 15), civil(2026, 10, 23), civil(2026, 11, 2), civil(2026, 11, 10),
        civil(2026, 11, 13),
    ]

    static let faults = DayFaults(
        copied: civil(2026, 10, 14), twice: civil(2026, 10, 22), missingHour: civil(2026, 11, 9, hour: 14),
        lateDay: civil(2026, 11, 6), lateRows: 25)

    static let unknownModel = "o5-mini-preview"
    static let unknownModelRows = 6
    static let unknownModelFrom = civil(2026, 11, 12)

    static let brokenJSON = civil(2026, 10, 8)
    static let brokenValue = civil(2026, 10, 20)
    static let raggedDump = civil(2026, 10, 26)

    static let hostileArm = "<script>alert(1)</script>"
    static let hostileNumber = "=HYPERLINK(\"http://x\")"
    static let hostileService = "ci\u{1b}[31m"
}

/// How hard a request is; an unknown class counts as complex.
enum TalentClass: String, CaseIterable {
    case simple, medium, complex

    var model: String {
        switch self {
        case .simple: "gpt-3.5-turbo"
        case .medium: "gpt-4-turbo"
        case .complex: "o4-mini"
        }
    }

    /// Usual tokens of prompt and answer.
    var tokens: (prompt: Int, completion: Int) {
        switch self {
        case .simple: (6300, 450)
        case .medium: (4900, 560)
        case .complex: (720, 390)
        }
    }

    /// Its price for a token, in 1e-12 dollars: 0.002, 0.01 and 0.15 dollars for a thousand.
    var units: Int128 {
        switch self {
        case .simple: 2_000_000
        case .medium: 10_000_000
        case .complex: 150_000_000
        }
    }

    init?(model: String) {
        guard let found = TalentClass.allCases.first(where: { $0.model == model }) else { return nil }
        self = found
    }
}

/// One request to a model, or to the cache before it.
struct TalentCall {
    let id: String
    let at: Instant
    let isStaging: Bool
    let user: TalentUser
    let endpoint: String
    var kind: TalentClass?
    var provider = "openai"
    var model: String
    var prompt: Int
    var completion: Int
    let key: String
    var isHit = false
    var reason: String?
    var arm: String?
    var latency: Int
    var isFailed = false

    mutating func goToSecondVendor(_ why: String) {
        (provider, model, reason) = ("anthropic", "claude-3-5-haiku-20241022", why)
    }

    /// nil where no price is stated: the second vendor's, and that of a model nobody knows.
    var cost: Money? {
        if isHit || isFailed { return .zero }
        return TalentClass(model: model).map { Money(units: Int128(prompt + completion) * $0.units) }
    }
}

/// Somebody who searches for people.
struct TalentUser {
    let id: String
    let account: String
}
