import CZlib
import Glibc

/// Runs `body` for every index on so many threads, each taking the next index that is free; returns when all are done.
///
/// Where some throw, the error of the lowest index that failed is thrown, and indices not begun by then are left out.
public func inParallel(_ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    if threads <= 1 || count <= 1 {
        for index in 0..<count { try body(index) }
        return
    }
    let shared = SharedIndices(count)
    let work: @Sendable () -> Void = {
        while let index = shared.next() {
            do { try body(index) } catch { shared.fail(index, error) }
        }
    }
    let helpers = (1..<min(threads, count)).map { _ in Thread(work) }
    work()
    for helper in helpers { helper.join() }
    if let error = shared.error { throw error }
}

/// Keeps memory that is freed for what comes next: batches of rows come and go by the megabyte, and having the system clear and map
/// new memory for each took as long as the work itself. Called once, when the program starts.
public func keepFreedMemory() { vesper_keep_memory() }

/// How many processors the machine lends us.
public var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

/// A thread of the operating system's, for work that computes or blocks.
public final class Thread {
    private var handle = pthread_t()
    private let started: Bool

    public init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 8 << 20)  // the scanner descends with the nesting of a record
        started =
            pthread_create(
                &handle, &attributes,
                { context in
                    Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
                    return nil
                }, box.toOpaque()) == 0
        pthread_attr_destroy(&attributes)
        // Without a thread the caller does the work alone.
        if !started { box.release() }
    }

    public func join() { if started { pthread_join(handle, nil) } }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// A lock that several threads may hold one after another.
public final class Lock: @unchecked Sendable {
    // `unchecked`: the mutex is made for being shared.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    public init() {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    public func held<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}

private final class SharedIndices: @unchecked Sendable {
    // `unchecked`: all state is behind the lock.
    private let lock = Lock()
    private let count: Int
    private var taken = 0
    private var failure: (index: Int, error: any Error)?

    init(_ count: Int) { self.count = count }

    func next() -> Int? {
        lock.held {
            guard taken < count, failure == nil else { return nil }
            taken += 1
            return taken - 1
        }
    }

    func fail(_ index: Int, _ error: any Error) {
        lock.held { if failure.map({ index < $0.index }) ?? true { failure = (index, error) } }
    }

    var error: (any Error)? { lock.held { failure?.error } }
}
