import Common

/// When Kalei's planted stories happen. A story is told where its day lies within the sample's weeks.
enum KaleiStory {
    static let zone = "Europe/Berlin"
    static let prismPlusOnSale = civil(2026, 10, 5)
    /// A Thursday on which one member goes from Prism to Prism+.
    static let upgrade = civil(2026, 10, 22)
    static let cancellation = civil(2026, 10, 8)
    static let cancellationTakesEffect = civil(2026, 10, 20)
    static let deletion = civil(2026, 10, 21)

    /// The month's spend reaches 80 % of the cap about noon of this day, and Lens turns to templates.
    static let capReached = civil(2026, 10, 29)
    /// Cents of the month's cap for 200 members; it grows with them.
    static func capCents(users: Int) -> Int { 1500 * users / 200 }

    static let runaway = civil(2026, 10, 27)
    static let runawayTurns = 72
    static let leaks = [civil(2026, 11, 8), civil(2026, 11, 15)]
    /// From these moments (UTC) on, the next reflection is written by Sonnet.
    static let sonnet = [
        civil(2026, 10, 20, hour: 12), civil(2026, 10, 28, hour: 9), civil(2026, 11, 10, hour: 17), civil(2026, 11, 13, hour: 8),
    ]
    /// From here on, the next reframe goes to the fallback vendor.
    static let fallback = civil(2026, 11, 11, hour: 10)

    /// The week of the funnel, of the members over quota and of the hostile strings.
    static let funnelWeek = Week(of: civil(2026, 11, 9))
    static let manyTurns = [(civil(2026, 11, 10), 5), (civil(2026, 11, 12), 7)]
    static let crisis = civil(2026, 11, 11)
    static let consentWithdrawn = civil(2026, 10, 29)
    static let consentGivenLate = civil(2026, 11, 4)
    static let hostile = civil(2026, 11, 10)

    static let faults = DayFaults(
        copied: civil(2026, 10, 14), twice: civil(2026, 10, 22), missingHour: civil(2026, 11, 4, hour: 14),
        lateDay: civil(2026, 11, 5), lateRows: 40,
        mayBeLate: { $0.row["status"] == .string("ok") })

    static let unknownModel = "claude-haiku-4-6-preview"
    static let unknownModelRows = 6
    static let unknownModelFrom = civil(2026, 11, 12, hour: 10)

    static let brokenJSON = civil(2026, 10, 8)
    static let brokenValue = civil(2026, 10, 20)
    static let brokenTime = civil(2026, 11, 12)
    static let farFuture = civil(2026, 10, 21)
    static let reusedID = civil(2026, 10, 16)
}
