import Common

/// A document turned into a vector.
struct TalentEmbedding {
    let id: String
    let at: Instant
    let isStaging: Bool
    let document: String
    let hash: String
    let tokens: Int
    var batch: (id: String, size: Int)?
}

struct TalentSearch {
    let id: String
    let at: Instant
    let user: TalentUser
    let results: Int
    let latency: Int
    let isClicked: Bool
}

/// The documents that are embedded, and the searches that find them.
struct TalentDocuments {
    private(set) var embeddings: [TalentEmbedding] = []
    private(set) var searches: [TalentSearch] = []
    var identifiers: Identifiers
    private let users: [TalentUser]
    private let scale: Int
    private var random: Random
    private var repeats: [Int] = []

    init(_ order: SampleOrder, span: SampleSpan, users: [TalentUser], identifiers: Identifiers) {
        (self.users, self.identifiers, scale) = (users, identifiers, order.users)
        random = Random(seed: order.seed, stream: "talentprompt documents")
        let working = span.days.filter { $0.weekday <= 5 }
        let later = working.filter { $0 >= TalentStory.embeddedTwiceFrom }
        let twice = scaled(TalentStory.embeddedTwice)
        for day in span.days {
            search(on: day)
            guard day.weekday <= 5 else { continue }
            var again = 0
            if let place = later.firstIndex(of: day) { again = twice * (place + 1) / later.count - twice * place / later.count }
            embed(on: day, again: again)
        }
        embeddings.sort { ($0.at, $0.id) < ($1.at, $1.id) }
        searches.sort { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    private func scaled(_ count: Int) -> Int { max(1, count * scale / 200) }

    /// New documents wait for the night; a few are embedded at once, each in a call of its own.
    private mutating func embed(on day: Day, again: Int) {
        var waiting: [(document: String, hash: String, tokens: Int, isStaging: Bool)] = []
        let noon = day.startUTC + 36_000
        for _ in 0..<random.around(scaled(42), spread: 150) {
            waiting.append((identifiers.next(at: noon), hash(), random.around(790), false))
        }
        for _ in 0..<scaled(3) { waiting.append((identifiers.next(at: noon), hash(), random.around(300), true)) }
        for _ in 0..<again {
            guard let index = nextRepeat() else { break }
            let before = embeddings[index]
            waiting.append((before.document, before.hash, before.tokens, false))
        }
        if let changed = embeddings.indices.last(where: { !repeats.contains($0) && !embeddings[$0].isStaging }),
            random.chance(400)
        {
            // A document that did change is rightly embedded again.
            repeats.append(changed)
            waiting.append((embeddings[changed].document, hash(), random.around(790), false))
        }
        let alone = waiting.prefix(scaled(9))
        for item in alone { add(item, at: noon + Int64(random.between(-7000...30_000)), batch: nil) }
        var rest = Array(waiting.dropFirst(alone.count))
        var at = day.startUTC + 79_200
        while !rest.isEmpty {
            let size = min(rest.count, random.between(6...14))
            let batch = identifiers.next(at: at)
            for item in rest.prefix(size) {
                add(item, at: at, batch: (batch, size))
                at = at.after(milliseconds: 1)
            }
            rest.removeFirst(size)
            at = at + Int64(random.between(4...20))
        }
    }

    /// The oldest production document that has been embedded once.
    private mutating func nextRepeat() -> Int? {
        let used = Set(repeats)
        guard let index = embeddings.indices.first(where: { !used.contains($0) && !embeddings[$0].isStaging }) else { return nil }
        repeats.append(index)
        return index
    }

    private mutating func add(
        _ item: (document: String, hash: String, tokens: Int, isStaging: Bool), at: Instant, batch: (id: String, size: Int)?
    ) {
        // The second embedding of a document must never be the start of a third.
        if embeddings.contains(where: { $0.document == item.document }) { repeats.append(embeddings.count) }
        embeddings.append(
            TalentEmbedding(
                id: identifiers.next(at: at), at: at, isStaging: item.isStaging, document: item.document, hash: item.hash,
                tokens: item.tokens, batch: batch))
    }

    private mutating func hash() -> String { hexadecimal(random.next(), digits: 16) }

    private mutating func search(on day: Day) {
        for _ in 0..<random.around(scaled(day.weekday <= 5 ? 48 : 12), spread: 200) {
            let second = random.between(7 * 3600...20 * 3600 - 1)
            let at = Instant(microseconds: day.startUTC.microseconds + Int64(second) * 1_000_000 + Int64(random.below(1_000_000)))
            let results = random.chance(80) ? 0 : random.between(1...200)
            searches.append(
                TalentSearch(
                    id: identifiers.next(at: at), at: at, user: random.pick(users), results: results,
                    latency: random.between(60...900), isClicked: results > 0 && random.chance(420)))
        }
    }
}
