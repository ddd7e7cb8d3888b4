import Common
import Testing
@testable import vesper

@Suite(.timeLimit(.minutes(5))) struct ExplainCommandTests {
    private func ran() throws -> DemoJob {
        let demo = try DemoJob()
        #expect(try demo.vesper("run").code == 0)
        return demo
    }

    @Test func `a figure is told down to price rows, arithmetic, parts, files and records`() throws {
        let demo = try ran()
        let told = try demo.vesper("explain", ["demo", "week=2026-W46,model=claude-haiku-4-5"], "--records=1")
        #expect(told.code == 0 && told.talk.isEmpty)
        let lines = told.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for line in [
            "demo, 2026-W46, model=claude-haiku-4-5", "  cost USD  0.004515", "  requests  3",
            "  anthropic claude-haiku-4-5, standard: valid from 2026-01-01 on, known since 2026-01-01",
            "    source: made up for tests",
            "       3 calls: 3,010 tokens × 1 ÷ 1,000,000 = 0.00301", "       3 calls: 301 tokens × 5 ÷ 1,000,000 = 0.001505",
            "  together = 0.004515", "  usage usage usage.jsonl: 3 records", "  usage.jsonl:1 (usage usage) 2026-11-11T12:00:00Z",
            "     price 1: 1,000 tokens × 1 ÷ 1,000,000 = 0.001",
        ] {
            #expect(lines.contains(line), "\(line) is missing in\n\(told.output)")
        }
        #expect(lines.contains { $0.hasPrefix("    1. input: 1 USD per 1M tokens (Jobs/Prices/demo.json5:2:") })
        #expect(
            lines.contains { $0.hasPrefix("  lake/demo/usage/day=2026-11-11/part-") && $0.hasSuffix(".parquet: 1 of its 1 row") })
    }

    @Test func `the figure is that of costs, and what has no price says why`() throws {
        let demo = try ran()
        let told = try parseJSON(Array(try demo.vesper("explain", ["demo"], "--format=json").output.utf8), path: "explain")
        let costs = try parseJSON(Array(try demo.vesper("costs", ["demo"], "--format=json").output.utf8), path: "costs")
        #expect(told["schema"]?.string == "vesper.explanation/1")
        #expect(told["figure"]?["low"]?.string == costs["totals"]?["cost"]?["at_least"]?.string)
        #expect(told["figure"]?["requests"]?.int == costs["totals"]?["requests"]?.int)
        #expect(
            told["unpriced"]?.array?.map { "\($0["what"]?.string ?? "") \($0["tokens"]?.int ?? 0) \($0["reason"]?.string ?? "")" }
                == [
                    "input 7 the book has no price of the model", "output 3 the book has no price of the model",
                ])
        #expect(told["records"]?.array?.isEmpty == true)
    }

    @Test func `a spreadsheet gets the prices that were used`() throws {
        let demo = try ran()
        let records = recordsOfCSV(try demo.vesper("explain", ["demo", "model=claude-haiku-4-5"], "--format=csv").output)
        let sum = try #require(records.first?.firstIndex(of: "sum_low"))
        #expect(records.dropFirst().map { $0[sum] } == ["0.00301", "0.001505"])
    }

    @Test func `a selection that is none, or meets nothing, says what there is`() throws {
        let demo = try ran()
        let unknown = try demo.vesper("explain", ["demo", "modle=x"])
        #expect(unknown.code == 64 && unknown.talk.contains("There is no dimension \"modle\". Did you mean \"model\"?"))
        let twice = try demo.vesper("explain", ["demo", "day=2026-11-09"], "--week=2026-W46")
        #expect(
            twice.code == 64
                && twice.talk.contains("The selection names 2026-11-09, and --week, or --from and --to, name days too."))
        let nothing = try demo.vesper("explain", ["demo", "model=claude-haiku-45"])
        #expect(nothing.code == 1 && nothing.output.isEmpty)
        #expect(nothing.talk.contains("Did you mean \"claude-haiku-4-5\"?"))
        let early = try DemoJob()
        #expect(try early.vesper("explain").talk.contains("This home holds no usage yet."))
    }

    @Test func `what an export holds does not act on the terminal`() throws {
        let demo = try DemoJob(usage: [
            DemoJob.usageLine(1, user: "ada", model: PrintedTests.hostile, input: 1, output: 1)
        ])
        _ = try demo.vesper("run")
        for format in ["table", "json", "csv"] {
            let told = try demo.vesper("explain", ["demo"], "--records=1", "--format=\(format)")
            #expect(!actsOnTerminal(told.output) && told.code == 0, "\(format)")
        }
    }

    @Test func `charges and invoices that are not exported are compared with nothing`() throws {
        let demo = try ran()
        let compared = try demo.vesper("costs --compare", ["demo"], "--format=json")
        let rows = try #require(try parseJSON(Array(compared.output.utf8), path: "costs")["rows"]?.array)
        #expect(rows.map { $0["view"]?.string } == ["charges", "invoices"])
        #expect(rows.allSatisfy { $0["reported"] == .fields(["missing": .string("not exported")]) })
        #expect(rows.allSatisfy { $0["computed"] == .fields(["at_least": .string("0.004515")]) })
        #expect(try demo.vesper("costs --compare --every=hour", ["demo"]).code == 64)
    }
}
