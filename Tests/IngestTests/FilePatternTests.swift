import Common
import Glibc
import TestSupport
import Testing

@testable import Ingest

/// Which files a source reads.
@Suite struct FilePatternTests {
    @Test(
        "A star stands for any part of a name, a question mark for one character",
        arguments: [
            Case("an end", ("users-2026.jsonl", "users-*"), true), Case("a beginning", ("a.jsonl", "*.jsonl"), true),
            Case("a middle", ("users-2026.jsonl", "users-*.jsonl"), true),
            Case("nothing", ("users-.jsonl", "users-*.jsonl"), true), Case("two stars", ("a-b-c", "a*b*c"), true),
            Case("overlapping ends", ("aba", "ab*ba"), false),
            Case("another end", ("a.jsonl.gz", "*.jsonl"), false), Case("another beginning", ("b.jsonl", "a*"), false),
            Case("no star", ("a", "a"), true), Case("no star, longer", ("ab", "a"), false),
            Case("a star alone", ("", "*"), true), Case("stars beside each other", ("abc", "a**c"), true),
            Case("out of order", ("acb", "a*b*c"), false), Case("a star that has to take more", ("abcbd", "a*bd"), true),
            Case("one character", ("2026-11", "2026-??"), true), Case("one too few", ("2026-1", "2026-??"), false),
            Case("one too many", ("2026-111", "2026-??"), false), Case("one that is no letter", ("é", "?"), true),
            Case("a question mark and a star", ("a1-x.csv", "a?-*.csv"), true),
            Case("a hidden name", (".a.jsonl", "*.jsonl"), false), Case("a hidden name for one", (".a", "?a"), false),
            Case("a hidden name that is named", (".a.jsonl", ".*.jsonl"), true),
            Case("many stars on a long name", (String(repeating: "a", count: 5000), "*a*a*a*a*a*a*a*a*b"), false),
        ])
    func stars(_ row: Case<(String, String), Bool>) { #expect(matches(row.input.0, row.input.1) == row.expected) }

    private static let exports = [
        "1.jsonl", "a/1.csv", "a/1.jsonl", "a/2.jsonl", "a/c/3.jsonl", "a/c/d/4.jsonl", "b/2.jsonl", "a/.hidden.jsonl",
        ".git/5.jsonl",
    ]

    @Test(
        "Files are found below the data folder by path, folder, pattern or a list of them; each once, sorted",
        arguments: [
            Case("a path", #""a/c/3.jsonl""#, ["a/c/3.jsonl"]), Case("a path with dots in it", #""./a/./1.csv""#, ["a/1.csv"]),
            Case("a star in a folder", #""a/*.jsonl""#, ["a/1.jsonl", "a/2.jsonl"]), Case("the top", #""*.jsonl""#, ["1.jsonl"]),
            Case("folders with stars", #""*/*.jsonl""#, ["a/1.jsonl", "a/2.jsonl", "b/2.jsonl"]),
            Case(
                "any folders", #""**/*.jsonl""#,
                ["1.jsonl", "a/1.jsonl", "a/2.jsonl", "a/c/3.jsonl", "a/c/d/4.jsonl", "b/2.jsonl"]),
            Case("any folders below one", #""a/**/?.jsonl""#, ["a/1.jsonl", "a/2.jsonl", "a/c/3.jsonl", "a/c/d/4.jsonl"]),
            Case("any folders and a named one", #""**/c/*""#, ["a/c/3.jsonl"]),
            Case("a folder", #""a""#, ["a/1.csv", "a/1.jsonl", "a/2.jsonl", "a/c/3.jsonl", "a/c/d/4.jsonl"]),
            Case("a folder with a slash", #""a/c/""#, ["a/c/3.jsonl", "a/c/d/4.jsonl"]),
            Case("a folder in any folder", #""*/c""#, ["a/c/3.jsonl", "a/c/d/4.jsonl"]),
            Case("a pattern that fits a folder", #""a/c*""#, []),
            Case("a hidden file by its name", #""a/.hidden.jsonl""#, ["a/.hidden.jsonl"]),
            Case(
                "a list that finds one twice", #"["a/2.jsonl", "a/*.jsonl", "1.jsonl"]"#, ["1.jsonl", "a/1.jsonl", "a/2.jsonl"]),
            Case("nothing", #"["none/*.jsonl", "none.csv"]"#, []),
        ])
    func files(_ row: Case<String, [String]>) throws {
        try withBench { bench in
            for file in FilePatternTests.exports { try bench.put(file, ["{}"]) }
            try makeFolder(bench.data + "/a/folder.jsonl")
            #expect(try source(#"{ log: "usage", files: \#(row.input) }"#).matchingFiles(in: bench.data) == row.expected)
        }
    }

    @Test("A link to a file is a file; one to a folder is not followed into a circle")
    func links() throws {
        try withBench { bench in
            try bench.put("a/1.jsonl", ["{}"])
            symlink("..", bench.data + "/a/up")
            symlink("1.jsonl", bench.data + "/a/2.jsonl")
            #expect(
                try source(#"{ log: "usage", files: "**/*.jsonl" }"#).matchingFiles(in: bench.data) == ["a/1.jsonl", "a/2.jsonl"])
        }
    }

    @Test("Files that are named are found from here and below the data folder; what no source reads is refused with the patterns")
    func chosen() throws {
        try withBench { bench in
            for file in ["a/1.jsonl", "a/2.jsonl", "b/1.csv"] { try bench.put(file, ["{}"]) }
            try makeFolder(bench.data + "/../elsewhere")
            try writeNew([], to: bench.data + "/../elsewhere/1.jsonl")
            let sources = [try source(#"{ log: "usage", files: ["a/*.jsonl", "c"] }"#)]
            func choose(_ files: String...) throws -> [String] {
                try chooseFiles(files, sources: sources, data: bench.data).sorted()
            }
            #expect(try choose("a/1.jsonl", bench.data + "/a/../a/2.jsonl") == ["a/1.jsonl", "a/2.jsonl"])
            #expect(
                sentence { _ = try choose("a/1.jsonl", "b/1.csv") }
                    == #"b/1.csv: No source of the job reads this file. They read "a/*.jsonl" and "c"."#)
            #expect(
                sentence { _ = try choose("a/3.jsonl") }
                    == "a/3.jsonl: There is no such file, neither here nor below \(bench.data).")
            #expect(sentence { _ = try choose("a") } == "a: This is no file. Name the files to read.")
            let outside = bench.data + "/../elsewhere/1.jsonl"
            #expect(
                sentence { _ = try choose(outside) }
                    == "\(outside): The file is not below the data folder \(bench.data). Give its folder with --data.")
            #expect { _ = try choose("a/3.jsonl") } throws: { ($0 as? Failure)?.kind == .usage }
        }
    }
}
