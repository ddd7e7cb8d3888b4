import Common
import Lake
import Ledger

/// What the profiles of a period depend on; equal digests, equal profiles.
public func profileInputs(_ order: ProfileOrder, _ lake: Lake) throws -> Digest {
    let first = order.zone.start(of: order.baseline.first).dayUTC
    let last = Instant(microseconds: order.zone.start(of: order.period.last + 1).microseconds - 1).dayUTC
    var rows = [
        Lake.digest(of: try lake.parts(job: order.job, log: .sessions, from: first, to: last)),
        Lake.digest(of: try lake.parts(job: order.job, log: .snapshots)),
    ]
    if order.insight.excerpts > 0 {
        rows.append(Lake.digest(of: try lake.parts(job: order.job, log: .texts, from: first, to: last)))
    }
    let plans = order.plans.map { "\($0.name):\($0.entitles)" }.joined(separator: ",")
    return Digest.of(
        parts: [
            "profiles 1", order.period.description, order.zone.name, plans, order.insight.definition,
            hmac([], key: order.pseudonymKey).hex,
        ]
            + rows.map(\.hex))
}

/// The profiles of a period: as they were kept when they were made, or, where that is gone, made again.
public func storedProfiles(_ order: ProfileOrder, _ lake: Lake) throws -> [SubjectWeek] {
    let path = joined(lake.home, try place(order, lake))
    guard exists(path) else { return try makeProfiles(order, lake) }
    let lines = try gunzipped(try readFile(path, as: "profiles"), path: path).split(separator: 0x0a)
    return try lines.map { line in
        let json = try parseJSON(Array(line), path: path)
        guard let user = json["user"]?.string, let subject = json["subject"]?.string, let profile = json["profile"],
            let standing = json["standing"]?.string.flatMap(Standing.init(rawValue:))
        else { throw Failure("The profiles are damaged. Delete this file and run again.", at: Place(path: path)) }
        return SubjectWeek(user: user, subject: subject, standing: standing, profile: profile)
    }
}

/// Makes the profiles of a period and keeps them under `cache/`, which holds real ids and is never shared.
public func keepProfiles(_ order: ProfileOrder, _ lake: Lake) throws -> [SubjectWeek] {
    let weeks = try makeProfiles(order, lake)
    let lines = weeks.map { week in
        JSON.fields([
            "user": .string(week.user), "subject": .string(week.subject), "standing": .string(week.standing.rawValue),
            "profile": week.profile,
        ]).text + "\n"
    }
    let place = try place(order, lake)
    let folder = joined(lake.home, folder(order))
    for old in try names(in: folder) where old.hasPrefix("\(order.period)-\(order.insight.name)-") {
        try removeTree(folder + "/" + old)
    }
    try writeAtomically(try gzipped(lines.flatMap { Array($0.utf8) }), to: joined(lake.home, place))
    return weeks
}

private func folder(_ order: ProfileOrder) -> String { "cache/\(order.job)/profiles" }

private func place(_ order: ProfileOrder, _ lake: Lake) throws -> String {
    "\(folder(order))/\(order.period)-\(order.insight.name)-\(try profileInputs(order, lake).short).jsonl.gz"
}

// MARK: - The key of pseudonyms

public let insightMigrations = [
    Migration(
        "insights", "1 the key of pseudonyms",
        "CREATE TABLE pseudonym_key (id INTEGER PRIMARY KEY CHECK (id = 1), hex TEXT NOT NULL) STRICT"),
    Migration(
        "insights", "2 the fingerprint of the key",
        "CREATE TABLE pseudonym_fingerprint (id INTEGER PRIMARY KEY CHECK (id = 1), hex TEXT NOT NULL) STRICT"),
]

extension Ledger {
    /// The key with which users are named in prompts and shareable outputs: the one given, or a random one that is made once.
    ///
    /// `random` is asked for 32 bytes where the home has no key yet; a reader gets nil instead. Another key than the one that the
    /// home's pseudonyms were made with is refused: under new names everybody would be asked about, and paid for, again.
    public func pseudonymKey(given: [UInt8]?, random: (() throws -> [UInt8])?) throws -> [UInt8]? {
        guard let key = try given ?? storedKey() ?? random.map({ try newKey($0) }) else { return nil }
        let fingerprint = hmac("vesper.pseudonyms".utf8, key: key).hex
        if let known = try database.rows("SELECT hex FROM pseudonym_fingerprint").first {
            guard known.text(0) == fingerprint else {
                throw Failure(
                    "This home's pseudonyms were made with another key, so everybody would be asked about again. "
                        + "Set VESPER_PSEUDONYM_KEY as it was, or unset it if it never was set, or use another --home.",
                    at: Place(path: home))
            }
        } else if random != nil {
            try database.execute("INSERT INTO pseudonym_fingerprint VALUES (1, ?)", [.text(fingerprint)])
        }
        return key
    }

    private func storedKey() throws -> [UInt8]? {
        try database.rows("SELECT hex FROM pseudonym_key").first.flatMap { Digest(hex: $0.text(0))?.bytes }
    }

    private func newKey(_ random: () throws -> [UInt8]) throws -> [UInt8] {
        // Where a key was given before, a home must not fall back to one of its own.
        if try !database.rows("SELECT hex FROM pseudonym_fingerprint").isEmpty { return [] }
        let key = Digest(bytes: try random())
        try database.execute("INSERT INTO pseudonym_key VALUES (1, ?)", [.text(key.hex)])
        return key.bytes
    }
}
