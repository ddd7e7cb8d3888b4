import Common
import Insights
import Ledger

/// Bulk files out, answers in by hand: somebody carries the file from `requests/` to a provider, and the results back with
/// `vesper batch import`.
struct FilesProvider: Provider {
    let name = "files"

    func create(_ batch: BulkBatch, _ ledger: Ledger) throws -> String { "files-\(batch.id)" }

    func results(of batch: BulkBatch, _ insight: Insight, _ ledger: Ledger) throws -> [UInt8]? {
        let path = joined(ledger.home, batch.answersPlace)
        return exists(path) ? try readFile(path, as: "results") : nil
    }
}

/// Takes the results of a batch in by hand: the file is checked as a whole, then stored exactly as it is.
public func importResults(batch id: String, from path: String, _ ledger: Ledger) throws -> BulkBatch {
    guard let batch = try ledger.batches().first(where: { $0.id == id || ($0.id.hasPrefix(id) && id.count >= 4) }) else {
        throw Failure("There is no batch \"\(id)\". Run \"vesper batch list\" to see them.", kind: .usage)
    }
    guard batch.provider == "files", batch.state == .submitted else {
        throw Failure(
            "The batch \(batch.id) is \(batch.state.rawValue) by \(batch.provider); results are imported for one that is submitted by files.",
            kind: .usage)
    }
    var bytes = try readFile(path, as: "results file")
    if bytes.starts(with: [0x1f, 0x8b]) { bytes = try gunzipped(bytes, path: path) }
    let known = Set(try ledger.database.rows("SELECT custom_id FROM asked WHERE batch = ?", [.text(batch.id)]).map { $0.text(0) })
    var found: Set<String> = []
    for (number, line) in resultLines(bytes) {
        guard let result = try? parseJSON(Array(bytes[line]), path: path), let customID = result["custom_id"]?.string else {
            throw Failure(
                "This line is no result: it must be JSON with a custom_id. Nothing was imported.",
                at: Place(path: path, line: number))
        }
        guard known.contains(customID) else {
            throw Failure(
                "The custom_id is not one of batch \(batch.id). Nothing was imported.", at: Place(path: path, line: number))
        }
        guard found.insert(customID).inserted else {
            throw Failure("The custom_id has a result already. Nothing was imported.", at: Place(path: path, line: number))
        }
    }
    guard !found.isEmpty else { throw Failure("The file holds no results. Nothing was imported.", at: Place(path: path)) }
    try writeAtomically(bytes, to: joined(ledger.home, batch.answersPlace))
    return batch
}
