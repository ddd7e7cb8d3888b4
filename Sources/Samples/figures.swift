import Common

// What the stories of all products are told with.

extension JSON {
    static func money(_ amount: Money) -> JSON { .string(amount.description) }

    func adding(_ fields: KeyValuePairs<String, JSON>) -> JSON {
        .object((members ?? []) + fields.map { Member($0.key, $0.value) })
    }

    /// The same row with another value in one field, or without the field.
    func replacing(_ key: String, with value: JSON?) -> JSON {
        .object((members ?? []).compactMap { $0.key == key ? value.map { Member(key, $0) } : $0 })
    }
}

extension Money {
    init(cents: Int) { self.init(units: Int128(cents) * 10_000_000_000) }
}

extension Sequence {
    /// Amounts that nobody knows add nothing.
    func total(_ amount: (Element) -> Money?) -> Money { reduce(into: .zero) { $0 += amount($1) ?? .zero } }

    /// A figure of each group, by the group's name.
    ///
    ///     calls.figures(by: \.model) { .int($0.count) }   // {"claude-haiku-4-5": 12, …}
    func figures(by name: (Element) -> String, _ figure: ([Element]) -> JSON) -> JSON {
        let groups = Dictionary(grouping: self, by: name)
        return .object(groups.keys.sorted().map { JSON.Member($0, figure(groups[$0, default: []])) })
    }
}

/// How many private texts hold something that redaction must find.
func personalData(in texts: [String], phone: String = "+49 30 23125", card: String = "4111 1111") -> JSON {
    func count(_ mark: String) -> JSON { .int(texts.count { $0.contains(mark) }) }
    return .fields([
        "stage": .string("request"), "e_mail": count("@example.org"), "phone": count(phone), "card": count(card),
        "link": count("https://example.com"),
    ])
}
