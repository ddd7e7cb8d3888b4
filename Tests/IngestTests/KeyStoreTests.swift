import Testing

@testable import Ingest

@Suite struct KeyStoreTests {
    /// Keys of one division, as hashes are: scattered, or many times the same.
    private func entries(_ count: Int, distinct: UInt64) -> [KeyEntry] {
        (0..<count).map { index in
            let mixed = (UInt64(index) % distinct &+ 1) &* 0x9E37_79B9_7F4A_7C15
            return KeyEntry(key: mixed >> 6, part: Int32(index % 7), row: Int32(index))
        }
    }

    @Test(
        "Keys are sorted as a plain sort would",
        arguments: [(0, 1), (1, 1), (2, 2), (5000, 5000), (5000, 3), (70_000, 50_000), (3000, 1)])
    func sorts(count: Int, distinct: Int) {
        let given = entries(count, distinct: UInt64(distinct))
        let sorted = sortedKeys(given).map { "\($0)" }
        #expect(sorted == given.sorted().map { "\($0)" })
    }
}
