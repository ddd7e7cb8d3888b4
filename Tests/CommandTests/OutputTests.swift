import Common
import Synchronization
import Testing
@testable import vesper

private func money(_ text: String) -> Money { Money(text) ?? .zero }

private let costs = Table(
    name: "costs",
    columns: [
        .init("plan", "Plan"), .init("cost", "Cost USD", .right), .init("events", "Events", .right),
        .init("share", "Share %", .right),
    ],
    rows: [
        [.text("prism"), .money(money("1234.5678")), .int(41_203), .decimal(ExactDecimal("61.5") ?? .zero)],
        [.text("prism_plus"), .atLeast(money("12.4")), .int(0), .missing("no price")],
        [.text("漢字"), .range(low: money("1.005"), high: money("2")), .int(-1000), .blank],
        [.text("tiny"), .money(money("0.0027")), .int(1), .decimal(ExactDecimal("-0.25") ?? .zero)],
    ],
    totals: [.text("Total"), .atLeast(money("1248")), .int(40_204), .blank], notes: ["12 events have no price."])

private let hostile = Table(
    name: "hostile", columns: [.init("text", "Text"), .init("after", "After")],
    rows: [
        [.text("=1+1"), .text("a")], [.text("-2"), .text("b\u{1b}[2J\u{9b}m")], [.text("@x\",\n\"y"), .text("\t\r\n")],
        [.text("\u{202e}abc\u{200b}"), .int(-5)], [.text("q\"\u{301}"), .missing("\u{7}bell")],
    ], notes: ["note\u{1b}[31m"])

@Suite struct `A table` {
    @Test func `is aligned by display width and honest about figures`() {
        #expect(
            costs.rendered(as: .table) == """
                Plan           Cost USD  Events   Share %
                ──────────  ───────────  ──────  ────────
                prism          1,234.57  41,203      61.5
                prism_plus      ≥ 12.40       0  no price
                漢字        1.00 – 2.00  -1,000
                tiny              <0.01       1     -0.25
                ──────────  ───────────  ──────  ────────
                Total        ≥ 1,248.00  40,204

                12 events have no price.

                """)
    }

    @Test func `has a bold header where colour is wanted`() {
        let table = Table(name: "t", columns: [.init("a", "A")], rows: [])
        #expect(table.rendered(as: .table, colour: true) == "\u{1b}[1mA\u{1b}[0m\n─\n(no rows)\n")
        #expect(table.rendered(as: .csv, colour: true) == "a\n")
    }

    @Test func `is one JSON object whose figures keep every digit`() {
        #expect(
            costs.rendered(as: .json)
                == #"{"schema":"vesper.costs/1","rows":[{"plan":"prism","cost":"1234.5678","events":41203,"share":"61.5"},"#
                + #"{"plan":"prism_plus","cost":{"at_least":"12.4"},"events":0,"share":{"missing":"no price"}},"#
                + #"{"plan":"漢字","cost":{"low":"1.005","high":"2"},"events":-1000,"share":null},"#
                + #"{"plan":"tiny","cost":"0.0027","events":1,"share":"-0.25"}],"#
                + #""totals":{"plan":"Total","cost":{"at_least":"1248"},"events":40204,"share":null},"#
                + #""notes":["12 events have no price."]}"# + "\n")
    }

    @Test func `is CSV without totals, which a sum would count twice`() {
        #expect(
            costs.rendered(as: .csv) == """
                plan,cost,events,share
                prism,1234.5678,41203,61.5
                prism_plus,>=12.4,0,
                漢字,1.005..2,-1000,
                tiny,0.0027,1,-0.25

                """)
    }

    @Test func `cannot act on a terminal`() {
        #expect(
            hostile.rendered(as: .table) == #"""
                Text                 After
                ───────────────────  ─────────────────
                =1+1                 a
                -2                   b\u{1b}[2J\u{9b}m
                @x",\n"y             \t\r\n
                \u{202e}abc\u{200b}  -5
                q"́                   \u{7}bell

                note\u{1b}[31m

                """#)
        #expect(
            hostile.rendered(as: .json).contains(#"{"text":"-2","after":"b\u001b[2J\u009bm"}"#)
                && hostile.rendered(as: .json).contains(#""\u202eabc\u200b""#))
    }

    @Test func `does not run as a formula in a spreadsheet`() {
        #expect(
            hostile.rendered(as: .csv)
                == "text,after\n'=1+1,a\n'-2,b\u{1b}[2J\u{9b}m\n\"'@x\"\",\n\"\"y\",\"'\t\r\n\"\n\u{202e}abc\u{200b},-5\n\"q\"\"\u{301}\",\n"
        )
    }

    @Test(arguments: ["=1", "+1", "-1", "@a", "\t=1"]) func `gets an apostrophe before text that would`(_ text: String) {
        let table = Table(name: "t", columns: [.init("a", "A")], rows: [[.text(text)], [.int(-1)], [.decimal(ExactDecimal(-1))]])
        #expect(table.rendered(as: .csv) == "a\n'\(text)\n-1\n-1\n")
    }

    @Test func `spells out in JSON what lies beyond four digits as a pair`() {
        #expect(harmless("\"漢\u{e0001}\"") == #""漢\udb40\udc01""#)
    }

    @Test(arguments: [
        ("a", 1), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2), ("…–", 2), ("한", 2), ("\u{200d}", 0),
    ]) func `knows how wide a text is`(_ text: String, _ expected: Int) {
        #expect(displayWidth(text) == expected)
    }
}

@Suite struct `The terminal` {
    @Test(
        arguments: [
            ("a terminal", nil, nil, true, true), ("a pipe", nil, .auto, false, false), ("always", nil, .always, false, true),
            ("never", nil, .never, true, false), ("NO_COLOR before always", "1", .always, true, false),
            ("an empty NO_COLOR", "", nil, true, true),
        ] as [(String, String?, ColourChoice?, Bool, Bool)])
    func `is coloured`(_ name: String, _ noColor: String?, _ choice: ColourChoice?, _ isTerminal: Bool, _ expected: Bool) {
        let terminal = Terminal(
            noColor: noColor, choice: choice, log: .text, quiet: false, outputIsTerminal: isTerminal, errorIsTerminal: false)
        #expect(terminal.colour == expected)
    }

    @Test(arguments: [
        ("a terminal", LogFormat.text, false, true, true), ("a file", .text, false, false, false),
        ("quiet", .text, true, true, false), ("JSON", .json, false, true, false),
    ])
    func `shows progress`(_ name: String, _ log: LogFormat, _ quiet: Bool, _ isTerminal: Bool, _ expected: Bool) {
        let terminal = Terminal(
            noColor: nil, choice: nil, log: log, quiet: quiet, outputIsTerminal: false, errorIsTerminal: isTerminal)
        #expect(terminal.progress == expected)
    }
}

@Suite struct `The talk` {
    private final class Stream: Sendable {
        private let text = Mutex("")
        private let clock = Mutex<Int64>(0)
        var written: String { text.withLock { $0 } }
        func printer(_ log: LogFormat, quiet: Bool = false, progress: Bool = false) -> TalkPrinter {
            TalkPrinter(
                log: log, quiet: quiet, progress: progress, now: { self.clock.withLock { $0 } },
                write: { new in self.text.withLock { $0 += new } })
        }
        func wait(_ milliseconds: Int64) { clock.withLock { $0 += milliseconds } }
    }

    private func say(_ printer: TalkPrinter) {
        printer.talk.note("12 files.")
        printer.talk.warn("late\u{1b}[2J", at: Place(path: "a.jsonl", line: 7))
        printer.say(Failure("The file is empty.", at: Place(path: "b.json5", line: 1, column: 2)))
        printer.say(Failure("It failed."))
    }

    @Test(arguments: [
        (
            LogFormat.text, false,
            "note: 12 files.\na.jsonl:7: warning: late\\u{1b}[2J\nb.json5:1:2: error: The file is empty.\nerror: It failed.\n"
        ),
        (.text, true, "a.jsonl:7: warning: late\\u{1b}[2J\nb.json5:1:2: error: The file is empty.\nerror: It failed.\n"),
        (
            .json, true,
            #"{"severity":"warning","message":"late\u001b[2J","path":"a.jsonl","line":7}"# + "\n"
                + #"{"severity":"error","message":"The file is empty.","path":"b.json5","line":1}"# + "\n"
                + #"{"severity":"error","message":"It failed.","path":null,"line":null}"# + "\n"
        ),
    ]) func `is a line per message`(_ log: LogFormat, _ quiet: Bool, _ expected: String) {
        let stream = Stream()
        say(stream.printer(log, quiet: quiet))
        #expect(stream.written == expected)
    }

    @Test func `shows progress on one line, ten times a second, and erases it before a message`() {
        let stream = Stream()
        let printer = stream.printer(.text, progress: true)
        let talk = printer.talk
        talk.progress("ingest", 0, 400_000_000)
        stream.wait(50)
        talk.progress("ingest", 1, 400_000_000)
        stream.wait(1950)
        talk.progress("ingest", 100_000_000, 400_000_000)
        talk.warn("late")
        printer.erase()
        #expect(
            stream.written == "\ringest: 0 %, 0 bytes of 400 MB\ringest: 25 %, 100 MB of 400 MB, 50 MB/s, 6 s left\r"
                + String(repeating: " ", count: 49) + "\rwarning: late\n")
    }

    @Test func `shows no progress where none is wanted`() {
        let stream = Stream()
        stream.printer(.text).talk.progress("ingest", 1, 2)
        #expect(stream.written == "")
    }

    @Test(arguments: [
        ("unknown total", Int64(5_000_000), Int64(0), Int64(1000), "x: 5000 kB, 5000 kB/s"),
        ("minutes", 1_000_000, 61_000_000, 1000, "x: 1 %, 1000 kB of 61 MB, 1000 kB/s, 1 min left"),
        ("hours", 1_000_000, 3_901_000_000, 1000, "x: 0 %, 1000 kB of 3901 MB, 1000 kB/s, 1 h 05 min left"),
        ("done", 10, 10, 1000, "x: 100 %, 10 bytes of 10 bytes, 10 bytes/s"),
    ]) func `tells rate and time left`(_ name: String, _ done: Int64, _ total: Int64, _ elapsed: Int64, _ expected: String) {
        #expect(progressText("x", done: done, total: total, milliseconds: elapsed) == expected)
    }
}
