import Common
import Glibc

// Two readers of JSON were written for Vesper, for two purposes: they must agree on what JSON is. The fuzzer looks for bytes on which
// they do not, for reads outside the record (the address sanitizer sees those), and for places outside of it.

private let paths = ["id", "ts", "a.b", "a", "usage.input_tokens", "", "\u{1F600}", "x\"y"]

nonisolated(unsafe) private let tree: (compiled: CompiledTree, slots: UnsafeMutablePointer<RawValue>) = {
    var tree = FieldTree()
    for path in paths { _ = tree.slot(for: path) }
    let compiled = CompiledTree(tree)
    return (compiled, .allocate(capacity: compiled.slotCount))
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    // A copy of its own, so that the first byte behind the record is guarded.
    let record = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
    defer { record.deallocate() }
    if let data { record.baseAddress?.update(from: data, count: size) }
    tree.slots.update(repeating: RawValue(), count: tree.compiled.slotCount)
    let problem = JSONScanner.scan(UnsafeBufferPointer(record), for: tree.compiled, into: tree.slots)
    if let problem {
        precondition(problem.byte >= 0 && problem.byte <= size, "a problem outside the record")
    } else {
        for slot in 0..<tree.compiled.slotCount where tree.slots[slot].kind != .absent {
            let value = tree.slots[slot]
            precondition(0 <= value.start && value.start <= value.end && value.end <= size, "a value outside the record")
            if value.kind == .escapedString {
                _ = unescaped(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(record)[value.start..<value.end]))
            }
        }
    }
    // The other reader allows less nesting; deep records are left to the scanner alone.
    var depth = 0
    for byte in record { depth += byte == 0x5b || byte == 0x7b ? 1 : 0 }
    if depth < 150, size > 0, record.count < 3 || !(record[0] == 0xef && record[1] == 0xbb) {
        let other = (try? parseJSON(Array(record), path: "fuzz")) != nil
        precondition(other == (problem == nil), "the two readers disagree")
    }
    return 0
}
