import Common
import Glibc
import Testing

@testable import Samples

@Suite struct SamplesTests {
    private let small = SampleOrder(product: "kalei", users: 40, weeks: 2, fromWeek: Week(of: civil(2026, 11, 2)), seed: 7)

    @Test("The same seed gives the same bytes, and another seed others under the same names", arguments: sampleProducts)
    func seeds(product: String) throws {
        let order = SampleOrder(product: product, users: 40, weeks: 2, fromWeek: small.fromWeek, seed: 7)
        var otherOrder = order
        otherOrder.seed = 8
        let (one, again, other) = (try ExportedSample(order), try ExportedSample(order), try ExportedSample(otherOrder))
        let isSame = one.texts == again.texts && one.sizes == again.sizes && one.truth == again.truth
        #expect(isSame)
        #expect(one.paths == other.paths)
        // Plans are set up by hand, and an empty file is like another.
        let same = one.texts.filter { !$0.value.isEmpty && other.texts[$0.key] == $0.value }.keys.sorted()
        #expect(same.allSatisfy { $0.hasPrefix("Plan/") }, "\(same)")
        let isTrueOfBoth = one.truth == other.truth
        #expect(!isTrueOfBoth)
    }

    @Test(
        "The committed sample is what the default order makes, and small",
        arguments: [
            ("aspendos", 1_300_000), ("kalei", 800_000), ("neni", 500_000), ("talentprompt", 350_000), ("voyager", 900_000),
        ])
    func committed(product: String, most: Int) throws {
        let sample = try ExportedSample(SampleOrder(product: product))
        try sample.expectCommitted(as: product)
        #expect(sample.sizes.values.reduce(0, +) <= most)
    }

    @Test("The files are written as listed, and a second time nothing changes")
    func writes() throws {
        try withFolder { folder in
            let paths = try synthesize(small, into: folder)
            #expect(paths == (try files(below: folder)).map { folder + "/" + $0 })
            let before = paths.map { FileSignature(of: $0) }
            #expect(try synthesize(small, into: folder) == paths)
            #expect(paths.map { FileSignature(of: $0) } == before)
        }
    }

    @Test("A folder with files of another order is refused")
    func refusesFolder() throws {
        try withFolder { folder in
            try makeFolder(folder + "/users")
            try writeAtomically(Array("{}".utf8), to: folder + "/users/users-2025-01-06.jsonl.gz")
            let failure = #expect(throws: Failure.self) { try synthesize(small, into: folder) }
            #expect(failure?.kind == .usage)
            #expect(failure?.message.contains("users/users-2025-01-06.jsonl.gz") == true)
            #expect(try files(below: folder).count == 1)
        }
    }

    @Test(
        "An unusable order is refused with a sentence",
        arguments: [
            (
                SampleOrder(product: "kaley"),
                "There is no sample for the product \"kaley\". Did you mean kalei? Samples exist for \(listed(sampleProducts))."
            ),
            (SampleOrder(product: "kalei", users: 5), "--users is 5, but must lie between 40 and 20,000."),
            (SampleOrder(product: "kalei", weeks: 0), "--weeks is 0, but must lie between 1 and 104."),
            (SampleOrder(product: "kalei", events: -1), "--events is -1, but must lie between 1 and 1,000,000,000."),
            (
                SampleOrder(product: "kalei", users: 20_000, weeks: 50),
                "20,000 users over 50 weeks are too many to hold in memory (60,000 user-weeks at most). "
                    + "Ask for fewer, or for a large set with --events."
            ),
        ])
    func refusesOrder(order: SampleOrder, sentence: String) {
        #expect(throws: Failure(sentence, kind: .usage)) { try synthesize(order, into: "/nowhere") }
    }

    @Test("An event set holds what its truth says")
    func events() throws {
        try withFolder { folder in
            let order = SampleOrder(product: "kalei", users: 300, events: 5003)
            let paths = try synthesize(order, into: folder)
            let parts = paths.filter { $0.hasSuffix(".gz") }
            #expect(parts.count == 4)
            let rows = try parts.flatMap { try parsedLines(gunzipped(readFile($0, as: "sample"), path: $0)) }
            #expect(rows.count == 5003)
            #expect(Set(rows.map { $0["id"]?.string }).count == 5003)
            let times = rows.compactMap { $0["ts"]?.string }
            #expect(times == times.sorted())
            #expect(Set(times.compactMap { Day($0.prefix(10)) }.map(Week.init(of:))).count == 7)
            #expect(Set(rows.map { $0["plan"]?.string }) == ["free", "prism", "prism_plus"])
            let truth = try readText(folder + "/truth.json", as: "truth")
            for column in ["input_tokens", "output_tokens", "latency_ms"] {
                #expect(truth.contains("\"\(column)\": \(rows.reduce(0) { $0 + ($1[column]?.int ?? 0) })"))
            }
        }
    }

    @Test("Choices follow the seed, and stay within their bounds")
    func choices() {
        var (one, again, other) = (Random(seed: 1, stream: "a"), Random(seed: 1, stream: "a"), Random(seed: 1, stream: "b"))
        let first = (0..<50).map { _ in one.below(1000) }
        #expect(first == (0..<50).map { _ in again.below(1000) })
        #expect(first != (0..<50).map { _ in other.below(1000) })
        #expect((0..<1000).allSatisfy { _ in (55...145).contains(one.around(100)) && (0..<7).contains(one.below(7)) })
    }

    @Test("Identifiers are version one uuids, and never come twice")
    func identifiers() {
        var identifiers = Identifiers(seed: 1)
        let moment = civil(2026, 11, 9).startUTC
        let made = (0..<100).map { _ in identifiers.next(at: moment) }
        #expect(Set(made).count == 100)
        #expect(made.allSatisfy { $0.utf8.count == 36 && $0.dropFirst(14).first == "1" && $0 == $0.lowercased() })
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/vesper-samples-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("could not make a folder for the test.") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? removeTree(folder) }
        try body(folder)
    }
}
