import Common
import Economics
import Testing

@testable import Reports

@Suite("Figures for reading")
struct ReadableFiguresTests {
    @Test(
        "Money has two places from 1 on, below that four digits up to the sixth place, and is never rounded to zero",
        arguments: [
            ("0", "0.00"), ("1", "1.00"), ("12.4", "12.40"), ("1234567.895", "1,234,567.90"), ("999.995", "1,000.00"),
            ("0.5", "0.50"),
            ("0.27114", "0.2711"), ("0.03560001", "0.03560"), ("0.00261", "0.00261"), ("0.002610085287", "0.002610"),
            ("0.000734400763", "0.000734"), ("0.00000051", "0.000001"), ("0.0000005", "<0.000001"),
            ("0.000000000001", "<0.000001"),
            ("0.99996", "1.00"), ("0.0999999", "0.1000"), ("-1234.5", "−1,234.50"), ("-0.25", "−0.25"),
            ("-0.0000001", ">−0.000001"),
        ])
    func money(amount: String, text: String) throws {
        #expect(try readable(known(Money(amount))) == text)
    }

    @Test("A cost says that it is a range, and that it is at least so much")
    func costs() throws {
        #expect(try readable(costing("12.4")) == "12.40")
        #expect(try readable(costing("12.4", unpriced: 3)) == "at least 12.40")
        #expect(try readable(costing("11.2", "13.9")) == "11.20–13.90")
        #expect(try readable(costing("11.2", "13.9", unpriced: 1)) == "at least 11.20–13.90")
        #expect(try readable(costing("11.201", "11.202")) == "11.20")
    }

    @Test("The title of a figure has all its digits and what it leaves out")
    func titles() throws {
        #expect(
            try figure(.cost(costing("12.403217", unpriced: 31, tokens: 4200)), currency: "USD").text
                == """
                <span title="at least 12.403217 USD: 31 requests (4,200 tokens) without a known price">\
                <span class="least">at least</span> 12.40</span>
                """)
        #expect(
            try figure(.cost(costing("11.201", "11.202")), currency: "USD").text
                == #"<span title="11.201–11.202 USD">11.20</span>"#)
        #expect(
            try figure(.money(known(Money("0.00261348"))), currency: "EUR").text
                == #"<span title="0.00261348 EUR">0.002613</span>"#)
        #expect(figure(.count(41203), currency: "USD").text == "41,203")
    }

    @Test(
        "A share reads 0 % or 100 % only when it is exactly that",
        arguments: [
            ("0", "0"), ("1", "100"), ("0.9731", "97.31"), ("0.97312", "97.31"), ("0.5", "50"), ("0.125", "12.50"),
            ("0.999999", ">99.99"),
            ("1.000033", ">100"), ("0.000001", "<0.01"), ("-0.000001", ">−0.01"), ("12.5", "1,250"), ("-0.034", "−3.40"),
        ])
    func shares(share: String, percent: String) throws {
        let trimmed = percent.hasSuffix("0") && percent.contains(".") ? String(percent.dropLast()) : percent
        #expect(try readable(share: known(ExactDecimal(share))) == trimmed + "\u{a0}%")
    }

    @Test("A change is told between exact figures of one kind only")
    func changes() throws {
        let (money, lower) = (Figure.money(try known(Money("3.3"))), Figure.cost(try costing("3")))
        #expect(change(from: lower, to: money) == "+10.0\u{a0}%")
        #expect(change(from: .count(10), to: .count(9)) == "−10.0\u{a0}%")
        #expect(change(from: .count(9), to: .count(9)) == "no change")
        #expect(change(from: .count(1_000_000), to: .count(1_000_001)) == "±0.0\u{a0}%")
        #expect(
            change(from: .share(try known(ExactDecimal("0.2265"))), to: .share(try known(ExactDecimal("0.4612"))))
                == "+23.47 points")
        #expect(change(from: .count(0), to: .count(9)) == nil)
        #expect(change(from: .count(3), to: money) == nil)
        #expect(change(from: .cost(try costing("3", unpriced: 1)), to: money) == nil)
        #expect(change(from: .cost(try costing("3", "4")), to: money) == nil)
    }
}
