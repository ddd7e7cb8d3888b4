/// How a run ended, as schedulers see it.
enum ExitCode: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case quarantined = 2
    case budget = 3
    case waiting = 4
    case locked = 5
    case usage = 64

    var about: String {
        switch self {
        case .done: "Done."
        case .failed: "Failed; the message says why."
        case .quarantined: "Done, with more quarantined rows than the job's quarantine_at_most."
        case .budget: "Stopped by the budget."
        case .waiting: "Waiting for a provider."
        case .locked: "Another run holds the lock."
        case .usage: "The command line or a job file cannot be used; nothing was begun."
        }
    }

    /// The code of several jobs together: the worst of theirs.
    static func worst(_ codes: some Sequence<ExitCode>) -> ExitCode {
        let order: [ExitCode] = [.usage, .failed, .locked, .budget, .waiting, .quarantined]
        let codes = Set(codes)
        return order.first(where: codes.contains) ?? .done
    }
}
