import Common
import Testing

/// `vesper init`.
@Suite(.timeLimit(.minutes(10))) struct InitTests {
    private static let now = "--now=2026-11-17T12:00:00Z"
    private static let products = ((try? names(in: repository + "/SampleData")) ?? []).filter { !$0.hasPrefix(".") }

    /// What the preview of a job shows of each of its sources.
    private func previews(_ job: String, _ data: [String], in folder: String) throws -> [JSON] {
        let shown = try call(builtProgram, ["ingest", job, "--preview=20", "--format=json", Self.now] + data, in: folder)
        #expect(shown.code == 0, "\(shown.talk)\(shown.output.prefix(2000))")
        return try parseJSON(Array(shown.output.utf8), path: "preview")["sources"]?.array ?? []
    }

    @Test(arguments: products)
    func `a job is proposed for every product's exports, and works at once`(_ product: String) throws {
        let folder = try TemporaryFolder()
        let data = repository + "/SampleData/" + product
        let made = try call(builtProgram, ["init", "jobs", "--from", data, "--format=json", Self.now], in: folder.path)
        try #require(made.code == 0, "\(made.talk)")
        #expect(
            made.talk
                == "note: jobs/\(product).json5 is written. Read it, then look at its rows: vesper ingest jobs/\(product).json5 --preview --data \(data)\n"
        )
        #expect(try names(in: folder.path) == ["jobs"] && names(in: folder.path + "/jobs") == ["\(product).json5"])
        let sources = try previews("jobs/\(product).json5", ["--data=\(data)"], in: folder.path)
        let dumps = try names(in: data).filter { kind(of: data + "/" + $0) == .folder && $0 != "late" }
        #expect(sources.count >= dumps.count, "every dump has an entry")
        for source in sources {
            let name = source["source"]?.string ?? ""
            #expect(source["problem"] == .null, "\(name)")
            let outcomes = source["records"]?.array?.map { $0["outcome"]?.string ?? "" } ?? []
            let rows = outcomes.count { $0 == "accepted" || $0 == "out_of_range" }
            #expect(rows * 10 >= outcomes.count * 9, "\(name): \(rows) of \(outcomes.count) records become rows")
        }
    }

    @Test(arguments: products)
    func `a job is proposed for each of its dumps alone`(_ product: String) throws {
        let folder = try TemporaryFolder()
        let data = repository + "/SampleData/" + product
        for dump in try names(in: data) where kind(of: data + "/" + dump) == .folder {
            guard let file = try names(in: data + "/" + dump).last else { continue }
            let made = try call(
                builtProgram, ["init", "\(dump)-job", "--from=\(data)/\(dump)/\(file)", Self.now], in: folder.path)
            try #require(made.code == 0, "\(dump): \(made.talk)")
            let sources = try previews("\(dump)-job/\(jobFile(dump))", [file, "--data=\(data)/\(dump)"], in: folder.path)
            #expect(!sources.isEmpty && sources.allSatisfy { $0["problem"] == .null }, "\(dump)")
            #expect(sources.allSatisfy { $0["records"]?.array?.isEmpty == false }, "\(dump)")
        }
    }

    private func jobFile(_ dump: String) -> String { "\(dump.lowercased())-job.json5" }

    @Test func `exports beside the job file need no data folder`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            #"{"id":"1","createdAt":1794204753,"model":"m","promptTokens":5,"completionTokens":6}"# + "\n",
            to: "acme/in/calls.jsonl")
        let made = try call(builtProgram, ["init", "acme", "--from", "acme/in/calls.jsonl", Self.now], in: folder.path)
        #expect(made.code == 0)
        #expect(
            made.output == """
                Source  Log    File            Records  Rows  Why not
                ──────  ─────  ──────────────  ───────  ────  ───────
                calls   usage  in/calls.jsonl        1     1

                """)
        let text = try readText(folder.path + "/acme/acme.json5", as: "job")
        #expect(text.contains(#"log: "usage", name: "calls", files: "in/calls.jsonl","#))
        #expect(text.contains(#"ts: { from: "createdAt", time: "epoch_s" },  // so the first is 2026-11-09T06:12:33Z"#))
        #expect(text.contains(#"starts: "2026-11-09","#) && text.contains("The models seen: m."))
        #expect(try previews("acme/acme.json5", [], in: folder.path).count == 1)
        let run = try call(builtProgram, ["run", "acme/acme.json5", "--home=home", Self.now], in: folder.path)
        #expect(run.code == 0, "\(run.talk)")
    }

    @Test func `names and values of an export cannot break out of the job file`() throws {
        let folder = try TemporaryFolder()
        let hostile = "a\u{2028}}]\\n*/ // \u{202e}\u{1b}[2J \"'`"
        let record: JSON = .fields([
            "ts": .string("2026-11-09"), hostile: .string(hostile), "model": .string("m\u{2028}, evil: 1"),
            "input_tokens": .int(1), "output_tokens": .int(2),
        ])
        try folder.write(record.text + "\n", to: "x/\u{2028} calls' \"\n-2026.jsonl")
        let made = try call(builtProgram, ["init", "job", "--from=x", Self.now], in: folder.path)
        #expect(made.code == 0, "\(made.talk)")
        #expect(!actsOnTerminal(made.output) && !actsOnTerminal(made.talk))
        let text = try readText(folder.path + "/job/x.json5", as: "job")
        #expect(!actsOnTerminal(text))
        #expect(try previews("job/x.json5", ["--data=x"], in: folder.path).count == 1)
    }

    @Test func `without an export an example is written that runs`() throws {
        let folder = try TemporaryFolder()
        let made = try call(builtProgram, ["init", "My Product!", Self.now], in: folder.path)
        #expect(made.code == 0)
        #expect(try files(below: folder.path) == ["My Product!/calls/calls-2026-11-09.jsonl", "My Product!/my-product-.json5"])
        let job = "My Product!/my-product-.json5"
        let sources = try previews(job, [], in: folder.path)
        #expect(sources.count == 1 && sources[0]["not_read"]?.array?.isEmpty == true)
        #expect(sources[0]["records"]?.array?.map { $0["outcome"]?.string } == Array(repeating: "accepted", count: 6))
        let run = try call(builtProgram, ["run", job, "--home=home", Self.now], in: folder.path)
        #expect(
            run.code == 0 && run.output.contains("accepted 6") && run.output.contains("6 requests unpriced"),
            "\(run.output)\(run.talk)")
        #expect(exists(folder.path + "/home/reports/my-product-/2026-W46/index.html"))
    }

    @Test func `nothing is written over`() throws {
        let folder = try TemporaryFolder()
        try folder.write("{}\n", to: "acme/acme.json5")
        try folder.write("{\"ts\":\"2026-11-09\"}\n", to: "taps.jsonl")
        for words in [["init", "acme"], ["init", "acme", "--from=taps.jsonl"]] {
            let refused = try call(builtProgram, words + [Self.now], in: folder.path)
            #expect(refused.code == 64)
            #expect(
                refused.talk
                    == "acme/acme.json5: error: This file exists, and is left as it is. Give another folder, or move it away.\n")
        }
        #expect(try files(below: folder.path) == ["acme/acme.json5", "taps.jsonl"])
        #expect(try readText(folder.path + "/acme/acme.json5", as: "job") == "{}\n")
    }

    @Test(arguments: [
        (["taps.jsonl"], 64, "taps.jsonl: error: This is no folder. Name the folder that gets the job file.\n"),
        (
            ["job", "--from=nothing.jsonl"], 64,
            "nothing.jsonl: error: There is no such file. Name exports, or folders of them.\n"
        ),
        (
            ["job", "--from=empty"], 64,
            "empty: error: The folder holds no export: no file below it ends in .jsonl, .ndjson, .json, .csv, .tsv or .gz.\n"
        ),
        (["job", "--from=/dev/null"], 64, "/dev/null: error: This is no file and no folder. Name exports.\n"),
        (
            ["job", "--from=names.jsonl"], 1,
            ".: error: Nothing could be proposed for 1 file: of names no field of it is a time that says when something happened; it has a.\n"
        ),
        (
            ["job", "--from=blank.jsonl"], 1,
            ".: error: Nothing could be proposed for 1 file: of blank its files hold no record.\n"
        ),
        ([], 64, "error: DIR is missing: vesper init DIR [options]. Run \"vesper init --help\" to see its options.\n"),
    ])
    func `what cannot be looked at is refused, and nothing is written`(_ words: [String], _ code: Int32, _ talk: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("{\"ts\":\"2026-11-09\"}\n", to: "taps.jsonl")
        try folder.write("{\"a\":1}\n", to: "names.jsonl")
        try folder.write("\n", to: "blank.jsonl")
        try makeFolder(folder.path + "/empty")
        let refused = try call(builtProgram, ["init"] + words + [Self.now], in: folder.path)
        #expect(refused.code == code && refused.output.isEmpty)
        #expect(refused.talk == talk)
        #expect(!exists(folder.path + "/job"))
    }
}
