import Common
import Ingest
import Pipeline

private let fromOption = Option(
    name: "from", value: "FILE", about: "An export to look at, or a folder of them; without one an example is written.",
    repeats: true,
    completes: .file)

let initCommand = Command(
    name: "init", summary: "Proposes a job file for exports.",
    about:
        "Looks at the first records of exports in any format that is read, gzip too, and writes a job file that says for each group of "
        + "files which log its records fill and which field which column, with its reasons and what nothing reads as comments. It is a "
        + "beginning: read it, correct it, and look at ingest JOB --preview. Without --from it writes an example that runs. A file that "
        + "exists is never written over.",
    operands: [
        Operand(name: "DIR", about: "The folder that gets the job file; it is made if it is missing.", completes: .folder)
    ],
    options: [fromOption],
    examples: [
        ("vesper init acme --from exports/acme", "Writes acme/acme.json5 for all exports below a folder."),
        ("vesper init . --from calls.csv --from users.jsonl.gz", "Looks at two files, and writes a job file beside them."),
        ("vesper init acme", "Writes an example and its export."),
    ], group: "Housekeeping", run: performInit)

@Sendable private func performInit(_ invocation: Invocation) throws -> Int32 {
    let folder = invocation.operands[0]
    guard !folder.isEmpty else {
        throw Failure("DIR is empty. Name the folder that gets the job file, such as \".\".", kind: .usage)
    }
    guard [nil, .folder].contains(kind(of: folder)) else {
        throw Failure("This is no folder. Name the folder that gets the job file.", at: Place(path: folder), kind: .usage)
    }
    let from = invocation.values(fromOption)
    let context = try context(for: invocation)
    let job =
        from.isEmpty
        ? exampleJob(folder: folder, today: context.now.dayUTC)
        : try proposeJob(from: from, folder: folder, today: context.now.dayUTC)
    let files = job.others + [("\(job.name).json5", job.text)]
    for (name, _) in files where exists(joined(folder, name)) || isLink(joined(folder, name)) {
        throw Failure(
            "This file exists, and is left as it is. Give another folder, or move it away.",
            at: Place(path: joined(folder, name)), kind: .usage)
    }
    for (name, text) in files { try writeAtomically(Array(text.utf8), to: joined(folder, name)) }
    let path = joined(folder, "\(job.name).json5")
    try show(try table(of: job, path, context), invocation)
    let data = job.data.map { " --data \($0)" } ?? ""
    try messages(for: invocation).say(
        Diagnostic(.note, "\(path) is written. Read it, then look at its rows: vesper ingest \(path) --preview\(data)"))
    return 0
}

/// What was proposed, and how the first records of each source fare with it.
private func table(of job: ProposedJob, _ path: String, _ context: RunContext) throws -> Table {
    let whole = RunContext(
        home: context.home, dataFolder: job.data, now: context.now, pseudonymKey: nil, random: context.random, talk: context.talk)
    let previews = try preview(try Job(path: path), files: [], records: 100, whole)
    var rows = previews.map { preview -> [Table.Cell] in
        let (taken, refused) = (preview.records.count { $0.isRow }, preview.records.compactMap(\.refusal))
        return [
            .text(preview.source), .text(preview.log.rawValue), .text(preview.file ?? ""), .int(preview.records.count),
            .int(taken),
            .text(preview.problem?.message ?? refused.first ?? ""),
        ]
    }
    rows += job.sources.filter { $0.log == nil }.map {
        [.text($0.name), .missing("left out"), .text($0.files[0]), .int(0), .int(0), .text($0.reason)]
    }
    return Table(
        name: "init",
        columns: [
            .init("source", "Source"), .init("log", "Log"), .init("file", "File"), .init("records", "Records", .right),
            .init("rows", "Rows", .right), .init("problem", "Why not"),
        ], rows: rows)
}
