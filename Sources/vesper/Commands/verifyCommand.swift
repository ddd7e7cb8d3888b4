import Common
import Pipeline

let verifyCommand = Command(
    name: "verify", summary: "Holds every file of a home against the ledger.",
    about:
        "Reads every part of the lake, every bulk file, answer and report, and compares it with the digest in the ledger. What is missing, "
        + "changed or unknown is named with what to do about it; then the exit code is 1.",
    examples: [("vesper verify --home vesper-data", "Checks the default home.")], group: "Housekeeping", run: performVerify)

@Sendable private func performVerify(_ invocation: Invocation) throws -> Int32 {
    let context = try context(for: invocation)
    guard let ledger = try context.openForReading() else {
        throw Failure(
            "Nothing was run in this home yet. Run \"vesper run JOB\" first, or give another --home.",
            at: Place(path: context.home))
    }
    let result = try verify(ledger, threads: context.threads, talk: context.talk)
    let seen = "\(counted(result.files, "file")), \(grouped(result.bytes)) bytes"
    try show(
        Table(
            name: "verify", columns: [.init("path", "Path"), .init("what", "What is wrong"), .init("step", "What to do")],
            rows: result.findings.map { [.text($0.path), .text($0.what), .text($0.step)] },
            notes: [
                result.findings.isEmpty
                    ? "Everything is as the ledger says: \(seen)." : "\(counted(result.findings.count, "finding")) in \(seen)."
            ]),
        invocation)
    return (result.findings.isEmpty ? ExitCode.done : .failed).rawValue
}
