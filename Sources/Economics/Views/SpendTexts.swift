import Common
import Lake

/// Texts by number, so that rows of several logs are held against each other without touching characters; -1 is none.
struct SpendTexts {
    private var interner = TextInterner()
    /// Spellings of providers, by the number of the name as it was read.
    private var providers: [Int32: Int32] = [:]
    private var models: [Pair: Int32] = [:]
    private let names: ProviderNames
    private let book: PriceBook
    /// The usage log's own providers, by their names in small letters.
    var used: [String: String] = [:]

    private struct Pair: Hashable {
        let provider: Int32
        let model: Int32
    }

    init(_ names: ProviderNames, _ book: PriceBook) { (self.names, self.book) = (names, book) }

    subscript(code: Int32) -> String? { code < 0 ? nil : interner.dictionary[code] }

    mutating func code(of text: String?) -> Int32 { text.map { interner.code(of: $0) } ?? -1 }

    /// The numbers of a column's values, row by row.
    mutating func codes(_ column: Column?, count: Int) -> [Int32] {
        guard case .text(let codes, let dictionary)? = column else { return [Int32](repeating: -1, count: count) }
        var global = [Int32](repeating: -1, count: dictionary.count)
        return codes.map { code in
            guard code >= 0 else { return -1 }
            if global[Int(code)] < 0 { global[Int(code)] = interner.code(of: dictionary[code]) }
            return global[Int(code)]
        }
    }

    /// A provider of charges or invoices by the name that usage has for it.
    mutating func provider(_ code: Int32) -> Int32 {
        guard let name = self[code] else { return -1 }
        if let known = providers[code] { return known }
        let meant = self.code(of: names.provider(name, among: used))
        providers[code] = meant
        return meant
    }

    /// A model by the book's name for it, so that a dated name is the same model; its own where the book has none.
    mutating func model(_ model: Int32, of provider: Int32) -> Int32 {
        guard let name = self[model] else { return -1 }
        if let known = models[Pair(provider: provider, model: model)] { return known }
        let meant = code(of: book.name(of: name, provider: self[provider]) ?? name)
        models[Pair(provider: provider, model: model)] = meant
        return meant
    }
}

extension PriceBook {
    /// The book's own name for a model, of any tier; nil where none fits or only a pattern does.
    func name(of model: String, provider: String?) -> String? {
        let known = named(model)
        return rows.filter { $0.provider == provider ?? $0.provider }
            .compactMap { row in row.matchLength(known).map { (length: $0, name: row.subject.description) } }
            .filter { !$0.name.hasSuffix("*") }
            .max { $0.length < $1.length }?.name
    }
}
