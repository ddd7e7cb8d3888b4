import Common
import Testing
@testable import vesper

@Suite(.timeLimit(.minutes(5))) struct ExitCodeTests {
    @Test func `0 done, and a second run says that everything is up to date`() throws {
        let demo = try DemoJob()
        let first = try demo.vesper("run")
        #expect(first.code == 0 && first.talk.isEmpty)
        #expect(first.output.contains("reports/demo/2026-W46, revision 1"))
        let second = try demo.vesper("run")
        #expect(second.code == 0 && second.talk.isEmpty)
        #expect(second.output.hasSuffix("Everything is up to date: 7 stages over 1 period.\n"))
    }

    @Test func `2 done, with more refused rows than the job allows`() throws {
        let demo = try DemoJob(usage: DemoJob.calls + (1...11).map { #"{"id":"bad-\#($0)"}"# })
        let run = try demo.vesper("run")
        #expect(run.code == 2)
        #expect(run.output.contains("quarantined 11 (11 missing_ts)"))
        #expect(exists(demo.home + "/reports/demo/2026-W46/manifest.json"), "the rest is done all the same")
    }

    @Test func `0 while the refused rows are few`() throws {
        #expect(try DemoJob(usage: DemoJob.calls + (1...10).map { #"{"id":"bad-\#($0)"}"# }).vesper("run").code == 0)
    }

    @Test func `4 waiting for a provider until its results are imported`() throws {
        let demo = try DemoJob(provider: "files")
        #expect(try demo.vesper("run").code == 4)
        let again = try demo.vesper("run")
        #expect(again.code == 4 && again.output.contains("waiting"))
        #expect(
            try demo.vesper("status").output.contains("files has requests/demo/2026-W46/weekly-note-1.jsonl.gz with 1 request"))

        let batches = try parseJSON(Array(try demo.vesper("batch list", [], "--format=json").output.utf8), path: "batches")
        let id = try #require(batches["rows"]?.array?.first?["id"]?.string)
        let bulk = demo.home + "/requests/demo/2026-W46/weekly-note-1.jsonl.gz"
        let line = try gunzipped(try readFile(bulk, as: "bulk file"), path: bulk)
        let customID = try #require(try parseJSON(line.dropLast(), path: bulk)["custom_id"]?.string)
        let results = try demo.folder.write(Self.result(customID, #"{"line":"A week of work."}"#), to: "results.jsonl")

        let foreign = try demo.folder.write(Self.result("another", "{}"), to: "foreign.jsonl")
        let refused = try demo.vesper("batch import", [id, foreign])
        #expect(refused.code == 1)
        #expect(refused.talk == "\(foreign):1: error: The custom_id is not one of batch \(id). Nothing was imported.\n")
        #expect(try demo.vesper("run").code == 4)

        #expect(try demo.vesper("batch import", [id, results]).code == 0)
        #expect(try demo.vesper("run").code == 0)
        let insights = demo.home + "/reports/demo/2026-W46/insights.jsonl.gz"
        #expect(
            String(decoding: try gunzipped(try readFile(insights, as: "insights"), path: insights), as: UTF8.self).contains(
                "A week of work."))
        #expect(try demo.vesper("run").output.contains("Everything is up to date"))
    }

    @Test func `5 while another run holds the home, and nothing is done`() throws {
        let demo = try DemoJob()
        try makeFolder(demo.home)
        let lock = try HeldLock(home: demo.home)
        for command in ["run", "ingest", "report --week=2026-W46"] {
            let refused = try demo.vesper(command)
            #expect(refused.code == 5, "\(command)")
            #expect(
                refused.talk
                    == "\(demo.home)/lock: error: Another run holds this home. Wait for it to end, or use another --home.\n")
            #expect(refused.output.isEmpty)
        }
        #expect(try names(in: demo.home) == ["lock"])
        withExtendedLifetime(lock) {}
    }

    @Test(arguments: [
        (
            "an unknown command", "rnu", ["demo"],
            "There is no command \"rnu\". Did you mean run? Run \"vesper --help\" to see its commands."
        ),
        (
            "an unknown option", "run --wek=2026-W46", ["demo"],
            "There is no option --wek. Did you mean --week? Run \"vesper run --help\" to see its options."
        ),
        ("no job", "run", [], "JOB is missing: vesper run JOB… [options]. Run \"vesper run --help\" to see its options."),
        (
            "a job that does not exist", "run", ["demmo"],
            "There is no job \"demmo\". Did you mean \"demo\"? Give a job file, a folder of them, or a name in Jobs/. Jobs/ holds demo."
        ),
        ("a folder without jobs", "run", ["exports"], "exports: error: The folder holds no job file (*.json5)."),
        (
            "a job given twice", "run", ["demo", "Jobs"],
            "Jobs/demo.json5: error: The job demo is given twice, by Jobs/demo.json5 and by this file. Give it once."
        ),
        (
            "a week that no calendar has", "run --week=2026-W54", ["demo"],
            "--week takes an ISO week such as 2026-W46, not \"2026-W54\"."
        ),
        ("half a range", "costs --from=2026-11-09", ["demo"], "--from and --to go together; both days are included."),
        (
            "a range the wrong way round", "costs --from=2026-11-15 --to=2026-11-09", ["demo"],
            "--from 2026-11-15 is after --to 2026-11-09. Exchange them."
        ),
        (
            "a week and a range", "costs --week=2026-W46 --from=2026-11-09 --to=2026-11-09", ["demo"],
            "Give either --week, or --from and --to."
        ),
        (
            "no days to report", "report", ["demo"],
            "Which days? Give --week, or --from and --to, such as --from 2026-10-01 --to 2026-10-31."
        ),
        (
            "a dimension that there is not", "costs --by=modle", ["demo"],
            "There is no dimension \"modle\". Did you mean \"model\"? Dimensions are "
        ),
        (
            "a batch that there is not", "batch import", ["beef", "none.jsonl"],
            "There is no batch \"beef\". Run \"vesper batch list\" to see them."
        ),
    ]) func `64 for what cannot be used, and nothing is begun`(
        _ name: String, _ command: String, _ jobs: [String], _ expected: String
    ) throws {
        let demo = try DemoJob()
        let refused = try demo.vesper(command, jobs)
        #expect(refused.code == 64)
        #expect(refused.output.isEmpty)
        let sentence = refused.talk.hasPrefix("error: ") ? String(refused.talk.dropFirst(7)) : refused.talk
        #expect(sentence.hasPrefix(expected), "\(refused.talk)")
        if !command.hasPrefix("batch") { #expect(!exists(demo.home)) }
    }

    @Test(arguments: [
        (["--data=nowhere"], [:], "nowhere: error: --data is no folder. Give the folder that holds the exports.\n"),
        (
            ["--now=yesterday"], [:],
            "error: --now takes a time with its offset such as 2026-11-09T00:30:00+01:00, not \"yesterday\".\n"
        ),
        (
            [], ["VESPER_PSEUDONYM_KEY": "short"],
            "error: VESPER_PSEUDONYM_KEY has fewer than 16 characters, which can be guessed. Use a longer one, or unset it.\n"
        ),
    ]) func `64 for a setting that cannot be used`(_ options: [String], _ variables: [String: String], _ expected: String) throws
    {
        let demo = try DemoJob()
        let refused = try call(builtProgram, ["run", "demo", "--home=\(demo.home)"] + options, in: demo.path, with: variables)
        #expect(refused.code == 64)
        #expect(refused.talk == expected)
        #expect(!exists(demo.home))
    }

    @Test func `64 for a broken job, before any of the others is begun`() throws {
        let demo = try DemoJob()
        try demo.add(name: "other")
        let broken = try readText(demo.path + "/Jobs/other.json5", as: "job").replacing("timezone", with: "timezoen")
        try demo.folder.write(broken, to: "Jobs/other.json5")
        let refused = try demo.vesper("run", ["Jobs"])
        #expect(refused.code == 64)
        #expect(
            refused.talk.hasPrefix("Jobs/other.json5:2:17: error: unknown key \"timezoen\" in job. Did you mean \"timezone\"?"))
        #expect(!exists(demo.home))
    }

    @Test func `the worst of several jobs`() throws {
        let demo = try DemoJob(provider: "files")
        try demo.add(name: "faulty", usage: (1...11).map { #"{"id":"bad-\#($0)"}"# })
        #expect(try demo.vesper("run", ["faulty"]).code == 2)
        try removeTree(demo.home)
        #expect(try demo.vesper("run", ["demo", "faulty"]).code == 4)
    }

    @Test func `1 where one of several jobs fails, and the others are done`() throws {
        let demo = try DemoJob()
        try demo.add(name: "broken")
        // An export that was still being written when it was copied.
        try writeNew(
            try gzipped(Array(DemoJob.calls[0].utf8)).dropLast(9).map { $0 }, to: demo.path + "/exports/broken/usage.jsonl.gz")
        let job = try readText(demo.path + "/Jobs/broken.json5", as: "job").replacing("usage.jsonl", with: "usage.jsonl.gz")
        try demo.folder.write(job, to: "Jobs/broken.json5")
        let run = try demo.vesper("run", ["broken", "demo"])
        #expect(run.code == 1)
        #expect(run.talk.hasPrefix("exports/broken/usage.jsonl.gz: error: "), "\(run.talk)")
        #expect(run.output.contains("reports/demo/2026-W46, revision 1"))
    }

    private static func result(_ customID: String, _ answer: String) -> String {
        JSON.fields([
            "custom_id": .string(customID),
            "result": .fields([
                "type": .string("succeeded"),
                "message": .fields([
                    "content": .array([.fields(["type": .string("text"), "text": .string(answer)])]),
                    "stop_reason": .string("end_turn"),
                ]),
            ]),
        ]).text + "\n"
    }
}
