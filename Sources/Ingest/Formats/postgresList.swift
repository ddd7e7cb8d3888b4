import Common

/// A list as PostgreSQL prints an array in CSV, as JSON: `{a,"b, c",NULL}` is `["a","b, c",null]`. nil for any other text.
///
/// PostgreSQL, "Arrays", 8.15.6: an element in quotes is that text, in which a backslash stands before a quote or a backslash; one
/// without quotes that reads NULL is none; arrays may stand in arrays. What type the elements have is not said, so they are texts.
func postgresList(_ text: UnsafeBufferPointer<UInt8>) -> JSON? {
    guard text.first == 0x7b else { return nil }
    var reader = PostgresListReader(text: text)
    guard let list = reader.list(depth: 0), reader.at == text.count else { return nil }
    return list
}

private struct PostgresListReader {
    let text: UnsafeBufferPointer<UInt8>
    var at = 0

    /// PostgreSQL has at most six dimensions.
    static let deepest = 6

    init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

    mutating func list(depth: Int) -> JSON? {
        guard depth < PostgresListReader.deepest, take(0x7b) else { return nil }
        if take(0x7d) { return .array([]) }
        var items: [JSON] = []
        while true {
            guard let item = at < text.count && text[at] == 0x7b ? list(depth: depth + 1) : element() else { return nil }
            items.append(item)
            if take(0x7d) { return .array(items) }
            guard take(0x2c) else { return nil }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func element() -> JSON? {
        let isQuoted = take(0x22)
        var bytes: [UInt8] = []
        while at < text.count {
            let byte = text[at]
            if byte == 0x5c {
                guard at + 1 < text.count else { return nil }
                bytes.append(text[at + 1])
                at += 2
                continue
            }
            if isQuoted ? byte == 0x22 : byte == 0x2c || byte == 0x7d { break }
            // Without quotes none of these stands in an element.
            if !isQuoted, byte == 0x22 || byte == 0x7b { return nil }
            bytes.append(byte)
            at += 1
        }
        if isQuoted { return take(0x22) ? .string(String(decoding: bytes, as: UTF8.self)) : nil }
        guard !bytes.isEmpty else { return nil }
        let word = String(decoding: bytes, as: UTF8.self)
        return word.uppercased() == "NULL" ? .null : .string(word)
    }
}
