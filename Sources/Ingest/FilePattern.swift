import Common

/// A path below the data folder, in which `*` stands for any part of a name, `?` for one character and `**` for any folders.
///
///     FilePattern("usage/**/2026-??.jsonl")
///
/// A path without any of them that leads to a folder means all files below it. A name that begins with a dot is hidden: only a pattern
/// that begins with one too finds it.
public struct FilePattern: Equatable, Sendable {
    /// As it was written.
    let text: String
    /// The names between the slashes.
    let steps: [String]

    /// nil for what does not lead below a folder.
    init?(_ text: String) {
        let steps = text.split(separator: "/").map(String.init)
        guard !text.isEmpty, !text.hasPrefix("/"), !steps.contains("..") else { return nil }
        (self.text, self.steps) = (text, steps.filter { $0 != "." })
    }

    /// Whether a path fits that has as many names as the pattern has steps.
    func fits(_ path: String) -> Bool {
        let names = path.split(separator: "/").map(String.init)
        return names.count == steps.count && zip(names, steps).allSatisfy { Ingest.matches($0, $1) }
    }

    /// The files that fit, as paths below a folder; one may come more than once.
    ///
    /// - Parameter odd: is told what fits and is neither file nor folder, and why.
    func matches(in top: String, odd: (_ path: String, _ why: String) -> Void = { _, _ in }) throws -> [String] {
        func walk(_ place: String, _ rest: ArraySlice<String>) throws -> [String] {
            let full = place.isEmpty ? top : joined(top, place)
            guard let step = rest.first else {
                switch kind(of: full) {
                case .file?: return [place]
                case .other?:
                    odd(place, "This is no file but a pipe, socket or device, and is not read. Write what it gives to a file.")
                case nil where isLink(full):
                    odd(place, "This link leads to nothing, so there is nothing to read. Mend it, or remove it.")
                case nil where place.contains("\u{FFFD}"):
                    odd(place, "This name is not written in UTF-8, so the file is not read. Rename it.")
                default: break
                }
                // Where a pattern has fitted a folder, its files are not meant; where a folder is named, they are.
                return steps.last.map(isPattern) == true ? [] : try walk(place, ["**", "*"])
            }
            func below(_ name: String) -> String { place.isEmpty ? name : place + "/" + name }
            guard isPattern(step) else { return try walk(below(step), rest.dropFirst()) }
            // A file beside the folders that a star stands for holds no files.
            guard kind(of: full) == .folder else { return [] }
            let names = try names(in: full)
            guard step == "**" else {
                return try names.filter { Ingest.matches($0, step) }.flatMap { try walk(below($0), rest.dropFirst()) }
            }
            // Links are not followed: they may lead in a circle.
            let folders = names.filter {
                !$0.hasPrefix(".") && kind(of: joined(full, $0)) == .folder && !isLink(joined(full, $0))
            }
            return try walk(place, rest.dropFirst()) + folders.flatMap { try walk(below($0), rest) }
        }
        return try walk("", steps[...])
    }
}

private func isPattern(_ step: String) -> Bool { step.contains { $0 == "*" || $0 == "?" } }

/// Whether a name fits a pattern in which `*` stands for any characters and `?` for one; neither stands for a dot at the beginning.
func matches(_ name: String, _ pattern: String) -> Bool {
    if name.hasPrefix("."), !pattern.hasPrefix(".") { return false }
    let (name, pattern) = (Array(name.unicodeScalars), Array(pattern.unicodeScalars))
    var (at, step) = (0, 0)
    // Where the last star stands, and how much of the name it has taken so far.
    var star: (step: Int, taken: Int)?
    while at < name.count {
        if step < pattern.count, pattern[step] == "*" {
            star = (step, at)
            step += 1
        } else if step < pattern.count, pattern[step] == "?" || pattern[step] == name[at] {
            (at, step) = (at + 1, step + 1)
        } else if let last = star {
            star = (last.step, last.taken + 1)
            (at, step) = (last.taken + 1, last.step + 1)
        } else {
            return false
        }
    }
    return pattern[step...].allSatisfy { $0 == "*" }
}
