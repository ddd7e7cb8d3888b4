import Common
import Glibc
import Lake
import Ledger
import Testing

@testable import Ingest

func source(_ text: String, columns: [ColumnSpec] = []) throws -> Source {
    try Source(try ConfigObject(try parseJSON5(Array(text.utf8), path: "job.json5"), Source.schema), jobColumns: columns)
}

/// A job's exports, lake and ledger in a folder of their own, removed afterwards.
func withBench(_ work: (Bench) throws -> Void) throws {
    // In memory where there is some: a home is synced again and again.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/vesper-ingest-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    let now = try #require(Instant("2026-11-16T00:30:00Z"))
    let ledger = try Ledger.openForRun(home: folder + "/home", migrations: Lake.migrations + ingestMigrations, now: now)
    try work(Bench(lake: Lake(ledger), data: folder + "/data"))
}

struct Bench {
    let lake: Lake
    let data: String

    func put(_ file: String, _ bytes: [UInt8]) throws {
        let path = joined(data, file)
        try makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        try writeNew(bytes, to: path)
    }

    /// Writes an export, each line with its line end.
    func put(_ file: String, _ lines: [String]) throws { try put(file, Array(lines.map { $0 + "\n" }.joined().utf8)) }

    /// One run over the sources, given as they stand in a job file.
    @discardableResult
    func ingest(
        _ sources: [String], columns: [ColumnSpec] = [], acceptFrom: String = "2026-01-01", now: String = "2026-11-16T00:30:00Z",
        choice: FileChoice = .all
    ) throws -> IngestReport {
        let order = try order(sources, columns: columns, acceptFrom: acceptFrom, now: now, choice: choice)
        if case .all = choice { try lake.rollForward() }  // as every run begins
        return try Ingest.ingest(order, into: lake, talk: .silent)
    }

    func order(
        _ sources: [String], columns: [ColumnSpec] = [], acceptFrom: String = "2026-01-01", now: String = "2026-11-16T00:30:00Z",
        choice: FileChoice = .all
    ) throws -> IngestOrder {
        IngestOrder(
            job: "kalei", data: data, sources: try sources.map { try source($0, columns: columns) }, jobColumns: columns,
            acceptFrom: try #require(Day(acceptFrom)), now: try #require(Instant(now)), choice: choice, threads: 2)
    }

    /// One correction, as its own run.
    @discardableResult
    func correct(_ correction: Correction, _ sources: [String], choice: FileChoice = .all) throws -> CorrectionReport {
        try lake.rollForward()
        let order = try order(sources, choice: choice)
        return try Ingest.correct(try planCorrection(correction, order, lake), order, into: lake, talk: .silent)
    }

    /// The stored rows by time, file, record and source, each as its values in these columns with bars between them.
    func rows(_ columns: [String], of log: Log = .usage, jobColumns: [ColumnSpec] = []) throws -> [String] {
        let specs = try (columns + [log.timeColumn] + Log.originColumns.map(\.name)).map { name in
            try #require(
                (log.columns + jobColumns + Log.originColumns).first { $0.name == name }, "the log has no column \(name)")
        }
        var rows: [(time: Int64, file: String, record: Int64, source: String, text: String)] = []
        try lake.scan(job: "kalei", log: log, columns: specs) { _, batch in
            for row in 0..<batch.count {
                let text = columns.indices.map { shown(batch.columns[$0], row, specs[$0]) }.joined(separator: "|")
                let (time, source) = (batch[log.timeColumn]?.integer(at: row) ?? 0, batch["source"]?.text(at: row) ?? "")
                rows.append(
                    (time, batch["source_file"]?.text(at: row) ?? "", batch["source_record"]?.integer(at: row) ?? 0, source, text)
                )
            }
        }
        return rows.sorted { ($0.time, $0.file, $0.record, $0.source) < ($1.time, $1.file, $1.record, $1.source) }.map(\.text)
    }

    /// What became of the records of every source and file, over all runs: `api a.jsonl: accepted 2 · duplicate 1`.
    func counts() throws -> [String] {
        let sql = "SELECT source || ' ' || file, outcome, reason, count FROM counts WHERE job = 'kalei'"
        var found: [String: Counts] = [:]
        for row in try lake.ledger.database.rows(sql) {
            found[row.text(0), default: Counts()].add(row.int(3), outcome: row.text(1), reason: row.text(2))
        }
        return found.map { "\($0.key): \($0.value.summary)" }.sorted()
    }

    /// The quarantine, line by line, in the order of its files.
    func quarantine() throws -> [JSON] {
        let folder = lake.home + "/quarantine"
        guard exists(folder) else { return [] }
        return try files(below: folder).flatMap { file in
            try gunzipped(try readFile(folder + "/" + file, as: "quarantine"), path: file).split(separator: 0x0a).map {
                try parseJSON(Array($0), path: file)
            }
        }
    }

    /// The same in short: `a.jsonl:2 bad_json`.
    func refusals() throws -> [String] {
        try quarantine().map { "\($0["file"]?.string ?? ""):\($0["record"]?.int ?? 0) \($0["reason"]?.string ?? "")" }
    }
}

private func shown(_ column: Column, _ row: Int, _ spec: ColumnSpec) -> String {
    switch spec.type {
    case .text: column.text(at: row) ?? "null"
    case .int64: column.integer(at: row).map { String($0) } ?? "null"
    case .timestamp: column.integer(at: row).map { Instant(microseconds: $0).description } ?? "null"
    case .decimal: column.decimal(at: row).map { Money(units: $0).description } ?? "null"
    case .bool: column.bool(at: row).map { String($0) } ?? "null"
    }
}

/// A source that reads every JSON-lines file into the usage log.
let usageSource = #"{ log: "usage", name: "api", files: "*.jsonl" }"#

/// A line of the usage log, at a time of 9 November 2026.
func call(_ id: String?, _ time: String = "10:00", output: Int = 1) -> String {
    #"{"id":\#(id.map { "\"\($0)\"" } ?? "null"),"ts":"2026-11-09T\#(time):00Z","output_tokens":\#(output)}"#
}
