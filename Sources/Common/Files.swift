import CZlib
import Glibc

// File operations, wrapped once so that every error names the file and what it was for.

/// The operating system's refusal as a sentence.
func systemFailure(_ what: String, _ path: String, code: Int32 = errno) -> Failure {
    let hint =
        switch code {
        case ENOENT: "It does not exist."
        case EACCES, EPERM: "Permission was denied; check its owner and mode."
        case EROFS: "The file system is read-only."
        case ENOSPC, EDQUOT: "The disk is full; free some room and run again."
        case EEXIST: "A file of this name stands in the way."
        case EISDIR: "It is a folder."
        case ENOTDIR: "A part of the path is not a folder."
        default: String(cString: strerror(code)) + "."
        }
    return Failure("could not \(what). \(hint)", at: Place(path: path))
}

public func readFile(_ path: String, as role: String) throws -> [UInt8] {
    let file = try InputFile(path, as: role)
    var bytes = [UInt8](repeating: 0, count: Int(max(file.size, 0)))
    var filled = 0
    while true {
        if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: max(4096, bytes.count / 2))) }
        let count = try bytes.withUnsafeMutableBytes {
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
        }
        if count == 0 { break }
        filled += count
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
}

public func readText(_ path: String, as role: String) throws -> String {
    let bytes = try readFile(path, as: role)
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure("The \(role) is not UTF-8 text.", at: Place(path: path))
    }
    return text
}

/// A file open for reading.
public final class InputFile {
    public let path: String
    public let size: Int64
    private let descriptor: Int32

    /// `-` is standard input.
    public init(_ path: String, as role: String) throws {
        self.path = path
        descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemFailure("open the \(role)", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemFailure("look at the \(role)", path) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw systemFailure("read the \(role)", path, code: EISDIR) }
        size = Int64(status.st_size)
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// Up to the buffer's size; 0 is the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw systemFailure("read", path) }
        }
    }

    /// Reads at a position without moving; fewer bytes only at the end.
    public func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, off_t(offset) + off_t(filled))
            if count == 0 { break }
            if count > 0 { filled += count } else if errno != EINTR { throw systemFailure("read", path) }
        }
        return filled
    }
}

/// A new file whose parts may be written in any order, by several threads.
public final class OutputFile: Sendable {
    private let path: String
    private let descriptor: Int32

    public init(_ path: String) throws {
        self.path = path
        if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemFailure("write", path) }
    }

    deinit { close(descriptor) }

    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
            if count >= 0 { written += count } else if errno != EINTR { throw systemFailure("write", path) }
        }
    }
}

/// What identifies a file cheaply: a file with the same signature is taken as unchanged.
public struct FileSignature: Equatable, Sendable {
    public let size: Int64
    public let modifiedNanoseconds: Int64
    public let inode: Int64

    /// nil where there is no such file.
    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        size = Int64(status.st_size)
        modifiedNanoseconds = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        inode = Int64(bitPattern: UInt64(status.st_ino))
    }

    public init(size: Int64, modifiedNanoseconds: Int64, inode: Int64) {
        (self.size, self.modifiedNanoseconds, self.inode) = (size, modifiedNanoseconds, inode)
    }
}

public enum FileKind: Sendable { case file, folder, other }

public func kind(of path: String) -> FileKind? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    default: .other
    }
}

/// Whether the last part of a path is a symbolic link, wherever that leads.
public func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
}

/// The one absolute path of a file, without links and dots; nil where there is no such file.
public func absolutePath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
}

public func exists(_ path: String) -> Bool { kind(of: path) != nil }

/// The names in a folder, sorted by bytes; empty where the folder does not exist.
public func names(in folder: String) throws -> [String] {
    guard let handle = opendir(folder) else {
        if errno == ENOENT { return [] }
        throw systemFailure("list the folder", folder)
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// Every file below a folder, as paths relative to it, sorted by bytes.
public func files(below folder: String) throws -> [String] {
    var found: [String] = []
    func visit(_ relative: String) throws {
        for name in try names(in: relative.isEmpty ? folder : folder + "/" + relative) {
            let path = relative.isEmpty ? name : relative + "/" + name
            if kind(of: folder + "/" + path) == .folder { try visit(path) } else { found.append(path) }
        }
    }
    try visit("")
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

public func makeFolder(_ path: String) throws {
    if kind(of: path) == .folder { return }
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeFolder(String(path[..<slash])) }
    // Somebody else may just have made it; a file of that name is no folder.
    guard mkdir(path, 0o755) == 0 || (errno == EEXIST && kind(of: path) == .folder) else {
        throw systemFailure("make the folder", path)
    }
}

/// Removes a file or a whole folder; nothing happens where it does not exist.
public func removeTree(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
        for name in try names(in: path) { try removeTree(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw systemFailure("remove the folder", path) }
    } else {
        guard unlink(path) == 0 || errno == ENOENT else { throw systemFailure("remove", path) }
    }
}

/// Makes what was written in a folder (or to a file) last through a power cut.
public func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw systemFailure("write to the disk", path) }
}

/// Writes a new file in place: for files in staging, whose folder becomes visible later in one step.
public func writeNew(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure("write", path) }
    defer { close(descriptor) }
    try bytes.withUnsafeBytes { try writeAll($0, descriptor, path) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw systemFailure("write to the disk", path) }
}

/// Writes a new file without waiting for the disk, which begins at once: whoever has to wait in the end waits little.
public func writeAhead(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure("write", path) }
    defer { close(descriptor) }
    try bytes.withUnsafeBytes { try writeAll($0, descriptor, path) }
    vesper_begin_to_write(descriptor)
}

/// Adds bytes to the end of a file of one's own, which is made where it is missing.
public func appendToFile(_ bytes: UnsafeRawBufferPointer, _ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure("write", path) }
    defer { close(descriptor) }
    try writeAll(bytes, descriptor, path)
}

private func writeAll(_ buffer: UnsafeRawBufferPointer, _ descriptor: Int32, _ path: String) throws {
    var written = 0
    while written < buffer.count {
        let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
        if count >= 0 { written += count } else if errno != EINTR { throw systemFailure("write", path) }
    }
}

/// Writes a file so that a reader sees the old bytes or the new ones, whole. The same bytes are not written again.
///
/// - Returns: whether the file changed.
@discardableResult
public func writeAtomically(_ bytes: [UInt8], to path: String) throws -> Bool {
    if FileSignature(of: path)?.size == Int64(bytes.count), let old = try? readFile(path, as: "file"), old == bytes {
        return false
    }
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    try makeFolder(folder)
    let temporary = path + ".partial"
    try writeNew(bytes, to: temporary)
    try rename(temporary, to: path)
    try sync(folder)
    return true
}

public func rename(_ from: String, to: String) throws {
    guard Glibc.rename(from, to) == 0 else { throw systemFailure("move \(from) here", to) }
}

public func hardLink(_ from: String, to: String) throws {
    guard link(from, to) == 0 else {
        // A file system without hard links gets a copy.
        guard errno == EPERM || errno == EXDEV || errno == ENOTSUP || errno == EMLINK else {
            throw systemFailure("link \(from) here", to)
        }
        return try writeNew(try readFile(from, as: "file"), to: to)
    }
}

/// Puts `new` where `old` is in one step, with what was there ending up at `new`; where `old` is missing it is a plain move.
/// On a file system without exchange there is a moment without `old`; whoever calls must be able to roll forward.
public func exchange(_ new: String, with old: String) throws {
    if !exists(old) {
        if let slash = old.lastIndex(of: "/") { try makeFolder(String(old[..<slash])) }
        return try rename(new, to: old)
    }
    if vesper_exchange(new, old) == 0 { return }
    guard errno == EINVAL || errno == ENOSYS || errno == ENOTSUP else { throw systemFailure("exchange \(new) with this", old) }
    try rename(old, to: new + ".old")
    try rename(new, to: old)
    try rename(new + ".old", to: new)
}

/// Whether the file system that holds a path has next to no room left.
public func hasNoRoom(_ path: String) -> Bool {
    var status = statvfs()
    return statvfs(path, &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) < 65_536
}

/// `a/b` and `c` are `a/b/c`; an absolute second part stands for itself.
public func joined(_ folder: String, _ path: String) -> String {
    if path.hasPrefix("/") || folder.isEmpty { return path }
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
}
