import Common
import Lake
import Testing

@testable import Ingest

/// Whatever came in which order, was read by which mapping, taken out and let in again: in the end a home holds, counts and refuses
/// what one does that has read the same files at once by the right job.
@Suite struct HistoryTests {
    /// The same numbers for the same seed (Knuth's MMIX generator).
    private struct Chance {
        var state: UInt64

        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(limit))
        }
        mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
    }

    private static func sources(_ map: String, shared: Bool, keep: String) -> [String] {
        ["x", "y"].map { name in
            let scope = shared ? "calls" : name
            return
                #"{ log: "usage", name: "\#(name)", files: "\#(name)*.jsonl", id_scope: "\#(scope)", keep: "\#(keep)"\#(name == "x" ? map : "") }"#
        }
    }

    private static func line(_ chance: inout Chance) -> String {
        if chance.below(12) == 0 { return "{" }
        let id = chance.pick(["\"e1\"", "\"e2\"", "\"e3\"", "\"e4\"", "null"])
        let (hour, output) = (10 + chance.below(3), 1 + chance.below(2))
        let day = chance.pick(["09", "10"])
        return
            #"{"id":\#(id),"ts":"2026-11-\#(day)T\#(hour):00:00Z","output_tokens":\#(output),"plan":"\#(chance.pick(["7", "p"]))"}"#
    }

    @Test("Random histories end alike", arguments: 0..<60)
    func histories(_ seed: Int) throws {
        var chance = Chance(state: UInt64(seed) &* 7919 &+ 17)
        let (shared, keep) = (chance.below(2) == 0, chance.pick(["first", "first", "last"]))
        let right = Self.sources("", shared: shared, keep: keep)
        let wrongs = [
            Self.sources(#", map: { latency_ms: "plan" }"#, shared: shared, keep: keep),
            Self.sources(#", map: { output_tokens: { constant: "4" } }"#, shared: shared, keep: keep),
            Self.sources(#", map: { id: "plan" }"#, shared: shared, keep: keep),
        ]
        let names = ["x1.jsonl", "x2.jsonl", "y1.jsonl", "y2.jsonl"]
        var contents: [String: [String]] = [:]
        for name in names {
            var lines: [String] = []
            for _ in 0..<(1 + chance.below(6)) { lines.append(Self.line(&chance)) }
            contents[name] = lines
        }
        try withBench { bench in
            var sources = right
            var waiting = names
            var history: [String] = []
            for _ in 0..<8 {
                sources = chance.below(3) == 0 ? chance.pick(wrongs) : chance.below(2) == 0 ? right : sources
                let entries = try listFilesRead(try bench.order(sources), bench.lake.ledger)
                switch chance.below(5) {
                case 0, 1:
                    if !waiting.isEmpty { try put(waiting.remove(at: chance.below(waiting.count)), contents, bench) }
                    try bench.ingest(sources)
                    history.append("ingest")
                case 2:
                    try bench.correct(.remap, sources)
                    history.append("remap")
                case 3:
                    try bench.correct(.retryQuarantined, sources)
                    history.append("retry")
                default:
                    guard !entries.isEmpty else { continue }
                    let file = chance.pick(entries)
                    if file.state == .dropped {
                        try readmit([file.file], job: "kalei", bench.lake.ledger)
                    } else {
                        try bench.correct(.drop([file.file]), sources)
                    }
                    history.append("drop \(file.file.file)")
                }
            }
            for name in waiting { try put(name, contents, bench) }
            let dropped = try bench.lake.ledger.droppedFiles(job: "kalei")
            try readmit(dropped, job: "kalei", bench.lake.ledger)
            try bench.ingest(right)
            try bench.correct(.remap, right)
            let how = Comment(rawValue: "\(history) of \(contents.sorted { $0.key < $1.key })")
            try withBench { fresh in
                let fresh = Bench(lake: fresh.lake, data: bench.data)
                try fresh.ingest(right)
                let columns = ["id", "ts", "output_tokens", "plan", "source", "source_file", "source_record"]
                #expect(try bench.rows(columns) == fresh.rows(columns), how)
                #expect(try bench.quarantine() == fresh.quarantine(), how)
                #expect(try counted(bench) == counted(fresh), how)
            }
        }
    }

    private func put(_ name: String, _ contents: [String: [String]], _ bench: Bench) throws {
        try bench.put(name, contents[name] ?? [])
    }

    /// Counts that are not zero, and the days of rows.
    private func counted(_ bench: Bench) throws -> [String] {
        let counts = "SELECT source || file || outcome || reason || ' ' || count FROM counts WHERE count <> 0"
        let days = "SELECT source || file || day || ' ' || rows FROM stored_days WHERE rows <> 0"
        return try [counts, days].flatMap { try bench.lake.ledger.database.rows($0).map { $0.text(0) } }.sorted()
    }
}
