import Common
import Glibc

// A home survives being killed at any moment, so a signal needs no more than a word and the exit code that shells expect. Only
// functions that are safe in a signal handler are called.
for number in [SIGINT, SIGTERM] {
    signal(number) { number in
        let words: StaticString = "\nvesper: stopped. Run the same command again to go on.\n"
        _ = write(2, words.utf8Start, words.utf8CodeUnitCount)
        _exit(128 + number)
    }
}

// A snapshot opens every part before the first row is read: years of days need more files than the usual limit.
var limit = rlimit()
if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

keepFreedMemory()
exit(perform(Array(CommandLine.arguments.dropFirst())))
