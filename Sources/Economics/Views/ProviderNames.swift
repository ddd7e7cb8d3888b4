import Common

/// Under which names bills and charges know the providers of the usage log.
///
///     providers: { "vercel-ai": ["Vercel AI Gateway"] }
///
/// Names that differ in the size of letters only, such as Anthropic and anthropic, need no entry.
public struct ProviderNames: Sendable {
    private let known: [String: String]

    /// Reads the key of a job: provider → names under which a view knows it.
    public init(_ job: ConfigObject, key: String) throws {
        var known: [String: String] = [:]
        for (provider, place, node) in try job.named(key) {
            for name in try node.texts("the names of \(provider)") {
                if let other = known.updateValue(provider, forKey: name.lowercased()), other != provider {
                    throw Failure(
                        "\"\(name)\" stands for both \(other) and \(provider). Name it under one of them.", at: place,
                        kind: .usage)
                }
            }
        }
        self.known = known
    }

    /// Only the names themselves.
    public init() { known = [:] }

    /// The provider that is meant: by the job's entry, else the one of the usage log with the same letters, else the name itself.
    func provider(_ name: String, among used: [String: String]) -> String {
        let small = name.lowercased()
        return known[small] ?? used[small] ?? name
    }
}
