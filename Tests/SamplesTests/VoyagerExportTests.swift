import Common
import Testing

@testable import Samples

/// The stories of Voyager's archive, and the traps and faults of its exports.
@Suite struct VoyagerExportTests {
    private let sample: VoyagerSample

    init() throws { sample = try VoyagerSample.made.get() }

    // MARK: - Archive

    @Test("Of 250 conversations that fell silent 190 may be archived; what stands on a boundary stays")
    func archive() {
        let (cutoff, story) = ("2026-05-15T00:00:00.000Z", sample.story("archive_plan"))
        let before = sample.conversations("2026-11-02")
        let rows = sample.dump("conversation", "2026-11-09")
        let silent = rows.filter { $0.says("updatedAt") < cutoff && $0["archived"]?.bool == false && $0["deletedAt"] == .null }
        func few(_ row: JSON?) -> Bool { (row?["viewCount"]?.whole ?? 9) < 5 }
        let chosen = silent.filter { few($0) }
        let exactly = rows.filter { $0.says("updatedAt") == cutoff }
        let looked = silent.filter { !few($0) && few(before[$0.says("id")]) }
        let five = silent.filter { $0["viewCount"]?.whole == 5 && before[$0.says("id")]?["viewCount"]?.whole == 5 }
        #expect([silent.count + exactly.count, chosen.count, exactly.count, looked.count, five.count] == [250, 190, 5, 5, 5])
        #expect(silent.count - chosen.count - looked.count - five.count == 45)
        #expect(looked.allSatisfy { $0["updatedAt"] == before[$0.says("id")]?["updatedAt"] })
        #expect(chosen.count == story["qualify"]?.int)
        for (name, part) in [("on_the_cut_off", exactly), ("exactly_five_views", five), ("views_changed_between_dumps", looked)] {
            #expect(part.map { $0.says("id") }.sorted() == story[name]?.strings, "\(name)")
        }
        #expect(sample.dump("conversation", "2026-11-16").count == 900)
        let ids = Set(chosen.map { $0.says("id") })
        let texts = sample.messages.filter { ids.contains($0.says("conversationId")) }
        #expect(texts.count == story["messages"]?.int)
        #expect(Set(texts.map { $0.says("conversationId") }) == ids)
        let stock = story["qualify_by_dump"]?.members?.compactMap(\.value.int) ?? []
        #expect(stock == stock.sorted() && stock.count == 8 && stock[7] > stock[0] + 30)
    }

    @Test("Two archived conversations are opened six times, and no other so often")
    func restore() {
        let counts = Dictionary(grouping: Set(sample.records(of: "archive_access").map(\.text))) { $0.split(separator: "\"")[3] }
            .mapValues(\.count)
        let often = counts.filter { $0.value >= 6 }
        #expect(often.values.allSatisfy { $0 == 6 })
        #expect(often.keys.map(String.init).sorted() == sample.story("restore")["conversations"]?.strings)
        #expect(often.count == 2)
        let archived = Set(
            sample.conversations("2026-09-28").values.filter { $0["archived"]?.bool == true }.map { $0.says("id") })
        #expect(counts.keys.allSatisfy { archived.contains(String($0)) })
        #expect(!sample.messages.contains { archived.contains($0.says("conversationId")) })
    }

    @Test("What was public and is not any more drops out of the next list of what may be judged")
    func madePrivate() {
        let (before, after) = (sample.conversations("2026-11-02"), sample.conversations("2026-11-09"))
        func mayLeave(_ row: JSON?) -> Bool {
            row?["isPublic"]?.bool == true && row?["deletedAt"] == .null && row?["archived"]?.bool == false
        }
        let dropped = before.keys.filter { mayLeave(before[$0]) && !mayLeave(after[$0]) }
        let story = sample.story("made_private")
        #expect(dropped.filter { after[$0]?["isPublic"]?.bool == false } == story["made_private"]?.strings)
        #expect(dropped.filter { after[$0]?["deletedAt"] != .null } == story["deleted"]?.strings)
        #expect(dropped.count == 2)
        for day in VoyagerSample.dumps {
            #expect(sample.dump("conversation", day).count { mayLeave($0) } == story["judged_by_dump"]?[day]?.int, "\(day)")
        }
    }

    // MARK: - Faults

    @Test("Rows that come again come unchanged; one file is a copy, and one dump was taken in two parts")
    func repeats() throws {
        var seen: [String: JSON] = [:]
        for row in sample.records(of: "message") where row["createdAt"]?.string != nil && row.says("inputTokens") != "many" {
            if let before = seen[row.says("id")] { #expect(before == row) }
            seen[row.says("id")] = row
        }
        for row in sample.records(of: "message") where row["createdAt"]?.string == nil { #expect(seen[row.says("id")] == nil) }
        #expect(
            sample.file("message/message-2026-10-19-copy.csv.gz").count == sample.file("message/message-2026-10-19.csv.gz").count)
        let (first, second) = (
            sample.dump("message", "2026-10-26").map(\.text), sample.dump("message", "2026-10-26-again").map(\.text)
        )
        #expect(Set(first).intersection(second).count == sample.story("overlapping_dump")["duplicates"]?.int)
        #expect(!Set(first).subtracting(second).isEmpty && !Set(second).subtracting(first).isEmpty)
        let broken = try #require(sample.story("broken_lines")["lines"]?.array)
        #expect(broken.map { $0.says("reason") } == ["bad_csv", "bad_value", "missing_ts"])
        let ragged = sample.dump("message", "2026-10-12").count
        #expect(ragged + 1 == sample.truth["usage"]?["by_file"]?["message/message-2026-10-12.csv.gz"]?["records"]?.int)
    }

    @Test("An hour lacks its answers but not its questions, and some rows of a day come late")
    func gaps() {
        let hour = sample.messages.filter { $0.says("createdAt").hasPrefix("2026-11-04T14") }
        #expect(!hour.isEmpty && hour.allSatisfy { $0.says("role") == "user" })
        #expect(sample.story("missing_hour")["session_rows"]?.int == hour.count)
        let late = sample.records(of: "late")
        #expect(late.count == 16 && late.allSatisfy { $0.says("createdAt").hasPrefix("2026-11-05") })
        let known = Set(sample.messages.map { $0.says("id") })
        #expect(!late.contains { known.contains($0.says("id")) })
        let days = sample.records(of: "meters").filter { $0.says("metric") == "query_p95_ms" }.map { $0.says("day") }
        let silent = ["2026-11-03", "2026-11-04", "2026-11-05"]
        #expect(Set(days).count == 46 && Set(days).isDisjoint(with: silent))
        #expect(sample.story("silent_metric")["days"]?.strings == silent)
        let others = sample.records(of: "meters").filter { $0.says("metric") == "write_p95_ms" }.map { $0.says("day") }
        #expect(Set(others).isSuperset(of: silent))
    }

    @Test("Messages carry their community since the middle of October, and it is always that of their conversation")
    func communities() {
        var bare = 0
        for message in sample.messages {
            let home = sample.community(of: message)
            if message.says("createdAt") < "2026-10-12" {
                #expect(message["communityId"] == .null)
                if !home.isEmpty { bare += 1 }
            } else {
                #expect(message.says("communityId") == home)
            }
        }
        #expect(bare == sample.story("community_by_lookup")["messages"]?.int)
        // Every event finds a version of its user in the newest dump before it.
        #expect(
            sample.messages.filter { $0.says("createdAt") >= "2026-09-28" }
                .allSatisfy { sample.plan(of: $0.says("userId"), at: $0.says("createdAt")) != nil })
    }

    // MARK: - Traps

    @Test("Ids are cuids, big counts are texts, and numbers of bills keep their zeros")
    func traps() {
        for table in ["message", "conversation", "user", "community"] {
            let ids = sample.records(of: table).map { $0.says("id") }
            #expect(ids.allSatisfy { $0.utf8.count == 25 && $0.hasPrefix("c") && $0 == $0.lowercased() }, "\(table)")
        }
        #expect(Set(sample.messages.map { $0.says("id") }).count == sample.messages.count)
        #expect(sample.records(of: "conversation").allSatisfy { Int($0.says("viewCount")) != nil })
        let numbers = sample.records(of: "vendor_bills").map { $0.says("number") }
        #expect(Set(numbers).count == 14 && numbers.allSatisfy { $0.hasPrefix("0") })
        #expect(Set(numbers.compactMap { Int($0) }).count == 10)
        #expect(sample.story("vendor_bills")["lines_if_numbers_lost_their_zeros"]?.int == 10)
        let bill = sample.dump("vendor_bills", "2026-10").first { $0.says("vendor") == "anthropic" }
        let october = sample.cost(sample.calls.filter { $0.says("createdAt").hasPrefix("2026-10") })
        #expect(bill?.says("amount") == october.text(places: 2))
        #expect(bill?.says("period") == "{\"start\":\"2026-10-01\",\"end\":\"2026-11-01\"}")
    }

    @Test("Texts break lines, quote and hold what must be redacted; polls hold none")
    func texts() {
        let said = sample.messages.filter { $0.says("isPoll") == "f" }
        let contents = said.map { $0.says("content") }
        #expect(contents.allSatisfy { (10...40).contains($0.split { $0.isWhitespace }.count) })
        for mark in ["\n", "\"", ","] { #expect(contents.count { $0.contains(mark) } > 500) }
        let polls = sample.messages.filter { $0.says("isPoll") == "t" }
        #expect(polls.allSatisfy { $0["content"] == .string("") })
        #expect(polls.count == sample.story("polls")["rows"]?.int && polls.count > 50)
        #expect(said.count == sample.story("polls")["messages_without_polls"]?.int)
        let kept = said.filter { $0["deletedAt"] == .null }.map { $0.says("content") }
        expectPersonalData(
            sample.story("personal_data_in_texts"), in: kept, phone: "+1 202 555 01", card: "4242 4242 4242 4242")
    }

    @Test("Hostile strings are there")
    func hostileStrings() {
        let titles = sample.dump("conversation", "2026-11-16")
        #expect(titles.contains { $0.says("title") == "<script>alert(1)</script>" && $0["isPublic"]?.bool == true })
        #expect(titles.contains { $0.says("title") == "=HYPERLINK(\"http://x\")" })
        #expect(sample.messages.contains { $0.says("content").contains("\u{1b}[31m") })
    }
}
