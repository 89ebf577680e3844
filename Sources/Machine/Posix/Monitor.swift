import Glibc

/// A value under a lock that threads can wait to see changed: a mutex with a condition variable.
///
/// Where nobody waits, `Mutex` of `Synchronization` is smaller and faster.
public final class Monitor<Value>: @unchecked Sendable {
    // `@unchecked` is safe because the value is touched only between lock and unlock of the mutex beside it.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    /// A monitor around `value`.
    public init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        self.value = value
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the value while no other thread has it.
    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Wakes every thread that waits.
    public func wake() {
        pthread_cond_broadcast(condition)
    }

    /// Waits until `body` returns something, calling it now, after every `wake()`, and once more after
    /// `timeoutNanoseconds` (nil: never).
    ///
    /// - Returns: what `body` returned, or nil after the timeout.
    public func wait<Result>(
        timeoutNanoseconds: UInt64? = nil, until body: (inout Value) -> Result?
    ) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard let timeoutNanoseconds else {
            while true {
                if let result = body(&value) { return result }
                pthread_cond_wait(condition, mutex)
            }
        }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = UInt64(deadline.tv_nsec) + timeoutNanoseconds % 1_000_000_000
        deadline.tv_sec += Int(timeoutNanoseconds / 1_000_000_000 + nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while true {
            if let result = body(&value) { return result }
            if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return body(&value) }
        }
    }
}
