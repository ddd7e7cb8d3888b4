import Common

/// One kind of insight of a job: for whom, how often, from which prompt, by which provider.
public struct Insight: Sendable {
    public let name: String
    public let prompt: Prompt
    public let provider: String
    /// What the provider is asked for; empty for one that has no models.
    public let model: String
    public let maxTokens: Int
    /// No insight is made for a period that begins earlier.
    public let starts: Day?
    /// The attribute of the user's newest snapshot that must be true.
    public let consent: String?
    /// The attribute that says, by being there, that the user has left.
    public let leftAttribute: String?
    /// Fewer session rows than this in the period: too quiet for an insight.
    public let leastActivity: Int
    /// How many redacted excerpts of private text a profile holds.
    public let excerpts: Int
    /// The only providers that private text may go to.
    public let textGoesTo: [String]
    public let place: Place

    public static let schema = ConfigSchema(
        name: "insight",
        keys: [
            ConfigKey(name: "name", kind: "text", required: true, about: "What plans entitle to, and the name of its files."),
            ConfigKey(name: "subject", kind: "one of user", about: "Whom an insight is about; by default user."),
            ConfigKey(name: "every", kind: "one of week", about: "The period of one insight; by default week."),
            ConfigKey(name: "prompt", kind: "path of a prompt file", required: true, about: "The prompt, beside the job file."),
            ConfigKey(
                name: "provider", kind: "one of template and files",
                about: "Who answers; by default template, which is built in, offline and free."),
            ConfigKey(name: "model", kind: "text", about: "The model asked for; required unless the provider is template."),
            ConfigKey(
                name: "max_tokens", kind: "whole number", about: "The longest answer that may be paid for; by default 3000."),
            ConfigKey(
                name: "starts", kind: "day",
                about: "No insight is made for a period that begins earlier; required unless the provider is template."),
            ConfigKey(
                name: "consent", kind: "attribute of user", about: "The attribute of the newest user snapshot that must be true."),
            ConfigKey(
                name: "left", kind: "attribute of user",
                about: "The attribute of the newest user snapshot that, by being there, says that the user has left."),
            ConfigKey(
                name: "least_activity", kind: "whole number",
                about: "Session rows in the period below which nothing is asked; by default 1."),
            ConfigKey(
                name: "excerpts", kind: "whole number",
                about: "How many redacted excerpts of private text a profile holds; by default none."),
            ConfigKey(
                name: "text_goes_to", kind: "list of providers", about: "The only providers that private text may be sent to."),
        ])

    private enum Subject: String, CaseIterable { case user }
    private enum Every: String, CaseIterable { case week }

    /// `folder` is where prompt paths begin: the job file's own.
    public init(_ object: ConfigObject, folder: String, providers: [String]) throws {
        name = try object.text("name")
        guard isFileName(name) else {
            throw object.failure("An insight's name has small letters, digits, - and _ only: it becomes a file name.", at: "name")
        }
        _ = try object.choice("subject", of: Subject.self, default: .user)
        _ = try object.choice("every", of: Every.self, default: .week)
        provider = try object.optionalText("provider") ?? "template"
        guard providers.contains(provider) else {
            let hint = didYouMean(provider, from: providers)
            throw object.failure("unknown provider \"\(provider)\".\(hint) Providers are \(listed(providers)).", at: "provider")
        }
        model = try object.optionalText("model") ?? ""
        maxTokens = try object.optionalInt("max_tokens", in: 1...300_000) ?? 3000
        starts = try object.optionalDay("starts")
        if provider != "template" {
            if model.isEmpty {
                throw object.failure("The provider \(provider) needs a model. Add model, such as \"claude-haiku-4-5\".")
            }
            if starts == nil {
                throw object.failure(
                    "The provider \(provider) may cost money, so the insight needs \"starts\": the first day it is made for.")
            }
        }
        consent = try object.optionalText("consent")
        leftAttribute = try object.optionalText("left")
        leastActivity = try object.optionalInt("least_activity", in: 0...Int.max) ?? 1
        excerpts = try object.optionalInt("excerpts", in: 0...20) ?? 0
        textGoesTo = try object.texts("text_goes_to")
        if excerpts > 0, !textGoesTo.contains(provider) {
            throw object.failure(
                "Excerpts are private text, and \(provider) is not among text_goes_to. Add it there, or remove excerpts.",
                at: "excerpts")
        }
        prompt = try Prompt(path: joined(folder, try object.text("prompt")))
        place = object.place
    }

    /// What decides which profile is made and what is asked, besides the rows.
    public var definition: String {
        [
            name, prompt.digest.hex, provider, model, String(maxTokens), starts?.description ?? "", consent ?? "",
            leftAttribute ?? "",
            String(leastActivity), String(excerpts),
        ].joined(separator: "|")
    }
}
