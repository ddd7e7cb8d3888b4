import Common

extension Table {
    /// For programs: one object on one line, keys in column order. Only counts are numbers; money and decimals are strings that
    /// keep every digit, and what is not an exact figure is an object that says so.
    var json: String {
        let value: JSON = .fields([
            "schema": .string("vesper.\(name)/1"),
            "rows": .array(rows.map(object)),
            "totals": totals.map(object) ?? .null,
            "notes": .array(notes.map(JSON.string)),
        ])
        return harmless(value.text) + "\n"
    }

    private func object(_ cells: [Cell]) -> JSON {
        .object(zip(columns, cells).map { JSON.Member($0.name, value($1)) })
    }

    private func value(_ cell: Cell) -> JSON {
        switch cell {
        case .text(let text): .string(text)
        case .int(let number): .int(number)
        case .decimal(let number): .string(number.description)
        case .money(let amount): .string(amount.description)
        case .atLeast(let amount): .fields(["at_least": .string(amount.description)])
        case .range(let low, let high): .fields(["low": .string(low.description), "high": .string(high.description)])
        case .missing(let reason): .fields(["missing": .string(reason)])
        case .blank: .null
        }
    }
}

/// JSON text of the same value in which nothing can act on a terminal: what `JSON.text` left as it is becomes `\u` escapes.
func harmless(_ json: String) -> String {
    if json.utf8.allSatisfy({ $0 < 0x80 }) { return json }
    var result = ""
    for scalar in json.unicodeScalars {
        guard actsOnTerminal(scalar) else {
            result.unicodeScalars.append(scalar)
            continue
        }
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return result
}
