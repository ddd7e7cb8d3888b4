import Glibc

/// Hands values from one thread to another, a few at a time: whoever puts waits while it is full, whoever takes while it is empty.
public final class BoundedQueue<Element>: @unchecked Sendable {
    // `unchecked`: all state is behind the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private let most: Int
    private var waiting: [Element] = []
    private var isClosed = false

    public init(most: Int) {
        self.most = most
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        changed = .allocate(capacity: 1)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// False where the queue has been closed: nobody will take it.
    public func put(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.count >= most, !isClosed { pthread_cond_wait(changed, mutex) }
        if isClosed { return false }
        waiting.append(element)
        pthread_cond_broadcast(changed)
        return true
    }

    /// The value that has waited longest; nil once the queue has been closed.
    public func take() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty, !isClosed { pthread_cond_wait(changed, mutex) }
        if waiting.isEmpty { return nil }
        defer { pthread_cond_broadcast(changed) }
        return waiting.removeFirst()
    }

    /// Nobody takes any more: whoever puts or waits is let go.
    public func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
