import Common
import Insights
import Ledger

/// Hands every prepared batch of a period to its provider. The intent is committed before anything leaves.
public func submitBatches(job: String, period: Period, _ ledger: Ledger) throws {
    for batch in try ledger.batches(job: job, period: period.description)
    where batch.state == .prepared || batch.state == .intended {
        try ledger.database.execute("UPDATE batches SET state = 'intended' WHERE id = ?", [.text(batch.id)])
        // Both providers there are have no effect outside the home, so a create whose outcome is unknown may be repeated.
        let id = try provider(named: batch.provider).create(batch, ledger)
        try ledger.database.execute(
            "UPDATE batches SET state = 'submitted', provider_id = ? WHERE id = ?", [.text(id), .text(batch.id)])
    }
}

/// Fetches the results of every submitted batch of a period that are ready, stores them as received, and pins each answer.
/// Those that are not ready stay submitted.
public func collectBatches(job: String, period: Period, insights: [Insight], _ ledger: Ledger) throws {
    for batch in try ledger.batches(job: job, period: period.description, state: .submitted) {
        guard let insight = insights.first(where: { $0.name == batch.insight }) else {
            throw Failure(
                "The batch \(batch.id) waits for the insight \"\(batch.insight)\", which the job no longer has. Put it back.")
        }
        guard let raw = try provider(named: batch.provider).results(of: batch, insight, ledger) else { continue }
        try writeAtomically(raw, to: joined(ledger.home, batch.answersPlace))
        try pin(raw, batch, insight, ledger)
    }
}

/// The lines of a results file, with their numbers; split on the newline byte only, for U+2028 may stand in a text.
func resultLines(_ bytes: [UInt8]) -> [(number: Int, range: Range<Int>)] {
    var lines: [(Int, Range<Int>)] = []
    var (start, number) = (0, 1)
    for end in bytes.indices where bytes[end] == 0x0a {
        if end > start { lines.append((number, start..<end)) }
        (start, number) = (end + 1, number + 1)
    }
    if start < bytes.count { lines.append((number, start..<bytes.count)) }
    return lines
}

/// Records for every request what became of it: its answer's place in the file, or why there is none.
private func pin(_ raw: [UInt8], _ batch: BulkBatch, _ insight: Insight, _ ledger: Ledger) throws {
    try ledger.database.transaction {
        for (_, range) in resultLines(raw) {
            // A bad or foreign line says nothing about our requests; theirs stay missing.
            guard let line = try? parseJSON(Array(raw[range]), path: batch.answersPlace), let id = line["custom_id"]?.string
            else { continue }
            let (outcome, detail) = judged(line, insight)
            let usage = line["result"]?["message"]?["usage"]
            func tokens(_ name: String) -> SQLValue { usage?[name]?.int.map { .count($0) } ?? .null }
            try ledger.database.execute(
                """
                UPDATE asked SET outcome = ?, detail = ?, file_offset = ?, length = ?, digest = ?,
                    input_tokens = ?, cache_read_tokens = ?, cache_write_tokens = ?, output_tokens = ?
                WHERE batch = ? AND custom_id = ? AND outcome IS NULL
                """,
                [
                    .text(outcome), .optional(detail), .count(range.lowerBound), .count(range.count),
                    .text(Digest.of(raw[range]).hex),
                    tokens("input_tokens"), tokens("cache_read_input_tokens"), tokens("cache_creation_input_tokens"),
                    tokens("output_tokens"), .text(batch.id), .text(id),
                ])
        }
        try ledger.database.execute("UPDATE asked SET outcome = 'missing' WHERE batch = ? AND outcome IS NULL", [.text(batch.id)])
        try ledger.database.execute(
            "UPDATE batches SET state = 'collected', answers = ? WHERE id = ?", [.text(batch.answersPlace), .text(batch.id)])
    }
}

/// What a result line is worth. A succeeded request may still hold no usable answer: the stop reason and the schema decide.
private func judged(_ line: JSON, _ insight: Insight) -> (outcome: String, detail: String?) {
    guard line["result"]?["type"]?.string == "succeeded" else {
        let kind = line["result"]?["type"]?.string ?? "unreadable"
        // The double nesting is the provider's: result.error.error.type.
        return (kind, line["result"]?["error"]?["error"]?["type"]?.string)
    }
    let stop = line["result"]?["message"]?["stop_reason"]?.string
    if stop == "refusal" { return ("refused", nil) }
    guard let answer = answerText(line).flatMap({ try? parseJSON(Array($0.utf8), path: "answer") }) else {
        return ("invalid", stop == "max_tokens" ? "cut at max_tokens" : "not JSON")
    }
    return schemaProblem(answer, insight.prompt.schema).map { ("invalid", $0) } ?? ("answered", nil)
}

func answerText(_ line: JSON) -> String? {
    line["result"]?["message"]?["content"]?.array?.first { $0["type"]?.string == "text" }?["text"]?.string
}

/// What a subject got for a period.
public struct Answer: Equatable, Sendable {
    public let subject: String
    /// `answered`, or why there is no usable answer; nil while the provider has not answered.
    public let outcome: String?
    public let detail: String?
    /// The answer as the schema has it.
    public let content: JSON?
    /// The digest of the profile it was made from; another one now means that late data has changed the profile since.
    public let madeFrom: String
    /// Tokens that were billed: input, cache read, cache write, output.
    public let tokens: [Int64]
    public let batch: String
}

extension Ledger {
    /// Everything that was asked for a period, by subject, with the answers read from where they were stored.
    public func answers(job: String, insight: String, period: Period) throws -> [Answer] {
        let sql = """
            SELECT subject, outcome, detail, profile, file_offset, length, asked.digest, answers, batches.id,
                coalesce(input_tokens, 0), coalesce(cache_read_tokens, 0), coalesce(cache_write_tokens, 0), coalesce(output_tokens, 0)
            FROM asked JOIN batches ON batches.id = asked.batch
            WHERE asked.job = ? AND asked.insight = ? AND asked.period = ? ORDER BY subject
            """
        var files: [String: [UInt8]] = [:]
        return try database.rows(sql, [.text(job), .text(insight), .text(period.description)]).map { row in
            var content: JSON?
            if row.optionalText(1) == "answered", let file = row.optionalText(7) {
                let bytes = try files[file] ?? readFile(joined(home, file), as: "results")
                files[file] = bytes
                let (start, length) = (row.int(4), row.int(5))
                guard start >= 0, length >= 0, start + length <= bytes.count,
                    Digest.of(bytes[start..<start + length]).hex == row.text(6)
                else {
                    throw Failure(
                        "The results are not what was received. Restore the file from a backup.",
                        at: Place(path: joined(home, file)))
                }
                let line = try parseJSON(Array(bytes[start..<start + length]), path: file)
                content = try answerText(line).map { try parseJSON(Array($0.utf8), path: file) }
            }
            return Answer(
                subject: row.text(0), outcome: row.optionalText(1), detail: row.optionalText(2), content: content,
                madeFrom: row.text(3),
                tokens: (9...12).map { row.integer($0) }, batch: row.text(8))
        }
    }
}
