import Common
import Insights
import Ledger

/// Answers from the prompt's own template: built in, offline, free, and the same bytes for the same profile.
struct TemplateProvider: Provider {
    let name = "template"

    func create(_ batch: BulkBatch, _ ledger: Ledger) throws -> String { "template-\(batch.id)" }

    func results(of batch: BulkBatch, _ insight: Insight, _ ledger: Ledger) throws -> [UInt8]? {
        let path = joined(ledger.home, batch.file)
        let lines = try gunzipped(try readFile(path, as: "bulk file"), path: path).split(separator: 0x0a)
        return try lines.flatMap { Array(try answer(Array($0), insight, path).utf8) + [0x0a] }
    }

    private func answer(_ line: [UInt8], _ insight: Insight, _ path: String) throws -> String {
        let request = try parseJSON(line, path: path)
        let text = request["params"]?["messages"]?.array?.first?["content"]?.string ?? ""
        guard let id = request["custom_id"]?.string, let open = text.firstRange(of: "<profile>"),
            let close = text.firstRange(of: "</profile>")
        else {
            throw Failure(
                "The bulk file holds a request without a profile. Delete the file and run the request stage again.",
                at: Place(path: path))
        }
        let profile = try parseJSON(Array(text[open.upperBound..<close.lowerBound].utf8), path: path)
        let answer = filled(insight.prompt.template, from: profile).text
        let usage = JSON.fields(["input_tokens": .int(0), "output_tokens": .int(0), "service_tier": .string("batch")])
        let message = JSON.fields([
            "id": .string("msg_template_\(id)"), "type": .string("message"), "role": .string("assistant"),
            "model": .string("template"),
            "content": .array([.fields(["type": .string("text"), "text": .string(answer)])]), "stop_reason": .string("end_turn"),
            "stop_sequence": .null, "usage": usage,
        ])
        return JSON.fields(["custom_id": .string(id), "result": .fields(["type": .string("succeeded"), "message": message])]).text
    }
}
