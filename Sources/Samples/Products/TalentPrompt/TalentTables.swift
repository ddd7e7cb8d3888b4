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
            return DumpRow(
                at: entry.at, row: row,
                readings: [.row("usage", "embedding", id: entry.id, at: entry.at, counts: ["input_tokens": entry.tokens])])
        }
        let columns = [
            "id", "created_at", "environment", "document_id", "content_hash", "model", "tokens", "batch_id", "batch_size",
        ]
        return span.windowDumps("embedding_calls", as: .csv(columns), rows)
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
            return DumpRow(
                at: search.at, row: row,
                readings: [.row("sessions", id: search.id, at: search.at, counts: ["x_results": search.results])])
        }
        let columns = ["id", "created_at", "account_id", "user_id", "results", "latency_ms", "clicked"]
        return span.windowDumps("searches", as: .csv(columns), rows).spoiled(TalentStory.raggedDump) { line in
            // A row with a field more than the table has columns.
            ExportLine(broken: line.text + ",f", log: "sessions", reason: "bad_csv")
        }
    }

    /// The meters of the week before each Monday.
    var meterFiles: [Export] {
        span.wholeDumps("service_meters") { dump, _ in
            meters.filter { dump - 7 <= $0.day && $0.day < dump }.map { meter in
                DumpRow(
                    at: meter.day.startUTC,
                    row: .fields([
                        "day": .string(meter.day.description), "service": .string(meter.service), "metric": .string(meter.metric),
                        "value": .int(meter.value),
                    ]), readings: [.row("meters", id: nil, at: meter.day.startUTC, counts: ["value": meter.value])])
            }
        }
    }

    /// One file for each month that begins within the weeks; the use of a month is billed when it is over.
    var invoiceFiles: [Export] {
        let columns = [
            "vendor", "service", "category", "part", "amount", "currency", "period_start", "period_end", "environment", "number",
        ]
        return span.months.map { month in
            let lines = bills.filter { $0.month.first == month.first }.map { bill in
                let row = JSON.fields([
                    "vendor": .string(bill.vendor), "service": .string(bill.service), "category": .string(bill.category),
                    "part": .string(bill.part), "amount": .number(bill.amount.text(places: 2)), "currency": .string("USD"),
                    "period_start": .string(bill.month.first.description), "period_end": .string(bill.month.next.description),
                    "environment": .string(bill.environment), "number": .string(bill.number),
                ])
                return ExportLine(
                    copied: row, [.row("invoices", id: nil, at: month.first.startUTC, amounts: ["amount_USD": bill.amount])])
            }
            return Export(
                path: "invoices/invoices-\(month.name).csv.gz", header: columns.joined(separator: ","), lines: lines)
        }
    }
}
