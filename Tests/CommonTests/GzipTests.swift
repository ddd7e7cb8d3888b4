import TestSupport
import Testing

@testable import Common

@Suite struct GzipTests {
    private static let contents = [
        Case("nothing", [UInt8](), 0), Case("one byte", [UInt8(7)], 0), Case("a line", bytes("{\"id\":\"e1\"}\n"), 0),
        Case("a chunk exactly", noise(1 << 16), 0), Case("a chunk and a byte", noise(1 << 16 + 1), 0),
        Case("what compresses a thousandfold", [UInt8](repeating: 0, count: 3_000_000), 0), Case("noise", noise(300_000), 0),
    ]

    @Test("What is compressed comes back", arguments: contents)
    func roundTrip(_ row: Case<[UInt8], Int>) throws {
        #expect(try gunzipped(try gzipped(row.input), path: "a.gz") == row.input)
    }

    @Test("The same bytes always give the same file, without time or name")
    func deterministic() throws {
        let once = try gzipped(bytes("vesper"))
        #expect(once == (try gzipped(bytes("vesper"))))
        #expect(Array(once[0..<8]) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
    }

    @Test("Written in pieces, it is the file written at once")
    func pieces() throws {
        let content = noise(5000) + [UInt8](repeating: 1, count: 5000)
        var writer = try GzipWriter()
        var file: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: 777) {
            try content[start..<min(start + 777, content.count)].withUnsafeBytes { try writer.write($0, to: &file) }
        }
        try writer.finish(to: &file)
        #expect(try gunzipped(file, path: "a.gz") == content)
    }

    @Test("Members one after another, as appending to a log makes them, are read through", arguments: [0, 1, 512])
    func members(padding: Int) throws {
        let file = try gzipped(bytes("one\n")) + gzipped([]) + gzipped(bytes("two\n")) + [UInt8](repeating: 0, count: padding)
        #expect(try gunzipped(file, path: "a.gz") == bytes("one\ntwo\n"))
    }

    @Test("A file cut short at any byte is refused by that byte; only its exact end is an end")
    func truncated() throws {
        let first = try gzipped(bytes("one\n"))
        let file = first + (try gzipped(noise(40)))
        for cut in 0..<file.count where cut != first.count {
            let expected =
                "a.gz: The gzip stream ends in the middle, at byte \(cut). The file is truncated: export or copy it again."
            #expect(sentence { _ = try gunzipped(Array(file[0..<cut]), path: "a.gz") } == expected)
        }
        #expect(try gunzipped(first, path: "a.gz") == bytes("one\n"))
        #expect(try gunzipped(file, path: "a.gz") == bytes("one\n") + noise(40))
    }

    @Test("A large file cut short is refused by that byte", arguments: [1000, 100_000, 200_000])
    func truncatedLarge(cut: Int) throws {
        let file = try gzipped(noise(300_000))
        let expected =
            "a.gz: The gzip stream ends in the middle, at byte \(grouped(cut)). The file is truncated: export or copy it again."
        #expect(sentence { _ = try gunzipped(Array(file[0..<cut]), path: "a.gz") } == expected)
    }

    @Test("What follows gzip data and is none is told with its place", arguments: ["garbage", "g", "\u{1f}g"])
    func followed(_ rest: String) throws {
        let file = try gzipped(bytes("a line of text, and another one\n"))
        for (zeros, place) in [([UInt8](), file.count), ([0, 0, 0], file.count + 3)] {
            #expect(
                sentence { _ = try gunzipped(file + zeros + bytes(rest), path: "a.gz") }
                    == "a.gz: Something that is not gzip follows the gzip data, from byte \(place) on. Cut it off there, or export the file again."
            )
        }
    }

    @Test("What is not gzip, or is gzip with other bytes in it, is refused as damaged")
    func damaged() throws {
        let file = try gzipped(bytes("a line of text, and another one\n"))
        var wrongSum = file
        wrongSum[file.count - 8] ^= 1
        var wrongLength = file
        wrongLength[file.count - 1] ^= 1
        let cases = [bytes("{\"id\":\"e1\"}\n"), wrongSum, wrongLength, [0, 0] + file]
        for damaged in cases {
            let refused = sentence { _ = try gunzipped(damaged, path: "a.gz") }
            #expect(
                refused?.hasPrefix("a.gz: The gzip stream is damaged near byte ") == true, "\(refused ?? "read without a word")")
        }
    }

    @Test(
        "Read in small pieces through a small window, everything comes through", arguments: [1, 2, 7, 64, 5000],
        [1, 300, 100_000])
    func window(input: Int, chunk: Int) throws {
        let content = noise(70_000) + [UInt8](repeating: 9, count: 30_000) + noise(300)
        let file = try gzipped(content) + gzipped(content) + [0, 0]
        #expect(try readInPieces(file, input: input, chunk: chunk) == content + content)
    }

    @Test("Every level, stored, fixed and dynamic blocks come through", arguments: [0, 1, 2, 6, 9])
    func levels(level: Int32) throws {
        for content in [[], [7], noise(3), noise(200_000), Array("{\"a\":1}\n".utf8).repeated(40_000), runs(150_000)] {
            #expect(try gunzipped(try gzipped(content, level: level), path: "a.gz") == content)
        }
    }

    @Test("What is used up from a window makes room, and a line longer than the window makes it grow")
    func unused() throws {
        let content = noise(3_000_000)
        let file = try gzipped(content, level: 1)
        var given = 0
        let reader = GzipReader(path: "a.gz") { room in
            let count = min(room.count, file.count - given, 1000)
            file.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[given..<given + count])) }
            given += count
            return count
        }
        let window = ByteWindow(chunk: 1000)
        var out: [UInt8] = []
        var round = 0
        while try reader.read(into: window) {
            round += 1
            if round % 5 != 0 { continue }
            out += window.unused
            window.use(window.unused.count)
        }
        out += window.unused
        #expect(out == content)
    }

    @Test("A flipped byte is noticed wherever it stands, and never crashes")
    func flipped() throws {
        let content = Array("{\"id\":\"x\",\"n\":12}\n".utf8).repeated(300) + noise(500)
        let file = try gzipped(content)
        for index in file.indices {
            for bit in [0, 3, 7] {
                var damaged = file
                damaged[index] ^= 1 << UInt8(bit)
                let read = try? gunzipped(damaged, path: "a.gz")
                // Time, flags and system of the header say nothing about the content.
                #expect(read == nil || read == content)
            }
        }
    }

    private func readInPieces(_ file: [UInt8], input: Int, chunk: Int) throws -> [UInt8] {
        var given = 0
        let reader = GzipReader(path: "a.gz") { room in
            let count = min(room.count, file.count - given, input)
            file.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[given..<given + count])) }
            given += count
            return count
        }
        let window = ByteWindow(chunk: chunk)
        var out: [UInt8] = []
        while try reader.read(into: window) {
            out += window.unused
            window.use(window.unused.count)
        }
        return out
    }

    /// Runs of one byte, of many lengths: matches with every short distance.
    private func runs(_ count: Int) -> [UInt8] {
        var out: [UInt8] = []
        var length = 1
        while out.count < count {
            let period = length % 19 + 1
            for index in 0..<length { out.append(UInt8(truncatingIfNeeded: index % period &* 37 &+ period)) }
            length = length * 7 % 613 + 1
        }
        return out
    }
}

extension [UInt8] {
    fileprivate func repeated(_ count: Int) -> [UInt8] { Array(repeatElement(self, count: count).joined()) }
}
