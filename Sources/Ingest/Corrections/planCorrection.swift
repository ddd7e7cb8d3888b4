import Common
import Lake
import Ledger

/// What is to be put right of that which was ingested.
public enum Correction: Sendable, Equatable {
    /// Refused records are read again, by the job of today.
    case retryQuarantined
    /// Files that were read under another mapping are read again, and their rows replaced.
    case remap
    /// These files are undone, and read no more.
    case drop(Set<SourceFile>)
}

/// What a correction does, file by file. Nothing is read yet but the ledger and, where it must be, the quarantine.
public struct CorrectionPlan: Sendable {
    public enum Step: Equatable, Sendable {
        /// Its rows, counts and refusals go, and it is read anew.
        case readAgain
        /// So many of its refused records are tried again from the bytes that the quarantine has of them.
        case retried(Int)
        /// All that came of it goes.
        case dropped
        /// Its refused records stay: neither the file nor their bytes are there.
        case left
    }

    public internal(set) var steps: [SourceFile: Step] = [:]
    /// How the records of these files have ended so far.
    public internal(set) var before: [SourceFile: Counts] = [:]
    var work = Assignment()
}

/// Finds the files that a correction touches, and refuses it where one of them cannot be read again.
///
/// Rows of other files that lost against rows which go must come back, and a row that has lost is not kept: so their files are read
/// again too, by the ledger's word for whose rows lost against whose.
public func planCorrection(_ correction: Correction, _ order: IngestOrder, _ lake: Lake) throws -> CorrectionPlan {
    var planner = try Planner(order, lake)
    switch correction {
    case .retryQuarantined: try planner.retryQuarantined()
    case .remap: try planner.remap()
    case .drop(let files): try planner.drop(files)
    }
    return planner.plan
}

private struct Planner {
    let order: IngestOrder
    let lake: Lake
    let known: [SourceFile: FileRead]
    let displaced: Displacements
    let counts: [SourceFile: Counts]
    var plan = CorrectionPlan()

    init(_ order: IngestOrder, _ lake: Lake) throws {
        (self.order, self.lake) = (order, lake)
        known = try lake.ledger.filesRead(job: order.job)
        displaced = try Displacements(lake.ledger, job: order.job)
        counts = try lake.ledger.countsByFile(job: order.job)
    }

    mutating func retryQuarantined() throws {
        var whole: Set<SourceFile> = []
        for file in counts.keys.sorted() where counts[file]?.quarantinedTotal ?? 0 > 0 && isChosen(file) {
            let all = displaced.closure(of: [file])
            if try obstacles(to: all).isEmpty {
                whole.formUnion(all)
                continue
            }
            let refused = try retriable(file)
            plan.work.retried += refused
            note(file, refused.isEmpty ? .left : .retried(refused.count))
        }
        try readAgain(whole)
    }

    mutating func remap() throws {
        let mappings = order.mappings
        let wanted = try known.filter { file, read in
            guard let mapping = mappings[file.source], mapping != read.mapping, isChosen(file) else { return false }
            // Of a file that an older vesper has read nobody knows whether its mapping has changed.
            return try !read.mapping.isEmpty || order.obstacle(to: file, read) == nil
        }
        let all = displaced.closure(of: Set(wanted.keys))
        try refuse(
            try obstacles(to: all),
            "Put them back as they were, name the files to map anew, or take those out with vesper source drop \(order.job) FILE."
        )
        try readAgain(all)
    }

    mutating func drop(_ files: Set<SourceFile>) throws {
        let others = displaced.closure(of: files).subtracting(files)
        try refuse(
            try obstacles(to: others),
            "Some of their rows were counted as those of what is to go, and would be lost with it. "
                + "Put them back as they were, or drop them too, in one command.")
        try readAgain(others)
        plan.work.voided.formUnion(files)
        plan.work.dropped = files
        for file in files { note(file, .dropped) }
    }

    private func isChosen(_ file: SourceFile) -> Bool {
        if case .only(let chosen) = order.choice { return chosen.contains(file.file) }
        return true
    }

    private func obstacles(to files: Set<SourceFile>) throws -> [(file: SourceFile, why: Obstacle)] {
        try files.sorted().compactMap { file in try order.obstacle(to: file, known[file]).map { (file, $0) } }
    }

    private func refuse(_ obstacles: [(file: SourceFile, why: Obstacle)], _ step: String) throws {
        guard !obstacles.isEmpty else { return }
        let sentences = obstacles.prefix(5).map { "\($0.file.file) \($0.why.rawValue)" }
        let rest = obstacles.count - sentences.count
        throw Failure(
            "\(counted(obstacles.count, "file")) cannot be read again as read before: \(sentences.joined(separator: "; "))"
                + (rest > 0 ? "; and \(grouped(rest)) more. " : ". ") + step + " Nothing was changed.")
    }

    private mutating func readAgain(_ files: Set<SourceFile>) throws {
        var formats: [String: (format: RecordFormat?, source: Source)] = [:]
        var again: [PendingFile] = []
        for source in order.sources {
            for file in files.sorted() where file.source == source.name {
                guard let read = known[file] else { continue }
                try agree(on: file.file, source, &formats)
                again.append(PendingFile(again: file, read))
                note(file, .readAgain)
            }
        }
        plan.work.readAgain(again)
    }

    private mutating func note(_ file: SourceFile, _ step: CorrectionPlan.Step) {
        plan.steps[file] = step
        plan.before[file] = counts[file] ?? Counts()
    }

    /// The refused records of a file that the quarantine has whole and that say all there is to say: a row of CSV lacks its header, and
    /// an element of a list what stood around it.
    private func retriable(_ file: SourceFile) throws -> [Refusal] {
        guard let source = order.sources.first(where: { $0.name == file.source }), source.each == nil,
            let format = known[file]?.format, format == RecordFormat.jsonl.name || format == RecordFormat.json.name
        else { return [] }
        return try quarantined(file, order, lake).filter(\.isWhole)
    }
}
