import TestSupport
import Testing

@testable import Common

private let section = ConfigSchema(
    name: "section",
    keys: [
        ConfigKey(name: "title", kind: "text", required: true, about: "What stands above it."),
        ConfigKey(name: "by", kind: "text or list of text", about: "The dimensions of its rows."),
        ConfigKey(name: "measures", kind: "list of text", about: "Its columns."),
    ])
private let job = ConfigSchema(
    name: "job",
    keys: [
        ConfigKey(name: "job", kind: "text", required: true, about: "Its name."),
        ConfigKey(name: "currency", kind: "text", required: true, about: "The report's currency."),
        ConfigKey(name: "amount", kind: "decimal", about: "A decimal."),
        ConfigKey(name: "keep", kind: "whole number", about: "Weeks kept."),
        ConfigKey(name: "sandbox", kind: "true or false", about: "Whether it is for trying."),
        ConfigKey(name: "starts", kind: "day", about: "Its first day."),
        ConfigKey(name: "every", kind: "one of day, week and month", about: "How often."),
        ConfigKey(name: "main", kind: "section", about: "Its first section."),
        ConfigKey(name: "report", kind: "list of section", about: "Its sections."),
        ConfigKey(name: "plans", kind: "object of plans", about: "Its plans by name."),
    ])
private enum Every: String, CaseIterable { case day, week, month }

private func object(_ text: String) throws -> ConfigObject { try ConfigObject(try parseJSON5(bytes(text), path: "j"), job) }
/// An object with the required keys and one more, on a line of its own.
private func with(_ rest: String) throws -> ConfigObject { try object("{ job: 'kalei', currency: 'USD',\n  \(rest) }") }

@Suite struct ConfigObjectTests {
    @Test("Every kind of value is read under its key")
    func reads() throws {
        let read = try with(
            """
            amount: 1.10, keep: 0x10, sandbox: true, starts: '2026-09-28', every: 'week', main: { title: 'A', by: 'plan' },
            report: [{ title: 'B', by: ['plan', 'model'], measures: ['cost'] }, { title: 'C' }], plans: { prism: 1, free: null }
            """)
        #expect(try read.text("job") == "kalei")
        #expect(try read.decimal("amount").description == "1.1")
        #expect(try read.int("keep") == 16)
        #expect(try read.bool("sandbox", default: false))
        #expect(try read.day("starts").description == "2026-09-28")
        #expect(try read.choice("every", of: Every.self) == .week)
        #expect(try read.object("main", section)?.oneOrMoreTexts("by") == ["plan"])
        let sections = try read.objects("report", section)
        #expect(try sections.map { try $0.text("title") } == ["B", "C"])
        #expect(try sections.map { try $0.oneOrMoreTexts("by") } == [["plan", "model"], []])
        #expect(try sections.map { try $0.texts("measures") } == [["cost"], []])
        #expect(try read.named("plans").map(\.name) == ["prism", "free"])
        #expect(try read.named("plans").map { "\($0.place) \($0.node.json.text)" } == ["j:3:95 1", "j:3:105 null"])
    }

    @Test("A decimal may stand in quotes, and keeps every digit")
    func decimals() throws {
        #expect(try with("amount: '0.1234567890123456789'").decimal("amount").description == "0.1234567890123456789")
        #expect(try with("amount: .5").optionalDecimal("amount") == ExactDecimal("0.5"))
        #expect(try with("keep: 5.0").int("keep") == 5)
        #expect(try with("keep: 1e3").int("keep") == 1000)
    }

    @Test("An absent key is nil, empty or its default")
    func absent() throws {
        let read = try with("")
        #expect(try read.optionalText("every") == nil)
        #expect(try read.optionalDecimal("amount") == nil)
        #expect(try read.optionalInt("keep", in: 1...5) == nil)
        #expect(try read.optionalDay("starts") == nil)
        #expect(try read.bool("sandbox", default: true))
        #expect(try !read.bool("sandbox", default: false))
        #expect(try read.choice("every", of: Every.self, default: .month) == .month)
        #expect(try read.optionalChoice("every", of: Every.self) == nil)
        #expect(try read.object("main", section) == nil)
        #expect(try read.objects("report", section).isEmpty)
        #expect(try read.named("plans").isEmpty)
        #expect(read.node("plans") == nil)
    }

    @Test("A value's place is where it stands, and the object's where it is absent")
    func places() throws {
        let read = try with("starts: '2026-09-28'")
        #expect("\(read.place(of: "starts"))" == "j:2:11")
        #expect("\(read.place(of: "every"))" == "j:1:1")
        #expect("\(read.failure("starts too late.", at: "starts"))" == "j:2:11: starts too late.")
        #expect(read.failure("is empty.") == Failure("is empty.", at: Place(path: "j", line: 1, column: 1), kind: .usage))
    }

    private struct Refused: Sendable, CustomTestStringConvertible {
        let name, text, expected: String
        let read: @Sendable (ConfigObject) throws -> Void
        init(_ name: String, _ text: String, _ read: @escaping @Sendable (ConfigObject) throws -> Void, _ expected: String) {
            (self.name, self.text, self.read, self.expected) = (name, text, read, expected)
        }
        var testDescription: String { name }
    }

    @Test(
        "A wrong value is refused with what it must be",
        arguments: [
            Refused(
                "a number for text", "every: 5", { _ = try $0.text("every") },
                "j:2:10: \"every\" in job must be text, not a number. Write it in quotes."),
            Refused(
                "true for text", "every: true", { _ = try $0.optionalText("every") },
                "j:2:10: \"every\" in job must be text, not true. Write it in quotes."),
            Refused(
                "null for text", "every: null", { _ = try $0.optionalText("every") },
                "j:2:10: \"every\" in job must be text, not null. Leave the key out where there is nothing to say."),
            Refused(
                "a list for text", "every: []", { _ = try $0.text("every") }, "j:2:10: \"every\" in job must be text, not a list."
            ),
            Refused(
                "an absent text", "", { _ = try $0.text("every") },
                "j:1:1: \"every\" (one of day, week and month) is missing in job. Add it."),
            Refused(
                "a decimal comma", "amount: '9,99'", { _ = try $0.decimal("amount") },
                "j:2:11: \"amount\" in job must be a decimal such as 9.99, not \"9,99\". Use a point and at most 38 digits."),
            Refused(
                "a list for a decimal", "amount: [1]", { _ = try $0.optionalDecimal("amount") },
                "j:2:11: \"amount\" in job must be a decimal such as 9.99, not a list."),
            Refused(
                "a fraction for a whole number", "keep: 1.5", { _ = try $0.int("keep") },
                "j:2:9: \"keep\" in job must be a whole number, not 1.5."),
            Refused(
                "a number beyond 64 bits", "keep: 9223372036854775808", { _ = try $0.int("keep") },
                "j:2:9: \"keep\" in job must be a whole number, not 9223372036854775808."),
            Refused(
                "a number out of its range", "keep: 60", { _ = try $0.int("keep", in: 1...52) },
                "j:2:9: \"keep\" in job must be a whole number from 1 to 52, not 60."),
            Refused(
                "a number too small", "keep: 0", { _ = try $0.optionalInt("keep", in: 1...Int.max) },
                "j:2:9: \"keep\" in job must be a whole number of at least 1, not 0."),
            Refused(
                "a number in quotes", "keep: '5'", { _ = try $0.int("keep") },
                "j:2:9: \"keep\" in job must be a whole number, not text. Remove the quotes."),
            Refused(
                "a word for a number", "keep: 'five'", { _ = try $0.int("keep") },
                "j:2:9: \"keep\" in job must be a whole number, not text."),
            Refused(
                "true in quotes", "sandbox: 'true'", { _ = try $0.bool("sandbox", default: false) },
                "j:2:12: \"sandbox\" in job must be true or false, not text. Remove the quotes."),
            Refused(
                "1 for true", "sandbox: 1", { _ = try $0.bool("sandbox", default: false) },
                "j:2:12: \"sandbox\" in job must be true or false, not a number."),
            Refused(
                "a day the calendar lacks", "starts: '2026-02-30'", { _ = try $0.day("starts") },
                "j:2:11: \"starts\" in job must be a day such as \"2026-09-28\", not \"2026-02-30\". Write year, month and day, as the calendar has them."
            ),
            Refused(
                "a number for a day", "starts: 20260928", { _ = try $0.optionalDay("starts") },
                "j:2:11: \"starts\" in job must be a day such as \"2026-09-28\", not a number. Write it in quotes."),
            Refused(
                "a misspelt choice", "every: 'weak'", { _ = try $0.choice("every", of: Every.self) },
                "j:2:10: \"every\" in job cannot be \"weak\". Did you mean \"week\"? Its values are day, week and month."),
            Refused(
                "another choice", "every: 'fortnight'", { _ = try $0.optionalChoice("every", of: Every.self) },
                "j:2:10: \"every\" in job cannot be \"fortnight\". Its values are day, week and month."),
            Refused(
                "a list for a choice", "every: ['day']", { _ = try $0.choice("every", of: Every.self, default: .day) },
                "j:2:10: \"every\" in job must be one of day, week and month, not a list."),
            Refused(
                "text for a list", "report: 'tiles'", { _ = try $0.texts("report") },
                "j:2:11: \"report\" in job must be a list of texts, not text. Put it in [ ]."),
            Refused(
                "a number in a list", "report: ['a',\n 5]", { _ = try $0.texts("report") },
                "j:3:2: element 2 of \"report\" in job must be text, not a number. Write it in quotes."),
            Refused(
                "a number for one or more texts", "report: 5", { _ = try $0.oneOrMoreTexts("report") },
                "j:2:11: \"report\" in job must be a text or a list of texts, not a number."),
            Refused(
                "an empty list for one or more", "report: []", { _ = try $0.oneOrMoreTexts("report") },
                "j:2:11: \"report\" in job is an empty list. Name at least one, or leave the key out."),
            Refused(
                "text for an object", "main: 'A'", { _ = try $0.object("main", section) },
                "j:2:9: \"main\" in job must be an object in { }, not text."),
            Refused(
                "an object for a list of objects", "report: { title: 'A' }", { _ = try $0.objects("report", section) },
                "j:2:11: \"report\" in job must be a list of objects, not an object. Put it in [ ]."),
            Refused(
                "text in a list of objects", "report: [{ title: 'A' }, 'B']", { _ = try $0.objects("report", section) },
                "j:2:28: element 2 of \"report\" in job must be an object in { }, not text."),
            Refused(
                "a misspelt key in a part", "report: [{ titel: 'A' }]", { _ = try $0.objects("report", section) },
                "j:2:14: unknown key \"titel\" in section. Did you mean \"title\"? Its keys are title, by and measures."),
            Refused(
                "a key missing in a part", "main: { by: 'plan' }", { _ = try $0.object("main", section) },
                "j:2:9: \"title\" (text) is missing in section. Add it."),
            Refused(
                "a list for an object of names", "plans: ['free']", { _ = try $0.named("plans") },
                "j:2:10: \"plans\" in job must be an object in { }, not a list."),
        ])
    private func refuses(_ row: Refused) throws {
        let read = try with(row.text)
        #expect(sentence { try row.read(read) } == row.expected)
        #expect { try row.read(read) } throws: { ($0 as? Failure)?.kind == .usage }
    }

    @Test(
        "An object that does not follow its schema is refused before anything is read",
        arguments: [
            Case(
                "a misspelt key", "{ job: 'kalei',\n  curency: 'USD' }",
                "j:2:3: unknown key \"curency\" in job. Did you mean \"currency\"? "
                    + "Its keys are job, currency, amount, keep, sandbox, starts, every, main, report and plans."),
            Case(
                "a key of something else", "{ job: 'kalei', currency: 'USD', colour: 'red' }",
                "j:1:34: unknown key \"colour\" in job. "
                    + "Its keys are job, currency, amount, keep, sandbox, starts, every, main, report and plans."),
            Case("a missing key", "\n { job: 'kalei' }", "j:2:2: \"currency\" (text) is missing in job. Add it."),
            Case("two missing keys", "{}", "j:1:1: \"job\" (text) and \"currency\" (text) are missing in job. Add them."),
            Case("a list", "[]", "j:1:1: job must be an object in { }, not a list."),
        ])
    func schema(_ row: Case<String, String>) { #expect(sentence { _ = try object(row.input) } == row.expected) }

    @Test("A message shows a long or odd value short and on one line")
    func shows() {
        #expect(shown("a\nb\u{7}") == "\"a\u{FFFD}b\u{FFFD}\"")
        #expect(shown(String(repeating: "é", count: 61)) == "\"" + String(repeating: "é", count: 60) + "…\"")
    }
}
