import Common
import Glibc

/// When the output is coloured; `auto` is on a terminal only.
enum ColourChoice: String, CaseIterable { case auto, always, never }

/// The form of what is said on the error stream.
enum LogFormat: String, CaseIterable { case text, json }

/// What the two output streams may show.
struct Terminal: Equatable, Sendable {
    let colour: Bool
    let progress: Bool

    /// Colour: `NO_COLOR` (https://no-color.org: set and not empty), then `--color`, then whether the output is a terminal.
    init(noColor: String?, choice: ColourChoice?, log: LogFormat, quiet: Bool, outputIsTerminal: Bool, errorIsTerminal: Bool) {
        colour =
            switch (noColor ?? "", choice ?? .auto) {
            case ("", .always): true
            case ("", .auto): outputIsTerminal
            default: false
            }
        progress = errorIsTerminal && !quiet && log == .text
    }
}

/// Writes all of a text to a stream: 1 is the output, 2 the error stream.
func put(_ text: String, to stream: Int32 = 1) throws {
    var text = text
    try text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let count = write(stream, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw Failure(
                    "Could not write to \(stream == 1 ? "the output" : "stream \(stream)"): \(String(cString: strerror(errno))).")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }
}
