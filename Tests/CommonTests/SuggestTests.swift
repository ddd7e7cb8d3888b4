import TestSupport
import Testing

@testable import Common

@Suite struct SuggestTests {
    @Test(
        "A slip of the hand is met with the name that was meant",
        arguments: [
            Case("a wrong letter", "prizm", "prism"), Case("a missing letter", "prsm", "prism"),
            Case("another case", "FREE", "free"),
            Case("the longer name", "prismplus", "prism_plus"), Case("two letters swapped", "rpism", Optional("prism")),
            Case("something else", "gold", nil), Case("nothing", "", nil),
            Case("a novel", String(repeating: "prism", count: 20), nil),
        ])
    func suggests(_ row: Case<String, String?>) {
        #expect(suggest(row.input, from: ["free", "prism", "prism_plus"]) == row.expected)
    }

    @Test("Of two names equally close, the first in order is offered, whatever order they came in")
    func ties() {
        #expect(suggest("cat", from: ["hat", "bat"]) == "bat")
        #expect(suggest("cat", from: ["bat", "hat"]) == "bat")
    }

    @Test("Names and counts read as a sentence would have them")
    func lists() {
        #expect(listed([]) == "")
        #expect(listed(["free"]) == "free")
        #expect(listed(["free", "prism"]) == "free and prism")
        #expect(listed(["free", "prism", "prism_plus"]) == "free, prism and prism_plus")
        #expect(grouped(0) == "0")
        #expect(grouped(999) == "999")
        #expect(grouped(41_203) == "41,203")
        #expect(grouped(-1_234_567) == "-1,234,567")
        #expect(grouped(Int64.min) == "-9,223,372,036,854,775,808")
        #expect(counted(1, "file") == "1 file")
        #expect(counted(1200, "entry", plural: "entries") == "1,200 entries")
    }

    @Test("A failure and a diagnostic begin with their place")
    func places() {
        let place = Place(path: "Jobs/kalei.json5", line: 41, column: 7)
        #expect("\(Failure("wrong.", at: place))" == "Jobs/kalei.json5:41:7: wrong.")
        #expect("\(Failure("wrong."))" == "wrong.")
        #expect("\(Diagnostic(.warning, "odd.", at: Place(path: "a.jsonl", line: 3)))" == "a.jsonl:3: warning: odd.")
    }
}
