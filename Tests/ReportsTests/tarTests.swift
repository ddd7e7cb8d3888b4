import Common
import Testing

@testable import Reports

@Suite("The archive")
struct TarTests {
    @Test("What was packed is read back, in the order given, with nothing of when and by whom")
    func readBack() throws {
        let long = String(repeating: "f", count: 90) + "/" + String(repeating: "g", count: 99)
        let files: [(name: String, bytes: [UInt8])] = [
            ("2026-W46/index.html", Array("<!doctype html>".utf8)), ("empty", []), ("full", [UInt8](repeating: 7, count: 1024)),
            ("Wörter.txt", [1]), (long, [1, 2, 3]),
        ]
        let archive = try tarArchive(files)
        #expect(try entries(of: archive) == files.map { Entry(name: $0.name, bytes: $0.bytes) })
        #expect(archive == (try tarArchive(files)))
        #expect(archive.count == 512 * (2 + 1 + 3 + 2 + 2 + 2))
    }

    @Test("No files are an archive too")
    func empty() throws {
        #expect(try tarArchive([]) == [UInt8](repeating: 0, count: 1024))
    }

    @Test(
        "A name that would not come back as it went in is refused",
        arguments: [
            ["/etc/passwd"], ["a/../../b"], ["."], ["a//b"], ["a/"], [""], ["a\u{0}b"], ["a", "b", "a"],
            [String(repeating: "x", count: 101)], [String(repeating: "x", count: 156) + "/y"],
        ])
    func refused(names: [String]) {
        #expect(throws: Failure.self) { try tarArchive(names.map { ($0, []) }) }
    }

    @Test("The refusal says what to do")
    func sentence() {
        #expect(throws: Failure("The file a would be in the archive twice. Give the files different names.")) {
            try tarArchive([("a", []), ("a", [])])
        }
    }

    private struct Entry: Equatable {
        let name: String
        let bytes: [UInt8]
    }

    /// Reads ustar as pax describes it, by offsets, and holds every header to what the archive promises.
    private func entries(of archive: [UInt8]) throws -> [Entry] {
        func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
        var found: [Entry] = []
        var at = 0
        while archive[at..<at + 512].contains(where: { $0 != 0 }) {
            func field(_ offset: Int, _ length: Int) -> ArraySlice<UInt8> { archive[(at + offset)..<(at + offset + length)] }
            let size = try known(Int(text(field(124, 12)), radix: 8))
            let sum = try known(Int(text(field(148, 7)), radix: 8))
            #expect(archive[at..<at + 512].reduce(0) { $0 + Int($1) } - field(148, 8).reduce(0) { $0 + Int($1) } + 8 * 32 == sum)
            #expect(text(field(100, 8)) == "0000644" && text(field(108, 8)) == "0000000" && text(field(116, 8)) == "0000000")
            #expect(text(field(136, 12)) == "00000000000" && field(156, 1).elementsEqual("0".utf8))
            #expect(field(257, 8).elementsEqual("ustar\u{0}00".utf8) && text(field(265, 64)).isEmpty)
            let prefix = text(field(345, 155))
            let name = (prefix.isEmpty ? "" : prefix + "/") + text(field(0, 100))
            found.append(Entry(name: name, bytes: Array(archive[(at + 512)..<(at + 512 + size)])))
            at += 512 + (size + 511) / 512 * 512
        }
        #expect(archive.count - at == 1024 && archive[at...].allSatisfy { $0 == 0 })
        return found
    }
}
