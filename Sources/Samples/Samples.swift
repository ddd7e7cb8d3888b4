import Common

/// What `vesper synth` is asked to make.
///
///     try synthesize(SampleOrder(product: "kalei"), into: "SampleData/kalei")
public struct SampleOrder: Equatable, Sendable {
    public var product: String
    public var users: Int
    public var weeks: Int
    public var fromWeek: Week
    public var seed: UInt64
    /// Makes a usage-only set of so many events for benchmarks in place of the product's exports.
    public var events: Int?

    /// The first week of the committed sample, 2026-W40.
    public static let sampleWeek = Week(of: civil(2026, 9, 28))

    /// The defaults are the committed sample: as many users as the product's stories need, over 2026-W40 to W46.
    public init(
        product: String, users: Int? = nil, weeks: Int = 7, fromWeek: Week = sampleWeek, seed: UInt64 = 1, events: Int? = nil
    ) {
        let usual = products.first { $0.name == product }?.usualUsers ?? 200
        (self.product, self.users, self.weeks, self.fromWeek) = (product, users ?? usual, weeks, fromWeek)
        (self.seed, self.events) = (seed, events)
    }
}

/// The names that an order may carry.
public let sampleProducts: [String] = products.map(\.name)

/// Writes a product's sample exports and their `truth.json` into a folder; the same order gives the same bytes.
///
/// - Returns: the paths of the files, sorted.
public func synthesize(_ order: SampleOrder, into folder: String) throws -> [String] {
    let product = try checked(order)
    if let events = order.events {
        guard let make = product.makeEvents else {
            throw Failure("There is no event set in the shape of \(order.product). Leave out --events.", kind: .usage)
        }
        return try make(order, events, folder)
    }
    let sample = try product.make(order)
    var files: [(path: String, bytes: [UInt8])] = []
    for export in sample.exports { files.append((export.path, try export.compressed())) }
    files.append(("truth.json", Array(sample.truth.sorted.prettyText.utf8)))
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    try refuseStrangers(in: folder, beside: files.map(\.path))
    for file in files { try writeAtomically(file.bytes, to: joined(folder, file.path)) }
    return files.map { joined(folder, $0.path) }
}

/// A product whose exports can be made; each lives in its own folder of `Products/` and stands once in this list.
struct SampleProduct: Sendable {
    let name: String
    /// In the committed sample.
    var usualUsers = 200
    /// Fewer could not play all the stories.
    var leastUsers = 40
    let make: @Sendable (SampleOrder) throws -> Sample
    let makeEvents: (@Sendable (_ order: SampleOrder, _ events: Int, _ folder: String) throws -> [String])?
}

let products: [SampleProduct] = [
    .aspendos, .kalei, .neni, .talentprompt, .voyager,
]

/// What a product's maker hands over: its files and what an ingest must find in them.
struct Sample {
    let exports: [Export]
    let truth: JSON
}

private func checked(_ order: SampleOrder) throws -> SampleProduct {
    guard let product = products.first(where: { $0.name == order.product }) else {
        let hint = suggest(order.product, from: sampleProducts).map { "Did you mean \($0)? " } ?? ""
        throw Failure(
            "There is no sample for the product \"\(order.product)\". \(hint)Samples exist for \(listed(sampleProducts)).",
            kind: .usage)
    }
    func check(_ value: Int, _ allowed: ClosedRange<Int>, _ flag: String) throws {
        guard !allowed.contains(value) else { return }
        throw Failure(
            "\(flag) is \(value), but must lie between \(grouped(allowed.lowerBound)) and \(grouped(allowed.upperBound)).",
            kind: .usage)
    }
    try check(order.weeks, 1...104, "--weeks")
    if let events = order.events {
        try check(order.users, 1...10_000_000, "--users")
        try check(events, 1...1_000_000_000, "--events")
        return product
    }
    try check(order.users, product.leastUsers...20_000, "--users")
    guard order.users * order.weeks <= 60_000 else {
        throw Failure(
            "\(grouped(order.users)) users over \(order.weeks) weeks are too many to hold in memory (60,000 user-weeks at most). "
                + "Ask for fewer, or for a large set with --events.", kind: .usage)
    }
    return product
}

/// Files of an earlier, different order would make the truth untrue, so they are named and nothing is written.
func refuseStrangers(in folder: String, beside expected: [String]) throws {
    let strangers = Set(try files(below: folder)).subtracting(expected).sorted()
    guard let first = strangers.first else { return }
    throw Failure(
        "The folder holds \(counted(strangers.count, "file")) that this order does not make, such as \(first). Give an empty folder.",
        at: Place(path: folder), kind: .usage)
}
