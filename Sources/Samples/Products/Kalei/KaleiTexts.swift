/// Puts synthetic texts together from stock sentences, 10 to 60 words each.
struct KaleiTexts {
    private var random: Random

    init(seed: UInt64) { random = Random(seed: seed, stream: "kalei texts") }

    /// A diary entry, and its sentences, which fragments quote.
    mutating func entry(_ language: Language) -> (text: String, quotable: [String]) {
        let phrases = language.phrases
        let scenes = distinct(random.weighted([0, 5, 4]), of: phrases.scenes)
        let thoughts = distinct(random.weighted([0, 4, 3]), of: phrases.thoughts)
        var sentences = scenes + thoughts
        if random.chance(40) { sentences.append(contact(language)) }
        return (fitted(sentences), scenes + thoughts)
    }

    mutating func question(_ language: Language) -> String {
        let phrases = language.phrases
        var sentences = [random.pick(phrases.thoughts)]
        if random.chance(350) { sentences.insert(random.pick(phrases.scenes), at: 0) }
        if random.chance(20) { sentences.append(contact(language)) }
        return fitted(sentences)
    }

    mutating func reflection(_ language: Language) -> String {
        distinct(random.weighted([0, 3, 2]), of: language.phrases.reflections).joined(separator: " ")
    }

    mutating func reframe(_ language: Language) -> String { random.pick(language.phrases.reframes) }
    mutating func perspectives(_ language: Language) -> [String] { distinct(3, of: language.phrases.perspectives) }
    mutating func affirmation(_ language: Language) -> String { random.pick(language.phrases.affirmations) }
    mutating func goal(_ language: Language) -> String { random.pick(language.phrases.goals) }

    /// A sentence with something personal in it.
    private mutating func contact(_ language: Language) -> String {
        let filling = random.contactDetail()
        return random.pick(language.phrases.contacts).replacing("%", with: filling)
    }

    private mutating func distinct(_ count: Int, of stock: [String]) -> [String] {
        var left = stock
        return (0..<min(count, stock.count)).map { _ in left.remove(at: random.below(left.count)) }
    }

    /// Leaves sentences out from the front until at most sixty words are left.
    private func fitted(_ sentences: [String]) -> String {
        var sentences = sentences
        while words(in: sentences.joined(separator: " ")) > 60, sentences.count > 1 { sentences.removeFirst() }
        return sentences.joined(separator: " ")
    }
}
