import Common

/// TalentPrompt's tables as they are dumped, and what vendors send.
extension TalentWorld {
    var eventTables: [Export] { embeddingFiles + searchFiles }

    private var embeddingFiles: [Export] {
        let rows = documents.embeddings.map { entry in
            let row = JSON.fields([
                "id": .string(entry.id),
                "created_at": .string(entry.at.exported),
                "environment": .string(entry.isStaging ? "staging" : "prod"),
                "document_id": .string(entry.document),
                "content_hash": .string(entry.hash),
                "model": .string("text-embedding-ada-002"),
                "tokens": .int(entry.tokens),
                "batch_id": .optional(entry.batch?.id),
                "batch_size": .int(entry.batch?.size ?? 1),
            ])
            let sample = SampleRow(id: entry.id, ts: entry.at, counts: ["input_tokens": entry.tokens])
            return DumpRow(at: entry.at, row: row, readings: [Reading(log: "usage", kind: "embedding", fate: .row(sample))])
        }
        let columns = [
            "id", "created_at", "environment", "document_id", "content_hash", "model", "tokens", "batch_id", "batch_size",
        ]
        return span.windowDumps("embedding_calls", .csv, columns: columns, rows)
    }

    private var searchFiles: [Export] {
        let rows = documents.searches.map { search in
            let row = JSON.fields([
                "id": .string(search.id),
                "created_at": .string(search.at.exported),
                "account_id": .string(search.user.account),
                "user_id": .string(search.user.id),
                "results": .int(search.results),
                "latency_ms": .int(search.latency),
                "clicked": .bool(search.isClicked),
            ])
            let sample = SampleRow(id: search.id, ts: search.at, counts: ["x_results": search.results])
            return DumpRow(at: search.at, row: row, readings: [Reading(log: "sessions", kind: nil, fate: .row(sample))])
        }
        let columns = ["id", "created_at", "account_id", "user_id", "results", "latency_ms", "clicked"]
        var exports = span.windowDumps("searches", .csv, columns: columns, rows)
        // A row with a field more than the table has columns.
        if let index = exports.firstIndex(where: { $0.path.contains("\(TalentStory.raggedDump)") }) {
            let middle = exports[index].lines.count / 2
            let text = exports[index].lines[middle].text + ",f"
            exports[index].lines.insert(ExportLine(broken: text, log: "sessions", reason: "bad_csv"), at: middle)
        }
        return exports
    }

    /// The meters of the week before each Monday.
    var meterFiles: [Export] {
        span.dumps.map { dump in
            let lines = meters.filter { dump - 7 <= $0.day && $0.day < dump }.map { meter in
                let sample = SampleRow(id: nil, ts: meter.day.startUTC, counts: ["value": meter.value])
                return ExportLine(
                    .fields([
                        "day": .string(meter.day.description), "service": .string(meter.service), "metric": .string(meter.metric),
                        "value": .int(meter.value),
                    ]), [Reading(log: "meters", kind: nil, fate: .row(sample))])
            }
            return Export(path: "service_meters/service_meters-\(dump).jsonl.gz", lines: lines)
        }
    }

    /// One file for each month that begins within the weeks; the use of a month is billed when it is over.
    var invoiceFiles: [Export] {
        let columns = [
            "vendor", "service", "category", "part", "amount", "currency", "period_start", "period_end", "environment", "number",
        ]
        return Set(bills.map(\.month.first)).sorted().map { first in
            let lines = bills.filter { $0.month.first == first }.map { bill in
                let row = JSON.fields([
                    "vendor": .string(bill.vendor), "service": .string(bill.service), "category": .string(bill.category),
                    "part": .string(bill.part), "amount": .number(bill.amount.text(places: 2)), "currency": .string("USD"),
                    "period_start": .string(bill.month.first.description), "period_end": .string(bill.month.next.description),
                    "environment": .string(bill.environment), "number": .string(bill.number),
                ])
                let sample = SampleRow(id: nil, ts: first.startUTC, amounts: ["amount_USD": bill.amount])
                return ExportLine(copied: row, [Reading(log: "invoices", kind: nil, fate: .row(sample))])
            }
            return Export(
                path: "invoices/invoices-\(first.month).csv.gz", header: columns.joined(separator: ","), lines: lines)
        }
    }
}
