import Common
import Glibc
import Testing
@testable import vesper

/// Runs what the README tells its reader to run, in a folder that looks like a checkout in which the sample has been run, and compares
/// what it shows with what is printed. `RECORD_GOLDENS=1` writes what is printed into the README and fails.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ReadmeTests {
    /// A fenced block: what stands behind the fence, and the lines between.
    private struct Block {
        let kind: String
        /// The name of the file that it is the content of.
        let file: String?
        let text: String
        let range: Range<String.Index>
    }

    private static let path = repository + "/README.md"

    private static func blocks(_ readme: String) -> [Block] {
        var blocks: [Block] = []
        var rest = readme.startIndex
        while let open = readme[rest...].firstRange(of: "\n```"), let line = readme[open.upperBound...].firstIndex(of: "\n"),
            let close = readme[line...].firstRange(of: "\n```")
        {
            let words = readme[open.upperBound..<line].split(separator: " ").map(String.init)
            let start = readme.index(after: line)
            let range = start..<max(start, readme.index(after: close.lowerBound))
            blocks.append(
                Block(kind: words.first ?? "", file: words.dropFirst().first, text: String(readme[range]), range: range))
            rest = close.upperBound
        }
        return blocks
    }

    @Test func `opens with the two commands that do everything`() throws {
        let first = try #require(Self.blocks(try readText(Self.path, as: "README")).first)
        let commands = first.text.split(separator: "\n").map {
            $0.split(separator: "#")[0].split(separator: " ").map(String.init)
        }
        #expect(commands == [["Jobs/sunday-night.sh", "--sample"], ["Tests/run.sh"]])
        for command in commands {
            let help = try call(command[0], ["--help"])
            #expect(help.code == 0 && help.talk.isEmpty)
            #expect(help.output.contains(command.joined(separator: " ")))
        }
    }

    @Test func `every command prints what is shown below it`() throws {
        let checkout = try Checkout()
        let blocks = Self.blocks(try readText(Self.path, as: "README"))
        for block in blocks { if let file = block.file { try checkout.folder.write(block.text, to: file) } }
        // All of them in one shell, for the reader has one too; the first block is the two commands of the test above. A command
        // that fails is told, wherever it stands in a pipe.
        let commands = blocks.indices.dropFirst().filter { blocks[$0].kind == "sh" }
        let script =
            "shopt -s expand_aliases; set -o pipefail; trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n"
            + commands.map { blocks[$0].text + "printf '\\001'\n" }.joined()
        let shell = try call("bash", [try checkout.folder.write(script, to: "readme.sh")], in: checkout.folder.path)
        #expect(shell.talk == "")
        let printed = shell.output.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
        try #require(printed.count == commands.count + 1)
        try compare(zip(commands, printed).map { ($0, $1) })
    }

    private static let python = getenv("VESPER_PYTHON").map { String(cString: $0) } ?? "python3"
    private static let hasDuckDB = (try? call(python, ["-c", "import duckdb"]).code) == 0

    @Test(.enabled(if: hasDuckDB, "VESPER_PYTHON names no Python that has DuckDB"))
    func `DuckDB prints what is shown below a query`() throws {
        let checkout = try Checkout()
        let blocks = Self.blocks(try readText(Self.path, as: "README"))
        let program = "import duckdb,sys; duckdb.execute(\"SET TimeZone='UTC'\"); duckdb.sql(sys.argv[1]).show(max_width=200)"
        try compare(
            blocks.indices.filter { blocks[$0].kind == "sql" }.map { index in
                let answer = try call(Self.python, ["-c", program, blocks[index].text], in: checkout.folder.path)
                #expect(answer.code == 0, "\(answer.talk)")
                return (index, answer.output)
            })
    }

    @Test func `lists the exit codes`() throws {
        let readme = try readText(Self.path, as: "README")
        for code in ExitCode.allCases { #expect(readme.contains("\n| \(code.rawValue) | \(code.about) |\n")) }
    }

    @Test func `names no file that there is not`() throws {
        let readme = try readText(Self.path, as: "README")
        for link in readme.split(separator: "](").dropFirst().map({ $0.prefix { $0 != ")" } }) where !link.hasPrefix("https://") {
            #expect(exists(repository + "/" + link), "\(link)")
        }
    }

    /// Compares what each block prints with the block of text behind it, if there is one.
    private func compare(_ printed: [(block: Int, output: String)]) throws {
        var readme = try readText(Self.path, as: "README")
        let blocks = Self.blocks(readme)
        let shown = printed.filter { $0.block + 1 < blocks.count && blocks[$0.block + 1].kind == "text" }
        #expect(!shown.isEmpty)
        let records = getenv("RECORD_GOLDENS").map { String(cString: $0) } == "1"
        // From the end, so that places before stay as they are.
        for (block, output) in shown.reversed() where blocks[block + 1].text != output {
            if records { readme.replaceSubrange(blocks[block + 1].range, with: output) }
            #expect(
                blocks[block + 1].text == output, records ? "recorded; look at it and run again" : "RECORD_GOLDENS=1 records it")
        }
        if records { try writeAtomically(Array(readme.utf8), to: Self.path) }
    }
}

/// A folder with the parts of this checkout that the README speaks of, and the sample's home as `Jobs/sunday-night.sh --sample` leaves it.
private struct Checkout {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try makeFolder(folder.path + "/.build/release")
        for (name, target) in [
            ("Jobs", repository + "/Jobs"), ("SampleData", repository + "/SampleData"), (".build/release/vesper", builtProgram),
        ] { try #require(symlink(target, folder.path + "/" + name) == 0) }

        // The key, the exports and the clock are the script's.
        let script = try readText(repository + "/Jobs/sunday-night.sh", as: "script")
        let alias = try #require(
            try readText(repository + "/README.md", as: "README").split(separator: "\n").first { $0.hasPrefix("alias vesper=") })
        for word in alias.split(whereSeparator: { " ='".contains($0) }).dropFirst(2) { #expect(script.contains(word), "\(word)") }
        let run = "shopt -s expand_aliases\n\(alias)\nvesper run kalei\n"
        let sample = try call("bash", ["-c", run], in: folder.path)
        try #require(sample.code == 0, "\(sample.talk)")
    }
}
