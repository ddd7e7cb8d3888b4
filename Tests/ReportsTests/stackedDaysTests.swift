import Common
import Economics
import Testing

@testable import Reports

@Suite("Stacked days")
struct StackedDaysTests {
    private let monday = Day(number: 20_766)  // 2026-11-09

    @Test(
        "The axis has round steps and ends just over the largest amount",
        arguments: [
            ("0.47", ["0", "0.10", "0.20", "0.30", "0.40", "0.50"]), ("5", ["0", "1", "2", "3", "4", "5"]),
            ("5.000000000001", ["0", "2", "4", "6"]), ("4100", ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
            ("0.021", ["0", "0.005", "0.010", "0.015", "0.020", "0.025"]),
            ("0.000000000001", ["0", "0.000000000001"]), ("11", ["0", "5", "10", "15"]),
        ])
    func axis(most: String, labels: [String]) throws {
        let axis = try known(MoneyAxis(covering: known(Money(most))))
        #expect(axis.labels == labels)
        #expect(try axis.top >= known(Money(most)))
    }

    @Test("Nothing above zero has no axis")
    func noAxis() {
        #expect(MoneyAxis(covering: .zero) == nil)
        #expect(MoneyAxis(covering: Money(units: -1)) == nil)
        #expect(MoneyAxis(covering: Money(units: Int128.max)) == nil)
    }

    @Test("The parts of a bar meet, and together they are as high as the day's total")
    func stackingAddsUp() throws {
        let chart = StackedDays(
            days: [monday],
            series: [
                ("a", [try costing("0.333333333333")]), ("b", [try costing("0.333333333333")]),
                ("c", [try costing("0.333333333334")]),
            ])
        let picture = StackedDrawing(chart, currency: "USD").picture.text
        // The axis ends at 1, and the picture is 220 high: thirds are 73.33, 73.34 and 73.33.
        let drawn = picture.matches(of: /<rect class="c\d"[^>]* y="([0-9.]+)" height="([0-9.]+)">/).map { "\($0.1) \($0.2)" }
        #expect(drawn == ["146.67 73.33", "73.33 73.34", "0.00 73.33"])
    }

    @Test("Every part has a title, and every day says all of it")
    func titles() throws {
        let chart = StackedDays(
            days: [monday, monday + 1],
            series: [
                ("turn", [try costing("1.25"), try costing("2")]),
                ("lens", [try costing("0.75", unpriced: 2, tokens: 90), try costing("0")]),
            ])
        let picture = StackedDrawing(chart, currency: "USD").picture.text
        #expect(picture.contains("<title>Mon\u{a0}9\u{a0}Nov, lens: at least 0.75 USD</title>"))
        #expect(
            picture.contains(
                #"<g role="img" aria-label="Mon\#u{a0}9\#u{a0}Nov: at least 2.00 USD; turn 1.25, lens at least 0.75">"#))
        #expect(picture.contains(#"<g role="img" aria-label="Tue\#u{a0}10\#u{a0}Nov: 2.00 USD; turn 2.00">"#))
        #expect(
            picture.contains(
                """
                aria-label="Cost by day from 9 Nov to 10 November 2026, in 2 parts: together at least 4.00 USD, \
                the most on Monday 9 Nov with at least 2.00 USD."
                """))
    }

    @Test("From the ninth series on the smallest are drawn as one, and the table still has each")
    func manySeries() throws {
        let chart = StackedDays(days: [monday], series: try (0..<10).map { ("s\($0)", [try costing("\(10 - $0)")]) })
        let drawing = StackedDrawing(chart, currency: "USD")
        #expect(drawing.parts.map(\.name) == ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "3 others"])
        #expect(drawing.parts.last?.total == (try costing("6")))
        #expect(drawing.totals == [try costing("55")])
        #expect(drawing.table.columns == ["Day"] + (0..<10).map { "s\($0)" } + ["Total"])
        #expect(drawing.table.totals?.last == .cost(try costing("55")))
    }

    @Test("Ranges and amounts below zero are told, since bars cannot show them")
    func remarks() throws {
        let chart = StackedDays(days: [monday], series: [("a", [try costing("3", "4")]), ("b", [try costing("-2")])])
        let drawing = StackedDrawing(chart, currency: "USD")
        #expect(
            drawing.remark.text.contains(
                "A dashed box goes up to the highest amount where a price is a range. Amounts below zero are not drawn; the table has them."
            ))
        let part = #"y="55.00" height="165.00"><title>Mon\#u{a0}9\#u{a0}Nov, a: 3.00–4.00 USD</title>"#
        #expect(drawing.picture.text.contains(part))
        #expect(drawing.picture.text.contains(#"y="0.00" height="55.00"><title>Mon\#u{a0}9\#u{a0}Nov: 1.00–2.00 USD</title>"#))
    }

    @Test("Days without a priced cost are a sentence, not an empty picture")
    func nothingPriced() throws {
        let drawing = StackedDrawing(
            StackedDays(days: [monday], series: [("a", [try costing("0", unpriced: 4)])]), currency: "USD")
        #expect(drawing.picture.text == #"<p class="missing">No cost with a known price falls on these days.</p>"#)
    }
}
