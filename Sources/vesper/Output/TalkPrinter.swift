import Common
import Glibc
import Synchronization

/// Prints the core's talk on the error stream: a line per message, and on a terminal one line of progress that erases itself.
///
///     let printer = TalkPrinter(log: .text, quiet: false, progress: terminal.progress)
///     try runJob(job, talk: printer.talk)
final class TalkPrinter: Sendable {
    private struct Line {
        var width = 0
        var shownAt: Int64?
        var startedAt: [String: Int64] = [:]
    }

    private let log: LogFormat
    private let quiet: Bool
    private let progress: Bool
    private let now: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void
    private let line = Mutex(Line())

    /// `now` is in milliseconds from any start. A text that cannot be written is dropped: nobody reads the error stream then.
    init(
        log: LogFormat, quiet: Bool, progress: Bool,
        now: @escaping @Sendable () -> Int64 = milliseconds,
        write: @escaping @Sendable (String) -> Void = { try? put($0, to: 2) }
    ) {
        (self.log, self.quiet, self.progress, self.now, self.write) = (log, quiet, progress, now, write)
    }

    var talk: Talk {
        guard progress else { return Talk(diagnostic: { self.say($0) }) }
        return Talk(diagnostic: { self.say($0) }, progress: { self.show($0, $1, $2) })
    }

    func say(_ diagnostic: Diagnostic) {
        if quiet && diagnostic.severity == .note { return }
        say(diagnostic.severity.rawValue, diagnostic.message, diagnostic.place, text: diagnostic.description)
    }

    /// The last word of a command that failed.
    func say(_ failure: Failure) {
        let place = failure.place.map { "\($0): " } ?? ""
        say("error", failure.message, failure.place, text: "\(place)error: \(failure.message)")
    }

    /// Takes the progress line away; call it before printing the result and at the end.
    func erase() { line.withLock { erase(&$0) } }

    private func say(_ severity: String, _ message: String, _ place: Place?, text: String) {
        let object: JSON = .fields([
            "severity": .string(severity), "message": .string(message), "path": .optional(place?.path),
            "line": place?.line.map { JSON.int($0) } ?? .null,
        ])
        line.withLock { line in
            erase(&line)
            write((log == .json ? harmless(object.text) : visible(text)) + "\n")
        }
    }

    private func show(_ what: String, _ done: Int64, _ total: Int64) {
        line.withLock { line in
            let now = now()
            let started = line.startedAt[what] ?? now
            line.startedAt[what] = started
            if let shownAt = line.shownAt, now - shownAt < 100, done != total { return }
            let text = String(progressText(what, done: done, total: total, milliseconds: now - started).prefix(79))
            let width = displayWidth(text)
            write("\r" + padded(text, to: line.width))
            (line.width, line.shownAt) = (max(width, line.width), now)
        }
    }

    private func erase(_ line: inout Line) {
        if line.width > 0 { write("\r" + String(repeating: " ", count: line.width) + "\r") }
        line.width = 0
    }
}

/// `ingest kalei: 41 %, 120 MB of 290 MB, 85 MB/s, 2 s left`
func progressText(_ what: String, done: Int64, total: Int64, milliseconds: Int64) -> String {
    var parts: [String] = []
    if total > 0 { parts.append("\(min(100, Int(Double(done) / Double(total) * 100))) %") }
    parts.append(total > 0 ? "\(size(done)) of \(size(total))" : size(done))
    if milliseconds >= 500, done > 0 {
        let perSecond = Double(done) / Double(milliseconds) * 1000
        parts.append("\(size(Int64(perSecond)))/s")
        if total > done { parts.append("\(span(Int64((Double(total - done) / perSecond).rounded(.up)))) left") }
    }
    return "\(visible(what)): \(parts.joined(separator: ", "))"
}

/// `120 MB`: at least two digits are kept, so 1500 is `1500 bytes` and 15 000 is `15 kB`.
private func size(_ bytes: Int64) -> String {
    var (amount, unit) = (bytes, "bytes")
    for larger in ["kB", "MB", "GB", "TB"] where amount >= 10_000 { (amount, unit) = (amount / 1000, larger) }
    return "\(amount) \(unit)"
}

private func span(_ seconds: Int64) -> String {
    if seconds < 60 { return "\(seconds) s" }
    return seconds < 3600 ? "\((seconds + 59) / 60) min" : "\(seconds / 3600) h \(padded(Int(seconds / 60 % 60), 2)) min"
}

private func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
