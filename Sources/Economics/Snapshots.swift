import Common
import Lake

/// A version of a mutable thing.
public struct Snapshot: Sendable {
    public let kind: String
    public let id: String
    public let updatedAt: Instant
    public let parent: String?
    public let tenant: String?
    public let plan: String?
    public let status: String?
    public let attributes: JSON

    /// A column by its name, or an attribute as text.
    subscript(name: String) -> String? {
        switch name {
        case "id": id
        case "parent": parent
        case "tenant": tenant
        case "plan": plan
        case "status": status
        default:
            switch attributes[name] {
            case .string(let text), .number(let text): text
            case .bool(let flag): String(flag)
            default: nil
            }
        }
    }
}

extension Lake {
    /// The newest version of every thing of one kind, by id; with `asOf`, the newest that stood at that moment.
    public func newestSnapshots(job: String, kind: String, asOf: Instant? = nil) throws -> [Snapshot] {
        var newest: [String: Snapshot] = [:]
        try eachSnapshot(job: job, kind: kind) { id, updated, version in
            if let asOf, updated > asOf { return }
            if let known = newest[id], known.updatedAt >= updated { return }
            newest[id] = try version()
        }
        return newest.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    }

    /// Every version of every thing of one kind, by id and time.
    func snapshots(job: String, kind: String) throws -> [Snapshot] {
        var all: [Snapshot] = []
        try eachSnapshot(job: job, kind: kind) { _, _, version in all.append(try version()) }
        return all.sorted { $0.id == $1.id ? $0.updatedAt < $1.updatedAt : $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    }

    private func eachSnapshot(job: String, kind: String, _ body: (String, Instant, () throws -> Snapshot) throws -> Void) throws {
        try scan(job: job, log: .snapshots, columns: Log.snapshots.columns) { _, batch in
            guard case .text(let kinds, let names)? = batch["kind"] else { return }
            let wanted = names.matches(kind)
            for row in 0..<batch.count where kinds[row] >= 0 && wanted[Int(kinds[row])] {
                guard let id = batch["id"]?.text(at: row), let updated = batch["updated_at"]?.integer(at: row) else { continue }
                let instant = Instant(microseconds: updated)
                try body(id, instant) {
                    let attributes = try batch["attributes"]?.text(at: row).map { try parseJSON(Array($0.utf8), path: "lake") }
                    return Snapshot(
                        kind: kind, id: id, updatedAt: instant, parent: batch["parent"]?.text(at: row),
                        tenant: batch["tenant"]?.text(at: row), plan: batch["plan"]?.text(at: row),
                        status: batch["status"]?.text(at: row), attributes: attributes ?? .object([]))
                }
            }
        }
    }
}
