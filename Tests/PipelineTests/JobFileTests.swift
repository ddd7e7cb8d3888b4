import Common
import Economics
import Glibc
import Testing
@testable import Pipeline

@Suite struct JobFileTests {
    private static let top = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    // MARK: - Jobs that are whole

    @Test func `every job in Jobs is whole and named as its file`() throws {
        let names = try names(in: Self.top + "/Jobs").filter { $0.hasSuffix(".json5") }
        #expect(names.contains("kalei.json5"))
        for name in names {
            let job = try Job(path: "\(Self.top)/Jobs/\(name)")
            #expect(job.name + ".json5" == name)
        }
    }

    @Test func `the job of Kalei says what its page needs`() throws {
        let job = try Job(path: Self.top + "/Jobs/kalei.json5")
        #expect(job.zone.name == "Europe/Berlin")
        #expect(job.currency == "USD")
        #expect(job.starts == Day("2026-09-28"))
        #expect(job.plans.map(\.name) == ["free", "prism", "prism_plus"])
        #expect(job.plans.filter { $0.entitles == ["weekly-spectrum"] }.map(\.name) == ["prism_plus"])
        #expect(job.insights.map(\.provider) == ["template"])
    }

    @Test func `the job that these tests break is whole`() throws {
        let job = try Self.job { _ in }
        #expect(job.sources.map(\.name) == ["calls", "notes"])
        #expect(job.quarantineAtMost == ExactDecimal("0.01"))
        #expect(job.columns.map(\.name) == ["x_child"])
        #expect(job.longestRecord == 16 << 20)
    }

    @Test(arguments: [("64 KiB", 64 << 10), ("4 MiB", 4 << 20), ("1 GiB", 1 << 30)])
    func `the longest record is a size`(_ text: String, _ bytes: Int) throws {
        let job = try Self.job { folder in
            let path = folder + "/job.json5"
            let written = try readText(path, as: "job").replacing("\"1%\"", with: "\"1%\", longest_record: \"\(text)\"")
            try writeNew(Array(written.utf8), to: path)
        }
        #expect(job.longestRecord == bytes)
    }

    // MARK: - Broken jobs

    struct Broken: CustomTestStringConvertible, Sendable {
        let name: String
        /// The file that is changed: of each pair the first text is replaced by the second.
        let file: String
        let changes: [(String, String)]
        let sentence: String

        init(_ name: String, in file: String = "job.json5", _ changes: (String, String)..., sentence: String) {
            (self.name, self.file, self.changes, self.sentence) = (name, file, changes, sentence)
        }
        var testDescription: String { name }
    }

    @Test(arguments: broken) func `refuses a broken job with a sentence`(_ broken: Broken) throws {
        let failure = #expect(throws: Failure.self) {
            try Self.job { folder in
                var text = try readText(folder + "/" + broken.file, as: "file")
                for (old, new) in broken.changes {
                    try #require(text.contains(old), "there is nothing to change")
                    text = text.replacing(old, with: new, maxReplacements: 1)
                }
                try writeNew(Array(text.utf8), to: folder + "/" + broken.file)
            }
        }
        #expect(failure?.description == broken.sentence)
        #expect(failure?.kind == .usage)
    }

    static let broken = [
        Broken(
            "an unknown key", ("timezone:", "timezoen:"),
            sentence: """
                job.json5:2:16: unknown key "timezoen" in job. Did you mean "timezone"? Its keys are \
                \(listed(Job.schema.keys.map(\.name))).
                """),
        Broken(
            "a missing key", ("currency: \"USD\", ", ""),
            sentence: "job.json5:1:1: \"currency\" (currency code) is missing in job. Add it."),
        Broken(
            "a key given twice", ("starts:", "job: \"other\", starts:"),
            sentence:
                "job.json5:2:60: the key \"job\" is written twice; the first one stands at job.json5:2:3. Remove one of them."),
        Broken(
            "a value of the wrong type", ("\"USD\"", "840"),
            sentence: "job.json5:2:53: \"currency\" in job must be text, not a number. Write it in quotes."),
        Broken(
            "a list where an object belongs", ("plans: {", "plans: [{"), ("} },\n  insights", "} }],\n  insights"),
            sentence: "job.json5:10:10: \"plans\" in job must be an object in { }, not a list."),
        Broken(
            "a day that no calendar has", ("2026-11-09", "2026-02-30"),
            sentence:
                "job.json5:2:68: \"starts\" in job must be a day such as \"2026-09-28\", not \"2026-02-30\". Write year, month and day, as the calendar has them."
        ),
        Broken(
            "a zone that there is not", ("Europe/Berlin", "Europe/Berlyn"),
            sentence:
                "job.json5:2:26: There is no time zone \"Europe/Berlyn\" in /usr/share/zoneinfo. Did you mean \"Europe/Berlin\"? Use a name such as Europe/Berlin or UTC, or install tzdata."
        ),
        Broken(
            "a currency in small letters", ("\"USD\"", "\"usd\""),
            sentence: "job.json5:2:53: A currency is three capital letters (ISO 4217), such as USD."),
        Broken(
            "a name that is no folder", ("\"demo\"", "\"../demo\""),
            sentence: "job.json5:2:8: A job's name has small letters, digits, - and _ only: it becomes a folder."),
        Broken(
            "a share without a per cent sign", ("\"1%\"", "\"0.01\""),
            sentence: "job.json5:3:23: A share is written like \"1%\" or \"0.1%\"."),
        Broken(
            "a size without a unit", ("\"1%\"", "\"1%\", longest_record: \"4\""),
            sentence: "job.json5:3:45: A size is written like \"4 MiB\" or \"512 KiB\", and is at most \"1 GiB\"."),
        Broken(
            "a size beyond all records", ("\"1%\"", "\"1%\", longest_record: \"2 GiB\""),
            sentence: "job.json5:3:45: A size is written like \"4 MiB\" or \"512 KiB\", and is at most \"1 GiB\"."),
        Broken(
            "a column of an unknown type", ("child: \"text\"", "child: \"string\""),
            sentence: "job.json5:4:21: A column's type is one of text, int64, bool, timestamp and decimal."),
        Broken(
            "a log that there is not", ("\"sessions\"", "\"session\""),
            sentence: """
                job.json5:7:12: "log" in source cannot be "session". Did you mean "sessions"? Its values are usage, sessions, texts, meters, \
                charges, payments, invoices and snapshots.
                """),
        Broken(
            "a column that the log has not", ("user: \"user_id\"", "usre: \"user_id\""),
            sentence: """
                job.json5:6:65: unknown column "usre" of log usage. Did you mean "user"? Its columns are id, ts, tenant, user, session, plan, \
                feature, provider, model, region, environment, input_tokens, cache_read_tokens, cache_write_5m_tokens, \
                cache_write_1h_tokens, output_tokens, reasoning_tokens, quantity, unit, service_tier, route, status, outcome, attempt, \
                latency_ms, first_token_ms, fingerprint, prefix, prefix_tokens, document, group, reported_cost, currency and x_child.
                """),
        Broken(
            "two sources of one name", ("name: \"notes\"", "name: \"calls\""),
            sentence: "job.json5:7:5: Two sources are named \"calls\". Give one of them a name of its own with \"name\"."),
        Broken(
            "files outside the data folder", ("notes.jsonl", "../notes.jsonl"),
            sentence: "job.json5:7:31: \"files\" in source must be a path below the data folder, without \"..\"."),
        Broken(
            "a price without its currency", ("price: \"5\", currency: \"USD\"", "price: \"5\""),
            sentence: "job.json5:10:28: A price needs its currency. Add currency, such as \"USD\"."),
        Broken(
            "a plan that entitles to an unknown insight", ("entitles: [\"weekly\"]", "entitles: [\"weakly\"]"),
            sentence:
                "job.json5:10:10: The plan paid entitles to the insight \"weakly\", which the job does not have. Its insights are weekly."
        ),
        Broken(
            "a provider that there is not", ("\"template\"", "\"templet\""),
            sentence:
                "job.json5:11:63: unknown provider \"templet\". Did you mean \"template\"? Providers are template and files."),
        Broken(
            "a provider that may cost money, without starts", ("\"template\"", "\"files\", model: \"m\""),
            sentence:
                "job.json5:11:14: The provider files may cost money, so the insight needs \"starts\": the first day it is made for."
        ),
        Broken(
            "a provider that has models, without one", ("\"template\"", "\"files\", starts: \"2026-11-09\""),
            sentence: "job.json5:11:14: The provider files needs a model. Add model, such as \"claude-haiku-4-5\"."),
        Broken(
            "private text for a provider that may not have it", ("\"template\"", "\"template\", excerpts: 2"),
            sentence:
                "job.json5:11:85: Excerpts are private text, and template is not among text_goes_to. Add it there, or remove excerpts."
        ),
        Broken(
            "a whole number out of its range", ("\"template\"", "\"template\", max_tokens: 0"),
            sentence: "job.json5:11:87: \"max_tokens\" in insight must be a whole number from 1 to 300000, not 0."),
        Broken(
            "a dimension that there is not", ("by: [\"plan\"]", "by: [\"plans\"]"),
            sentence: """
                job.json5:12:36: unknown dimension "plans". Did you mean "plan"? Dimensions are tenant, user, plan, feature, provider, model, \
                region, environment, service_tier, route, status, outcome, prefix, document, group, source, source_file, session, \
                fingerprint, unit, currency and child.
                """),
        Broken(
            "a measure that there is not", ("\"cost\"]", "\"costs\"]"),
            sentence: """
                job.json5:12:56: unknown measure "costs". Did you mean "cost"? Measures are requests, active, input_tokens, \
                cache_read_tokens, cache_write_5m_tokens, output_tokens, cost, cost_per_active and coverage.
                """),
        Broken(
            "a section about an unknown insight", ("section: \"funnel\"", "section: \"funnel\", insight: \"monthly\""),
            sentence: "job.json5:12:98: The section is about an insight that the job does not have. Its insights are weekly."),
        Broken(
            "days stacked by nothing", ("section: \"funnel\"", "section: \"stacked-days\""),
            sentence: "job.json5:12:68: stacked-days is stacked by one dimension. Add by, such as \"feature\"."),
        Broken(
            "no value behind a key", ("job: \"demo\"", "job: "),
            sentence: """
                job.json5:2:8: expected a value, but found ",". A value is text in quotes, a number, true, false, null, a list or an object.
                """),

        Broken(
            "a prompt without a part", in: "prompt.md", ("## Supportive", "## Comforting"),
            sentence:
                "prompt.md: The prompt has no part \"## Supportive\". Its parts are System, User, Answer, Template and Supportive."
        ),
        Broken(
            "a prompt without a profile", in: "prompt.md", ("{{profile}}", "the week"),
            sentence: "prompt.md: The part \"## User\" does not hold {{profile}}, so every subject would get the same request."),
        Broken(
            "a supportive text beside the schema", in: "prompt.md", ("{\"line\":\"Take care.\"}", "{\"text\":\"Take care.\"}"),
            sentence: "prompt.md: The part \"## Supportive\" does not follow the answer schema: the answer has no line."),

        Broken(
            "a book in another currency", in: "prices.json5", ("\"USD\"", "\"EUR\""),
            sentence:
                "prices.json5:5:66: The price is in EUR, but the job reports in USD. Two currencies meet only through a dated rate: give one in exchange_rates."
        ),
        Broken(
            "prices that overlap", in: "prices.json5", ("valid_to: \"2026-05-31\", ", ""),
            sentence: """
                prices.json5:8:16: This price of input for m overlaps the one at prices.json5:5:42. End the earlier one with valid_to, or give \
                the later one its own known_from.
                """),
        Broken(
            "a meter that there is not", in: "prices.json5", ("output:", "outputs:"),
            sentence: """
                prices.json5:5:81: unknown meter "outputs". Did you mean "output"? Meters are input, cache_read, cache_write_5m, \
                cache_write_1h, output and reasoning.
                """),
        Broken(
            "a range the wrong way round", in: "prices.json5", ("\"1.00\"", "[\"2.00\", \"1.00\"]"),
            sentence: "prices.json5:5:73: A rate is not negative, and the low end of a range comes first."),
        Broken(
            "a price that ends before it begins", in: "prices.json5", ("2026-05-31", "2025-05-31"),
            sentence: "prices.json5:5:17: The price ends on 2025-05-31, before it begins on 2026-01-01."),
        Broken(
            "a unit that there is not", in: "prices.json5", ("valid_to: \"2026-05-31\"", "per: \"1G tokens\""),
            sentence:
                "prices.json5:5:12: unknown unit \"1G tokens\". Did you mean \"token\"? It is a unit, or a count and a unit, such "
                + "as \"15 seconds\" or \"1M tokens\". Units are \(listed(PriceUnit.allCases.map(\.rawValue)))."),
        Broken(
            "a price without a source", in: "prices.json5", (", source: \"first\"", ""),
            sentence: "prices.json5:4:5: \"source\" (text) is missing in price. Add it."),
    ]

    /// Reads the job below after a change to its folder; places are told without the folder.
    @discardableResult private static func job(_ change: (String) throws -> Void) throws -> Job {
        var template = Array("/tmp/vesper-job-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { try? removeTree(folder) }
        for (name, text) in [("job.json5", whole), ("prices.json5", prices), ("prompt.md", prompt)] {
            try writeNew(Array(text.utf8), to: folder + "/" + name)
        }
        try change(folder)
        do {
            return try Job(path: folder + "/job.json5")
        } catch let failure as Failure {
            func short(_ text: String) -> String { text.replacing(folder + "/", with: "") }
            throw Failure(
                short(failure.message),
                at: failure.place.map { Place(path: short($0.path), line: $0.line, column: $0.column) }, kind: failure.kind)
        }
    }

    private static let whole = """
        {
          job: "demo", timezone: "Europe/Berlin", currency: "USD", starts: "2026-11-09",
          quarantine_at_most: "1%",
          columns: { child: "text" },
          sources: [
            { log: "usage", files: "calls.jsonl", name: "calls", map: { user: "user_id" } },
            { log: "sessions", files: "notes.jsonl", name: "notes" },
          ],
          prices: ["prices.json5"],
          plans: { free: {}, paid: { price: "5", currency: "USD", entitles: ["weekly"] } },
          insights: [{ name: "weekly", prompt: "prompt.md", provider: "template" }],
          report: [{ section: "table", by: ["plan"], measures: ["cost"] }, { section: "funnel" }],
        }
        """

    private static let prices = """
        {
          currency: "USD",
          prices: [
            { provider: "p", model: "m", valid_from: "2026-01-01",
              valid_to: "2026-05-31", known_from: "2026-01-01", rates: { input: "1.00", output: "5.00" }, source: "first",
            },
            { provider: "p", model: "m", valid_from: "2026-06-01", known_from: "2026-01-01",
              rates: { input: "2.00", output: "9.00" }, source: "second" },
          ],
        }
        """

    private static let prompt = """
        ## System
        You write one line.
        ## User
        {{profile}}
        ## Answer
        {"type":"object","properties":{"line":{"type":"string"}},"required":["line"],"additionalProperties":false}
        ## Template
        {"line":"Days: {{active_days}}."}
        ## Supportive
        {"line":"Take care."}
        """

    // MARK: - The example and the reference

    @Test func `the example in Jobs README is a whole job`() throws {
        let text = try readText(Self.top + "/Jobs/README.md", as: "reference")
        let blocks = text.split(separator: "```json5\n").dropFirst().map {
            $0.prefix(upTo: $0.firstRange(of: "```")?.lowerBound ?? $0.endIndex)
        }
        try #require(blocks.count == 3, "a job, its plan_of and a price book")
        let job = try Self.job { folder in
            try makeFolder(folder + "/Prices")
            try makeFolder(folder + "/Prompts")
            let whole = blocks[0].replacing("  plans: {", with: blocks[1] + "  plans: {")
            try writeNew(Array(whole.utf8), to: folder + "/job.json5")
            try writeNew(Array(blocks[2].utf8), to: folder + "/Prices/acme.json5")
            try writeNew(
                try readFile(Self.top + "/Jobs/Prompts/kalei-weekly.md", as: "prompt"), to: folder + "/Prompts/acme-weekly.md")
        }
        #expect(job.sources.count == 3 && job.lookups.count == 1 && job.book.rows.count == 2 && job.insights.count == 1)
    }

    @Test func `the reference in Jobs README says what the decoder takes`() throws {
        let path = Self.top + "/Jobs/README.md"
        let text = try readText(path, as: "reference")
        let (begin, end) = ("<!-- reference: written by JobFileTests -->\n", "<!-- end of reference -->")
        let start = try #require(text.firstRange(of: begin)).upperBound
        let stop = try #require(text.firstRange(of: end)).lowerBound
        if text[start..<stop] != Self.reference, getenv("RECORD_GOLDENS").map({ String(cString: $0) }) == "1" {
            try writeNew(Array((text[..<start] + Self.reference + text[stop...]).utf8), to: path)
            Issue.record("The reference was written anew. Look at it, and run the tests again.")
            return
        }
        let written = text[start..<stop].split(separator: "\n", omittingEmptySubsequences: false)
        let expected = Self.reference.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(written == expected, "RECORD_GOLDENS=1 writes it anew")
    }

    private static let reference =
        Job.schemas.map { schema in
            let rows = schema.keys.map { key in
                "| `\(key.name)` | \(inTable(key.kind)) | \(key.required ? "yes" : "") | \(inTable(key.about)) |\n"
            }
            return "\n### \(schema.name)\n\n| key | takes | required | |\n|---|---|---|---|\n" + rows.joined()
        }.joined() + "\n"

    private static func inTable(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("*", with: "\\*")
    }

    @Test func `a key that no sentence explains is told`() {
        for schema in Job.schemas {
            for key in schema.keys { #expect(key.about.hasSuffix(".") && !key.kind.isEmpty, "\(schema.name).\(key.name)") }
            #expect(Set(schema.keys.map(\.name)).count == schema.keys.count)
        }
        #expect(Set(Job.schemas.map(\.name)).count == Job.schemas.count)
    }
}
