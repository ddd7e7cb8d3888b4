import Common

/// Marks at round amounts (1, 2 or 5 with zeros) from zero to just over the largest amount, in exact integers.
///
///     MoneyAxis(covering: Money("0.47")!)!.labels   // ["0", "0.10", "0.20", "0.30", "0.40", "0.50"]
struct MoneyAxis: Equatable {
    let step: Money
    /// Three to five.
    let steps: Int

    /// nil where there is nothing above zero to show, or far too much.
    init?(covering amount: Money) {
        guard amount.units > 0, amount.units < Int128.max / 1000 else { return nil }
        var unit: Int128 = 1
        while true {
            if let step = [unit, 2 * unit, 5 * unit].first(where: { 5 * $0 >= amount.units }) {
                self.step = Money(units: step)
                steps = Int((amount.units + step - 1) / step)
                return
            }
            unit *= 10
        }
    }

    var top: Money { Money(units: step.units * Int128(steps)) }

    var labels: [String] {
        var places = Money.places
        var unit: Int128 = 1
        while places > 0, step.units % (unit * 10) == 0 { (unit, places) = (unit * 10, places - 1) }
        let shown = places == 0 ? 0 : max(2, places)
        return (0...steps).map { index in
            if index == 0 { return "0" }
            let amount = Money(units: step.units * Int128(index))
            return shown == 0 ? grouped(amount.units / 1_000_000_000_000) : amount.text(places: shown)
        }
    }

    /// Where an amount lies, in hundredths of `height`, from zero at the bottom.
    func position(of amount: Money, height: Int) -> Int {
        var (part, whole) = (max(amount.units, 0), top.units)
        // Cut down only where the product would not fit: then a digit more is far below what can be drawn.
        while part > Int128.max / 10_000_000 { (part, whole) = (part / 10, whole / 10) }
        return Int(dividedHalfToEven(part * Int128(height) * 100, by: whole))
    }
}
