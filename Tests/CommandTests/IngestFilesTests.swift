import Common
import Testing

/// `vesper ingest JOB FILE…`: what is named on the command line, and what comes through a pipe.
@Suite(.timeLimit(.minutes(5))) struct IngestFilesTests {
    private func accepted(_ call: Call) throws -> [String: Int] {
        let rows = try parseJSON(Array(call.output.utf8), path: "stdout")["rows"]?.array ?? []
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["log"]?.string ?? "", $0["accepted"]?.int ?? 0) })
    }

    @Test func `only the files that are named are read, from here or below the data folder`() throws {
        let demo = try DemoJob()
        let first = try demo.vesper("ingest", ["demo", "exports/demo/usage.jsonl"], "--format=json")
        #expect(first.code == 0)
        #expect(try accepted(first) == ["usage": 4])
        let second = try demo.vesper("ingest", ["demo", "notes.jsonl", "exports/demo/usage.jsonl"], "--format=json")
        #expect(try accepted(second) == ["usage": 4, "sessions": 3])
        #expect(
            try accepted(try demo.vesper("ingest", ["demo"], "--format=json")) == ["usage": 4, "sessions": 3, "snapshots": 3])
    }

    @Test(arguments: [
        (
            ["exports/demo/other.jsonl"],
            #"exports/demo/other.jsonl: error: No source of the job reads this file. They read "usage.jsonl", "notes.jsonl" and "users.jsonl"."#
        ),
        (["nothing.jsonl"], "nothing.jsonl: error: There is no such file, neither here nor below exports/demo."),
        (
            ["Jobs/demo.json5"],
            "Jobs/demo.json5: error: The file is not below the data folder exports/demo. Give its folder with --data."
        ),
        (
            ["-"],
            #"error: The job has several sources, and what is piped is for one. Give --source with one of usage usage, notes sessions and users snapshots."#
        ),
        (
            ["-", "--source=calls"],
            #"error: There is no source "calls" in the job. Give --source with one of usage usage, notes sessions and users snapshots."#
        ),
        (["-", "usage.jsonl"], "error: Standard input, -, is read alone: give no other file with it."),
        (
            ["usage.jsonl", "--source=usage usage"],
            "error: --source says for which source standard input is, and goes with - alone."
        ),
    ])
    func `what cannot be read is refused before anything is done`(_ words: [String], _ talk: String) throws {
        let demo = try DemoJob()
        try demo.folder.write("{}\n", to: "exports/demo/other.jsonl")
        let refused = try demo.vesper("ingest", ["demo"] + words)
        #expect(refused.code == 64)
        #expect(refused.talk == talk + "\n")
        #expect(!exists(demo.home))
    }

    @Test func `what is piped in is read for its source, and nothing of it is left behind`() throws {
        let demo = try DemoJob()
        let command =
            "cat exports/demo/usage.jsonl | '\(builtProgram)' ingest demo - '--source=usage usage' --home=home --data=exports \(DemoJob.now) --format=json"
        for _ in 0..<2 {
            let read = try call("/bin/sh", ["-c", command], in: demo.path)
            #expect(read.code == 0, "\(read.talk)")
            #expect(try accepted(read) == ["usage": 4])
        }
        #expect(!exists(demo.home + "/staging"))
        let files = try files(below: demo.home).filter {
            !$0.hasPrefix("lake/") && !$0.hasPrefix("ledger.sqlite") && $0 != "lock"
        }
        #expect(files.allSatisfy { $0.hasPrefix("index/") }, "\(files)")
    }
}
