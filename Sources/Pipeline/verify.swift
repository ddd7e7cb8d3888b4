import Batches
import Common
import Economics
import Ingest
import Lake
import Ledger
import Reports

/// Something in a home that is not as the ledger says.
public struct Finding: Equatable, Sendable {
    /// Relative to the home.
    public let path: String
    public let what: String
    /// What to do about it.
    public let step: String
}

/// What was looked at, and what is wrong.
public struct Verification: Sendable {
    public var findings: [Finding] = []
    public var files = 0
    public var bytes: Int64 = 0
}

/// Holds every file of a home against the ledger: present, of the right size and digest, and nothing there that nobody knows.
public func verify(_ ledger: Ledger, threads: Int = 1, talk: Talk = .silent) throws -> Verification {
    var result = Verification()
    for problem in try ledger.database.rows("PRAGMA integrity_check").map({ $0.text(0) }) where problem != "ok" {
        result.findings.append(Finding(path: "ledger.sqlite", what: problem, step: "Restore the ledger from a backup."))
    }
    let parts = try ledger.database.rows("SELECT job, log, day, file, bytes, digest FROM parts ORDER BY 1, 2, 3, 4")
    let known = parts.map { row in
        KnownFile(
            path: "lake/\(row.text(0))/\(row.text(1))/day=\(row.text(2))/\(row.text(3))", bytes: row.integer(4),
            digest: row.text(5),
            step:
                "Restore the file from a backup of the home.")
    }
    let bulk = try ledger.database.rows("SELECT file, digest FROM batches ORDER BY 1").map {
        KnownFile(
            path: $0.text(0), bytes: nil, digest: $0.text(1), step: "Restore the bulk file from a backup; it says what was sent.")
    }
    try check(known + bulk, ledger.home, threads: threads, talk, &result)
    try checkAnswers(ledger, &result)
    try checkReports(ledger, threads: threads, talk, &result)
    try checkQuarantine(ledger, &result)
    try checkIndex(ledger, threads: threads, &result)
    try checkPrices(ledger, &result)
    let swaps = Set(try ledger.database.rows("SELECT place FROM swaps").map { $0.text(0) })
    if !swaps.isEmpty {
        result.findings.append(
            Finding(
                path: "staging", what: "\(counted(swaps.count, "change")) committed but not in place yet",
                step: "Run \"vesper run\"; it finishes them."))
    }
    let expected = Set(known.map(\.path))
    for file in try files(below: joined(ledger.home, "lake")) where !expected.contains("lake/" + file) {
        result.findings.append(
            Finding(
                path: "lake/" + file, what: "the ledger does not know it",
                step: "Move it out of the lake: other engines would count its rows."))
    }
    result.findings.sort { ($0.path, $0.what) < ($1.path, $1.what) }
    return result
}

private struct KnownFile: Sendable {
    let path: String
    /// nil where only the digest is known.
    let bytes: Int64?
    let digest: String
    let step: String
}

private func check(_ known: [KnownFile], _ home: String, threads: Int, _ talk: Talk, _ result: inout Verification) throws {
    let shared = SharedFindings(total: known.reduce(0) { $0 + ($1.bytes ?? 0) }, talk)
    try inParallel(known.count, threads: threads) { index in
        let file = known[index]
        let path = joined(home, file.path)
        guard let size = FileSignature(of: path)?.size else {
            return shared.add(Finding(path: file.path, what: "it is missing", step: file.step), 0)
        }
        if let bytes = file.bytes, bytes != size {
            return shared.add(
                Finding(
                    path: file.path, what: "it has \(grouped(size)) bytes and should have \(grouped(bytes))", step: file.step),
                size)
        }
        let digest = try digestOfFile(path)
        shared.add(
            digest?.hex == file.digest
                ? nil : Finding(path: file.path, what: "its bytes have changed since they were written", step: file.step), size)
    }
    result.findings += shared.findings
    result.files += known.count
    result.bytes += shared.bytes
}

/// Each answer is pinned by its place and digest: reading them all back tells whether they are still what was received.
private func checkAnswers(_ ledger: Ledger, _ result: inout Verification) throws {
    for row in try ledger.database.rows(
        "SELECT DISTINCT asked.job, asked.insight, asked.period, answers FROM asked JOIN batches ON id = batch WHERE answers IS NOT NULL ORDER BY 4"
    ) {
        result.files += 1
        guard let week = Week(row.text(2)) else { continue }
        do {
            _ = try ledger.answers(job: row.text(0), insight: row.text(1), period: Period(week))
        } catch let failure as Failure {
            result.findings.append(
                Finding(path: row.text(3), what: failure.message, step: "Restore the answers from a backup: they were paid for."))
        }
    }
}

private func checkIndex(_ ledger: Ledger, threads: Int, _ result: inout Verification) throws {
    for row in try ledger.database.rows("SELECT DISTINCT job, log FROM parts ORDER BY 1, 2") {
        guard let log = Log(rawValue: row.text(1)) else { continue }
        let folder = "index/\(row.text(0))/\(row.text(1))"
        for name in try DedupeIndex.damage(home: ledger.home, job: row.text(0), log: log, threads: threads) {
            result.findings.append(
                Finding(
                    path: "\(folder)/\(name)", what: "it is missing, or its bytes have changed",
                    step: "Delete \(folder); the next ingest makes it anew from the lake."))
        }
    }
}

private func checkPrices(_ ledger: Ledger, _ result: inout Verification) throws {
    for row in try ledger.database.rows("SELECT DISTINCT job FROM price_revisions ORDER BY 1") {
        do { _ = try ledger.priceRevisions(job: row.text(0)) } catch let failure as Failure {
            result.findings.append(
                Finding(path: "ledger.sqlite", what: failure.message, step: "Restore the ledger from a backup."))
        }
    }
}

/// Compressed lines carry a checksum of their own, so they are only read; that some must be there, the counts say.
private func checkQuarantine(_ ledger: Ledger, _ result: inout Verification) throws {
    let sql = """
        SELECT job, source, file FROM counts WHERE outcome = 'quarantined' GROUP BY 1, 2, 3 HAVING sum(count) > 0 ORDER BY 1, 2, 3
        """
    for row in try ledger.database.rows(sql) {
        result.files += 1
        if let damage = quarantineDamage(home: ledger.home, job: row.text(0), source: row.text(1), file: row.text(2)) {
            result.findings.append(
                Finding(path: damage.path, what: damage.what, step: "Restore the file from a backup of the home."))
        }
    }
}

private func checkReports(_ ledger: Ledger, threads: Int, _ talk: Talk, _ result: inout Verification) throws {
    for row in try ledger.database.rows("SELECT job, period, manifest FROM reports ORDER BY 1, 2") {
        let folder = "reports/\(row.text(0))/\(row.text(1))"
        let step = "Delete the folder and run \"vesper run\"; the report is made again."
        let path = joined(ledger.home, folder + "/manifest.json")
        guard exists(path) else {
            result.findings.append(Finding(path: folder + "/manifest.json", what: "it is missing", step: step))
            continue
        }
        let bytes = try readFile(path, as: "manifest")
        result.files += 1
        guard Digest.of(bytes).hex == row.text(2), let manifest = try? parseJSON(bytes, path: path) else {
            result.findings.append(
                Finding(path: folder + "/manifest.json", what: "its bytes have changed since they were written", step: step))
            continue
        }
        let outputs = (manifest["outputs"]?.array ?? []).compactMap { output -> KnownFile? in
            guard let name = output["name"]?.string, let size = output["bytes"]?.int, let digest = output["sha256"]?.string else {
                return nil
            }
            return KnownFile(path: "\(folder)/\(name)", bytes: Int64(size), digest: digest, step: step)
        }
        try check(outputs, ledger.home, threads: threads, talk, &result)
    }
}

private final class SharedFindings: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private let total: Int64
    private let talk: Talk
    private(set) var findings: [Finding] = []
    private(set) var bytes: Int64 = 0

    init(total: Int64, _ talk: Talk) { (self.total, self.talk) = (total, talk) }

    func add(_ finding: Finding?, _ size: Int64) {
        lock.held {
            if let finding { findings.append(finding) }
            bytes += size
            talk.progress("verifying", bytes, max(total, bytes))
        }
    }
}
