import Common

/// The fields of some records as a job names them, in the order in which they come.
///
/// - Parameter each: the list whose elements are the records; fields of its elements are then written with the same [].
func fieldPaths(of records: [JSON], each: ElementPath? = nil) -> [String] {
    let lists = each?.wholePaths ?? []
    var known: Set<String> = []
    var paths: [String] = []
    func visit(_ value: JSON, _ path: String) {
        switch value {
        case .object(let members) where !members.isEmpty:
            for member in members { visit(member.value, path.isEmpty ? member.key : "\(path).\(member.key)") }
        case .array(let items) where lists.contains(path):
            for item in items { visit(item, path + "[]") }
        default:
            if !path.isEmpty, known.insert(path).inserted { paths.append(path) }
        }
    }
    for record in records { visit(record, "") }
    return paths
}

/// The fields of some records that no column and no condition of a source looks at.
func unread(_ records: [JSON], by source: Source) -> [String] {
    let wanted = Set(source.paths)
    return fieldPaths(of: records, each: source.each).filter { field in
        !wanted.contains { path in
            // An object may be read as a whole, and a list or a text that is JSON in part.
            path == field || field.hasPrefix(path + ".") || path.hasPrefix(field + ".") || path.hasPrefix(field + "[]")
        }
    }
}

extension ElementPath {
    /// Each list from the record on: `data`, `data[].results`.
    var wholePaths: [String] {
        lists.indices.map { lists[...$0].joined(separator: "[].") }
    }
}
