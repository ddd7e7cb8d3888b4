import Common
import Insights
import Ledger

/// How large one bulk file may be.
public struct BulkLimit: Sendable {
    let requests: Int
    let bytes: Int

    /// Source: Anthropic, Message Batches: 100,000 requests or 256 MB, whichever is reached first (checked 2026-11-20).
    public static let anthropic = BulkLimit(requests: 100_000, bytes: 256_000_000)
}

/// One line of a bulk file: `{"custom_id": …, "params": …}`, the shape of an Anthropic batch request.
struct BulkRequest {
    let subject: String
    let profile: Digest
    /// The body of the request as its exact bytes; it is never decoded and written again.
    let params: String

    init(_ week: SubjectWeek, _ insight: Insight) {
        subject = week.subject
        profile = week.digest
        // `<` is escaped in the profile's text, so nothing in it can close the tag.
        let user = insight.prompt.user.replacing("{{profile}}", with: "<profile>\(week.profile.text)</profile>")
        params =
            JSON.fields([
                "model": .string(insight.model.isEmpty ? "template" : insight.model),
                "max_tokens": .int(insight.maxTokens),
                "system": .array([.fields(["type": .string("text"), "text": .string(insight.prompt.system)])]),
                "messages": .array([.fields(["role": .string("user"), "content": .string(user)])]),
                "output_config": .fields(["format": .fields(["type": .string("json_schema"), "schema": insight.prompt.schema])]),
            ]).text
    }

    func line(customID: String) -> String { "{\"custom_id\":\(JSON.string(customID).text),\"params\":\(params)}\n" }
}

/// What came of preparing: how many are asked now, and how many had been asked before.
public struct PreparedRequests: Equatable, Sendable {
    public var asked = 0
    public var files = 0
    public var askedBefore = 0
}

/// Writes the bulk files for every eligible subject that has not been asked for this period.
///
/// One insight per job, insight, subject and period (promise 7): whoever is in a batch that has left, or is about to, is not asked
/// again, however the profile has changed. Files that nobody has sent are made anew.
public func prepareRequests(
    job: String, insight: Insight, period: Period, weeks: [SubjectWeek], limit: BulkLimit = .anthropic, _ ledger: Ledger
) throws -> PreparedRequests {
    let key: [SQLValue] = [.text(job), .text(insight.name), .text(period.description)]
    var result = PreparedRequests()
    let before = Set(
        try ledger.database.rows(
            """
            SELECT subject FROM asked JOIN batches ON batches.id = asked.batch
            WHERE asked.job = ? AND asked.insight = ? AND asked.period = ? AND state <> 'prepared'
            """, key
        ).map { $0.text(0) })
    let eligible = weeks.filter { $0.standing == .eligible }
    result.askedBefore = eligible.filter { before.contains($0.subject) }.count
    let requests = eligible.filter { !before.contains($0.subject) }.map { BulkRequest($0, insight) }

    let folder = "requests/\(job)/\(period)"
    func file(_ number: Int) -> String { "\(folder)/\(insight.name)-\(number).jsonl.gz" }
    let sent = Set(try ledger.batches(job: job, period: period.description).filter { $0.state != .prepared }.map(\.file))
    var number = 0
    var files: [(batch: BulkBatch, digest: Digest, lines: [(request: BulkRequest, customID: String)])] = []
    for chunk in chunks(requests, limit) {
        repeat { number += 1 } while sent.contains(file(number))
        let id = String(
            Digest.of(parts: [job, insight.name, period.description, String(number)] + chunk.map(\.params)).hex.prefix(16))
        // The id's first digits stand in every custom id, so that results can be told to belong to this file.
        let lines = chunk.enumerated().map { ($0.element, "\(id.prefix(8))-\(padded($0.offset + 1, 6))") }
        let bytes = try gzipped(lines.flatMap { Array($0.0.line(customID: $0.1).utf8) })
        try writeAtomically(bytes, to: joined(ledger.home, file(number)))
        let batch = BulkBatch(
            id: id, job: job, period: period.description, insight: insight.name, provider: insight.provider, file: file(number),
            requests: chunk.count, state: .prepared, providerID: nil, answers: nil)
        files.append((batch, Digest.of(bytes), lines))
        result.asked += chunk.count
        result.files += 1
    }
    try ledger.database.transaction {
        try ledger.database.execute(
            "DELETE FROM batches WHERE job = ? AND insight = ? AND period = ? AND state = 'prepared'", key)
        for (batch, digest, lines) in files {
            try ledger.database.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'prepared', NULL, NULL)",
                [
                    .text(batch.id), .text(job), .text(batch.period), .text(insight.name), .text(batch.provider),
                    .text(batch.file),
                    .text(digest.hex), .count(batch.requests),
                ])
            for (request, customID) in lines {
                try ledger.database.execute(
                    "INSERT INTO asked (job, insight, subject, period, batch, custom_id, profile) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        .text(job), .text(insight.name), .text(request.subject), .text(batch.period), .text(batch.id),
                        .text(customID),
                        .text(request.profile.hex),
                    ])
            }
        }
    }
    // A file that no batch has is garbage: nobody may carry it to a provider.
    let valid = Set(files.map(\.batch.file)).union(sent)
    for name in try names(in: joined(ledger.home, folder)) {
        let isOurs =
            name.hasPrefix(insight.name + "-") && name.hasSuffix(".jsonl.gz")
            && Int(name.dropFirst(insight.name.count + 1).dropLast(9)) != nil
        if isOurs, !valid.contains("\(folder)/\(name)") { try removeTree(joined(ledger.home, "\(folder)/\(name)")) }
    }
    return result
}

private func chunks(_ requests: [BulkRequest], _ limit: BulkLimit) -> [[BulkRequest]] {
    var chunks: [[BulkRequest]] = []
    var bytes = 0
    for request in requests {
        let size = request.params.utf8.count + 64
        if chunks.isEmpty || chunks[chunks.count - 1].count == limit.requests || bytes + size > limit.bytes {
            chunks.append([])
            bytes = 0
        }
        chunks[chunks.count - 1].append(request)
        bytes += size
    }
    return chunks
}
