import Glibc

/// Ends the program with a word and the exit code that shells expect; a home survives being killed at any moment.
///
/// Only functions that are safe in a signal handler may be called, and nothing that allocates: the signal may come while the memory's
/// lock is held. Not in main.swift for that reason: what stands there belongs to the main actor, which is checked with an allocation.
func stopOnSignals() {
    for number in [SIGINT, SIGTERM] {
        signal(number) { number in
            let words: StaticString = "\nvesper: stopped. Run the same command again to go on.\n"
            _ = write(2, words.utf8Start, words.utf8CodeUnitCount)
            _exit(128 + number)
        }
    }
}
