import Common

/// How the files of a group are divided into records, where their names do not say it, and how CSV among them is written.
struct FileForm {
    let format: FormatName?
    let delimiter: String?
    private let saysFormat: Bool

    init(of path: String) throws {
        let named = FormatName(ofFile: path)
        let size = FileSignature(of: path)?.size ?? 0
        var found = named
        if named == nil {
            let input = try RecordInput(path, size: size, ahead: false) { _ in }
            defer { input.stop() }
            _ = try input.looksLike()
            let beginning = input.bytes[byteOrderMark(input.bytes)...].first { !isSpace($0) }
            // A table may come under any name; JSON begins with a bracket.
            if let beginning, beginning != 0x7b, beginning != 0x5b { found = .csv }
        }
        var delimiter: String?
        if found == .csv {
            let counts = [",", ";", "\t", "|"].map { character in
                (character, (try? csvHeader(of: path, CSVForm(delimiter: character.utf8.first ?? 0x2c), size: size))?.count ?? 0)
            }
            let best = counts.max { $0.1 < $1.1 }
            if let best, best.1 > (counts.first?.1 ?? 0) { delimiter = best.0 }
        }
        (format, self.delimiter, saysFormat) = (found, delimiter, found != named)
    }

    func sample(_ path: String, most: Int) throws -> [JSON] {
        let format = format?.format(delimiter: delimiter?.utf8.first)
        return try sampleRecords(of: path, as: format, most: most).records
    }

    /// What databases print for nothing in a table.
    private static let nulls = ["\\N", "NULL", "null"]

    /// The records of a table as they are read where the job says which of its texts are null.
    func withNulls(_ values: [JSON]) -> [JSON] {
        guard format == .csv || format == .tsv else { return values }
        return values.map { value in
            .object(
                (value.members ?? []).map {
                    JSON.Member($0.key, FileForm.nulls.contains($0.value.string ?? "") ? .null : $0.value)
                })
        }
    }

    /// What a job says of it, besides the files' own names.
    func keys(_ values: [JSON]) -> [ProposedKey] {
        var keys: [ProposedKey] = []
        if saysFormat, let format { keys.append(ProposedKey("format", text: format.rawValue, "the file's name does not say it")) }
        if let delimiter { keys.append(ProposedKey("delimiter", text: delimiter)) }
        guard format == .csv || format == .tsv else { return keys }
        let nulls: [String] = FileForm.nulls.filter { null in
            values.contains { $0.members?.contains { $0.value.string == null } ?? false }
        }
        if !nulls.isEmpty {
            keys.append(ProposedKey("nulls", JSON.array(nulls.map { JSON.string($0) }).text, "fields that stand for nothing"))
        }
        return keys
    }
}
