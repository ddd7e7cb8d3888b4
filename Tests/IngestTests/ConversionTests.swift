import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Values that are changed on their way into a column: translated, checked, scaled.
@Suite struct ConversionTests {
    @Test(
        "Values are translated; one that is not named stays as it is, or becomes what otherwise says",
        arguments: [
            Case("a text", ("\"A\"", #"values: { A: "a" }"#), "a"), Case("another one", ("\"B\"", #"values: { A: "a" }"#), "B"),
            Case("otherwise", ("\"B\"", #"values: { A: "a" }, otherwise: "z""#), "z"),
            Case("a named one before otherwise", ("\"A\"", #"values: { A: "a" }, otherwise: "z""#), "a"),
            Case("nothing has no otherwise", ("null", #"values: { A: "a" }, otherwise: "z""#), "null"),
            Case("an escaped text", ("\"\\u0041\"", #"values: { A: "a" }"#), "a"),
            Case("a number, by its digits", ("1", #"values: { "1": "one", "1.0": "other" }"#), "one"),
            Case("a number written otherwise", ("1.0", #"values: { "1": "one" }"#), "1.0"),
            Case("a flag", ("true", #"values: { true: "yes" }"#), "yes"),
            Case("the empty text", ("\"\"", #"values: { "": "none" }"#), "none"),
            Case("letters of another case", ("\"a\"", #"values: { A: "x" }"#), "a"),
            Case("a translation is not translated again", ("\"A\"", #"values: { A: "B", B: "C" }"#), "B"),
            Case("beyond ASCII", ("\"Günlük\"", #"values: { "Günlük": "daily" }"#), "daily"),
            Case("one of", ("\"A\"", #"one_of: ["A", "B"]"#), "A"),
            Case("none of them", ("\"C\"", #"one_of: ["A", "B"]"#), "bad_value: status is none of A and B"),
            Case("one of, after the translation", ("\"x\"", #"values: { x: "A" }, one_of: ["A"]"#), "A"),
            Case(
                "none of them, after the translation", ("\"y\"", #"values: { x: "A" }, one_of: ["A"]"#),
                "bad_value: status is none of A"),
            Case("one of, after otherwise", ("\"y\"", #"values: { x: "A" }, otherwise: "B", one_of: ["A", "B"]"#), "B"),
            Case("nothing may be missing of one of", ("null", #"one_of: ["A"]"#), "null"),
        ] as [Case<(String, String), String>])
    func values(_ row: Case<(String, String), String>) throws {
        let rule = #"{ from: "field", \#(row.input.1) }"#
        #expect(try outcomes([row.input.0], of: "status", under: rule) == [row.expected])
    }

    @Test("Translated values go into columns of every type")
    func types() throws {
        #expect(
            try outcomes(
                ["\"yes\"", "\"no\""], of: "crisis", under: #"{ from: "field", values: { yes: "true", no: "f" } }"#,
                log: .sessions)
                == ["true", "false"])
        #expect(
            try outcomes(["\"few\"", "12"], of: "words", under: #"{ from: "field", values: { few: "3" } }"#, log: .sessions) == [
                "3", "12",
            ])
        #expect(
            try outcomes(
                ["\"high\"", "\"low\""], of: "score", under: #"{ from: "field", values: { high: "0.9" } }"#, log: .sessions) == [
                    "0.9",
                    "bad_value: score is a text, which is no decimal with at most 26 digits before the point and 12 behind it",
                ])
    }

    private static let refused =
        "bad_value: reported_cost is a number, which is no decimal with at most 26 digits before the point and 12 behind it"

    @Test(
        "A scale multiplies exactly, or the record is refused",
        arguments: [
            Case("cents", ("1099", "0.01"), "10.99"), Case("a number as the factor", ("1099", "0.010"), "10.99"),
            Case("a text", ("\"1099\"", "0.01"), "10.99"), Case("a negative number", ("-5", "0.01"), "-0.05"),
            Case("micro-units", ("1234567", "1e-6"), "1.234567"), Case("a factor above one", ("0.5", "1000"), "500"),
            Case("a negative factor", ("5", "-1"), "-5"), Case("nothing", ("null", "0.01"), "null"),
            Case("zero", ("0", "0.01"), "0"),
            Case("what no binary number is", ("3", "0.1"), "0.3"),
            Case("the last place", ("1", "0.000000000001"), "0.000000000001"),
            Case("behind the last place", ("0.1", "0.000000000001"), refused),
            Case("26 digits", ("9999999999999999999999999999", "0.01"), "99999999999999999999999999.99"),
            Case("too large", ("99999999999999999999999999", "10"), refused),
            Case("a product of more than 38 digits", ("12345678901234567890.123456789", "1.000000000000000000001"), refused),
        ] as [Case<(String, String), String>])
    func decimals(_ row: Case<(String, String), String>) throws {
        let rule = #"{ from: "field", scale: "\#(row.input.1)" }"#
        #expect(try outcomes([row.input.0], of: "reported_cost", under: rule) == [row.expected])
    }

    @Test("A scaled count must come out whole, and not below zero")
    func wholeNumbers() throws {
        let values = [
            "1.5", "1.2345", "0.001", "\"2\"", "-1", "9223372036854775.807", "9223372036854775.808", "true", "\"1 s\"", "[1]",
        ]
        let reason = "which is no whole number, or negative, or too large"
        #expect(
            try outcomes(values, of: "latency_ms", under: #"{ from: "field", scale: 1000 }"#) == [
                "1500", "bad_value: latency_ms is a number, \(reason)", "1", "2000",
                "bad_value: latency_ms is a number, \(reason)",
                "9223372036854775807", "bad_value: latency_ms is a number, \(reason)",
                "bad_value: latency_ms is true or false, \(reason)", "bad_value: latency_ms is a text, \(reason)",
                "bad_value: latency_ms is a list, \(reason)",
            ])
    }

    @Test("A translation comes before the scale")
    func both() throws {
        #expect(
            try outcomes(
                ["\"free\"", "250"], of: "reported_cost", under: #"{ from: "field", values: { free: "0" }, scale: "0.01" }"#) == [
                    "0", "2.5",
                ])
    }

    @Test("Of several fields the first present one is changed")
    func alternatives() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [
                    #"{"id":"1","ts":"2026-11-09","cents":5,"other":7}"#, #"{"id":"2","ts":"2026-11-09","cents":null,"other":7}"#,
                    #"{"id":"3","ts":"2026-11-09"}"#,
                ])
            try bench.ingest([
                #"{ log: "usage", name: "s", files: "a.jsonl", map: { reported_cost: { from: ["cents", "other"], scale: "0.01" } } }"#
            ])
            #expect(try bench.rows(["reported_cost"]) == ["0.05", "0.07", "null"])
        }
    }
}

/// What becomes of values in the field `field` of one record each: the cell of a column as text, or the reason and detail.
func outcomes(
    _ values: [String], of column: String, under rule: String, log: Log = .usage, beside base: String = #""ts":"2026-11-09""#,
    source keys: String = "", acceptFrom: String = "2026-01-01", now: String = "2026-11-16T00:30:00Z"
) throws -> [String] {
    var found = [String](repeating: "lost", count: values.count)
    try withBench { bench in
        try bench.put("a.jsonl", values.enumerated().map { "{\"id\":\"\($0.offset)\",\(base),\"field\":\($0.element)}" })
        let report = try bench.ingest(
            [#"{ log: "\#(log.rawValue)", name: "s", files: "a.jsonl", map: { \#(column): \#(rule) } \#(keys) }"#],
            acceptFrom: acceptFrom, now: now)
        #expect(report.counts.records == values.count)
        for row in try bench.rows(["source_record", column], of: log) {
            let parts = row.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            found[try #require(Int(parts[0])) - 1] = String(parts[1])
        }
        for refusal in try bench.quarantine() {
            found[(refusal["record"]?.int ?? 0) - 1] = "\(refusal["reason"]?.string ?? ""): \(refusal["detail"]?.string ?? "")"
        }
    }
    return found
}
