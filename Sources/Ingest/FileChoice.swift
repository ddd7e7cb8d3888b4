import Common

/// Which files a run reads.
public enum FileChoice: Sendable {
    /// All that the sources name.
    case all
    /// Of those only these, as paths below the data folder.
    case only(Set<String>)
    /// What came through a pipe, for one source.
    case piped(PipedFile)
}

/// What came through a pipe, under a name that its bytes give it: the same bytes again are the same file, and add nothing.
public struct PipedFile: Sendable {
    /// As rows and counts name it: `stdin-6d7fce9fee471194.jsonl`.
    let name: String
    let source: String
    /// Where its bytes wait while they are read.
    let location: String
}

extension IngestOrder {
    /// The files of a source that this run reads.
    func files(of source: Source) throws -> [String] {
        switch choice {
        case .all: try source.matchingFiles(in: data)
        case .only(let chosen): try source.matchingFiles(in: data).filter(chosen.contains)
        case .piped(let piped): piped.source == source.name ? [piped.name] : []
        }
    }
}

/// Finds files that somebody has named among those of a job's sources, as paths below the data folder.
///
/// A path is looked for from where the program was started and then below the data folder.
public func chooseFiles(_ named: [String], sources: [Source], data: String) throws -> Set<String> {
    let offered = Set(try sources.flatMap { try $0.matchingFiles(in: data) })
    // A link to a file is named by where it stands among the exports, or by where it leads to.
    let byPlace = Dictionary(offered.compactMap { path in absolutePath(joined(data, path)).map { ($0, path) } }) { min($0, $1) }
    return Set(
        try named.map { path in
            let places = [path, joined(data, path)].compactMap(absolutePath)
            if let found = places.compactMap({ byPlace[$0] }).first { return found }
            throw refusal(of: path, at: places.first, sources, data: data)
        })
}

private func refusal(of path: String, at place: String?, _ sources: [Source], data: String) -> Failure {
    func sentence(_ text: String) -> Failure { Failure(text, at: Place(path: path), kind: .usage) }
    guard let place else { return sentence("There is no such file, neither here nor below \(data).") }
    guard kind(of: place) == .file else { return sentence("This is no file. Name the files to read.") }
    guard let top = absolutePath(data), place.hasPrefix(top == "/" ? top : top + "/") else {
        return sentence("The file is not below the data folder \(data). Give its folder with --data.")
    }
    let patterns = sources.flatMap(\.files).map { "\"\($0.text)\"" }
    return sentence("No source of the job reads this file. They read \(listed(patterns)).")
}

/// The source that a pipe is for; its name may be left out where the job has only one.
public func sourceOfPipe(_ named: String?, of sources: [Source]) throws -> Source {
    if let source = named == nil ? sources.first : sources.first(where: { $0.name == named }), named != nil || sources.count == 1
    {
        return source
    }
    let names = sources.map(\.name)
    let what =
        named.map { "There is no source \"\($0)\" in the job.\(didYouMean($0, from: names))" }
        ?? "The job has several sources, and what is piped is for one."
    throw Failure("\(what) Give --source with one of \(listed(names)).", kind: .usage)
}

/// Keeps what comes through a pipe in a folder until it is read, and names it by its digest. `-` is standard input.
public func takePiped(from path: String, for source: Source, folder: String) throws -> PipedFile {
    try makeFolder(folder)
    let location = folder + "/stdin"
    let input = try InputFile(path, as: "standard input")
    var hash = SHA256()
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    try removeTree(location)
    try appendToFile(UnsafeRawBufferPointer(start: nil, count: 0), location)
    while case let count = try chunk.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 {
        try chunk.withUnsafeBytes {
            let bytes = UnsafeRawBufferPointer(rebasing: $0[0..<count])
            hash.update(bytes)
            try appendToFile(bytes, location)
        }
    }
    let size = FileSignature(of: location)?.size ?? 0
    // Its name has an end that says the same as those of the source's files, so that it is read as they are.
    let ends = Set(source.files.map { FormatName(ofFile: $0.text) })
    let format = source.formatName ?? (ends.count == 1 ? ends.first ?? nil : nil)
    var end = format
    if end == nil {
        let content = try RecordInput(location, size: size, ahead: false) { _ in }
        defer { content.stop() }
        end = try content.looksLike() == .json ? .json : .jsonl
    }
    return PipedFile(
        name: "stdin-\(hash.finish().short).\((end ?? .jsonl).rawValue)", source: source.name, location: location)
}
