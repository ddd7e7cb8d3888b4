import Common
import TestSupport
import Testing

@testable import Insights

@Suite struct PromptTests {
    private func prompt(_ text: String) throws -> Prompt { try insight(prompt: text).prompt }

    @Test("A prompt's parts are read as they stand, without the space around them")
    func parts() throws {
        let prompt = try prompt(promptText)
        #expect(prompt.system == "Be kind." && prompt.user == "The week: {{profile}}")
        #expect(
            prompt.schema.text
                == #"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}"#)
        #expect(
            prompt.template.text == #"{"text":"{{active_days}} days"}"# && prompt.supportive.text == #"{"text":"Take care."}"#)
    }

    @Test("Line ends of two characters make no other prompt but for its version")
    func lineEnds() throws {
        let (plain, windows) = (try prompt(promptText), try prompt(promptText.replacing("\n", with: "\r\n")))
        #expect(
            windows.system == plain.system && windows.user == plain.user && windows.schema == plain.schema
                && windows.template == plain.template)
    }

    /// K-12 in part: a prompt's version is its digest.
    @Test("A changed byte is another version")
    func version() throws {
        #expect(try prompt(promptText).digest == prompt(promptText).digest)
        #expect(try prompt(promptText + " ").digest != prompt(promptText).digest)
    }

    private static let refusals = [
        Case(
            "no system part", promptText.replacing("## System", with: "## Sistem"),
            "prompt.md: The prompt has no part \"## System\". Its parts are System, User, Answer, Template and Supportive."),
        Case(
            "an empty part", promptText.replacing("Be kind.", with: ""),
            "prompt.md: The prompt has no part \"## System\". Its parts are System, User, Answer, Template and Supportive."),
        Case(
            "nothing at all", "",
            "prompt.md: The prompt has no part \"## System\". Its parts are System, User, Answer, Template and Supportive."),
        Case(
            "no place for the profile", promptText.replacing("{{profile}}", with: "{profile}"),
            "prompt.md: The part \"## User\" does not hold {{profile}}, so every subject would get the same request."),
        Case(
            "a schema that is no JSON", promptText.replacing("\"type\": \"object\",", with: "type: object,"),
            "prompt.md:10: The part \"## Answer\" is not JSON: expected a key in double quotes, but found \"t\". JSON has no other keys."
        ),
        Case(
            "a supportive text that does not follow the schema",
            promptText.replacing("\"text\": \"Take care.\"", with: "\"word\": 1"),
            "prompt.md: The part \"## Supportive\" does not follow the answer schema: the answer has no text."),
    ]

    @Test("A prompt that cannot be asked with is refused before any work", arguments: refusals)
    func refused(_ row: Case<String, String>) {
        #expect(sentence { _ = try prompt(row.input) } == row.expected)
        #expect { _ = try prompt(row.input) } throws: { ($0 as? Failure)?.kind == .usage }
    }

    @Test("Kalei's own prompt is whole, and its template fills from a profile into an answer under its schema")
    func kalei() throws {
        let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let prompt = try Prompt(path: joined(repository, "Jobs/Prompts/kalei-weekly.md"))
        for profile in [
            #"{"active_days":3,"patterns":[{"label":"a","count":2,"change":"+1"}],"peak":"night","styles":[{"style":"s"}],"streak":1}"#,
            "{}",
        ] {
            let answer = filled(prompt.template, from: try parseJSON(Array(profile.utf8), path: "profile"))
            #expect(schemaProblem(answer, prompt.schema) == nil)
            #expect(!answer.text.contains("{{"))
        }
    }
}

@Suite struct AnswerSchemaTests {
    private static let schema = #"""
        {"type":"object","properties":{"text":{"type":"string"},"count":{"type":"integer"},"share":{"type":"number"},"done":{"type":"boolean"},\#
        "mood":{"enum":["good","bad"]},"items":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}},\#
        "required":["text"],"additionalProperties":false}
        """#

    @Test(
        "An answer follows its schema, or the first thing that does not is named by its path",
        arguments: [
            Case("the least", #"{"text":""}"#, nil),
            Case(
                "everything", #"{"text":"a","count":1,"share":0.5,"done":true,"mood":"bad","items":[{"n":1},{"n":2,"x":null}]}"#,
                nil), Case("no list items", #"{"text":"","items":[]}"#, nil),
            Case("a list instead", "[]", "the answer is not an object"), Case("a missing field", "{}", "the answer has no text"),
            Case("a null for a text", #"{"text":null}"#, "the answer.text is not text"),
            Case("a fraction for a whole number", #"{"text":"","count":1.5}"#, "the answer.count is not a whole number"),
            Case("a text for a number", #"{"text":"","share":"1"}"#, "the answer.share is not a number"),
            Case("a text for a flag", #"{"text":"","done":"true"}"#, "the answer.done is neither true nor false"),
            Case("none of the offered", #"{"text":"","mood":"odd"}"#, "the answer.mood is none of the offered values"),
            Case("a text for a list", #"{"text":"","items":"a"}"#, "the answer.items is not a list"),
            Case("a bad item", #"{"text":"","items":[{"n":1},{}]}"#, "the answer.items[1] has no n"),
            Case("an unknown field", #"{"text":"","other":1}"#, "the answer has an unknown field"),
        ] as [Case<String, String?>])
    func validates(_ row: Case<String, String?>) throws {
        let schema = try parseJSON(Array(AnswerSchemaTests.schema.utf8), path: "schema")
        #expect(schemaProblem(try parseJSON(Array(row.input.utf8), path: "answer"), schema) == row.expected)
    }
}

@Suite struct TemplateTests {
    private static let profile =
        #"{"days":3,"peak":"night","patterns":[{"label":"late","count":2},{"label":"alone"}],"zero":"0","odd":"{{days}}","flag":true}"#

    @Test(
        "A template is filled by paths; an item of a list whose path is missing is left out, elsewhere it reads as the fallback",
        arguments: [
            Case("numbers and texts", #"{"a":"{{days}} days, in the {{peak}}"}"#, #"{"a":"3 days, in the night"}"#),
            Case("a path into a list", #"{"a":"{{patterns.1.label}}"}"#, #"{"a":"alone"}"#),
            Case("a missing path", #"{"a":"It was {{nothing}}."}"#, #"{"a":"…"}"#),
            Case("an index beyond the list", #"{"a":"{{patterns.2.label}}"}"#, #"{"a":"…"}"#),
            Case(
                "items of a list",
                #"["{{patterns.0.label}}","{{patterns.1.label}} {{patterns.1.count}}","{{patterns.2.label}}","plain"]"#,
                #"["late","plain"]"#),
            Case("nested", #"{"a":{"b":["{{days}}",5,null,{"c":"{{x}}"}]}}"#, #"{"a":{"b":["3",5,null,{"c":"…"}]}}"#),
            Case("what a value holds is not filled again", #"{"a":"{{odd}}"}"#, #"{"a":"{{days}}"}"#),
            Case("an object and a flag are no text", #"{"a":"{{patterns}}","b":"{{flag}}"}"#, #"{"a":"…","b":"…"}"#),
            Case("an open placeholder stays", #"{"a":"{{days"}"#, #"{"a":"{{days"}"#),
            Case("no placeholder", #"{"a":"text"}"#, #"{"a":"text"}"#),
        ])
    func fills(_ row: Case<String, String>) throws {
        let profile = try parseJSON(Array(TemplateTests.profile.utf8), path: "profile")
        #expect(
            filled(try parseJSON(Array(row.input.utf8), path: "template"), from: profile, otherwise: "…").text == row.expected)
    }
}
