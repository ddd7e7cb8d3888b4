import Common
import Samples

private let product = Option(name: "product", value: "P", about: "Whose exports to make.", choices: sampleProducts)
private let users = Option(
    name: "users", value: "N", about: "How many people there are; those of the committed sample unless given.")
private let weeks = Option(name: "weeks", value: "N", about: "How many weeks; 7 unless given.")
private let fromWeek = Option(name: "from-week", value: "W", about: "The first week; 2026-W40 unless given.")
private let events = Option(
    name: "events", value: "N", about: "Make a usage-only set of so many events in four files, for measuring speed.")
private let seed = Option(
    name: "seed", value: "N", about: "Another number gives other data; the same number the same bytes; 1 unless given.")

let synthCommand = Command(
    name: "synth", summary: "Makes sample exports with planted stories.",
    about:
        "Writes exports in the shape of a product's own, with the faults real dumps have, and truth.json: what an ingest must find in them. "
        + "The committed SampleData is what the defaults give.",
    operands: [
        Operand(
            name: "DIR", about: "The folder to write to; it must be empty or hold an earlier sample of the same order.",
            completes: .folder)
    ],
    options: [product, users, weeks, fromWeek, events, seed],
    examples: [
        ("vesper synth --product kalei --users 200 --weeks 7 --seed 1 SampleData/kalei", "The committed sample of Kalei."),
        ("vesper synth --product kalei --events 4000000 --seed 1 big", "Four million usage events."),
    ], group: "Housekeeping", run: performSynth)

@Sendable private func performSynth(_ invocation: Invocation) throws -> Int32 {
    guard let name = invocation.value(product) else {
        throw Failure("Whose exports? Give --product; there are \(listed(sampleProducts)).", kind: .usage)
    }
    var order = SampleOrder(product: name)
    if let count = try invocation.count(users, in: 1...10_000_000) { order.users = count }
    if let count = try invocation.count(weeks, in: 1...104) { order.weeks = count }
    if let week = try invocation.week(fromWeek) { order.fromWeek = week }
    if let count = try invocation.count(seed, in: 0...Int.max) { order.seed = UInt64(count) }
    order.events = try invocation.count(events, in: 1...1_000_000_000)
    let written = try synthesize(order, into: invocation.operands[0])
    try messages(for: invocation).say(
        Diagnostic(.note, "\(counted(written.count, "file")) written to \(invocation.operands[0])."))
    return 0
}
