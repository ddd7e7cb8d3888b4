import Common
import Lake

/// A folder of the cache with one Parquet file a day, each under a name that its own bytes give: a file that is damaged, cut off or was
/// put there by others does not bear it, and is as good as missing.
///
///     cache/kalei/costs/2026-11-09-3fb04c51a20e77d1.parquet
struct CubeFolder: Sendable {
    let path: String

    /// The names of a day's files; more than one only where a run was killed between a new one and the removal of the old.
    func names() throws -> [Day: [String]] {
        guard kind(of: path) == .folder else { return [:] }
        var found: [Day: [String]] = [:]
        for name in try Common.names(in: path) where name.hasSuffix(CubeFolder.suffix) {
            if let day = Day(String(name.prefix(10))) { found[day, default: []].append(name) }
        }
        return found
    }

    private static let suffix = ".parquet"

    /// The first of some files whose metadata is what is wanted; nothing but the footer is read.
    func first(of names: [String], where isWanted: ([String: String]) throws -> Bool) rethrows -> ParquetFile? {
        for name in names {
            if let file = try? ParquetFile(path: path + "/" + name), try isWanted(file.metadata) { return file }
        }
        return nil
    }

    /// Whether a file's bytes are still those that gave it its name.
    static func isSound(_ file: ParquetFile) -> Bool {
        guard let digest = try? digestOfFile(file.path) else { return false }
        return file.path.hasSuffix("-\(digest.short)\(suffix)")
    }

    /// Keeps a day's rows and removes what stood for it before.
    func write(_ day: Day, _ batch: Batch, _ metadata: [(key: String, value: String)]) throws {
        let bytes = try parquetBytes(batch, metadata: metadata)
        let name = "\(day)-\(Digest.of(bytes).short)\(CubeFolder.suffix)"
        try makeFolder(path)
        // It need not last through a power cut: what is torn then does not bear its name.
        let temporary = "\(path)/\(name).partial"
        try removeTree(temporary)
        try writeAhead(bytes, to: temporary)
        try rename(temporary, to: path + "/" + name)
        for old in try Common.names(in: path) where old.hasPrefix("\(day)-") && old != name { try removeTree(path + "/" + old) }
    }
}
