import Common
import Economics
import Testing

@testable import Reports

@Suite("The report as JSON")
struct ReportJSONTests {
    @Test("Every kind of section and figure has its form in the envelope")
    func envelope() throws {
        let days = Period(first: try known(Day("2026-11-09")), last: try known(Day("2026-11-10")))
        let cost = try costing("11.2", "13.9", unpriced: 31, tokens: 4200)
        let report = Report(
            job: "kalei", period: days, zone: "Europe/Berlin", currency: "USD", provisional: true, revision: 2, verdict: "Fine.",
            sections: [
                Section(
                    id: "t", title: "Tiles", notes: ["A note."],
                    body: .tiles([
                        Tile(
                            label: "Spend", value: .cost(cost), before: .money(try known(Money("12.40"))),
                            usual: .unknown("No weeks before.")),
                        Tile(label: "Calls", value: .count(12)),
                    ])),
                Section(
                    id: "d", title: "Days", body: .stackedDays(StackedDays(days: days.days, series: [("turn", [cost, Cost()])]))),
                Section(
                    id: "p", title: "Plans",
                    body: .table(
                        ReportTable(
                            columns: ["Plan", "Share"], rows: [[.text("<b>"), .share(try known(ExactDecimal("0.9731")))]]))),
                Section(id: "f", title: "Run", body: .funnel([FunnelStep(name: "Sent", count: 9, lost: [.init("crisis", 1)])])),
                Section(id: "s", title: "One", body: .sample([.init("z", .array([.int(1)])), .init("a", .null)])),
                Section(id: "q", title: "Facts", body: .facts([("Read", "9,412")])),
                Section(id: "m", title: "Bills", body: .missing("No invoice has been exported.")),
            ])
        #expect(
            reportJSON(report).text == """
                {"schema":"vesper.report/1","job":"kalei",\
                "period":{"name":"2026-11-09_2026-11-10","first":"2026-11-09","last":"2026-11-10","zone":"Europe/Berlin"},\
                "provisional":true,"revision":2,"currency":"USD","verdict":"Fine.","sections":[\
                {"id":"t","title":"Tiles","kind":"tiles","notes":["A note."],"tiles":[\
                {"label":"Spend","value":{"kind":"cost","low":"11.2","high":"13.9","complete":false,"unpriced_requests":31},\
                "before":{"kind":"money","amount":"12.4"},"usual":{"kind":"unknown","why":"No weeks before."}},\
                {"label":"Calls","value":{"kind":"count","count":12},"before":null,"usual":null}]},\
                {"id":"d","title":"Days","kind":"stacked-days","notes":[],"days":["2026-11-09","2026-11-10"],"series":[{"name":"turn",\
                "costs":[{"low":"11.2","high":"13.9","complete":false,"unpriced_requests":31},\
                {"low":"0","high":"0","complete":true,"unpriced_requests":0}]}]},\
                {"id":"p","title":"Plans","kind":"table","notes":[],"columns":["Plan","Share"],\
                "rows":[[{"kind":"text","text":"\\u003cb>"},{"kind":"share","share":"0.9731"}]],"totals":null},\
                {"id":"f","title":"Run","kind":"funnel","notes":[],\
                "steps":[{"name":"Sent","count":9,"lost":[{"reason":"crisis","count":1}]}]},\
                {"id":"s","title":"One","kind":"sample","notes":[],"fields":[{"name":"z","value":[1]},{"name":"a","value":null}]},\
                {"id":"q","title":"Facts","kind":"facts","notes":[],"facts":[{"label":"Read","value":"9,412"}]},\
                {"id":"m","title":"Bills","kind":"missing","notes":[],"why":"No invoice has been exported."}]}
                """)
    }
}
