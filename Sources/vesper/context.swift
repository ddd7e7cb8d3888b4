import Common
import Glibc
import Pipeline

/// The one place where a command's flags, the clock and the environment become the values that the core works with.
func context(for invocation: Invocation) throws -> RunContext {
    let key = environment("VESPER_PSEUDONYM_KEY").map { Array($0.utf8) }
    if let key, key.count < 16 {
        throw Failure(
            "VESPER_PSEUDONYM_KEY has fewer than 16 characters, which can be guessed. Use a longer one, or unset it.",
            kind: .usage)
    }
    let home = invocation.value(Global.home) ?? "vesper-data"
    guard !home.isEmpty else { throw Failure("--home is empty. Give a folder, such as --home=vesper-data.", kind: .usage) }
    if let data = invocation.value(Global.data), kind(of: data) != .folder {
        throw Failure("--data is no folder. Give the folder that holds the exports.", at: Place(path: data), kind: .usage)
    }
    return RunContext(
        home: home, dataFolder: invocation.value(Global.data), now: try invocation.instant(Global.now) ?? currentTime(),
        pseudonymKey: key,
        random: randomBytes, threads: processorCount, talk: try messages(for: invocation).talk)
}

private func currentTime() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
}

@Sendable private func randomBytes() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

/// The jobs meant by operands: job files, folders of them, or names found in `Jobs/`.
func jobs(_ operands: [String]) throws -> [Job] {
    let paths = try operands.flatMap { operand -> [String] in
        switch kind(of: operand) {
        case .file: return [operand]
        case .folder:
            let found = try names(in: operand).filter { $0.hasSuffix(".json5") }.map { joined(operand, $0) }
            guard !found.isEmpty else {
                throw Failure("The folder holds no job file (*.json5).", at: Place(path: operand), kind: .usage)
            }
            return found
        default:
            let named = "Jobs/\(operand).json5"
            if exists(named) { return [named] }
            let offered = try names(in: "Jobs").filter { $0.hasSuffix(".json5") }.map { String($0.dropLast(6)) }
            let hint = didYouMean(operand, from: offered)
            let list = offered.isEmpty ? "There is no Jobs/ folder here." : "Jobs/ holds \(listed(offered))."
            throw Failure(
                "There is no job \"\(visible(operand))\".\(hint) Give a job file, a folder of them, or a name in Jobs/. \(list)",
                kind: .usage)
        }
    }
    var seen: [String: String] = [:]
    return try paths.map { path in
        let job = try Job(path: path)
        if let other = seen[job.name] {
            throw Failure(
                "The job \(job.name) is given twice, by \(other) and by this file. Give it once.", at: Place(path: path),
                kind: .usage)
        }
        seen[job.name] = path
        return job
    }
}

/// The operand and options that several commands share.
enum Shared {
    static let jobs = Operand(
        name: "JOB", about: "A job file, a folder of them, or a name found in Jobs/.", repeats: true, completes: .job)
    static let job = Operand(name: "JOB", about: "A job file, or a name found in Jobs/.", completes: .job)
    static let week = Option(name: "week", value: "W", about: "The ISO week, such as 2026-W46.")
    static let from = Option(name: "from", value: "D", about: "The first day, in the job's zone.")
    static let to = Option(name: "to", value: "D", about: "The last day, in the job's zone.")
}

/// The period that `--week`, or `--from` with `--to`, names; nil where neither was given.
func period(_ invocation: Invocation) throws -> Period? {
    let (from, to) = (try invocation.day(Shared.from), try invocation.day(Shared.to))
    if let week = try invocation.week(Shared.week) {
        guard from == nil, to == nil else { throw Failure("Give either --week, or --from and --to.", kind: .usage) }
        return Period(week)
    }
    switch (from, to) {
    case (nil, nil): return nil
    case (let from?, let to?):
        guard from <= to else { throw Failure("--from \(from) is after --to \(to). Exchange them.", kind: .usage) }
        guard to - from < 3660 else {
            throw Failure("The period has \(to - from + 1) days; at most ten years are worked on at once.", kind: .usage)
        }
        return Period(first: from, last: to)
    default: throw Failure("--from and --to go together; both days are included.", kind: .usage)
    }
}

/// The one job of a command that takes one.
func oneJob(_ invocation: Invocation) throws -> Job {
    let found = try jobs(Array(invocation.operands.prefix(1)))
    guard found.count == 1 else {
        throw Failure("This command takes one job, and \(invocation.operands[0]) holds \(found.count). Name one.", kind: .usage)
    }
    return found[0]
}
