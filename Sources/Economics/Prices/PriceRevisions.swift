import Common
import Ledger

/// The tables of this module in the ledger.
public let economicsMigrations = [
    Migration(
        "economics", "1 price revisions",
        """
        CREATE TABLE price_revisions (
            job TEXT NOT NULL, revision INTEGER NOT NULL CHECK (revision > 0), known_from TEXT NOT NULL,
            rows TEXT NOT NULL, digest TEXT NOT NULL, note TEXT NOT NULL,
            run INTEGER NOT NULL REFERENCES runs (id), at TEXT NOT NULL,
            PRIMARY KEY (job, revision)) STRICT
        """)
]

/// Prices that were applied to a job in this home: knowledge of one day, beside the books of the job.
public struct PriceRevision: Sendable {
    public let number: Int
    /// The day on which it was applied: under what was known before, nothing has changed.
    public let knownFrom: Day
    public let note: String
    public let rows: [PriceRow]
}

extension Ledger {
    /// Every revision of a job's prices, oldest first.
    public func priceRevisions(job: String) throws -> [PriceRevision] {
        let sql = "SELECT revision, known_from, rows, digest, note FROM price_revisions WHERE job = ? ORDER BY revision"
        return try database.rows(sql, [.text(job)]).map { row in
            let damaged = Failure(
                "The price revision \(row.int(0)) of \(job) is damaged: its rows are not those of its digest. Restore the ledger from a backup.",
                at: Place(path: database.path))
            let text = row.text(2)
            guard Digest.of(text).hex == row.text(3), let knownFrom = Day(row.text(1)),
                case .array(let items)? = try? parseJSON(Array(text.utf8), path: database.path)
            else { throw damaged }
            let rows = try items.map { item in
                guard let row = PriceRow(item, knownFrom: knownFrom, revision: row.int(0)) else { throw damaged }
                return row
            }
            return PriceRevision(number: row.int(0), knownFrom: knownFrom, note: row.text(4), rows: rows)
        }
    }

    /// Keeps prices as the next revision of a job, whole or not at all; `rows` are known from `day` on.
    public func record(_ rows: [PriceRow], job: String, on day: Day, note: String, now: Instant) throws -> PriceRevision {
        try database.transaction {
            let last = try priceRevisions(job: job).last
            if let last, last.knownFrom > day {
                throw Failure(
                    "Revision \(last.number) of the prices of \(job) is known from \(last.knownFrom), and the clock says \(day). Set the clock, or --now, to that day or later.",
                    kind: .usage)
            }
            let number = (last?.number ?? 0) + 1
            let text = JSON.array(rows.map(\.json)).text
            try database.execute(
                "INSERT INTO price_revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(job), .count(number), .text(day.description), .text(text), .text(Digest.of(text).hex), .text(note),
                    .integer(run), .text(now.description),
                ])
            return PriceRevision(
                number: number, knownFrom: day, note: note, rows: rows.map { $0.known(from: day, revision: number) })
        }
    }
}

extension PriceBook {
    /// The book with every revision that was applied to the job: the prices that count in this home.
    public func revised(job: String, _ ledger: Ledger) throws -> PriceBook {
        let revisions = try ledger.priceRevisions(job: job)
        return revisions.isEmpty ? self : try adding(revisions.flatMap(\.rows))
    }
}

// MARK: - As stored; the form is frozen

extension PriceRow {
    /// With sorted keys; when it was learned and in which revision stand beside the rows.
    var json: JSON {
        var members: [JSON.Member] = []
        func add(_ key: String, _ value: JSON?) { if let value { members.append(JSON.Member(key, value)) } }
        add("above_input_tokens", aboveInputTokens < 0 ? nil : .int(aboveInputTokens))
        add("approximate", isApproximate ? .bool(true) : nil)
        add(
            "bands",
            .array(
                bands.map {
                    .fields([
                        "from": .string($0.from.description), "high": .string($0.high.description),
                        "low": .string($0.low.description),
                    ])
                }))
        add("column", place.column.map { .int($0) })
        add("currency", .string(currency))
        add("increment", increment.map(PriceRow.json))
        add("labels", labels.isEmpty ? nil : .array(labels.map { .array([.string($0.name), .string($0.text)]) }))
        add("line", place.line.map { .int($0) })
        if case .tokens(let meter) = counted { add("meter", .string(meter.rawValue)) }
        switch subject {
        case .model(let name): add("model", .string(name))
        case .metric(let name): add("metric", .string(name))
        case .service(let name): add("service", .string(name))
        }
        add("mocked", isMocked ? .bool(true) : nil)
        add("path", .string(place.path))
        add("per", PriceRow.json(per))
        add("provider", .string(provider))
        add("source", .string(source))
        add("tier", .string(tier))
        add("unit", valueUnit.map { .string($0.rawValue) })
        add("valid_from", .string(validFrom.description))
        add("valid_to", validTo.map { .string($0.description) })
        return .object(members).sorted
    }

    private static func json(_ amount: UnitAmount) -> JSON {
        .fields(["count": .string(String(amount.count)), "unit": .string(amount.unit.rawValue)])
    }

    private static func amount(_ json: JSON?) -> UnitAmount? {
        guard let count = json?["count"]?.string.flatMap({ Int128($0) }),
            let unit = json?["unit"]?.string.flatMap({ PriceUnit(rawValue: $0) })
        else { return nil }
        return UnitAmount(count, unit)
    }

    /// nil where it is not what `json` has written.
    init?(_ json: JSON, knownFrom: Day, revision: Int) {
        func text(_ key: String) -> String? { json[key]?.string }
        let subject =
            text("model").map(Subject.model) ?? text("metric").map(Subject.metric) ?? text("service").map(Subject.service)
        let bands = json["bands"]?.array?.compactMap { band -> PriceBand? in
            let ends = ["from", "low", "high"].compactMap { band[$0]?.string.flatMap { ExactDecimal($0) } }
            return ends.count == 3 ? PriceBand(from: ends[0], low: ends[1], high: ends[2]) : nil
        }
        let counted = text("meter").map { Meter(rawValue: $0).map(Counted.tokens) } ?? .quantity
        guard let subject, let bands, bands.count == json["bands"]?.array?.count, !bands.isEmpty, let counted,
            let provider = text("provider"), let tier = text("tier"), let currency = text("currency"),
            let source = text("source"),
            let per = PriceRow.amount(json["per"]), let path = text("path"),
            let validFrom = text("valid_from").flatMap({ Day($0) })
        else { return nil }
        let labels = json["labels"]?.array?.compactMap { pair -> Label? in
            guard let parts = pair.array?.compactMap(\.string), parts.count == 2 else { return nil }
            return Label(name: parts[0], text: parts[1])
        }
        self.init(
            provider: provider, subject: subject, tier: tier, counted: counted,
            aboveInputTokens: json["above_input_tokens"]?.int.map { Int64($0) } ?? -1, bands: bands, currency: currency, per: per,
            increment: PriceRow.amount(json["increment"]), valueUnit: text("unit").flatMap { PriceUnit(rawValue: $0) },
            isMocked: json["mocked"]?.bool ?? false, isApproximate: json["approximate"]?.bool ?? false, labels: labels ?? [],
            validFrom: validFrom, validTo: text("valid_to").flatMap { Day($0) }, knownFrom: knownFrom, revision: revision,
            source: source, place: Place(path: path, line: json["line"]?.int, column: json["column"]?.int))
    }

    /// The same price, learned on another day, or charged on other days.
    func known(from day: Day, revision: Int, validFrom: Day? = nil, validTo: Day?? = nil) -> PriceRow {
        PriceRow(
            provider: provider, subject: subject, tier: tier, counted: counted, aboveInputTokens: aboveInputTokens, bands: bands,
            currency: currency, per: per, increment: increment, valueUnit: valueUnit, isMocked: isMocked,
            isApproximate: isApproximate, labels: labels, validFrom: validFrom ?? self.validFrom,
            validTo: validTo ?? self.validTo,
            knownFrom: day, revision: revision, source: source, place: place)
    }
}
