import Batches
import Common
import Economics
import Insights
import Lake
import Ledger

public let reportMigrations = [
    Migration(
        "reports", "1 revisions",
        """
        CREATE TABLE reports (
            job TEXT NOT NULL, period TEXT NOT NULL, revision INTEGER NOT NULL, inputs TEXT NOT NULL, manifest TEXT NOT NULL,
            PRIMARY KEY (job, period)) STRICT, WITHOUT ROWID
        """)
]

/// What came of writing a report.
public struct WrittenReport: Sendable {
    /// Relative to the home.
    public let folder: String
    public let revision: Int
    /// The digest of the manifest, and so of every output.
    public let manifest: Digest
}

/// Builds a period's report and puts its folder and archive in place.
///
/// The folder changes in one step. Where other inputs gave another report before, that one moves to `revisions/<n>/` inside it; the
/// archive beside the folder and the manifest hold the newest one only. The same report is not written again.
public func writeReport(_ order: ReportOrder, inputs: Digest, _ lake: Lake) throws -> WrittenReport {
    let (job, period) = (order.model.job, order.period.description)
    let key: [SQLValue] = [.text(job), .text(period)]
    let known = try lake.ledger.database.rows("SELECT revision, inputs FROM reports WHERE job = ? AND period = ?", key).first
    let revision = known.map { $0.text(1) == inputs.hex ? $0.int(0) : $0.int(0) + 1 } ?? 1
    let (report, costs, outcomes) = try buildReport(order, revision: revision, lake)

    var outputs: [(name: String, bytes: [UInt8])] = [
        ("costs.csv.gz", try gzipped(Array(costsCSV(costs, currency: order.currency).utf8))),
        ("index.html", Array(renderPage(report).utf8)),
        ("insights.jsonl.gz", try gzipped(insightLines(outcomes, period: period))),
        ("report.json.gz", try gzipped(Array(reportJSON(report).prettyText.utf8))),
    ]
    let manifest = manifestJSON(report, outputs: outputs, inputs: inputs, order.provenance)
    outputs.append(("manifest.json", Array(manifest.prettyText.utf8)))

    let folder = "reports/\(job)/\(period)"
    let place = joined(lake.home, folder)
    let deliveries = try outcomes.filter { !$0.weeks.isEmpty }.map { outcome in
        (name: "private/\(outcome.insight.name).jsonl.gz", bytes: try gzipped(deliveryLines(outcome, period: order.period)))
    }
    if try !holds(place, outputs + deliveries) {
        let staged = joined(lake.home, "staging/" + folder)
        try removeTree(staged)
        try makeFolder(staged)
        for (name, bytes) in outputs + deliveries {
            if let slash = name.lastIndex(of: "/") { try makeFolder(staged + "/" + name[..<slash]) }
            try writeNew(bytes, to: staged + "/" + name)
        }
        try keepRevisions(from: place, in: staged, newest: revision)
        try sync(staged)
        try exchange(staged, with: place)
        try removeTree(joined(lake.home, "staging"))
    }
    let archive = try tarArchive(outputs.sorted { $0.name < $1.name }.map { ("\(job)-\(period)/\($0.name)", $0.bytes) })
    try writeAtomically(try gzipped(archive), to: joined(lake.home, "reports/\(job)/\(job)-\(period).tar.gz"))
    let digest = Digest.of(Array(manifest.prettyText.utf8))
    try lake.ledger.database.execute(
        "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?)", key + [.count(revision), .text(inputs.hex), .text(digest.hex)])
    return WrittenReport(folder: folder, revision: revision, manifest: digest)
}

/// Whether a period's folder and archive are in place.
public func hasReport(job: String, period: Period, home: String) -> Bool {
    exists(joined(home, "reports/\(job)/\(period)/manifest.json"))
        && exists(joined(home, "reports/\(job)/\(job)-\(period).tar.gz"))
}

private func holds(_ folder: String, _ files: [(name: String, bytes: [UInt8])]) throws -> Bool {
    try files.allSatisfy { file in
        let path = folder + "/" + file.name
        guard FileSignature(of: path)?.size == Int64(file.bytes.count) else { return false }
        return try readFile(path, as: "report") == file.bytes
    }
}

/// Earlier revisions stay; what stood in the folder becomes one if it is older than the newest.
private func keepRevisions(from place: String, in staged: String, newest: Int) throws {
    for path in try files(below: place + "/revisions") {
        let target = "\(staged)/revisions/\(path)"
        if let slash = target.lastIndex(of: "/") { try makeFolder(String(target[..<slash])) }
        try hardLink("\(place)/revisions/\(path)", to: target)
    }
    guard exists(place + "/manifest.json"),
        let old = try? parseJSON(try readFile(place + "/manifest.json", as: "manifest"), path: place + "/manifest.json"),
        let number = old["revision"]?.int, number < newest
    else { return }
    for name in try names(in: place) where kind(of: place + "/" + name) == .file {
        try makeFolder("\(staged)/revisions/\(number)")
        try hardLink("\(place)/\(name)", to: "\(staged)/revisions/\(number)/\(name)")
    }
}

private func manifestJSON(
    _ report: Report, outputs: [(name: String, bytes: [UInt8])], inputs: Digest, _ provenance: [(label: String, value: String)]
) -> JSON {
    .fields([
        "schema": .string("vesper.manifest/1"), "job": .string(report.job), "period": .string(report.period.description),
        "revision": .int(report.revision), "provisional": .bool(report.provisional), "inputs": .string(inputs.hex),
        "made_from": .object(provenance.map { JSON.Member($0.label, .string($0.value)) }),
        "outputs": .array(
            outputs.sorted { $0.name < $1.name }.map {
                .fields(["name": .string($0.name), "bytes": .int($0.bytes.count), "sha256": .string(Digest.of($0.bytes).hex)])
            }),
    ])
}

// MARK: - Files of rows

/// Costs by day and every dimension of the cube, with exact amounts.
func costsCSV(_ rows: [CostRow], currency: String) -> String {
    let header =
        ["day"] + CostCube.dimensions + ["requests"] + Meter.allCases.map(\.column)
        + ["cost_low", "cost_high", "currency", "unpriced_requests", "unpriced_tokens"]
    var text = header.joined(separator: ",") + "\n"
    for row in rows {
        let measures = row.measures
        var fields = [row.period.first.description] + row.keys.map { csvText($0 ?? "") }
        fields += [String(measures.requests)] + measures.tokens.map(String.init)
        fields += [measures.cost.low.description, measures.cost.high.description, currency]
        fields += [String(measures.cost.unpricedRequests), String(measures.cost.unpricedTokens)]
        text += fields.joined(separator: ",") + "\n"
    }
    return text
}

/// Shareable: subjects are pseudonyms.
private func insightLines(_ outcomes: [InsightOutcome], period: String) -> [UInt8] {
    var lines = ""
    for outcome in outcomes {
        for week in outcome.weeks {
            let answer = outcome.answers.first { $0.subject == week.subject }
            lines +=
                JSON.fields([
                    "insight": .string(outcome.insight.name), "period": .string(period), "subject": .string(week.subject),
                    "standing": .string(week.standing.rawValue), "outcome": .optional(answer?.outcome),
                    "batch": .optional(answer?.batch),
                    "made_from_current_profile": answer.map { .bool($0.madeFrom == week.digest.hex) } ?? .null,
                    "answer": answer?.content ?? .null,
                ]).text + "\n"
        }
    }
    return Array(lines.utf8)
}

/// Private: real ids, for the product to show to its members. Whoever is in a crisis gets the prompt's supportive text.
private func deliveryLines(_ outcome: InsightOutcome, period: Period) -> [UInt8] {
    var lines = ""
    for week in outcome.weeks.sorted(by: { $0.user.utf8.lexicographicallyPrecedes($1.user.utf8) }) {
        let answer = outcome.answers.first { $0.subject == week.subject }
        let content = week.standing == .crisis ? outcome.insight.prompt.supportive : answer?.content
        guard let content else { continue }
        lines +=
            JSON.fields([
                "user_id": .string(week.user), "kind": .string(outcome.insight.name),
                "period_start": .string(period.first.description),
                "period_end": .string(period.last.description), "supportive": .bool(week.standing == .crisis), "result": content,
            ]).text + "\n"
    }
    return Array(lines.utf8)
}
