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

    static let keptBytes = CutRecord.kept

    init(
        source: String, file: String, record: Int64, reason: String, detail: String, line: UnsafeBufferPointer<UInt8>,
        cut: CutRecord?
    ) {
        (self.source, self.file, self.record, self.reason, self.detail) = (source, file, record, reason, detail)
        raw = Array(line.prefix(Refusal.keptBytes))
        length = cut?.length ?? line.count
        digest = cut?.digest ?? (line.count > Refusal.keptBytes ? Digest.of(line) : nil)
    }

    /// From its line in the quarantine.
    init(_ line: String, path: String) throws {
        let json = try parseJSON(Array(line.utf8), path: path)
        source = json["source"]?.string ?? ""
        file = json["file"]?.string ?? ""
        record = Int64(json["record"]?.int ?? 0)
        reason = json["reason"]?.string ?? ""
        detail = json["detail"]?.string ?? ""
        length = json["bytes"]?.int ?? 0
        digest = (json["sha256"]?.string).flatMap { Digest(hex: $0) }
        let digits = Array((json["raw_hex"]?.string ?? "").utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        raw = (json["raw"]?.string).map { Array($0.utf8) } ?? bytes
    }

    /// The same record, refused for another reason.
    init(_ other: Refusal, reason: String, detail: String) {
        (source, file, record, raw) = (other.source, other.file, other.record, other.raw)
        (length, digest, self.reason, self.detail) = (other.length, other.digest, reason, detail)
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

/// The refusals of one source entry and file, as they come; kept compressed, for a whole export may be refused.
final class RefusalFile: @unchecked Sendable {
    // `unchecked`: filled by the one thread that reads the file, read when that has ended.
    let source: String
    let file: String
    private var writer: GzipWriter?
    private var compressed: [UInt8] = []
    private(set) var isEmpty = true

    init(source: String, file: String) { (self.source, self.file) = (source, file) }

    func append(_ refusal: Refusal) throws {
        if writer == nil { writer = try GzipWriter() }
        isEmpty = false
        try (Array(refusal.json.text.utf8) + [0x0a]).withUnsafeBytes { try writer?.write($0, to: &compressed) }
    }

    /// Everything that was appended, as gzip; nothing may be appended afterwards.
    func finished() throws -> [UInt8] {
        try writer?.finish(to: &compressed)
        writer = nil
        return compressed
    }
}

/// The lines of a quarantine file.
func quarantined(_ path: String) throws -> [UInt8] {
    let bytes = try readFile(path, as: "quarantine file")
    guard !bytes.isEmpty, let lines = try? gunzipped(bytes, path: path) else {
        throw Failure(
            "The quarantine file cannot be read. Restore the file from a backup of the home, or move it away.",
            at: Place(path: path))
    }
    return lines
}

/// What is wrong with the file that keeps what was refused of one source entry and file; nil where it is whole.
public func quarantineDamage(home: String, job: String, source: String, file: String) -> (path: String, what: String)? {
    let place = Refusal.place(job: job, source: source, file: file)
    let path = joined(home, place)
    guard exists(path) else { return (place, "it is missing") }
    guard let lines = try? quarantined(path).split(separator: 0x0a), !lines.isEmpty else { return (place, "it cannot be read") }
    for line in lines {
        guard let refusal = try? parseJSON(Array(line), path: path) else { return (place, "it cannot be read") }
        if refusal["source"]?.string != source || refusal["file"]?.string != file {
            return (place, "it holds what was refused of another file")
        }
    }
    return nil
}

/// A name that can stand in a path: letters, digits, dot, dash and underscore stay, the rest becomes %XX.
public func fileSafe(_ name: String) -> String {
    var out = ""
    for byte in name.utf8 {
        let plain =
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte &- 0x30 <= 9 || byte == 0x2e || byte == 0x2d || byte == 0x5f
        out += plain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
    return out
}
