import Common

/// Files that one source would read: they differ in the days and numbers of their names alone.
struct FileGroup {
    /// Patterns below the data folder that find them, and what comes after them.
    var patterns: [String]
    /// The last word before the numbers: `requests` of `requests-2026-09-28.jsonl`.
    let stem: String
    /// Below the data folder, sorted.
    var files: [String]

    /// With the files of another group, for which a pattern is added where none finds them yet.
    func joined(by other: FileGroup) -> FileGroup {
        let found = patterns.compactMap { FilePattern($0) }
        let rest = other.files.filter { file in !found.contains { $0.fits(file) } }
        let needed = other.patterns.filter { text in rest.contains { FilePattern(text)?.fits($0) == true } }
        return FileGroup(patterns: patterns + needed, stem: stem, files: files + other.files)
    }
}

/// Sorts files into groups.
func groupFiles(_ files: [String]) -> [FileGroup] {
    var groups: [FileGroup] = []
    for (pattern, members) in Dictionary(grouping: files, by: starred).sorted(by: { $0.key < $1.key }) {
        let members = members.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let digits = members[0].filter { $0.isASCII && $0.isNumber }.count
        // One file whose name has few digits is probably called so: api_v2.jsonl.
        let isAlone = members.count == 1 && digits < 4
        let found = isAlone ? members[0] : pattern
        groups.append(FileGroup(patterns: [found], stem: stem(of: found), files: members))
    }
    return groups
}

/// A path in which a star stands for every run of digits: `users-*.csv` of `users-2026-10-05.csv`.
private func starred(_ path: String) -> String {
    let (name, end) = ending(of: path)
    var result = ""
    for character in name {
        let isDigit = character.isASCII && character.isNumber
        // Between numbers what divides them belongs to them: 2026-10-05, 20261005T1200.
        if isDigit {
            while let last = result.last, "-_.T:".contains(last), result.dropLast().last == "*" { result.removeLast() }
            if result.last != "*" { result.append("*") }
        } else {
            result.append(character)
        }
    }
    return result + end
}

/// Divides a path before the end that says its format: (`a/users-2026`, `.csv.gz`).
private func ending(of path: String) -> (name: String, end: String) {
    let start = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
    guard let dot = path[start...].dropFirst().firstIndex(of: "."), path[dot...].contains(where: \.isLetter) else {
        return (path, "")
    }
    var end = path[dot...]
    // Of a name with several dots only the last ones: a.2026.csv.gz.
    while end.filter({ $0 == "." }).count > (end.hasSuffix(".gz") ? 2 : 1), let next = end.dropFirst().firstIndex(of: ".") {
        end = end[next...]
    }
    return (String(path[..<end.startIndex]), String(end))
}

private func stem(of pattern: String) -> String {
    let (name, _) = ending(of: pattern)
    let last = name.split(separator: "/").last ?? ""
    let words = last.split { $0 == "*" || $0 == "-" || $0 == "." || $0 == " " }
    if let word = words.first { return String(word) }
    return name.split(separator: "/").dropLast().last.map(String.init) ?? "records"
}
