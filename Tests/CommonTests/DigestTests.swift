import TestSupport
import Testing

@testable import Common

@Suite struct SHA256Tests {
    /// FIPS 180-4's examples, as NIST publishes them.
    private static let vectors = [
        Case("nothing", bytes(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Case("abc", bytes("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Case(
            "two blocks", bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        Case(
            "896 bits",
            bytes(
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
            ),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
        Case(
            "a million times a", [UInt8](repeating: 0x61, count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test("The digests are those of FIPS 180-4", arguments: vectors)
    func digests(_ row: Case<[UInt8], String>) { #expect(Digest.of(row.input).hex == row.expected) }

    @Test("The block function written in Swift gives the same digests as FIPS 180-4", arguments: vectors)
    func inSwift(_ row: Case<[UInt8], String>) throws {
        #expect(try digestInSwift(row.input) == row.expected)
    }

    @Test("Both block functions agree for every length up to four blocks")
    func agree() throws {
        for length in 0...256 {
            let message = noise(length, seed: UInt64(length))
            #expect(try digestInSwift(message) == Digest.of(message).hex, "\(length) bytes")
        }
    }

    @Test("It does not matter how a message is cut into updates", arguments: [1, 3, 55, 63, 64, 65, 127, 128, 1000])
    func updates(size: Int) {
        let message = noise(1000)
        var hash = SHA256()
        for start in stride(from: 0, to: message.count, by: size) {
            hash.update(Array(message[start..<min(start + size, message.count)]))
            hash.update([])
        }
        #expect(hash.finish() == Digest.of(message))
    }

    /// Pads as FIPS 180-4 §5.1.1 says and runs the portable block function alone, whatever the processor offers.
    private func digestInSwift(_ message: [UInt8]) throws -> String {
        var padded = message + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
        }
        var hash = SHA256()
        padded.withUnsafeBytes { buffer in
            for start in stride(from: 0, to: buffer.count, by: 64) { hash.compressInSwift(buffer.baseAddress! + start) }
        }
        let state = try #require(Mirror(reflecting: hash).descendant("state") as? [UInt32])
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}

@Suite struct DigestTests {
    @Test("A digest is read back from its 64 digits, in either case")
    func hex() {
        let digest = Digest.of("abc")
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect(digest.short == "ba7816bf8f01cfea")
        #expect(Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(Digest(hex: "g" + digest.hex.dropFirst()) == nil)
    }

    @Test("Parts are kept apart: no other division of the same text has their digest")
    func parts() {
        let divisions: [[String]] = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["1:abc"], []]
        #expect(Set(divisions.map { Digest.of(parts: $0) }).count == divisions.count)
    }

    /// RFC 4231 §4; its fifth case is truncated and says nothing of this function.
    @Test(
        "HMAC-SHA-256 is that of RFC 4231",
        arguments: [
            Case(
                "case 1", ([UInt8](repeating: 0x0b, count: 20), bytes("Hi There")),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            Case(
                "case 2", (bytes("Jefe"), bytes("what do ya want for nothing?")),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            Case(
                "case 3", ([UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50)),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            Case(
                "case 4", (Array(1...25), [UInt8](repeating: 0xcd, count: 50)),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            Case(  // not of the RFC; the figure is that of Python's hmac
                "a key of exactly one block", (Array(1...64), bytes("Hi There")),
                "dcbebaf0a2f88de8b492fae995e78d7bfaf6c5ee66cf401552da42ff7b23d493"),
            Case(
                "case 6", ([UInt8](repeating: 0xaa, count: 131), bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            Case(
                "case 7",
                (
                    [UInt8](repeating: 0xaa, count: 131),
                    bytes(
                        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."
                    )
                ), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ])
    func keyed(_ row: Case<([UInt8], [UInt8]), String>) { #expect(hmac(row.input.1, key: row.input.0).hex == row.expected) }
}
