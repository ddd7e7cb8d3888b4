import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// Texts whose UTF-8 was taken for Windows-1252 and encoded once more.
@Suite struct EncodingTests {
    @Test(
        "A text that was encoded twice becomes what it was",
        arguments: [
            Case("Turkish", "GÃ¼nlÃ¼k", "Günlük"),
            Case("Turkish letters of Latin Extended-A", "ÅŸifre deÄŸiÅŸti", "şifre değişti"),
            Case("German", "GrÃ¶ÃŸe", "Größe"), Case("French", "dÃ©jÃ\u{a0} vu", "déjà vu"),
            Case(
                "curly quotes, whose bytes have characters of their own in Windows-1252", "â€œyesâ€\u{9d}, itâ€™s", "“yes”, it’s"),
            Case("a dash and an ellipsis", "one â€“ twoâ€¦", "one – two…"), Case("a euro sign", "5 â‚¬", "5 €"),
            Case("an emoji", "ðŸ˜€", "😀"), Case("a no-break space", "aÂ\u{a0}b", "a\u{a0}b"),
        ])
    func repaired(_ row: Case<String, String>) throws {
        #expect(row.input.withContiguousUTF8 { repairedEncoding($0) }.map { String(decoding: $0, as: UTF8.self) } == row.expected)
    }

    @Test(
        "A text that was not encoded twice stays as it is",
        arguments: [
            "", "plain", "Günlük", "Größe", "déjà vu", "“yes”, it’s", "Ã", "SÃO PAULO", "Â", "naïve Âme", "£5 ©", "日本語", "😀",
            "ÃŸ und ß",
            "GÃ¼nlÃ¼k 日本", "\u{c3}\u{28}", "À la carte",
        ])
    func untouched(_ text: String) { #expect(text.withContiguousUTF8 { repairedEncoding($0) } == nil) }

    @Test("Texts are put right where the source says so, and counted where their rows are kept")
    func counts() throws {
        try withBench { bench in
            let source =
                #"{ log: "sessions", name: "s", files: "a.jsonl", repair_encoding: true, where: { keep: true }, map: { outcome: { from: "o", values: { "Ã¼": "u" } } } }"#
            let lines = [
                #"{"id":"1","ts":"2026-11-09T10:00:00Z","keep":true,"label":"GÃ¼nlÃ¼k","style":"Gr\u00c3\u00b6\u00c3\u0178e","outcome":"-"}"#,
                #"{"id":"2","ts":"2026-11-09T11:00:00Z","keep":true,"label":"Günlük","o":"Ã¼"}"#,
                #"{"id":"3","ts":"2026-11-09T12:00:00Z","keep":false,"label":"GÃ¼nlÃ¼k"}"#,
                #"{"id":"4","ts":"2020-11-09T12:00:00Z","keep":true,"label":"GÃ¼nlÃ¼k"}"#,
                #"{"id":"5","keep":true,"label":"GÃ¼nlÃ¼k"}"#,
                #"{"id":"6","ts":"2026-11-09T13:00:00Z","keep":true,"label":"GÃ¼nlÃ¼k","words":"many"}"#,
            ]
            try bench.put("a.jsonl", lines)
            let summary =
                "accepted 2 · out of range 1 · filtered 1 · quarantined 2 (1 bad_value, 1 missing_ts) · 2 texts repaired"
            #expect(try bench.ingest([source]).counts.summary == summary)
            #expect(
                try bench.rows(["id", "label", "style", "outcome"], of: .sessions) == ["1|Günlük|Größe|null", "2|Günlük|null|u"])
            // A grown file is counted on, not anew.
            try bench.put("a.jsonl", lines + [#"{"id":"7","ts":"2026-11-09T14:00:00Z","keep":true,"label":"ÅŸ"}"#])
            #expect(try bench.ingest([source]).counts.summary == "accepted 1 · 1 text repaired")
        }
    }

    @Test("Without the key nothing is changed")
    func off() throws {
        #expect(try outcomes(["\"GÃ¼nlÃ¼k\""], of: "label", under: #""field""#, log: .sessions) == ["GÃ¼nlÃ¼k"])
    }

    @Test("Attributes are put right too, at any depth")
    func attributes() throws {
        try withBench { bench in
            try bench.put(
                "a.jsonl", [#"{"id":"1","at":"2026-11-09","name":"GÃ¼nlÃ¼k","more":{"list":["Gr\u00c3\u00b6\u00c3\u0178e",1]}}"#])
            let report = try bench.ingest([
                #"{ log: "snapshots", name: "s", kind: "user", files: "a.jsonl", repair_encoding: true, map: { updated_at: "at", attributes: ["name", "more"] } }"#
            ])
            #expect(try bench.rows(["attributes"], of: .snapshots) == [#"{"more":{"list":["Größe",1]},"name":"Günlük"}"#])
            #expect(report.counts.repaired == 2)
        }
    }
}
