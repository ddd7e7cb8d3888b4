import Common
import Testing
@testable import vesper

@Suite(.timeLimit(.minutes(5))) struct ScriptsTests {
    /// What the timer calls, with the demo's job, home, exports and clock.
    private func sundayNight(_ demo: DemoJob, _ words: String..., options: [String] = []) throws -> Call {
        try call(
            repository + "/Jobs/sunday-night.sh",
            words + [demo.path + "/Jobs/demo.json5", "--", "--home=\(demo.home)", "--data=\(demo.path)/exports", DemoJob.now]
                + options,
            in: "/", with: ["VESPER_BIN": builtProgram])
    }

    @Test func `the timer's script passes exit codes on and says what they ask for`() throws {
        let demo = try DemoJob()
        let first = try sundayNight(demo)
        #expect(first.code == 0)
        #expect(first.output.contains("reports/demo/2026-W46, revision 1"))
        #expect(first.talk.hasSuffix("sunday-night: done\n"))
        #expect(try sundayNight(demo).output.contains("Everything is up to date"))
        let lock = try HeldLock(home: demo.home)
        let locked = try sundayNight(demo)
        #expect(locked.code == 5 && locked.talk.contains("another run holds the home (5)"))
        withExtendedLifetime(lock) {}
        let misused = try sundayNight(demo, options: ["--weke=1"])
        #expect(misused.code == 64 && misused.talk.contains("cannot be used (64)"))
        #expect(try sundayNight(try DemoJob(usage: (1...11).map { "{\"id\":\"\($0)\"}" })).code == 2)
    }

    @Test func `collecting runs only while a provider has a bulk file`() throws {
        let quiet = try DemoJob()
        let nothing = try sundayNight(quiet, "--collect")
        #expect(nothing.code == 0 && nothing.output.isEmpty)
        #expect(nothing.talk == "sunday-night: no provider has a bulk file: nothing to collect.\n")
        #expect(!exists(quiet.home))
        #expect(try sundayNight(quiet).code == 0)
        #expect(try sundayNight(quiet, "--collect").talk == nothing.talk)

        let waiting = try DemoJob(provider: "files")
        #expect(try sundayNight(waiting).code == 4)
        let asked = try sundayNight(waiting, "--collect")
        #expect(asked.code == 4 && asked.output.contains("waiting"))
    }

    @Test func `without a name the timer's script takes every job`() throws {
        let folder = try TemporaryFolder()
        let plan = try call(
            repository + "/Jobs/sunday-night.sh",
            ["--", "--dry-run", "--home=\(folder.path)/home", "--data=\(repository)/SampleData", DemoJob.now],
            in: folder.path, with: ["VESPER_BIN": builtProgram])
        #expect(plan.code == 0)
        for name in try names(in: repository + "/Jobs") where name.hasSuffix(".json5") {
            #expect(plan.output.contains("\n\(name.dropLast(6)) "))
        }
        #expect(try names(in: folder.path) == [])
    }

    @Test(arguments: [
        (["--smaple"], "there is no option --smaple."), (["--fresh"], "--fresh goes with --sample."),
        (["--sample", "kalei"], "--sample takes no jobs and no options of vesper."),
        (["--sample", "--collect"], "give only one of --sample, --collect and --prepare."),
    ]) func `the timer's script refuses what it does not take`(_ words: [String], _ sentence: String) throws {
        let refused = try call(repository + "/Jobs/sunday-night.sh", words, with: ["VESPER_BIN": "/nowhere"])
        #expect(refused.code == 64 && refused.talk.hasPrefix("sunday-night: " + sentence), "\(refused.talk)")
    }

    @Test func `the timer's script says how to get a program it does not find`() throws {
        let refused = try call(repository + "/Jobs/sunday-night.sh", ["kalei"], with: ["VESPER_BIN": "/nowhere/vesper"])
        #expect(refused.code == 1 && refused.talk == "sunday-night: VESPER_BIN names /nowhere/vesper, which is no program.\n")
    }

    @Test func `the timer fires when the week has closed in the zone of the jobs`() throws {
        let timer = try readText(repository + "/Jobs/units/vesper.timer", as: "timer")
        let jobs = try names(in: repository + "/Jobs").filter { $0.hasSuffix(".json5") }
        let zones = try jobs.map { name in
            try readText("\(repository)/Jobs/\(name)", as: "job").split(separator: "timezone: \"")[1].prefix { $0 != "\"" }
        }
        #expect(zones.contains { timer.contains("\nOnCalendar=Mon *-*-* 00:30:00 \($0)\n") })
        #expect(timer.contains("\nPersistent=true\n"))
    }

    private static let shellcheck = "/usr/bin/shellcheck"

    @Test(.enabled(if: exists(shellcheck), "shellcheck is not installed"))
    func `shellcheck has nothing to say about the scripts`() throws {
        let scripts = try [".ci/run"] + files(below: repository + "/Jobs").filter { $0.hasSuffix(".sh") }.map { "Jobs/" + $0 }
        let tests = try files(below: repository + "/Tests").filter { $0.hasSuffix(".sh") }.map { "Tests/" + $0 }
        let checked = try call(Self.shellcheck, scripts + tests)
        #expect(checked.code == 0, "\(checked.output)")
    }
}
