import Common
import Economics
import Glibc
import Testing

@testable import Reports

@Suite("The page")
struct PageTests {
    @Test("The sample week's page is the one that was looked at and found good")
    func golden() throws {
        try expect(renderPage(sampleReport()), isGolden: "page.html")
    }

    @Test("The same report gives the same bytes")
    func sameBytes() throws {
        #expect(try renderPage(sampleReport()) == renderPage(sampleReport()))
    }

    struct Text: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let value: String
        let markup: String
    }

    @Test(
        "A value cannot act in a page",
        arguments: [
            Text(
                testDescription: "a script", value: "<script>alert('x')</script>",
                markup: "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            Text(testDescription: "the end of an attribute", value: "x\" onload=\"y", markup: "x&quot; onload=&quot;y"),
            Text(testDescription: "an entity", value: "&lt;", markup: "&amp;lt;"),
            Text(testDescription: "a formula", value: "=HYPERLINK(\"x\")", markup: "&#39;=HYPERLINK(&quot;x&quot;)"),
            Text(testDescription: "a formula with a sign", value: "+1+cmd|'x'!A0", markup: "&#39;+1+cmd|&#39;x&#39;!A0"),
            Text(testDescription: "a function after @", value: "@SUM(1)", markup: "&#39;@SUM(1)"),
            Text(testDescription: "a number with a sign", value: "-3.4 %", markup: "-3.4 %"),
            Text(testDescription: "an escape sequence", value: "a\u{1b}[2Jb", markup: "a\\u{1b}[2Jb"),
            Text(testDescription: "text that turns around", value: "a\u{202e}b\u{2066}c", markup: "a\\u{202e}b\\u{2066}c"),
            Text(testDescription: "a text of several lines", value: "a\r\nb\tc\u{2028}d", markup: "a\\r\\nb\\tc\\u{2028}d"),
            Text(
                testDescription: "a quote with a combining mark", value: "\"\u{301}<\u{338}", markup: "&quot;\u{301}&lt;\u{338}"),
            Text(testDescription: "letters of the world", value: "Şule, Gülüş, 数据 👩‍🔬", markup: "Şule, Gülüş, 数据 👩‍🔬"),
        ])
    func escaping(text: Text) {
        #expect(("<p>\(text.value)</p>" as Markup).text == "<p>\(text.markup)</p>")
    }

    @Test("A hostile value is harmless wherever a report has room for one")
    func hostileEverywhere() throws {
        let evil = "<script>\"'&\u{1b}[2J\u{202e}"
        let bodies: [Section.Body] = [
            .tiles([
                Tile(label: evil, value: .text(evil), before: .unknown(evil), usual: .text(evil)),
                Tile(label: evil, value: .unknown(evil)),
            ]),
            .stackedDays(StackedDays(days: [Day(number: 0)], series: [(evil, [try costing("1", "2", unpriced: 1)])])),
            .table(
                ReportTable(
                    columns: [evil], rows: [[.text(evil)], [.unknown(evil)], [.cost(try costing("1"))]], totals: [.text(evil)])),
            .funnel([FunnelStep(name: evil, count: 2), FunnelStep(name: evil, count: 1, lost: [.init(evil, 1)])]),
            .sample([
                .init(evil, .string(evil + "\n" + evil)),
                .init(evil, .array([.string(evil), .fields(["<script>": .string(evil)])])),
                .init(evil, .array([.fields(["<script>": .string(evil)])])), .init(evil, .number(evil)),
            ]),
            .facts([(evil, evil)]),
            .missing(evil),
        ]
        let sections = bodies.enumerated().map { Section(id: "s\($0)", title: evil, notes: [evil], body: $1) }
        let page = renderPage(
            Report(
                job: evil, period: Period(first: Day(number: 0), last: Day(number: 0)), zone: evil, currency: evil,
                provisional: true,
                revision: 1, verdict: evil, sections: sections))
        #expect(!page.lowercased().contains("<script"))
        #expect(!page.contains("<>") && !page.contains("&\u{1b}"))
        #expect(page.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x202e) })
        #expect(page.components(of: "&lt;script&gt;&quot;&#39;&amp;\\u{1b}[2J\\u{202e}") > 40)
    }

    @Test("An unknown figure gives its reason below the table, once, and no zero")
    func unknownInTable() {
        let table = ReportTable(
            columns: ["Plan", "Margin"],
            rows: [
                [.text("free"), .unknown("Free has no price.")], [.text("prism"), .share(.zero)],
                [.text("trial"), .unknown("Free has no price.")],
            ])
        let html = renderTable(table, id: "m", currency: "USD").text
        #expect(html.components(of: ##"<span class="unknown">not known</span><sup><a href="#m_why1">1</a></sup>"##) == 2)
        #expect(html.contains("<li id=\"m_why1\">Free has no price.</li>\n</ol>"))
        #expect(html.components(of: "0\u{a0}%") == 1)
    }

    @Test("The currency stands once in the head of each column of money, also where the head names it already")
    func currencyInHeads() throws {
        let cost = Figure.cost(try costing("1.5"))
        let table = ReportTable(
            columns: ["Plan", "Cost", "Price (USD)", "Calls"], rows: [[.text("free"), cost, cost, .count(1204)]])
        let html = renderTable(table, id: "m", currency: "USD").text
        #expect(
            html.contains(
                """
                <tr><th scope="col">Plan</th><th scope="col" class="n">Cost <span class="unit">USD</span></th>\
                <th scope="col" class="n">Price (USD)</th><th scope="col" class="n">Calls</th></tr>
                """))
        #expect(html.contains(#"<td class="n">1,204</td>"#))
    }

    @Test("Those whom a funnel loses without a reason are counted too")
    func funnelLosses() {
        let html = renderFunnel([
            FunnelStep(name: "sent", count: 3000), FunnelStep(name: "answered", count: 1000, lost: [.init("timed out", 1500)]),
        ]).text
        #expect(html.contains("<b>−1,500</b> <bdi>timed out</bdi>"))
        #expect(html.contains("<b>−500</b> no reason recorded"))
        #expect(html.contains(#"style="width:33.3%"></span></span><span class="count">1,000</span>"#))
    }

    @Test("What is missing is a sentence, and so is an empty table")
    func missing() {
        #expect(renderTable(ReportTable(columns: ["Plan"], rows: []), id: "m", currency: "USD") == nothingToShow)
        #expect(renderFunnel([]) == nothingToShow && renderFacts([]) == nothingToShow && renderSample([]) == nothingToShow)
    }
}

extension String {
    /// How often a text occurs in this one.
    func components(of text: String) -> Int { ranges(of: text).count }
}

/// Compares with a file of `Goldens/`. With RECORD_GOLDENS=1 it writes that file instead, and the test fails.
func expect(_ text: String, isGolden name: String, file: String = #filePath, at location: SourceLocation = #_sourceLocation)
    throws
{
    let folder = String(file.prefix(upTo: file.lastIndex(of: "/") ?? file.startIndex)) + "/Goldens"
    if getenv("RECORD_GOLDENS").map({ String(cString: $0) }) == "1" {
        try writeAtomically(Array(text.utf8), to: "\(folder)/\(name)")
        Issue.record(
            "Goldens/\(name) was written. Look at what changed, then run again without RECORD_GOLDENS.", sourceLocation: location)
        return
    }
    let golden = try readText("\(folder)/\(name)", as: "golden").split(separator: "\n", omittingEmptySubsequences: false)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard golden != lines else { return }
    let index = zip(golden, lines).enumerated().first { $1.0 != $1.1 }?.offset ?? min(golden.count, lines.count)
    let (old, new) = (index < golden.count ? golden[index] : "(end)", index < lines.count ? lines[index] : "(end)")
    Issue.record(
        "Goldens/\(name) differs from line \(index + 1):\n- \(old)\n+ \(new)\nRECORD_GOLDENS=1 rewrites it.",
        sourceLocation: location)
}
