import Common
import Glibc

/// Writes a usage-only set for benchmarks: rows in the shape of `api_usage` with the plan printed, in four files of rising time.
///
/// Nothing is kept but one buffer, so the set may be as large as the disk. All rows are valid and no id comes twice.
func makeKaleiEvents(_ order: SampleOrder, events: Int, folder: String) throws -> [String] {
    let names = (1...4).map { "api_usage/api_usage-part-\($0).jsonl.gz" }
    try refuseStrangers(in: folder, beside: names + ["truth.json"])
    try makeFolder(joined(folder, "api_usage"))
    var writer = KaleiEventWriter(order, events: events)
    for (index, name) in names.enumerated() {
        try writer.write((events * index / 4)..<(events * (index + 1) / 4), to: joined(folder, name))
    }
    try writeAtomically(Array(writer.truth.sorted.prettyText.utf8), to: joined(folder, "truth.json"))
    return (names + ["truth.json"]).map { joined(folder, $0) }
}

private struct KaleiEventWriter {
    private let order: SampleOrder
    private let events: Int
    private let start: Instant
    private let length: Int64
    private var random: Random
    private let features: [(feature: KaleiFeature, head: [UInt8])]
    private var sums = (input: 0, cacheRead: 0, cacheWrite: 0, output: 0, latency: 0)

    init(_ order: SampleOrder, events: Int) {
        (self.order, self.events) = (order, events)
        start = order.fromWeek.monday.startUTC
        length = Int64(order.weeks) * 7 * 86_400_000_000
        random = Random(seed: order.seed, stream: "kalei events")
        // Weighted by repetition: turns most, then reframes.
        let drawn: [KaleiFeature] = [.turn, .turn, .turn, .turn, .turn, .reframe, .reframe, .reframe, .fragments, .fragments]
        features = (drawn + [.reflection, .reflection, .crisisCheck, .crisisCheck, .lens, .lens]).map { feature in
            let text =
                #","feature":"\#(feature.rawValue)","model":"\#(KaleiRate.haiku.model)","provider":"anthropic","input_tokens":"#
            return (feature, Array(text.utf8))
        }
    }

    var truth: JSON {
        .fields([
            "product": .string("kalei"),
            "usage": .fields([
                "records": .int(events), "accepted": .int(events), "duplicate": .int(0), "out_of_range": .int(0),
                "quarantined": .int(0),
                "filtered": .int(0),
                "sums": .fields([
                    "input_tokens": .int(sums.input), "cache_read_tokens": .int(sums.cacheRead),
                    "cache_write_5m_tokens": .int(sums.cacheWrite),
                    "output_tokens": .int(sums.output), "latency_ms": .int(sums.latency),
                ]),
            ]),
        ])
    }

    mutating func write(_ range: Range<Int>, to path: String) throws {
        let file = try PartialFile(path)
        var gzip = try GzipWriter(level: 3)
        var line: [UInt8] = []
        var compressed: [UInt8] = []
        line.reserveCapacity(1 << 18)
        for index in range {
            append(index, to: &line)
            guard line.count > 1 << 17 || index == range.upperBound - 1 else { continue }
            try line.withUnsafeBytes { try gzip.write($0, to: &compressed) }
            line.removeAll(keepingCapacity: true)
            try file.append(&compressed)
        }
        try gzip.finish(to: &compressed)
        try file.append(&compressed)
        try file.finish()
    }

    private mutating func append(_ index: Int, to out: inout [UInt8]) {
        let (feature, head) = features[random.below(features.count)]
        let tokens = feature.tokens
        let share = Int128(length) * Int128(index) / Int128(events)
        let ts = Instant(microseconds: start.microseconds + Int64(share) + Int64(random.below(max(1, Int(length) / events))))
        let user = random.below(order.users)
        let (input, output) = (random.around(tokens.fresh), random.around(tokens.output))
        let warm = random.chance(940)
        let latency = 350 + output * 7 + random.below(500)
        sums.input += input
        sums.output += output
        sums.latency += latency
        if warm { sums.cacheRead += tokens.prompt } else { sums.cacheWrite += tokens.prompt }
        out.append(contentsOf: #"{"id":""#.utf8)
        uuid(random.next(), random.next(), to: &out)
        out.append(contentsOf: #"","ts":""#.utf8)
        stamp(ts, to: &out)
        out.append(contentsOf: #"","user_id":""#.utf8)
        let person = Random.scrambled(UInt64(user) ^ order.seed << 32)
        uuid(person, Random.scrambled(person), to: &out)
        out.append(contentsOf: #"","session_id":null"#.utf8)
        out.append(contentsOf: head)
        number(input, to: &out)
        out.append(contentsOf: #","cache_read_input_tokens":"#.utf8)
        number(warm ? tokens.prompt : 0, to: &out)
        out.append(contentsOf: #","cache_creation_input_tokens":"#.utf8)
        number(warm ? 0 : tokens.prompt, to: &out)
        out.append(contentsOf: #","output_tokens":"#.utf8)
        number(output, to: &out)
        out.append(contentsOf: #","service_tier":"standard","route":"primary","prompt_version":"v1","latency_ms":"#.utf8)
        number(latency, to: &out)
        out.append(contentsOf: #","status":"ok","plan":""#.utf8)
        out.append(contentsOf: (user % 100 < 88 ? "free" : user % 100 < 94 ? "prism" : "prism_plus").utf8)
        out.append(contentsOf: "\"}\n".utf8)
    }

    // Text is made digit by digit here: a String for each field would take most of the time.

    private func number(_ value: Int, to out: inout [UInt8]) {
        if value >= 10 { number(value / 10, to: &out) }
        out.append(0x30 + UInt8(value % 10))
    }

    private func digits(_ value: Int, _ width: Int, to out: inout [UInt8]) {
        if width > 1 { digits(value / 10, width - 1, to: &out) }
        out.append(0x30 + UInt8(value % 10))
    }

    private func stamp(_ ts: Instant, to out: inout [UInt8]) {
        let day = ts.dayUTC
        let (year, month, number) = day.civil
        let rest = Int(ts.microseconds - day.startUTC.microseconds)
        let second = rest / 1_000_000
        digits(year, 4, to: &out)
        out.append(0x2d)
        digits(month, 2, to: &out)
        out.append(0x2d)
        digits(number, 2, to: &out)
        out.append(0x20)
        digits(second / 3600, 2, to: &out)
        out.append(0x3a)
        digits(second / 60 % 60, 2, to: &out)
        out.append(0x3a)
        digits(second % 60, 2, to: &out)
        out.append(0x2e)
        digits(rest % 1_000_000, 6, to: &out)
        out.append(contentsOf: "+00".utf8)
    }

    /// A version 4 uuid of 122 bits.
    private func uuid(_ high: UInt64, _ low: UInt64, to out: inout [UInt8]) {
        let high = high & 0xffff_ffff_ffff_0fff | 0x4000
        let low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { out.append(0x2d) }
            let word = index < 16 ? high : low
            let digit = UInt8(word >> UInt64(60 - 4 * (index % 16)) & 15)
            out.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }
}

/// A file written piece by piece under another name until it is whole.
private final class PartialFile {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    init(_ path: String) throws {
        self.path = path
        guard let file = fopen(path + ".partial", "we") else { throw PartialFile.failure(path) }
        self.file = file
    }

    deinit { fclose(file) }

    /// Takes the bytes out of the buffer.
    func append(_ bytes: inout [UInt8]) throws {
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw PartialFile.failure(path) }
        bytes.removeAll(keepingCapacity: true)
    }

    func finish() throws {
        guard fflush(file) == 0 else { throw PartialFile.failure(path) }
        try Common.rename(path + ".partial", to: path)
    }

    private static func failure(_ path: String) -> Failure {
        Failure("could not write the events. \(String(cString: strerror(errno))).", at: Place(path: path))
    }
}
