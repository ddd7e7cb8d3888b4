import Common

/// Steps as bars under one another, with what each one lost and why.
func renderFunnel(_ steps: [FunnelStep]) -> Markup {
    guard !steps.isEmpty else { return nothingToShow }
    let most = steps.map(\.count).max() ?? 0
    var before: Int?
    let items = steps.map { step -> Markup in
        var lost = step.lost.map { loss -> Markup in "<li><b>\(minus(loss.count))</b> <bdi>\(loss.reason)</bdi></li>" }
        let told = step.lost.reduce(0) { $0 + $1.count }
        if let before, before - step.count > told {
            lost.append("<li><b>\(minus(before - step.count - told))</b> no reason recorded</li>")
        }
        before = step.count
        let losses: Markup = lost.isEmpty ? "" : "\n<ul class=\"lost\">\(lost.joined())</ul>"
        return """
            <li>\(losses)
            <div class="step"><span class="name">\(step.name)</span><span class="track"><span class="bar" \
            style="width:\(percentage(step.count, of: most))"></span></span><span class="count">\(grouped(step.count))</span></div>
            </li>
            """
    }
    return "<ol class=\"funnel\">\n\(items.joined("\n"))\n</ol>"
}

private func minus(_ count: Int) -> String { "−\(grouped(count))" }

/// A width with one place: "83.3%".
private func percentage(_ part: Int, of whole: Int) -> String {
    guard whole > 0, part > 0 else { return "0%" }
    let tenths = dividedHalfToEven(Int128(part) * 1000, by: Int128(whole))
    return "\(tenths / 10).\(tenths % 10)%"
}

/// One answer shown whole, its fields in order.
func renderSample(_ fields: [JSON.Member]) -> Markup {
    guard !fields.isEmpty else { return nothingToShow }
    return "<div class=\"sample\">\n\(definitions(fields))\n</div>"
}

private func definitions(_ fields: [JSON.Member]) -> Markup {
    let pairs = fields.map { field -> Markup in "<dt>\(inWords(field.key))</dt>\n<dd>\(content(of: field.value))</dd>" }
    return "<dl>\n\(pairs.joined("\n"))\n</dl>"
}

private func content(of value: JSON) -> Markup {
    switch value {
    case .null: #"<span class="unknown">not given</span>"#
    case .bool(let flag): flag ? "yes" : "no"
    case .number(let text): "\(text)"
    case .string(let text): "\(lines: text)"
    case .array(let items):
        items.isEmpty
            ? #"<span class="unknown">none</span>"#
            : records(items) ?? "<ul>\n\(items.map { item -> Markup in "<li>\(content(of: item))</li>" }.joined("\n"))\n</ul>"
    case .object(let members): members.isEmpty ? #"<span class="unknown">none</span>"# : definitions(members)
    }
}

/// Items with the same plain fields, as lines of a table; nil for others.
private func records(_ items: [JSON]) -> Markup? {
    guard let keys = items.first?.members?.map(\.key), !keys.isEmpty else { return nil }
    let lines = items.compactMap(\.members).filter { line in
        line.map(\.key) == keys && line.allSatisfy { $0.value.array == nil && $0.value.members == nil }
    }
    guard lines.count == items.count else { return nil }
    let side = keys.indices.map { index -> Markup in lines.allSatisfy { $0[index].value.number != nil } ? #" class="n""# : "" }
    let heads = zip(keys, side).map { key, side -> Markup in #"<th scope="col"\#(side)>\#(inWords(key))</th>"# }
    let rows = lines.map { line -> Markup in
        let cells = zip(line, side).map { field, side -> Markup in "<td\(side)>\(content(of: field.value))</td>" }
        return "<tr>\(cells.joined())</tr>"
    }
    return """
        <div class="scroll"><table>
        <thead><tr>\(heads.joined())</tr></thead>
        <tbody>
        \(rows.joined("\n"))
        </tbody>
        </table></div>
        """
}

/// A field's name as a reader would write it: "one_gentle_focus" is "One gentle focus".
private func inWords(_ key: String) -> String {
    let words = key.split(separator: "_").joined(separator: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
}

/// Labels and values in two columns.
func renderFacts(_ facts: [(label: String, value: String)]) -> Markup {
    guard !facts.isEmpty else { return nothingToShow }
    let pairs = facts.map { fact -> Markup in "<div><dt>\(fact.label)</dt><dd>\(fact.value)</dd></div>" }
    return "<dl class=\"facts\">\n\(pairs.joined("\n"))\n</dl>"
}
