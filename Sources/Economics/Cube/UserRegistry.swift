import Common
import Lake

/// The users of a job by number, so that whole sets of them are bits: kept under `cache/`, where only runs write, and only at its end.
///
/// After every addition a digest goes on over all users so far. Whoever keeps numbers keeps that mark beside them; they mean something
/// only while the registry still has it. One that was lost and made anew has other marks, unless it holds the same users in the same order.
///
///     cache/kalei/users/registry.parquet
struct UserRegistry {
    struct Mark: Hashable, Sendable {
        let count: Int
        let digest: Digest

        static let none = Mark(count: 0, digest: Digest.of(""))

        init(count: Int, digest: Digest) { (self.count, self.digest) = (count, digest) }

        init?(_ text: String) {
            let parts = text.split(separator: " ")
            guard parts.count == 2, let count = Int(parts[0]), let digest = Digest(hex: String(parts[1])) else { return nil }
            self.init(count: count, digest: digest)
        }

        var text: String { "\(count) \(digest.hex)" }

        func followed(by users: [String]) -> Mark {
            Mark(count: count + users.count, digest: Digest.of(parts: [digest.hex] + users))
        }
    }

    private let path: String
    private(set) var marks: [Mark]
    private(set) var users = TextInterner()

    private static let spec = ColumnSpec("user", .text)
    private static let key = "vesper.marks"

    static func path(home: String, job: String) -> String { joined(home, "cache/\(job)/users/registry.parquet") }

    /// The marks alone: all that is needed while nobody asks for names. None where there is no registry, or one that cannot be read.
    static func marks(home: String, job: String) -> Set<Mark> {
        guard let file = try? ParquetFile(path: path(home: home, job: job)) else { return [] }
        return Set(marks(of: file))
    }

    private static func marks(of file: ParquetFile) -> [Mark] {
        (file.metadata[key] ?? "").split(separator: ",").compactMap { Mark(String($0)) }
    }

    /// Reads all of it, and believes only what its marks prove; otherwise it is empty, and so begins anew.
    init(home: String, job: String) {
        path = UserRegistry.path(home: home, job: job)
        marks = []
        guard let file = try? ParquetFile(path: path), let batch = try? file.readAll(columns: [UserRegistry.spec]),
            let column = batch["user"]
        else { return }
        let names = (0..<batch.count).compactMap { column.text(at: $0) }
        let known = UserRegistry.marks(of: file)
        var last = Mark.none
        for mark in known {
            guard mark.count > last.count, mark.count <= names.count,
                last.followed(by: Array(names[last.count..<mark.count])) == mark
            else { return }
            last = mark
        }
        guard last.count == names.count, batch.count == names.count else { return }
        for name in names { _ = users.code(of: name) }
        guard users.dictionary.count == names.count else {
            users = TextInterner()
            return
        }
        marks = known
    }

    var mark: Mark { marks.last ?? .none }

    /// The first mark that holds so many users: the same whenever it is asked for.
    func mark(holding count: Int) -> Mark { count == 0 ? .none : marks.first { $0.count >= count } ?? mark }

    /// Gives numbers to those who have none, in the order of their names, and keeps the registry before anybody uses them.
    mutating func add(_ names: some Sequence<String>) throws {
        let count = users.dictionary.count
        // Equal rows give equal numbers, whatever thread met somebody first.
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { _ = users.code(of: name) }
        let fresh = (count..<users.dictionary.count).map { users.dictionary[Int32($0)] }
        guard !fresh.isEmpty else { return }
        marks.append(mark.followed(by: fresh))
        let codes = (0..<Int32(users.dictionary.count)).map { $0 }
        let batch = Batch(specs: [UserRegistry.spec], columns: [.text(codes, users.dictionary)], count: codes.count)
        let bytes = try parquetBytes(batch, metadata: [(UserRegistry.key, marks.map(\.text).joined(separator: ","))])
        try writeAtomically(bytes, to: path)
    }

    /// The number of somebody who may be new: such numbers are for one question only and never kept.
    mutating func number(of name: String) -> Int { Int(users.code(of: name)) }
}
