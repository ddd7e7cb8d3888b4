import Common
import Glibc
import Testing

/// What one call of a program came to.
struct Call: Sendable {
    let code: Int32
    let output: String
    /// What was said on the error stream.
    let talk: String
}

/// The top folder of the repository.
let repository = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

/// The binary under test: `VESPER_BIN`, or the one that was built beside the tests.
let builtProgram: String = {
    if let given = getenv("VESPER_BIN") { return String(cString: given) }
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &path, path.count - 1)
    let own = String(decoding: path[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    return (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "") + "vesper"
}()

/// Calls the real binary in a folder; neither its key nor its colours come from whoever runs the tests.
///
///     try vesper("costs", "kalei", "--week=2026-W46", "--home=\(home)").code   // 0
func vesper(_ arguments: String..., in folder: String = repository, with variables: [String: String] = [:]) throws -> Call {
    try call(builtProgram, arguments, in: folder, with: variables)
}

/// Calls any program, found in PATH unless its name holds a slash. Its streams are files and not pipes, so that calls side by side
/// cannot hold each other up.
func call(_ program: String, _ arguments: [String], in folder: String = repository, with variables: [String: String] = [:]) throws
    -> Call
{
    let (output, talk) = (try TemporaryFile(), try TemporaryFile())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
    posix_spawn_file_actions_adddup2(&actions, talk.descriptor, 2)

    // The shell only enters the folder; then it becomes the program.
    let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder, program]
    var arguments: [UnsafeMutablePointer<CChar>?] = (shell + arguments).map { strdup($0) } + [nil]
    let chosen = inheritedVariables.merging(variables) { $1 }
    var environment: [UnsafeMutablePointer<CChar>?] = chosen.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }

    var process: pid_t = 0
    let refusal = posix_spawn(&process, shell[0], &actions, nil, &arguments, &environment)
    guard refusal == 0 else { throw failure("could not be started", program, code: refusal) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    // WIFEXITED and WEXITSTATUS of wait(2), as the shell combines them.
    let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    return Call(code: code, output: try output.text(), talk: try talk.text())
}

private let inheritedVariables: [String: String] = {
    var found: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, !["VESPER_PSEUDONYM_KEY", "VESPER_BIN", "NO_COLOR"].contains(parts[0]) {
            found[parts[0]] = parts[1]
        }
        next += 1
    }
    return found
}()

private func failure(_ what: String, _ path: String, code: Int32 = errno) -> Failure {
    Failure("\(what): \(String(cString: strerror(code)))", at: Place(path: path))
}

/// A file without a name, gone with this value.
private final class TemporaryFile {
    let descriptor: Int32

    init() throws {
        var template = Array("/tmp/vesper-call-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failure("could not be made", "/tmp/vesper-call-XXXXXX") }
        unlink(&template)
    }

    deinit { close(descriptor) }

    func text() throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count)), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A folder of its own for one test, removed with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/vesper-command-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw failure("could not be made", "/tmp/vesper-command-XXXXXX") }
        path = String(cString: made)
    }

    deinit { try? removeTree(path) }

    @discardableResult func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try writeAtomically(Array(text.utf8), to: file)
        return file
    }
}

/// Holds a home's lock, as another run does: this process is not the one that is called.
final class HeldLock {
    private let descriptor: Int32

    init(home: String) throws {
        descriptor = open(home + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw failure("could not be taken", home + "/lock")
        }
    }

    deinit { close(descriptor) }
}
