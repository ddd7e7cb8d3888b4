import TestSupport
import Testing

@testable import Common

@Suite struct ExactDecimalTests {
    @Test(
        "A decimal keeps its value exactly and drops zeros that say nothing",
        arguments: [
            Case("a whole number", "812", "812"), Case("trailing zeros", "1.2500", "1.25"), Case("zero places", "1.000", "1"),
            Case("leading zeros", "007.50", "7.5"),
            Case("negative", "-0.30", "-0.3"), Case("minus zero", "-0", "0"), Case("zero with an exponent", "0e99999", "0"),
            Case("an exponent up", "1.25e3", "1250"), Case("an exponent down", "5E-7", "0.0000005"),
            Case("an exponent with a plus", "1e+2", "100"),
            Case("what a Double cannot hold", "0.1234567890123456789012", "0.1234567890123456789012"),
            Case("38 nines", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            Case("38 places", "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ])
    func keeps(_ row: Case<String, String>) { #expect(ExactDecimal(row.input)?.description == row.expected) }

    @Test(
        "What is no decimal, or does not fit, is nil",
        arguments: [
            "", "-", "+1", ".5", "5.", "5.e1", "1e", "1e+", "1.2.3", "1,5", " 1", "1 ", "0x10", "NaN", "Infinity", "1e39",
            "1e-39", "１",
            "999999999999999999999999999999999999999", "0.000000000000000000000000000000000000001",
        ])
    func refuses(_ text: String) { #expect(ExactDecimal(text) == nil) }

    @Test("Equal numbers are equal and hash alike, however they are written")
    func equal() {
        #expect(Set(["1.250", "1.25", "125e-2", "0.125e1"].map { ExactDecimal($0) }).count == 1)
        #expect(ExactDecimal(mantissa: 0, scale: 5) == .zero)
        #expect(ExactDecimal(mantissa: 12, scale: -2) == ExactDecimal(1200))
    }

    @Test("Decimals are ordered by value, even where they cannot be brought to one scale")
    func orders() {
        let ascending = [
            "-99999999999999999999999999999999999999", "-1.5", "-1.25", "-0.00000000000000000000000000000000000001", "0",
            "0.00000000000000000000000000000000000001", "0.9", "0.95", "10", "99999999999999999999999999999999999999",
        ].compactMap { ExactDecimal($0) }
        #expect(ascending.count == 10)
        for (i, a) in ascending.enumerated() { for (j, b) in ascending.enumerated() { #expect((a < b) == (i < j)) } }
    }

    @Test("Units of a place are exact or nil")
    func units() {
        #expect(ExactDecimal("1.25")?.units(places: 2) == 125)
        #expect(ExactDecimal("1.25")?.units(places: 4) == 12_500)
        #expect(ExactDecimal("1.25")?.units(places: 1) == nil)
        #expect(ExactDecimal("99999999999999999999999999999999999999")?.units(places: 1) == nil)
    }
}

@Suite struct MoneyTests {
    @Test("Text and amount are one, to twelve places")
    func reads() {
        #expect(Money("0.0026")?.units == 2_600_000_000)
        #expect(Money("-1.5")?.description == "-1.5")
        #expect(Money("0.000000000001")?.description == "0.000000000001")
        #expect(Money("0.0000000000001") == nil)
        #expect(Money("about 5") == nil)
    }

    @Test(
        "A product is rounded once, half to even, to 1e-12",
        arguments: [
            // Half of 1e-12: to the even neighbour.
            Case("0.5 units down to 0", "0.5", 0), Case("1.5 units up to 2", "1.5", 2), Case("2.5 units down to 2", "2.5", 2),
            Case("3.5 units up to 4", "3.5", 4), Case("a little over the half", "0.50000001", 1),
            Case("a little under the half", "1.49999999", 1), Case("minus 0.5 to 0", "-0.5", 0),
            Case("minus 1.5 to -2", "-1.5", -2),
            Case("minus 2.5 to -2", "-2.5", -2), Case("minus 2.51 to -3", "-2.51", -3),
        ])
    func rounds(_ row: Case<String, Int>) throws {
        let rate = try #require(ExactDecimal(row.input + "e-12"))
        #expect(Money.product(of: 1, at: rate, per: 1) == Money(units: Int128(row.expected)))
        // The same through the divisor: the rate per million, a million times smaller.
        let perMillion = try #require(ExactDecimal(row.input + "e-6"))
        #expect(Money.product(of: 1, at: perMillion, per: 1_000_000) == Money(units: Int128(row.expected)))
    }

    @Test("Tokens at a price per million come to what a hand reckons")
    func prices() throws {
        let rate = try #require(ExactDecimal("1.25"))
        #expect(Money.product(of: 812, at: rate, per: 1_000_000)?.description == "0.001015")
        #expect(Money.product(of: 0, at: rate, per: 1_000_000) == .zero)
        #expect(Money.product(of: -812, at: rate, per: 1_000_000)?.description == "-0.001015")
        #expect(Money.product(of: 1, at: ExactDecimal(10), per: 3)?.description == "3.333333333333")
    }

    @Test("A product that does not fit is nil, never a wrong amount")
    func overflow() throws {
        let large = try #require(ExactDecimal("99999999999999999999999999999999999999"))
        let fine = try #require(ExactDecimal("0.00000000000000000000000000000000000001"))
        #expect(Money.product(of: 2, at: large, per: 1) == nil)
        #expect(Money.product(of: 1, at: large, per: 1) == nil)
        #expect(Money.product(of: 1, at: fine, per: 1_000_000_000_000_000) == nil)
        #expect(Money.product(of: 1, at: fine, per: 1) == .zero)
    }

    @Test(
        "The shares of a fixed cost add up to it exactly, whatever the count", arguments: [1, 2, 3, 7, 28, 29, 30, 31, 365, 366])
    func shares(count: Int) throws {
        for text in ["8.45", "0.000000000001", "0", "-8.45", "1000000000.01"] {
            let total = try #require(Money(text))
            let shares = (0..<count).map { total.share($0, of: count) }
            #expect(shares.reduce(.zero, +) == total)
            #expect(try #require(shares.max()).units - (try #require(shares.min())).units <= 1)
        }
    }

    @Test(
        "An amount is rounded for reading, half to even",
        arguments: [
            Case("two places", "12.4", "12.40"), Case("half to even, down", "0.125", "0.12"),
            Case("half to even, up", "0.135", "0.14"),
            Case("over the half", "0.1250000001", "0.13"), Case("less than a cent", "0.004", "0.00"),
            Case("no minus before nothing", "-0.004", "0.00"), Case("negative", "-12.345", "-12.34"),
            Case("carries over", "9.996", "10.00"),
        ])
    func reading(_ row: Case<String, String>) throws {
        #expect(try #require(Money(row.input)).text(places: 2) == row.expected)
    }

    @Test("Places may be none, and trailing zeros may go")
    func places() throws {
        let amount = try #require(Money("412.50"))
        #expect(amount.text(places: 0) == "412")
        #expect(amount.text(places: 4) == "412.5000")
        #expect(amount.text(places: 4, trimmed: true) == "412.5")
        #expect(Money.zero.description == "0")
    }

    @Test("A ratio and a division are exact to their last place, and nil where there is nothing to divide by")
    func ratios() throws {
        let (part, whole) = (try #require(Money("1")), try #require(Money("3")))
        #expect(part.ratio(to: whole, places: 4)?.description == "0.3333")
        #expect(whole.ratio(to: part, places: 4)?.description == "3")
        #expect(part.ratio(to: Money(units: -whole.units), places: 2)?.description == "-0.33")
        #expect(part.ratio(to: .zero, places: 4) == nil)
        #expect(part.divided(by: 3)?.description == "0.333333333333")
        #expect(part.divided(by: 0) == nil)
        #expect(part.divided(by: -1) == nil)
    }
}
