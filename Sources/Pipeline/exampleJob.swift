import Common

/// A small job that runs as it is, with an export of one week, for whoever starts without one.
public func exampleJob(folder: String, today: Day) -> ProposedJob {
    let name = jobName(absolutePath(folder) ?? folder)
    let monday = Week(of: today).monday + -7
    let export = "calls/calls-\(monday).jsonl"
    let calls = (0..<6).map { (number: Int) -> JSON in
        let time = "\(monday + number)T09:3\(number):00Z"
        let isOdd = number % 2 == 1
        return .fields([
            "id": .string("call-\(number + 1)"), "created_at": .string(time), "user_id": .string(isOdd ? "bob" : "ada"),
            "feature": .string(number % 3 == 0 ? "summary" : "chat"), "provider": .string("example"),
            "model": .string("example-model"), "prompt_tokens": .int(900 + 50 * number), "cached_tokens": .int(isOdd ? 400 : 0),
            "completion_tokens": .int(120 + 10 * number),
        ])
    }
    let text = """
        // An example that runs: vesper ingest \(name).json5 --preview, then vesper run \(name).json5.
        // Replace calls/ by exports of your own, or let "vesper init DIR --from FILE" propose a job for them.
        // Every key is explained in Jobs/README.md.
        {
          job: "\(name)",
          timezone: "UTC",  // days and weeks are cut here, such as "Europe/Berlin"
          currency: "USD",  // of every cost in the reports
          starts: "\(monday)",  // the first week that gets a report

          sources: [
            // One JSON object on each line. A field that bears a column's name (id, feature, provider, model) needs no entry in map.
            {
              log: "usage", name: "calls", files: "calls/*.jsonl",
              input_includes_cache: true,  // prompt_tokens holds the cached ones; a row keeps them apart
              map: {
                ts: "created_at", user: "user_id", input_tokens: "prompt_tokens", cache_read_tokens: "cached_tokens",
                output_tokens: "completion_tokens",
              },
            },
          ],

          // Without a price book every cost is unknown. Jobs/README.md shows one; rates come from the vendor's price page.
          // prices: ["Prices/\(name).json5"],

          report: [
            { section: "stacked-days", by: "feature" },
            { section: "table", by: ["model"], measures: ["requests", "active", "input_tokens", "output_tokens", "cost", "coverage"] },
            { section: "data-quality" },
            { section: "provenance" },
          ],
        }

        """
    return ProposedJob(
        name: name, text: text, data: nil, sources: [], others: [(export, calls.map { $0.text + "\n" }.joined())])
}
