import Common
import Lake
import TestSupport
import Testing

@testable import Ingest

/// What the author of a mapping is shown before anything is stored.
@Suite struct PreviewTests {
    /// A preview in short: each record's number, how it ends, and its cells as `column=value←origin`; then what is missing.
    private func previews(
        _ files: [String: String], _ sources: [String], records: Int = 5, choice: FileChoice = .all
    ) throws -> [String] {
        var found: [String] = []
        try withBench { bench in
            for (name, text) in files { try bench.put(name, Array(text.utf8)) }
            let order = IngestOrder(
                job: "kalei", data: bench.data, sources: try sources.map { try source($0) }, jobColumns: [],
                acceptFrom: try #require(Day("2026-01-01")), now: try #require(Instant("2026-11-16T00:30:00Z")), choice: choice)
            for preview in try preview(order, records: records) {
                found.append("\(preview.source) \(preview.file ?? "no file")")
                found += preview.records.map { record in
                    "\(record.number) \(record.outcome) "
                        + record.cells.map { "\($0.column)=\($0.value)←\($0.origin)" }.joined(separator: " ")
                }
                if let problem = preview.problem { found.append("problem: \(problem.message)") }
                if !preview.unread.isEmpty { found.append("unread: \(listed(preview.unread))") }
                if !preview.unfilled.isEmpty, preview.unfilled.count < 6 { found.append("unfilled: \(listed(preview.unfilled))") }
            }
            #expect(try bench.lake.parts(job: "kalei", log: .usage).isEmpty && bench.counts() == [])
        }
        return found
    }

    @Test("Every cell says which field it came from and what was done to it, and every record how it would end")
    func cells() throws {
        let lines = [
            #"{"when":1794182400000,"member":"u1","ref":"a","kind":"A","cents":5,"more":{"x":1,"y":{"z":2}},"list":[1]}"#,
            #"{"when":1762646400000,"ref":"b"}"#, #"{"when":1794182400000,"kind":"B","ref":"c"}"#, #"{"ref":"d"}"#, "{broken",
        ]
        let source =
            #"{ log: "texts", name: "s", files: "a.jsonl", where: { kind: { not: "B" } }, map: { id: ["none", "ref"], ts: { from: "when", time: "epoch_ms" }, user: "member", part: { constant: "p" }, text: { from: "kind", values: { A: "hello" } }, role: "more.x" } }"#
        #expect(
            try previews(["a.jsonl": lines.joined(separator: "\n")], [source]) == [
                "s a.jsonl",
                "1 accepted id=a←ref part=p←constant ts=2026-11-09T00:00:00Z←when, counted user=u1←member role=1←more.x text=hello←kind, by values",
                #"2 quarantined(reason: "missing_text", detail: "there is no text") "#, #"3 filtered(by: "kind") "#,
                #"4 quarantined(reason: "missing_ts", detail: "there is no ts") "#,
                #"5 quarantined(reason: "bad_json", detail: "the record lacks a key in quotes, at byte 1") "#,
                "unread: cents, more.y.z and list", "unfilled: tenant and session",
            ])
    }

    @Test("A row out of range is shown with its values")
    func outOfRange() throws {
        #expect(
            try previews(
                ["a.jsonl": #"{"id":"1","ts":"2020-01-01","text":"x","part":"p"}"#],
                [#"{ log: "texts", name: "s", files: "a.jsonl" }"#])[1]
                == "1 outOfRange id=1←id part=p←part ts=2020-01-01T00:00:00Z←ts text=x←text")
    }

    @Test("Elements of lists are shown as the records they are, and fields around them are read or not like any other")
    func elements() throws {
        let page =
            #"{"page":1,"data":[{"at":"2026-11-09","calls":[{"id":"a","n":1},{"id":"b","m":{"o":2}}],"note":"x"}],"who":"t"}"#
        let source =
            #"{ log: "usage", name: "s", files: "a.json", each: "data[].calls[]", map: { ts: "data[].at", tenant: "who" } }"#
        #expect(
            try previews(["a.json": page], [source]) == [
                "s a.json", "1 accepted id=a←data[].calls[].id ts=2026-11-09T00:00:00Z←data[].at tenant=t←who",
                "2 accepted id=b←data[].calls[].id ts=2026-11-09T00:00:00Z←data[].at tenant=t←who",
                "unread: page, data[].calls[].n, data[].calls[].m.o and data[].note",
            ])
    }

    @Test("Of a CSV file the header names what is not read, and JSON in a field counts as read where a part of it is")
    func csv() throws {
        let text = "id,ts,\"a \"\"b\"\"\",payload,empty\n1,2026-11-09,x,\"{\"\"model\"\":\"\"m\"\"}\",\n"
        #expect(
            try previews(["a.csv": text], [#"{ log: "usage", name: "s", files: "a.csv", map: { model: "payload.model" } }"#]) == [
                "s a.csv", "1 accepted id=1←id ts=2026-11-09T00:00:00Z←ts model=m←payload.model", #"unread: a "b" and empty"#,
            ])
    }

    @Test("Tokens that are counted in another way say so, and an id that is made is told")
    func tokens() throws {
        let line = #"{"ts":"2026-11-09","in":10,"cached":4,"out":1}"#
        let map = #"map: { input_tokens: "in", cache_read_tokens: "cached", output_tokens: { from: "out", scale: 1000 } }"#
        #expect(
            try previews(
                ["a.jsonl": line], [#"{ log: "usage", name: "s", files: "a.jsonl", input_includes_cache: true, \#(map) }"#])[1]
                == "1 accepted id=row-…←made from the row's values ts=2026-11-09T00:00:00Z←ts input_tokens=6←in, less cached tokens cache_read_tokens=4←cached output_tokens=1000←out, times 1000"
        )
    }

    @Test("So many records are shown, of the first file of each source, or of those that are named")
    func choice() throws {
        let files = ["b.jsonl": "{\"id\":\"3\"}\n", "a.jsonl": "{\"id\":\"1\"}\n{\"id\":\"2\"}\n", "c.jsonl": ""]
        let sources = [#"{ log: "usage", name: "s", files: "?.jsonl" }"#, #"{ log: "usage", name: "none", files: "x*" }"#]
        func shown(_ records: Int, _ choice: FileChoice) throws -> [String] {
            try previews(files, sources, records: records, choice: choice).map { String($0.prefix { $0 != "(" }) }
        }
        #expect(try shown(1, .all) == ["s a.jsonl", "1 quarantined", "none no file"])
        #expect(try shown(5, .all) == ["s a.jsonl", "1 quarantined", "2 quarantined", "none no file"])
        #expect(try shown(5, .only(["b.jsonl", "c.jsonl"])) == ["s b.jsonl", "1 quarantined", "s c.jsonl"])
    }

    @Test("What stands in the way of one source is told there, and the others are shown")
    func problems() throws {
        let files = ["a.csv": "x,y\n1,2\n", "users-new.jsonl": "{}\n", "b.jsonl": "{\"id\":\"1\",\"ts\":\"2026-11-09\"}\n"]
        let sources = [
            #"{ log: "usage", name: "c", files: "a.csv" }"#,
            #"{ log: "snapshots", name: "u", files: "users-*", map: { updated_at: { from_file_name: "users-YYYY-MM-DD" } } }"#,
            #"{ log: "usage", name: "b", files: "b.jsonl" }"#,
        ]
        let found = try previews(files, sources)
        #expect(found.count == 6)
        #expect(
            found[0] == "c a.csv" && found[1].hasPrefix("problem: The header has none of the columns that the job reads here."))
        #expect(found[2] == "u users-new.jsonl" && found[3].hasPrefix("problem: The name does not fit \"users-YYYY-MM-DD\""))
        #expect(found[4] == "b b.jsonl" && found[5] == "1 accepted id=1←id ts=2026-11-09T00:00:00Z←ts")
    }
}
