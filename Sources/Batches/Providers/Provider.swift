import Common
import Insights
import Ledger

/// Whoever answers bulk files. A new one is a new file and one line in `providers`.
public protocol Provider: Sendable {
    var name: String { get }

    /// Hands a bulk file over; returns the provider's name for it. The intent stands in the ledger before this is called.
    func create(_ batch: BulkBatch, _ ledger: Ledger) throws -> String

    /// The raw results, as received, once the provider has finished; nil while it has not.
    func results(of batch: BulkBatch, _ insight: Insight, _ ledger: Ledger) throws -> [UInt8]?
}

public let providers: [any Provider] = [TemplateProvider(), FilesProvider()]

public func provider(named name: String) throws -> any Provider {
    guard let provider = providers.first(where: { $0.name == name }) else {
        throw Failure("There is no provider \"\(name)\". Providers are \(listed(providers.map(\.name))).", kind: .usage)
    }
    return provider
}
