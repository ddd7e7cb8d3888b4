/// Where a list stands whose elements are records, list by list: `data[].results[]`.
struct ElementPath: Equatable, Sendable {
    let text: String
    /// The path to each list from the record, or from the element of the list before it.
    let lists: [String]

    init?(_ text: String) {
        guard text.hasSuffix("[]") else { return nil }
        var lists: [String] = []
        for piece in text.dropLast(2).split(separator: "[]", omittingEmptySubsequences: false) {
            let name = lists.isEmpty ? piece : piece.hasPrefix(".") ? piece.dropFirst() : ""
            guard !name.isEmpty, !name.contains("["), !name.contains("]") else { return nil }
            lists.append(String(name))
        }
        (self.text, self.lists) = (text, lists)
    }

    /// In how many of the lists a path goes, and what is left of it in the element there; all of it where that is empty.
    func place(of path: String) -> (level: Int, rest: String) {
        var (level, rest) = (0, path[...])
        for list in lists {
            let start = list + "[]"
            guard rest == start || rest.hasPrefix(start + ".") else { break }
            rest = rest.dropFirst(start.count)
            if rest.hasPrefix(".") { rest = rest.dropFirst() }
            level += 1
        }
        return (level, String(rest))
    }
}
