import Common
import Testing
@testable import vesper

/// Name, size and digest of every file of a folder; of the ledger's side files only that they are there.
private func state(of folder: String) throws -> [String] {
    try files(below: folder).filter { !$0.hasPrefix("ledger.sqlite-") }.map { file in
        "\(file) \(Digest.of(try readFile(folder + "/" + file, as: "file")).hex) \(FileSignature(of: folder + "/" + file)?.modifiedNanoseconds ?? 0)"
    }
}

/// The commands that only read, with what they need besides the job.
private let readingCommands = ["plan", "run --dry-run", "status", "costs", "costs --week=2026-W46 --by=plan,model"]

@Suite(.timeLimit(.minutes(5))) struct HomeTests {
    @Test(arguments: ["plan", "run --dry-run", "plan --until=price", "plan --week=2026-W46"])
    func `a plan of a home that does not exist makes none`(_ command: String) throws {
        let demo = try DemoJob()
        let plan = try demo.vesper(command)
        #expect(plan.code == 0)
        #expect(plan.output.contains("3 files to read") && plan.output.contains("would run"))
        #expect(!exists(demo.home))
    }

    @Test func `reading commands change nothing`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let before = try state(of: demo.home)
        for command in readingCommands { #expect(try demo.vesper(command).code == 0, "\(command)") }
        let id = try names(in: demo.home + "/answers/demo/2026-W46")[0].dropFirst("weekly-note-".count).prefix(8)
        #expect(try demo.vesper("batch list", []).code == 0)
        #expect(try demo.vesper("batch show", [String(id)]).code == 0)
        #expect(try state(of: demo.home) == before)
    }

    @Test func `reading commands do not wait for a run that holds the lock`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let lock = try HeldLock(home: demo.home)
        for command in readingCommands { #expect(try demo.vesper(command).code == 0, "\(command)") }
        #expect(try demo.vesper("batch list", []).code == 0)
        #expect(try demo.vesper("run").code == 5)
        withExtendedLifetime(lock) {}
    }

    @Test func `reading a home in which nothing was run gives a sentence and makes none`() throws {
        let demo = try DemoJob()
        for (command, jobs) in [("status", ["demo"]), ("costs", ["demo"]), ("batch list", []), ("batch show", ["beef"])] {
            let refused = try demo.vesper(command, jobs)
            #expect(refused.code == 1, "\(command)")
            #expect(
                refused.talk.hasPrefix("\(demo.home): error: ") && refused.talk.contains("Run \"vesper run JOB\" first"),
                "\(refused.talk)")
        }
        #expect(!exists(demo.home))
    }

    @Test func `a ledger that is no database is named, and left as it is`() throws {
        let demo = try DemoJob()
        try makeFolder(demo.home)
        let garbage = String(repeating: "this is no database ", count: 500)
        try writeNew(Array(garbage.utf8), to: demo.home + "/ledger.sqlite")
        for command in ["run"] + readingCommands {
            let refused = try demo.vesper(command)
            #expect(refused.code == 1, "\(command)")
            #expect(
                refused.talk
                    == "\(demo.home)/ledger.sqlite: error: The ledger answered \"file is not a database\". It is damaged; restore it from a backup.\n"
            )
        }
        #expect(try readText(demo.home + "/ledger.sqlite", as: "ledger") == garbage)
    }

    @Test func `a ledger damaged in the middle is named`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let path = demo.home + "/ledger.sqlite"
        var bytes = try readFile(path, as: "ledger")
        // The first page tells what the others are; they are overwritten.
        for index in 4096..<bytes.count { bytes[index] = 0xa5 }
        try writeNew(bytes, to: path)
        for command in ["run", "status", "costs"] {
            let refused = try demo.vesper(command)
            #expect(refused.code == 1, "\(command)")
            #expect(
                refused.talk.hasPrefix("\(path): error: The ledger answered \"database disk image is malformed\"."),
                "\(refused.talk)")
        }
    }

    @Test func `a ledger that a newer version wrote is refused`() throws {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        let change =
            "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(\"INSERT INTO migrations VALUES ('lake', '9 tomorrow')\"); c.commit()"
        try #require(try call("python3", ["-c", change, demo.home + "/ledger.sqlite"]).code == 0)
        for command in ["run", "status"] {
            let refused = try demo.vesper(command)
            #expect(refused.code == 1, "\(command)")
            #expect(
                refused.talk.contains("This home was written by a newer vesper (step lake/9 tomorrow is unknown here)."),
                "\(refused.talk)")
        }
    }

    @Test func `a home that is a file is refused`() throws {
        let demo = try DemoJob()
        try demo.folder.write("not a folder", to: "home")
        for command in ["run", "ingest", "report --week=2026-W46"] {
            let refused = try demo.vesper(command)
            #expect(refused.code == 1, "\(command)")
            #expect(refused.talk == "\(demo.home): error: could not make the folder. A file of this name stands in the way.\n")
        }
        for command in readingCommands.dropFirst(2) { #expect(try demo.vesper(command).code == 1, "\(command)") }
        #expect(try readText(demo.home, as: "file") == "not a folder")
    }

    /// Stands for a home that cannot be written to, which root always can.
    @Test(arguments: ["lake", "cache", "requests", "answers", "reports"])
    func `a file where a folder of the home belongs stops the run, which goes on when it is gone`(_ name: String) throws {
        let demo = try DemoJob()
        try makeFolder(demo.home)
        try writeNew([], to: demo.home + "/" + name)
        let stopped = try demo.vesper("run")
        #expect(stopped.code == 1)
        #expect(stopped.talk.hasPrefix("\(demo.home)/\(name)") && stopped.talk.contains(": error: "), "\(stopped.talk)")
        try removeTree(demo.home + "/" + name)
        #expect(try demo.vesper("run").code == 0)
        let undisturbed = try DemoJob()
        #expect(try undisturbed.vesper("run").code == 0)
        #expect(try digests(of: demo, "lake") == digests(of: undisturbed, "lake"))
    }

    private func digests(of demo: DemoJob, _ folder: String) throws -> [String] {
        try files(below: demo.home + "/" + folder).map {
            "\($0) \(Digest.of(try readFile(demo.home + "/" + folder + "/" + $0, as: "part")).hex)"
        }
    }
}
