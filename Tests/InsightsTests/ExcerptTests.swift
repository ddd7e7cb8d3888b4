import Common
import Lake
import TestSupport
import Testing

@testable import Insights

/// Promise 9: private text stays private.
@Suite struct ExcerptTests {
    private func text(_ user: String, _ time: String, _ text: String, role: String = "user") -> Row {
        ["id": "\(user)-\(time)", "part": "entry", "user": user, "ts": time, "role": role, "text": text]
    }

    private func profile(_ texts: [Row], _ more: String, apart: Bool = false) throws -> JSON {
        var found = JSON.null
        try withLake { lake in
            try lake.store([user("u1"), subscription("u1")], log: .snapshots)
            try lake.store([session("u1", "2026-11-10T10:00:00Z")], log: .sessions)
            try lake.store(texts, log: .texts, apart: apart)
            found = try #require(try makeProfiles(try profileOrder(try insight(more)), lake).first).profile
        }
        return found
    }

    private static let some = #"excerpts: 2, text_goes_to: ["template"]"#

    @Test("Without the job asking for excerpts no text is in a profile")
    func absent() throws {
        let profile = try profile([text("u1", "2026-11-10T10:00:00Z", "I was late again.")], "")
        #expect(profile["excerpts"] == nil)
        #expect(!profile.text.contains("late"))
    }

    @Test("Excerpts are the member's own words of that week, redacted, and no more than asked for")
    func bounded() throws {
        let texts = [
            text("u1", "2026-11-10T10:00:00Z", "I wrote to mira@example.com."),
            text("u1", "2026-11-10T11:00:00Z", "You did well.", role: "assistant"),
            text("u2", "2026-11-10T11:30:00Z", "Not mine."),
            text("u1", "2026-11-10T12:00:00Z", String(repeating: "word ", count: 50)),
            text("u1", "2026-11-10T13:00:00Z", "One too many."), text("u1", "2026-11-08T22:59:59Z", "Last week."),
        ]
        let long = String(repeating: "word ", count: 39) + "word…"
        #expect(try profile(texts, ExcerptTests.some)["excerpts"] == .array([.string("I wrote to [mail]."), .string(long)]))
        #expect(try profile([text("u1", "2026-11-08T22:59:59Z", "Last week.")], ExcerptTests.some)["excerpts"] == nil)
    }

    @Test("The first words of the week are taken, in whatever order files and parts lie")
    func first() throws {
        let texts = (0..<8).map { text("u1", "2026-11-10T1\($0):00:00Z", "Text \($0).") }
        for texts in [texts, texts.reversed()] {
            let found = try profile(texts, ExcerptTests.some, apart: true)["excerpts"]
            #expect(found == .array([.string("Text 0."), .string("Text 1.")]))
        }
    }

    @Test(
        "What could name a person is blanked, and what stands around it stays",
        arguments: [
            Case("a mail address", "mail me at a.b+c@example.co.uk, please", "mail me at [mail], please"),
            Case("a mail address in brackets", "(a@example.com)", "[mail])"),
            Case("a link", "see https://example.com/a?b=1.", "see [link]."),
            Case("a link without its scheme", "see www.example.com", "see [link]"),
            Case("a link in brackets", "see (www.example.com)", "see [link])"),
            Case("in capitals", "HTTP://EXAMPLE.COM", "[link]"),
            Case("a phone number in groups", "call +49 30 1234567 now", "call [number] now"),
            Case("in other groups", "(030) 123-45-67!", "[number]!"), Case("with slashes", "030/1234567.", "[number]."),
            Case("a card number", "4111 1111 1111 1111", "[number]"),
            Case("a card number with dashes", "4111-1111-1111-1111,", "[number],"),
            Case("behind a word", "tel:+49301234567", "[number]"),
            Case("an account number", "DE89 3704 0044 0532 0130 00", "DE89 [number]"),
            Case("an account number in one", "DE89370400440532013000", "[number]"),
            Case("a short number stays", "at 10:30 for 5 days", "at 10:30 for 5 days"),
            Case("six digits stay", "123 456", "123 456"), Case("seven do not", "123 4567", "[number]"),
            Case("other digits", "٠٣٠١٢٣٤٥٦٧", "[number]"), Case("an at sign alone", "@ home", "@ home"),
            Case("spaces become one", "a \n\t b", "a b"), Case("nothing", "", ""),
        ])
    func redaction(_ row: Case<String, String>) { #expect(redacted(row.input) == row.expected) }

    @Test(
        "An excerpt is cut at a word",
        arguments: [
            Case("short enough", "one two", "one two"), Case("too long", "one two three", "one two…"),
            Case("one long word", "onetwothree", "onetwoth…"),
        ])
    func cut(_ row: Case<String, String>) { #expect(excerpt(row.input, atMost: 8) == row.expected) }
}
