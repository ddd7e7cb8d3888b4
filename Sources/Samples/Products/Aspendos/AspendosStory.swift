import Common

/// When Aspendos's planted stories happen. A story is told where its day lies within the sample's weeks.
enum AspendosStory {
    /// Their SQL takes the date of a timestamp, and the server keeps UTC.
    static let zone = "UTC"

    static let overBudget = civil(2026, 11, 6)
    static let degraded = civil(2026, 10, 29)
    static let heavyDay = civil(2026, 11, 12)
    static let manyConversations = (month: "2026-10", count: 53)
    static let twoVoiceSessions = civil(2026, 11, 10)
    static let videoOnPro = civil(2026, 10, 28)
    static let comparisonOnPro = civil(2026, 11, 3)
    static let opus = [civil(2026, 10, 15), civil(2026, 11, 10)]

    /// For two hours nothing answers at the provider that most requests go to.
    static let outage = civil(2026, 11, 4, hour: 10)..<civil(2026, 11, 4, hour: 12)
    static let outageProvider = "openai"
    /// From here on, some Sonnet requests go through the router that otherwise only catches failures.
    static let secondProviderFrom = civil(2026, 10, 20, hour: 0)
    static let secondProviderRows = 8
    static let unknownModel = "gpt-5.1-preview"
    static let unknownModelFrom = civil(2026, 11, 12, hour: 9)
    static let unknownModelRows = 6

    /// Of a thousand requests, how many repeat a prompt of the same day. The cache that would catch them comes late, and misses many.
    static let repeatsPermille = 90
    static let cacheFrom = civil(2026, 10, 26)
    static let twins = civil(2026, 10, 30)

    /// From this release on, the voice handler forgets to write costs, until it is mended.
    static let unloggedFrom = civil(2026, 11, 3)
    static let unloggedTurns = 40

    static let withdrawal = civil(2026, 11, 5, hour: 16)
    static let erasureAsked = civil(2026, 11, 4, hour: 9)
    static let erasureDone = civil(2026, 11, 6, hour: 2)

    static let newTurkishPrice = civil(2026, 11, 1)
    static let failedPayment = civil(2026, 10, 12)
    static let refundedPayment = civil(2026, 10, 19)
    static let repeatedWebhook = civil(2026, 10, 14)
    static let sandbox = [civil(2026, 10, 6), civil(2026, 11, 2)]
    static let dayWithoutRates = civil(2026, 11, 8)

    static let brokenJSON = civil(2026, 10, 9)
    static let brokenValue = civil(2026, 10, 21)
    static let brokenCSV = civil(2026, 10, 26)
    static let faults = DayFaults(
        copied: civil(2026, 10, 15), twice: civil(2026, 10, 23), missingHour: civil(2026, 11, 11, hour: 14),
        lateDay: civil(2026, 11, 5), lateRows: 20)

    /// A preferred model is what the client sends, and somebody sends markup.
    static let hostileModel = "<script>alert(1)</script>"
    static let hostileModelDay = civil(2026, 11, 13)
    static let hostileTitles = ["=HYPERLINK(\"http://x\",\"y\")", "Red \u{1b}[31malert", "Two lines\nand a \"quote\", too"]
    static let turkishTitle = "Güneşli şehirler için bütçe ve yağmurlu günler"
}

/// A text whose UTF-8 was read as Windows-1252 and written as UTF-8 again.
///
///     doublyEncoded("ş")   // "ÅŸ"
func doublyEncoded(_ text: String) -> String {
    // WHATWG, "Encoding", index windows-1252: the only bytes that are not the letters of the same number; five stay control characters.
    let special: [UInt8: Unicode.Scalar] = [
        0x80: "€", 0x82: "‚", 0x83: "ƒ", 0x84: "„", 0x85: "…", 0x86: "†", 0x87: "‡", 0x88: "ˆ", 0x89: "‰", 0x8a: "Š", 0x8b: "‹",
        0x8c: "Œ", 0x8e: "Ž", 0x91: "‘", 0x92: "’", 0x93: "“", 0x94: "”", 0x95: "•", 0x96: "–", 0x97: "—", 0x98: "˜", 0x99: "™",
        0x9a: "š", 0x9b: "›", 0x9c: "œ", 0x9e: "ž", 0x9f: "Ÿ",
    ]
    var scalars = String.UnicodeScalarView()
    for byte in text.utf8 { scalars.append(special[byte] ?? Unicode.Scalar(byte)) }
    return String(scalars)
}
