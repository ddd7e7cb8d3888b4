import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Times that are numbers, and times that were written in a zone.
@Suite struct TimeTests {
    /// What becomes of values in a time column that decides nothing else, with everything accepted.
    private func times(_ values: [String], _ rule: String) throws -> [String] {
        try outcomes(
            values, of: "period_end", under: #"{ from: "field", \#(rule) }"#, log: .meters,
            beside: #""metric":"m","value":1,"period_start":"2026-11-09""#)
    }

    private static let refused = "bad_value: period_end is a number, which is no time"

    @Test(
        "A number counts from 1970 in its unit; what is below a microsecond is cut off",
        arguments: [
            Case("seconds", ("1794204753", "epoch_s"), "2026-11-09T06:12:33Z"),
            Case("seconds as a text", ("\"1794204753\"", "epoch_s"), "2026-11-09T06:12:33Z"),
            Case("seconds with a fraction", ("1794204753.120045", "epoch_s"), "2026-11-09T06:12:33.120045Z"),
            Case("a text with a fraction", ("\"1794204753.5\"", "epoch_s"), "2026-11-09T06:12:33.500000Z"),
            Case("seven places", ("1794204753.1234567", "epoch_s"), "2026-11-09T06:12:33.123456Z"),
            Case("an exponent", ("1.794204753e9", "epoch_s"), "2026-11-09T06:12:33Z"),
            Case("milliseconds", ("1794204753120", "epoch_ms"), "2026-11-09T06:12:33.120000Z"),
            Case("milliseconds with a fraction", ("1794204753120.0459", "epoch_ms"), "2026-11-09T06:12:33.120045Z"),
            Case("microseconds", ("1794204753120045", "epoch_us"), "2026-11-09T06:12:33.120045Z"),
            Case("nanoseconds", ("1794204753120045999", "epoch_ns"), "2026-11-09T06:12:33.120045Z"),
            Case("nanoseconds as a text", ("\"1794204753120045001\"", "epoch_ns"), "2026-11-09T06:12:33.120045Z"),
            Case("zero", ("0", "epoch_s"), "1970-01-01T00:00:00Z"),
            Case("minus zero", ("-0", "epoch_ms"), "1970-01-01T00:00:00Z"),
            Case("before 1970", ("-1", "epoch_s"), "1969-12-31T23:59:59Z"),
            Case(
                "a fraction before 1970, cut off towards the past as in written times", ("-0.0000001", "epoch_s"),
                "1969-12-31T23:59:59.999999Z"),
            Case("the last second of the year 9999", ("253402300799", "epoch_s"), "9999-12-31T23:59:59Z"),
            Case("the first one after it", ("253402300800", "epoch_s"), refused),
            Case("milliseconds taken for seconds", ("1794204753120", "epoch_s"), refused),
            Case("thousands of years ago", ("-253402300800", "epoch_s"), refused),
            Case("absurdly many digits", ("99999999999999999999999999999999999999", "epoch_ns"), refused),
            Case("an absurd exponent", ("1e300", "epoch_s"), refused), Case("nothing", ("null", "epoch_s"), "null"),
            Case("a written time", ("\"2026-11-09T06:12:33Z\"", "epoch_s"), "bad_value: period_end is a text, which is no time"),
            Case("an empty text", ("\"\"", "epoch_s"), "bad_value: period_end is a text, which is no time"),
            Case("a text with a space", ("\"1794204753 \"", "epoch_s"), "bad_value: period_end is a text, which is no time"),
            Case("a flag", ("true", "epoch_s"), "bad_value: period_end is true or false, which is no time"),
            Case("a list", ("[1794204753]", "epoch_s"), "bad_value: period_end is a list, which is no time"),
        ] as [Case<(String, String), String>])
    func epochs(_ row: Case<(String, String), String>) throws {
        #expect(try times([row.input.0], #"time: "\#(row.input.1)""#) == [row.expected])
    }

    @Test(
        "A number may count from a moment of its own",
        arguments: [
            Case(
                "milliseconds since the year began", ("86400000", #"since: "2026-01-01T00:00:00Z", unit: "ms""#),
                "2026-01-02T00:00:00Z"),
            Case(
                "seconds since a local midnight", ("60.5", #"since: "2026-01-01T00:00:00+01:00", unit: "s""#),
                "2025-12-31T23:01:00.500000Z"),
            Case("microseconds", ("1", #"since: "2026-01-01T00:00:00Z", unit: "us""#), "2026-01-01T00:00:00.000001Z"),
            Case("nanoseconds, cut off", ("-1", #"since: "2026-01-01T00:00:00Z", unit: "ns""#), "2025-12-31T23:59:59.999999Z"),
            Case("beyond the year 9999", ("253402300799", #"since: "2026-01-01T00:00:00Z", unit: "s""#), refused),
        ] as [Case<(String, String), String>])
    func since(_ row: Case<(String, String), String>) throws {
        #expect(try times([row.input.0], "time: { \(row.input.1) }") == [row.expected])
    }

    @Test(
        "A time without an offset is read by the clocks of its zone",
        .enabled(if: exists("/usr/share/zoneinfo/Europe/Berlin"), "no time zone database is installed"),
        arguments: [
            Case("in winter", ("2026-11-09 06:12:33", "Europe/Berlin"), "2026-11-09T05:12:33Z"),
            Case("in summer", ("2026-07-09T06:12:33.25", "Europe/Berlin"), "2026-07-09T04:12:33.250000Z"),
            Case("with an offset, which goes before the zone", ("2026-11-09T06:12:33Z", "Europe/Berlin"), "2026-11-09T06:12:33Z"),
            Case("where clocks never change", ("2026-11-09 06:12:33", "Asia/Tashkent"), "2026-11-09T01:12:33Z"),
            Case("UTC", ("2026-11-09 06:12:33", "UTC"), "2026-11-09T06:12:33Z"),
            Case(
                "the hour that comes twice is its first coming", ("2026-10-25 02:30:00", "Europe/Berlin"), "2026-10-25T00:30:00Z"),
            Case("just before it", ("2026-10-25 01:59:59.999999", "Europe/Berlin"), "2026-10-24T23:59:59.999999Z"),
            Case("just after it", ("2026-10-25 03:00:00", "Europe/Berlin"), "2026-10-25T02:00:00Z"),
            Case(
                "the hour that is skipped is read by the clock before", ("2026-03-29 02:30:00", "Europe/Berlin"),
                "2026-03-29T01:30:00Z"),
            Case("its second coming needs an offset", ("2026-10-25T02:30:00+01:00", "Europe/Berlin"), "2026-10-25T01:30:00Z"),
            Case("a day begins at its midnight", ("2026-11-09", "Europe/Berlin"), "2026-11-08T23:00:00Z"),
            Case(
                "a day whose midnight is skipped begins with the change", ("2026-09-06", "America/Santiago"),
                "2026-09-06T04:00:00Z"),
            Case("before zones were fixed", ("1890-01-01 00:00:00", "Europe/Berlin"), "1889-12-31T23:06:32Z"),
            Case("long after the table of the zone", ("2095-07-01 12:00:00", "Europe/Berlin"), "2095-07-01T10:00:00Z"),
            Case("no time at all", ("noon", "Europe/Berlin"), "bad_value: period_end is a text, which is no time"),
            Case(
                "a day that there is not", ("2026-02-30 06:12:33", "Europe/Berlin"),
                "bad_value: period_end is a text, which is no time"),
        ] as [Case<(String, String), String>])
    func zones(_ row: Case<(String, String), String>) throws {
        #expect(try times(["\"\(row.input.0)\""], #"zone: "\#(row.input.1)""#) == [row.expected])
        // The source's zone is that of every rule that has none of its own, and a rule's goes before it.
        let base = #""metric":"m","value":1,"period_start":"2026-11-09""#
        for rule in [#""field""#, #"["none", "field"]"#, #"{ from: "field" }"#, #"{ from: "field", zone: "\#(row.input.1)" }"#] {
            let zone = rule.contains("zone") ? "Pacific/Apia" : row.input.1
            #expect(
                try outcomes(
                    ["\"\(row.input.0)\""], of: "period_end", under: rule, log: .meters, beside: base,
                    source: #", zone: "\#(zone)""#) == [
                        row.expected
                    ])
        }
    }

    @Test("The row's own time is read by the same rules, and decides its day")
    func ownTime() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl",
                [
                    #"{"id":"1","at":"2026-11-09 00:30:00"}"#, #"{"id":"2","ms":1794204753120}"#,
                    #"{"id":"3","at":"\u0032026-11-09 12:00:00"}"#,
                ])
            try bench.ingest([
                #"{ log: "usage", name: "z", files: "a.jsonl", zone: "Europe/Berlin", where: { at: { present: true } }, map: { ts: "at" } }"#,
                #"{ log: "sessions", name: "e", files: "a.jsonl", where: { ms: { present: true } }, map: { ts: { from: "ms", time: "epoch_ms" } } }"#,
            ])
            #expect(try bench.rows(["id", "ts"]) == ["1|2026-11-08T23:30:00Z", "3|2026-11-09T11:00:00Z"])
            #expect(try bench.rows(["id", "ts"], of: .sessions) == ["2|2026-11-09T06:12:33.120000Z"])
            #expect(try bench.lake.parts(job: "kalei", log: .usage).map(\.day.description) == ["2026-11-08", "2026-11-09"])
        }
    }

    @Test("A refused time says what to add to the job")
    func advice() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl", [#"{"ts":"2026-11-09 06:12:33"}"#, #"{"ts":1794204753}"#, #"{"ts":"9.11.2026"}"#, #"{"ts":true}"#])
            try bench.ingest([#"{ log: "usage", name: "s", files: "a.jsonl" }"#])
            #expect(
                try bench.quarantine().map { $0["detail"]?.string } == [
                    "ts is a text, which is no time: it lacks an offset; say with zone where it was written",
                    "ts is a number, which is no time; say in map how it counts, such as time: \"epoch_s\"",
                    "ts is a text, which is no time", "ts is true or false, which is no time",
                ])
        }
    }

    @Test("Rows before 1970 are stored where the job accepts them, and are out of range where it does not")
    func before1970() throws {
        for (acceptFrom, expected) in [("1900-01-01", ["1969-12-31T23:59:58.500000Z"]), ("2026-01-01", [])] {
            try withBench { bench in
                try bench.put("a.jsonl", [#"{"id":"1","t":-1.5}"#])
                let report = try bench.ingest(
                    [#"{ log: "usage", name: "s", files: "a.jsonl", map: { ts: { from: "t", time: "epoch_s" } } }"#],
                    acceptFrom: acceptFrom)
                #expect(try bench.rows(["ts"]) == expected)
                #expect(report.counts.accepted == expected.count && report.counts.outOfRange == 1 - expected.count)
            }
        }
    }

    @Test("A constant time may be written in the source's zone")
    func constants() throws {
        try withBench { bench in
            try bench.put("a.jsonl", [#"{"id":"1"}"#])
            try bench.ingest([
                #"{ log: "usage", name: "s", files: "a.jsonl", zone: "Europe/Berlin", map: { ts: { constant: "2026-11-09 00:30:00" } } }"#
            ])
            #expect(try bench.rows(["ts"]) == ["2026-11-08T23:30:00Z"])
        }
    }
}
