import Common
import Ingest

/// Maps the first records of each of a job's sources and stores nothing: what a job file's author looks at.
///
/// - Parameter files: as they stand on the command line; without any, the first file of every source is looked at.
public func preview(_ job: Job, files: [String], records: Int, _ context: RunContext) throws -> [SourcePreview] {
    guard !files.contains("-") else {
        throw Failure(
            "A preview looks at files, not at standard input. Write it to a file, or leave --preview out.", kind: .usage)
    }
    let choice: FileChoice =
        files.isEmpty ? .all : .only(try chooseFiles(files, sources: job.sources, data: context.data(of: job)))
    return try preview(ingestOrder(job, context, choice), records: records)
}
