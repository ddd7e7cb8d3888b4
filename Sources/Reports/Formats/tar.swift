import Common

/// Packs files into a POSIX archive (ustar) that is the same for the same files: no times, no owners, mode 0644, in the order given.
///
/// Names are relative, with `/` between folders. One that is empty, absolute, climbs out (`..`), comes twice or is too long for the
/// format is refused, and so is a file of 8 GiB or more.
public func tarArchive(_ files: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
    var archive: [UInt8] = []
    archive.reserveCapacity(files.reduce(1024) { $0 + 1024 + $1.bytes.count })
    var seen: Set<[UInt8]> = []
    for file in files {
        // Swift compares text by meaning; a file system and tar compare bytes.
        guard seen.insert(Array(file.name.utf8)).inserted else {
            throw Failure("The file \(file.name) would be in the archive twice. Give the files different names.")
        }
        archive += try header(name: file.name, size: file.bytes.count)
        archive += file.bytes
        archive.append(contentsOf: repeatElement(0, count: (512 - file.bytes.count % 512) % 512))
    }
    // "At the end of the archive there shall be two 512-octet logical records filled with binary zeros."
    archive.append(contentsOf: repeatElement(0, count: 1024))
    return archive
}

/// The header block of one file: pax, "ustar Interchange Format", https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
private func header(name: String, size: Int) throws -> [UInt8] {
    let (prefix, rest) = try divided(name)
    guard size < 1 << 33 else {
        throw Failure(
            "The file \(name) has \(grouped(size)) bytes, and a tar archive of this kind holds files below 8 GiB. Keep it apart.")
    }
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
        block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put(rest, at: 0)
    put(octal(0o644, digits: 7), at: 100)  // mode
    put(octal(0, digits: 7), at: 108)  // uid
    put(octal(0, digits: 7), at: 116)  // gid
    put(octal(size, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)  // mtime
    put([UInt8](repeating: 0x20, count: 8), at: 148)  // "the chksum field shall be treated as if it were all spaces"
    put("0".utf8, at: 156)  // a regular file
    put("ustar\u{0}00".utf8, at: 257)
    put(octal(0, digits: 7), at: 329)  // devmajor
    put(octal(0, digits: 7), at: 337)  // devminor
    put(prefix, at: 345)
    let sum = block.reduce(0) { $0 + Int($1) }
    put(octal(sum, digits: 6) + [0, 0x20], at: 148)
    return block
}

/// A name that does not fit into 100 bytes is cut at a slash: up to 155 bytes before it, up to 100 behind it.
private func divided(_ name: String) throws -> (prefix: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
    let bytes = Array(name.utf8)
    let parts = bytes.split(separator: 0x2f, omittingEmptySubsequences: false)
    guard !bytes.contains(0), parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) })
    else {
        throw Failure("\"\(name)\" cannot be a name in an archive. Use a relative path without empty parts, \".\" and \"..\".")
    }
    if bytes.count <= 100 { return ([], bytes[...]) }
    let cut = bytes.indices.first { bytes[$0] == 0x2f && bytes.count - $0 - 1 <= 100 }
    guard let cut, cut <= 155 else {
        throw Failure(
            "The name \(name) is too long for an archive: at most 100 bytes, or 155 before a slash and 100 behind it. Shorten it."
        )
    }
    return (bytes[..<cut], bytes[(cut + 1)...])
}

/// Octal digits with zeros before them; the zero byte that ends the field is there already.
private func octal(_ value: Int, digits: Int) -> [UInt8] {
    let text = Array(String(value, radix: 8).utf8)
    return [UInt8](repeating: 0x30, count: max(0, digits - text.count)) + text
}
