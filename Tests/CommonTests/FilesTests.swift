import Glibc
import TestSupport
import Testing

@testable import Common

@Suite struct FilesTests {
    /// A folder of its own for one test, removed afterwards.
    private func withFolder(_ work: (String) throws -> Void) throws {
        var template = Array("/tmp/vesper-files-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { try? removeTree(folder) }
        try work(folder)
    }

    @Test("The same bytes are not written again, other bytes are, and no partial file stays")
    func atomically() throws {
        try withFolder { folder in
            let path = folder + "/reports/2026-W46/index.html"
            #expect(try writeAtomically(bytes("one"), to: path))
            let first = try #require(FileSignature(of: path))
            #expect(try !writeAtomically(bytes("one"), to: path))
            #expect(FileSignature(of: path) == first)
            #expect(try writeAtomically(bytes("two"), to: path))
            #expect(try readText(path, as: "page") == "two")
            #expect(FileSignature(of: path)?.inode != first.inode)
            #expect(try names(in: folder + "/reports/2026-W46") == ["index.html"])
        }
    }

    @Test("An exchange swaps two folders, and is a move where there was none before")
    func exchanges() throws {
        try withFolder { folder in
            let (new, old) = (folder + "/staging", folder + "/lake/day=2026-11-09")
            try makeFolder(new)
            try writeNew(bytes("new"), to: new + "/part")
            try exchange(new, with: old)
            #expect(try readText(old + "/part", as: "part") == "new")
            #expect(!exists(new))
            try makeFolder(new)
            try writeNew(bytes("newer"), to: new + "/part")
            try exchange(new, with: old)
            #expect(try readText(old + "/part", as: "part") == "newer")
            #expect(try readText(new + "/part", as: "part") == "new")
        }
    }

    @Test("Names are sorted by their bytes, and a folder that does not exist holds none")
    func sorted() throws {
        try withFolder { folder in
            for name in ["b", "a10", "a2", "B", "ä", ".hidden", "z"] { try writeNew([], to: folder + "/" + name) }
            #expect(try names(in: folder) == [".hidden", "B", "a10", "a2", "b", "z", "ä"])
            #expect(try names(in: folder + "/none") == [])
            try makeFolder(folder + "/a")
            try writeNew([], to: folder + "/a/z")
            #expect(try files(below: folder) == [".hidden", "B", "a/z", "a10", "a2", "b", "z", "ä"])
        }
    }

    @Test("A tree is removed without following links, and removing nothing is no error")
    func removes() throws {
        try withFolder { folder in
            try makeFolder(folder + "/outside")
            try writeNew(bytes("keep"), to: folder + "/outside/file")
            try makeFolder(folder + "/tree/deep/deeper")
            try writeNew([], to: folder + "/tree/deep/file")
            #expect(symlink(folder + "/outside", folder + "/tree/link") == 0)
            try removeTree(folder + "/tree")
            try removeTree(folder + "/tree")
            #expect(try names(in: folder) == ["outside"])
            #expect(exists(folder + "/outside/file"))
        }
    }

    @Test("A file is read whole and from the middle, and a hard link is the same file")
    func reads() throws {
        try withFolder { folder in
            let content = noise(10_000)
            try writeNew(content, to: folder + "/a")
            #expect(try readFile(folder + "/a", as: "log") == content)
            let file = try InputFile(folder + "/a", as: "log")
            var piece = [UInt8](repeating: 0, count: 100)
            #expect(try piece.withUnsafeMutableBytes { try file.read(at: 9950, into: $0) } == 50)
            #expect(Array(piece[0..<50]) == Array(content[9950...]))
            try hardLink(folder + "/a", to: folder + "/b")
            #expect(FileSignature(of: folder + "/a") == FileSignature(of: folder + "/b"))
            #expect(kind(of: folder + "/a") == .file && kind(of: folder) == .folder && kind(of: folder + "/c") == nil)
        }
    }

    @Test("A file without a size, such as a pipe or one of the kernel's, is read to its end")
    func sizeless() throws { #expect(try readFile("/proc/self/status", as: "status").count > 100) }

    @Test("A file that cannot be read is named, with its role and what to do")
    func refuses() throws {
        try withFolder { folder in
            #expect(
                sentence { _ = try readFile(folder + "/none", as: "job file") }
                    == "\(folder)/none: could not open the job file. It does not exist.")
            #expect(
                sentence { _ = try readFile(folder, as: "job file") } == "\(folder): could not read the job file. It is a folder."
            )
            try writeNew([0x61, 0xff], to: folder + "/latin")
            #expect(
                sentence { _ = try readText(folder + "/latin", as: "prompt") } == "\(folder)/latin: The prompt is not UTF-8 text."
            )
            #expect(
                sentence { try makeFolder(folder + "/latin/below") }
                    == "\(folder)/latin: could not make the folder. A file of this name stands in the way.")
        }
    }

    @Test("Paths join, and an absolute one stands for itself")
    func joins() {
        #expect(joined("a", "b/c") == "a/b/c")
        #expect(joined("a/", "b") == "a/b")
        #expect(joined("a", "/b") == "/b")
        #expect(joined("", "b") == "b")
    }
}
