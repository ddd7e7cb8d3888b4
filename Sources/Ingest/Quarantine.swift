import Common

/// A record that was refused, as it is kept under `quarantine/`: why, where it stands, and its bytes.
struct Refusal {
    let source: String
    let file: String
    let record: Int64
    let reason: String
    let detail: String
    /// At most the first 64 KiB.
    let raw: [UInt8]
    let length: Int
    /// Of all bytes, where `raw` is not all of them.
    let digest: Digest?

    static let keptBytes = CutLine.kept

    init(source: String, file: String, record: Int64, reason: String, detail: String, line: UnsafeBufferPointer<UInt8>, cut: CutLine?) {
        (self.source, self.file, self.record, self.reason, self.detail) = (source, file, record, reason, detail)
        raw = Array(line.prefix(Refusal.keptBytes))
        length = cut?.length ?? line.count
        digest = cut?.digest ?? (line.count > Refusal.keptBytes ? Digest.of(line) : nil)
    }

    /// Where the refusals of one source entry and file are kept, relative to the home.
    static func place(job: String, source: String, file: String) -> String {
        "quarantine/\(job)/\(fileSafe(source))/\(fileSafe(file)).jsonl.gz"
    }

    var json: JSON {
        let text = String(validating: raw, as: UTF8.self)
        return .fields([
            "source": .string(source), "file": .string(file), "record": .int(record), "reason": .string(reason),
            "detail": .string(detail), "bytes": .int(length), "raw": .optional(text),
            "raw_hex": text == nil ? .string(raw.map { hex($0) }.joined()) : .null, "sha256": .optional(digest?.hex),
        ])
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

/// The new content of a quarantine file: what was there and what comes, each line once, by record.
func merged(_ refusals: [Refusal], with path: String) throws -> [UInt8] {
    var lines: Set<String> = Set(refusals.map(\.json.text))
    if exists(path) {
        let old = try gunzipped(try readFile(path, as: "quarantine file"), path: path)
        lines.formUnion(old.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) })
    }
    let sorted = try lines.map { (record: try parseJSON(Array($0.utf8), path: path)["record"]?.int ?? 0, line: $0) }
        .sorted { ($0.record, $0.line) < ($1.record, $1.line) }
    return try gzipped(sorted.flatMap { Array($0.line.utf8) + [0x0a] })
}

/// A name that can stand in a path: letters, digits, dot, dash and underscore stay, the rest becomes %XX.
public func fileSafe(_ name: String) -> String {
    var out = ""
    for byte in name.utf8 {
        let plain = byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte &- 0x30 <= 9 || byte == 0x2e || byte == 0x2d || byte == 0x5f
        out += plain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
    return out
}
