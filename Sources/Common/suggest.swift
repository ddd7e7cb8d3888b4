/// The offered name closest to what was typed, if it is close enough to be a slip of the hand.
///
///     suggest("prizm", from: ["free", "prism"])   // "prism"
public func suggest(_ typed: String, from offered: some Sequence<String>) -> String? {
    let typedBytes = Array(typed.lowercased().utf8)
    guard typedBytes.count <= 64 else { return nil }
    let allowed = max(1, typedBytes.count / 3)
    let near = offered.map { (distance: editDistance(typedBytes, Array($0.lowercased().utf8)), name: $0) }
        .filter { $0.distance <= allowed }
    return near.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// " Did you mean "prism"?" where an offered name is close, otherwise nothing: for the middle of a message.
public func didYouMean(_ typed: String, from offered: [String]) -> String {
    suggest(typed, from: offered).map { " Did you mean \"\($0)\"?" } ?? ""
}

/// Whether a name may become a folder or file: small letters, digits, - and _ only.
public func isFileName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 &- 0x61 <= 25 || $0 &- 0x30 <= 9 || $0 == 0x2d || $0 == 0x5f }
}

/// A list of names as a sentence would have it: "free, prism and prism_plus".
public func listed(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + last
}

/// A count with thousands separated: 41,203.
public func grouped(_ count: some BinaryInteger) -> String {
    let digits = String(count.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (count < 0 ? "-" : "") + text
}

/// "1 file", "3 files": the plural is the word with an s unless given.
public func counted(_ count: Int, _ word: String, plural: String? = nil) -> String {
    "\(grouped(count)) \(count == 1 ? word : plural ?? word + "s")"
}

/// How many letters to add, drop, change or swap with their neighbour.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    var beforePrevious = previous
    for i in 0..<a.count {
        var current = [i + 1]
        for j in 0..<b.count {
            var least = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforePrevious[j - 1] + 1) }
            current.append(least)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[b.count]
}
