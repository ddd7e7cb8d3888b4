import Common
import Glibc

stopOnSignals()

// A snapshot opens every part before the first row is read: years of days need more files than the usual limit.
var limit = rlimit()
if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

keepFreedMemory()
exit(perform(Array(CommandLine.arguments.dropFirst())))
