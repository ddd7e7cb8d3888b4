import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// What a field's value becomes in a column of each type, or why its record is refused.
@Suite struct ValueTests {
    /// What becomes of records that have these values in one column: the cell as text, or the reason. All are read at once.
    private static func stored(_ values: [String], in column: String, of log: Log = .usage, beside base: String) throws
        -> [String: String]
    {
        var found: [String: String] = [:]
        try withBench { bench in
            try bench.put("a.jsonl", values.enumerated().map { "{\"id\":\"\($0.offset)\",\(base),\"\(column)\":\($0.element)}" })
            try bench.ingest([#"{ log: "\#(log.rawValue)", name: "s", files: "a.jsonl" }"#])
            for row in try bench.rows(["source_record", column], of: log) {
                let parts = row.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
                found[values[try #require(Int(parts[0])) - 1]] = String(parts[1])
            }
            for refusal in try bench.quarantine() {
                found[values[(refusal["record"]?.int ?? 0) - 1]] = "(\(refusal["reason"]?.string ?? ""))"
            }
        }
        return found
    }

    private static let refused = "(bad_value)"
    private static let day = #""ts":"2026-11-09T10:00:00Z""#

    private static let countCases: [Case<String, String>] = [
        Case("nothing", "null", "null"), Case("zero", "0", "0"), Case("minus zero", "-0", "0"), Case("a number", "1234", "1234"),
        Case("a text", "\"1234\"", "1234"), Case("a text with leading zeros", "\"0012\"", "12"),
        Case("an exponent", "12e3", "12000"),
        Case("a fraction that is none", "5.000", "5"), Case("a negative exponent that cancels", "5000e-3", "5"),
        Case("eighteen digits", "123456789012345678", "123456789012345678"),
        Case("the greatest", "9223372036854775807", "9223372036854775807"),
        Case("one more", "9223372036854775808", refused), Case("an exponent too large", "1e19", refused),
        Case("an absurd exponent", "1e400", refused),
        Case("a fraction", "1.5", refused), Case("a negative number", "-1", refused), Case("a negative text", "\"-1\"", refused),
        Case("an empty text", "\"\"", refused), Case("true", "true", refused), Case("a list", "[1]", refused),
        Case("an object", "{}", refused),
    ]
    private static let storedCounts = Result { try stored(countCases.map(\.input), in: "output_tokens", of: .usage, beside: day) }

    @Test("A count is a whole number of 64 bits that is not negative, as a number or a text", arguments: countCases)
    func counts(_ row: Case<String, String>) throws { #expect(try ValueTests.storedCounts.get()[row.input] == row.expected) }

    /// X-11: a damaged number is refused with its file and record; what it may have meant is not guessed.
    private static let nearly = [
        "7090%", "2-3", "1e", " 12", "12 ", "+5", "0x10", "1,000", "1.000,5", "1_000", "NaN", "Infinity", "-", ".", "5.", ".5",
        "1e5.0", "٣", "１", "12\\u0000",
    ].map { "\"\($0)\"" }
    private static let storedNearly = Result {
        [try stored(nearly, in: "output_tokens", beside: day), try stored(nearly, in: "reported_cost", beside: day)]
    }

    @Test("A text that is nearly a number is refused, never read in part", arguments: nearly)
    func nearlyNumbers(_ text: String) throws {
        #expect(try ValueTests.storedNearly.get().map { $0[text] } == [ValueTests.refused, ValueTests.refused])
    }

    private static let decimalCases: [Case<String, String>] = [
        Case("nothing", "null", "null"), Case("a tenth", "0.1", "0.1"), Case("a text", "\"39.99\"", "39.99"),
        Case("a negative one", "-3.50", "-3.5"),
        Case("the smallest", "0.000000000001", "0.000000000001"), Case("the smallest, as an exponent", "1e-12", "0.000000000001"),
        Case("smaller", "0.0000000000001", refused), Case("zeros behind", "1.50000000000000000", "1.5"),
        Case("what binary floats print", "0.30000000000000004", refused),
        Case("38 digits", "99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"),
        Case("38 digits below zero", "-99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999"),
        Case("39 digits", "100000000000000000000000000", refused),
        Case("39 digits below zero", "-100000000000000000000000000", refused),
        Case("an exponent too large", "1e30", refused), Case("an exponent", "2.5E+3", "2500"),
        Case("an empty text", "\"\"", refused), Case("false", "false", refused),
    ]
    private static let storedDecimals = Result {
        try stored(decimalCases.map(\.input), in: "reported_cost", of: .usage, beside: day)
    }

    @Test("A decimal keeps twelve places exactly, and may be negative", arguments: decimalCases)
    func decimals(_ row: Case<String, String>) throws { #expect(try ValueTests.storedDecimals.get()[row.input] == row.expected) }

    private static let flagCases: [Case<String, String>] = [
        Case("nothing", "null", "null"), Case("true", "true", "true"), Case("false", "false", "false"),
        Case("t", "\"t\"", "true"), Case("f", "\"f\"", "false"),
        Case("true as a text", "\"true\"", "true"), Case("false as a text", "\"false\"", "false"), Case("T", "\"T\"", refused),
        Case("one", "1", refused),
        Case("yes", "\"yes\"", refused), Case("an empty text", "\"\"", refused),
    ]
    private static let storedFlags = Result { try stored(flagCases.map(\.input), in: "crisis", of: .sessions, beside: day) }

    @Test("A flag is true or false, or as databases print it", arguments: flagCases)
    func flags(_ row: Case<String, String>) throws { #expect(try ValueTests.storedFlags.get()[row.input] == row.expected) }

    private static let timeCases: [Case<String, String>] = [
        Case("UTC", "\"2026-11-09T06:12:33Z\"", "2026-11-09T06:12:33Z"),
        Case("small letters", "\"2026-11-09t06:12:33z\"", "2026-11-09T06:12:33Z"),
        Case("as PostgreSQL prints it", "\"2026-11-09 06:12:33.120045+00\"", "2026-11-09T06:12:33.120045Z"),
        Case("as Prisma prints it", "\"2026-11-09T06:12:33.120Z\"", "2026-11-09T06:12:33.120000Z"),
        Case("east", "\"2026-11-09T00:12:33+01:00\"", "2026-11-08T23:12:33Z"),
        Case("east without a colon", "\"2026-11-09T00:12:33+0530\"", "2026-11-08T18:42:33Z"),
        Case("west", "\"2026-11-09T23:12:33-01\"", "2026-11-10T00:12:33Z"),
        Case("nine places, cut after the sixth", "\"2026-11-09T06:12:33.123456789Z\"", "2026-11-09T06:12:33.123456Z"),
        Case("a leap day", "\"2028-02-29T00:00:00Z\"", "2028-02-29T00:00:00Z"),
        Case("before 1970", "\"1969-12-31T23:59:59.999999Z\"", "1969-12-31T23:59:59.999999Z"),
        Case("a day", "\"2026-11-09\"", "2026-11-09T00:00:00Z"), Case("nothing", "null", "null"),
        Case("no offset", "\"2026-11-09T06:12:33\"", refused), Case("no seconds", "\"2026-11-09T06:12Z\"", refused),
        Case("ten places", "\"2026-11-09T06:12:33.1234567891Z\"", refused),
        Case("hour 24", "\"2026-11-09T24:00:00Z\"", refused), Case("a leap second", "\"2016-12-31T23:59:60Z\"", refused),
        Case("30 February", "\"2026-02-30T00:00:00Z\"", refused),
        Case("29 February of another year", "\"2026-02-29\"", refused), Case("month 13", "\"2026-13-01T00:00:00Z\"", refused),
        Case("seconds since 1970", "1794204753", refused),
        Case("a German day", "\"09.11.2026\"", refused), Case("a week", "\"2026-W46\"", refused),
        Case("an empty text", "\"\"", refused), Case("a space behind", "\"2026-11-09 \"", refused),
    ]
    private static let storedTimes = Result {
        try stored(
            timeCases.map(\.input), in: "period_end", of: .meters,
            beside: #""metric":"users","value":1,"period_start":"2026-11-09""#)
    }

    @Test("A time is RFC 3339 with an offset, or a whole day", arguments: timeCases)
    func times(_ row: Case<String, String>) throws { #expect(try ValueTests.storedTimes.get()[row.input] == row.expected) }

    private static let textCases: [Case<String, String>] = [
        Case("nothing", "null", "null"), Case("an empty text", "\"\"", ""), Case("letters", "\"mirror\"", "mirror"),
        Case("an escape", #""a\u00e9\n\"b\"""#, "aé\n\"b\""),
        Case("a pair", #""\ud83d\ude00""#, "😀"), Case("a number, as written", "1.50", "1.50"), Case("a flag", "true", "true"),
        Case("a list", #"[ "a", 1.50 ]"#, #"["a",1.50]"#),
        Case("an object, its keys sorted", #"{"b":1,"a":{"d":null,"c":true}}"#, #"{"a":{"c":true,"d":null},"b":1}"#),
        Case("hostile text", #""<script>=HYPERLINK(\u001b[31m""#, "<script>=HYPERLINK(\u{1b}[31m"),
    ]
    private static let storedTexts = Result { try stored(textCases.map(\.input), in: "feature", of: .usage, beside: day) }

    @Test("A text is kept as it is; what is no text is kept as its JSON", arguments: textCases)
    func texts(_ row: Case<String, String>) throws { #expect(try ValueTests.storedTexts.get()[row.input] == row.expected) }

    @Test("The quarantine says which column had what, and what it should have been")
    func details() throws {
        try withBench { bench in
            let lines = [
                #"{"id":"1","ts":"2026-11-09T10:00:00Z","output_tokens":"7090%"}"#,
                #"{"id":"2","ts":"2026-11-09T10:00:00Z","output_tokens":-5}"#,
                #"{"id":"3","ts":1794204753}"#, #"{"id":"4","ts":"2026-11-09T10:00:00Z","reported_cost":[1]}"#, #"{"id":"5"}"#,
                #"{"id":"6","ts":null}"#,
            ]
            try bench.put("a.jsonl", lines)
            try bench.ingest([usageSource])
            #expect(
                try bench.quarantine().map { "\($0["reason"]?.string ?? ""): \($0["detail"]?.string ?? "")" } == [
                    "bad_value: output_tokens is a text, which is no whole number, or negative, or too large",
                    "bad_value: output_tokens is a number, which is no whole number, or negative, or too large",
                    "bad_value: ts is a number, which is no time; say in map how it counts, such as time: \"epoch_s\"",
                    "bad_value: reported_cost is a list, which is no decimal with at most 26 digits before the point and 12 behind it",
                    "missing_ts: there is no ts", "missing_ts: there is no ts",
                ])
        }
    }

    @Test(
        "A row cannot be without what its log requires",
        arguments: [
            Case("a usage row without a time", (Log.usage, #""id":"1""#), "missing_ts"),
            Case("a meter without a value", (.meters, #""metric":"m","period_start":"2026-11-09""#), "missing_value"),
            Case("a meter without its period", (.meters, #""metric":"m","value":1"#), "missing_ts"),
            Case("a charge without a currency", (.charges, #""ts":"2026-11-09","amount":1"#), "missing_currency"),
            Case("a payment without an amount", (.payments, #""ts":"2026-11-09","currency":"USD""#), "missing_gross"),
            Case("a snapshot without an id", (.snapshots, #""kind":"user","updated_at":"2026-11-09""#), "missing_id"),
            Case("a text without its part", (.texts, #""id":"1","ts":"2026-11-09","text":"hello""#), "missing_part"),
        ])
    func required(_ row: Case<(Log, String), String>) throws {
        try withBench { bench in
            try bench.put("a.jsonl", ["{\(row.input.1)}"])
            try bench.ingest([#"{ log: "\#(row.input.0.rawValue)", name: "s", files: "a.jsonl" }"#])
            #expect(try bench.refusals() == ["a.jsonl:1 \(row.expected)"])
        }
    }
}
