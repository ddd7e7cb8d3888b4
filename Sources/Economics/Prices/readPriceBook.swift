import Common

extension PriceBook {
    public static let schema = ConfigSchema(
        name: "price book",
        keys: [
            ConfigKey(
                name: "currency", kind: "currency code", required: true,
                about: "What the rates are in, unless an entry has a currency of its own."),
            ConfigKey(
                name: "aliases", kind: "object: name → model",
                about: "Names under which logs know a model of the book; * stands for any end, and the longest name counts."),
            ConfigKey(
                name: "prices", kind: "list of prices", required: true, about: "One entry for each thing, service tier and time."),
        ])

    public static let entrySchema = ConfigSchema(
        name: "price",
        keys: [
            ConfigKey(
                name: "provider", kind: "text or list of text", required: true, about: "The provider as the logs name it."),
            ConfigKey(
                name: "model", kind: "text or list of text",
                about: "What usage rows name as their model; a release day behind a name fits too, and * stands for any end."),
            ConfigKey(name: "metric", kind: "text or list of text", about: "Instead of a model: a metric of the meters log."),
            ConfigKey(
                name: "service", kind: "text or list of text",
                about: "Instead of a model: what costs the same every month or year, or once; fixed costs refer to it."),
            ConfigKey(name: "tier", kind: "text", about: "The service tier, such as batch; by default standard."),
            ConfigKey(
                name: "above_input_tokens", kind: "whole number",
                about: "The rates hold for requests whose whole input, cache included, is larger than this."),
            ConfigKey(
                name: "rates", kind: "object: meter → decimal or [low, high]",
                about: "What tokens cost, for \(listed(Meter.allCases.map(\.rawValue)))."),
            ConfigKey(
                name: "rate", kind: "decimal or [low, high]", about: "Instead of rates: what the quantity of a row costs."),
            ConfigKey(
                name: "bands", kind: "list of { up_to, rate }",
                about: "Instead of a rate: volume tiers, counted over a calendar month of the job's zone; the last has no end."),
            ConfigKey(
                name: "per", kind: "count and unit",
                about: "What the rates are for, such as 1M tokens, 15 seconds or GB-month; by default 1M tokens."),
            ConfigKey(name: "increment", kind: "count and unit", about: "A quantity is charged in whole steps of this."),
            ConfigKey(
                name: "unit", kind: "unit", about: "What the values of a metric are counted in; by default the unit of the price."
            ),
            ConfigKey(name: "currency", kind: "currency code", about: "What this entry's rates are in; by default the book's."),
            ConfigKey(
                name: "mocked", kind: "true or false",
                about: "Not charged yet: the cost is zero, and what it would be stands beside it."),
            ConfigKey(name: "approximate", kind: "true or false", about: "Whether the source calls the rate approximate."),
            ConfigKey(name: "labels", kind: "object: name → text", about: "What else the source says; no sum ever reads it."),
            ConfigKey(
                name: "valid_from", kind: "day", required: true, about: "The first day (UTC) on which the vendor charged it."),
            ConfigKey(name: "valid_to", kind: "day", about: "The last day on which the vendor charged it."),
            ConfigKey(name: "known_from", kind: "day", required: true, about: "When we learned it."),
            ConfigKey(name: "source", kind: "text", required: true, about: "Where the rate is written, with its date."),
        ])

    public static let bandSchema = ConfigSchema(
        name: "band",
        keys: [
            ConfigKey(
                name: "up_to", kind: "decimal", about: "Where the band ends, in units of the price; the last band has no end."),
            ConfigKey(name: "rate", kind: "decimal or [low, high]", required: true, about: "What the price is within the band."),
        ])

    /// Reads a job's price files as one book.
    public init(files: [String]) throws {
        var rows: [PriceRow] = []
        var aliases: [Alias] = []
        for path in files {
            let book = try ConfigObject(try parseJSON5(try readFile(path, as: "price book"), path: path), PriceBook.schema)
            let currency = try PriceBook.currency(book) ?? ""
            for entry in try book.objects("prices", PriceBook.entrySchema) {
                rows += try PriceBook.rows(entry, currency: PriceBook.currency(entry) ?? currency)
            }
            aliases += try book.named("aliases").map { name, place, node in
                Alias(name: name, model: try node.text("the model of \(name)"), place: place)
            }
        }
        try PriceBook.refuseOverlaps(rows)
        self.init(rows, aliases: aliases)
        try checkAliases()
    }

    private static func currency(_ object: ConfigObject) throws -> String? {
        guard let code = try object.optionalText("currency") else { return nil }
        guard isCurrency(code) else {
            throw object.failure("A currency is three capital letters (ISO 4217), such as USD, not \"\(code)\".", at: "currency")
        }
        return code
    }

    private static func rows(_ entry: ConfigObject, currency: String) throws -> [PriceRow] {
        let subjects = try subjects(entry)
        let per = try amount(entry, "per") ?? UnitAmount(1_000_000, .token)
        let (from, to) = (try entry.day("valid_from"), try entry.optionalDay("valid_to"))
        if let to, to < from { throw entry.failure("The price ends on \(to), before it begins on \(from).", at: "valid_to") }
        let increment = try amount(entry, "increment")
        if let increment, increment.unit.dimension != per.unit.dimension {
            throw entry.failure("Steps of \(increment) do not fit a price per \(per): they are of another kind.", at: "increment")
        }
        let unit = try entry.optionalText("unit").map { word in
            guard let unit = PriceUnit(word: word) else { throw unknownUnit(entry, "unit", word) }
            return unit
        }
        if let unit {
            guard case .metric = subjects[0] else {
                throw entry.failure(
                    "Only a metric needs to say what its values are counted in: rows of usage say it themselves.", at: "unit")
            }
            guard unit.dimension == per.unit.dimension || (unit.dimension == .data && per.unit.dimension == .storedData) else {
                throw entry.failure(
                    "Values in \(unit.plural) do not fit a price per \(per): they are of another kind.", at: "unit")
            }
        }
        let labels = try entry.named("labels").map { name, _, node in
            PriceRow.Label(name: name, text: try node.text("the label \(name)"))
        }
        let tier = try entry.optionalText("tier") ?? "standard"
        let (mocked, approximate) = (try entry.bool("mocked", default: false), try entry.bool("approximate", default: false))
        let (known, source) = (try entry.day("known_from"), try entry.text("source"))
        if source.allSatisfy(\.isWhitespace) {
            throw entry.failure("The source is empty. Say where the rate is written, with its date.", at: "source")
        }
        for key in ["provider", "model", "metric", "service"] where try entry.oneOrMoreTexts(key).contains("") {
            throw entry.failure("A \(key) has a name; this one is empty.", at: key)
        }
        let above = Int64(try entry.optionalInt("above_input_tokens", in: 0...Int.max) ?? -1)
        return try prices(entry, subjects, per, above: above).flatMap { counted, place, bands in
            try entry.oneOrMoreTexts("provider").flatMap { provider in
                subjects.map { subject in
                    PriceRow(
                        provider: provider, subject: subject, tier: tier, counted: counted, aboveInputTokens: above, bands: bands,
                        currency: currency, per: per, increment: increment, valueUnit: unit, isMocked: mocked,
                        isApproximate: approximate, labels: labels, validFrom: from, validTo: to, knownFrom: known,
                        source: source, place: place)
                }
            }
        }
    }

    /// What an entry is about: one kind of thing, under one or more names.
    private static func subjects(_ entry: ConfigObject) throws -> [PriceRow.Subject] {
        let found = try [
            entry.oneOrMoreTexts("model").map(PriceRow.Subject.model),
            entry.oneOrMoreTexts("metric").map(PriceRow.Subject.metric),
            entry.oneOrMoreTexts("service").map(PriceRow.Subject.service),
        ].filter { !$0.isEmpty }
        guard found.count == 1 else {
            throw entry.failure("A price is that of a model, a metric or a service. Give exactly one of them.")
        }
        return found[0]
    }

    /// What an entry's rates are for, and where each stands.
    private static func prices(_ entry: ConfigObject, _ subjects: [PriceRow.Subject], _ per: UnitAmount, above: Int64) throws
        -> [(PriceRow.Counted, Place, [PriceBand])]
    {
        let given = ["rates", "rate", "bands"].filter { entry.node($0) != nil }
        guard given.count == 1 else {
            throw entry.failure("A price has rates for tokens, or one rate, or bands. Give exactly one of them.")
        }
        if given[0] == "rates" {
            guard case .model = subjects[0] else {
                throw entry.failure("Rates by meter are for tokens of a model. Give one rate.", at: "rates")
            }
            guard per.unit == .token else {
                throw entry.failure(
                    "Rates by meter are for tokens, not for \(per). Write per: \"1M tokens\", or give one rate.", at: "per")
            }
            if entry.node("increment") != nil {
                throw entry.failure("Tokens are counted one by one: leave it out.", at: "increment")
            }
            let rates = try entry.named("rates")
            guard !rates.isEmpty else { throw entry.failure("A price without any rate says nothing. Add one.", at: "rates") }
            return try rates.map { name, place, node in
                guard let meter = Meter(rawValue: name) else {
                    let hint = didYouMean(name, from: Meter.allCases.map(\.rawValue))
                    throw Failure(
                        "unknown meter \"\(name)\".\(hint) Meters are \(listed(Meter.allCases.map(\.rawValue))).", at: place,
                        kind: .usage)
                }
                let (low, high) = try range(node, "the rate of \(name)")
                return (.tokens(meter), place, [PriceBand(low: low, high: high)])
            }
        }
        guard per.unit != .token else {
            throw entry.failure("One rate is for a quantity, not for tokens. Say what it is per, such as \"minute\".", at: "per")
        }
        guard above < 0 else {
            throw entry.failure("A threshold of tokens goes with rates for tokens.", at: "above_input_tokens")
        }
        if let node = entry.node("rate") {
            let (low, high) = try range(node, "the rate")
            return [(.quantity, node.place, [PriceBand(low: low, high: high)])]
        }
        return [(.quantity, entry.place(of: "bands"), try bands(entry))]
    }

    private static func bands(_ entry: ConfigObject) throws -> [PriceBand] {
        let objects = try entry.objects("bands", bandSchema)
        guard objects.count > 1 else {
            throw entry.failure("Bands are at least two. Give one rate where the price is flat.", at: "bands")
        }
        var from = ExactDecimal.zero
        return try objects.enumerated().map { index, object in
            let end = try object.optionalDecimal("up_to")
            let isLast = index == objects.count - 1
            guard isLast == (end == nil) else {
                throw object.failure(
                    isLast
                        ? "The last band has no end: leave up_to out, or add the band that follows."
                        : "This band has no end, so nothing can follow it. Give up_to, or put it last.",
                    at: end == nil ? nil : "up_to")
            }
            if let end, !(from < end) {
                throw object.failure("The band ends at \(end), but it begins at \(from). Put the bands in order.", at: "up_to")
            }
            defer { from = end ?? from }
            let (low, high) = try range(object.node("rate") ?? ConfigNode(.null, at: object.place), "the rate")
            return PriceBand(from: from, low: low, high: high)
        }
    }

    private static func amount(_ entry: ConfigObject, _ key: String) throws -> UnitAmount? {
        guard let text = try entry.optionalText(key) else { return nil }
        guard let amount = UnitAmount(text) else { throw unknownUnit(entry, key, text) }
        return amount
    }

    private static func unknownUnit(_ entry: ConfigObject, _ key: String, _ text: String) -> Failure {
        let units = PriceUnit.allCases.map(\.rawValue)
        let word = text.split(separator: " ").last.map(String.init) ?? text
        return entry.failure(
            "unknown unit \"\(text)\".\(didYouMean(word, from: units)) It is a unit, or a count and a unit, such as \"15 seconds\" or \"1M tokens\". Units are \(listed(units)).",
            at: key)
    }

    private static func range(_ node: ConfigNode, _ name: String) throws -> (ExactDecimal, ExactDecimal) {
        var ends = [node]
        if case .array(let items) = node.value {
            guard items.count == 2 else { throw node.failure("A range has two ends: [low, high].") }
            ends = items
        }
        let rates = try ends.map { try $0.decimal(name) }
        guard let low = rates.first, let high = rates.last, !low.isNegative, !(high < low) else {
            throw node.failure("A rate is not negative, and the low end of a range comes first.")
        }
        return (low, high)
    }

    // MARK: - What cannot be obeyed

    /// Two rows that answer the same question differently, with nothing to choose between them, are a mistake in the book.
    static func refuseOverlaps(_ rows: [PriceRow]) throws {
        var answers: [PriceRow.Question: [Int]] = [:]
        for (index, row) in rows.enumerated() {
            for other in answers[row.question, default: []].map({ rows[$0] })
            where row.knownFrom == other.knownFrom && row.revision == other.revision {
                if let end = other.validTo, end < row.validFrom { continue }
                if let end = row.validTo, end < other.validFrom { continue }
                throw Failure(
                    "This price of \(row.counted) for \(row.subject) overlaps the one at \(other.place). "
                        + "End the earlier one with valid_to, or give the later one its own known_from.",
                    at: row.place, kind: .usage)
            }
            answers[row.question, default: []].append(index)
        }
    }

    private func checkAliases() throws {
        for (index, alias) in aliases.enumerated() {
            if let other = aliases[..<index].first(where: { $0.name == alias.name }), other.model != alias.model {
                throw Failure(
                    "\"\(alias.name)\" stands for \(other.model) at \(other.place) already. Keep one of them.",
                    at: alias.place, kind: .usage)
            }
            guard !aliases.contains(where: { $0.name == alias.model }),
                rows.contains(where: { $0.matchLength(alias.model) != nil })
            else {
                throw Failure(
                    "\"\(alias.name)\" stands for \(alias.model), which has no price in this book. Name a model that has one.",
                    at: alias.place, kind: .usage)
            }
        }
    }
}

/// Whether a text is a currency code (ISO 4217): three capital letters.
public func isCurrency(_ text: String) -> Bool { text.utf8.count == 3 && text.utf8.allSatisfy { $0 &- 0x41 <= 25 } }
