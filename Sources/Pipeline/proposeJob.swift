import Common
import Ingest

/// A job file that is proposed for some exports, or an example of one.
public struct ProposedJob: Sendable {
    public let name: String
    /// JSON5, with what it was guessed from as comments.
    public let text: String
    /// Where the sources' paths begin, where that is not beside the job file.
    public let data: String?
    public let sources: [ProposedSource]
    /// Other files to write beside it, by their names.
    public let others: [(name: String, text: String)]
}

/// Looks at exports and proposes a job file for them, to be written to a folder.
///
/// - Parameters:
///   - from: files, or folders of them, as they stand on the command line.
///   - today: the first day of the job where no export says when something happened.
public func proposeJob(from: [String], folder: String, today: Day) throws -> ProposedJob {
    var files: [String] = []
    for path in from {
        switch kind(of: path) {
        case .file: files.append(path)
        case .folder:
            let found = try exports(below: path)
            guard !found.isEmpty else {
                throw Failure(
                    "The folder holds no export: no file below it ends in .jsonl, .ndjson, .json, .csv, .tsv or .gz.",
                    at: Place(path: path),
                    kind: .usage)
            }
            files += found.map { joined(path, $0) }
        case .other?: throw Failure("This is no file and no folder. Name exports.", at: Place(path: path), kind: .usage)
        case nil: throw Failure("There is no such file. Name exports, or folders of them.", at: Place(path: path), kind: .usage)
        }
    }
    let top = try commonFolder(from, files)
    // Beside the job file nothing has to be said; otherwise --data says where the exports are.
    let inside =
        absolutePath(folder).flatMap { place in absolutePath(top).map { $0 == place || $0.hasPrefix(place + "/") } } ?? false
    let data = inside ? nil : top
    let begin = absolutePath(inside ? folder : top) ?? top
    let relative = Set(
        files.compactMap { file in absolutePath(file).map { String($0.dropFirst(begin.utf8.count == 1 ? 1 : begin.count + 1)) } })
    let sources = try proposeSources(for: relative.sorted(), in: begin)
    guard sources.contains(where: { $0.log != nil }) else {
        let first = sources.first
        throw Failure(
            "Nothing could be proposed for \(counted(relative.count, "file")): of \(first?.name ?? "") \(first?.reason ?? "").",
            at: Place(path: top))
    }
    let name = jobName(
        from.count == 1 && kind(of: from[0]) == .folder ? absolutePath(from[0]) ?? from[0] : absolutePath(folder) ?? folder)
    let calls = sources.filter { $0.log == .usage }.compactMap(\.earliest)
    let first = (calls.isEmpty ? sources.compactMap(\.earliest) : calls).min().map(\.dayUTC)
    let text = jobText(name, starts: Week(of: first ?? today).monday, sources, data: data, isDated: first != nil)
    return ProposedJob(name: name, text: text, data: data, sources: sources, others: [])
}

/// Files that an export may be in, by the ends of their names; hidden ones and those in hidden folders are none.
private func exports(below folder: String) throws -> [String] {
    let ends = [".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".gz"]
    return try files(below: folder).filter { path in
        !path.split(separator: "/").contains { $0.hasPrefix(".") } && ends.contains { path.lowercased().hasSuffix($0) }
            && kind(of: joined(folder, path)) == .file
    }
}

/// The deepest folder that holds all that was named: a folder itself, or that of a file.
private func commonFolder(_ from: [String], _ files: [String]) throws -> String {
    if from.count == 1, kind(of: from[0]) == .folder { return from[0] }
    let folders = files.map { file in file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "." }
    guard var common = folders.first.map({ $0.isEmpty ? "/" : $0 }) else { return "." }
    while common != ".", common != "/", !folders.allSatisfy({ $0 == common || $0.hasPrefix(common + "/") }) {
        common = common.lastIndex(of: "/").map { $0 == common.startIndex ? "/" : String(common[..<$0]) } ?? "."
    }
    return common
}

/// The last part of a path as a job may be called.
public func jobName(_ path: String) -> String {
    let last = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    let name = String(last.map { isFileName(String($0)) ? $0 : "-" })
    let trimmed = name.drop { $0 == "-" }
    return trimmed.isEmpty ? "job" : String(trimmed)
}
