import Common

/// When Voyager's planted stories happen. A story is told where its day lies within the sample's weeks.
enum VoyagerStory {
    /// Prisma and the hosting count days in UTC, and so does the product.
    static let zone = "UTC"

    /// A run on this day asks what has been idle for six months.
    static let archiveRun = civil(2026, 11, 15)
    static let idleSince = civil(2026, 5, 15)
    /// Of 900 conversations: those that qualify, those looked at too often, and those of each of the three boundaries.
    static let (qualifying, lookedAt, eachBoundary, archived) = (190, 45, 5, 24)
    static let fewViews = 5
    /// Somebody looks at conversations that had four views; that does not update them.
    static let viewed = civil(2026, 11, 4)
    static let openings = 6

    static let shareChange = civil(2026, 11, 1)
    static let sharingCommunity = 2

    /// From this Monday on, the share of answers by Sonnet is twice what it was.
    static let sonnetDoubles = civil(2026, 10, 26)
    static let sonnetShare = 180
    /// November's spend, taken as a whole month, against October's, in thousandths.
    static let growth = 1540

    static let madePrivate = civil(2026, 11, 5, hour: 9) + 1800
    static let deleted = civil(2026, 11, 6, hour: 16)
    static let silentMetric = "query_p95_ms"
    static let silentDays = civil(2026, 11, 3)...civil(2026, 11, 5)

    /// Messages carry their community from this day on; before it, only their conversation does.
    static let communityWritten = civil(2026, 10, 12).startUTC

    static let upgrade = civil(2026, 10, 15)
    static let cancellation = civil(2026, 10, 20)
    /// A Sunday, so that the event comes in two dumps.
    static let refund = civil(2026, 11, 8)
    static let testPayment = civil(2026, 11, 10)

    static let faults = DayFaults(
        copied: civil(2026, 10, 19), twice: civil(2026, 10, 26), missingHour: civil(2026, 11, 4, hour: 14),
        isLost: { $0.row["role"] == .string("assistant") },
        lateDay: civil(2026, 11, 5), lateRows: 16)

    static let unknownModel = "claude-sonnet-5-preview"
    static let unknownModelRows = 6
    static let unknownModelFrom = civil(2026, 11, 12, hour: 10)

    // Days of dumps.
    static let raggedDump = civil(2026, 10, 12)
    static let brokenValueDump = civil(2026, 11, 2)
    static let brokenTimeDump = civil(2026, 11, 16)

    static let hostile = civil(2026, 11, 10)
}

/// Strings that must come through every output as plain text.
enum VoyagerHostile {
    static let title = "<script>alert(1)</script>"
    static let formula = "=HYPERLINK(\"http://x\")"
    static let text = "\u{1b}[2J\u{1b}[31mall red\u{1b}[0m"
}
